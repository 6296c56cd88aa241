use core::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use super::Headers;
use super::grammar::{MAX_NAME, MAX_VALUE};
use super::validate::validate;
use super::value::HeaderValue;
use crate::error::{DecodeError, EncodeError};

/// An owned header block, as a decoded message contains it and as it is encoded before a payload.
///
/// Cloning does not copy it, so that messages can share one.
///
/// # Example
///
/// ```
/// use bytes::Bytes;
/// use lambda_invoke_event_stream::{HeaderBlock, HeaderValue};
///
/// let block = HeaderBlock::from_headers([
///     (":message-type", HeaderValue::from("event")),
///     ("attempt", HeaderValue::from(3)),
/// ])?;
/// assert_eq!(block.headers().get("attempt"), Some(HeaderValue::Integer(3)));
/// assert_eq!(block.headers().iter().count(), 2);
///
/// // From the wire: one header, `a`, of type 0.
/// let block = HeaderBlock::try_from(Bytes::from_static(b"\x01a\x00"))?;
/// assert_eq!(block.headers().get("a"), Some(HeaderValue::Bool(true)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct HeaderBlock {
    block: Bytes,
}

impl HeaderBlock {
    /// A block without headers.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            block: Bytes::new(),
        }
    }

    /// Encodes headers, in their order.
    ///
    /// # Errors
    ///
    /// [`EncodeError::HeaderNameEmpty`] or [`EncodeError::HeaderNameTooLong`] if a name does not
    /// have 1 to 255 bytes, and [`EncodeError::HeaderValueTooLong`] if a string or byte array has
    /// more than 32,767.
    pub fn from_headers<'a, N, V>(
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, EncodeError>
    where
        N: AsRef<str>,
        V: Into<HeaderValue<'a>>,
    {
        let mut block = BytesMut::new();
        for (name, value) in headers {
            write(name.as_ref(), value.into(), &mut block)?;
        }
        Ok(Self {
            block: block.freeze(),
        })
    }

    /// Takes a block that has been validated.
    #[inline]
    pub(crate) const fn from_validated(block: Bytes) -> Self {
        Self { block }
    }

    /// The headers, for reading.
    pub fn headers(&self) -> Headers<'_> {
        Headers::from_validated(&self.block)
    }

    /// The encoded block.
    pub const fn as_bytes(&self) -> &Bytes {
        &self.block
    }

    /// The encoded block.
    pub fn into_bytes(self) -> Bytes {
        self.block
    }
}

impl Headers<'_> {
    /// Copies the headers into an owned block, in an allocation of exactly their length.
    #[must_use]
    pub fn to_block(self) -> HeaderBlock {
        HeaderBlock::from_validated(Bytes::copy_from_slice(self.as_bytes()))
    }
}

impl TryFrom<Bytes> for HeaderBlock {
    type Error = DecodeError;

    /// Validates an encoded header block and keeps it, without copying.
    ///
    /// # Errors
    ///
    /// The first fault in the block; the offset counts from the start of the block.
    fn try_from(block: Bytes) -> Result<Self, DecodeError> {
        validate(&block, 0)?;
        Ok(Self { block })
    }
}

impl fmt::Debug for HeaderBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.headers().fmt(f)
    }
}

/// Encodes a header.
fn write(name: &str, value: HeaderValue<'_>, out: &mut BytesMut) -> Result<(), EncodeError> {
    if name.is_empty() {
        return Err(EncodeError::HeaderNameEmpty);
    }
    let length = u8::try_from(name.len()).map_err(|_| EncodeError::HeaderNameTooLong {
        limit: MAX_NAME,
        actual: name.len(),
    })?;
    out.put_u8(length);
    out.put_slice(name.as_bytes());
    out.put_u8(value.header_type().as_u8());
    match value {
        HeaderValue::Bool(_) => {}
        HeaderValue::Byte(value) => out.put_i8(value),
        HeaderValue::Short(value) => out.put_i16(value),
        HeaderValue::Integer(value) => out.put_i32(value),
        HeaderValue::Long(value) | HeaderValue::Timestamp(value) => out.put_i64(value),
        HeaderValue::ByteArray(bytes) => write_with_length(bytes, out)?,
        HeaderValue::String(text) => write_with_length(text.as_bytes(), out)?,
        HeaderValue::Uuid(bytes) => out.put_slice(&bytes),
    }
    Ok(())
}

fn write_with_length(bytes: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
    match u16::try_from(bytes.len()) {
        Ok(length) if length <= MAX_VALUE => out.put_u16(length),
        _ => {
            return Err(EncodeError::HeaderValueTooLong {
                limit: MAX_VALUE.into(),
                actual: bytes.len(),
            });
        }
    }
    out.put_slice(bytes);
    Ok(())
}
