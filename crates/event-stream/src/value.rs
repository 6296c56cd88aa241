/// The ten types of a header's value, by their number on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum HeaderType {
    /// `true`; no further byte.
    BoolTrue = 0,
    /// `false`; no further byte.
    BoolFalse = 1,
    /// 1 byte, signed.
    Byte = 2,
    /// 2 bytes, signed.
    Short = 3,
    /// 4 bytes, signed.
    Integer = 4,
    /// 8 bytes, signed.
    Long = 5,
    /// 2 bytes of length, then as many bytes, at most 32,767.
    ByteArray = 6,
    /// 2 bytes of length, then as many bytes of UTF-8, at most 32,767.
    String = 7,
    /// 8 bytes, signed: milliseconds since 1970-01-01T00:00:00Z.
    Timestamp = 8,
    /// 16 bytes.
    Uuid = 9,
}

impl HeaderType {
    /// The type with this number on the wire, if there is one.
    pub const fn from_wire(number: u8) -> Option<Self> {
        Some(match number {
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
            _ => return None,
        })
    }

    /// The type's number on the wire.
    pub const fn to_wire(self) -> u8 {
        self as u8
    }

    /// How many bytes a value of this type has, or `None` if it states its own length.
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

/// A header's value; strings and byte arrays are borrowed from the header block.
///
/// # Example
///
/// ```
/// use lambda_invoke_event_stream::HeaderValue;
///
/// assert_eq!(HeaderValue::String("event").as_str(), Some("event"));
/// assert_eq!(HeaderValue::Integer(7).as_str(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeaderValue<'a> {
    /// Types 0 and 1.
    Bool(bool),
    /// Type 2: an integer of 8 bits.
    Byte(i8),
    /// Type 3: an integer of 16 bits.
    Short(i16),
    /// Type 4: an integer of 32 bits.
    Integer(i32),
    /// Type 5: an integer of 64 bits.
    Long(i64),
    /// Type 6: at most 32,767 bytes.
    ByteArray(&'a [u8]),
    /// Type 7: at most 32,767 bytes of UTF-8.
    String(&'a str),
    /// Type 8: milliseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// Type 9: a UUID, its bytes in the order in which it is written.
    Uuid([u8; 16]),
}

impl<'a> HeaderValue<'a> {
    /// The string, if the value is one.
    pub const fn as_str(self) -> Option<&'a str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes, if the value is a byte array.
    pub const fn as_bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::ByteArray(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The boolean, if the value is one.
    pub const fn as_bool(self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The integer, if the value is one, of whichever width.
    pub fn as_integer(self) -> Option<i64> {
        match self {
            Self::Byte(value) => Some(value.into()),
            Self::Short(value) => Some(value.into()),
            Self::Integer(value) => Some(value.into()),
            Self::Long(value) => Some(value),
            _ => None,
        }
    }

    /// The value's type.
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

impl<'a> From<&'a str> for HeaderValue<'a> {
    fn from(text: &'a str) -> Self {
        Self::String(text)
    }
}

impl<'a> From<&'a [u8]> for HeaderValue<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::ByteArray(bytes)
    }
}

impl From<bool> for HeaderValue<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
