//! A plain implementation of the format that shares no code with any codec: slow, short, and built
//! from the specification.

use super::{PlainMessage, PlainValue, Rule};

/// The longest message, in bytes.
const MAX_MESSAGE: usize = 24 * 1024 * 1024;
/// The longest header block, in bytes.
const MAX_HEADERS: usize = 128 * 1024;
/// The longest string or byte array, in bytes.
const MAX_VALUE: usize = 32_767;

/// A parsed field and the bytes after it.
type Read<'a, T> = Result<(T, &'a [u8]), Rule>;

/// Encodes a message.
#[must_use]
pub fn encode(message: &PlainMessage) -> Vec<u8> {
    seal(&block(&message.headers), &message.payload)
}

/// Decodes a stream: its messages, and the rule that it breaks after them, if any.
pub fn decode(mut stream: &[u8]) -> (Vec<PlainMessage>, Result<(), Rule>) {
    let mut messages = Vec::new();
    while !stream.is_empty() {
        match message(stream) {
            Ok((message, rest)) => {
                messages.push(message);
                stream = rest;
            }
            Err(rule) => return (messages, Err(rule)),
        }
    }
    (messages, Ok(()))
}

/// Decodes the first message of a stream.
fn message(stream: &[u8]) -> Read<'_, PlainMessage> {
    let (prelude, _) = stream
        .split_first_chunk::<12>()
        .ok_or(Rule::CompleteMessage)?;
    let word = |at: usize| {
        let word = [
            prelude[at],
            prelude[at + 1],
            prelude[at + 2],
            prelude[at + 3],
        ];
        u32::from_be_bytes(word)
    };
    if crc32(&prelude[..8]) != word(8) {
        return Err(Rule::PreludeChecksum);
    }
    let (total, length) = (word(0) as usize, word(4) as usize);
    for (broken, rule) in [
        (total < 16, Rule::MinMessageLength),
        (total > MAX_MESSAGE, Rule::MaxMessageLength),
        (length > MAX_HEADERS, Rule::MaxHeadersLength),
        (length + 16 > total, Rule::HeadersWithinMessage),
    ] {
        if broken {
            return Err(rule);
        }
    }
    let (frame, rest) = stream
        .split_at_checked(total)
        .ok_or(Rule::CompleteMessage)?;
    let (before, checksum) = frame.split_at(total - 4);
    if crc32(before).to_be_bytes() != checksum {
        return Err(Rule::MessageChecksum);
    }
    let (block, payload) = before[12..].split_at(length);
    let message = PlainMessage {
        headers: headers(block)?,
        payload: payload.to_vec(),
    };
    Ok((message, rest))
}

/// Encodes a message with this header block and payload, and with correct lengths and checksums.
#[must_use]
pub fn seal(block: &[u8], payload: &[u8]) -> Vec<u8> {
    let total = (block.len() + payload.len() + 16) as u32;
    let mut message = total.to_be_bytes().to_vec();
    message.extend((block.len() as u32).to_be_bytes());
    message.extend(crc32(&message).to_be_bytes());
    message.extend(block);
    message.extend(payload);
    message.extend(crc32(&message).to_be_bytes());
    message
}

/// Computes CRC-32, bit by bit.
#[must_use]
pub fn crc32(bytes: &[u8]) -> u32 {
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
#[must_use]
pub fn block(headers: &[(String, PlainValue)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        block.push(name.len() as u8);
        block.extend(name.as_bytes());
        let sized = |number: u8, value: &[u8]| {
            [&[number][..], &(value.len() as u16).to_be_bytes(), value].concat()
        };
        block.extend(match value {
            PlainValue::Bool(true) => vec![0],
            PlainValue::Bool(false) => vec![1],
            PlainValue::Byte(v) => vec![2, *v as u8],
            PlainValue::Short(v) => [&[3][..], &v.to_be_bytes()].concat(),
            PlainValue::Integer(v) => [&[4][..], &v.to_be_bytes()].concat(),
            PlainValue::Long(v) => [&[5][..], &v.to_be_bytes()].concat(),
            PlainValue::ByteArray(v) => sized(6, v),
            PlainValue::String(v) => sized(7, v.as_bytes()),
            PlainValue::Timestamp(v) => [&[8][..], &v.to_be_bytes()].concat(),
            PlainValue::Uuid(v) => [&[9][..], v].concat(),
        });
    }
    block
}

/// Decodes a header block.
///
/// # Errors
///
/// The rule that the block breaks first.
pub fn headers(mut block: &[u8]) -> Result<Vec<(String, PlainValue)>, Rule> {
    let mut headers = Vec::new();
    while !block.is_empty() {
        let (header, rest) = header(block)?;
        headers.push(header);
        block = rest;
    }
    Ok(headers)
}

fn header(block: &[u8]) -> Read<'_, (String, PlainValue)> {
    let ([length], rest) = fixed(block)?;
    if length == 0 {
        return Err(Rule::NonEmptyName);
    }
    let (name, rest) = rest
        .split_at_checked(length.into())
        .ok_or(Rule::CompleteHeaders)?;
    let name = text(name).ok_or(Rule::NameIsText)?;
    let ([number], rest) = fixed(rest)?;
    let (value, rest) = match number {
        0 => (PlainValue::Bool(true), rest),
        1 => (PlainValue::Bool(false), rest),
        2 => number_of(rest, |b| PlainValue::Byte(i8::from_be_bytes(b)))?,
        3 => number_of(rest, |b| PlainValue::Short(i16::from_be_bytes(b)))?,
        4 => number_of(rest, |b| PlainValue::Integer(i32::from_be_bytes(b)))?,
        5 => number_of(rest, |b| PlainValue::Long(i64::from_be_bytes(b)))?,
        6 => {
            let (bytes, rest) = sized(rest)?;
            (PlainValue::ByteArray(bytes.to_vec()), rest)
        }
        7 => {
            let (bytes, rest) = sized(rest)?;
            let text = text(bytes).ok_or(Rule::StringIsText)?;
            (PlainValue::String(text), rest)
        }
        8 => number_of(rest, |b| PlainValue::Timestamp(i64::from_be_bytes(b)))?,
        9 => number_of(rest, PlainValue::Uuid)?,
        _ => return Err(Rule::KnownType),
    };
    Ok(((name, value), rest))
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

fn fixed<const N: usize>(rest: &[u8]) -> Read<'_, [u8; N]> {
    let (bytes, rest) = rest.split_first_chunk::<N>().ok_or(Rule::CompleteHeaders)?;
    Ok((*bytes, rest))
}

fn number_of<const N: usize>(
    rest: &[u8],
    value: impl Fn([u8; N]) -> PlainValue,
) -> Read<'_, PlainValue> {
    let (bytes, rest) = fixed(rest)?;
    Ok((value(bytes), rest))
}

fn sized(rest: &[u8]) -> Read<'_, &[u8]> {
    let (length, rest) = fixed(rest)?;
    let length = usize::from(u16::from_be_bytes(length));
    if length > MAX_VALUE {
        return Err(Rule::MaxValueLength);
    }
    rest.split_at_checked(length).ok_or(Rule::CompleteHeaders)
}
