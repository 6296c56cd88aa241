//! Verifying what others signed.

mod cache;
mod claims;
mod error;

use core::fmt;
use core::time::Duration;
use std::borrow::Cow;

use http::HeaderValue;
use http::request::Parts;

use crate::canonical::{
    self, Blank, CanonicalRequest, Header, is_left_out, is_parameter, is_sorted_list, parse_query,
};
use crate::key::TERMINATOR;
use crate::names::{self, is_header};
use crate::sign::checked;
use crate::{
    Credentials, InvalidScope, PayloadHash, RawRequest, SessionToken, Settings, SigningKey,
    Timestamp,
};
use cache::KeyCache;
use claims::{Claims, Form};
pub use error::{Incomplete, Mismatch, VerifyError, WrongScope};

/// How far the signer's clock may be off by default: five minutes, as at the service.
const TOLERANCE: Duration = Duration::from_secs(300);

/// Where a [`Verifier`] finds the access key that a request names.
///
/// Any `Fn(&str) -> Option<Credentials>` is one, and so is a single [`Credentials`]. Give clones of
/// one value each time: the verifier then derives its key once a day, and else on every call.
pub trait Keys {
    /// The access key with this id, if there is one.
    fn find(&self, access_key_id: &str) -> Option<Credentials>;
}

impl<F: Fn(&str) -> Option<Credentials>> Keys for F {
    fn find(&self, access_key_id: &str) -> Option<Credentials> {
        self(access_key_id)
    }
}

impl Keys for Credentials {
    fn find(&self, access_key_id: &str) -> Option<Credentials> {
        (self.access_key_id() == access_key_id).then(|| self.clone())
    }
}

/// Verifies requests to one service in one region, signed by headers or presigned.
///
/// Keeps the keys that it derives, for at most 64 access keys at a time. It can be shared between
/// threads.
///
/// # What it demands
///
/// - `host` must be covered, and so must every header whose name begins with `x-amz-`, but for
///   `x-amz-security-token` (compared with the access key's own in any case),
///   `x-amz-user-agent` and `x-amz-checksum-mode` (which presigning leaves out) and
///   [`Settings::unsigned_headers`]. Other headers may be uncovered: proxies add some.
/// - A covered header must be there. Blank space in its value may be collapsed as in the official
///   vectors (spaces alone), as by the AWS SDK for JavaScript (spaces and tabs; formerly all of
///   ECMAScript's `\s`) or as by botocore (all at which Python splits): what each signs is taken.
/// - `x-amz-content-sha256`, where sent, must be the payload hash that the caller gives.
/// - The date is that of `x-amz-date`, or of `date` if that is absent.
/// - A signature has exactly 64 lower-case digits. `SignedHeaders` is sorted and in lower case.
///
/// # Example
///
/// ```
/// use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer, Verifier, VerifyError};
///
/// let credentials = Credentials::new("local", "local")?;
/// let body = b"{}";
/// let mut request = http::Request::post("http://localhost:9001/x").body(())?;
/// # let (mut parts, ()) = request.into_parts();
/// # let now = "20150830T123600Z".parse()?;
/// Signer::new(credentials.clone(), "us-east-1", "lambda")?
///     .sign(&mut parts, &PayloadHash::of(body), now)?;
///
/// let verifier = Verifier::new("us-east-1", "lambda")?;
/// let verified = verifier.verify(&parts, &PayloadHash::of(body), &credentials, now)?;
/// assert_eq!(verified.access_key_id(), "local");
///
/// let tampered = PayloadHash::of(b"[]");
/// let error = verifier.verify(&parts, &tampered, &credentials, now).unwrap_err();
/// assert!(matches!(error, VerifyError::SignatureMismatch(_)));
/// assert_eq!(error.code(), "InvalidSignatureException");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Verifier {
    region: Box<str>,
    service: Box<str>,
    settings: Settings,
    tolerance: Duration,
    cache: KeyCache,
}

impl Verifier {
    /// A verifier with the [default settings](Settings::default) and a tolerance of five minutes.
    ///
    /// # Errors
    ///
    /// If `region` or `service` is empty or has anything but visible ASCII, or one of `/` and `,`.
    pub fn new(
        region: impl Into<String>,
        service: impl Into<String>,
    ) -> Result<Self, InvalidScope> {
        let (region, service) = checked(region.into(), service.into())?;
        let (settings, cache) = (Settings::default(), KeyCache::default());
        Ok(Self {
            region,
            service,
            settings,
            tolerance: TOLERANCE,
            cache,
        })
    }

