//! The grammar of a header, in nom.
//!
//! A header is a 1-byte name length, the name, a 1-byte type and the value; a string or a byte
//! array has 2 bytes of length before it. All numbers are big-endian.

use nom::bytes::complete::take;
use nom::number::complete::{be_u8, be_u16};

use crate::error::DecodeErrorKind;
use crate::value::HeaderType;

/// The most bytes a name may have; it has at least 1.
pub(crate) const MAX_NAME: usize = 255;

/// The most bytes a string or a byte array may have: the specification's 2^15 - 1.
pub(crate) const MAX_VALUE: usize = 32_767;

/// A header, cut into its parts but not yet read: the text may still not be UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RawHeader<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) kind: HeaderType,
    pub(crate) value: &'a [u8],
}

/// What is wrong, and how many bytes of the block are left from the offending one on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) left: usize,
    pub(crate) kind: DecodeErrorKind,
}

/// What is left of the block, and what was taken off its front.
type Taken<'a, T> = Result<(&'a [u8], T), Fault>;

/// Cuts the first header off a block that is not empty.
#[inline]
pub(crate) fn header(block: &[u8]) -> Taken<'_, RawHeader<'_>> {
    let (rest, name) = name(block)?;
    let (rest, kind) = header_type(rest)?;
    let (rest, value) = match kind.width() {
        Some(width) => bytes(rest, width)?,
        None => sized(rest)?,
    };
    Ok((rest, RawHeader { name, kind, value }))
}

#[inline]
fn name(block: &[u8]) -> Taken<'_, &[u8]> {
    let cut = |expected, actual| Fault {
        left: actual,
        kind: DecodeErrorKind::HeaderNameCut { expected, actual },
    };
    let (rest, length) = be_u8::<_, ()>(block).map_err(|_| cut(1, 0))?;
    if length == 0 {
        return Err(Fault {
            left: block.len(),
            kind: DecodeErrorKind::HeaderNameEmpty,
        });
    }
    take::<_, _, ()>(length)(rest).map_err(|_| cut(usize::from(length), rest.len()))
}

#[inline]
fn header_type(rest: &[u8]) -> Taken<'_, HeaderType> {
    let fault = |kind| Fault {
        left: rest.len(),
        kind,
    };
    let (value, actual) =
        be_u8::<_, ()>(rest).map_err(|_| fault(DecodeErrorKind::HeaderTypeMissing))?;
    let kind = HeaderType::from_wire(actual)
        .ok_or(fault(DecodeErrorKind::HeaderTypeUnknown { actual }))?;
    Ok((value, kind))
}

/// A value that states its own length.
#[inline]
fn sized(rest: &[u8]) -> Taken<'_, &[u8]> {
    let fault = |kind| Fault {
        left: rest.len(),
        kind,
    };
    let (value, length) = be_u16::<_, ()>(rest).map_err(|_| {
        fault(DecodeErrorKind::HeaderValueCut {
            expected: 2,
            actual: rest.len(),
        })
    })?;
    let actual = usize::from(length);
    if actual > MAX_VALUE {
        return Err(fault(DecodeErrorKind::HeaderValueTooLong {
            limit: MAX_VALUE,
            actual,
        }));
    }
    bytes(value, actual)
}

#[inline]
fn bytes(rest: &[u8], expected: usize) -> Taken<'_, &[u8]> {
    take::<_, _, ()>(expected)(rest).map_err(|_| Fault {
        left: rest.len(),
        kind: DecodeErrorKind::HeaderValueCut {
            expected,
            actual: rest.len(),
        },
    })
}
