//! `lambda-invoke-event-stream` against `aws-smithy-eventstream`, over generated streams: each
//! codec decodes what the other one encodes, and the bytes are the same.
//!
//! The tests at the end cover intended differences: what the project's codec rejects and
//! `aws-smithy-eventstream` accepts.

use aws_smithy_eventstream::frame::{
    DecodedFrame, MessageFrameDecoder, read_message_from, write_message_to,
};
use aws_smithy_types::DateTime;
use aws_smithy_types::event_stream as smithy;
use aws_smithy_types::str_bytes::StrBytes;
use bytes::{Buf, Bytes};
use lambda_invoke_event_stream::{
    DecodeErrorKind, Decoder, HeaderBlock, HeaderValue, Limits, Message, Status, decode,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// A message in types that belong to neither codec.
#[derive(Clone, Debug)]
struct Plain {
    headers: Vec<(String, Value)>,
    payload: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Value {
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

impl Plain {
    fn ours(&self) -> Message {
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.ours()));
        Message::new(
            HeaderBlock::from_headers(headers).unwrap(),
            self.payload.clone(),
        )
    }

    fn theirs(&self) -> smithy::Message {
        let message = smithy::Message::new(self.payload.clone());
        self.headers.iter().fold(message, |message, (name, value)| {
            message.add_header(smithy::Header::new(name.clone(), value.theirs()))
        })
    }
}

impl Value {
    fn ours(&self) -> HeaderValue<'_> {
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

    fn theirs(&self) -> smithy::HeaderValue {
        match self {
            Self::Bool(v) => smithy::HeaderValue::Bool(*v),
            Self::Byte(v) => smithy::HeaderValue::Byte(*v),
            Self::Short(v) => smithy::HeaderValue::Int16(*v),
            Self::Integer(v) => smithy::HeaderValue::Int32(*v),
            Self::Long(v) => smithy::HeaderValue::Int64(*v),
            Self::ByteArray(v) => smithy::HeaderValue::ByteArray(v.clone().into()),
            Self::String(v) => smithy::HeaderValue::String(v.clone().into()),
            Self::Timestamp(v) => smithy::HeaderValue::Timestamp(DateTime::from_millis(*v)),
            Self::Uuid(v) => smithy::HeaderValue::Uuid(u128::from_be_bytes(*v)),
        }
    }
}

/// Converts a message that our decoder returned into their type.
fn as_theirs(message: &Message) -> smithy::Message {
    let theirs = smithy::Message::new(message.payload().to_bytes());
    message
        .headers()
        .iter()
        .fold(theirs, |theirs, (name, value)| {
            let value = match value {
                HeaderValue::Bool(v) => smithy::HeaderValue::Bool(v),
                HeaderValue::Byte(v) => smithy::HeaderValue::Byte(v),
                HeaderValue::Short(v) => smithy::HeaderValue::Int16(v),
                HeaderValue::Integer(v) => smithy::HeaderValue::Int32(v),
                HeaderValue::Long(v) => smithy::HeaderValue::Int64(v),
                HeaderValue::ByteArray(v) => {
                    smithy::HeaderValue::ByteArray(Bytes::copy_from_slice(v))
                }
                HeaderValue::String(v) => smithy::HeaderValue::String(StrBytes::copy_from_str(v)),
                HeaderValue::Timestamp(v) => {
                    smithy::HeaderValue::Timestamp(DateTime::from_millis(v))
                }
                HeaderValue::Uuid(v) => smithy::HeaderValue::Uuid(u128::from_be_bytes(v)),
                other => panic!("unknown header type: {other:?}"),
            };
            theirs.add_header(smithy::Header::new(StrBytes::copy_from_str(name), value))
        })
}

fn value() -> impl Strategy<Value = Value> {
    // Milliseconds that fit into the type of `aws-smithy-eventstream`, which has seconds and
    // nanoseconds.
    let milliseconds = -8_640_000_000_000_000..8_640_000_000_000_000_i64;
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i8>().prop_map(Value::Byte),
        any::<i16>().prop_map(Value::Short),
        any::<i32>().prop_map(Value::Integer),
        any::<i64>().prop_map(Value::Long),
        vec(any::<u8>(), 0..300).prop_map(Value::ByteArray),
        "\\PC{0,80}".prop_map(Value::String),
        // The longest permitted value.
        Just(Value::ByteArray(vec![0xA5; 32_767])),
        milliseconds.prop_map(Value::Timestamp),
        any::<[u8; 16]>().prop_map(Value::Uuid),
    ]
}

