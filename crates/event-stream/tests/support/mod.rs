//! The checks to which every valid and every invalid stream is put.

// Each test file is compiled on its own and uses only a part of this module.
#![allow(dead_code)]

pub(crate) mod json;
pub(crate) mod vectors;

use bytes::{Buf, Bytes};
use lambda_invoke_event_stream::{
    DecodeError, Decoder, HeaderBlock, HeaderValue, Limits, Message, Status, decode, encode,
    encode_vectored,
};

/// One header of each type, in the order of their numbers.
pub(crate) const ALL_TYPES: &[u8] = b"\x01a\x00\
    \x01b\x01\
    \x01c\x02\xff\
    \x01d\x03\xff\xfe\
    \x01e\x04\xff\xff\xff\xfd\
    \x01f\x05\xff\xff\xff\xff\xff\xff\xff\xfc\
    \x01g\x06\x00\x03\x00\xff\x80\
    \x01h\x07\x00\x06h\xc3\xa9llo\
    \x01i\x08\x00\x00\x01\x61\x97\x16\xac\xc2\
    \x01j\x09\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f";

/// A header's value, owned.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Bool(bool),
    Byte(i8),
    Short(i16),
    Integer(i32),
    Long(i64),
    ByteArray(Vec<u8>),
    String(String),
    Timestamp(i64),
    Uuid([u8; 16]),
}

impl Value {
    pub(crate) fn as_value(&self) -> HeaderValue<'_> {
        match self {
            Self::Bool(v) => HeaderValue::Bool(*v),
            Self::Byte(v) => HeaderValue::Byte(*v),
            Self::Short(v) => HeaderValue::Short(*v),
            Self::Integer(v) => HeaderValue::Integer(*v),
            Self::Long(v) => HeaderValue::Long(*v),
            Self::ByteArray(v) => HeaderValue::ByteArray(v),
            Self::String(v) => HeaderValue::String(v),
            Self::Timestamp(v) => HeaderValue::Timestamp(*v),
            Self::Uuid(v) => HeaderValue::Uuid(*v),
        }
    }
}

/// The message that is expected from decoding.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) headers: Vec<(String, Value)>,
    pub(crate) payload: Vec<u8>,
}

impl Expected {
    pub(crate) fn header_block(&self) -> HeaderBlock {
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_value()));
        HeaderBlock::from_headers(headers).unwrap()
    }
}

/// Every bit is flipped in messages up to this length. In longer ones, only the bits of the first
/// and last kilobyte and every 101st bit are flipped: the checksum treats all bits alike, so more
/// would test nothing new.
pub(crate) const FLIPPED_WHOLE: usize = 16 * 1024;

/// Streams up to this length are split at every byte. Longer ones are split at every 101st byte,
/// and around the start of every message and the end of its headers.
pub(crate) const SPLIT_WHOLE: usize = 64 * 1024;

/// Checks a valid stream in every way.
pub(crate) fn check_stream(name: &str, stream: &[u8], expected: &[Expected]) {
    let messages = check_whole(name, stream, expected);
    check_splits(name, stream, &messages);
    for (start, end) in bounds(stream) {
        check_flips(name, &stream[start..end]);
    }
}

/// Where each message of a valid stream begins and ends.
pub(crate) fn bounds(stream: &[u8]) -> Vec<(usize, usize)> {
    let mut bounds = Vec::new();
    let mut start = 0;
    while start < stream.len() {
        let Status::Complete(message) = decode(&stream[start..], &Limits::new()).unwrap() else {
            panic!("the stream ends within a message");
        };
        bounds.push((start, start + message.encoded_len()));
        start += message.encoded_len();
    }
    bounds
}

/// Returns the messages that a decoder yields for these pieces, and how the stream ends.
pub(crate) fn decode_pieces<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Message>, Result<(), DecodeError>) {
    let mut decoder = Decoder::new();
    let mut messages = Vec::new();
    for piece in pieces {
        decoder.push(Bytes::copy_from_slice(piece));
        loop {
            match decoder.next_message() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.next_message(), Err(error), "errors are sticky");
                    assert_eq!(decoder.finish(), Err(error), "errors are sticky");
                    return (messages, Err(error));
                }
            }
        }
    }
    let end = decoder.finish();
    (messages, end)
}

