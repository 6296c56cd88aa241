//! The kinds of failure.

/// The kind of failure of an [`Error`](crate::Error).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The call is invalid, and was not sent: a name, a payload, a header, a combination.
    Input,
    /// The client cannot be set up: no region, an invalid address, an unreadable certificate.
    Configuration,
    /// The provider returned no credentials.
    Credentials,
    /// The service responded with an error: see [`Error::service_error`](crate::Error::service_error).
    Service,
    /// No connection could be made, or it was closed before any byte of the request was sent.
    Connect,
    /// A timeout was reached: see [`Error::timeout_kind`](crate::Error::timeout_kind).
    TimedOut,
    /// The connection failed before the response began.
    Transport,
    /// The response is not one that the operation can have, and may not come from Lambda: a web
    /// page, another status, a 200 that is not an event stream. The message describes the response
    /// and names its origin.
    UnexpectedResponse,
    /// The function ran and failed: see [`Error::function_failure`](crate::Error::function_failure).
    FunctionFailed,
    /// The service ended a response stream with an exception instead of `InvokeComplete`: see
    /// [`Error::stream_exception`](crate::Error::stream_exception).
    StreamException,
    /// The response ended before it was complete, or without proof that it was: see
    /// [`Error::received`](crate::Error::received).
    Truncated,
    /// The response was damaged in transit: see [`Error::received`](crate::Error::received).
    Corrupt,
    /// The response is larger than the caller allows to be kept in memory.
    TooLarge,
    /// The function's response is not JSON of the requested type.
    Json,
    /// The caller asked for the function's response as text, but it is not UTF-8.
    Text,
}

impl ErrorKind {
    /// Returns the kind in lower case, for logs and JSON.
    ///
    /// # Example
    ///
    /// ```
    /// assert_eq!(lambda_invoke::ErrorKind::TimedOut.as_str(), "timed_out");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Configuration => "configuration",
            Self::Credentials => "credentials",
            Self::Service => "service",
            Self::Connect => "connect",
            Self::TimedOut => "timed_out",
            Self::Transport => "transport",
            Self::UnexpectedResponse => "unexpected_response",
            Self::FunctionFailed => "function_failed",
            Self::StreamException => "stream_exception",
            Self::Truncated => "truncated",
            Self::Corrupt => "corrupt",
            Self::TooLarge => "too_large",
            Self::Json => "json",
            Self::Text => "text",
        }
    }
}
