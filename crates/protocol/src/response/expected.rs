//! Whether a response is the one that was requested.

use std::fmt;

use http::header::{CONTENT_TYPE, TRANSFER_ENCODING};
use http::response::Parts;
use http::{HeaderValue, StatusCode};
use lambda_invoke_error::Execution;
use lambda_invoke_input::InvocationType;

use super::headers::{Fields, has_content_coding, is_coded, is_content_type};
use super::{EVENT_STREAM_CONTENT_TYPE, Framing};
use crate::invocation_type::StreamInvocationType;
use crate::{header, json};

/// The response that a request asks for: exactly one status, and a few further conditions.
///
/// | request | status | further condition |
/// |---|---|---|
/// | Invoke, `RequestResponse` | 200 | a sign of Lambda, or a JSON payload |
/// | Invoke, `Event` | 202 | a sign of Lambda, or an empty body whose content type is absent or JSON |
/// | either operation, `DryRun` | 204 | a sign of Lambda |
/// | InvokeWithResponseStream | 200 | the content type of an event stream |
///
/// A *sign of Lambda* is one of the headers `x-amzn-requestid` and `x-amz-executed-version`, which
/// the service always sends. AWS's Runtime Interface Emulator sends neither, so a JSON payload is
/// accepted as well; AWS SAM and serverless-offline queue an event without either, so an empty body
/// is accepted. A response that is HTML or has a content coding is never Lambda's, since no request
/// here accepts either.
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
    /// The confirmation that an event is queued.
    Queued,
    /// The confirmation that the request would be accepted.
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
            StreamInvocationType::RequestResponse => Self::Stream,
        }
    }
}

impl Expected {
    /// Returns the only status that the response may have.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Payload | Self::Stream => StatusCode::OK,
            Self::Queued => StatusCode::ACCEPTED,
            Self::DryRun => StatusCode::NO_CONTENT,
        }
    }

    /// Checks a response's head, before the body is read.
    ///
    /// # Errors
    ///
    /// If the head does not belong to the expected response.
    pub fn check_head(self, parts: &Parts) -> Result<(), UnexpectedResponse> {
        self.check_fields(parts, &Fields::of(&parts.headers))
    }

    /// Like [`check_head`](Self::check_head), with the headers already looked up.
    pub(super) fn check_fields(
        self,
        parts: &Parts,
        fields: &Fields<'_>,
    ) -> Result<(), UnexpectedResponse> {
        let fault = |mismatch| Err(UnexpectedResponse::new(self, parts, mismatch));
        if parts.status != self.status() {
            return fault(Mismatch::Status);
        }
        if fields.content_encoding.is_some() && has_content_coding(&parts.headers) {
            return fault(Mismatch::ContentEncoding);
        }
        // If `chunked` is not the last coding, `Framing` rejects the body for lack of a provable
        // end.
        if fields.transfer_encoding.is_some()
            && !fields.is_only_chunked()
            && Framing::by(parts, fields) == Framing::Delimited
            && is_coded(&parts.headers, TRANSFER_ENCODING, "chunked")
        {
            return fault(Mismatch::TransferEncoding);
        }
        let content_type = fields.content_type;
        match self {
            Self::Stream if !is_content_type(content_type, &[EVENT_STREAM_CONTENT_TYPE]) => {
                fault(Mismatch::NotEventStream)
            }
            Self::Payload | Self::Queued
                if is_content_type(content_type, &["text/html", "application/xhtml+xml"]) =>
            {
                fault(Mismatch::Html)
            }
            Self::DryRun if !has_sign(fields) => fault(Mismatch::NoSign),
            _ => Ok(()),
        }
    }

    /// Returns what the head of an expected response proves about the execution, whatever becomes of its
    /// body: with a sign of Lambda, a payload or stream has begun, and a dry run has run nothing. An event
    /// is only queued, and without a sign, the response may not be Lambda's.
    #[must_use]
    pub fn execution(self, parts: &Parts) -> Execution {
        match self {
            Self::Payload | Self::Stream if has_sign(&Fields::of(&parts.headers)) => {
                Execution::Started
            }
            Self::DryRun if has_sign(&Fields::of(&parts.headers)) => Execution::NotStarted,
            _ => Execution::Unknown,
        }
    }

    /// Checks a response with its whole body. A stream's body is not examined.
    ///
    /// # Errors
    ///
    /// If the response is not the expected one.
    pub fn check(self, parts: &Parts, body: &[u8]) -> Result<(), UnexpectedResponse> {
        self.check_all(parts, &Fields::of(&parts.headers), body)
    }

    /// Like [`check_head`](Self::check_head), with the headers already looked up.
    pub(super) fn check_all(
        self,
        parts: &Parts,
        fields: &Fields<'_>,
        body: &[u8],
    ) -> Result<(), UnexpectedResponse> {
        self.check_fields(parts, fields)?;
        let recognized = has_sign(fields)
            || match self {
                Self::Payload => json::check(body).is_ok(),
                Self::Queued => {
                    let content_type = fields.content_type;
                    body.is_empty()
                        && (content_type.is_none()
                            || is_content_type(content_type, &["application/json"]))
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

/// A response that is not the expected one: it does not come from Lambda, or was modified on the
/// way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnexpectedResponse {
    expected: Expected,
    mismatch: Mismatch,
    status: StatusCode,
    content_type: Option<HeaderValue>,
}

/// The first condition that a response does not meet: see [`UnexpectedResponse::mismatch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mismatch {
    /// The status is not the one that the invocation type asks for.
    Status,
    /// The body has a content coding such as `gzip`.
    ContentEncoding,
    /// The body has a transfer coding other than `chunked`.
    TransferEncoding,
    /// The response is a web page.
    Html,
    /// The content type is absent or not that of an event stream.
    NotEventStream,
    /// Nothing distinguishes the response from another server's.
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

    /// Returns what was expected.
    #[must_use]
    pub const fn expected(&self) -> Expected {
        self.expected
    }

    /// Returns which condition is not met.
    #[must_use]
    pub const fn mismatch(&self) -> Mismatch {
        self.mismatch
    }

    /// Returns the response's status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the response's content type.
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
            Mismatch::Html => f.write_str("the response is a web page, which Lambda never sends"),
            Mismatch::NotEventStream => match &self.content_type {
                Some(found) => write!(
                    f,
                    "the content type must be {EVENT_STREAM_CONTENT_TYPE}, not {:?}",
                    header::text(found)
                ),
                None => write!(
                    f,
                    "the content type must be {EVENT_STREAM_CONTENT_TYPE}, but is absent"
                ),
            },
            Mismatch::NoSign => f.write_str(match self.expected {
                Expected::Payload => {
                    "the response has neither a request id, nor an executed version, nor a JSON payload"
                }
                Expected::Queued | Expected::DryRun | Expected::Stream => {
                    "the response has neither a request id nor an executed version"
                }
            }),
        }
    }
}

impl std::error::Error for UnexpectedResponse {}

fn has_sign(fields: &Fields<'_>) -> bool {
    [fields.request_id, fields.executed_version]
        .iter()
        .any(|value| value.is_some_and(|value| !value.is_empty()))
}
