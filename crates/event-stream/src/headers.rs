use core::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::grammar::{self, Fault, MAX_NAME, MAX_VALUE, RawHeader};
use crate::value::{HeaderType, HeaderValue};

/// The headers of a message, in the order of the wire, borrowed and known to be well formed.
///
/// They are read lazily: [`iter`](Self::iter) and [`get`](Self::get) walk the block each time. The
/// block was checked as a whole before this value came to be, so reading it cannot fail. A name
/// may come more than once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Headers<'a> {
    block: &'a [u8],
}

impl<'a> Headers<'a> {
    /// Checks a bare header block, without copying it.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with it; the offset is counted from the block's start.
    pub fn from_slice(block: &'a [u8]) -> Result<Self, DecodeError> {
        Self::checked(block, 0)
    }

    /// The same, for a block that begins at that byte of its stream.
    #[inline]
    pub(crate) fn checked(block: &'a [u8], offset: u64) -> Result<Self, DecodeError> {
        check(block, offset)?;
        Ok(Self { block })
    }

    /// Takes a block that is known to be well formed.
    #[inline]
    pub(crate) const fn assume_checked(block: &'a [u8]) -> Self {
        Self { block }
    }

    /// The first value with this name, if there is one. Names are compared as they are.
    pub fn get(self, name: &str) -> Option<HeaderValue<'a>> {
        self.get_all(name).next()
    }

    /// Every value with this name, in order.
    pub fn get_all(self, name: &str) -> impl Iterator<Item = HeaderValue<'a>> {
        RawHeaders { rest: self.block }
            .filter(move |header| header.name == name.as_bytes())
            .map(|header| value(&header))
    }

    /// All headers, in the order of the wire.
    pub fn iter(self) -> HeaderIter<'a> {
        HeaderIter {
            raw: RawHeaders { rest: self.block },
        }
    }

    /// Whether there is no header.
    pub const fn is_empty(self) -> bool {
        self.block.is_empty()
    }

    /// The block as it is on the wire.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.block
    }
}

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for Headers<'a> {
    type Item = (&'a str, HeaderValue<'a>);
    type IntoIter = HeaderIter<'a>;

    fn into_iter(self) -> HeaderIter<'a> {
        self.iter()
    }
}

/// An iterator over the names and values of [`Headers`].
#[derive(Clone, Debug)]
pub struct HeaderIter<'a> {
    raw: RawHeaders<'a>,
}

impl<'a> Iterator for HeaderIter<'a> {
    type Item = (&'a str, HeaderValue<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.raw
            .next()
            .map(|header| (text(header.name), value(&header)))
    }
}

/// An owned header block: what a decoded message has, and what is written before a payload.
///
/// Cloning it copies no bytes, so a block that many messages share is written once.
///
/// # Example
///
/// ```
/// use lambda_invoke_event_stream::{HeaderBlock, HeaderValue};
///
/// let block = HeaderBlock::from_headers([
///     (":message-type", HeaderValue::String("event")),
///     ("attempt", HeaderValue::Integer(3)),
/// ])?;
/// assert_eq!(block.headers().get("attempt"), Some(HeaderValue::Integer(3)));
/// assert_eq!(block.headers().iter().count(), 2);
/// # Ok::<(), lambda_invoke_event_stream::EncodeError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct HeaderBlock {
    block: Bytes,
}

impl HeaderBlock {
    /// A block without headers.
    pub const fn new() -> Self {
        Self {
            block: Bytes::new(),
        }
    }

    /// Writes headers, in their order.
    ///
    /// # Errors
    ///
    /// If a name has not 1 to 255 bytes, or a string or byte array has more than 32,767.
    pub fn from_headers<'a>(
        headers: impl IntoIterator<Item = (&'a str, HeaderValue<'a>)>,
    ) -> Result<Self, EncodeError> {
        let mut block = BytesMut::new();
        for (name, value) in headers {
            write(name, value, &mut block)?;
        }
        Ok(Self {
            block: block.freeze(),
        })
    }

    /// Checks a bare header block and keeps it, without copying it.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with it; the offset is counted from the block's start.
    pub fn from_bytes(block: Bytes) -> Result<Self, DecodeError> {
        check(&block, 0)?;
        Ok(Self { block })
    }

    /// Takes a block that is known to be well formed.
    #[inline]
    pub(crate) const fn assume_checked(block: Bytes) -> Self {
        Self { block }
    }

    /// The block as it is on the wire.
    pub fn into_bytes(self) -> Bytes {
        self.block
    }

    /// Copies headers that were checked.
    pub(crate) fn from_checked(headers: Headers<'_>) -> Self {
        Self {
            block: Bytes::copy_from_slice(headers.block),
        }
    }

    /// The headers, for reading.
    pub fn headers(&self) -> Headers<'_> {
        Headers { block: &self.block }
    }

    /// The block as it is on the wire.
    pub fn as_bytes(&self) -> &Bytes {
        &self.block
    }
}

impl fmt::Debug for HeaderBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.headers().fmt(f)
    }
}

