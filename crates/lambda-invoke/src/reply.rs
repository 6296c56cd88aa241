//! A function's whole response.

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderValue, StatusCode};
use lambda_invoke_error::Execution;
use lambda_invoke_input::InvocationType;
use lambda_invoke_protocol::{
    self as protocol, Expected, LogTail, LoggedFailure, Report, ReportedVersion,
};
use serde_core::de::DeserializeOwned;

use crate::endpoint::EndpointUrl;
use crate::function_failure::short_code;
use crate::{Error, FunctionFailure};

/// The response to Invoke: see [`InvokeCall::send`](crate::InvokeCall::send).
///
/// # Example
///
/// ```no_run
/// # async fn example(client: lambda_invoke::Client) -> Result<(), lambda_invoke::Error> {
/// let reply = client.invoke("sum").payload_json(&[1, 2, 3]).log_tail().send().await?;
/// if let Some(report) = reply.report() {
///     eprintln!("took {:?}", report.duration);
/// }
/// if let Some(log) = reply.log() {
///     eprintln!("{}", log.text());
/// }
/// eprintln!("version {:?}, request {:?}", reply.executed_version(), reply.request_id());
/// if let Some(code) = reply.function_error() {
///     eprintln!("the function failed: {code}");
/// }
/// let sum: u64 = reply.into_result()?.json()?;
/// # Ok(())
/// # }
/// ```
///
/// An ignored reply could be an ignored failure, so the compiler warns about it:
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// # async fn example(client: lambda_invoke::Client) -> Result<(), lambda_invoke::Error> {
/// client.invoke("sum").send().await?;
/// # Ok(())
/// # }
/// ```
///
/// ```no_run
/// #![deny(unused_must_use)]
/// # async fn example(client: lambda_invoke::Client) -> Result<(), lambda_invoke::Error> {
/// let _sum = client.invoke("sum").send().await?.into_result()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a function's failure is a reply too: `let _ = reply.into_result()?` makes it an error"]
pub struct Reply {
    inner: protocol::Reply,
    attempts: u32,
    execution: Execution,
}

impl Reply {
    pub(crate) fn read(
        endpoint: &EndpointUrl,
        invocation_type: InvocationType,
        parts: &Parts,
        payload: Bytes,
        attempts: u32,
    ) -> Result<Self, Error> {
        let inner = protocol::Reply::from_http(invocation_type, parts, payload.clone())
            .map_err(|error| Error::unexpected(endpoint, parts, &payload, error))?;
        Ok(Self {
            inner,
            attempts,
            execution: match Expected::from(invocation_type) {
                // It was accepted as the function's, with or without a sign of Lambda.
                Expected::Payload => Execution::Started,
                other => other.execution(parts),
            },
        })
    }

    /// Returns what the response says about the execution: the function ran, or did not in a dry run; of an
    /// event, which is only queued, it is unknown.
    #[must_use]
    pub fn execution(&self) -> Execution {
        self.execution
    }

