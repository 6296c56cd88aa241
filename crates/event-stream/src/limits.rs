/// The longest message and header block that a decoder accepts.
///
/// Both are checked as soon as a message's first 12 bytes have arrived, before any memory is
/// reserved for it. The defaults are the [specification]'s own maxima: 24 MiB for a message and 128
/// KiB for its headers.
///
/// [specification]: https://smithy.io/2.0/aws/amazon-eventstream.html
///
/// # Example
///
/// ```
/// use lambda_invoke_event_stream::Limits;
///
/// let limits = Limits::new().with_max_message_len(1024 * 1024);
/// assert_eq!(limits.max_message_len(), 1_048_576);
/// assert_eq!(limits.max_headers_len(), 131_072);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    max_message_len: u32,
    max_headers_len: u32,
}

impl Limits {
    /// The default limits: messages of 24 MiB, headers of 128 KiB.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            max_message_len: 24 * 1024 * 1024,
            max_headers_len: 128 * 1024,
        }
    }

    /// Sets the maximum length of a message in bytes, its prelude and checksums included.
    #[must_use]
    pub const fn with_max_message_len(self, bytes: u32) -> Self {
        Self {
            max_message_len: bytes,
            ..self
        }
    }

    /// Sets the maximum length of a header block in bytes.
    #[must_use]
    pub const fn with_max_headers_len(self, bytes: u32) -> Self {
        Self {
            max_headers_len: bytes,
            ..self
        }
    }

    /// The maximum length of a message in bytes, its prelude and checksums included.
    #[must_use]
    pub const fn max_message_len(self) -> u32 {
        self.max_message_len
    }

    /// The maximum length of a header block in bytes.
    #[must_use]
    pub const fn max_headers_len(self) -> u32 {
        self.max_headers_len
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}