/// Writes one header.
fn write(name: &str, value: HeaderValue<'_>, out: &mut BytesMut) -> Result<(), EncodeError> {
    let length = match u8::try_from(name.len()) {
        Ok(length) if length > 0 => length,
        _ => {
            return Err(EncodeError::HeaderName {
                limit: MAX_NAME,
                actual: name.len(),
            });
        }
    };
    out.put_u8(length);
    out.put_slice(name.as_bytes());
    out.put_u8(value.header_type().to_wire());
    match value {
        HeaderValue::Bool(_) => {}
        HeaderValue::Byte(value) => out.put_i8(value),
        HeaderValue::Short(value) => out.put_i16(value),
        HeaderValue::Integer(value) => out.put_i32(value),
        HeaderValue::Long(value) | HeaderValue::Timestamp(value) => out.put_i64(value),
        HeaderValue::ByteArray(bytes) => write_sized(bytes, out)?,
        HeaderValue::String(text) => write_sized(text.as_bytes(), out)?,
        HeaderValue::Uuid(bytes) => out.put_slice(&bytes),
    }
    Ok(())
}

fn write_sized(bytes: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
    match u16::try_from(bytes.len()) {
        Ok(length) if bytes.len() <= MAX_VALUE => out.put_u16(length),
        _ => {
            return Err(EncodeError::HeaderValue {
                limit: MAX_VALUE,
                actual: bytes.len(),
            });
        }
    }
    out.put_slice(bytes);
    Ok(())
}

/// Checks a whole block, so that reading it later cannot fail.
#[inline]
pub(crate) fn check(block: &[u8], offset: u64) -> Result<(), DecodeError> {
    // Nearly every block is ASCII throughout, which one fast pass tells; it is UTF-8 then.
    let ascii = block.is_ascii();
    let mut rest = block;
    while !rest.is_empty() {
        let (after, header) = grammar::header(rest).map_err(|f| locate(block, f, offset))?;
        if !ascii {
            check_text(rest, after, &header).map_err(|fault| locate(block, fault, offset))?;
        }
        rest = after;
    }
    Ok(())
}

/// Checks that name and string of the header between `rest` and `after` are UTF-8.
fn check_text(rest: &[u8], after: &[u8], header: &RawHeader<'_>) -> Result<(), Fault> {
    let utf8 = |bytes, left: usize, kind| {
        core::str::from_utf8(bytes)
            .map(|_| ())
            .map_err(|error| Fault {
                left: left.saturating_sub(error.valid_up_to()),
                kind,
            })
    };
    utf8(
        header.name,
        rest.len().saturating_sub(1),
        DecodeErrorKind::HeaderNameNotUtf8,
    )?;
    if header.kind == HeaderType::String {
        let left = after.len().saturating_add(header.value.len());
        utf8(header.value, left, DecodeErrorKind::HeaderValueNotUtf8)?;
    }
    Ok(())
}

/// Where in the stream the fault is, for a block that begins at `offset`.
#[cold]
fn locate(block: &[u8], fault: Fault, offset: u64) -> DecodeError {
    let within = block.len().saturating_sub(fault.left) as u64;
    DecodeError::new(offset.saturating_add(within), fault.kind)
}

/// The headers of a block, cut apart but not read. Ends early at a fault, which a checked block
/// does not have.
#[derive(Clone, Debug)]
struct RawHeaders<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for RawHeaders<'a> {
    type Item = RawHeader<'a>;

    #[inline]
    fn next(&mut self) -> Option<RawHeader<'a>> {
        let (rest, header) = grammar::header(self.rest).ok()?;
        self.rest = rest;
        Some(header)
    }
}

/// A name or string of a checked block. Without unsafe code the check has to be made again; its
/// failing would mean that the block had not been checked, and gives empty text.
fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or_default()
}

fn value<'a>(header: &RawHeader<'a>) -> HeaderValue<'a> {
    // The grammar gave each type as many bytes as it is wide.
    fn wide<const N: usize>(bytes: &[u8]) -> [u8; N] {
        bytes.first_chunk().copied().unwrap_or([0; N])
    }
    let bytes = header.value;
    match header.kind {
        HeaderType::BoolTrue => HeaderValue::Bool(true),
        HeaderType::BoolFalse => HeaderValue::Bool(false),
        HeaderType::Byte => HeaderValue::Byte(i8::from_be_bytes(wide(bytes))),
        HeaderType::Short => HeaderValue::Short(i16::from_be_bytes(wide(bytes))),
        HeaderType::Integer => HeaderValue::Integer(i32::from_be_bytes(wide(bytes))),
        HeaderType::Long => HeaderValue::Long(i64::from_be_bytes(wide(bytes))),
        HeaderType::ByteArray => HeaderValue::ByteArray(bytes),
        HeaderType::String => HeaderValue::String(text(bytes)),
        HeaderType::Timestamp => HeaderValue::Timestamp(i64::from_be_bytes(wide(bytes))),
        HeaderType::Uuid => HeaderValue::Uuid(wide(bytes)),
    }
}
