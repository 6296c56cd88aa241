//! Verifies signed requests.

mod cache;
mod claims;
mod lookup;
mod signed_headers;
mod unverified;

use core::fmt;
use core::time::Duration;
// `cache` uses `sync` through this module, so that `crates/interop` can check it with loom's types.
use std::sync;

use crate::canonical::{Form, parameters, retain_signed, sort_query};
use crate::chain::Chain;
use crate::names;
use crate::sign::checked;
use crate::string_to_sign::TERMINATOR;
use crate::{
    ChunkVerifier, Credentials, Incomplete, InvalidScope, MessageVerifier, PayloadHash, RawRequest,
    Signature, SigningKey, SigningSettings, Timestamp, VerifyError, WrongScope,
};
use cache::KeyCache;
use claims::Sent;
use unverified::Checked;

pub use claims::Claims;
pub use lookup::CredentialsLookup;
pub use unverified::Unverified;

/// How far the signer's clock may be off by default: five minutes, as for the service.
const TOLERANCE: Duration = Duration::from_secs(300);

/// Verifies requests to one service in one region, signed by headers or presigned.
///
/// Caches the keys that it derives, at most 64 at a time. Share one verifier between threads.
///
/// # What it requires
///
/// - The signature covers `host` and every header whose name begins with `x-amz-`, except
///   `x-amz-security-token` (which is compared with the access key's own in any case),
///   `x-amz-user-agent` and `x-amz-checksum-mode` (which presigning leaves out) and
///   [`SigningSettings::unsigned_headers`]. Other headers may be uncovered: proxies add some.
/// - Every covered header is present. Blank space in its value may be collapsed as in the official
///   vectors (only spaces), as in the AWS SDK for JavaScript (spaces and tabs; formerly all of
///   ECMAScript's `\s`), or as in botocore (wherever Python splits).
/// - `x-amz-content-sha256`, if sent, is the payload hash that the caller passes.
/// - There is a date: that of `x-amz-date`, or else of `date`.
/// - The signature has exactly 64 lower-case digits. `SignedHeaders` is sorted and in lower case.
///
/// # Example
///
/// ```
/// use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer, Verifier, VerifyError};
///
/// let credentials = Credentials::new("local", "local")?;
/// let mut request = http::Request::post("http://localhost:9001/x").body("{}")?;
/// # let now = "20150830T123600Z".parse()?;
/// Signer::new(credentials.clone(), "us-east-1", "lambda")?
///     .sign_request(&mut request, &PayloadHash::of("{}"), now)?;
///
/// let verifier = Verifier::new("us-east-1", "lambda")?;
/// let verified = verifier.verify(&request, &PayloadHash::of("{}"), &credentials, now)?;
/// assert_eq!(verified.access_key_id(), "local");
///
/// let tampered = PayloadHash::of("[]");
/// let error = verifier.verify(&request, &tampered, &credentials, now).unwrap_err();
/// assert!(matches!(error, VerifyError::SignatureMismatch(_)));
/// assert_eq!(error.code(), "InvalidSignatureException");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Verifier {
    region: Box<str>,
    service: Box<str>,
    /// What follows the date in every scope: `/us-east-1/lambda/aws4_request`.
    scope_end: Box<str>,
    settings: SigningSettings,
    tolerance: Duration,
    cache: KeyCache,
}

impl Verifier {
    /// Creates a verifier with the [default settings](SigningSettings::default) and a tolerance of
    /// five minutes.
    ///
    /// # Errors
    ///
    /// If `region` or `service` is empty, or has a byte other than visible ASCII without `/` and `,`.
    pub fn new(
        region: impl Into<String>,
        service: impl Into<String>,
    ) -> Result<Self, InvalidScope> {
        let (region, service) = checked(region.into(), service.into())?;
        Ok(Self {
            scope_end: format!("/{region}/{service}/{TERMINATOR}").into(),
            region,
            service,
            settings: SigningSettings::default(),
            tolerance: TOLERANCE,
            cache: KeyCache::default(),
        })
    }