/// Checks that the stream decodes to the expected messages with both decoders, and that these
/// encode to the same bytes with all encoders.
fn check_whole(name: &str, stream: &[u8], expected: &[Expected]) -> Vec<Message> {
    let (messages, end) = decode_pieces([stream]);
    end.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(messages.len(), expected.len(), "{name}");
    let bounds = bounds(stream);
    assert_eq!(messages.len(), bounds.len(), "{name}");
    for ((message, expected), (start, end)) in messages.iter().zip(expected).zip(bounds) {
        let wire = &stream[start..end];
        let headers: Vec<_> = expected
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_value()))
            .collect();
        assert!(
            message.headers().iter().eq(headers.iter().copied()),
            "{name}: {message:?}"
        );
        assert_eq!(*message.payload(), expected.payload[..], "{name}");
        let Status::Complete(at_once) = decode(wire, &Limits::new()).unwrap() else {
            panic!("{name}: incomplete");
        };
        assert_eq!(at_once.to_message(), *message, "{name}");
        for (header, value) in &headers {
            let first = headers.iter().find(|(other, _)| other == header).unwrap().1;
            assert_eq!(message.headers().get(header), Some(first), "{name}");
            assert!(
                message
                    .headers()
                    .get_all(header)
                    .any(|other| other == *value),
                "{name}"
            );
        }

        assert_eq!(message.encoded_len().unwrap(), wire.len(), "{name}");
        assert_eq!(message.to_bytes().unwrap(), wire, "{name}");
        let block = expected.header_block();
        assert_eq!(
            block.as_bytes(),
            message.header_block().as_bytes(),
            "{name}"
        );
        let mut out = Vec::new();
        encode(block.headers(), &expected.payload[..], &mut out).unwrap();
        assert_eq!(out, wire, "{name}");
        let mut vectored = encode_vectored(block.headers(), expected.payload.clone()).unwrap();
        assert_eq!(
            vectored.clone().into_iter().collect::<Vec<_>>().concat(),
            wire,
            "{name}"
        );
        assert_eq!(vectored.copy_to_bytes(vectored.remaining()), wire, "{name}");
    }
    messages
}

/// Checks that the stream decodes the same if it is split in two, anywhere, and into single bytes.
/// If it ends after the first half, that must be reported.
fn check_splits(name: &str, stream: &[u8], messages: &[Message]) {
    let (singly, end) = decode_pieces(stream.chunks(1));
    assert_eq!(
        (&singly[..], end),
        (messages, Ok(())),
        "{name}: in single bytes"
    );

    let bounds = bounds(stream);
    for at in split_points(stream.len(), &bounds) {
        let (first, second) = stream.split_at(at);
        let whole = bounds.iter().take_while(|(_, end)| *end <= at).count();
        let mut decoder = Decoder::new();
        decoder.push(Bytes::copy_from_slice(first));
        for message in &messages[..whole] {
            assert_eq!(
                decoder.next_message().unwrap().as_ref(),
                Some(message),
                "{name} at {at}"
            );
        }
        assert_eq!(decoder.next_message(), Ok(None), "{name} at {at}");
        assert_eq!(decoder.position(), at as u64, "{name}");
        let (start, end) = bounds.get(whole).copied().unwrap_or((at, at));
        check_prefix(name, &decoder, &stream[start..at], start, end - start);

        decoder.push(Bytes::copy_from_slice(second));
        for message in &messages[whole..] {
            assert_eq!(
                decoder.next_message().unwrap().as_ref(),
                Some(message),
                "{name} at {at}"
            );
        }
        assert_eq!(decoder.next_message(), Ok(None), "{name} at {at}");
        assert_eq!(decoder.finish(), Ok(()), "{name} at {at}");
    }
}

