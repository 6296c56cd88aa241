//! Whether a response is the one that the request asked for, and whether all of it came.
//!
//! Both questions are asked of every response, whoever carried it. A response that passes is
//! Lambda's as far as that can be known, and whole.

use std::fmt;

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};
use lambda_invoke_input::InvocationType;

use crate::{EVENT_STREAM_CONTENT_TYPE, StreamInvocationType, header, json};

/// The response that a request asks for: one status, and what must come with it.
///
/// | request | status | and |
/// |---|---|---|
/// | Invoke, `RequestResponse` | 200 | a sign of Lambda, or a JSON payload |
/// | Invoke, `Event` | 202 | a sign of Lambda, or an empty body called JSON or not called anything |
/// | either operation, `DryRun` | 204 | a sign of Lambda |
/// | InvokeWithResponseStream | 200 | the content type of an event stream |
///
/// A *sign of Lambda* is one of the headers `x-amzn-requestid` and `x-amz-executed-version`, which
/// the service always sends. AWS's Runtime Interface Emulator sends neither, hence the JSON
/// payload; AWS SAM and serverless-offline queue an event without either, hence the empty body. No
/// response of Lambda is HTML or has a content coding: nothing here asks for one.
///
/// # Example
///
/// ```
/// use lambda_invoke_input::InvocationType;
/// use lambda_invoke_protocol::{Expected, Mismatch};
///
/// let expected = Expected::from(InvocationType::RequestResponse);
/// let (page, ()) = http::Response::builder()
///     .header("content-type", "text/html")
///     .body(())?
///     .into_parts();
/// let unexpected = expected.check(&page, b"\"not from Lambda\"").unwrap_err();
/// assert_eq!(unexpected.mismatch(), Mismatch::Html);
///
/// let (emulator, ()) = http::Response::builder()
///     .header("content-type", "text/plain")
///     .body(())?
///     .into_parts();
/// assert!(expected.check(&emulator, b"null").is_ok());
/// assert!(expected.check(&emulator, b"It works!").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Expected {
    /// The payload that the function returns.
    Payload,
    /// The word that an event is queued.
    Queued,
    /// The word that a call would be accepted.
    DryRun,
    /// The function's response stream.
    Stream,
}

impl From<InvocationType> for Expected {
    fn from(invocation_type: InvocationType) -> Self {
        match invocation_type {
            InvocationType::Event => Self::Queued,
            InvocationType::DryRun => Self::DryRun,
            _ => Self::Payload,
        }
    }
}

impl From<StreamInvocationType> for Expected {
    fn from(invocation_type: StreamInvocationType) -> Self {
        match invocation_type {
            StreamInvocationType::DryRun => Self::DryRun,
            _ => Self::Stream,
        }
    }
}

impl Expected {
    /// The only status that the response may have.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Payload | Self::Stream => StatusCode::OK,
            Self::Queued => StatusCode::ACCEPTED,
            Self::DryRun => StatusCode::NO_CONTENT,
        }
    }

    /// Checks all that a response's head can tell, before the body is read.
    ///
    /// # Errors
    ///
    /// If it is not the head of the expected response.
    pub fn check_head(self, parts: &Parts) -> Result<(), UnexpectedResponse> {
        let fault = |mismatch| Err(UnexpectedResponse::new(self, parts, mismatch));
        if parts.status != self.status() {
            return fault(Mismatch::Status);
        }
        if has_content_coding(&parts.headers) {
            return fault(Mismatch::ContentEncoding);
        }
        // Without a last `chunked` the body has no provable end, which `Framing` finds.
        if Framing::of(parts) == Framing::Delimited
            && is_coded(&parts.headers, TRANSFER_ENCODING, "chunked")
        {
            return fault(Mismatch::TransferEncoding);
        }
        let content_type = parts.headers.get(CONTENT_TYPE);
        match self {
            Self::Stream if !is(content_type, &[EVENT_STREAM_CONTENT_TYPE]) => {
                fault(Mismatch::NotEventStream)
            }
            Self::Payload | Self::Queued
                if is(content_type, &["text/html", "application/xhtml+xml"]) =>
            {
                fault(Mismatch::Html)
            }
            Self::DryRun if !has_sign(&parts.headers) => fault(Mismatch::NoSign),
            _ => Ok(()),
        }
    }

    /// Checks a response that was read whole. The body of a stream is not looked at.
    ///
    /// # Errors
    ///
    /// If it is not the expected response.
    pub fn check(self, parts: &Parts, body: &[u8]) -> Result<(), UnexpectedResponse> {
        self.check_head(parts)?;
        let recognized = has_sign(&parts.headers)
            || match self {
                Self::Payload => json::check(body).is_ok(),
                Self::Queued => {
                    let content_type = parts.headers.get(CONTENT_TYPE);
                    body.is_empty()
                        && (content_type.is_none() || is(content_type, &["application/json"]))
                }
                Self::DryRun | Self::Stream => true,
            };
        if recognized {
            Ok(())
        } else {
            Err(UnexpectedResponse::new(self, parts, Mismatch::NoSign))
        }
    }
}

