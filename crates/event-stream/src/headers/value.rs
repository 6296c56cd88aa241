use core::fmt;

use crate::error::DecodeErrorKind;

/// The type of a header's value, by its number on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum HeaderType {
    /// `true`, without further bytes.
    BoolTrue = 0,
    /// `false`, without further bytes.
    BoolFalse = 1,
    /// A signed integer of 1 byte.
    Byte = 2,
    /// A signed integer of 2 bytes.
    Short = 3,
    /// A signed integer of 4 bytes.
    Integer = 4,
    /// A signed integer of 8 bytes.
    Long = 5,
    /// A length of 2 bytes, then that many bytes, at most 32,767.
    ByteArray = 6,
    /// A length of 2 bytes, then that many bytes of UTF-8, at most 32,767.
    String = 7,
    /// A signed integer of 8 bytes: milliseconds since 1970-01-01T00:00:00Z.
    Timestamp = 8,
    /// 16 bytes.
    Uuid = 9,
}

impl HeaderType {
    /// The number on the wire.
    #[must_use]
    pub const fn as_u8(self) -> u8 {
        self as u8
    }

    /// The length of a value of this type in bytes, or `None` if the value states its own.
    pub(crate) const fn width(self) -> Option<usize> {
        match self {
            Self::BoolTrue | Self::BoolFalse => Some(0),
            Self::Byte => Some(1),
            Self::Short => Some(2),
            Self::Integer => Some(4),
            Self::Long | Self::Timestamp => Some(8),
            Self::Uuid => Some(16),
            Self::ByteArray | Self::String => None,
        }
    }
}

impl TryFrom<u8> for HeaderType {
    type Error = DecodeErrorKind;

    /// # Errors
    ///
    /// [`DecodeErrorKind::HeaderTypeUnknown`] for numbers above 9.
    fn try_from(number: u8) -> Result<Self, DecodeErrorKind> {
        Ok(match number {
            0 => Self::BoolTrue,
            1 => Self::BoolFalse,
            2 => Self::Byte,
            3 => Self::Short,
            4 => Self::Integer,
            5 => Self::Long,
            6 => Self::ByteArray,
            7 => Self::String,
            8 => Self::Timestamp,
            9 => Self::Uuid,
            actual => return Err(DecodeErrorKind::HeaderTypeUnknown { actual }),
        })
    }
}

