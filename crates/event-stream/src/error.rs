use core::fmt;

/// Why bytes are not an event stream: what is wrong, at which byte, and what would be right.
///
/// The byte is counted from the start of the stream for a [`Decoder`](crate::Decoder), and from
/// the start of the slice for [`decode`](crate::decode) and
/// [`HeaderBlock::from_bytes`](crate::HeaderBlock::from_bytes).
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
///     DecodeErrorKind::PreludeChecksum { expected: 0, actual: 0x6522_df69 },
/// );
/// assert_eq!(
///     error.to_string(),
///     "at byte 8: the message states the prelude checksum 0x00000000, \
///      but that of its prelude is 0x6522df69",
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

    /// The byte at which the offending field begins, or at which the stream ended.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// What is wrong, with what was expected and what was there.
    pub const fn kind(&self) -> DecodeErrorKind {
        self.kind
    }

    /// Whether the bytes simply ended too soon, so that all that came was well formed.
    pub const fn is_cut(&self) -> bool {
        matches!(self.kind, DecodeErrorKind::Cut { .. })
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
    /// The checksum of a message's first 8 bytes is not the one it states in the next 4.
    PreludeChecksum {
        /// The checksum that the message states.
        expected: u32,
        /// The checksum of the bytes that came.
        actual: u32,
    },
    /// A message says that it is shorter than the 16 bytes of an empty one.
    MessageTooShort {
        /// The length that the message states, in bytes.
        actual: u32,
    },
    /// A message says that it is longer than [`Limits::message`](crate::Limits::message).
    MessageTooLong {
        /// The most bytes it may have.
        limit: u32,
        /// The length that the message states, in bytes.
        actual: u32,
    },
    /// A header block says that it is longer than [`Limits::headers`](crate::Limits::headers).
    HeadersTooLong {
        /// The most bytes it may have.
        limit: u32,
        /// The length that the message states for its headers, in bytes.
        actual: u32,
    },
    /// A header block says that it goes on past the end of its own message.
    HeadersPastMessage {
        /// How many bytes the message has for headers and payload together.
        available: u32,
        /// The length that the message states for its headers, in bytes.
        actual: u32,
    },
    /// The checksum of a whole message is not the one it states in its last 4 bytes.
    MessageChecksum {
        /// The checksum that the message states.
        expected: u32,
        /// The checksum of the bytes that came.
        actual: u32,
    },
    /// A header's name has no byte at all; it needs 1 to 255.
    HeaderNameEmpty,
    /// A header's name goes on past the end of the header block.
    HeaderNameCut {
        /// How many bytes the name states for itself.
        expected: usize,
        /// How many bytes the block still has.
        actual: usize,
    },
    /// A header's name is not UTF-8 from this byte on.
    HeaderNameNotUtf8,
    /// The header block ends after a header's name, where its type should be.
    HeaderTypeMissing,
    /// A header's type is none of the ten, 0 to 9.
    HeaderTypeUnknown {
        /// The type byte that came.
        actual: u8,
    },
    /// A header's value goes on past the end of the header block.
    HeaderValueCut {
        /// How many bytes the value, or its two bytes of length, should have.
        expected: usize,
        /// How many bytes the block still has.
        actual: usize,
    },
    /// A header's string or byte array is longer than 32,767 bytes.
    HeaderValueTooLong {
        /// The most bytes it may have.
        limit: usize,
        /// How many bytes it states for itself.
        actual: usize,
    },
    /// A header's string is not UTF-8 from this byte on.
    HeaderValueNotUtf8,
    /// The stream ended in the middle of a message.
    Cut {
        /// How many bytes of that message came.
        received: u64,
        /// How many more, at the least, it would have needed.
        missing: u64,
    },
    /// [`Decoder::finish`](crate::Decoder::finish) was called before
    /// [`Decoder::next_message`](crate::Decoder::next_message) had said that there is none left.
    Unread {
        /// How many pushed bytes were not looked at.
        actual: u64,
    },
}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::PreludeChecksum { expected, actual } => write!(
                f,
                "the message states the prelude checksum {expected:#010x}, \
                 but that of its prelude is {actual:#010x}"
            ),
            Self::MessageTooShort { actual } => write!(
                f,
                "the message states a length of {actual} bytes, but none is shorter than 16"
            ),
            Self::MessageTooLong { limit, actual } => write!(
                f,
                "the message states a length of {actual} bytes, over the limit of {limit}"
            ),
            Self::HeadersTooLong { limit, actual } => write!(
                f,
                "the message states {actual} bytes of headers, over the limit of {limit}"
            ),
            Self::HeadersPastMessage { available, actual } => write!(
                f,
                "the message states {actual} bytes of headers, but has room for {available}"
            ),
            Self::MessageChecksum { expected, actual } => write!(
                f,
                "the message states the checksum {expected:#010x}, \
                 but that of its bytes is {actual:#010x}"
            ),
            Self::HeaderNameEmpty => {
                f.write_str("the header's name is empty, but needs 1 to 255 bytes")
            }
            Self::HeaderNameCut { expected, actual } => write!(
                f,
                "the header's name needs {expected} bytes, but the headers end after {actual}"
            ),
            Self::HeaderNameNotUtf8 => f.write_str("the header's name is not UTF-8"),
            Self::HeaderTypeMissing => f.write_str("the headers end where a type should be"),
            Self::HeaderTypeUnknown { actual } => {
                write!(f, "the header's type is {actual}, but only 0 to 9 exist")
            }
            Self::HeaderValueCut { expected, actual } => write!(
                f,
                "the header's value needs {expected} bytes, but the headers end after {actual}"
            ),
            Self::HeaderValueTooLong { limit, actual } => write!(
                f,
                "the header's value states a length of {actual} bytes, over the limit of {limit}"
            ),
            Self::HeaderValueNotUtf8 => f.write_str("the header's string is not UTF-8"),
            Self::Cut { received, missing } => write!(
                f,
                "the stream ended in a message, \
                 after {received} bytes of it and at least {missing} too soon"
            ),
            Self::Unread { actual } => write!(
                f,
                "the stream was finished before {actual} bytes that were pushed had been read"
            ),
        }
    }
}

/// Why something cannot be written as a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncodeError {
    /// A header's name must have 1 to 255 bytes.
    HeaderName {
        /// The most bytes it may have.
        limit: usize,
        /// How many bytes it has.
        actual: usize,
    },
    /// A header's string or byte array must have at most 32,767 bytes.
    HeaderValue {
        /// The most bytes it may have.
        limit: usize,
        /// How many bytes it has.
        actual: usize,
    },
    /// A message, its prelude and checksums included, must have at most 4,294,967,295 bytes.
    Message {
        /// The most bytes it may have.
        limit: u64,
        /// How many bytes it would have.
        actual: u64,
    },
    /// The buffer to write to has not enough room.
    Buffer {
        /// How many bytes the message has.
        needed: usize,
        /// How many bytes the buffer can still take.
        available: usize,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::HeaderName { limit, actual } => {
                write!(
                    f,
                    "the header's name has {actual} bytes, but needs 1 to {limit}"
                )
            }
            Self::HeaderValue { limit, actual } => {
                write!(
                    f,
                    "the header's value has {actual} bytes, over the limit of {limit}"
                )
            }
            Self::Message { limit, actual } => {
                write!(
                    f,
                    "the message has {actual} bytes, over the limit of {limit}"
                )
            }
            Self::Buffer { needed, available } => write!(
                f,
                "the message has {needed} bytes, but the buffer can take only {available}"
            ),
        }
    }
}

impl core::error::Error for EncodeError {}