fn plain() -> impl Strategy<Value = Plain> {
    let headers = vec(("[a-z:-]{1,20}|\\PC{1,60}", value()), 0..8);
    let payload = prop_oneof![vec(any::<u8>(), 0..200), vec(any::<u8>(), 5000..20_000)];
    (headers, payload).prop_map(|(headers, payload)| Plain { headers, payload })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn both_write_the_same_bytes(plain in plain()) {
        let mut theirs = Vec::new();
        write_message_to(&plain.theirs(), &mut theirs).unwrap();
        prop_assert_eq!(plain.ours().to_bytes().unwrap(), theirs);
    }

    #[test]
    fn we_read_what_they_write(
        plain in vec(plain(), 1..6),
        lengths in vec(1..4000_usize, 1..20),
    ) {
        let mut stream = Vec::new();
        for message in &plain {
            write_message_to(&message.theirs(), &mut stream).unwrap();
        }
        // Several values of maximal length exceed the project's default limit of 128 KiB; the other
        // codec has no limit.
        let mut decoder = Decoder::with_limits(Limits::new().with_max_headers_len(1 << 20));
        let mut read = Vec::new();
        for piece in pieces(&stream.into(), &lengths) {
            decoder.push(piece);
            while let Some(message) = decoder.next_message().unwrap() {
                read.push(as_theirs(&message));
            }
        }
        decoder.finish().unwrap();
        prop_assert_eq!(read, plain.iter().map(Plain::theirs).collect::<Vec<_>>());
    }

    #[test]
    fn they_read_what_we_write(
        plain in vec(plain(), 1..6),
        lengths in vec(1..4000_usize, 1..20),
    ) {
        let vectored = plain.iter().flat_map(|message| message.ours().into_vectored().unwrap());
        let stream = Bytes::from(vectored.collect::<Vec<_>>().concat());
        let mut decoder = MessageFrameDecoder::new();
        let mut read = Vec::new();
        let mut buffered = Bytes::new();
        for piece in pieces(&stream, &lengths) {
            buffered = [buffered, piece].concat().into();
            while let DecodedFrame::Complete(message) = decoder.decode_frame(&mut buffered).unwrap() {
                read.push(message);
            }
        }
        prop_assert!(!buffered.has_remaining());
        prop_assert_eq!(read, plain.iter().map(Plain::theirs).collect::<Vec<_>>());
    }

    #[test]
    fn both_reject_a_damaged_message(plain in plain(), at in any::<usize>(), bit in 0..8_u32) {
        let mut wire = plain.ours().to_bytes().unwrap().to_vec();
        let at = at % wire.len();
        wire[at] ^= 1 << bit;
        prop_assert!(decode(&wire, &Limits::new()).is_err());
        prop_assert!(read_message_from(&mut Bytes::from(wire)).is_err());
    }
}

fn pieces(stream: &Bytes, lengths: &[usize]) -> Vec<Bytes> {
    let mut rest = stream.clone();
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle() {
        pieces.push(rest.split_to(rest.len().min(*length)));
        if rest.is_empty() {
            return pieces;
        }
    }
    pieces
}

/// Encodes a message with this header block, with correct lengths and checksums.
fn sealed(block: &[u8]) -> Vec<u8> {
    let mut wire = (16 + block.len() as u32).to_be_bytes().to_vec();
    wire.extend((block.len() as u32).to_be_bytes());
    wire.extend(crc32fast::hash(&wire).to_be_bytes());
    wire.extend(block);
    wire.extend(crc32fast::hash(&wire).to_be_bytes());
    wire
}

#[test]
fn only_we_reject_a_value_that_is_longer_than_the_specification_allows() {
    let wire = sealed(&[&b"\x01a\x06\x80\x00"[..], &[0; 32_768]].concat());
    let error = decode(&wire, &Limits::new()).unwrap_err();
    assert_eq!(
        error.kind(),
        DecodeErrorKind::HeaderValueTooLong {
            limit: 32_767,
            actual: 32_768
        }
    );
    assert!(read_message_from(&mut Bytes::from(wire)).is_ok());
}

#[test]
fn only_we_reject_a_message_that_is_longer_than_the_specification_allows() {
    let payload = vec![0; 24 * 1024 * 1024 + 1];
    let wire = Message::new(HeaderBlock::new(), payload)
        .to_bytes()
        .unwrap();
    let error = decode(&wire[..12], &Limits::new()).unwrap_err();
    assert!(
        matches!(error.kind(), DecodeErrorKind::MessageTooLong { .. }),
        "{error}"
    );
    assert!(read_message_from(&mut wire.clone()).is_ok());
    let raised = Limits::new().with_max_message_len(u32::MAX);
    assert!(matches!(decode(&wire, &raised), Ok(Status::Complete(_))));
}

#[test]
fn only_we_reject_a_wrong_prelude_at_byte_twelve() {
    // A length of 4 GiB with a wrong checksum.
    let prelude = Bytes::from_static(b"\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00");
    let error = decode(&prelude, &Limits::new()).unwrap_err();
    assert!(
        matches!(
            error.kind(),
            DecodeErrorKind::PreludeChecksumMismatch { .. }
        ),
        "{error}"
    );
    let waits = MessageFrameDecoder::new()
        .decode_frame(&mut prelude.clone())
        .unwrap();
    assert!(matches!(waits, DecodedFrame::Incomplete));
}
