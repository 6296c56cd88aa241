//! Messages in neutral types, which belong to no codec, and the rules of the format.

use arbitrary::{Arbitrary, Result, Unstructured};

/// A message.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a message has these two parts")]
pub struct PlainMessage {
    /// The headers, in order; a name may occur more than once.
    pub headers: Vec<(String, PlainValue)>,
    /// The payload.
    pub payload: Vec<u8>,
}

/// The value of a header.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the format has these types")]
pub enum PlainValue {
    /// `true` (type 0) or `false` (type 1).
    Bool(bool),
    /// One byte (type 2).
    Byte(i8),
    /// Two bytes (type 3).
    Short(i16),
    /// Four bytes (type 4).
    Integer(i32),
    /// Eight bytes (type 5).
    Long(i64),
    /// Up to 32,767 bytes (type 6).
    ByteArray(Vec<u8>),
    /// Up to 32,767 bytes of UTF-8 (type 7).
    String(String),
    /// Milliseconds since 1970 (type 8).
    Timestamp(i64),
    /// Sixteen bytes (type 9).
    Uuid([u8; 16]),
}

/// A rule of the format that a stream can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// The first eight bytes have the checksum that follows them.
    PreludeChecksum,
    /// A message has the checksum at its end.
    MessageChecksum,
    /// A message has at least 16 bytes.
    MinMessageLength,
    /// A message has at most 24 MiB.
    MaxMessageLength,
    /// The header block has at most 128 KiB.
    MaxHeadersLength,
    /// The header block ends within its message.
    HeadersWithinMessage,
    /// The header block ends with a complete header.
    CompleteHeaders,
    /// The name of a header has at least one byte.
    NonEmptyName,
    /// The name of a header is UTF-8.
    NameIsText,
    /// The type of a value is 0 to 9.
    KnownType,
    /// A string or byte array has at most 32,767 bytes.
    MaxValueLength,
    /// A string is UTF-8.
    StringIsText,
    /// The stream ends after a complete message.
    CompleteMessage,
}

/// The names that the service sends, which generated headers often have.
const NAMES: [&str; 5] = [
    ":event-type",
    ":message-type",
    ":content-type",
    ":exception-type",
    "a",
];

impl<'a> Arbitrary<'a> for PlainMessage {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut headers = Vec::new();
        for _ in 0..u.int_in_range(0..=8)? {
            let name = match u.int_in_range(0..=2 * NAMES.len())? {
                known if known < NAMES.len() => NAMES[known],
                _ => text(u, 255)?,
            };
            let name = if name.is_empty() { "name" } else { name };
            headers.push((name.to_owned(), u.arbitrary()?));
        }
        let payload = bytes(u, 4095)?.to_vec();
        Ok(Self { headers, payload })
    }
}

impl<'a> Arbitrary<'a> for PlainValue {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=9)? {
            0 | 1 => Self::Bool(u.arbitrary()?),
            2 => Self::Byte(u.arbitrary()?),
            3 => Self::Short(u.arbitrary()?),
            4 => Self::Integer(u.arbitrary()?),
            5 => Self::Long(u.arbitrary()?),
            6 => Self::ByteArray(bytes(u, 4095)?.to_vec()),
            7 => Self::String(text(u, 4095)?.to_owned()),
            8 => Self::Timestamp(u.arbitrary()?),
            _ => Self::Uuid(u.arbitrary()?),
        })
    }
}

/// Takes up to `max` of the remaining bytes.
fn bytes<'a>(u: &mut Unstructured<'a>, max: usize) -> Result<&'a [u8]> {
    let length = u.int_in_range(0..=max)?.min(u.len());
    u.bytes(length)
}

/// Takes up to `max` of the remaining bytes, up to the first that is not valid UTF-8.
fn text<'a>(u: &mut Unstructured<'a>, max: usize) -> Result<&'a str> {
    let bytes = bytes(u, max)?;
    Ok(bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid()))
}
