//! The adapter to `tokio_util::codec`.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::error::Error as _;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use futures_core::Stream as _;
use lambda_invoke_event_stream::{
    CodecError, DecodeErrorKind, EncodeError, EventStreamCodec, HeaderBlock, HeaderValue, Limits,
    Message,
};
use support::decode_pieces;
use tokio_util::codec::{Decoder as _, Encoder as _, FramedRead};

fn messages() -> Vec<Message> {
    let block = HeaderBlock::from_headers([("n", HeaderValue::Integer(7))]).unwrap();
    (0..20_usize)
        .map(|i| Message::new(block.clone(), Bytes::from(vec![i as u8; i * 57])))
        .collect()
}

fn wire() -> BytesMut {
    let mut wire = BytesMut::new();
    for message in messages() {
        EventStreamCodec::new().encode(message, &mut wire).unwrap();
    }
    wire
}

#[test]
fn frames_are_decoded_however_the_reads_divide_them() {
    let wire = wire();
    assert_eq!(decode_pieces([&wire[..]]), (messages(), Ok(())));
    for size in [1, 7, 100, 1000, wire.len()] {
        let mut codec = EventStreamCodec::new();
        let mut read = Vec::new();
        let mut buffer = BytesMut::new();
        for piece in wire.chunks(size) {
            buffer.extend_from_slice(piece);
            while let Some(message) = codec.decode(&mut buffer).unwrap() {
                read.push(message);
            }
        }
        assert!(codec.decode_eof(&mut buffer).unwrap().is_none());
        assert_eq!(read, messages());
    }
}

#[test]
fn frames_keep_their_order_if_the_codec_is_not_emptied_between_reads() {
    let mut codec = EventStreamCodec::new();
    let mut read = Vec::new();
    let wire = wire();
    let mut rest = messages().into_iter();
    // Two messages, then one in each read, of which one is taken: another one always waits.
    while rest.len() > 0 {
        let count = if rest.len() == messages().len() { 2 } else { 1 };
        let mut buffer = BytesMut::new();
        for message in rest.by_ref().take(count) {
            codec.encode(message, &mut buffer).unwrap();
        }
        read.extend(codec.decode(&mut buffer).unwrap());
    }
    while let Some(message) = codec.decode_eof(&mut BytesMut::new()).unwrap() {
        read.push(message);
    }
    assert_eq!(decode_pieces([&wire[..]]), (read.clone(), Ok(())));
    assert_eq!(read, messages());
}

#[test]
fn all_frames_left_in_the_buffer_are_decoded_at_the_end() {
    let mut codec = EventStreamCodec::new();
    let mut buffer = wire();
    let mut read = Vec::new();
    while let Some(message) = codec.decode_eof(&mut buffer).unwrap() {
        read.push(message);
    }
    assert_eq!(read, messages());
}

#[test]
fn a_stream_that_ends_within_a_message_is_an_error_wherever_it_ends() {
    let message = Message::new(HeaderBlock::new(), "hello")
        .to_bytes()
        .unwrap();
    for end in 1..message.len() {
        let mut codec = EventStreamCodec::new();
        let mut buffer = BytesMut::from(&message[..end]);
        assert!(codec.decode(&mut buffer).unwrap().is_none());
        let error = codec.decode_eof(&mut buffer).unwrap_err();
        let CodecError::Decode(inside) = error else {
            panic!("{error}")
        };
        assert!(
            inside.is_unexpected_eof() && inside.offset() == end as u64,
            "{inside}"
        );
    }
}

#[test]
fn limits_apply_and_errors_have_their_source() {
    let mut codec = EventStreamCodec::with_limits(Limits::new().with_max_message_len(20));
    let mut buffer = BytesMut::new();
    let message = Message::new(HeaderBlock::new(), "hello");
    codec.encode(message, &mut buffer).unwrap();
    let error = codec.decode(&mut buffer).unwrap_err();
    assert_eq!(error.to_string(), "the peer sent an invalid event stream");
    let cause = error
        .source()
        .unwrap()
        .downcast_ref::<lambda_invoke_event_stream::DecodeError>();
    let kind = DecodeErrorKind::MessageTooLong {
        limit: 20,
        actual: 21,
    };
    assert_eq!(cause.unwrap().kind(), kind);
}

#[test]
fn framed_reads_a_stream_and_rejects_a_truncated_one() {
    let wire = wire();
    let read: Vec<Message> = framed(&wire).into_iter().map(Result::unwrap).collect();
    assert_eq!(read, messages());

    let read = framed(&wire[..wire.len() - 1]);
    assert_eq!(read.len(), messages().len());
    let error = read.last().unwrap().as_ref().unwrap_err();
    assert!(
        matches!(error, CodecError::Decode(error) if error.is_unexpected_eof()),
        "{error:?}"
    );
}

/// The items of a `FramedRead` over these bytes.
fn framed(wire: &[u8]) -> Vec<Result<Message, CodecError>> {
    let mut framed = pin!(FramedRead::new(wire, EventStreamCodec::new()));
    let mut context = Context::from_waker(Waker::noop());
    let mut read = Vec::new();
    while let Poll::Ready(Some(next)) = framed.as_mut().poll_next(&mut context) {
        read.push(next);
    }
    read
}

#[test]
fn every_error_of_a_codec_names_its_source() {
    let io = CodecError::from(std::io::Error::other("no route"));
    assert_eq!(io.to_string(), "reading or writing the event stream failed");
    assert_eq!(io.source().unwrap().to_string(), "no route");
    let too_long = EncodeError::HeaderNameEmpty;
    let encode = CodecError::from(too_long);
    assert_eq!(encode.to_string(), "the message cannot be encoded");
    assert_eq!(encode.source().unwrap().to_string(), too_long.to_string());
}

#[test]
fn encoding_reserves_room_for_the_message_and_appends_to_the_buffer() {
    let mut buffer = BytesMut::from("before");
    let message = Message::new(HeaderBlock::new(), vec![b'x'; 10_000]);
    EventStreamCodec::new()
        .encode(message.clone(), &mut buffer)
        .unwrap();
    assert_eq!(buffer.split_to(6), "before");
    assert_eq!(buffer, message.to_bytes().unwrap());
}
