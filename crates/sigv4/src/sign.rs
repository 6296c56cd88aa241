//! Signing by headers.

use core::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderValue;
use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;

use crate::canonical::{CanonicalRequest, Parameter, is_left_out, is_parameter, parse_query};
use crate::key::{ALGORITHM, scope};
use crate::memo::{Day, Index, Memo};
use crate::names::{self, has_length_of, is_header, lengths};
use crate::shape::{Shape, Values};
use crate::{
    Credentials, PayloadHash, RawRequest, SessionToken, Settings, Signature, SigningKey, Timestamp,
};

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

/// The lengths of the headers that signing itself adds.
const SPECIAL_LENGTHS: u32 = lengths(&[
    names::CONTENT_SHA256,
    names::DATE,
    names::HOST,
    names::SECURITY_TOKEN,
]);

/// Signs requests to one service in one region with one access key.
///
/// Keeps the key that it derives for a day, and the canonical form of what some requests before had
/// besides the values of their headers (method, path, query, names), since the next one is mostly
/// like them. Signing then costs little more than one pass of SHA-256 over the canonical request
/// and one HMAC. It can be shared between threads.
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
    memo: Mutex<Memo>,
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
            memo: Mutex::default(),
        })
    }

    /// The same with other settings.
    pub fn with_settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        // Shapes are of the settings before.
        self.memo = Mutex::default();
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
        let index = Index::of(request);
        let (shape, date) = self.memo().find(index, time);
        let mut values = Values::new();
        let Some(shape) = shape.filter(|shape| shape.fits(request, time, &mut values)) else {
            return self.sign_anew(request, payload, time, index);
        };
        let date = match date {
            Some(date) => date,
            None => self.memo().date(&shape.day, time)?,
        };
        let mut hash_text = [0; 64];
        let hash_text = payload.text(&mut hash_text);
        // In the order in which the shape counts them.
        let mut host = None;
        if shape.adds_host {
            let text = request.host().ok_or(SignError::MissingHost)?;
            values.push(text.as_bytes());
            host = Some(value(text.as_bytes())?);
        }
        values.push(&date.stamp);
        let mut content_sha256 = None;
        if shape.adds_hash {
            values.push(hash_text);
            content_sha256 = Some(value(hash_text)?);
        }
        if let (true, Some(token)) = (shape.signs_token, self.credentials.token_header()) {
            values.push(token.as_bytes());
        }
        let hash = shape.hash(&values, hash_text);
        let signature = shape.day.sign(&date.stamp, &hash);
        Ok(SigningHeaders {
            signature,
            host,
            content_sha256,
            token: self.credentials.token_header().cloned(),
            date: date.value,
            authorization: authorization([&*shape.authorization], signature)?,
        })
    }

    /// The same for a request that is like none that is remembered.
    #[inline(never)]
    fn sign_anew(
        &self,
        request: &RawRequest<'_>,
        payload: &PayloadHash,
        time: Timestamp,
        index: Index,
    ) -> Result<SigningHeaders, SignError> {
        let (day, date, keep) = {
            let mut memo = self.memo();
            let day = self.day_of(&mut memo, time);
            let date = memo.date(&day, time)?;
            (day, date, memo.missed(index))
        };
        let mut hash_text = [0; 64];
        let hash_text = payload.text(&mut hash_text);
        let mut sends_hash = self.settings.content_sha256_header;
        let mut has_host = false;
        let mut canonical = CanonicalRequest::bare(request, payload, &self.settings);
        canonical.head.query = parse_query(request.query, |_| true);
        refuse_presigned(&canonical.head.query)?;
        request.for_each_header(|name, value| match self.role(name) {
            Role::Covered => canonical.cover(name, value),
            Role::Host => {
                has_host = true;
                canonical.cover(name, value);
            }
            Role::ContentHash => sends_hash = true,
            Role::Uncovered => {}
        });
        let mut host = None;
        if !has_host {
            let text = request.host().ok_or(SignError::MissingHost)?;
            canonical.cover(names::HOST, text.as_bytes());
            host = Some(value(text.as_bytes())?);
        }
        canonical.cover(names::DATE, &date.stamp);
        let mut content_sha256 = None;
        if sends_hash {
            canonical.cover(names::CONTENT_SHA256, hash_text);
            content_sha256 = Some(value(hash_text)?);
        }
        if let Some(token) = self.signed_token() {
            canonical.cover(names::SECURITY_TOKEN, token.as_bytes());
        }
        canonical.sort_headers();
        let signature = day.sign(&date.stamp, &canonical.hash());
        let names = canonical.signed_headers();
        if keep {
            let shape = Shape::new(self, request, &canonical.head, names, Arc::clone(&day));
            if let Some(shape) = shape {
                self.memo().keep(index, shape);
            }
        }
        Ok(SigningHeaders {
            signature,
            host,
            content_sha256,
            token: self.credentials.token_header().cloned(),
            authorization: authorization(day.before_signature(names), signature)?,
            date: date.value,
        })
    }

    /// What the header `name` of a request is to signing.
    pub(crate) fn role(&self, name: &str) -> Role {
        if has_length_of(name, SPECIAL_LENGTHS) {
            if is_header(name, names::CONTENT_SHA256) {
                return Role::ContentHash;
            }
            if is_owned(name) {
                return Role::Uncovered;
            }
            if is_header(name, names::HOST) {
                return Role::Host;
            }
        }
        if self.settings.leaves_unsigned(name) {
            Role::Uncovered
        } else {
            Role::Covered
        }
    }

    /// The session token, if it is signed.
    pub(crate) fn signed_token(&self) -> Option<&HeaderValue> {
        match self.settings.session_token {
            SessionToken::Signed => self.credentials.token_header(),
            SessionToken::Appended => None,
        }
    }

    /// The day of `time`: kept, or derived.
    pub(crate) fn day(&self, time: Timestamp) -> Arc<Day> {
        self.day_of(&mut self.memo(), time)
    }

    fn day_of(&self, memo: &mut Memo, time: Timestamp) -> Arc<Day> {
        match &memo.day {
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
                Arc::clone(memo.day.insert(Arc::new(day)))
            }
        }
    }

    fn memo(&self) -> MutexGuard<'_, Memo> {
        // Nothing panics while the lock is held, and what is kept is whole or not there.
        self.memo.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a header of a request is to signing.
