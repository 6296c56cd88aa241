//! The claims of a request about its signature, in its headers or in its query.

use core::fmt;
use core::time::Duration;
use std::borrow::Cow;

use crate::canonical::{decode, parameters};
use crate::names::{self, is_header};
use crate::sign::LONGEST;
use crate::string_to_sign::ALGORITHM;
use crate::{HttpDate, Incomplete, RawRequest, Signature, Timestamp, VerifyError};

/// What a request claims about its signature, **before anything is verified**: who signed it, when,
/// for what, and what the signature covers.
///
/// Use it to choose the right keys, tenants or verifiers. Anyone can claim anything; only a
/// [`Verified`](crate::Verified) proves the claims.
///
/// # Example
///
/// ```
/// use lambda_invoke_sigv4::Claims;
///
/// let request = http::Request::get("http://localhost:9001/")
///     .header("x-amz-date", "20150830T123600Z")
///     .header(
///         "authorization",
///         "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/lambda/aws4_request, \
///          SignedHeaders=host;x-amz-date, \
///          Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
///     )
///     .body(())?;
/// let claims = Claims::of(&request)?;
/// assert_eq!(claims.access_key_id(), "AKIDEXAMPLE");
/// assert_eq!((claims.region(), claims.service()), (Some("us-east-1"), Some("lambda")));
/// assert_eq!(claims.timestamp(), "20150830T123600Z".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Claims<'a> {
    pub(super) credential: Cow<'a, str>,
    pub(super) signed_headers: Cow<'a, str>,
    pub(super) signature: Signature,
    pub(super) time: Timestamp,
    /// The date in the basic format.
    pub(super) stamp: [u8; 16],
    pub(super) token: Option<Cow<'a, [u8]>>,
    /// The validity of a presigned request.
    pub(super) expires: Option<Duration>,
}

impl<'a> Claims<'a> {
    /// Reads the claims of a request.
    ///
    /// # Errors
    ///
    /// [`VerifyError::MissingAuthenticationToken`] if the request is not signed,
    /// [`VerifyError::BothForms`] if it is signed twice, [`VerifyError::IncompleteSignature`] if
    /// the claims are malformed.
    pub fn of(request: impl Into<RawRequest<'a>>) -> Result<Self, VerifyError> {
        Self::read(&request.into())
    }

    /// Returns the id of the access key.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        self.credential.split('/').next().unwrap_or_default()
    }

    /// Returns the scope as it was sent: `20150830/us-east-1/lambda/aws4_request`.
    #[must_use]
    pub fn scope(&self) -> &str {
        self.credential
            .split_once('/')
            .map_or("", |(_, scope)| scope)
    }

    /// Returns the region of the scope; `None` if the scope has too few elements.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.scope().split('/').nth(1)
    }

    /// Returns the service of the scope; `None` if the scope has too few elements.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        self.scope().split('/').nth(2)
    }

    /// Returns when the request was signed, by the signer's clock.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        self.time
    }

    /// Returns how long the signature is valid, if the request is presigned.
    #[must_use]
    pub fn expires(&self) -> Option<Duration> {
        self.expires
    }

    /// Returns the names of the headers that the signature covers, as they were sent.
    pub fn signed_headers(&self) -> impl Iterator<Item = &str> {
        self.signed_headers.split(';')
    }

    /// Returns the signature, which seeds the chain of a signed body.
    #[must_use]
    pub fn signature(&self) -> Signature {
        self.signature
    }

    /// Converts the claims into a value that does not borrow from the request.
    #[must_use]
    pub fn into_owned(self) -> Claims<'static> {
        Claims {
            credential: Cow::Owned(self.credential.into_owned()),
            signed_headers: Cow::Owned(self.signed_headers.into_owned()),
            token: self.token.map(|token| Cow::Owned(token.into_owned())),
            ..self
        }
    }
}

impl fmt::Debug for Claims<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the token and the signature.
        f.debug_struct("Claims")
            .field("credential", &self.credential)
            .field("signed_headers", &self.signed_headers)
            .field("time", &self.time)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// The headers that carry claims.
#[derive(Default)]
struct Sent<'a> {
    authorization: Option<&'a [u8]>,
    amz_date: Option<&'a [u8]>,
    date: Option<&'a [u8]>,
    token: Option<&'a [u8]>,
    repeated: Option<&'static str>,
}

