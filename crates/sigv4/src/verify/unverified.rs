//! A request whose signature is not verified yet.

use core::fmt;

use http::HeaderValue;

use super::{Claims, Verified, Verifier};
use crate::canonical::{Blank, Form};
use crate::{Credentials, Mismatch, SigningKey, Timestamp, VerifyError};

/// A request that passed every check that needs no key; see [`Verifier::check`].
pub struct Unverified<'v, 'a> {
    pub(super) verifier: &'v Verifier,
    pub(super) form: Form<'a>,
    pub(super) checked: Checked<'a>,
}

impl<'a> Unverified<'_, 'a> {
    /// What the request claims. The scope is the verifier's own; nothing else is proved.
    #[must_use]
    pub fn claims(&self) -> &Claims<'a> {
        &self.checked.claims
    }

    /// Verifies the signature with an access key.
    ///
    /// # Errors
    ///
    /// If the key is not the one that the request names ([`VerifyError::UnknownKey`]) or has
    /// expired, or if the headers, the signature or the session token are wrong.
    pub fn verify(self, credentials: &Credentials) -> Result<Verified<'a>, VerifyError> {
        self.checked.verify(self.verifier, &self.form, credentials)
    }

    /// Verifies the signature with the key that was derived for the scope of the request, so that
    /// the verifier never has the secret. The caller has to check whether the access key has
    /// expired.
    ///
    /// # Errors
    ///
    /// [`VerifyError::KeyOutOfScope`] if the key is for another day, region or service, and
    /// otherwise as [`verify`](Self::verify).
    ///
    /// # Example
    ///
    /// ```
    /// # use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer, SigningKey, Verifier};
    /// # let now = "20150830T123600Z".parse()?;
    /// # let mut request = http::Request::get("http://localhost:9001/").body(())?;
    /// # Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "lambda")?
    /// #     .sign_request(&mut request, &PayloadHash::EMPTY, now)?;
    /// // Derived where the secret is, and sent to the verifier for the day.
    /// let key = SigningKey::derive("secret", now, "us-east-1", "lambda");
    ///
    /// let verifier = Verifier::new("us-east-1", "lambda")?;
    /// let unverified = verifier.check(&request, &PayloadHash::EMPTY, now)?;
    /// assert_eq!(unverified.claims().access_key_id(), "AKIDEXAMPLE");
    /// let verified = unverified.verify_with_key(&key, None)?;
    /// assert_eq!(verified.access_key_id(), "AKIDEXAMPLE");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify_with_key(
        self,
        key: &SigningKey,
        session_token: Option<&str>,
    ) -> Result<Verified<'a>, VerifyError> {
        let Self { form, checked, .. } = self;
        if key.scope() != checked.scope() {
            return Err(VerifyError::KeyOutOfScope);
        }
        checked.finish(&form, key, session_token.map(str::as_bytes))
    }
}

/// The result of the checks that need no key.
pub(super) struct Checked<'a> {
    pub(super) claims: Claims<'a>,
    pub(super) id_length: usize,
    /// The error in the headers, which is reported only if the key exists.
    pub(super) rejection: Option<VerifyError>,
    pub(super) now: Timestamp,
}

impl<'a> Checked<'a> {
    pub(super) fn access_key_id(&self) -> &str {
        &self.claims.credential[..self.id_length]
    }

    fn scope(&self) -> &str {
        &self.claims.credential[self.id_length + 1..]
    }

    #[inline]
    pub(super) fn verify(
        self,
        verifier: &Verifier,
        form: &Form<'_>,
        credentials: &Credentials,
    ) -> Result<Verified<'a>, VerifyError> {
        if credentials.access_key_id() != self.access_key_id() {
            return Err(VerifyError::UnknownKey);
        }
        if credentials
            .expiry()
            .is_some_and(|expiry| expiry <= self.now)
        {
            return Err(VerifyError::CredentialsExpired);
        }
        let Verifier {
            cache,
            region,
            service,
            ..
        } = verifier;
        let key = cache.key(credentials, self.claims.time, region, service);
        let token = credentials.token_header().map(HeaderValue::as_bytes);
        self.finish(form, &key, token)
    }

    #[inline]
    fn finish(
        self,
        form: &Form<'_>,
        key: &SigningKey,
        token: Option<&[u8]>,
    ) -> Result<Verified<'a>, VerifyError> {
        if let Some(rejection) = self.rejection {
            return Err(rejection);
        }
        let claims = self.claims;
        let names = claims.signed_headers.as_bytes();
        // The scope of the credential equals the key's, as was checked.
        let text = key.string_to_sign(&claims.stamp, &form.hash(names, Blank::Space));
        if !key.verify(text.as_bytes(), &claims.signature)
            && !is_signed_by_collapsing_more(form, &claims, key)
        {
            let mismatch = Mismatch::new(form.to_redacted(names), text.to_string());
            return Err(VerifyError::SignatureMismatch(Box::new(mismatch)));
        }
        // Checked after the signature, so that only a holder of the secret learns the result.
        if token != claims.token.as_deref() {
            return Err(VerifyError::InvalidSessionToken);
        }
        Ok(Verified { claims })
    }
}

/// Whether the signature matches the canonical request in which tabs and similar characters are
/// collapsed too.
///
/// Checked only for a signature that is not of the official form, and only if a covered value has
/// such a byte: no other request is hashed twice.
#[cold]
fn is_signed_by_collapsing_more(form: &Form<'_>, claims: &Claims<'_>, key: &SigningKey) -> bool {
    Blank::MORE.into_iter().any(|blank| {
        let mut headers = form.headers.iter();
        headers.any(|header| blank.matters_in(header.value)) && {
            let hash = form.hash(claims.signed_headers.as_bytes(), blank);
            let text = key.string_to_sign(&claims.stamp, &hash);
            key.verify(text.as_bytes(), &claims.signature)
        }
    })
}

impl fmt::Debug for Unverified<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified")
            .field("claims", self.claims())
            .finish_non_exhaustive()
    }
}