pub(crate) enum Role {
    Covered,
    /// Covered, too.
    Host,
    /// To be replaced by that of the payload.
    ContentHash,
    /// Left alone, or to be replaced.
    Uncovered,
}

impl Day {
    /// The access key's id and the scope, with `/` between them.
    pub(crate) fn credential(&self) -> &str {
        let credential = ALGORITHM.len() + BEFORE_CREDENTIAL.len();
        &self.prefix[credential..self.prefix.len() - BEFORE_NAMES.len()]
    }

    /// Signs the hash of a canonical request, at a time in the basic format.
    pub(crate) fn sign(&self, stamp: &[u8; 16], hash: &[u8; 32]) -> Signature {
        let text = self.key.string_to_sign(stamp, hash);
        self.key.sign(text.as_bytes())
    }

    /// The value of the `authorization` header up to the signature; `names` as `SignedHeaders` has
    /// them.
    pub(crate) fn before_signature<'a>(&'a self, names: &'a str) -> [&'a str; 3] {
        [&self.prefix, names, ", Signature="]
    }
}

/// The value of the `authorization` header.
fn authorization<const N: usize>(
    before: [&str; N],
    signature: Signature,
) -> Result<HeaderValue, SignError> {
    let digits = signature.to_hex();
    // The exact length, so that the vector becomes the value without another allocation.
    let length = before
        .iter()
        .fold(digits.len(), |length, text| length + text.len());
    let mut text = Vec::with_capacity(length);
    for piece in before {
        text.extend_from_slice(piece.as_bytes());
    }
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

fn is_owned(name: &str) -> bool {
    is_header(name, names::DATE) || is_header(name, names::SECURITY_TOKEN)
}

fn value(bytes: &[u8]) -> Result<HeaderValue, SignError> {
    HeaderValue::from_bytes(bytes).map_err(|_| SignError::InvalidHeader)
}
