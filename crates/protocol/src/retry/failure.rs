//! How an attempt fails, and what that says of the function.

use lambda_invoke_error::{Execution, RetryAfter, RetryClass, ServiceError};

/// How an attempt failed.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Failure<'a> {
    /// Something was wrong before anything was to be sent: an invalid request, no credentials, a
    /// certificate that is not trusted. Another attempt would end the same way.
    Local,
    /// No byte of the request left this machine: the connection could not be made, or it was
    /// closed before the request was written.
    NotSent,
    /// The request may have arrived, and no answer came: a reset, a closed connection, a time
    /// limit.
    NoResponse,
    /// The service answered with an error.
    Service(&'a ServiceError),
    /// An answer came that is neither the operation's nor an error, so nobody knows from whom: a
    /// 200 that is not an event stream, a redirect.
    UnexpectedResponse,
    /// The operation's answer began and broke off: a cut body or stream, a wrong checksum.
    IncompleteResponse,
    /// The function ran and failed: a function error, an `InvokeComplete` with an error code.
    FunctionFailed,
}

impl Failure<'_> {
    /// Whether the function may have run.
    #[must_use]
    pub fn execution(&self) -> Execution {
        match self {
            Self::Local | Self::NotSent => Execution::NotStarted,
            Self::NoResponse | Self::UnexpectedResponse => Execution::Unknown,
            Self::Service(error) => error.execution(),
            Self::IncompleteResponse | Self::FunctionFailed => Execution::Started,
        }
    }

    /// Whether, and after what, another attempt could succeed.
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
            _ => None,
        }
    }
}