/// The value of a header. Strings and byte arrays are borrowed.
///
/// `Display` shows a value for people and logs:
///
/// | value | shown as |
/// |---|---|
/// | boolean, integer | `true`, `-3` |
/// | string | the string itself; use `Debug` where control characters must be escaped |
/// | byte array | lower-case hexadecimal, `00ff80` |
/// | timestamp | seconds since 1970-01-01T00:00:00Z with three decimals, `1518658301.122`, which is Smithy's `epoch-seconds` |
/// | UUID | `00010203-0405-0607-0809-0a0b0c0d0e0f` |
///
/// # Example
///
/// ```
/// use lambda_invoke_event_stream::HeaderValue;
///
/// assert_eq!(HeaderValue::from("event").as_str(), Some("event"));
/// assert_eq!(HeaderValue::from(7), HeaderValue::Integer(7));
/// assert_eq!(HeaderValue::from(7).as_str(), None);
/// assert_eq!(HeaderValue::Timestamp(-1).to_string(), "-0.001");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeaderValue<'a> {
    /// Types 0 and 1.
    Bool(bool),
    /// Type 2.
    Byte(i8),
    /// Type 3.
    Short(i16),
    /// Type 4.
    Integer(i32),
    /// Type 5.
    Long(i64),
    /// Type 6: at most 32,767 bytes.
    ByteArray(&'a [u8]),
    /// Type 7: at most 32,767 bytes.
    String(&'a str),
    /// Type 8: milliseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// Type 9: the bytes of a UUID, in the order in which it is written.
    Uuid([u8; 16]),
}

impl<'a> HeaderValue<'a> {
    /// The string, if the value is one.
    #[must_use]
    pub const fn as_str(self) -> Option<&'a str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes, if the value is a byte array.
    #[must_use]
    pub const fn as_bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::ByteArray(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The boolean, if the value is one.
    #[must_use]
    pub const fn as_bool(self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The integer, if the value is one, of any of the four widths.
    #[must_use]
    pub fn as_integer(self) -> Option<i64> {
        match self {
            Self::Byte(value) => Some(value.into()),
            Self::Short(value) => Some(value.into()),
            Self::Integer(value) => Some(value.into()),
            Self::Long(value) => Some(value),
            _ => None,
        }
    }

    /// The milliseconds since 1970-01-01T00:00:00Z, if the value is a timestamp.
    #[must_use]
    pub const fn as_timestamp(self) -> Option<i64> {
        match self {
            Self::Timestamp(milliseconds) => Some(milliseconds),
            _ => None,
        }
    }

    /// The bytes of the UUID, if the value is one.
    #[must_use]
    pub const fn as_uuid(self) -> Option<[u8; 16]> {
        match self {
            Self::Uuid(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The type of the value.
    #[must_use]
    pub const fn header_type(self) -> HeaderType {
        match self {
            Self::Bool(true) => HeaderType::BoolTrue,
            Self::Bool(false) => HeaderType::BoolFalse,
            Self::Byte(_) => HeaderType::Byte,
            Self::Short(_) => HeaderType::Short,
            Self::Integer(_) => HeaderType::Integer,
            Self::Long(_) => HeaderType::Long,
            Self::ByteArray(_) => HeaderType::ByteArray,
            Self::String(_) => HeaderType::String,
            Self::Timestamp(_) => HeaderType::Timestamp,
            Self::Uuid(_) => HeaderType::Uuid,
        }
    }
}

impl fmt::Display for HeaderValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Byte(value) => value.fmt(f),
            Self::Short(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Long(value) => value.fmt(f),
            Self::ByteArray(bytes) => hex(bytes, f),
            Self::String(text) => text.fmt(f),
            Self::Timestamp(milliseconds) => {
                let sign = if *milliseconds < 0 { "-" } else { "" };
                let milliseconds = milliseconds.unsigned_abs();
                let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
                write!(f, "{sign}{seconds}.{rest:03}")
            }
            Self::Uuid(bytes) => {
                let [a0, a1, a2, a3, b0, b1, c0, c1, d0, d1, e @ ..] = bytes;
                hex(&[*a0, *a1, *a2, *a3], f)?;
                for group in [[*b0, *b1], [*c0, *c1], [*d0, *d1]] {
                    f.write_str("-")?;
                    hex(&group, f)?;
                }
                f.write_str("-")?;
                hex(e, f)
            }
        }
    }
}

fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

impl<'a> From<&'a str> for HeaderValue<'a> {
    fn from(text: &'a str) -> Self {
        Self::String(text)
    }
}

impl<'a> From<&'a alloc::string::String> for HeaderValue<'a> {
    fn from(text: &'a alloc::string::String) -> Self {
        Self::String(text)
    }
}

impl<'a> From<&'a [u8]> for HeaderValue<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::ByteArray(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for HeaderValue<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::ByteArray(bytes)
    }
}

impl<'a> From<&'a alloc::vec::Vec<u8>> for HeaderValue<'a> {
    fn from(bytes: &'a alloc::vec::Vec<u8>) -> Self {
        Self::ByteArray(bytes)
    }
}

impl<'a> From<&'a bytes::Bytes> for HeaderValue<'a> {
    fn from(bytes: &'a bytes::Bytes) -> Self {
        Self::ByteArray(bytes)
    }
}

impl From<bool> for HeaderValue<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i8> for HeaderValue<'_> {
    fn from(value: i8) -> Self {
        Self::Byte(value)
    }
}

impl From<i16> for HeaderValue<'_> {
    fn from(value: i16) -> Self {
        Self::Short(value)
    }
}

impl From<i32> for HeaderValue<'_> {
    fn from(value: i32) -> Self {
        Self::Integer(value)
    }
}

impl From<i64> for HeaderValue<'_> {
    /// A [`Long`](HeaderValue::Long); a timestamp is written as
    /// [`Timestamp`](HeaderValue::Timestamp) or converted from a `SystemTime`.
    fn from(value: i64) -> Self {
        Self::Long(value)
    }
}

impl From<[u8; 16]> for HeaderValue<'_> {
    /// A [`Uuid`](HeaderValue::Uuid); a reference to an array is a
    /// [`ByteArray`](HeaderValue::ByteArray).
    fn from(bytes: [u8; 16]) -> Self {
        Self::Uuid(bytes)
    }
}

#[cfg(feature = "std")]
impl From<std::time::SystemTime> for HeaderValue<'_> {
    /// A [`Timestamp`](HeaderValue::Timestamp), rounded down to the millisecond. Times more than
    /// 292 million years from 1970, which the format cannot express, become the nearest expressible
    /// time.
    fn from(time: std::time::SystemTime) -> Self {
        Self::Timestamp(match time.duration_since(std::time::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => {
                let nanoseconds = before.duration().as_nanos();
                let milliseconds = nanoseconds.div_ceil(1_000_000);
                i64::try_from(milliseconds).map_or(i64::MIN, |ms| ms.saturating_neg())
            }
        })
    }
}
