//! Messages and encoded messages as values: comparing, copying, formatting, taking apart.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use bytes::{Buf, Bytes};
use lambda_invoke_event_stream::{
    Decoder, HeaderBlock, Limits, Message, Payload, Status, decode, encode_vectored,
};
use support::{ALL_TYPES, flat, wrap};

fn block(value: i32) -> HeaderBlock {
    HeaderBlock::from_headers([("n", value)]).unwrap()
}

#[test]
fn messages_are_equal_if_headers_and_payload_are() {
    let message = Message::new(block(1), "payload");
    assert_eq!(message, message.clone());
    let slices = ["pay", "load"].map(Bytes::from);
    let in_slices = Message::new(block(1), slices.into_iter().collect::<Payload>());
    assert_eq!(message, in_slices);
    assert_ne!(message, Message::new(block(2), "payload"));
    assert_ne!(message, Message::new(block(1), "Payload"));
    assert_ne!(message, Message::new(block(1), ""));
    assert_eq!(Message::default(), Message::new(HeaderBlock::new(), ""));
    // The same bytes, but divided differently into headers and payload.
    let headers = HeaderBlock::try_from(Bytes::from_static(b"\x01a\x00")).unwrap();
    assert_ne!(
        Message::new(headers, ""),
        Message::new(HeaderBlock::new(), "\x01a\0")
    );
}

#[test]
fn debug_shows_headers_and_lengths_but_no_payload() {
    let message = Message::new(block(1), "secret");
    let payload = "Payload { len: 6, slices: 1 }";
    assert_eq!(
        format!("{message:?}"),
        format!(r#"Message {{ headers: {{"n": Integer(1)}}, payload: {payload} }}"#)
    );
    let wire = message.to_bytes().unwrap();
    let Status::Complete(borrowed) = decode(&wire, &Limits::new()).unwrap() else {
        panic!("incomplete")
    };
    assert_eq!(
        format!("{borrowed:?}"),
        r#"MessageRef { headers: {"n": Integer(1)}, payload_len: 6 }"#
    );

    let mut decoder = Decoder::default();
    decoder.push(wire.slice(..20));
    assert_eq!(decoder.next_message(), Ok(None));
    let shown = format!("{decoder:?}");
    assert!(shown.starts_with("Decoder { limits: Limits {"), "{shown}");
    assert!(
        shown.ends_with("position: 20, missing: Some(9), failed: None }"),
        "{shown}"
    );
}

/// The same message, in one piece and in several, made in different ways.
fn messages() -> [Message; 4] {
    let headers = HeaderBlock::try_from(Bytes::from_static(ALL_TYPES)).unwrap();
    let slices = ["some", "thing"].map(Bytes::from);
    let wire = wrap(ALL_TYPES, b"something");
    let decoded = |size: usize| {
        let mut decoder = Decoder::new();
        for piece in wire.chunks(size) {
            decoder.push(Bytes::copy_from_slice(piece));
        }
        decoder.next_message().unwrap().unwrap()
    };
    [
        Message::new(headers.clone(), "something"),
        Message::new(headers, slices.into_iter().collect::<Payload>()),
        decoded(wire.len()),
        decoded(3),
    ]
}

#[test]
fn a_borrowed_payload_is_the_payload_without_the_headers() {
    for message in messages() {
        let payload = message.payload();
        assert_eq!(payload, b"something");
        assert_eq!((payload.len(), payload.is_empty()), (9, false));
        assert_eq!(payload.remaining(), 9);
        assert!(b"something".starts_with(payload.chunk()) && !payload.chunk().is_empty());
        assert_eq!(payload.slices().collect::<Vec<_>>().concat(), b"something");
        assert!(payload.slices().all(|slice| !slice.is_empty()));
        assert_eq!(payload.to_bytes(), "something");
        assert_eq!(*payload, payload.clone());
        assert_eq!(payload.clone().into_bytes(), "something");
        assert_eq!(
            payload.clone().into_iter().collect::<Vec<_>>().concat(),
            b"something"
        );
        assert_eq!(message.clone().into_payload(), *payload);
        assert_eq!(message.header_block().as_bytes(), ALL_TYPES);
        assert_eq!(message, messages()[0]);
    }
}

#[test]
fn a_message_without_headers_or_payload_is_taken_apart_like_any_other() {
    for (headers, payload) in [(ALL_TYPES, &b""[..]), (b"", b"x"), (b"", b"")] {
        for size in [1, 13, 1000] {
            let wire = wrap(headers, payload);
            let mut decoder = Decoder::new();
            for piece in wire.chunks(size) {
                decoder.push(Bytes::copy_from_slice(piece));
            }
            let message = decoder.next_message().unwrap().unwrap();
            assert_eq!(*message.payload(), *payload);
            assert_eq!(message.payload().to_bytes(), payload);
            assert_eq!(message.payload().slices().count(), payload.len());
            assert_eq!(message.payload().is_empty(), payload.is_empty());
            let (block, rest) = message.clone().into_parts();
            assert_eq!(
                (block.as_bytes(), rest),
                (&Bytes::from_static(headers), payload.to_vec().into())
            );
            assert_eq!(message.into_payload().into_iter().count(), payload.len());
        }
    }
}

#[test]
fn a_payload_in_one_slice_is_shared() {
    let [made, _, decoded, _] = messages();
    for message in [made, decoded] {
        let bytes = message.payload().to_bytes();
        assert_eq!(bytes.as_ptr(), message.payload().chunk().as_ptr());
    }
    // The payload follows a header block that has a buffer of its own.
    let slice = Bytes::from(vec![b'x'; 10]);
    let message = Message::new(block(1), slice.clone());
    assert_eq!(message.payload().to_bytes().as_ptr(), slice.as_ptr());
    assert_eq!(message.into_payload().into_bytes().as_ptr(), slice.as_ptr());
}

#[test]
fn an_encoded_message_is_a_buffer_over_its_parts() {
    let payload: Payload = ["pay", "load"].map(Bytes::from).into_iter().collect();
    let headers = block(1);
    let wire = wrap(headers.as_bytes(), b"payload");
    let encoded = encode_vectored(headers.headers(), payload).unwrap();
    for count in 0..=wire.len() {
        let mut rest = encoded.clone();
        rest.advance(count);
        assert_eq!(rest.remaining(), wire.len() - count);
        assert_eq!(rest.has_remaining(), !rest.chunk().is_empty());
        let mut parts = [std::io::IoSlice::new(&[]); 8];
        let filled = rest.chunks_vectored(&mut parts);
        assert_eq!(flat(&parts[..filled]), wire[count..]);
        assert!(parts[..filled].iter().all(|part| !part.is_empty()));
        let mut one = [std::io::IoSlice::new(&[])];
        assert_eq!(rest.chunks_vectored(&mut one), filled.min(1));
        let pieces: Vec<Bytes> = rest.into_iter().collect();
        assert_eq!(pieces.len(), filled);
        assert_eq!(pieces.concat(), wire[count..]);
    }
}

#[test]
#[should_panic = "cannot advance by 17 bytes, 16 remain"]
fn an_encoded_message_does_not_advance_past_its_end() {
    let mut encoded = Message::default().into_vectored().unwrap();
    encoded.advance(17);
}
