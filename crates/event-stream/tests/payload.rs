//! Payloads: in slices, as buffers, and as parts of messages.

// Tests may unwrap, their helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use bytes::{Buf, Bytes, BytesMut};
use lambda_invoke_event_stream::{Decoder, HeaderBlock, Message, Payload, encode_vectored};
use support::{ALL_TYPES, wrap};

#[test]
fn a_payload_in_several_slices_encodes_as_one() {
    let slices = ["some", "", "thing", " ", "long"].map(Bytes::from);
    let payload: Payload = slices.iter().cloned().collect();
    assert_eq!(payload.slices().count(), 4);
    let wire = wrap(ALL_TYPES, b"something long");
    let block = HeaderBlock::try_from(Bytes::from_static(ALL_TYPES)).unwrap();
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
    let slices: Vec<Bytes> = message.payload().clone().into_iter().collect();
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
    assert_eq!(message.payload().len(), 1000);
    assert_eq!(message.payload().to_bytes(), payload);
}

#[test]
fn many_small_pieces_are_copied_together_and_no_others() {
    let payload: Vec<u8> = (0..100_000_u32).map(|i| (i / 7) as u8).collect();
    let wire = wrap(b"", &payload);
    let mut decoder = Decoder::new();
    let mut messages = Vec::new();
    for piece in wire.chunks(1) {
        decoder.push(Bytes::copy_from_slice(piece));
        messages.extend(decoder.next_message().unwrap());
    }
    let payload_in_pieces = messages[0].payload();
    assert_eq!(*payload_in_pieces, payload[..]);
    let slices = payload_in_pieces.slices().count();
    assert!(slices <= 16 + 2 * 100_000 / 4096 + 1, "{slices} slices");

    // All pieces are pushed before anything is read.
    for size in [1, 100, 300, 512, 1000, 4096, 8192] {
        let mut decoder = Decoder::new();
        let source = Bytes::from(wire.clone());
        (0..wire.len()).step_by(size).for_each(|at| {
            decoder.push(source.slice(at..wire.len().min(at + size)));
        });
        let message = decoder.next_message().unwrap().unwrap();
        assert_eq!(*message.payload(), payload[..]);
        let payload_read = message.payload();
        let copied = payload_read.slices().filter(|slice| {
            let range = source.as_ptr_range();
            !range.contains(&slice.as_ptr())
        });
        assert_eq!(copied.count() > 0, size < 4096, "pieces of {size} bytes");
    }
}
