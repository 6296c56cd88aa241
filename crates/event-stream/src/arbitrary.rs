//! Valid values for property tests and fuzzers: every generated value can be encoded, and a decoder
//! with the default limits accepts it.

use alloc::vec::Vec;

use arbitrary::{Arbitrary, Result, Unstructured};
use bytes::Bytes;

use crate::headers::{HeaderBlock, HeaderType, HeaderValue};
use crate::message::Message;
use crate::payload::Payload;

/// The most headers in a block. With values of at most [`MAX_BYTES`] bytes they stay well below
/// the 128 KiB that a block may have by default.
const MAX_HEADERS: usize = 8;
/// The maximum length in bytes of a value or of a slice of a payload.
const MAX_BYTES: usize = 4095;
/// The most slices in a payload.
const MAX_SLICES: usize = 4;

impl<'a> Arbitrary<'a> for HeaderType {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let number = u.int_in_range(0..=9_u8)?;
        Self::try_from(number).map_err(|_| arbitrary::Error::IncorrectFormat)
    }

    fn size_hint(_: usize) -> (usize, Option<usize>) {
        (0, Some(1))
    }
}

impl<'a> Arbitrary<'a> for HeaderValue<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.arbitrary::<HeaderType>()? {
            HeaderType::BoolTrue => Self::Bool(true),
            HeaderType::BoolFalse => Self::Bool(false),
            HeaderType::Byte => Self::Byte(u.arbitrary()?),
            HeaderType::Short => Self::Short(u.arbitrary()?),
            HeaderType::Integer => Self::Integer(u.arbitrary()?),
            HeaderType::Long => Self::Long(u.arbitrary()?),
            HeaderType::ByteArray => Self::ByteArray(bytes(u, MAX_BYTES)?),
            HeaderType::String => Self::String(text(u, MAX_BYTES)?),
            HeaderType::Timestamp => Self::Timestamp(u.arbitrary()?),
            HeaderType::Uuid => Self::Uuid(u.arbitrary()?),
        })
    }
}

impl<'a> Arbitrary<'a> for HeaderBlock {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut headers = Vec::new();
        for _ in 0..u.int_in_range(0..=MAX_HEADERS)? {
            let name = match text(u, u8::MAX.into())? {
                "" => "name",
                name => name,
            };
            headers.push((name, u.arbitrary::<HeaderValue<'a>>()?));
        }
        Self::from_headers(headers).map_err(|_| arbitrary::Error::IncorrectFormat)
    }
}

impl<'a> Arbitrary<'a> for Payload {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut slices = Vec::new();
        for _ in 0..u.int_in_range(0..=MAX_SLICES)? {
            slices.push(Bytes::copy_from_slice(bytes(u, MAX_BYTES)?));
        }
        Ok(slices.into_iter().collect())
    }
}

impl<'a> Arbitrary<'a> for Message {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self::new(u.arbitrary()?, u.arbitrary::<Payload>()?))
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
    let valid = match core::str::from_utf8(bytes) {
        Ok(text) => return Ok(text),
        Err(error) => error.valid_up_to(),
    };
    Ok(core::str::from_utf8(bytes.get(..valid).unwrap_or_default()).unwrap_or_default())
}