/// Checks that a message of `total` bytes that begins at `start`, of which only `prefix` was
/// received, is reported as incomplete.
fn check_prefix(name: &str, decoder: &Decoder, prefix: &[u8], start: usize, total: usize) {
    let finished = decoder.clone().finish();
    if prefix.is_empty() {
        assert_eq!(finished, Ok(()), "{name} at {start}");
        assert_eq!(decoder.missing(), None, "{name} at {start}");
        return;
    }
    let missing = if prefix.len() < 12 {
        16 - prefix.len()
    } else {
        total - prefix.len()
    };
    let status = decode(prefix, &Limits::new());
    assert_eq!(
        status,
        Ok(Status::Incomplete { missing }),
        "{name} at {start}"
    );
    assert_eq!(decoder.missing(), Some(missing), "{name} at {start}");
    let error = finished.unwrap_err();
    assert!(error.is_unexpected_eof(), "{name}: {error}");
    assert_eq!(error.offset(), (start + prefix.len()) as u64, "{name}");
    let received = match prefix.len() {
        1 => "1 byte of the message was received".to_owned(),
        many => format!("{many} bytes of the message were received"),
    };
    let verb = if missing == 1 { "is" } else { "are" };
    let text = format!("{received}, at least {missing} {verb} missing");
    assert!(error.to_string().ends_with(&text), "{name}: {error}");
}

/// Checks that a message with one flipped bit is rejected, whichever bit it is.
pub(crate) fn check_flips(name: &str, message: &[u8]) {
    let mut flipped = message.to_vec();
    for bit in flip_points(message.len()) {
        let mask = 1 << (bit % 8);
        flipped[bit / 8] ^= mask;
        let at_once = decode(&flipped, &Limits::new());
        assert!(
            at_once.is_err(),
            "{name}: bit {bit} flipped gives {at_once:?}"
        );
        // The decoders are compared for every kind of field.
        if message.len() <= 2048 || bit < 128 {
            let (messages, end) = decode_pieces([&flipped[..]]);
            assert!(messages.is_empty(), "{name}: bit {bit}");
            assert_eq!(end.err(), at_once.err(), "{name}: bit {bit}");
        }
        flipped[bit / 8] ^= mask;
    }
}

/// Checks that an invalid stream decodes to no message, and always to the same error, however it is
/// split.
pub(crate) fn check_rejected(name: &str, stream: &[u8]) -> DecodeError {
    let (messages, end) = decode_pieces([stream]);
    assert!(messages.is_empty(), "{name} gives {messages:?}");
    let error = end.expect_err(name);
    match decode(stream, &Limits::new()) {
        Ok(Status::Incomplete { .. }) => assert!(error.is_unexpected_eof(), "{name}: {error}"),
        Err(at_once) => assert_eq!(at_once, error, "{name}"),
        other => panic!("{name} gives {other:?}"),
    }
    for at in 0..=stream.len() {
        let (first, second) = stream.split_at(at);
        assert_eq!(
            decode_pieces([first, second]),
            (Vec::new(), Err(error)),
            "{name} at {at}"
        );
    }
    assert_eq!(
        decode_pieces(stream.chunks(1)),
        (Vec::new(), Err(error)),
        "{name}"
    );
    error
}

fn split_points(length: usize, bounds: &[(usize, usize)]) -> Vec<usize> {
    if length <= SPLIT_WHOLE {
        return (0..=length).collect();
    }
    let near = bounds
        .iter()
        .flat_map(|(start, _)| (start.saturating_sub(6)..start + 160).filter(|at| *at <= length));
    near.chain((0..=length).step_by(101)).collect()
}

fn flip_points(length: usize) -> Vec<usize> {
    let bits = length * 8;
    if length <= FLIPPED_WHOLE {
        return (0..bits).collect();
    }
    let edge = 1024 * 8;
    (0..edge)
        .chain(bits - edge..bits)
        .chain((0..bits).step_by(101))
        .collect()
}

/// Wraps a bare header block, valid or not, into a message whose checksums and lengths are right.
pub(crate) fn wrap(block: &[u8], payload: &[u8]) -> Vec<u8> {
    let total = (16 + block.len() + payload.len()) as u32;
    let mut message = total.to_be_bytes().to_vec();
    message.extend((block.len() as u32).to_be_bytes());
    message.extend(crc(&message).to_be_bytes());
    message.extend(block);
    message.extend(payload);
    message.extend(crc(&message).to_be_bytes());
    message
}

/// CRC-32 computed bit by bit, independently of the library that the codec uses.
pub(crate) fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32| {
        if crc & 1 == 1 {
            (crc >> 1) ^ 0xEDB8_8320
        } else {
            crc >> 1
        }
    };
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc))
    })
}

/// The bytes of a vectored write.
pub(crate) fn flat(parts: &[std::io::IoSlice<'_>]) -> Vec<u8> {
    parts.iter().flat_map(|part| part.iter().copied()).collect()
}
