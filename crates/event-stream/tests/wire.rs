//! The format, in messages written out by hand from the specification:
//! <https://smithy.io/2.0/aws/amazon-eventstream.html>.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use bytes::Bytes;
use lambda_invoke_event_stream::{
    DecodeErrorKind, Decoder, EncodeError, HeaderBlock, HeaderType, HeaderValue, Headers, encode,
    encoded_len,
};
use support::{ALL_TYPES, Expected, Value, check_stream, wrap};

fn all_types() -> Vec<(String, Value)> {
    let values = [
        Value::Bool(true),
        Value::Bool(false),
        Value::Byte(-1),
        Value::Short(-2),
        Value::Integer(-3),
        Value::Long(-4),
        Value::ByteArray(vec![0, 0xff, 0x80]),
        Value::String("héllo".to_owned()),
        Value::Timestamp(1_518_658_301_122),
        Value::Uuid([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
    ];
    "abcdefghij".chars().map(String::from).zip(values).collect()
}

#[test]
fn the_empty_message_is_sixteen_bytes() {
    let wire = b"\x00\x00\x00\x10\x00\x00\x00\x00\x05\xc2\x48\xeb\x7d\x98\xc8\xff";
    check_stream(
        "empty",
        wire,
        &[Expected {
            headers: Vec::new(),
            payload: Vec::new(),
        }],
    );
}

#[test]
fn all_ten_types_round_trip() {
    let expected = Expected {
        headers: all_types(),
        payload: b"body".to_vec(),
    };
    check_stream("all types", &wrap(ALL_TYPES, b"body"), &[expected]);
}

#[test]
fn types_have_the_numbers_of_the_wire() {
    for number in 0..=9 {
        assert_eq!(HeaderType::try_from(number).unwrap().as_u8(), number);
    }
    let unknown = DecodeErrorKind::HeaderTypeUnknown { actual: 10 };
    assert_eq!(HeaderType::try_from(10), Err(unknown));
    let types: Vec<u8> = all_types()
        .iter()
        .map(|(_, value)| value.as_value().header_type().as_u8())
        .collect();
    assert_eq!(types, (0..=9).collect::<Vec<_>>());
}

#[test]
fn a_stream_of_the_service_decodes() {
    let event = |name: &str, content: &str| {
        let text = |value: &str| Value::String(value.to_owned());
        vec![
            (":event-type".to_owned(), text(name)),
            (":content-type".to_owned(), text(content)),
            (":message-type".to_owned(), text("event")),
        ]
    };
    let chunk = |payload: &[u8]| Expected {
        headers: event("PayloadChunk", "application/octet-stream"),
        payload: payload.to_vec(),
    };
    let messages = [
        chunk(b"Hello "),
        chunk(&[0; 300]),
        chunk(b""),
        Expected {
            headers: event("InvokeComplete", "application/json"),
            payload: b"{}".to_vec(),
        },
    ];
    let wire = messages
        .iter()
        .flat_map(|m| wrap(m.header_block().as_bytes(), &m.payload));
    check_stream("a stream", &wire.collect::<Vec<u8>>(), &messages);
}

/// A piece that is pushed right after a message that ended with its piece, while others still wait,
/// comes after those.
#[test]
fn pieces_keep_their_order_however_many_messages_are_taken_between_them() {
    let messages: Vec<Bytes> = (b'a'..=b'h')
        .map(|letter| wrap(&[], &vec![letter; usize::from(letter - b'a') * 7]).into())
        .collect();
    let whole = Bytes::from(messages.concat());
    let halves: Vec<Bytes> = messages
        .iter()
        .flat_map(|message| [message.slice(..9), message.slice(9..)])
        .collect();
    let pairs: Vec<Bytes> = messages
        .chunks(2)
        .map(|pair| pair.concat().into())
        .collect();
    for pieces in [&messages, &halves, &pairs] {
        for takes in [
            [0, 0, 1],
            [0, 1, 0],
            [0, 1, 1],
            [1, 1, 1],
            [0, 2, 0],
            [1, 0, 3],
        ] {
            let mut decoder = Decoder::new();
            let mut read = Vec::new();
            for (piece, take) in pieces.iter().zip(takes.iter().cycle()) {
                decoder.push(piece.clone());
                for _ in 0..*take {
                    read.extend(decoder.next_message().unwrap());
                }
                // An empty piece changes nothing.
                decoder.push(Bytes::new());
            }
            while let Some(message) = decoder.next_message().unwrap() {
                read.push(message);
            }
            assert_eq!(decoder.finish(), Ok(()));
            let wire: Vec<Bytes> = read.iter().map(|read| read.to_bytes().unwrap()).collect();
            assert_eq!(wire.concat(), whole, "{takes:?}");
        }
    }
}

#[test]
fn repeated_names_are_kept_in_order() {
    let headers = vec![
        ("x".to_owned(), Value::Integer(1)),
        ("y".to_owned(), Value::Integer(2)),
        ("x".to_owned(), Value::String("three".to_owned())),
    ];
    let expected = Expected {
        headers,
        payload: Vec::new(),
    };
    let block = expected.header_block();
    let values: Vec<_> = block.headers().get_all("x").collect();
    assert_eq!(
        values,
        [HeaderValue::Integer(1), HeaderValue::String("three")]
    );
    check_stream("repeated", &wrap(block.as_bytes(), b""), &[expected]);
}

#[test]
fn strings_and_byte_arrays_may_be_empty_and_as_long_as_the_format_allows() {
    let headers = vec![
        ("empty".to_owned(), Value::String(String::new())),
        ("none".to_owned(), Value::ByteArray(Vec::new())),
        ("n".repeat(255), Value::String("v".repeat(32_767))),
    ];
    let expected = Expected {
        headers,
        payload: Vec::new(),
    };
    let wire = wrap(expected.header_block().as_bytes(), b"");
    check_stream("long", &wire, &[expected]);
}

#[test]
fn what_the_format_cannot_express_is_not_written() {
    fn write(name: &str, value: HeaderValue<'_>) -> EncodeError {
        HeaderBlock::from_headers([(name, value)]).unwrap_err()
    }
    assert_eq!(
        write("", HeaderValue::Bool(true)),
        EncodeError::HeaderNameEmpty
    );
    let name = EncodeError::HeaderNameTooLong {
        limit: 255,
        actual: 256,
    };
    assert_eq!(write(&"n".repeat(256), HeaderValue::Bool(true)), name);
    let value = EncodeError::HeaderValueTooLong {
        limit: 32_767,
        actual: 32_768,
    };
    assert_eq!(write("n", HeaderValue::String(&"v".repeat(32_768))), value);
    assert_eq!(write("n", HeaderValue::ByteArray(&[0; 32_768])), value);
    let limit = u32::MAX as usize - 16;
    assert_eq!(
        encoded_len(Headers::default(), limit),
        Ok(u32::MAX as usize)
    );
    let message = EncodeError::MessageTooLong {
        limit: u32::MAX.into(),
        actual: u64::from(u32::MAX) + 1,
    };
    assert_eq!(encoded_len(Headers::default(), limit + 1), Err(message));
}

#[test]
fn a_buffer_with_exactly_enough_room_is_filled() {
    let mut room = [7; 21];
    let mut rest = &mut room[..];
    encode(Headers::default(), &b"hello"[..], &mut rest).unwrap();
    assert!(rest.is_empty());
    assert_eq!(room[..], wrap(b"", b"hello"));
}

#[test]
fn a_buffer_that_is_too_small_is_left_as_it_was() {
    let mut room = [7; 20];
    let error = encode(Headers::default(), &b"hello"[..], &mut &mut room[..]).unwrap_err();
    assert_eq!(
        error,
        EncodeError::BufferTooSmall {
            needed: 21,
            available: 20
        }
    );
    assert_eq!(
        error.to_string(),
        "buffer too small: the message has 21 bytes, but the buffer has room for 20"
    );
    assert_eq!(room, [7; 20]);
}