impl<'a> Claims<'a> {
    pub(super) fn read(request: &RawRequest<'a>) -> Result<Self, VerifyError> {
        let sent = Sent::read(request);
        let presigned = parameters(request.query).any(|sent| {
            [
                names::ALGORITHM_PARAMETER,
                names::CREDENTIAL_PARAMETER,
                names::SIGNED_HEADERS_PARAMETER,
                names::SIGNATURE_PARAMETER,
            ]
            .iter()
            .any(|parameter| sent.is(parameter))
        });
        if let Some(name) = sent.repeated {
            return Err(Incomplete::Repeated(name).into());
        }
        match (sent.authorization, presigned) {
            (Some(_), true) => Err(VerifyError::BothForms),
            (None, true) => Self::from_query(request.query, &sent),
            (Some(authorization), false) => Self::from_headers(authorization, &sent),
            (None, false) => Err(VerifyError::MissingAuthenticationToken),
        }
    }

    fn from_headers(authorization: &'a [u8], sent: &Sent<'a>) -> Result<Self, VerifyError> {
        if !authorization.trim_ascii().starts_with(b"AWS4-") {
            return Err(VerifyError::MissingAuthenticationToken);
        }
        let text = core::str::from_utf8(authorization).map_err(|_| Incomplete::NotKeyValue)?;
        let (algorithm, parameters) = split_algorithm(text.trim_ascii());
        let mut found = Found::default();
        for piece in pieces(parameters) {
            let (slot, value) = if let Some(value) = piece.strip_prefix("Credential=") {
                (&mut found.credential, value)
            } else if let Some(value) = piece.strip_prefix("SignedHeaders=") {
                (&mut found.signed_headers, value)
            } else if let Some(value) = piece.strip_prefix("Signature=") {
                (&mut found.signature, value)
            } else if piece.is_empty() {
                continue;
            } else if piece.contains('=') {
                return Err(Incomplete::UnknownParameter.into());
            } else {
                return Err(Incomplete::NotKeyValue.into());
            };
            if slot.replace(Cow::Borrowed(value)).is_some() {
                return Err(Incomplete::Repeated("Authorization parameter").into());
            }
        }
        let has_date = sent.amz_date.or(sent.date).is_some();
        let missing = Incomplete::HeaderRequires {
            credential: found.credential.is_none(),
            signature: found.signature.is_none(),
            signed_headers: found.signed_headers.is_none(),
            date: !has_date,
        };
        let (Some(credential), Some(signed_headers), Some(signature), true) = (
            found.credential,
            found.signed_headers,
            found.signature,
            has_date,
        ) else {
            return Err(missing.into());
        };
        let (time, stamp) = sent.time()?;
        if algorithm != ALGORITHM {
            return Err(Incomplete::Algorithm.into());
        }
        let signature = Signature::from_hex(&signature).ok_or(Incomplete::Signature)?;
        let token = sent.token.map(Cow::Borrowed);
        Ok(Self {
            credential,
            signed_headers,
            signature,
            time,
            stamp,
            token,
            expires: None,
        })
    }

    fn from_query(query: &'a [u8], sent: &Sent<'a>) -> Result<Self, VerifyError> {
        let mut found = Found::default();
        for sent in parameters(query) {
            let Some(&(parameter, slot)) =
                PARAMETERS.iter().find(|(parameter, _)| sent.is(parameter))
            else {
                continue;
            };
            let value = decode(sent.value).ok_or(Incomplete::NotUtf8)?;
            if slot(&mut found).replace(value).is_some() {
                return Err(Incomplete::Repeated(parameter).into());
            }
        }
        let empty = |value: &Option<Cow<'_, str>>| value.as_deref().is_none_or(str::is_empty);
        let missing = Incomplete::QueryRequires {
            algorithm: empty(&found.algorithm),
            credential: empty(&found.credential),
            signature: empty(&found.signature),
            signed_headers: empty(&found.signed_headers),
            date: empty(&found.date),
            expires: empty(&found.expires),
        };
        let (
            Some(algorithm),
            Some(credential),
            Some(signature),
            Some(signed_headers),
            Some(date),
            Some(expires),
        ) = (
            found.algorithm,
            found.credential,
            found.signature,
            found.signed_headers,
            found.date,
            found.expires,
        )
        else {
            return Err(missing.into());
        };
        let time: Timestamp = date.parse().map_err(|_| Incomplete::Date)?;
        let digits = expires.bytes().all(|digit| digit.is_ascii_digit());
        let seconds = expires
            .parse()
            .ok()
            .filter(|seconds| (1..=LONGEST).contains(seconds));
        let Some(seconds) = seconds.filter(|_| digits) else {
            return Err(Incomplete::Expires.into());
        };
        if algorithm != ALGORITHM {
            return Err(Incomplete::Algorithm.into());
        }
        let token = match found.token {
            Some(Cow::Borrowed(token)) => Some(Cow::Borrowed(token.as_bytes())),
            Some(Cow::Owned(token)) => Some(Cow::Owned(token.into_bytes())),
            None => sent.token.map(Cow::Borrowed),
        };
        let signature = Signature::from_hex(&signature).ok_or(Incomplete::Signature)?;
        let stamp = time.to_basic();
        Ok(Self {
            credential,
            signed_headers,
            signature,
            time,
            stamp,
            token,
            expires: Some(Duration::from_secs(seconds)),
        })
    }
}

