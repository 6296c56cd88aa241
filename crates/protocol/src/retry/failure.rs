//! How an attempt failed, and what that implies for the function's execution.

use lambda_invoke_error::{Execution, RetryAfter, RetryClass, ServiceError};

/// How an attempt failed.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Failure<'a> {
    /// The attempt failed before anything could be sent: an invalid request, missing credentials,
    /// an untrusted certificate. Another attempt would fail the same way.
    Local,
    /// No byte of the request left this machine: the connection could not be established, or was
    /// closed before the request was written.
    NotSent,
    /// The request may have arrived, but no response was received: a reset, a closed connection, a
    /// timeout.
    NoResponse,
    /// The service responded with an error.
    Service(&'a ServiceError),
    /// The response is neither the operation's nor a service error, so its sender is unknown: a 200
    /// that is not an event stream, a redirect.
    UnexpectedResponse,
    /// The operation's response began but is incomplete: a truncated body or stream, a wrong
    /// checksum. If nothing shows that it is Lambda's, or an event was sent, less is known about the
    /// execution: see [`Expected::execution`](crate::Expected::execution).
    IncompleteResponse,
    /// The function ran and failed: a function error, an `InvokeComplete` with an error code, a
    /// failure in the log.
    FunctionFailed,
}

impl Failure<'_> {
    /// Returns whether the function may have run.
    #[must_use]
    pub fn execution(&self) -> Execution {
        match self {
            Self::Local | Self::NotSent => Execution::NotStarted,
            Self::NoResponse | Self::UnexpectedResponse => Execution::Unknown,
            Self::Service(error) => error.execution(),
            Self::IncompleteResponse | Self::FunctionFailed => Execution::Started,
        }
    }

    /// Returns whether another attempt could succeed, and on what condition.
    #[must_use]
    pub fn class(&self) -> RetryClass {
        match self {
            Self::Local | Self::UnexpectedResponse | Self::FunctionFailed => RetryClass::Permanent,
            Self::NotSent | Self::NoResponse | Self::IncompleteResponse => RetryClass::Transient,
            Self::Service(error) => error.retry_class(),
        }
    }

    pub(super) fn retry_after(&self) -> Option<RetryAfter> {
        match self {
            Self::Service(error) => error.retry_after(),
            Self::Local
            | Self::NotSent
            | Self::NoResponse
            | Self::UnexpectedResponse
            | Self::IncompleteResponse
            | Self::FunctionFailed => None,
        }
    }
}