    /// The same with other settings; those of the signer.
    pub fn with_settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The same with another tolerance (whole seconds) for the signer's clock, either way.
    pub fn with_tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Verifies a request as it came off the wire, its path undecoded.
    ///
    /// `payload` is the hash of the body that came with it; [`PayloadHash::Unsigned`] only if the
    /// caller wants to take an uncovered body.
    ///
    /// # Errors
    ///
    /// What the service would say, in the order in which it looks; see [`VerifyError`].
    pub fn verify<'a>(
        &self,
        parts: &'a Parts,
        payload: &PayloadHash,
        keys: &impl Keys,
        now: Timestamp,
    ) -> Result<Verified<'a>, VerifyError> {
        self.verify_raw(&RawRequest::from(parts), payload, keys, now)
    }

    /// Verifies a request of another HTTP type.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub fn verify_raw<'a>(
        &self,
        request: &RawRequest<'a>,
        payload: &PayloadHash,
        keys: &impl Keys,
        now: Timestamp,
    ) -> Result<Verified<'a>, VerifyError> {
        let claims = Claims::read(request)?;
        let mut canonical = CanonicalRequest::bare(request, payload, &self.settings);
        let coverage = self.cover(request, &claims, &mut canonical)?;
        self.check_time(&claims, now)?;
        if !coverage.host {
            return Err(VerifyError::HostNotSigned);
        }
        let id_length = self.check_scope(&claims)?;
        let credentials = keys
            .find(&claims.credential[..id_length])
            .ok_or(VerifyError::UnknownKey)?;
        if credentials.expiry().is_some_and(|expiry| expiry <= now) {
            return Err(VerifyError::CredentialsExpired);
        }
        if let Some(refusal) = coverage.refusal {
            return Err(refusal);
        }

        let presigned = matches!(claims.form, Form::Query { .. });
        let appended = self.settings.session_token == SessionToken::Appended;
        canonical.head.query = parse_query(request.query, |name| {
            !(presigned
                && (is_parameter(name, names::SIGNATURE_PARAMETER)
                    || appended && is_parameter(name, names::SECURITY_TOKEN_PARAMETER)))
        });
        let hash = canonical.hash();
        let key = self
            .cache
            .key(&credentials, claims.time, &self.region, &self.service);
        // The scope of the credential is the key's: it was checked.
        let text = key.string_to_sign(&claims.stamp, &hash);
        if !key.verify(text.as_bytes(), &claims.signature)
            && !is_signed_by_collapsing_more(&canonical, &claims, &key)
        {
            let mismatch = Mismatch::new(canonical.to_redacted(), text.to_string());
            return Err(VerifyError::SignatureMismatch(Box::new(mismatch)));
        }
        // After the signature, so that only a holder of the secret learns anything from it.
        if credentials.token_header().map(HeaderValue::as_bytes) != claims.token.as_deref() {
            return Err(VerifyError::InvalidSessionToken);
        }
        Ok(Verified {
            credential: claims.credential,
            id_length,
            signed_headers: claims.signed_headers,
            time: claims.time,
            expires: match claims.form {
                Form::Headers => None,
                Form::Query { expires } => Some(expires),
            },
        })
    }

    fn check_time(&self, claims: &Claims<'_>, now: Timestamp) -> Result<(), VerifyError> {
        let allowance = match claims.form {
            Form::Headers => self.tolerance,
            Form::Query { expires } => expires,
        };
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

    /// Checks the scope of a credential and gives the length of the access key's id.
    fn check_scope(&self, claims: &Claims<'_>) -> Result<usize, VerifyError> {
        let date = &claims.stamp[..8];
        let id = [
            TERMINATOR.as_bytes(),
            self.service.as_bytes(),
            self.region.as_bytes(),
            date,
        ]
        .iter()
        .try_fold(claims.credential.as_bytes(), |credential, element| {
            credential.strip_suffix(*element)?.strip_suffix(b"/")
        });
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

    /// Puts the headers that are said to be covered into the canonical request.
    ///
    /// Both lists are sorted, so one walk finds what is covered and not there, and the reverse; and
    /// a list that the walk gets to the end of is known to be a proper one.
    fn cover<'a>(
        &self,
        request: &RawRequest<'a>,
        claims: &Claims<'_>,
        canonical: &mut CanonicalRequest<'a>,
    ) -> Result<Coverage, Incomplete> {
        let CanonicalRequest {
            headers,
            lower_case,
            names,
            payload,
            ..
        } = canonical;
        let mut has_host = false;
        request.for_each_header(|name, value| {
            has_host |= is_header(name, names::HOST);
            headers.push(Header::new(name, value));
        });
        if !has_host {
            if let Some(host) = request.host() {
                headers.push(Header::new(names::HOST, host.as_bytes()));
            }
        }
        canonical::sort(headers);
        names.extend_from_slice(claims.signed_headers.as_bytes());

        let mut rest = Some(claims.signed_headers.as_bytes());
        let mut before = "";
        let mut coverage = Coverage {
            host: false,
            refusal: None,
        };
        headers.retain(|Header { name, value, .. }| {
            if is_header(name, names::CONTENT_SHA256) && value != payload.text(&mut [0; 64]) {
                coverage.refusal.get_or_insert(VerifyError::PayloadMismatch);
            }
            if is_header(name, before) {
                return true;
            }
            match rest.and_then(|rest| strip_name(rest, name, *lower_case)) {
                Some(after) => {
                    (before, rest) = (name, after);
                    coverage.host |= is_header(name, names::HOST);
                    true
                }
                None => {
                    if self.must_be_covered(name) {
                        let name = name.to_ascii_lowercase().into();
                        coverage
                            .refusal
                            .get_or_insert(VerifyError::HeaderNotSigned(name));
                    }
                    false
                }
            }
        });
        match rest {
            None => Ok(coverage),
            Some(rest) => explain_coverage(&claims.signed_headers, rest),
        }
    }

    /// Whether the signature must cover the header `name`.
    fn must_be_covered(&self, name: &str) -> bool {
        name.get(..6)
            .is_some_and(|prefix| prefix.eq_ignore_ascii_case("x-amz-"))
            && !is_header(name, names::SECURITY_TOKEN)
            && !is_left_out(name)
            && !self.settings.lists(name)
    }
}

