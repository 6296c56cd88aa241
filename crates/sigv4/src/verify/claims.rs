//! The claims of a request about its signature, in its headers or in its query.

use core::fmt;
use core::ops::Range;
use core::time::Duration;
use std::borrow::Cow;

use crate::canonical::{Parameter, decode, parameters};
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
        let (request, mut sent) = (request.into(), Sent::default());
        request.for_each_header(|name, value| sent.note(name, value));
        Self::read(&sent, parameters(request.query))
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

/// The headers of a request that verifying looks for.
#[derive(Default)]
pub(super) struct Sent<'a> {
    authorization: Option<&'a [u8]>,
    amz_date: Option<&'a [u8]>,
    date: Option<&'a [u8]>,
    token: Option<&'a [u8]>,
    repeated: Option<&'static str>,
    pub(super) has_host: bool,
}

impl<'a> Claims<'a> {
    /// Reads the claims in these headers, or in the parameters of the query.
    #[inline]
    pub(super) fn read(
        sent: &Sent<'a>,
        parameters: impl Iterator<Item = Parameter<'a>> + Clone,
    ) -> Result<Self, VerifyError> {
        let presigned = parameters.clone().any(|sent| {
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
            (None, true) => Self::from_query(parameters, sent),
            (Some(authorization), false) => Self::from_headers(authorization, sent),
            (None, false) => Err(VerifyError::MissingAuthenticationToken),
        }
    }

    fn from_headers(authorization: &'a [u8], sent: &Sent<'a>) -> Result<Self, VerifyError> {
        if !authorization.starts_with(b"AWS4-") {
            return Err(VerifyError::MissingAuthenticationToken);
        }
        let text = core::str::from_utf8(authorization).map_err(|_| Incomplete::NotKeyValue)?;
        let (algorithm, parameters) = split_algorithm(text);
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for piece in pieces(parameters) {
            let (slot, value) = if let Some(value) = piece.strip_prefix("Credential=") {
                (&mut credential, value)
            } else if let Some(value) = piece.strip_prefix("SignedHeaders=") {
                (&mut signed_headers, value)
            } else if let Some(value) = piece.strip_prefix("Signature=") {
                (&mut signature, value)
            } else if piece.is_empty() {
                continue;
            } else if piece.contains('=') {
                return Err(Incomplete::UnknownParameter.into());
            } else {
                return Err(Incomplete::NotKeyValue.into());
            };
            if slot.replace(value).is_some() {
                return Err(Incomplete::Repeated("Authorization parameter").into());
            }
        }
        let date = sent.amz_date.or(sent.date);
        let (Some(credential), Some(signed_headers), Some(signature), Some(date)) =
            (credential, signed_headers, signature, date)
        else {
            let missing = Incomplete::HeaderRequires {
                credential: credential.is_none(),
                signature: signature.is_none(),
                signed_headers: signed_headers.is_none(),
                date: date.is_none(),
            };
            return Err(missing.into());
        };
        let (time, stamp) = read_date(date, sent.amz_date.is_none())?;
        if algorithm != ALGORITHM {
            return Err(Incomplete::Algorithm.into());
        }
        let signature = Signature::from_hex(signature).ok_or(Incomplete::Signature)?;
        let token = sent.token.map(Cow::Borrowed);
        Ok(Self {
            credential: Cow::Borrowed(credential),
            signed_headers: Cow::Borrowed(signed_headers),
            signature,
            time,
            stamp,
            token,
            expires: None,
        })
    }

    fn from_query(
        parameters: impl Iterator<Item = Parameter<'a>>,
        sent: &Sent<'a>,
    ) -> Result<Self, VerifyError> {
        let mut found = Found::default();
        for sent in parameters {
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
        Some(
            piece
                .get(within_blanks(piece.as_bytes()))
                .unwrap_or_default(),
        )
    })
}

/// Where the text is that has blanks around it: spaces and tabs (RFC 9110, section 5.6.3), but no other
/// control characters.
fn within_blanks(text: &[u8]) -> Range<usize> {
    let is_other = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let start = text.iter().position(is_other).unwrap_or(text.len());
    let end = text.iter().rposition(is_other).map_or(start, |at| at + 1);
    start..end
}

/// The value of a header without the blanks around it, which are not part of it (RFC 9110, section 5.5).
pub(super) fn trimmed(value: &[u8]) -> &[u8] {
    value.get(within_blanks(value)).unwrap_or_default()
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

impl<'a> Sent<'a> {
    /// Notes a header of the request, without the blanks around its value.
    #[inline]
    pub(super) fn note(&mut self, name: &str, value: &'a [u8]) {
        const AUTHORIZATION: usize = names::AUTHORIZATION.len();
        const AMZ_DATE: usize = names::DATE.len();
        const TOKEN: usize = names::SECURITY_TOKEN.len();
        const DATE: &str = "date";
        let (known, slot) = match name.len() {
            AUTHORIZATION if is_header(name, names::AUTHORIZATION) => {
                (names::AUTHORIZATION, &mut self.authorization)
            }
            AMZ_DATE if is_header(name, names::DATE) => (names::DATE, &mut self.amz_date),
            TOKEN if is_header(name, names::SECURITY_TOKEN) => {
                (names::SECURITY_TOKEN, &mut self.token)
            }
            4 if is_header(name, names::HOST) => {
                self.has_host = true;
                return;
            }
            4 if is_header(name, DATE) => (DATE, &mut self.date),
            _ => return,
        };
        if slot.replace(trimmed(value)).is_some() {
            self.repeated = Some(known);
        }
    }
}

/// Reads the date of a signature, which is also returned in the basic format. The header `date` may
/// have the format of HTTP instead.
fn read_date(date: &[u8], may_be_http: bool) -> Result<(Timestamp, [u8; 16]), Incomplete> {
    if let (Ok(time), Ok(stamp)) = (Timestamp::from_basic(date), date.try_into()) {
        return Ok((time, stamp));
    }
    let text = core::str::from_utf8(date).ok().filter(|_| may_be_http);
    let date = text.and_then(|text| text.parse::<HttpDate>().ok());
    let time = Timestamp::from(date.ok_or(Incomplete::Date)?);
    Ok((time, time.to_basic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_spaces_and_tabs_are_blank() {
        let trim = |text: &'static str| &text[within_blanks(text.as_bytes())];
        assert_eq!(trim("\t a \t"), "a");
        assert_eq!(trim(" \t"), "");
        for other in ["\u{b}a", "a\u{c}", "\na", "\u{a0}a"] {
            assert_eq!(trim(other), other);
        }
        let list: Vec<_> = pieces(" a,\tb\t,,\u{c}c").collect();
        assert_eq!(list, ["a", "b", "", "\u{c}c"]);
    }
}
