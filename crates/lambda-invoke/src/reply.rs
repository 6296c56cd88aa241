//! The whole answer of a function.

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderValue, StatusCode};
use lambda_invoke_input::InvocationType;
use lambda_invoke_protocol::{self as protocol, LogTail, LoggedFailure, Report, ReportedVersion};
use serde_core::de::DeserializeOwned;

use crate::endpoint::EndpointUrl;
use crate::function_failure::short_code;
use crate::{Error, FunctionFailure};

/// What Invoke answered: see [`InvokeCall::send`](crate::InvokeCall::send).
///
/// # Example
///
/// ```no_run
/// # async fn example(client: lambda_invoke::Client) -> Result<(), lambda_invoke::Error> {
/// let reply = client.invoke("sum").payload_json(&[1, 2, 3]).log_tail().send().await?;
/// if let Some(report) = reply.report() {
///     eprintln!("took {:?}", report.duration);
/// }
/// let sum: u64 = reply.into_result()?.json()?;
/// # Ok(())
/// # }
/// ```
///
/// A reply that nobody looks at is a failure that nobody sees, so the compiler warns of it:
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
#[must_use = "a function that failed is a reply too: `into_result` makes it an error"]
pub struct Reply {
    inner: protocol::Reply,
    attempts: u32,
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
        Ok(Self { inner, attempts })
    }

    /// 200 for an answer, 202 for an event that was queued, 204 for a dry run.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.inner.status
    }

    /// The version that ran.
    #[must_use]
    pub fn executed_version(&self) -> Option<&ReportedVersion> {
        self.inner.executed_version.as_ref()
    }

    /// That the function failed, and how: `Unhandled`, or `Handled` of old.
    #[must_use]
    pub fn function_error(&self) -> Option<&str> {
        self.inner.function_error.as_deref()
    }

    /// The end of the log, decoded, if it was asked for.
    #[must_use]
    pub fn log(&self) -> Option<&LogTail> {
        self.inner.log.as_ref()
    }

    /// What the log's last line says of time and memory, if the log was asked for.
    #[must_use]
    pub fn report(&self) -> Option<Report> {
        self.inner.log.as_ref()?.report()
    }

    /// The failure that only the log tells of, if the log was asked for.
    ///
    /// The service has been seen to leave out `X-Amz-Function-Error` for functions that stream,
    /// also for those that failed in the midst of it. What counts is in [`LogTail::failure`].
    #[must_use]
    pub fn logged_failure(&self) -> Option<LoggedFailure> {
        self.inner.logged_failure()
    }

    /// What the function returned, or what it says of its failure.
    #[must_use]
    pub fn payload(&self) -> &Bytes {
        &self.inner.payload
    }

    /// The payload alone.
    #[must_use]
    pub fn into_payload(self) -> Bytes {
        self.inner.payload
    }

    /// The payload's type: JSON, or `application/octet-stream` of a function that streams.
    #[must_use]
    pub fn content_type(&self) -> Option<&HeaderValue> {
        self.inner.content_type.as_ref()
    }

    /// The ARN of the durable execution, if there is one.
    #[must_use]
    pub fn durable_execution_arn(&self) -> Option<&str> {
        self.inner.durable_execution_arn.as_deref()
    }

    /// The id of the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.inner.request_id.as_deref()
    }

    /// How many times the request was sent, or tried to be.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// This reply, unless something tells that the function failed: `X-Amz-Function-Error`, or the
    /// log if it was asked for ([`logged_failure`](Self::logged_failure)).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::FunctionFailed`](crate::ErrorKind::FunctionFailed), with what the function
    /// left behind, if it did.
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
        let received = self.inner.payload.len() as u64;
        let error = Error::function_failed(failure, received);
        Some(
            error
                .with_request_id(self.request_id())
                .answered(self.attempts),
        )
    }

    /// The payload as a value.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::FunctionFailed`](crate::ErrorKind::FunctionFailed) if the function failed: its
    /// payload is then no answer. [`ErrorKind::Json`](crate::ErrorKind::Json) if the payload is
    /// not JSON of this shape; the source says where.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        if let Some(failed) = self.failed() {
            return Err(failed);
        }
        serde_json::from_slice(&self.inner.payload).map_err(|error| {
            Error::json(error, self.inner.payload.len() as u64)
                .with_request_id(self.request_id())
                .answered(self.attempts)
        })
    }
}