/// Whether the signature is of the canonical request in which tabs and their kin are collapsed, too.
///
/// Asked only of a signature that is not of the official form, and only where a covered value has
/// such a byte: no other request is hashed twice.
#[cold]
fn is_signed_by_collapsing_more(
    canonical: &CanonicalRequest<'_>,
    claims: &Claims<'_>,
    key: &SigningKey,
) -> bool {
    Blank::MORE.into_iter().any(|blank| {
        let mut headers = canonical.headers.iter();
        headers.any(|header| blank.matters_in(header.value)) && {
            let text = key.string_to_sign(&claims.stamp, &canonical.hash_with(blank));
            key.verify(text.as_bytes(), &claims.signature)
        }
    })
}

/// What is wrong with the headers that are covered, if anything is.
struct Coverage {
    host: bool,
    refusal: Option<VerifyError>,
}

/// What is left of a list of names after `name`, if that comes first: `Some(None)` at the end.
#[allow(
    clippy::option_option,
    reason = "not found, found at the end, found before more"
)]
fn strip_name<'a>(list: &'a [u8], name: &str, lower_case: bool) -> Option<Option<&'a [u8]>> {
    let (first, after) = list.split_at_checked(name.len())?;
    let same = if lower_case {
        first == name.as_bytes()
    } else {
        first
            .iter()
            .copied()
            .eq(name.bytes().map(|byte| byte.to_ascii_lowercase()))
    };
    match after {
        _ if !same => None,
        [] => Some(None),
        [b';', after @ ..] => Some(Some(after)),
        _ => None,
    }
}

/// Why the walk over the names that are covered did not get beyond `rest`.
#[cold]
fn explain_coverage(signed_headers: &str, rest: &[u8]) -> Result<Coverage, Incomplete> {
    if !is_sorted_list(signed_headers) {
        return Err(Incomplete::SignedHeaders);
    }
    let missing = rest.split(|&byte| byte == b';').next().unwrap_or_default();
    let missing = String::from_utf8_lossy(missing).into_owned().into();
    Ok(Coverage {
        host: signed_headers.split(';').any(|name| name == names::HOST),
        refusal: Some(VerifyError::SignedHeaderMissing(missing)),
    })
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

/// Who signed a request, when, and what the signature covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<'a> {
    credential: Cow<'a, str>,
    id_length: usize,
    signed_headers: Cow<'a, str>,
    time: Timestamp,
    expires: Option<Duration>,
}

impl Verified<'_> {
    /// The id of the access key.
    pub fn access_key_id(&self) -> &str {
        &self.credential[..self.id_length]
    }

    /// The scope: `20150830/us-east-1/lambda/aws4_request`.
    pub fn scope(&self) -> &str {
        self.credential
            .get(self.id_length + 1..)
            .unwrap_or_default()
    }

    /// When it was signed, by the signer's clock.
    pub fn timestamp(&self) -> Timestamp {
        self.time
    }

    /// How long it is good for, if it is presigned.
    pub fn expires(&self) -> Option<Duration> {
        self.expires
    }

    /// The names of the headers that the signature covers, sorted.
    pub fn signed_headers(&self) -> impl Iterator<Item = &str> {
        self.signed_headers.split(';')
    }

    /// The same without borrowing from the request.
    pub fn into_owned(self) -> Verified<'static> {
        Verified {
            credential: Cow::Owned(self.credential.into_owned()),
            signed_headers: Cow::Owned(self.signed_headers.into_owned()),
            ..self
        }
    }
}
