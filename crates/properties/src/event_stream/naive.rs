//! A plain implementation of the format that shares no code with the codec.

use lambda_invoke_event_stream::{HeaderValue, Headers};

/// A parsed field and the bytes after it, or `None` if it is invalid.
type Read<'a, T> = Option<(T, &'a [u8])>;

/// Encodes a message with this header block and payload, with correct lengths and checksums.
pub(crate) fn seal(block: &[u8], payload: &[u8]) -> Vec<u8> {
    let total = (block.len() + payload.len() + 16) as u32;
    let mut message = total.to_be_bytes().to_vec();
    message.extend((block.len() as u32).to_be_bytes());
    message.extend(crc32(&message).to_be_bytes());
    message.extend(block);
    message.extend(payload);
    message.extend(crc32(&message).to_be_bytes());
    message
}

/// CRC-32, bit by bit.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xEDB8_8320
            } else {
                crc >> 1
            };
        }
    }
    !crc
}

/// Encodes a header block.
pub(crate) fn block(headers: Headers<'_>) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        block.push(name.len() as u8);
        block.extend(name.as_bytes());
        block.extend(match value {
            HeaderValue::Bool(true) => vec![0],
            HeaderValue::Bool(false) => vec![1],
            HeaderValue::Byte(v) => vec![2, v as u8],
            HeaderValue::Short(v) => [&[3][..], &v.to_be_bytes()].concat(),
            HeaderValue::Integer(v) => [&[4][..], &v.to_be_bytes()].concat(),
            HeaderValue::Long(v) => [&[5][..], &v.to_be_bytes()].concat(),
            HeaderValue::ByteArray(v) => [&[6][..], &(v.len() as u16).to_be_bytes(), v].concat(),
            HeaderValue::String(v) => {
                [&[7][..], &(v.len() as u16).to_be_bytes(), v.as_bytes()].concat()
            }
            HeaderValue::Timestamp(v) => [&[8][..], &v.to_be_bytes()].concat(),
            HeaderValue::Uuid(v) => [&[9][..], &v].concat(),
            other => panic!("unknown header type: {other:?}"),
        });
    }
    block
}

/// Decodes a header block, or returns `None` if it is invalid.
pub(crate) fn headers(mut block: &[u8]) -> Option<Vec<(&str, HeaderValue<'_>)>> {
    let mut headers = Vec::new();
    while !block.is_empty() {
        let (header, rest) = header(block)?;
        headers.push(header);
        block = rest;
    }
    Some(headers)
}

fn header(block: &[u8]) -> Read<'_, (&str, HeaderValue<'_>)> {
    let (length, rest) = block.split_first()?;
    if *length == 0 {
        return None;
    }
    let (name, rest) = rest.split_at_checked((*length).into())?;
    let name = std::str::from_utf8(name).ok()?;
    let (number, rest) = rest.split_first()?;
    let (value, rest) = match *number {
        0 => (HeaderValue::Bool(true), rest),
        1 => (HeaderValue::Bool(false), rest),
        2 => number_of(rest, |b| HeaderValue::Byte(i8::from_be_bytes(b)))?,
        3 => number_of(rest, |b| HeaderValue::Short(i16::from_be_bytes(b)))?,
        4 => number_of(rest, |b| HeaderValue::Integer(i32::from_be_bytes(b)))?,
        5 => number_of(rest, |b| HeaderValue::Long(i64::from_be_bytes(b)))?,
        6 => {
            let (bytes, rest) = sized(rest)?;
            (HeaderValue::ByteArray(bytes), rest)
        }
        7 => {
            let (bytes, rest) = sized(rest)?;
            (HeaderValue::String(std::str::from_utf8(bytes).ok()?), rest)
        }
        8 => number_of(rest, |b| HeaderValue::Timestamp(i64::from_be_bytes(b)))?,
        9 => number_of(rest, HeaderValue::Uuid)?,
        _ => return None,
    };
    Some(((name, value), rest))
}

fn number_of<const N: usize>(
    rest: &[u8],
    value: impl Fn([u8; N]) -> HeaderValue<'static>,
) -> Read<'_, HeaderValue<'static>> {
    let (bytes, rest) = rest.split_first_chunk::<N>()?;
    Some((value(*bytes), rest))
}

fn sized(rest: &[u8]) -> Read<'_, &[u8]> {
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let length = u16::from_be_bytes(*length);
    if length > 32_767 {
        return None;
    }
    rest.split_at_checked(length.into())
}
