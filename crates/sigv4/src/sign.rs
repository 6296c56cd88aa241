//! Signing by headers.

use core::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderValue;
use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;

use crate::canonical::{CanonicalRequest, Parameter, is_left_out, is_parameter};
use crate::key::{ALGORITHM, scope};
use crate::names::{self, is_header};
use crate::shape::{Shape, Values};
use crate::{Credentials, PayloadHash, RawRequest, Settings, Signature, SigningKey, Timestamp};

/// The parameters by which a presigned request is known, and which signing owns.
const OWNED_PARAMETERS: [&str; 7] = [
    names::ALGORITHM_PARAMETER,
    names::CREDENTIAL_PARAMETER,
    names::DATE_PARAMETER,
    names::EXPIRES_PARAMETER,
    names::SECURITY_TOKEN_PARAMETER,
    names::SIGNED_HEADERS_PARAMETER,
    names::SIGNATURE_PARAMETER,
];

/// Signs requests to one service in one region with one access key.
///
/// Keeps the key that it derives for a day, and how the last request is written (its method, path,
/// query and the names of its headers, not their values), since the next one is nearly always like
/// it: signing then costs little more than one pass of SHA-256 over the canonical request and one
/// HMAC. It can be shared between threads.
///
/// # Example
///
/// ```
/// use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let signer = Signer::new(credentials, "us-east-1", "lambda")?;
///
/// let body = br#"{"name":"Ada"}"#;
/// let (mut parts, ()) = http::Request::post(
///     "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/hello/invocations",
/// )
/// .body(())?
/// .into_parts();
/// signer.sign(&mut parts, &PayloadHash::of(body), "20150830T123600Z".parse()?)?;
///
/// assert_eq!(parts.headers["host"], "lambda.us-east-1.amazonaws.com");
/// assert_eq!(parts.headers["x-amz-date"], "20150830T123600Z");
/// assert!(parts.headers["authorization"].to_str()?.starts_with(
///     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/lambda/aws4_request, \
///      SignedHeaders=host;x-amz-date, Signature=",
/// ));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Signer {
    pub(crate) credentials: Credentials,
    pub(crate) region: Box<str>,
    pub(crate) service: Box<str>,
    pub(crate) settings: Settings,
    kept: Mutex<Kept>,
}

/// What requests before left.
#[derive(Default)]
struct Kept {
    day: Option<Arc<Day>>,
    shape: Option<Arc<Shape>>,
    date: Option<Date>,
}

/// A second, as it is signed and as the value of `x-amz-date`.
#[derive(Clone)]
struct Date {
    second: Timestamp,
    stamp: [u8; 16],
    value: HeaderValue,
}

/// What stays the same for a day.
pub(crate) struct Day {
    pub(crate) key: SigningKey,
    /// The beginning of the value of `authorization`, up to the names of the headers.
    prefix: String,
}

const BEFORE_CREDENTIAL: &str = " Credential=";
const BEFORE_NAMES: &str = ", SignedHeaders=";

impl Signer {
    /// A signer with the [default settings](Settings::default).
    ///
    /// # Errors
    ///
    /// If `region` or `service` is empty or has anything but visible ASCII, or one of `/` and `,`.
    pub fn new(
        credentials: Credentials,
        region: impl Into<String>,
        service: impl Into<String>,
    ) -> Result<Self, InvalidScope> {
        let (region, service) = checked(region.into(), service.into())?;
        Ok(Self {
            credentials,
            region,
            service,
            settings: Settings::default(),
            kept: Mutex::default(),
        })
    }

