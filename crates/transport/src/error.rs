//! What went wrong, and whether any byte of the request may have been sent.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::TimeoutKind;

pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

/// Whether any byte of a request may have been sent.
///
/// `No` is a promise: the server cannot have seen the request, so sending it again cannot run
/// anything twice. `Maybe` promises nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "it is yes or no: there is no third value"
)]
pub enum Sent {
    /// No byte of the request was written to a connection.
    No,
    /// Some or all of the request may have arrived.
    Maybe,
}

impl Sent {
    /// Classifies an error of any service: an [`Error`] of this crate knows its own value, any
    /// other error is [`Sent::Maybe`].
    ///
    /// Only the error itself counts, not its sources: a service that wraps this one may have sent
    /// the request more than once, and the last failure says nothing about the earlier attempts. A
    /// service that returns the last failure as it is looks the same as one that sent the request
    /// once; the extension [`Sends`](crate::Sends) tells them apart.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_transport::Sent;
    ///
    /// let foreign = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    /// assert_eq!(Sent::of(&foreign), Sent::Maybe);
    /// ```
    #[must_use]
    pub fn of(error: &(dyn StdError + 'static)) -> Self {
        error
            .downcast_ref::<Error>()
            .map_or(Self::Maybe, Error::sent)
    }
}

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting is invalid: a proxy's address, a certificate.
    Configuration,
    /// The request cannot be sent, because of its URI, its HTTP version or its method.
    Request,
    /// There is no connection to the server: the name is unknown, the connection was refused, the host is
    /// unreachable.
    Connect,
    /// There is no connection through the proxy.
    Proxy,
    /// TLS failed for a reason other than the server's certificate.
    Tls,
    /// The server's certificate was rejected: unknown issuer, another name, expired.
    Certificate,
    /// A timeout expired.
    TimedOut(TimeoutKind),
    /// The connection closed before any of the request was written to it.
    Canceled,
    /// The connection closed, or was reset, before the response was complete.
    Closed,
    /// Another error while reading or writing.
    Io,
    /// The server's response is not HTTP/1.1, or its head is too large.
    Protocol,
}

/// A failure of the transport.
///
/// It says what happened ([`kind`](Self::kind)), whether any byte of the request can have been sent
/// ([`sent`](Self::sent)), and whether the response's head had arrived
/// ([`is_body`](Self::is_body)). Its size is one machine word.
// Shared, because a body repeats its error.
pub struct Error(Arc<Repr>);

struct Repr {
    kind: ErrorKind,
    sent: Sent,
    in_body: bool,
    limit: Option<Duration>,
    message: Cow<'static, str>,
    cause: Option<BoxError>,
}

impl Error {
    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether any byte of the request may have been sent.
    #[must_use]
    pub fn sent(&self) -> Sent {
        self.0.sent
    }

    /// The timeout that expired, if one was.
    #[must_use]
    pub fn timed_out(&self) -> Option<TimeoutKind> {
        match self.0.kind {
            ErrorKind::TimedOut(which) => Some(which),
            _ => None,
        }
    }

    /// The length of the timeout that expired. It is also `None` if the operating system gave up first.
    #[must_use]
    pub fn limit(&self) -> Option<Duration> {
        self.0.limit
    }

