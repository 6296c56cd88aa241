use core::fmt;

/// Why bytes are not a valid event stream: what is wrong, at which byte, and what would be right.
///
/// # Example
///
/// ```
/// use lambda_invoke_event_stream::{DecodeErrorKind, Limits, decode};
///
/// let error = decode(&[0; 16], &Limits::new()).unwrap_err();
/// assert_eq!(error.offset(), 8);
/// assert_eq!(
///     error.kind(),
///     DecodeErrorKind::PreludeChecksumMismatch { expected: 0, actual: 0x6522_df69 },
/// );
/// assert_eq!(
///     error.to_string(),
///     "at byte 8: prelude checksum mismatch: the message states 0x00000000, \
///      but its first 8 bytes have 0x6522df69",
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DecodeError {
    offset: u64,
    kind: DecodeErrorKind,
}

impl DecodeError {
    pub(crate) const fn new(offset: u64, kind: DecodeErrorKind) -> Self {
        Self { offset, kind }
    }

    /// The byte at which the invalid field begins, or at which the input ended.
    ///
    /// A [`Decoder`](crate::Decoder) counts from the start of the stream;
    /// [`decode`](crate::decode), [`Headers`](crate::Headers) and
    /// [`HeaderBlock`](crate::HeaderBlock) count from the start of the bytes they were given.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// What is wrong, with the values that were expected and found.
    #[must_use]
    pub const fn kind(&self) -> DecodeErrorKind {
        self.kind
    }

    /// Whether the stream ended in the middle of a message. Everything before its end was valid.
    #[must_use]
    pub const fn is_unexpected_eof(&self) -> bool {
        matches!(self.kind, DecodeErrorKind::UnexpectedEof { .. })
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: {}", self.offset, self.kind)
    }
}

impl core::error::Error for DecodeError {}

/// What is wrong with the bytes of an event stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The prelude's checksum, in bytes 8 to 11 of a message, is not that of bytes 0 to 7.
    PreludeChecksumMismatch {
        /// The checksum that the message states.
        expected: u32,
        /// The checksum of the bytes that were received.
        actual: u32,
    },
    /// A message states a length below 16 bytes, the length of an empty message.
    MessageTooShort {
        /// The length that the message states, in bytes.
        actual: u32,
    },
    /// A message states a length above
    /// [`Limits::max_message_len`](crate::Limits::max_message_len).
    MessageTooLong {
        /// The limit, in bytes.
        limit: u32,
        /// The length that the message states, in bytes.
        actual: u32,
    },
    /// A message states a header block longer than
    /// [`Limits::max_headers_len`](crate::Limits::max_headers_len).
    HeadersTooLong {
        /// The limit, in bytes.
        limit: u32,
        /// The length that the message states for its headers, in bytes.
        actual: u32,
    },
    /// A message states a header block that does not fit into the message itself.
    HeadersExceedMessage {
        /// How many bytes the message has for headers and payload together.
        available: u32,
        /// The length that the message states for its headers, in bytes.
        actual: u32,
    },
    /// The checksum in the last 4 bytes of a message does not match the bytes before it.
    MessageChecksumMismatch {
        /// The checksum that the message states.
        expected: u32,
        /// The checksum of the bytes that were received.
        actual: u32,
    },
    /// The name of a header is empty. It must have 1 to 255 bytes.
    HeaderNameEmpty,
    /// The header block ends within the name of a header.
    HeaderNameTruncated {
        /// How many bytes the name, or the length before it, must have.
        expected: usize,
        /// How many bytes of the block are left.
        actual: usize,
    },
    /// The name of a header is not UTF-8, from the error's offset on.
    HeaderNameNotUtf8,
    /// The header block ends after the name of a header, where its type must follow.
    HeaderTypeMissing,
    /// The type of a header is not one of the ten that exist, 0 to 9.
    HeaderTypeUnknown {
        /// The type byte that was received.
        actual: u8,
    },
    /// The header block ends within the value of a header.
    HeaderValueTruncated {
        /// How many bytes the value, or the length before it, must have.
        expected: usize,
        /// How many bytes of the block are left.
        actual: usize,
    },
    /// A string or byte array in a header states a length above 32,767 bytes.
    HeaderValueTooLong {
        /// The limit, in bytes.
        limit: usize,
        /// The length that the value states, in bytes.
        actual: usize,
    },
    /// A string in a header is not UTF-8, from the error's offset on.
    HeaderValueNotUtf8,
    /// The stream ended in the middle of a message.
    UnexpectedEof {
        /// How many bytes of the message were received.
        received: u64,
        /// How many more the message needs, at least: before its 12th byte its length is unknown.
        missing: u64,
    },
    /// [`Decoder::finish`](crate::Decoder::finish) was called before
    /// [`Decoder::next_message`](crate::Decoder::next_message) had returned `None`. This is a
    /// mistake of the caller, not of the peer.
    UnreadInput {
        /// How many of the pushed bytes have not been decoded.
        remaining: u64,
    },
}

