//! What went wrong, what became of the function, and what a person can do about it.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::response::Parts;
use lambda_invoke_error::{Execution, ServiceError};
use lambda_invoke_protocol::retry::{Failure, GiveUpReason};
use lambda_invoke_protocol::text::{Excerpt, Utf8Error};
use lambda_invoke_transport::{self as transport, Sent, TimeoutKind};

use crate::endpoint::EndpointUrl;
use crate::exchange::request_id;
use crate::{BoxError, Collected, FunctionFailure};

/// How much of an unexpected body a message shows, in bytes.
const SHOWN: usize = 120;

/// What kind of failure an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The call is not one that the service would take: a name, a payload, a combination.
    Input,
    /// The client cannot be set up as it was asked to: no region, a certificate that cannot be
    /// read.
    Configuration,
    /// The provider gave no credentials.
    Credentials,
    /// The service answered with an error: see [`Error::service_error`].
    Service,
    /// No connection could be made, or it was closed before any of the request was sent.
    Connect,
    /// A time limit was reached: see [`Error::time_limit`].
    TimedOut,
    /// The connection failed before the answer began.
    Transport,
    /// The response is not the one that was asked for, and perhaps not Lambda's: a web page, another
    /// status, a 200 that is no event stream. The message says what came from where.
    UnexpectedResponse,
    /// The function ran and failed: see [`Error::function_failure`].
    FunctionFailed,
    /// The answer ended before it was complete, or nothing proves that it was: see
    /// [`Error::received`].
    Truncated,
    /// The answer was damaged on its way: see [`Error::received`].
    Corrupt,
    /// The answer is larger than what was asked to be kept in memory.
    TooLarge,
    /// The function's answer is not the JSON that was asked for.
    Json,
    /// What the function writes is not the UTF-8 that was asked for.
    Text,
}

/// A failed call, or a client that could not be built.
///
/// Its `Display` says what happened, what is known of the execution, and what a person can do
/// about it, in one line. One machine word in size.
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
pub struct Error(Box<Repr>);

struct Repr {
    kind: ErrorKind,
    execution: Execution,
    message: String,
    attempts: u32,
    stop: Option<GiveUpReason>,
    request_id: Option<Box<str>>,
    received: Option<u64>,
    time_limit: Option<TimeoutKind>,
    service: Option<ServiceError>,
    function: Option<Box<FunctionFailure>>,
    collected: Option<Box<Collected>>,
    source: Option<BoxError>,
}

impl Error {
    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What is known of the function's execution, over all attempts: whether it is safe to send
    /// again what must not run twice.
    #[must_use]
    pub fn execution(&self) -> Execution {
        self.0.execution
    }

    /// The id of the request, to be named to the service's support; none if no answer came.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The service's error, if it answered with one.
    #[must_use]
    pub fn service_error(&self) -> Option<&ServiceError> {
        self.0.service.as_ref()
    }

    /// What the function left behind, if it ran and failed.
    #[must_use]
    pub fn function_failure(&self) -> Option<&FunctionFailure> {
        self.0.function.as_deref()
    }

    /// How many bytes of the function's answer had come, if the answer had begun.
    #[must_use]
    pub fn received(&self) -> Option<u64> {
        self.0.received
    }

    /// What had come of a stream that failed while it was being collected.
    #[must_use]
    pub fn collected(&self) -> Option<&Collected> {
        self.0.collected.as_deref()
    }

    /// The time limit that was reached, if one was.
    #[must_use]
    pub fn time_limit(&self) -> Option<TimeoutKind> {
        self.0.time_limit
    }

    /// How many times the request was sent, or tried to be.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Why there was no further attempt; `None` if there was no first one.
    #[must_use]
    pub fn give_up_reason(&self) -> Option<GiveUpReason> {
        self.0.stop
    }

    fn new(kind: ErrorKind, execution: Execution, message: impl Into<String>) -> Self {
        Self(Box::new(Repr {
            kind,
            execution,
            message: message.into(),
            attempts: 0,
            stop: None,
            request_id: None,
            received: None,
            time_limit: None,
            service: None,
            function: None,
            collected: None,
            source: None,
        }))
    }

    pub(crate) fn because(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Found before anything was sent; the source says what.
    pub(crate) fn input(source: impl Into<BoxError>) -> Self {
        Self::new(
            ErrorKind::Input,
            Execution::NotStarted,
            "the call cannot be made as it is",
        )
        .because(source)
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, Execution::NotStarted, message)
    }

    pub(crate) fn credentials(source: BoxError) -> Self {
        let message = "no credentials to sign the request with";
        Self::new(ErrorKind::Credentials, Execution::NotStarted, message).because(source)
    }