    /// Replaces the settings; they must be those of the signer.
    #[must_use]
    pub fn with_settings(mut self, settings: SigningSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Replaces the tolerance (whole seconds) for the signer's clock, ahead or behind.
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Verifies a request as received, with its path undecoded: `&http::Request`,
    /// `&http::request::Parts` or a [`RawRequest`].
    ///
    /// `payload` is the hash of the received body; pass [`PayloadHash::Unsigned`] only to
    /// accept an uncovered body.
    ///
    /// # Errors
    ///
    /// The error that the service would return; the order of the checks is the service's. See
    /// [`VerifyError`].
    pub fn verify<'a>(
        &self,
        request: impl Into<RawRequest<'a>>,
        payload: &PayloadHash,
        lookup: &impl CredentialsLookup,
        now: Timestamp,
    ) -> Result<Verified<'a>, VerifyError> {
        self.verify_raw(&request.into(), payload, lookup, now)
    }

    /// Verifies a [`RawRequest`] by reference.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub fn verify_raw<'a>(
        &self,
        request: &RawRequest<'a>,
        payload: &PayloadHash,
        lookup: &impl CredentialsLookup,
        now: Timestamp,
    ) -> Result<Verified<'a>, VerifyError> {
        let mut form = Form::new(request, payload, &self.settings);
        let checked = self.check_into(&mut form, request, now)?;
        let credentials = lookup.find(checked.access_key_id());
        checked.verify(self, &form, &credentials.ok_or(VerifyError::UnknownKey)?)
    }

    /// Verifies a request with an access key that is looked up asynchronously; `find` receives the
    /// key's id.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify). For a lookup that can fail, or that needs more than the
    /// id, use [`check`](Self::check).
    ///
    /// # Example
    ///
    /// ```
    /// # use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer, Verifier};
    /// # async fn database(id: &str) -> Option<Credentials> {
    /// #     Credentials::new(id, "secret").ok()
    /// # }
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// # let now = "20150830T123600Z".parse()?;
    /// # let request = http::Request::get("http://localhost:9001/").body(())?;
    /// let verifier = Verifier::new("us-east-1", "lambda")?;
    /// let verified = verifier
    ///     .verify_async(&request, &PayloadHash::EMPTY, async |id| database(id).await, now)
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn verify_async<'a>(
        &self,
        request: impl Into<RawRequest<'a>>,
        payload: &PayloadHash,
        find: impl AsyncFnOnce(&str) -> Option<Credentials>,
        now: Timestamp,
    ) -> Result<Verified<'a>, VerifyError> {
        let unverified = self.check(request, payload, now)?;
        let credentials = find(unverified.checked.access_key_id()).await;
        unverified.verify(&credentials.ok_or(VerifyError::UnknownKey)?)
    }

    /// Checks everything that needs no key: that the signature can be read, is for this region and
    /// service, and is neither expired nor dated in the future.
    ///
    /// The result has the [`Claims`] of the request, and can verify the request with a key: an
    /// access key ([`Unverified::verify`]) or a derived one ([`Unverified::verify_with_key`]).
    ///
    /// # Errors
    ///
    /// The error that the service would return; the order of the checks is the service's. See
    /// [`VerifyError`].
    pub fn check<'a>(
        &self,
        request: impl Into<RawRequest<'a>>,
        payload: &PayloadHash,
        now: Timestamp,
    ) -> Result<Unverified<'_, 'a>, VerifyError> {
        let request = request.into();
        let mut form = Form::new(&request, payload, &self.settings);
        let checked = self.check_into(&mut form, &request, now)?;
        Ok(Unverified {
            verifier: self,
            form,
            checked,
        })
    }

    /// Starts the chain of chunk signatures of a request that was verified with these credentials.
    pub fn chunk_verifier(
        &self,
        credentials: &Credentials,
        verified: &Verified<'_>,
    ) -> ChunkVerifier {
        let key = self.key(credentials, verified);
        ChunkVerifier::new(key, verified.timestamp(), verified.signature())
    }

    /// Starts the chain of message signatures of a request that was verified with these credentials.
    pub fn message_verifier(
        &self,
        credentials: &Credentials,
        verified: &Verified<'_>,
    ) -> MessageVerifier {
        MessageVerifier::new(Chain::new(
            credentials.clone(),
            &self.region,
            &self.service,
            self.key(credentials, verified),
            verified.signature(),
        ))
    }

    fn key(&self, credentials: &Credentials, verified: &Verified<'_>) -> SigningKey {
        let time = verified.timestamp();
        let key = self
            .cache
            .key(credentials, time, &self.region, &self.service);
        (*key).clone()
    }

    /// Checks everything that needs no key, and completes the canonical request.
    #[inline]
    fn check_into<'a>(
        &self,
        form: &mut Form<'a>,
        request: &RawRequest<'a>,
        now: Timestamp,
    ) -> Result<Checked<'a>, VerifyError> {
        let mut sent = Sent::default();
        request.for_each_header(|name, value| {
            sent.note(name, value);
            form.cover(name, value);
        });
        if !sent.has_host {
            if let Some(host) = request.host() {
                form.cover(names::HOST, host.as_bytes());
            }
        }
        form.query.extend(parameters(request.query));
        let claims = Claims::read(&sent, form.query.iter().copied())?;
        let found = signed_headers::compare(form, &claims, &self.settings)?;
        self.check_time(&claims, now)?;
        if !found.host {
            return Err(VerifyError::HostNotSigned);
        }
        let id_length = self.check_scope(&claims)?;
        if claims.expires.is_some() {
            retain_signed(&mut form.query, &self.settings);
        }
        sort_query(&mut form.query);
        Ok(Checked {
            claims,
            id_length,
            rejection: found.rejection,
            now,
        })
    }

    fn check_time(&self, claims: &Claims<'_>, now: Timestamp) -> Result<(), VerifyError> {
        let allowance = claims.expires.unwrap_or(self.tolerance);
        if claims.time < now.saturating_sub(allowance) {
            return Err(VerifyError::Expired {
                signed: claims.time,
                now,
                allowance,
            });
        }
        if claims.time > now.saturating_add(self.tolerance) {
            let tolerance = self.tolerance;
            return Err(VerifyError::NotYetCurrent {
                signed: claims.time,
                now,
                tolerance,
            });
        }
        Ok(())
    }

    /// Checks the scope of a credential and returns the length of the access key's id.
    fn check_scope(&self, claims: &Claims<'_>) -> Result<usize, VerifyError> {
        let credential = claims.credential.as_bytes();
        let id = credential
            .strip_suffix(self.scope_end.as_bytes())
            .and_then(|rest| rest.strip_suffix(&claims.stamp[..8]))
            .and_then(|rest| rest.strip_suffix(b"/"));
        match id {
            Some(id) if !id.contains(&b'/') => Ok(id.len()),
            _ => Err(self.explain_scope(claims)),
        }
    }

    #[cold]
    fn explain_scope(&self, claims: &Claims<'_>) -> VerifyError {
        let elements: Vec<&str> = claims.credential.split('/').collect();
        let [_, date, region, service, terminator] = elements[..] else {
            return Incomplete::CredentialElements.into();
        };
        VerifyError::WrongScope(Box::new(WrongScope {
            region: (region != &*self.region).then(|| self.region.clone()),
            service: (service != &*self.service).then(|| self.service.clone()),
            terminator: terminator != TERMINATOR,
            date: (date.as_bytes() != &claims.stamp[..8]).then_some(claims.time),
        }))
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("region", &self.region)
            .field("service", &self.service)
            .field("settings", &self.settings)
            .field("tolerance", &self.tolerance)
            .finish_non_exhaustive()
    }
}