/// The pieces of a list with `,` between them, without the blanks around them.
fn pieces(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(list);
    core::iter::from_fn(move || {
        let list = rest?;
        // Twice as fast here as `split`, whose search is made for whole characters.
        let comma = memchr::memchr(b',', list.as_bytes());
        let (piece, after) = match comma.and_then(|at| list.split_at_checked(at)) {
            Some((piece, after)) => (piece, after.get(1..)),
            None => (list, None),
        };
        rest = after;
        Some(piece.trim_ascii())
    })
}

/// The algorithm, and the text after it without leading blanks.
fn split_algorithm(text: &str) -> (&str, &str) {
    match text.strip_prefix(ALGORITHM) {
        Some(rest) if rest.starts_with([' ', '\t']) => (ALGORITHM, rest),
        _ => text.split_once([' ', '\t']).unwrap_or((text, "")),
    }
}

#[derive(Default)]
struct Found<'a> {
    algorithm: Option<Cow<'a, str>>,
    credential: Option<Cow<'a, str>>,
    signed_headers: Option<Cow<'a, str>>,
    signature: Option<Cow<'a, str>>,
    date: Option<Cow<'a, str>>,
    expires: Option<Cow<'a, str>>,
    token: Option<Cow<'a, str>>,
}

type Slot = for<'f, 'a> fn(&'f mut Found<'a>) -> &'f mut Option<Cow<'a, str>>;

const PARAMETERS: [(&str, Slot); 7] = [
    (names::ALGORITHM_PARAMETER, |found| &mut found.algorithm),
    (names::CREDENTIAL_PARAMETER, |found| &mut found.credential),
    (names::SIGNED_HEADERS_PARAMETER, |found| {
        &mut found.signed_headers
    }),
    (names::SIGNATURE_PARAMETER, |found| &mut found.signature),
    (names::DATE_PARAMETER, |found| &mut found.date),
    (names::EXPIRES_PARAMETER, |found| &mut found.expires),
    (names::SECURITY_TOKEN_PARAMETER, |found| &mut found.token),
];

const AUTHORIZATION_LENGTH: usize = names::AUTHORIZATION.len();
const AMZ_DATE_LENGTH: usize = names::DATE.len();
const DATE_LENGTH: usize = "date".len();
const TOKEN_LENGTH: usize = names::SECURITY_TOKEN.len();

impl<'a> Sent<'a> {
    fn read(request: &RawRequest<'a>) -> Self {
        let mut sent = Self::default();
        request.for_each_header(|name, value| {
            // No two of them have the same length.
            let (known, slot) = match name.len() {
                AUTHORIZATION_LENGTH => (names::AUTHORIZATION, &mut sent.authorization),
                AMZ_DATE_LENGTH => (names::DATE, &mut sent.amz_date),
                DATE_LENGTH => ("date", &mut sent.date),
                TOKEN_LENGTH => (names::SECURITY_TOKEN, &mut sent.token),
                _ => return,
            };
            if is_header(name, known) && slot.replace(value).is_some() {
                sent.repeated = Some(known);
            }
        });
        sent
    }

    /// The date of the signature, also in the basic format: that of `x-amz-date`, or else of `date`
    /// in either of its formats.
    fn time(&self) -> Result<(Timestamp, [u8; 16]), Incomplete> {
        let date = self.amz_date.or(self.date).unwrap_or_default();
        let date = core::str::from_utf8(date).map_err(|_| Incomplete::Date)?;
        if let (Ok(time), Ok(stamp)) = (date.parse(), date.as_bytes().try_into()) {
            return Ok((time, stamp));
        }
        match (self.amz_date, date.parse::<HttpDate>()) {
            (None, Ok(date)) => {
                let time = Timestamp::from(date);
                Ok((time, time.to_basic()))
            }
            _ => Err(Incomplete::Date),
        }
    }
}
