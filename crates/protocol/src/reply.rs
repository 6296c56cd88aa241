//! The answer of Invoke, both ways, and what both operations' answers have in common.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use lambda_invoke_error::ServiceError;
use lambda_invoke_input::{ExecutedVersion, InvocationType};

use crate::expected::has_content_coding;
use crate::{Expected, FunctionError, LogTail, LoggedFailure, UnexpectedResponse, header};

/// The answer of Invoke.
///
/// # Example
///
/// ```
/// use lambda_invoke_input::InvocationType;
/// use lambda_invoke_protocol::Reply;
///
/// let (parts, body) = http::Response::builder()
///     .header("x-amz-executed-version", "$LATEST")
///     .header("x-amz-function-error", "Unhandled")
///     .body(r#"{"errorType":"Exception","errorMessage":"no"}"#.into())?
///     .into_parts();
/// let reply = Reply::from_http(InvocationType::RequestResponse, &parts, body)?;
/// assert_eq!(reply.status, 200);
/// assert_eq!(reply.executed_version.as_ref().unwrap().as_str(), "$LATEST");
/// // The function failed, although the status is 200.
/// assert_eq!(reply.failure().unwrap().to_string(), "Exception: no");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// 200 for an answer, 202 for an event that was queued, 204 for a dry run.
    pub status: StatusCode,
    /// The version that ran.
    pub executed_version: Option<ReportedVersion>,
    /// That the function failed, and how: `Unhandled`, or `Handled` of old.
    pub function_error: Option<String>,
    /// The end of the log, if it was asked for.
    pub log: Option<LogTail>,
    /// The ARN of the durable execution.
    pub durable_execution_arn: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
    /// The payload's type: JSON, or `application/octet-stream` from a function that streams.
    pub content_type: Option<HeaderValue>,
    /// What the function returned, or what it says of its failure.
    pub payload: Bytes,
}

impl Reply {
    /// An answer with nothing but a status and a payload, to fill in.
    #[must_use]
    pub fn new(status: StatusCode, payload: impl Into<Bytes>) -> Self {
        Self {
            status,
            executed_version: None,
            function_error: None,
            log: None,
            durable_execution_arn: None,
            request_id: None,
            content_type: None,
            payload: payload.into(),
        }
    }

    /// Reads the response to a request of this invocation type. Whether the body is whole is for
    /// whoever read it to say: see [`Framing`](crate::Framing).
    ///
    /// # Errors
    ///
    /// If it is the service's error, or not the response that was asked for: see [`Expected`].
    pub fn from_http(
        invocation_type: InvocationType,
        parts: &Parts,
        body: Bytes,
    ) -> Result<Self, ResponseError> {
        if is_service_error(parts) {
            return Err(ResponseError::Service(service_error(parts, &body)));
        }
        Expected::from(invocation_type).check(parts, &body)?;
        let log = parts.headers.get(header::X_AMZ_LOG_RESULT);
        Ok(Self {
            status: parts.status,
            executed_version: ReportedVersion::from_headers(&parts.headers),
            function_error: text(&parts.headers, header::X_AMZ_FUNCTION_ERROR),
            log: log.map(LogTail::from_base64),
            durable_execution_arn: text(&parts.headers, header::X_AMZ_DURABLE_EXECUTION_ARN),
            request_id: text(&parts.headers, header::X_AMZN_REQUEST_ID),
            content_type: parts.headers.get(http::header::CONTENT_TYPE).cloned(),
            payload: body,
        })
    }

    /// The answer as an endpoint sends it. `Content-Length` and `Date` are the server's to add.
    ///
    /// # Errors
    ///
    /// If a text is no header value, or the version is not one that the service has.
    pub fn to_http(&self) -> Result<http::Response<Bytes>, EncodeResponseError> {
        let mut headers = HeaderMap::with_capacity(6);
        insert(
            &mut headers,
            header::X_AMZN_REQUEST_ID,
            self.request_id.as_deref(),
        )?;
        insert_version(&mut headers, self.executed_version.as_ref())?;
        insert(
            &mut headers,
            header::X_AMZ_FUNCTION_ERROR,
            self.function_error.as_deref(),
        )?;
        let log = self.log.as_ref().map(LogTail::to_base64);
        insert(&mut headers, header::X_AMZ_LOG_RESULT, log.as_deref())?;
        let arn = self.durable_execution_arn.as_deref();
        insert(&mut headers, header::X_AMZ_DURABLE_EXECUTION_ARN, arn)?;
        if let Some(content_type) = &self.content_type {
            headers.insert(http::header::CONTENT_TYPE, content_type.clone());
        }
        let mut response = http::Response::new(self.payload.clone());
        *response.status_mut() = self.status;
        *response.headers_mut() = headers;
        Ok(response)
    }

    /// What the failed function says of itself; `None` if nothing tells that it failed.
    ///
    /// The header `x-amz-function-error` tells, or else the log, if it was asked for: the service
    /// has been seen to leave the header out for functions that stream. See [`LogTail::failure`].
    #[must_use]
    pub fn failure(&self) -> Option<FunctionError> {
        match self.function_error {
            Some(_) => Some(FunctionError::parse(&self.payload)),
            None => self.logged_failure().map(|logged| logged.error),
        }
    }

