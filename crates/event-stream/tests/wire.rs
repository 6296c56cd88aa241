//! The format, in messages written out by hand after the specification:
//! <https://smithy.io/2.0/aws/amazon-eventstream.html>.

// Tests may unwrap, their helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use bytes::{Buf, Bytes, BytesMut};
use lambda_invoke_event_stream::{
    Decoder, EncodeError, HeaderBlock, HeaderType, HeaderValue, Headers, Message, Payload, encode,
    encode_vectored, encoded_len,
};
use support::{Expected, Value, check_stream, wrap};

/// One header of each type, in the order of their numbers.
const ALL_TYPES: &[u8] = b"\x01a\x00\
    \x01b\x01\
    \x01c\x02\xff\
    \x01d\x03\xff\xfe\
    \x01e\x04\xff\xff\xff\xfd\
    \x01f\x05\xff\xff\xff\xff\xff\xff\xff\xfc\
    \x01g\x06\x00\x03\x00\xff\x80\
    \x01h\x07\x00\x06h\xc3\xa9llo\
    \x01i\x08\x00\x00\x01\x61\x97\x16\xac\xc2\
    \x01j\x09\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f";

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
        assert_eq!(HeaderType::from_wire(number).unwrap().to_wire(), number);
    }
    assert_eq!(HeaderType::from_wire(10), None);
    let types: Vec<u8> = all_types()
        .iter()
        .map(|(_, value)| value.as_value().header_type().to_wire())
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
    let name = |actual| EncodeError::HeaderName { limit: 255, actual };
    assert_eq!(write("", HeaderValue::Bool(true)), name(0));
    assert_eq!(write(&"n".repeat(256), HeaderValue::Bool(true)), name(256));
    let value = EncodeError::HeaderValue {
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
    let message = EncodeError::Message {
        limit: u32::MAX.into(),
        actual: u64::from(u32::MAX) + 1,
    };
    assert_eq!(encoded_len(Headers::default(), limit + 1), Err(message));
}

#[test]
fn a_buffer_that_is_too_small_is_left_as_it_was() {
    let mut room = [7; 20];
    let error = encode(Headers::default(), &b"hello"[..], &mut &mut room[..]).unwrap_err();
    assert_eq!(
        error,
        EncodeError::Buffer {
            needed: 21,
            available: 20
        }
    );
    assert_eq!(
        error.to_string(),
        "the message has 21 bytes, but the buffer can take only 20"
    );
    assert_eq!(room, [7; 20]);
}

#[test]
fn a_payload_in_several_slices_encodes_as_one() {
    let slices = ["some", "", "thing", " ", "long"].map(Bytes::from);
    let payload: Payload = slices.iter().cloned().collect();
    assert_eq!(payload.slices().count(), 4);
    let wire = wrap(ALL_TYPES, b"something long");
    let block = HeaderBlock::from_bytes(Bytes::from_static(ALL_TYPES)).unwrap();
    let message = Message::new(block.clone(), payload.clone());
    assert_eq!(message.to_bytes().unwrap(), wire);
    let pieces: Vec<Bytes> = message.into_vectored().unwrap().into_iter().collect();
    assert_eq!(pieces.concat(), wire);
    assert_eq!(pieces.len(), 6);
    assert_eq!(
        pieces[1].as_ptr(),
        slices[0].as_ptr(),
        "the payload is not copied"
    );

    let mut vectored = encode_vectored(block.headers(), payload).unwrap();
    #[cfg(feature = "std")]
    {
        let mut parts = [std::io::IoSlice::new(&[]); 8];
        assert_eq!(vectored.chunks_vectored(&mut parts), 6);
    }
    // In steps that end within each of the parts.
    let mut out = BytesMut::new();
    while vectored.has_remaining() {
        let step = vectored.chunk().len().min(3);
        out.extend_from_slice(&vectored.chunk()[..step]);
        vectored.advance(step);
    }
    assert_eq!(out, wire);
}