    /// Returns the status: 200, or 202 for a queued event, or 204 for a dry run.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.inner.status
    }

    /// Returns the version that ran.
    #[must_use]
    pub fn executed_version(&self) -> Option<&ReportedVersion> {
        self.inner.executed_version.as_ref()
    }

    /// Returns `X-Amz-Function-Error`, if the function failed: `Unhandled`, formerly also `Handled`.
    #[must_use]
    pub fn function_error(&self) -> Option<&str> {
        self.inner.function_error.as_deref()
    }

    /// Returns the end of the log, decoded, if it was requested.
    #[must_use]
    pub fn log(&self) -> Option<&LogTail> {
        self.inner.log.as_ref()
    }

    /// Returns the log's report of time, memory and status, if the log was requested.
    #[must_use]
    pub fn report(&self) -> Option<Report> {
        self.inner.log.as_ref()?.report()
    }

    /// Returns the failure that only the log reports, if the log was requested.
    ///
    /// The service has been seen to omit `X-Amz-Function-Error` for functions that stream, even for
    /// those that failed mid-stream. [`LogTail::failure`] says what counts as a failure.
    /// [`into_result`](Self::into_result) also takes it into account.
    ///
    /// ```no_run
    /// # async fn example(client: lambda_invoke::Client) -> Result<(), lambda_invoke::Error> {
    /// let reply = client.invoke("page").log_tail().send().await?;
    /// if let Some(failure) = reply.logged_failure() {
    ///     eprintln!("{failure}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn logged_failure(&self) -> Option<LoggedFailure> {
        self.inner.logged_failure()
    }

    /// Returns the function's result, or the description of its failure.
    #[must_use]
    pub fn payload(&self) -> &Bytes {
        &self.inner.payload
    }

    /// Returns only the payload.
    ///
    /// ```no_run
    /// # async fn example(client: lambda_invoke::Client) -> Result<(), lambda_invoke::Error> {
    /// let image = client.invoke("thumbnail").send().await?.into_result()?.into_payload();
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn into_payload(self) -> Bytes {
        self.inner.payload
    }

    /// Returns the payload's content type: JSON, or `application/octet-stream` from a function that
    /// streams.
    #[must_use]
    pub fn content_type(&self) -> Option<&HeaderValue> {
        self.inner.content_type.as_ref()
    }

    /// Returns the ARN of the durable execution, if there is one.
    ///
    /// ```no_run
    /// # async fn example(client: lambda_invoke::Client) -> Result<(), lambda_invoke::Error> {
    /// let reply = client.invoke("charge").durable_execution_name("order-7").send().await?;
    /// println!("{:?}", reply.durable_execution_arn());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn durable_execution_arn(&self) -> Option<&str> {
        self.inner.durable_execution_arn.as_deref()
    }

    /// Returns the request's id.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.inner.request_id.as_deref()
    }

    /// Returns how many attempts were made, including those without a connection.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns this reply, unless `X-Amz-Function-Error` or, if it was requested, the log
    /// ([`logged_failure`](Self::logged_failure)) reports that the function failed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::FunctionFailed`](crate::ErrorKind::FunctionFailed), with what is known about
    /// the failure.
    pub fn into_result(self) -> Result<Self, Error> {
        match self.failed() {
            None => Ok(self),
            Some(error) => Err(error),
        }
    }

    /// The function's failure as an error.
    fn failed(&self) -> Option<Error> {
        let error = self.inner.failure()?;
        let failure = FunctionFailure {
            code: self.inner.function_error.as_deref().map(short_code),
            details: None,
            error,
            logged: self.inner.logged_failure(),
            payload: self.inner.payload.clone(),
            log: self.inner.log.clone(),
        };
        Some(self.error(Error::function_failed(failure, self.received())))
    }

    /// Deserializes the payload from JSON.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::FunctionFailed`](crate::ErrorKind::FunctionFailed) if the function failed: its
    /// payload then describes the failure. [`ErrorKind::Json`](crate::ErrorKind::Json) if the
    /// payload is not JSON of this type; the error says where.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.check()?;
        serde_json::from_slice(&self.inner.payload)
            .map_err(|error| self.error(Error::json(error, self.received())))
    }

    /// Returns the payload as text.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::FunctionFailed`](crate::ErrorKind::FunctionFailed) as for [`json`](Self::json).
    /// [`ErrorKind::Text`](crate::ErrorKind::Text) if the payload is not UTF-8; the error says
    /// where.
    pub fn text(&self) -> Result<&str, Error> {
        self.check()?;
        std::str::from_utf8(&self.inner.payload)
            .map_err(|error| self.error(Error::text(error, self.received())))
    }

    fn check(&self) -> Result<(), Error> {
        self.failed().map_or(Ok(()), Err)
    }

    fn received(&self) -> u64 {
        self.inner.payload.len() as u64
    }

    fn error(&self, error: Error) -> Error {
        error
            .with_proof(self.execution)
            .with_request_id(self.request_id())
            .with_attempts(self.attempts)
    }
}
