//! The error of a call: what failed, whether the function may have run, and what to do about it.

mod display;
mod kind;
mod new;

pub use self::kind::ErrorKind;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lambda_invoke_error::{Execution, RetryClass, ServiceError, lookup};
use lambda_invoke_protocol::StreamException;
use lambda_invoke_protocol::retry::{Failure, GiveUpReason};
use lambda_invoke_transport::TimeoutKind;

use crate::{Collected, FunctionFailure};

/// A failed call, or a client that could not be built.
///
/// `Display` writes one line: the cause with the address, timeout or byte that it concerns, what is
/// known about the execution, and advice. It includes the sources' messages, so that
/// `tracing::error!(%error)` is enough. `{:?}` puts the kind before the same line. The size is one
/// machine word.
///
/// # Example
///
/// ```
/// use lambda_invoke::{Client, ErrorKind, Execution};
///
/// let error = Client::builder().build().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Configuration);
/// assert_eq!(error.execution(), Execution::NotStarted);
/// assert!(error.to_string().contains("region"));
/// ```
///
/// Whether to call again:
///
/// ```no_run
/// # async fn example(client: lambda_invoke::Client) -> Result<(), lambda_invoke::Error> {
/// # let later = |_: Option<std::time::Duration>| {};
/// # let report = |_: &lambda_invoke::Error| {};
/// match client.invoke("hello").send().await {
///     Ok(reply) => println!("{}", reply.into_result()?.text()?),
///     Err(error) if error.is_retryable() && !error.may_have_run() => later(error.retry_after()),
///     Err(error) => report(&error),
/// }
/// # Ok(())
/// # }
/// ```
///
/// What is known about the failure:
///
/// ```no_run
/// # async fn example(client: lambda_invoke::Client) -> Result<(), lambda_invoke::Error> {
/// use lambda_invoke::{FunctionFailure, TimeoutKind};
///
/// let stream = client.stream("orders").send().await?;
/// let Err(error) = stream.collect_all().await else { return Ok(()) };
/// println!("{error} (request {:?}, {} attempts)", error.request_id(), error.attempts());
/// if let Some(service) = error.service_error() {
///     println!("rejected with {:?}: {:?}", service.code(), service.message());
/// }
/// if let Some(exception) = error.stream_exception() {
///     println!("ended by the service: {exception:?}");
/// }
/// if let Some(FunctionFailure { error, log, .. }) = error.function_failure() {
///     println!("failed with {error}; log: {log:?}");
/// }
/// if error.timeout_kind() == Some(TimeoutKind::Idle) {
///     println!("no chunk came for {:?}", error.timeout());
/// } else if error.is_timeout() {
///     println!("another timeout");
/// }
/// if let Some(part) = error.collected() {
///     println!("{:?} bytes came: {:?}", error.received(), part.to_bytes());
/// }
/// if let Some(why) = error.give_up_reason() {
///     println!("not tried again: {why}");
/// }
/// # Ok(())
/// # }
/// ```
pub struct Error(Box<Repr>);

struct Repr {
    kind: ErrorKind,
    /// Over all attempts.
    execution: Execution,
    detail: Detail,
    message: Cow<'static, str>,
    advice: Option<&'static str>,
    attempts: u32,
    give_up_reason: Option<GiveUpReason>,
    request_id: Option<Box<str>>,
    received: Option<u64>,
    timeout: Option<(TimeoutKind, Option<Duration>)>,
    collected: Option<Box<Collected>>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The failure of the last attempt: a [`Failure`] with its values.
#[derive(Debug)]
enum Detail {
    Local,
    NotSent,
    NoResponse,
    Service(ServiceError),
    UnexpectedResponse,
    IncompleteResponse,
    StreamException(StreamException),
    /// The caller cannot use the response: it is too large, not JSON, or not text.
    Unusable,
    FunctionFailed(Box<FunctionFailure>),
}

impl Detail {
    fn as_failure(&self) -> Failure<'_> {
        match self {
            Self::Local => Failure::Local,
            Self::NotSent => Failure::NotSent,
            Self::NoResponse => Failure::NoResponse,
            Self::Service(error) => Failure::Service(error),
            Self::UnexpectedResponse => Failure::UnexpectedResponse,
            Self::IncompleteResponse | Self::StreamException(_) | Self::Unusable => {
                Failure::IncompleteResponse
            }
            Self::FunctionFailed(_) => Failure::FunctionFailed,
        }
    }