    /// The same with other settings.
    pub fn with_settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        // Shapes are of the settings before.
        self.kept = Mutex::default();
        self
    }

    /// Whose signatures these are.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The region that it signs for.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The service that it signs for, such as `lambda`.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The settings that it signs with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Signs a request and adds the headers that make it signed: `authorization`, `x-amz-date`,
    /// `host` if it has none (that of the URI, without the scheme's own port), with a session token
    /// `x-amz-security-token`, and `x-amz-content-sha256` if the settings ask for it or the request
    /// already has it.
    ///
    /// Every header that is there is covered but [`NEVER_SIGNED`](crate::NEVER_SIGNED) and those of
    /// [`Settings::unsigned_headers`]; set all others before. Signing again, for another attempt,
    /// replaces what was added.
    ///
    /// # Errors
    ///
    /// If there is no `host` header and no host in the URI, or the query has parameters of a
    /// presigned request. The request is then as it was.
    pub fn sign(
        &self,
        parts: &mut Parts,
        payload: &PayloadHash,
        time: Timestamp,
    ) -> Result<Signature, SignError> {
        let added = self.sign_raw(&RawRequest::from(&*parts), payload, time)?;
        let headers = &mut parts.headers;
        if let Some(host) = added.host {
            headers.insert(HOST, host);
        }
        if let Some(hash) = added.content_sha256 {
            headers.insert(names::CONTENT_SHA256_HEADER, hash);
        }
        match added.token {
            Some(token) => headers.insert(names::SECURITY_TOKEN_HEADER, token),
            None => headers.remove(names::SECURITY_TOKEN_HEADER),
        };
        headers.insert(names::DATE_HEADER, added.date);
        headers.insert(AUTHORIZATION, added.authorization);
        Ok(added.signature)
    }

    /// Signs a request of another HTTP type, and gives the headers to add to it. They replace those
    /// of the same name.
    ///
    /// # Errors
    ///
    /// As [`sign`](Self::sign).
    ///
    /// # Example
    ///
    /// ```
    /// # use lambda_invoke_sigv4::{Credentials, PayloadHash, RawRequest, Signer};
    /// # let credentials = Credentials::new("AKID", "secret")?;
    /// # let signer = Signer::new(credentials, "us-east-1", "lambda")?;
    /// let headers = [("Host", b"localhost:9001".as_slice())];
    /// let request = RawRequest::new("GET", "/", None, headers)?;
    /// let added = signer.sign_raw(&request, &PayloadHash::EMPTY, "20150830T123600Z".parse()?)?;
    /// let names: Vec<_> = added.iter().map(|(name, _)| name).collect();
    /// assert_eq!(names, ["x-amz-date", "authorization"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sign_raw(
        &self,
        request: &RawRequest<'_>,
        payload: &PayloadHash,
        time: Timestamp,
    ) -> Result<SigningHeaders, SignError> {
        let mut values = Values::new();
        let (shape, date) = {
            let kept = self.kept();
            let date = kept.date.as_ref().filter(|date| date.second == time);
            (kept.shape.clone(), date.cloned())
        };
        let shape = match shape.filter(|shape| shape.fits(request, time, &mut values)) {
            Some(shape) => shape,
            None => {
                let shape = Arc::new(Shape::new(self, request, time, &mut values)?);
                Arc::clone(self.kept().shape.insert(shape))
            }
        };
        let date = match date {
            Some(date) => date,
            None => {
                let stamp = shape.day.key.stamp(time);
                let date = Date {
                    second: time,
                    stamp,
                    value: value(&stamp)?,
                };
                self.kept().date.insert(date).clone()
            }
        };
        let mut hash_text = [0; 64];
        let hash_text = payload.text(&mut hash_text);
        let host = if shape.adds_host {
            let host = request.host().ok_or(SignError::MissingHost)?.as_bytes();
            values.push(host);
            Some(value(host)?)
        } else {
            None
        };
        values.push(&date.stamp);
        let content_sha256 = if shape.adds_hash {
            values.push(hash_text);
            Some(value(hash_text)?)
        } else {
            None
        };
        let token = self.credentials.token_header();
        if let (true, Some(token)) = (shape.signs_token, token) {
            values.push(token.as_bytes());
        }
        let hash = shape.hash(&values, hash_text);
        let text = shape.day.key.string_to_sign(&date.stamp, &hash);
        let signature = shape.day.key.sign(text.as_bytes());
        Ok(SigningHeaders {
            signature,
            host,
            content_sha256,
            token: token.cloned(),
            date: date.value,
            authorization: authorization(&shape.authorization, signature)?,
        })
    }

    /// The day of `time`: kept, or derived.
    pub(crate) fn day(&self, time: Timestamp) -> Arc<Day> {
        let mut kept = self.kept();
        match &kept.day {
            Some(day) if day.key.is_for(time) => Arc::clone(day),
            _ => {
                let Self {
                    credentials,
                    region,
                    service,
                    ..
                } = self;
                let (id, scope) = (credentials.access_key_id(), scope(time, region, service));
                let day = Day {
                    key: SigningKey::derive(credentials.secret_access_key(), time, region, service),
                    prefix: format!("{ALGORITHM}{BEFORE_CREDENTIAL}{id}/{scope}{BEFORE_NAMES}"),
                };
                Arc::clone(kept.day.insert(Arc::new(day)))
            }
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing panics while the lock is held, and what is kept is whole or not there.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Day {
    /// The access key's id and the scope, with `/` between them.
    pub(crate) fn credential(&self) -> &str {
        let credential = ALGORITHM.len() + BEFORE_CREDENTIAL.len();
        &self.prefix[credential..self.prefix.len() - BEFORE_NAMES.len()]
    }

    pub(crate) fn sign(&self, canonical: &CanonicalRequest<'_>, stamp: &[u8; 16]) -> Signature {
        let text = self.key.string_to_sign(stamp, &canonical.hash());
        self.key.sign(text.as_bytes())
    }

    /// The value of the `authorization` header up to the signature; `names` as `SignedHeaders` has
    /// them.
    pub(crate) fn authorization(&self, names: &str) -> String {
        [&self.prefix, names, ", Signature="].concat()
    }
}

/// The value of the `authorization` header, which ends in the signature.
fn authorization(before: &str, signature: Signature) -> Result<HeaderValue, SignError> {
    let digits = signature.to_hex();
    // The exact length, so that the vector becomes the value without another allocation.
    let mut text = Vec::with_capacity(before.len() + digits.len());
    text.extend_from_slice(before.as_bytes());
    text.extend_from_slice(&digits);
    let mut value = HeaderValue::try_from(text).map_err(|_| SignError::InvalidHeader)?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("credentials", &self.credentials)
            .field("region", &self.region)
            .field("service", &self.service)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// The headers that make a request signed, to be added in place of those of the same name.
#[derive(Clone, Debug)]
pub struct SigningHeaders {
    signature: Signature,
    host: Option<HeaderValue>,
    content_sha256: Option<HeaderValue>,
    token: Option<HeaderValue>,
    date: HeaderValue,
    authorization: HeaderValue,
}

impl SigningHeaders {
    /// The signature itself.
    pub fn signature(&self) -> Signature {
        self.signature
    }

    /// Names, in lower case, and values. The token's and the authorization's are marked as sensitive.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &HeaderValue)> {
        [
            (names::HOST, self.host.as_ref()),
            (names::CONTENT_SHA256, self.content_sha256.as_ref()),
            (names::SECURITY_TOKEN, self.token.as_ref()),
            (names::DATE, Some(&self.date)),
            (names::AUTHORIZATION, Some(&self.authorization)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

/// Why a request cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignError {
    /// The request has no `host` header, and its URI names no host.
    MissingHost,
    /// The query has a parameter that only signing may set: the request is presigned already.
    OwnedParameter(&'static str),
    /// A presigned request must be good for 1 to 604,800 whole seconds (seven days).
    ExpiresOutOfRange,
    /// The presigned target is longer than an [`http::Uri`] can be (65,534 bytes).
    TargetTooLong,
    /// A header that signing adds cannot be written.
    InvalidHeader,
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingHost => {
                f.write_str("the request has neither a host header nor a host in its URI")
            }
            Self::OwnedParameter(name) => {
                write!(
                    f,
                    "the query has the parameter {name}, which only signing may set"
                )
            }
            Self::ExpiresOutOfRange => {
                f.write_str("a presigned request is good for 1 to 604800 whole seconds")
            }
            Self::TargetTooLong => f.write_str("the presigned target is too long for a URI"),
            Self::InvalidHeader => f.write_str("a header that signing adds cannot be written"),
        }
    }
}

impl core::error::Error for SignError {}

/// Why something is no region or service to sign for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidScope {
    /// The region is empty or has something else than visible ASCII without `/` and `,`.
    Region,
    /// The same for the service.
    Service,
}

impl fmt::Display for InvalidScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = match self {
            Self::Region => "region",
            Self::Service => "service",
        };
        write!(
            f,
            "the {part} to sign for is not visible ASCII without '/' and ','"
        )
    }
}

impl core::error::Error for InvalidScope {}

/// Checks a region and a service.
pub(crate) fn checked(
    region: String,
    service: String,
) -> Result<(Box<str>, Box<str>), InvalidScope> {
    let fits = |text: &str| {
        let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'/' && byte != b',';
        !text.is_empty() && text.bytes().all(allowed)
    };
    match (fits(&region), fits(&service)) {
        (true, true) => Ok((region.into(), service.into())),
        (false, _) => Err(InvalidScope::Region),
        (true, false) => Err(InvalidScope::Service),
    }
}

/// The headers of a presigned request: all but those that signing by headers owns, or that whoever
/// sends it later cannot know.
pub(crate) fn is_unsigned_in_presigned(name: &str, settings: &Settings) -> bool {
    is_owned(name)
        || is_header(name, names::CONTENT_SHA256)
        || is_left_out(name)
        || settings.leaves_unsigned(name)
}

/// Refuses parameters that signing owns.
pub(crate) fn refuse_presigned(query: &[Parameter<'_>]) -> Result<(), SignError> {
    for (name, _) in query {
        let owned = OWNED_PARAMETERS
            .iter()
            .find(|owned| is_parameter(name, owned));
        if let Some(owned) = owned {
            return Err(SignError::OwnedParameter(owned));
        }
    }
    Ok(())
}

pub(crate) fn is_owned(name: &str) -> bool {
    is_header(name, names::DATE) || is_header(name, names::SECURITY_TOKEN)
}

fn value(bytes: &[u8]) -> Result<HeaderValue, SignError> {
    HeaderValue::from_bytes(bytes).map_err(|_| SignError::InvalidHeader)
}
