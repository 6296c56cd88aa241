//! Which of the pushed buffers are kept in memory. The buffers count themselves.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::Arc;

use bytes::Bytes;
use lambda_invoke_event_stream::{Decoder, HeaderBlock, Message, Payload};
use support::{ALL_TYPES, wrap};

/// Hands out pieces, each of which belongs to a read buffer of its own.
#[derive(Default)]
struct Buffers(Arc<()>);

/// A read buffer. It holds only the bytes of its piece: all that matters is whether it still
/// exists.
struct Buffer(
    Vec<u8>,
    #[expect(dead_code, reason = "counts the buffers")] Arc<()>,
);

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Buffers {
    fn piece(&self, bytes: &[u8]) -> Bytes {
        Bytes::from_owner(Buffer(bytes.to_vec(), self.0.clone()))
    }

    /// Returns how many buffers are still in memory.
    fn kept(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

/// The documented maximum for an incomplete message of which `length` bytes have arrived.
fn most(length: usize) -> usize {
    18 + length / 4096
}

#[test]
fn an_incomplete_message_keeps_few_buffers_however_small_the_pieces() {
    let wire = wrap(ALL_TYPES, &vec![b'x'; 200_000]);
    let incomplete = &wire[..wire.len() - 1];
    for size in [1, 2, 100, 511, 512, 600, 4095, 4096, 5000, 65_536] {
        let buffers = Buffers::default();
        let mut decoder = Decoder::new();
        for (index, piece) in incomplete.chunks(size).enumerate() {
            decoder.push(buffers.piece(piece));
            assert_eq!(decoder.next_message(), Ok(None));
            let received = incomplete.len().min((index + 1) * size);
            let kept = buffers.kept();
            assert!(kept <= most(received), "{size}: {kept} of {received} bytes");
        }
        decoder.push(buffers.piece(&wire[incomplete.len()..]));
        let message = decoder.next_message().unwrap().unwrap();
        assert_eq!(message.payload().len(), 200_000);
        assert!(buffers.kept() <= most(wire.len()), "{size}");
        drop(message);
        assert_eq!(
            buffers.kept(),
            1,
            "{size}: the last piece, until the next call"
        );
        assert_eq!(decoder.next_message(), Ok(None));
        assert_eq!(buffers.kept(), 0, "{size}");
    }
}

#[test]
fn sixteen_pieces_are_kept_before_any_is_copied() {
    let wire = wrap(b"", &[b'x'; 2000]);
    let buffers = Buffers::default();
    let mut decoder = Decoder::new();
    for (index, piece) in wire[..2000].chunks(1).enumerate() {
        decoder.push(buffers.piece(piece));
        assert_eq!(decoder.next_message(), Ok(None));
        // The prelude is always copied.
        assert_eq!(buffers.kept(), (index + 1).saturating_sub(12).min(16));
    }
}

#[test]
fn unread_input_keeps_few_buffers_however_small_the_pieces() {
    let wire = wrap(b"", b"x").repeat(10_000);
    for size in [1, 100, 4095, 4096] {
        let buffers = Buffers::default();
        let mut decoder = Decoder::new();
        for piece in wire.chunks(size) {
            decoder.push(buffers.piece(piece));
        }
        let kept = buffers.kept();
        assert!(kept <= most(wire.len()), "{size}: {kept}");
        let mut messages = 0;
        while decoder.next_message().unwrap().is_some() {
            messages += 1;
        }
        assert_eq!((messages, buffers.kept()), (10_000, 0), "{size}");
    }
}

#[test]
fn small_pieces_between_large_ones_are_gathered_too() {
    let buffers = Buffers::default();
    let mut decoder = Decoder::new();
    let wire = wrap(b"", &vec![b'x'; 1_000_000]);
    let (mut rest, mut large) = (&wire[..wire.len() - 1], false);
    while !rest.is_empty() {
        let size = if large { 4096 } else { 10 };
        let (piece, after) = rest.split_at(size.min(rest.len()));
        decoder.push(buffers.piece(piece));
        assert_eq!(decoder.next_message(), Ok(None));
        (rest, large) = (after, !large);
    }
    let kept = buffers.kept();
    assert!(kept <= most(wire.len()), "{kept}");
}

#[test]
fn a_header_block_in_several_pieces_keeps_none_of_them() {
    let buffers = Buffers::default();
    let mut decoder = Decoder::new();
    let wire = wrap(ALL_TYPES, b"");
    for piece in wire[..wire.len() - 1].chunks(7) {
        decoder.push(buffers.piece(piece));
        assert_eq!(decoder.next_message(), Ok(None));
        assert_eq!(buffers.kept(), 0);
    }
}

#[test]
fn an_error_releases_all_buffers() {
    let buffers = Buffers::default();
    let mut decoder = Decoder::new();
    let wire = wrap(b"\x01a\x0a", &[b'x'; 1000]);
    for piece in wire.chunks(100) {
        decoder.push(buffers.piece(piece));
    }
    decoder.push(buffers.piece(b"more"));
    assert!(decoder.next_message().is_err());
    assert_eq!(buffers.kept(), 0);
    decoder.push(buffers.piece(b"more"));
    assert_eq!(buffers.kept(), 0);
}

/// A message whose header block and payload lie in pieces of these lengths, and its buffers.
fn message_in(lengths: &[usize]) -> (Buffers, Message) {
    let buffers = Buffers::default();
    let total: usize = lengths.iter().sum();
    let payload = vec![b'x'; total - 16 - ALL_TYPES.len()];
    let mut rest = &wrap(ALL_TYPES, &payload)[..];
    let mut decoder = Decoder::new();
    for length in lengths {
        let (piece, after) = rest.split_at(*length);
        decoder.push(buffers.piece(piece));
        rest = after;
    }
    let message = decoder.next_message().unwrap().unwrap();
    assert_eq!(decoder.next_message(), Ok(None));
    (buffers, message)
}

#[test]
fn compacting_a_message_keeps_only_large_slices() {
    // The first 12 bytes are the prelude, and the last 4 are the checksum.
    for (lengths, min_slice, kept) in [
        (&[500][..], 485, 0),
        (&[500], 484, 1),
        (&[500], usize::MAX, 0),
        (&[500], 0, 1),
        (&[300, 99, 100, 105], 100, 3),
        (&[300, 99, 100, 105], 101, 2),
        (&[300, 99, 100, 105], 102, 1),
        (&[300, 99, 100, 105], 289, 0),
        (&[50, 150, 40, 50, 5000, 60, 103], 100, 2),
        (&[50, 150, 40, 50, 5000, 60, 103], 5000, 1),
    ] {
        let (buffers, mut message) = message_in(lengths);
        let before = message.clone();
        message.compact(min_slice);
        assert_eq!(message, before);
        assert_eq!(message.headers(), before.headers());
        assert_eq!(message.to_bytes(), before.to_bytes());
        drop(before);
        assert_eq!(buffers.kept(), kept, "{lengths:?} from {min_slice}");
        assert!(message.payload().slices().all(|slice| !slice.is_empty()));
        let (block, payload) = message.into_parts();
        assert_eq!(block.as_bytes(), ALL_TYPES);
        assert_eq!(
            payload.slices().map(<[u8]>::len).sum::<usize>(),
            payload.len()
        );
    }
}

#[test]
fn adjacent_small_slices_become_one() {
    let payload = |lengths: &[usize]| -> Payload {
        lengths
            .iter()
            .map(|length| Bytes::from(vec![b'x'; *length]))
            .collect()
    };
    let compacted = |lengths: &[usize], min_slice| {
        let mut payload = payload(lengths);
        let before = payload.clone();
        payload.compact(min_slice);
        assert_eq!(payload, before);
        payload.slices().map(<[u8]>::len).collect::<Vec<_>>()
    };
    assert_eq!(
        compacted(&[1, 2, 100, 3, 4, 5, 200, 300], 100),
        [3, 100, 12, 200, 300]
    );
    assert_eq!(compacted(&[1, 2, 3], 100), [6]);
    assert_eq!(compacted(&[1, 2, 3], 0), [1, 2, 3]);
    assert_eq!(compacted(&[100, 100, 1], 100), [100, 100, 1]);
    assert_eq!(compacted(&[], usize::MAX), [0; 0]);
    assert_eq!(compacted(&[7], usize::MAX), [7]);
}

#[test]
fn what_is_taken_out_of_a_message_does_not_keep_the_rest() {
    // The headers are in the first piece, and the payload is in the second.
    let head = 12 + ALL_TYPES.len();
    let (buffers, message) = message_in(&[head, 1000]);
    assert_eq!(buffers.kept(), 2);
    let payload = message.payload().clone();
    assert_eq!(payload.len(), 996);
    let headers = message.headers().to_block();
    assert_eq!(headers.as_bytes(), ALL_TYPES);
    drop(message);
    assert_eq!(
        buffers.kept(),
        1,
        "a copy of the payload keeps the payload's"
    );
    let bytes = payload.into_bytes();
    assert_eq!(buffers.kept(), 1);
    drop(bytes);
    assert_eq!(buffers.kept(), 0, "and copied headers none");

    let (buffers, message) = message_in(&[head, 1000]);
    let payload = message.into_payload();
    assert_eq!(buffers.kept(), 1);
    drop(payload);

    let (buffers, message) = message_in(&[head, 1000]);
    let shared: HeaderBlock = message.header_block();
    drop(message);
    assert_eq!(
        (shared.as_bytes().len(), buffers.kept()),
        (ALL_TYPES.len(), 1)
    );
}

#[test]
fn bytes_that_were_read_from_a_payload_do_not_keep_the_rest() {
    use bytes::Buf;
    for step in [1, 3, 10, 25] {
        let buffers = Buffers::default();
        let slices = [10, 20, 30].map(|length| buffers.piece(&vec![b'x'; length]));
        let mut payload: Payload = slices.into_iter().collect();
        let mut read = 0;
        while payload.has_remaining() {
            let count = step.min(payload.remaining());
            if read % 2 == 0 {
                payload.advance(count);
            } else {
                drop(payload.copy_to_bytes(count));
            }
            read += count;
            let kept = [10, 30, 60].iter().filter(|end| read < **end).count();
            assert_eq!(buffers.kept(), kept, "after {read}");
        }
        assert_eq!(buffers.kept(), 0, "although the payload is still there");
        assert!(payload.is_empty());
    }
}