/// The ending of a noun after a number.
pub(crate) const fn plural(is_one: bool) -> &'static str {
    if is_one { "" } else { "s" }
}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::PreludeChecksumMismatch { expected, actual } => write!(
                f,
                "prelude checksum mismatch: the message states {expected:#010x}, \
                 but its first 8 bytes have {actual:#010x}"
            ),
            Self::MessageTooShort { actual } => write!(
                f,
                "message too short: it states a length of {actual} byte{}, the minimum is 16",
                plural(actual == 1)
            ),
            Self::MessageTooLong { limit, actual } => write!(
                f,
                "message too long: it states a length of {actual} bytes, the limit is {limit}"
            ),
            Self::HeadersTooLong { limit, actual } => write!(
                f,
                "headers too long: the message states {actual} byte{}, the limit is {limit}",
                plural(actual == 1)
            ),
            Self::HeadersExceedMessage { available, actual } => write!(
                f,
                "headers exceed the message: it states {actual} byte{} of headers, \
                 but has room for {available}",
                plural(actual == 1)
            ),
            Self::MessageChecksumMismatch { expected, actual } => write!(
                f,
                "message checksum mismatch: the message states {expected:#010x}, \
                 but its bytes have {actual:#010x}"
            ),
            Self::HeaderNameEmpty => {
                f.write_str("header name is empty, it must have 1 to 255 bytes")
            }
            Self::HeaderNameTruncated { expected, actual } => write!(
                f,
                "header name truncated: expected {expected} byte{}, but the headers end after {actual}",
                plural(expected == 1)
            ),
            Self::HeaderNameNotUtf8 => f.write_str("header name is not valid UTF-8"),
            Self::HeaderTypeMissing => {
                f.write_str("header type missing: the headers end after the name")
            }
            Self::HeaderTypeUnknown { actual } => {
                write!(
                    f,
                    "unknown header type {actual}, the valid types are 0 to 9"
                )
            }
            Self::HeaderValueTruncated { expected, actual } => write!(
                f,
                "header value truncated: expected {expected} byte{}, but the headers end after {actual}",
                plural(expected == 1)
            ),
            Self::HeaderValueTooLong { limit, actual } => write!(
                f,
                "header value too long: it states a length of {actual} bytes, the limit is {limit}"
            ),
            Self::HeaderValueNotUtf8 => f.write_str("header string is not valid UTF-8"),
            Self::UnexpectedEof { received, missing } => write!(
                f,
                "unexpected end of stream: {received} byte{} of the message {} received, \
                 at least {missing} {} missing",
                plural(received == 1),
                if received == 1 { "was" } else { "were" },
                if missing == 1 { "is" } else { "are" }
            ),
            Self::UnreadInput { remaining } => write!(
                f,
                "the decoder was finished with {remaining} byte{} of input unread",
                plural(remaining == 1)
            ),
        }
    }
}

impl core::error::Error for DecodeErrorKind {}

/// Why a header or a message cannot be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncodeError {
    /// The name of a header is empty. It must have 1 to 255 bytes.
    HeaderNameEmpty,
    /// The name of a header has more than 255 bytes.
    HeaderNameTooLong {
        /// The limit, in bytes.
        limit: usize,
        /// The length of the name, in bytes.
        actual: usize,
    },
    /// A string or byte array in a header has more than 32,767 bytes.
    HeaderValueTooLong {
        /// The limit, in bytes.
        limit: usize,
        /// The length of the value, in bytes.
        actual: usize,
    },
    /// The message, prelude and checksums included, would have more than 4,294,967,295 bytes.
    MessageTooLong {
        /// The limit, in bytes.
        limit: u64,
        /// The length of the message, in bytes.
        actual: u64,
    },
    /// The message does not fit into the buffer.
    BufferTooSmall {
        /// The length of the message, in bytes.
        needed: usize,
        /// How many bytes the buffer can still take.
        available: usize,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::HeaderNameEmpty => {
                f.write_str("header name is empty, it must have 1 to 255 bytes")
            }
            Self::HeaderNameTooLong { limit, actual } => {
                write!(
                    f,
                    "header name too long: {actual} bytes, the limit is {limit}"
                )
            }
            Self::HeaderValueTooLong { limit, actual } => {
                write!(
                    f,
                    "header value too long: {actual} bytes, the limit is {limit}"
                )
            }
            Self::MessageTooLong { limit, actual } => {
                write!(f, "message too long: {actual} bytes, the limit is {limit}")
            }
            Self::BufferTooSmall { needed, available } => write!(
                f,
                "buffer too small: the message has {needed} bytes, \
                 but the buffer has room for {available}"
            ),
        }
    }
}

impl core::error::Error for EncodeError {}
