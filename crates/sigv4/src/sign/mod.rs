//! Signs requests by their headers.

mod kept;
mod latest;
mod presign;

use core::fmt;
// The submodules use `sync` through this module, so that `crates/interop` can check them with
// loom's types.
use std::sync;
use std::sync::Arc;

use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request};

use crate::canonical::{Blank, Form, parse_query};
use crate::chain::Chain;
use crate::coverage::WhenSigning;
use crate::names;
use crate::{
    ChunkSigner, Credentials, InvalidScope, MessageSigner, PayloadHash, RawRequest,
    SessionTokenMode, SignError, Signature, SigningKey, SigningSettings, Timestamp,
};
use kept::{Date, Day, Kept, complete_authorization};

pub(crate) use presign::LONGEST;
pub use presign::Presigned;

/// Signs requests to one service in one region with one access key.
///
/// Caches the key that it derives for a day, so that signing costs little more than one pass of
/// SHA-256 over the canonical request and one HMAC. Share one signer between threads.
///
/// # Example
///
/// ```
/// use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let signer = Signer::new(credentials, "us-east-1", "lambda")?;
///
/// let body = r#"{"name":"Ada"}"#;
/// let url = "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/hello/invocations";
/// let mut request = http::Request::post(url).body(body)?;
/// signer.sign_request(&mut request, &PayloadHash::of(body), "20150830T123600Z".parse()?)?;
///
/// assert_eq!(request.headers()["host"], "lambda.us-east-1.amazonaws.com");
/// assert_eq!(request.headers()["x-amz-date"], "20150830T123600Z");
/// assert!(request.headers()["authorization"].to_str()?.starts_with(
///     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/lambda/aws4_request, \
///      SignedHeaders=host;x-amz-date, Signature=",
/// ));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Signer {
    credentials: Credentials,
    region: Box<str>,
    service: Box<str>,
    settings: SigningSettings,
    kept: Kept,
}