/// Why a response is not the expected one: somebody else's, or not unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnexpectedResponse {
    expected: Expected,
    mismatch: Mismatch,
    status: StatusCode,
    content_type: Option<HeaderValue>,
}

/// What about a response does not match: see [`UnexpectedResponse::mismatch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mismatch {
    /// Another status than the invocation type asks for.
    Status,
    /// A content coding, as `gzip`.
    ContentEncoding,
    /// A transfer coding besides `chunked`.
    TransferEncoding,
    /// A web page.
    Html,
    /// A content type that is not an event stream's, or none.
    NotEventStream,
    /// Nothing that tells Lambda from any other server.
    NoSign,
}

impl UnexpectedResponse {
    fn new(expected: Expected, parts: &Parts, mismatch: Mismatch) -> Self {
        Self {
            expected,
            mismatch,
            status: parts.status,
            content_type: parts.headers.get(CONTENT_TYPE).cloned(),
        }
    }

    /// What was expected.
    #[must_use]
    pub const fn expected(&self) -> Expected {
        self.expected
    }

    /// What does not match.
    #[must_use]
    pub const fn mismatch(&self) -> Mismatch {
        self.mismatch
    }

    /// The response's status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The response's content type.
    #[must_use]
    pub const fn content_type(&self) -> Option<&HeaderValue> {
        self.content_type.as_ref()
    }
}

impl fmt::Display for UnexpectedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mismatch {
            Mismatch::Status => {
                write!(
                    f,
                    "the status must be {}, not {}",
                    self.expected.status().as_u16(),
                    self.status.as_u16()
                )
            }
            Mismatch::ContentEncoding => {
                f.write_str("the body has a Content-Encoding, which Lambda never sends")
            }
            Mismatch::TransferEncoding => {
                f.write_str("the body has a Transfer-Encoding other than chunked")
            }
            Mismatch::Html => f.write_str("it is a web page, which Lambda never sends"),
            Mismatch::NotEventStream => match &self.content_type {
                Some(found) => write!(
                    f,
                    "the content type must be {EVENT_STREAM_CONTENT_TYPE}, not {:?}",
                    header::text(found)
                ),
                None => write!(
                    f,
                    "the content type must be {EVENT_STREAM_CONTENT_TYPE}, and there is none"
                ),
            },
            Mismatch::NoSign => f.write_str(match self.expected {
                Expected::Payload => {
                    "it has neither a request id, nor an executed version, nor a JSON payload"
                }
                _ => "it has neither a request id nor an executed version",
            }),
        }
    }
}

impl std::error::Error for UnexpectedResponse {}

/// How the end of a response's body is told (RFC 9112, section 6.3).
///
/// # Example
///
/// ```
/// use lambda_invoke_protocol::Framing;
///
/// let (parts, ()) = http::Response::builder().header("content-length", "5").body(())?.into_parts();
/// assert_eq!(Framing::of(&parts), Framing::Length(5));
/// assert!(Framing::of(&parts).check_end(5).is_ok());
/// assert!(Framing::of(&parts).check_end(4).is_err());
///
/// // Ended by the connection: nobody knows whether this was all.
/// let (parts, ()) = http::Response::new(()).into_parts();
/// assert!(Framing::of(&parts).check_end(5).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there is no further way in any version of HTTP"
)]
pub enum Framing {
    /// After so many bytes.
    Length(u64),
    /// By the last chunk of a chunked body, or by the framing of HTTP/2 and later.
    Delimited,
    /// By the end of the connection alone, which proves nothing.
    Connection,
}