    /// The failure that the log tells of, if it was asked for and does.
    #[must_use]
    pub fn logged_failure(&self) -> Option<LoggedFailure> {
        self.log.as_ref()?.failure(self.request_id.as_deref())
    }
}

/// The version that an answer says has run.
///
/// The service's pattern is `$LATEST` or digits. A value that is neither is kept, and flagged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReportedVersion {
    /// `$LATEST` or a number.
    Valid(ExecutedVersion<'static>),
    /// Something else.
    Unrecognized(String),
}

impl ReportedVersion {
    /// As it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Valid(version) => version.as_str(),
            Self::Unrecognized(text) => text,
        }
    }

    /// Whether it is neither `$LATEST` nor a number.
    #[must_use]
    pub const fn is_unrecognized(&self) -> bool {
        matches!(self, Self::Unrecognized(_))
    }

    pub(crate) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        headers
            .get(header::X_AMZ_EXECUTED_VERSION)
            .map(|value| Self::read(header::text(value)))
    }

    fn read(text: Cow<'_, str>) -> Self {
        match ExecutedVersion::parse(&*text) {
            Ok(version) if version.is_latest() => Self::Valid(ExecutedVersion::LATEST),
            Ok(version) => Self::Valid(version.into_owned()),
            Err(_) => Self::Unrecognized(text.into_owned()),
        }
    }
}

impl From<String> for ReportedVersion {
    fn from(text: String) -> Self {
        Self::read(text.into())
    }
}

impl From<ExecutedVersion<'static>> for ReportedVersion {
    fn from(version: ExecutedVersion<'static>) -> Self {
        Self::Valid(version)
    }
}

impl fmt::Display for ReportedVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The service's error in an answer whose status is 400 to 599. A body with a content coding is
/// not looked at, and one that was cut as far as it came: the head says nearly all.
#[must_use]
pub fn service_error(parts: &Parts, body: &[u8]) -> ServiceError {
    let header = |name: &str| parts.headers.get(name)?.to_str().ok();
    let body = if has_content_coding(&parts.headers) {
        &[]
    } else {
        body
    };
    ServiceError::parse(parts.status.as_u16(), header, body)
}

/// An error as an endpoint sends it. `Content-Length` and `Date` are the server's to add.
#[must_use]
pub fn error_to_http(error: &ServiceError) -> http::Response<Bytes> {
    let rendered = error.render();
    let mut response = http::Response::new(Bytes::from(rendered.body));
    // An error's status is 400 to 599, and its headers are visible ASCII.
    *response.status_mut() =
        StatusCode::from_u16(rendered.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in rendered.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// Whether a response is the service's error: its status is 400 to 599.
pub(crate) fn is_service_error(parts: &Parts) -> bool {
    parts.status.is_client_error() || parts.status.is_server_error()
}

/// Why a response is not that of the operation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseError {
    /// It is the service's error.
    Service(ServiceError),
    /// It is not the response that was asked for, and perhaps not Lambda's.
    Unexpected(UnexpectedResponse),
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(error) => error.fmt(f),
            Self::Unexpected(unexpected) => write!(f, "unexpected response: {unexpected}"),
        }
    }
}

/// Displays what its parts would display, and so has no source.
impl std::error::Error for ResponseError {}

impl From<UnexpectedResponse> for ResponseError {
    fn from(unexpected: UnexpectedResponse) -> Self {
        Self::Unexpected(unexpected)
    }
}

/// Why an answer cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeResponseError {
    /// A text that a header cannot hold.
    HeaderValue {
        /// The header.
        name: HeaderName,
    },
    /// A version that is neither `$LATEST` nor a number.
    UnrecognizedVersion,
}

impl fmt::Display for EncodeResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeaderValue { name } => write!(f, "the value for {name} is no http header value"),
            Self::UnrecognizedVersion => {
                f.write_str("the executed version is neither $LATEST nor a number")
            }
        }
    }
}

impl std::error::Error for EncodeResponseError {}

/// A header as text; bytes that are no UTF-8 show as U+FFFD.
pub(crate) fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers
        .get(name)
        .map(|value| header::text(value).into_owned())
}

pub(crate) fn insert(
    headers: &mut HeaderMap,
    name: HeaderName,
    value: Option<&str>,
) -> Result<(), EncodeResponseError> {
    if let Some(value) = value {
        let value = HeaderValue::from_str(value)
            .map_err(|_| EncodeResponseError::HeaderValue { name: name.clone() })?;
        headers.insert(name, value);
    }
    Ok(())
}

pub(crate) fn insert_version(
    headers: &mut HeaderMap,
    version: Option<&ReportedVersion>,
) -> Result<(), EncodeResponseError> {
    match version {
        Some(ReportedVersion::Unrecognized(_)) => Err(EncodeResponseError::UnrecognizedVersion),
        version => insert(
            headers,
            header::X_AMZ_EXECUTED_VERSION,
            version.map(ReportedVersion::as_str),
        ),
    }
}