#[test]
fn a_payload_is_a_buffer_over_all_its_slices() {
    let payload: Payload = ["abc", "defg", "h"].map(Bytes::from).into_iter().collect();
    assert_eq!(payload.clone().copy_to_bytes(3), "abc");
    assert_eq!(payload.clone().copy_to_bytes(2), "ab");
    assert_eq!(payload.clone().copy_to_bytes(5), "abcde");
    assert_eq!(payload.to_bytes(), "abcdefgh");
    assert_eq!(
        payload.clone().into_iter().collect::<Vec<_>>(),
        ["abc", "defg", "h"]
    );
    for count in 0..=8 {
        let mut rest = payload.clone();
        rest.advance(count);
        assert_eq!(rest.remaining(), 8 - count);
        assert_eq!(rest, b"abcdefgh"[count..]);
        assert_eq!(rest.is_empty(), count == 8);
        assert_eq!(rest.has_remaining(), !rest.chunk().is_empty());
    }
    assert_eq!(payload, Payload::from("abcdefgh"));
    assert_ne!(payload, Payload::from("abcdefgX"));
    assert_ne!(payload, b"abcdefg");
    assert_eq!(format!("{payload:?}"), "Payload { len: 8, slices: 3 }");
}

#[test]
fn a_payload_that_came_in_pieces_is_slices_of_them() {
    let payload: Vec<u8> = (0..1000_u32).map(|i| i as u8).collect();
    let wire = Bytes::from(wrap(ALL_TYPES, &payload));
    let start = 12 + ALL_TYPES.len();
    let mut decoder = Decoder::new();
    for (from, to) in [
        (0, start + 1),
        (start + 1, start + 500),
        (start + 500, wire.len()),
    ] {
        decoder.push(wire.slice(from..to));
        decoder.push(Bytes::new());
    }
    let message = decoder.next_message().unwrap().unwrap();
    let slices: Vec<Bytes> = message.payload().into_iter().collect();
    assert_eq!(
        slices.iter().map(Bytes::len).collect::<Vec<_>>(),
        [1, 499, 500]
    );
    assert!(
        slices
            .iter()
            .zip([0, 1, 500])
            .all(|(s, at)| s.as_ptr() == wire[start + at..].as_ptr())
    );
    let (headers, payload_too) = message.clone().into_parts();
    assert_eq!(headers.as_bytes(), ALL_TYPES);
    assert_eq!(payload_too, payload[..]);
    assert_eq!(message.payload_len(), 1000);
    assert_eq!(message.payload().into_bytes(), payload);
}

#[test]
fn many_tiny_pieces_are_gathered_and_no_other() {
    let payload: Vec<u8> = (0..100_000_u32).map(|i| (i / 7) as u8).collect();
    let wire = wrap(b"", &payload);
    let mut decoder = Decoder::new();
    let mut messages = Vec::new();
    for piece in wire.chunks(1) {
        decoder.push(Bytes::copy_from_slice(piece));
        messages.extend(decoder.next_message().unwrap());
    }
    let payload_in_pieces = messages[0].payload();
    assert_eq!(payload_in_pieces, payload[..]);
    let slices = payload_in_pieces.slices().count();
    assert!(slices <= 16 + 2 * 100_000 / 512 + 1, "{slices} slices");

    // All at once in the queue, before anything is taken out.
    for size in [1, 100, 300, 512, 8192] {
        let mut decoder = Decoder::new();
        let source = Bytes::from(wire.clone());
        (0..wire.len()).step_by(size).for_each(|at| {
            decoder.push(source.slice(at..wire.len().min(at + size)));
        });
        let message = decoder.next_message().unwrap().unwrap();
        assert_eq!(message.payload(), payload[..]);
        let payload_read = message.payload();
        let copied = payload_read.slices().filter(|slice| {
            let range = source.as_ptr_range();
            !range.contains(&slice.as_ptr())
        });
        assert_eq!(copied.count() > 0, size < 512, "pieces of {size} bytes");
    }
}