impl Framing {
    /// The framing that a response's head announces.
    #[must_use]
    pub fn of(parts: &Parts) -> Self {
        let length = content_length(&parts.headers);
        if parts.status.is_informational()
            || matches!(
                parts.status,
                StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
            )
        {
            return Self::Length(0);
        }
        if parts.version > Version::HTTP_11 {
            return length.map_or(Self::Delimited, Self::Length);
        }
        // A transfer coding overrides the length.
        if parts.headers.contains_key(TRANSFER_ENCODING) {
            let last = tokens(&parts.headers, TRANSFER_ENCODING).last();
            let chunked = last.is_some_and(|last| last.eq_ignore_ascii_case(b"chunked"));
            return if chunked {
                Self::Delimited
            } else {
                Self::Connection
            };
        }
        length.map_or(Self::Connection, Self::Length)
    }

    /// Checks that a body which has ended after so many bytes is whole.
    ///
    /// # Errors
    ///
    /// If it is shorter or longer than announced, or nothing proves its end.
    pub const fn check_end(self, received: u64) -> Result<(), IncompleteBody> {
        let announced = match self {
            Self::Delimited => return Ok(()),
            Self::Length(length) if length == received => return Ok(()),
            Self::Length(length) => Some(length),
            Self::Connection => None,
        };
        Err(IncompleteBody {
            received,
            announced,
        })
    }
}

/// A body that ended, and is not proved to be whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IncompleteBody {
    /// How many bytes came.
    pub received: u64,
    /// How many bytes were announced, if any number was.
    pub announced: Option<u64>,
}

impl fmt::Display for IncompleteBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.announced {
            Some(announced) => write!(
                f,
                "the body ended after {} bytes, and {announced} were announced",
                self.received
            ),
            None => write!(
                f,
                "the body ended with the connection after {} bytes: without Content-Length or a \
                 last chunk nothing proves that it is whole",
                self.received
            ),
        }
    }
}

impl std::error::Error for IncompleteBody {}

fn has_sign(headers: &HeaderMap) -> bool {
    [header::X_AMZN_REQUEST_ID, header::X_AMZ_EXECUTED_VERSION]
        .iter()
        .any(|name| headers.get(name).is_some_and(|value| !value.is_empty()))
}

/// Whether a body is anything but what it stands for.
pub(crate) fn has_content_coding(headers: &HeaderMap) -> bool {
    is_coded(headers, CONTENT_ENCODING, "identity")
}

/// Whether a message lists a coding other than `usual`, which may stand there once, and `identity`.
fn is_coded(headers: &HeaderMap, name: HeaderName, usual: &str) -> bool {
    let mut usual_seen = false;
    tokens(headers, name).any(|token| {
        if token.eq_ignore_ascii_case(b"identity") {
            return false;
        }
        !token.eq_ignore_ascii_case(usual.as_bytes()) || std::mem::replace(&mut usual_seen, true)
    })
}

/// The members of a list, which may be spread over several headers.
fn tokens(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> {
    headers
        .get_all(name)
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|token| !token.is_empty())
}

/// The length, if it is there and all that is there agrees.
fn content_length(headers: &HeaderMap) -> Option<u64> {
    let mut agreed = None;
    for value in headers.get_all(CONTENT_LENGTH) {
        for token in value.as_bytes().split(|byte| *byte == b',') {
            let token = token.trim_ascii();
            // `u64`'s own parser would also take a plus sign.
            if token.is_empty() || !token.iter().all(u8::is_ascii_digit) {
                return None;
            }
            let length = std::str::from_utf8(token).ok()?.parse().ok()?;
            if agreed.is_some_and(|agreed| agreed != length) {
                return None;
            }
            agreed = Some(length);
        }
    }
    agreed
}

/// Whether a content type is one of these, in any case and with any parameters.
pub(crate) fn is(content_type: Option<&HeaderValue>, types: &[&str]) -> bool {
    let Some(found) = content_type else {
        return false;
    };
    let essence = found.as_bytes().split(|byte| *byte == b';').next();
    let essence = essence.unwrap_or_default().trim_ascii();
    types
        .iter()
        .any(|expected| essence.eq_ignore_ascii_case(expected.as_bytes()))
}
