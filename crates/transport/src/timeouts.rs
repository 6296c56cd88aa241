//! How long each part of an exchange may take.

use std::fmt;
use std::time::Duration;

/// The timeouts of one exchange. `None` means no timeout.
///
/// | timeout | from | until | default |
/// |---|---|---|---|
/// | connect | the request is first polled | a connection is assigned to it: name lookup, TCP, proxy, TLS | 10 s |
/// | first byte | a connection is assigned | the head of the response is complete; sending the request counts | 1,860 s |
/// | idle | the reader waits for a piece of the response's body | it arrives | none |
/// | total | the request is first polled | the last byte of the body is returned | none |
///
/// A Lambda function may run for 30 minutes (1,800 s) before its response begins, hence the default
/// for the first byte. A slow reader does not cause an idle timeout: only the time spent waiting
/// for the server counts. A wait that has begun also counts while the reader does not poll, for example
/// because `select!` dropped its future. No minimum throughput is enforced.
///
/// If the process was suspended, or the machine is very busy, a timer may expire late. The timeouts for
/// the first byte and between two pieces are then extended once, by as much as the timer was late and
/// at most by a second, since what the server sent in time may not have been read yet.
///
/// Set them for all requests with
/// [`TransportBuilder::timeouts`](crate::TransportBuilder::timeouts), or for one request with an
/// [extension](http::Extensions), which replaces all four ([`TotalTimeout`] replaces only the total):
///
/// ```
/// use std::time::Duration;
/// use lambda_invoke_transport::Timeouts;
///
/// let mut request = http::Request::post("http://127.0.0.1:9001/").body(()).unwrap();
/// let timeouts = Timeouts::default().with_idle(Duration::from_secs(30));
/// request.extensions_mut().insert(timeouts);
/// ```
///
/// A new connection goes to whichever request needs one first, so an attempt to connect also ends
/// at the connect timeout of the [`TransportBuilder`](crate::TransportBuilder): a request's own
/// connect timeout can only be shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timeouts {
    pub(crate) connect: Option<Duration>,
    pub(crate) first_byte: Option<Duration>,
    pub(crate) idle: Option<Duration>,
    pub(crate) total: Option<Duration>,
}

impl Timeouts {
    /// No timeouts.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            connect: None,
            first_byte: None,
            idle: None,
            total: None,
        }
    }

    /// Returns these timeouts with another one for connecting.
    #[must_use]
    pub fn with_connect(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.connect = limit.into();
        self
    }

    /// Returns these timeouts with another one for the first byte of the response.
    #[must_use]
    pub fn with_first_byte(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.first_byte = limit.into();
        self
    }

    /// Returns these timeouts with another one for each wait between two pieces of the body.
    #[must_use]
    pub fn with_idle(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.idle = limit.into();
        self
    }

    /// Returns these timeouts with another one for the whole exchange.
    #[must_use]
    pub fn with_total(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.total = limit.into();
        self
    }

    /// The timeout for connecting.
    #[must_use]
    pub const fn connect(&self) -> Option<Duration> {
        self.connect
    }

    /// The timeout for the first byte of the response.
    #[must_use]
    pub const fn first_byte(&self) -> Option<Duration> {
        self.first_byte
    }

    /// The timeout for each wait between two pieces of the body.
    #[must_use]
    pub const fn idle(&self) -> Option<Duration> {
        self.idle
    }

    /// The timeout for the whole exchange.
    #[must_use]
    pub const fn total(&self) -> Option<Duration> {
        self.total
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Some(Duration::from_secs(10)),
            first_byte: Some(Duration::from_secs(1860)),
            idle: None,
            total: None,
        }
    }
}

/// Replaces the total timeout of one request, as an [extension](http::Extensions); the other
/// timeouts stay those of the [`Transport`](crate::Transport). A [`Timeouts`] among the extensions
/// takes precedence.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use lambda_invoke_transport::TotalTimeout;
///
/// let mut request = http::Request::post("http://127.0.0.1:9001/").body(()).unwrap();
/// request.extensions_mut().insert(TotalTimeout::from(Duration::from_secs(30)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TotalTimeout(pub(crate) Duration);

impl From<Duration> for TotalTimeout {
    fn from(limit: Duration) -> Self {
        Self(limit)
    }
}

/// Which of the [`Timeouts`] expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeoutKind {
    /// No connection was made in time.
    Connect,
    /// The response did not begin in time.
    FirstByte,
    /// The next piece of the body did not arrive in time.
    Idle,
    /// The whole exchange took too long.
    Total,
}

impl fmt::Display for TimeoutKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connect",
            Self::FirstByte => "first byte",
            Self::Idle => "idle",
            Self::Total => "total",
        })
    }
}