    /// Whether no connection could be made, for any reason: refused, proxy, TLS, timeout.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        self.0.sent == Sent::No
            && matches!(
                self.0.kind,
                ErrorKind::Connect
                    | ErrorKind::Proxy
                    | ErrorKind::Tls
                    | ErrorKind::Certificate
                    | ErrorKind::TimedOut(TimeoutKind::Connect)
            )
    }

    /// Whether TLS failed, because of the certificate or otherwise.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Tls | ErrorKind::Certificate)
    }

    /// Whether the failure came after the head of the response, in its body.
    #[must_use]
    pub fn is_body(&self) -> bool {
        self.0.in_body
    }

    fn new(
        kind: ErrorKind,
        sent: Sent,
        message: Cow<'static, str>,
        cause: Option<BoxError>,
    ) -> Self {
        Self(Arc::new(Repr {
            kind,
            sent,
            in_body: false,
            limit: None,
            message,
            cause,
        }))
    }

    pub(crate) fn configuration(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Configuration, Sent::No, message.into(), None)
    }

    pub(crate) fn request(message: &'static str) -> Self {
        Self::new(ErrorKind::Request, Sent::No, message.into(), None)
    }

    /// A connection that could not be made: nothing of a request can have been sent on it.
    pub(crate) fn no_connection(kind: ErrorKind, message: String, cause: BoxError) -> Self {
        Self::new(kind, Sent::No, message.into(), Some(cause))
    }

    pub(crate) fn timeout(which: TimeoutKind, limit: Duration, sent: Sent, in_body: bool) -> Self {
        let what = match which {
            TimeoutKind::Connect => "no connection",
            TimeoutKind::FirstByte => "the server did not respond",
            TimeoutKind::Idle => "no more of the response's body arrived",
            TimeoutKind::Total => "the exchange did not end",
        };
        Self(Arc::new(Repr {
            kind: ErrorKind::TimedOut(which),
            sent,
            in_body,
            limit: Some(limit),
            message: format!("{what} within {limit:?}, the {which} timeout").into(),
            cause: None,
        }))
    }

    /// A connection that ended before it was ready for a request.
    pub(crate) fn not_ready(error: Option<hyper::Error>) -> Self {
        let message = "the connection failed before it was ready for a request";
        let cause = error.map(BoxError::from);
        Self::new(ErrorKind::Connect, Sent::No, message.into(), cause)
    }

    /// A request that the connection has returned.
    pub(crate) fn canceled(error: hyper::Error) -> Self {
        let message = "the connection was closed before any of the request was sent";
        let cause = Some(error.into());
        Self::new(ErrorKind::Canceled, Sent::No, message.into(), cause)
    }

    /// A request that was not returned, and has no response.
    pub(crate) fn no_response(error: hyper::Error) -> Self {
        let kind = classify(&error);
        let message = match kind {
            ErrorKind::Closed => "the server closed the connection before it responded",
            ErrorKind::Protocol => "the server's response is not valid HTTP/1.1",
            _ => "the connection failed before the server responded",
        };
        Self::new(kind, Sent::Maybe, message.into(), Some(error.into()))
    }

    /// A failure while the body was read, after `received` of its bytes.
    pub(crate) fn body(error: hyper::Error, received: u64) -> Self {
        let kind = classify(&error);
        let what = match kind {
            ErrorKind::Closed => "the connection was closed",
            ErrorKind::Protocol => "the framing of the response's body is not valid HTTP/1.1,",
            _ => "the connection failed",
        };
        let ending = if received == 1 { "" } else { "s" };
        Self(Arc::new(Repr {
            kind,
            sent: Sent::Maybe,
            in_body: true,
            limit: None,
            message: format!("{what} after {received} byte{ending} of the response's body").into(),
            cause: Some(error.into()),
        }))
    }

    /// Repeats the failure for a reader that continues to read after it.
    pub(crate) fn again(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("sent", &self.0.sent)
            .field("in_body", &self.0.in_body)
            .field("message", &self.0.message)
            .field("source", &self.source())
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as _)
    }
}

/// The kind of a failure on a connection that a request was using.
fn classify(error: &(dyn StdError + 'static)) -> ErrorKind {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            if error.is_parse() {
                return ErrorKind::Protocol;
            }
            if error.is_incomplete_message() || error.is_closed() {
                return ErrorKind::Closed;
            }
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return classify_io(error);
        }
        next = error.source();
    }
    ErrorKind::Io
}

fn classify_io(error: &io::Error) -> ErrorKind {
    #[cfg(feature = "tls")]
    if error
        .get_ref()
        .is_some_and(|inner| inner.is::<rustls::Error>())
    {
        return ErrorKind::Tls;
    }
    match error.kind() {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotConnected
        | io::ErrorKind::UnexpectedEof => ErrorKind::Closed,
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => ErrorKind::Protocol,
        _ => ErrorKind::Io,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_word_and_crosses_threads() {
        fn crosses<T: Send + Sync + 'static>() {}
        crosses::<Error>();
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Option<Error>>(), size_of::<usize>());
    }

    #[test]
    fn only_an_error_of_ours_is_believed() {
        let ours = Error::request("no host");
        assert_eq!(Sent::of(&ours), Sent::No);
        let boxed: BoxError = ours.into();
        assert_eq!(Sent::of(&*boxed), Sent::No);
        let late = Error::timeout(TimeoutKind::Total, Duration::ZERO, Sent::Maybe, false);
        assert_eq!(Sent::of(&late), Sent::Maybe);
        // A service that wraps ours may have sent the request more than once.
        let wrapped = io::Error::other(boxed);
        assert_eq!(Sent::of(&wrapped), Sent::Maybe);
    }

    #[test]
    fn a_timeout_says_which_and_how_long() {
        let limit = Duration::from_millis(1500);
        let error = Error::timeout(TimeoutKind::FirstByte, limit, Sent::Maybe, false);
        assert_eq!(
            error.to_string(),
            "the server did not respond within 1.5s, the first byte timeout"
        );
        assert_eq!(
            (error.timed_out(), error.limit()),
            (Some(TimeoutKind::FirstByte), Some(limit))
        );
        assert!(!error.is_connect());
    }

    #[test]
    fn a_request_that_cannot_be_sent_is_no_failure_of_the_connection() {
        let error = Error::request("no host");
        assert!(!error.is_connect() && !error.is_tls() && !error.is_body());
        let debug = format!("{error:?}");
        assert!(debug.contains("kind: Request, sent: No"), "{debug}");
        assert!(debug.contains("message: \"no host\""), "{debug}");
    }
}