    fn retry_class(&self) -> RetryClass {
        match self {
            Self::Unusable => RetryClass::Permanent,
            Self::StreamException(exception) => {
                lookup(&exception.code).map_or(RetryClass::Transient, |known| known.class)
            }
            _ => self.as_failure().class(),
        }
    }
}

impl Error {
    /// Returns the kind of failure.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns what is known about the function's execution, over all attempts.
    #[must_use]
    pub fn execution(&self) -> Execution {
        self.0.execution
    }

    /// Whether the same call could succeed later: after throttling, a lost connection, a timeout, a
    /// truncated response.
    ///
    /// This does not mean that it is safe to run the function again: see
    /// [`may_have_run`](Self::may_have_run).
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.detail.retry_class() != RetryClass::Permanent
    }

    /// Whether one of the client's timeouts was reached: see [`timeout_kind`](Self::timeout_kind).
    /// A function that reaches its own timeout is a [`FunctionFailed`](ErrorKind::FunctionFailed).
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::TimedOut
    }

    /// Whether the service rejected the call because a rate or concurrency limit was reached.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.0.detail.retry_class() == RetryClass::Throttled
    }

    /// Whether the function ran, or may have run, in any attempt. `false` is a promise: calling
    /// again cannot run it twice.
    #[must_use]
    pub fn may_have_run(&self) -> bool {
        self.0.execution != Execution::NotStarted
    }

    /// Returns the request's id, which AWS support asks for; `None` if there was no response.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns the service's error, if it responded with one.
    #[must_use]
    pub fn service_error(&self) -> Option<&ServiceError> {
        match &self.0.detail {
            Detail::Service(error) => Some(error),
            _ => None,
        }
    }

    /// Returns how long the service asks to wait before the next attempt, from now by the system's
    /// clock; `None` if it does not say.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let asked = self.service_error()?.retry_after()?;
        Some(asked.delay(SystemTime::now()))
    }

    /// Returns the exception with which the service ended a response stream, if it did.
    #[must_use]
    pub fn stream_exception(&self) -> Option<&StreamException> {
        match &self.0.detail {
            Detail::StreamException(exception) => Some(exception),
            _ => None,
        }
    }

    /// Returns what is known about the function's failure, if it ran and failed.
    #[must_use]
    pub fn function_failure(&self) -> Option<&FunctionFailure> {
        match &self.0.detail {
            Detail::FunctionFailed(failure) => Some(failure),
            _ => None,
        }
    }

    /// Returns how many bytes of the function's response had arrived, if the response had begun.
    #[must_use]
    pub fn received(&self) -> Option<u64> {
        self.0.received
    }

    /// Returns what had arrived of a stream that failed while it was being collected.
    #[must_use]
    pub fn collected(&self) -> Option<&Collected> {
        self.0.collected.as_deref()
    }

    /// Returns which timeout was reached, if one was.
    #[must_use]
    pub fn timeout_kind(&self) -> Option<TimeoutKind> {
        self.0.timeout.map(|(kind, _)| kind)
    }

    /// Returns the length of the timeout that was reached. It is also `None` if the operating
    /// system gave up first.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.0.timeout.and_then(|(_, length)| length)
    }

    /// Returns how many attempts were made, including those without a connection.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns why there was no further attempt; `None` if no attempt was made, or if the
    /// response had begun.
    #[must_use]
    pub fn give_up_reason(&self) -> Option<GiveUpReason> {
        self.0.give_up_reason
    }

    /// The failure as the retry decision needs it.
    pub(crate) fn as_failure(&self) -> Failure<'_> {
        self.0.detail.as_failure()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