impl Signer {
    /// Creates a signer with the [default settings](SigningSettings::default).
    ///
    /// # Errors
    ///
    /// If `region` or `service` is empty, or has a byte other than visible ASCII without `/` and `,`.
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
            settings: SigningSettings::default(),
            kept: Kept::default(),
        })
    }

    /// Replaces the settings.
    #[must_use]
    pub fn with_settings(mut self, settings: SigningSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Returns the access key that requests are signed with.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Returns the region that requests are signed for.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Returns the service that requests are signed for, such as `lambda`.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Returns the settings that requests are signed with.
    pub fn settings(&self) -> &SigningSettings {
        &self.settings
    }

    /// Signs a request in place: adds `authorization`, `x-amz-date`, `host` if it is absent (that of
    /// the URI, without the scheme's own port), `x-amz-security-token` if the credentials have a
    /// session token, and `x-amz-content-sha256` if the settings ask for it or the request already
    /// has it.
    ///
    /// The signature covers every header of the request except [`NEVER_SIGNED`](crate::NEVER_SIGNED) and
    /// [`SigningSettings::unsigned_headers`]; set the others first. Signing again, for another
    /// attempt, replaces the headers that were added.
    ///
    /// # Errors
    ///
    /// If there is no `host` header and no host in the URI, the query has parameters of a presigned
    /// request, or there are more than 4,096 headers. The request is then unchanged.
    pub fn sign_request<B>(
        &self,
        request: &mut Request<B>,
        payload: &PayloadHash,
        time: Timestamp,
    ) -> Result<Signature, SignError> {
        self.sign_raw(&RawRequest::from(&*request), payload, time)?
            .insert_into(request.headers_mut())
    }

    /// Signs the head of a request in place, as [`sign_request`](Self::sign_request) does.
    ///
    /// # Errors
    ///
    /// As [`sign_request`](Self::sign_request).
    pub fn sign(
        &self,
        parts: &mut Parts,
        payload: &PayloadHash,
        time: Timestamp,
    ) -> Result<Signature, SignError> {
        self.sign_raw(&RawRequest::from(&*parts), payload, time)?
            .insert_into(&mut parts.headers)
    }

    /// Signs a request of another HTTP type, and returns the headers to add to it. They replace
    /// those of the same name.
    ///
    /// # Errors
    ///
    /// As [`sign_request`](Self::sign_request).
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
    #[inline]
    pub fn sign_raw(
        &self,
        request: &RawRequest<'_>,
        payload: &PayloadHash,
        time: Timestamp,
    ) -> Result<SigningHeaders, SignError> {
        let (day, date) = self.at(time)?;
        let mut sends_hash = self.settings.content_sha256_header;
        let mut has_host = false;
        let mut form = Form::new(request, payload, &self.settings);
        parse_query(&mut form.query, request.query);
        reject_presigned(&form)?;
        request.for_each_header(|name, value| match self.settings.when_signing(name) {
            WhenSigning::Covered => form.cover(name, value),
            WhenSigning::Host => {
                has_host = true;
                form.cover(name, value);
            }
            WhenSigning::ContentHash => sends_hash = true,
            WhenSigning::Uncovered => {}
        });
        let mut host = None;
        if !has_host {
            let text = request.host().ok_or(SignError::MissingHost)?;
            form.cover(names::HOST, text.as_bytes());
            host = Some(value(text.as_bytes())?);
        }
        form.cover(names::DATE, &date.stamp);
        let (mut hash_text, mut content_sha256) = ([0; 64], None);
        if sends_hash {
            let text = payload.text(&mut hash_text);
            content_sha256 = Some(value(text)?);
            form.cover(names::CONTENT_SHA256, text);
        }
        let token = self.credentials.token_header();
        if let (Some(token), SessionTokenMode::Signed) = (token, self.settings.session_token) {
            form.cover(names::SECURITY_TOKEN, token.as_bytes());
        }
        form.sort_headers();
        let mut authorization = day.start_authorization(form.names_length());
        let before = authorization.len();
        form.append_names(&mut authorization);
        let hash = form.hash(&authorization[before..], Blank::Space);
        let signature = day.sign(&date.stamp, &hash);
        Ok(SigningHeaders {
            signature,
            host,
            content_sha256,
            token: token.cloned(),
            date: date.value,
            authorization: complete_authorization(authorization, signature)?,
        })
    }

    /// Starts the chain of chunk signatures of a request that was signed at `time` with the
    /// signature `seed`.
    pub fn chunk_signer(&self, time: Timestamp, seed: Signature) -> ChunkSigner {
        ChunkSigner::new(self.key(time), time, seed)
    }

    /// Starts the chain of message signatures of a request that was signed at `time` with the
    /// signature `seed`.
    pub fn message_signer(&self, time: Timestamp, seed: Signature) -> MessageSigner {
        let Self {
            credentials,
            region,
            service,
            ..
        } = self;
        let key = self.key(time);
        MessageSigner::new(Chain::new(credentials.clone(), region, service, key, seed))
    }

    fn key(&self, time: Timestamp) -> SigningKey {
        self.kept.day(time, || self.derive(time)).key.clone()
    }

    /// The day and the second of `time`.
    pub(crate) fn at(&self, time: Timestamp) -> Result<(Arc<Day>, Date), SignError> {
        self.kept.at(time, || self.derive(time))
    }

    fn derive(&self, time: Timestamp) -> Day {
        Day::derive(&self.credentials, time, &self.region, &self.service)
    }
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

/// How many names of headers a request may have. A full [`HeaderMap`] panics if another one is inserted;
/// it can be full with 6,554 names, if they collide.
const MAX_NAMES: usize = 4096;

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
    /// Returns the signature itself.
    pub fn signature(&self) -> Signature {
        self.signature
    }

    /// Returns the names, in lower case, and the values. The values of the token and the
    /// authorization are marked as sensitive.
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

    /// Adds the headers to those of the request.
    #[inline]
    fn insert_into(self, headers: &mut HeaderMap) -> Result<Signature, SignError> {
        if headers.keys_len() > MAX_NAMES {
            return Err(SignError::TooManyHeaders);
        }
        // Reserved at once: the map of an ordinary request would otherwise grow twice.
        headers.reserve(3);
        if let Some(host) = self.host {
            headers.insert(HOST, host);
        }
        if let Some(hash) = self.content_sha256 {
            headers.insert(names::CONTENT_SHA256_HEADER, hash);
        }
        match self.token {
            Some(token) => headers.insert(names::SECURITY_TOKEN_HEADER, token),
            None => headers.remove(names::SECURITY_TOKEN_HEADER),
        };
        headers.insert(names::DATE_HEADER, self.date);
        headers.insert(AUTHORIZATION, self.authorization);
        Ok(self.signature)
    }
}

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

/// Rejects parameters that only signing may set.
pub(crate) fn reject_presigned(form: &Form<'_>) -> Result<(), SignError> {
    for parameter in form.query.iter() {
        let mut owned = names::PRESIGNED_PARAMETERS.iter();
        if let Some(owned) = owned.find(|owned| parameter.is(owned)) {
            return Err(SignError::OwnedParameter(owned));
        }
    }
    Ok(())
}

fn value(bytes: &[u8]) -> Result<HeaderValue, SignError> {
    HeaderValue::from_bytes(bytes).map_err(|_| SignError::InvalidHeader)
}
