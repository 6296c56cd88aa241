//! Payloads: as slices, as buffers, and as parts of messages.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use bytes::{Buf, Bytes, BytesMut};
use lambda_invoke_event_stream::{Decoder, HeaderBlock, Message, Payload, encode_vectored};
use support::{ALL_TYPES, flat, wrap};

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
    // Advance in steps that end within each of the parts.
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

#[test]
fn payloads_are_compared_byte_by_byte() {
    let in_slices = |slices: &[&'static str]| -> Payload {
        slices
            .iter()
            .map(|slice| Bytes::from_static(slice.as_bytes()))
            .collect()
    };
    let whole = Payload::from("abcdef");
    for same in [&["abc", "def"][..], &["a", "bcde", "f"], &["abcdef"]] {
        let same = in_slices(same);
        assert_eq!(same, whole);
        assert_eq!(whole, same);
        assert_eq!(same, in_slices(&["ab", "cdef"]));
        assert_eq!(same, b"abcdef"[..]);
        assert_eq!(same, &b"abcdef"[..]);
        assert_eq!(same, *b"abcdef");
        assert_eq!(same, b"abcdef");
    }
    for other in [
        &["abc", "deg"][..],
        &["abc", "de"],
        &["abc", "defg"],
        &["bbc", "def"],
        &[],
    ] {
        let other = in_slices(other);
        assert_ne!(other, whole);
        assert_ne!(whole, other);
        assert_ne!(other, in_slices(&["ab", "cdef"]));
        assert_ne!(other, b"abcdef"[..]);
        assert_ne!(other, &b"abcdef"[..]);
        assert_ne!(other, *b"abcdef");
        assert_ne!(other, b"abcdef");
    }
}

#[test]
fn payloads_convert_from_owned_and_static_bytes() {
    let expected = Payload::from(Bytes::from_static(b"text"));
    assert_eq!(expected.len(), 4);
    assert_eq!(Payload::from("text"), expected);
    assert_eq!(Payload::from(String::from("text")), expected);
    assert_eq!(Payload::from(b"text".to_vec()), expected);
    assert_eq!(Payload::from(&b"text"[..]), expected);
    assert_eq!(Payload::new(), Payload::default());
    assert!(Payload::new().is_empty() && !expected.is_empty());
}

#[test]
fn a_payload_fills_vectored_writes_with_its_slices() {
    let payload: Payload = ["abc", "defg", "h"].map(Bytes::from).into_iter().collect();
    let mut parts = [std::io::IoSlice::new(&[]); 8];
    assert_eq!(payload.chunks_vectored(&mut parts), 3);
    assert_eq!(flat(&parts[..3]), b"abcdefgh");
    assert_eq!(payload.chunks_vectored(&mut parts[..2]), 2);
    assert_eq!(Payload::new().chunks_vectored(&mut parts), 0);
}

#[test]
fn every_part_of_a_payload_can_be_copied_out_from_every_byte_on() {
    let payload: Payload = ["abc", "defg", "h"].map(Bytes::from).into_iter().collect();
    for from in 0..=8 {
        for count in 0..=8 - from {
            let mut rest = payload.clone();
            rest.advance(from);
            assert_eq!(rest.copy_to_bytes(count), b"abcdefgh"[from..from + count]);
            assert_eq!(rest.remaining(), 8 - from - count);
            assert_eq!(rest, b"abcdefgh"[from + count..]);
            assert_eq!(rest.has_remaining(), !rest.chunk().is_empty());
        }
    }
}

#[test]
fn a_part_within_a_slice_is_shared() {
    let slice = Bytes::from(vec![b'x'; 10]);
    let mut payload: Payload = [slice.clone(), Bytes::from("more")].into_iter().collect();
    assert_eq!(payload.copy_to_bytes(4).as_ptr(), slice.as_ptr());
    assert_eq!(payload.copy_to_bytes(6).as_ptr(), slice[4..].as_ptr());
    assert_eq!(payload.into_bytes(), "more");
}

#[test]
#[should_panic = "cannot advance by 4 bytes, 3 remain"]
fn a_payload_does_not_advance_past_its_end() {
    Payload::from("abc").advance(4);
}

#[test]
#[should_panic = "cannot copy 4 bytes, 3 remain"]
fn a_payload_does_not_copy_past_its_end() {
    Payload::from("abc").copy_to_bytes(4);
}
