//! The response of Invoke.

use std::fmt;

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use lambda_invoke_input::InvocationType;

use super::encode::{insert, insert_version};
use super::error::is_service_error;
use super::headers::{Fields, text};
use super::{EncodeResponseError, Expected, ReportedVersion, ResponseError, service_error};
use crate::{FunctionError, LogTail, LoggedFailure, header};

/// The response of Invoke.
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
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// 200 for a payload, 202 for a queued event, 204 for a dry run.
    pub status: StatusCode,
    /// The version that ran.
    pub executed_version: Option<ReportedVersion>,
    /// The kind of failure if the function failed: `Unhandled`, or `Handled` from old runtimes.
    pub function_error: Option<String>,
    /// The end of the log, if it was requested.
    pub log: Option<LogTail>,
    /// The ARN of the durable execution.
    pub durable_execution_arn: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
    /// The payload's type: JSON, or `application/octet-stream` if the function streams.
    pub content_type: Option<HeaderValue>,
    /// The value that the function returned, or its description of its failure.
    pub payload: Bytes,
}

/// Without the payload, which the service's model marks as sensitive: only its length.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("executed_version", &self.executed_version)
            .field("function_error", &self.function_error)
            .field("log", &self.log)
            .field("durable_execution_arn", &self.durable_execution_arn)
            .field("request_id", &self.request_id)
            .field("content_type", &self.content_type)
            .field("payload_bytes", &self.payload.len())
            .finish()
    }
}

impl Reply {
    /// Creates a response with only a status and a payload; set the other members as needed.
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

    /// Reads the response to a request of this invocation type. The caller, who read the body, must
    /// check that it is complete: see [`Framing`](crate::Framing).
    ///
    /// # Errors
    ///
    /// If the response is a service error, or not the response that was requested: see
    /// [`Expected`].
    pub fn from_http(
        invocation_type: InvocationType,
        parts: &Parts,
        body: Bytes,
    ) -> Result<Self, ResponseError> {
        if is_service_error(parts) {
            return Err(ResponseError::Service(service_error(parts, &body)));
        }
        let fields = Fields::of(&parts.headers);
        Expected::from(invocation_type).check_all(parts, &fields, &body)?;
        Ok(Self {
            status: parts.status,
            executed_version: fields.executed_version.map(ReportedVersion::from_header),
            function_error: text(fields.function_error),
            log: fields.log_result.map(LogTail::from_base64),
            durable_execution_arn: text(fields.durable_execution_arn),
            request_id: text(fields.request_id),
            content_type: fields.content_type.cloned(),
            payload: body,
        })
    }

    /// Encodes the response as an endpoint sends it. The server adds `Content-Length` and `Date`.
    ///
    /// # Errors
    ///
    /// If a value cannot be sent in a header, or the version is neither `$LATEST` nor a number.
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

    /// Returns the function's error; `None` if nothing reports that the function failed.
    ///
    /// A failure is reported by the header `x-amz-function-error` or, if the log was requested, by
    /// the log: the service has been observed to omit the header for functions that stream. See
    /// [`LogTail::failure`].
    #[must_use]
    pub fn failure(&self) -> Option<FunctionError> {
        match self.function_error {
            Some(_) => Some(FunctionError::parse(&self.payload)),
            None => self.logged_failure().map(|logged| logged.error),
        }
    }

    /// Returns the failure that the log reports, if the log was requested and reports one.
    #[must_use]
    pub fn logged_failure(&self) -> Option<LoggedFailure> {
        let log = self.log.as_ref()?;
        log.failure(log.own_id(self.request_id.as_deref()))
    }
}
