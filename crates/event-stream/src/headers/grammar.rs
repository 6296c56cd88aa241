//! The grammar of a header.
//!
//! A header is the length of its name in one byte, the name, its type in one byte, and the value.
//! Strings and byte arrays are preceded by their length in two bytes. Numbers are big-endian.

use nom::bytes::complete::take;
use nom::number::complete::{be_u8, be_u16};

use super::value::{HeaderType, HeaderValue};
use crate::error::DecodeErrorKind;

/// The maximum length of a name in bytes; the minimum is 1.
pub(crate) const MAX_NAME: usize = 255;

/// The maximum length of a string or byte array in bytes: the specification's 2^15 - 1.
pub(crate) const MAX_VALUE: u16 = 32_767;

/// A header that has been split into its fields. Its text may still not be UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RawHeader<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) header_type: HeaderType,
    pub(crate) value: &'a [u8],
}

impl<'a> RawHeader<'a> {
    /// The name, if the block has been validated.
    pub(crate) fn name(&self) -> &'a str {
        text(self.name)
    }

    /// The value, if the block has been validated.
    pub(crate) fn value(&self) -> HeaderValue<'a> {
        // The grammar took exactly as many bytes for the value as its type has.
        fn wide<const N: usize>(bytes: &[u8]) -> [u8; N] {
            bytes.first_chunk().copied().unwrap_or([0; N])
        }
        let bytes = self.value;
        match self.header_type {
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
}

/// Text of a validated block. Safe code has to check again that it is UTF-8. In a validated block
/// it always is, so the default is never used.
fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or_default()
}

/// A fault in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// How many bytes of the block are left, from the invalid field on.
    pub(crate) left: usize,
    pub(crate) kind: DecodeErrorKind,
}

/// The rest of the block, and what was parsed.
type Parsed<'a, T> = Result<(&'a [u8], T), Fault>;

/// Parses the first header of a block that is not empty.
#[inline]
pub(crate) fn header(block: &[u8]) -> Parsed<'_, RawHeader<'_>> {
    let (rest, name) = name(block)?;
    let (rest, header_type) = header_type(rest)?;
    let (rest, value) = match header_type.width() {
        Some(width) => bytes(rest, width)?,
        None => bytes_with_length(rest)?,
    };
    let header = RawHeader {
        name,
        header_type,
        value,
    };
    Ok((rest, header))
}

#[inline]
fn name(block: &[u8]) -> Parsed<'_, &[u8]> {
    let truncated = |expected, actual| Fault {
        left: actual,
        kind: DecodeErrorKind::HeaderNameTruncated { expected, actual },
    };
    let (rest, length) = be_u8::<_, ()>(block).map_err(|_| truncated(1, 0))?;
    if length == 0 {
        return Err(Fault {
            left: block.len(),
            kind: DecodeErrorKind::HeaderNameEmpty,
        });
    }
    take::<_, _, ()>(length)(rest).map_err(|_| truncated(usize::from(length), rest.len()))
}

#[inline]
fn header_type(rest: &[u8]) -> Parsed<'_, HeaderType> {
    let fault = |kind| Fault {
        left: rest.len(),
        kind,
    };
    let (after, number) =
        be_u8::<_, ()>(rest).map_err(|_| fault(DecodeErrorKind::HeaderTypeMissing))?;
    let header_type = HeaderType::try_from(number).map_err(fault)?;
    Ok((after, header_type))
}

#[inline]
fn bytes_with_length(rest: &[u8]) -> Parsed<'_, &[u8]> {
    let fault = |kind| Fault {
        left: rest.len(),
        kind,
    };
    let (value, length) = be_u16::<_, ()>(rest).map_err(|_| {
        fault(DecodeErrorKind::HeaderValueTruncated {
            expected: 2,
            actual: rest.len(),
        })
    })?;
    if length > MAX_VALUE {
        return Err(fault(DecodeErrorKind::HeaderValueTooLong {
            limit: MAX_VALUE.into(),
            actual: length.into(),
        }));
    }
    bytes(value, length.into())
}

#[inline]
fn bytes(rest: &[u8], expected: usize) -> Parsed<'_, &[u8]> {
    take::<_, _, ()>(expected)(rest).map_err(|_| Fault {
        left: rest.len(),
        kind: DecodeErrorKind::HeaderValueTruncated {
            expected,
            actual: rest.len(),
        },
    })
}