    pub(crate) fn service(error: ServiceError) -> Self {
        let mut this = Self::new(ErrorKind::Service, error.execution(), error.to_string());
        this.0.request_id = error.request_id().map(Into::into);
        this.0.service = Some(error);
        this
    }

    /// Something answered, but not as the operation does; `start` is the beginning of its body.
    pub(crate) fn unexpected(
        endpoint: &EndpointUrl,
        parts: &Parts,
        start: &[u8],
        source: impl Into<BoxError>,
    ) -> Self {
        let mut message = format!(
            "unexpected response from {}: {}",
            endpoint.origin(),
            parts.status
        );
        if let Some(content_type) = parts.headers.get(CONTENT_TYPE) {
            let content_type = String::from_utf8_lossy(content_type.as_bytes());
            message.push_str(&format!(", content type {}", Excerpt(&content_type)));
        }
        if !start.is_empty() {
            let start = start.get(..SHOWN).unwrap_or(start);
            let start = String::from_utf8_lossy(start);
            message.push_str(&format!(", beginning with \"{}\"", Excerpt(start.trim())));
        }
        message.push_str("; check the endpoint's address, and what stands between");
        let execution = Failure::UnexpectedResponse.execution();
        Self::new(ErrorKind::UnexpectedResponse, execution, message)
            .because(source)
            .with_request_id(request_id(&parts.headers))
    }

    /// This machine's clock is off the scale.
    pub(crate) fn clock(source: impl Into<BoxError>) -> Self {
        Self::configuration("this machine's clock cannot be right").because(source)
    }

    /// No answer came from another's transport.
    pub(crate) fn timed_out(which: TimeoutKind, limit: Duration) -> Self {
        let message = format!("no answer within {limit:?}, the {which} time limit");
        let mut this = Self::new(
            ErrorKind::TimedOut,
            Failure::NoResponse.execution(),
            message,
        );
        this.0.time_limit = Some(which);
        this
    }

    /// No answer came.
    pub(crate) fn unanswered(error: BoxError) -> Self {
        let execution = match Sent::of(&*error) {
            Sent::No => Failure::NotSent.execution(),
            Sent::Maybe => Failure::NoResponse.execution(),
        };
        let Some(known) = error.downcast_ref::<transport::Error>() else {
            let message = "the transport failed before an answer came";
            return Self::new(ErrorKind::Transport, execution, message).because(error);
        };
        let (kind, message) = match known.kind() {
            transport::ErrorKind::Configuration => {
                (ErrorKind::Configuration, "the transport cannot be set up")
            }
            transport::ErrorKind::Request => (ErrorKind::Input, "the request cannot be sent"),
            transport::ErrorKind::Certificate => (
                ErrorKind::Connect,
                "the endpoint's certificate was refused: check the endpoint's address, or trust \
                 its certificate authority",
            ),
            transport::ErrorKind::TimedOut(_) => (ErrorKind::TimedOut, "a time limit was reached"),
            _ if known.is_connect() => (
                ErrorKind::Connect,
                "no connection to the endpoint: check its address, the region and the network",
            ),
            transport::ErrorKind::Canceled => (
                ErrorKind::Connect,
                "the connection closed before the request was sent",
            ),
            _ => (
                ErrorKind::Transport,
                "the connection failed before an answer came",
            ),
        };
        let mut this = Self::new(kind, execution, message);
        this.0.time_limit = known.timed_out();
        this.because(error)
    }

    /// The answer began, and broke off after `received` bytes of the function's.
    pub(crate) fn broken(error: BoxError, received: u64) -> Self {
        let timed_out = error
            .downcast_ref::<transport::Error>()
            .and_then(transport::Error::timed_out);
        let (kind, message) = match timed_out {
            Some(_) => (ErrorKind::TimedOut, "a time limit was reached"),
            None => (ErrorKind::Truncated, "the answer was cut off"),
        };
        let mut this = Self::began(kind, message, received).because(error);
        this.0.time_limit = timed_out;
        this
    }

    /// The stream ended in good order, but before `InvokeComplete`.
    pub(crate) fn truncated(source: impl Into<BoxError>, received: u64) -> Self {
        Self::began(ErrorKind::Truncated, "the answer was cut off", received).because(source)
    }

    pub(crate) fn corrupt(source: impl Into<BoxError>, received: u64) -> Self {
        Self::began(ErrorKind::Corrupt, "the answer was damaged", received).because(source)
    }

    pub(crate) fn too_large(limit: u64, received: u64) -> Self {
        let message = format!("the answer is larger than the {limit} bytes that are to be kept");
        Self::began(ErrorKind::TooLarge, message, received)
    }

    pub(crate) fn json(source: impl Into<BoxError>, received: u64) -> Self {
        let message = "the function's answer is not the JSON that was asked for";
        Self::began(ErrorKind::Json, message, received).because(source)
    }