/// Who signed a request, when, and what the signature covers: [`Claims`] that are proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<'a> {
    claims: Claims<'a>,
}

impl<'a> Verified<'a> {
    /// Returns the id of the access key.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        self.claims.access_key_id()
    }

    /// Returns the scope: `20150830/us-east-1/lambda/aws4_request`.
    #[must_use]
    pub fn scope(&self) -> &str {
        self.claims.scope()
    }

    /// Returns when the request was signed, by the signer's clock.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        self.claims.timestamp()
    }

    /// Returns how long the signature is valid, if the request is presigned.
    #[must_use]
    pub fn expires(&self) -> Option<Duration> {
        self.claims.expires()
    }

    /// Returns the names of the headers that the signature covers, sorted.
    pub fn signed_headers(&self) -> impl Iterator<Item = &str> {
        self.claims.signed_headers()
    }

    /// Returns the signature, which seeds the chain of a signed body.
    #[must_use]
    pub fn signature(&self) -> Signature {
        self.claims.signature()
    }

    /// Everything that the signature proves.
    #[must_use]
    pub fn claims(&self) -> &Claims<'a> {
        &self.claims
    }

    /// Converts it into a value that does not borrow from the request.
    #[must_use]
    pub fn into_owned(self) -> Verified<'static> {
        Verified {
            claims: self.claims.into_owned(),
        }
    }
}
