/// How long a message and its header block may be.
///
/// A decoder checks both as soon as a message's first 12 bytes are there, so nothing that a peer
/// claims is believed, and nothing is reserved for it, before it is known to be within them. The
/// default is 24 MiB for a whole message and 128 KiB for its headers: the most that the
/// [specification] lets a payload and a header block have.
///
/// [specification]: https://smithy.io/2.0/aws/amazon-eventstream.html
///
/// # Example
///
/// ```
/// use lambda_invoke_event_stream::Limits;
///
/// let limits = Limits::new().with_message(1024 * 1024);
/// assert_eq!(limits.message(), 1_048_576);
/// assert_eq!(limits.headers(), 131_072);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    message: u32,
    headers: u32,
}

impl Limits {
    /// The default limits: 24 MiB a message, 128 KiB of headers.
    pub const fn new() -> Self {
        Self {
            message: 24 * 1024 * 1024,
            headers: 128 * 1024,
        }
    }

    /// The most bytes a whole message may have, its prelude and checksums included.
    #[must_use]
    pub const fn with_message(self, bytes: u32) -> Self {
        Self {
            message: bytes,
            ..self
        }
    }

    /// The most bytes a message's header block may have.
    #[must_use]
    pub const fn with_headers(self, bytes: u32) -> Self {
        Self {
            headers: bytes,
            ..self
        }
    }

    /// The most bytes a whole message may have.
    pub const fn message(self) -> u32 {
        self.message
    }

    /// The most bytes a message's header block may have.
    pub const fn headers(self) -> u32 {
        self.headers
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}