    /// `source` says at which byte.
    pub(crate) fn text(source: Utf8Error) -> Self {
        let message = "the function's answer is not the UTF-8 that was asked for";
        Self::began(ErrorKind::Text, message, source.offset()).because(source)
    }

    fn began(kind: ErrorKind, message: impl Into<String>, received: u64) -> Self {
        let mut this = Self::new(kind, Failure::IncompleteResponse.execution(), message);
        this.0.received = Some(received);
        this
    }

    pub(crate) fn function_failed(failure: FunctionFailure, received: u64) -> Self {
        let message = match failure.code {
            Some(_) => format!("the function failed: {failure}"),
            None => format!("the function failed, as its log reports: {failure}"),
        };
        let mut this = Self::began(ErrorKind::FunctionFailed, message, received);
        this.0.execution = Failure::FunctionFailed.execution();
        this.0.function = Some(Box::new(failure));
        this
    }

    pub(crate) fn with_request_id(mut self, id: Option<&str>) -> Self {
        if self.0.request_id.is_none() {
            self.0.request_id = id.map(Into::into);
        }
        self
    }

    /// How the call went as a whole: an earlier attempt may have run the function.
    pub(crate) fn after(
        mut self,
        attempts: u32,
        earlier: Execution,
        stop: Option<GiveUpReason>,
    ) -> Self {
        self.0.attempts = attempts;
        self.0.stop = stop;
        self.0.execution = self.0.execution.max(earlier);
        self
    }

    /// The call was answered, by so many attempts; what failed is the answer.
    pub(crate) fn answered(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    pub(crate) fn with_collected(mut self, collected: Collected) -> Self {
        self.0.collected = Some(Box::new(collected));
        self
    }

    /// How the retry decision sees this failure of an attempt.
    pub(crate) fn as_failure(&self) -> Failure<'_> {
        match (self.0.kind, &self.0.service) {
            (ErrorKind::Service, Some(error)) => Failure::Service(error),
            (ErrorKind::UnexpectedResponse, _) => Failure::UnexpectedResponse,
            (ErrorKind::FunctionFailed, _) => Failure::FunctionFailed,
            (ErrorKind::Connect | ErrorKind::TimedOut | ErrorKind::Transport, _) => {
                let certificate = self.0.source.as_ref().is_some_and(|source| {
                    source
                        .downcast_ref::<transport::Error>()
                        .is_some_and(|error| error.kind() == transport::ErrorKind::Certificate)
                });
                match self.0.execution {
                    Execution::NotStarted if certificate => Failure::Local,
                    Execution::NotStarted => Failure::NotSent,
                    _ => Failure::NoResponse,
                }
            }
            (ErrorKind::Truncated | ErrorKind::Corrupt | ErrorKind::TooLarge, _) => {
                Failure::IncompleteResponse
            }
            _ => Failure::Local,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let repr = &*self.0;
        f.write_str(&repr.message)?;
        // A buffered answer came whole, whatever it says.
        let function = repr.function.as_ref();
        let whole = function.is_some_and(|failure| !failure.payload.is_empty());
        if let Some(received) = repr.received {
            if !matches!(repr.kind, ErrorKind::Json | ErrorKind::Text) && !whole {
                write!(f, ", after {received} bytes")?;
            }
        }
        if repr.attempts > 1 {
            write!(f, ", in {} attempts", repr.attempts)?;
        }
        match (repr.kind, repr.execution) {
            // Said already, or beside the point.
            (ErrorKind::FunctionFailed | ErrorKind::Json | ErrorKind::Text, _) => {}
            (ErrorKind::Configuration, _) => {}
            (ErrorKind::Input | ErrorKind::Credentials, _) => {}
            (_, Execution::NotStarted) => f.write_str("; the function was not run")?,
            (_, Execution::Unknown) => f.write_str("; the function may have run")?,
            (_, _) => f.write_str("; the function ran or began to")?,
        }
        match (&repr.request_id, &repr.service) {
            // The service's error has said the id, and ends with the advice: whole sentences.
            (_, Some(error)) => match error.advice() {
                Some(advice) => write!(f, ". {}", advice.trim_end_matches('.')),
                None => Ok(()),
            },
            (Some(id), None) => write!(f, " (request id {id})"),
            (None, None) => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let repr = &*self.0;
        let mut f = f.debug_struct("Error");
        f.field("kind", &repr.kind)
            .field("execution", &repr.execution)
            .field("message", &repr.message)
            .field("attempts", &repr.attempts)
            .field("stop", &repr.stop)
            .field("request_id", &repr.request_id);
        if let Some(received) = repr.received {
            f.field("received", &received);
        }
        if let Some(function) = &repr.function {
            f.field("function", function);
        }
        f.field("source", &repr.source).finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
