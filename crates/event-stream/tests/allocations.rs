//! Counts what the codec allocates. All in one test, because the counter counts for the whole
//! process.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::alloc::System;

use bytes::{Bytes, BytesMut};
use lambda_invoke_event_stream::{
    Decoder, HeaderBlock, HeaderValue, Limits, Message, Status, decode, encode, encode_vectored,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, Stats, StatsAlloc};

#[global_allocator]
static COUNTER: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn only_what_the_documentation_says_is_allocated() {
    // The test harness allocates now and then, so each measurement is repeated.
    whole_messages_cost_no_allocation();
    nothing_is_reserved_for_a_length_that_is_only_stated();
    a_payload_that_spans_pieces_is_not_copied();
    tiny_pieces_cost_no_more_than_their_bytes();
    encoding_into_a_buffer_costs_no_allocation();
}

/// The smallest allocation of three runs.
fn allocated(mut run: impl FnMut()) -> Stats {
    let runs = [(); 3].map(|()| {
        let region = Region::new(COUNTER);
        run();
        region.change()
    });
    runs.into_iter()
        .min_by_key(|stats| (stats.allocations, stats.bytes_allocated))
        .unwrap()
}

/// A message with the three headers of the Lambda service.
fn message(payload: usize) -> Message {
    let headers = HeaderBlock::from_headers([
        (":event-type", HeaderValue::String("PayloadChunk")),
        (
            ":content-type",
            HeaderValue::String("application/octet-stream"),
        ),
        (":message-type", HeaderValue::String("event")),
    ]);
    Message::new(headers.unwrap(), vec![b'x'; payload])
}

/// Bytes that are already shared, because `bytes` allocates when the bytes of a `Vec` are first
/// cloned.
fn shared(bytes: Vec<u8>) -> (Bytes, Bytes) {
    let bytes = Bytes::from(bytes);
    (bytes.clone(), bytes)
}

fn whole_messages_cost_no_allocation() {
    for payload in [0, 64, 1024, 65_536] {
        let (stream, _keep) = shared(message(payload).to_bytes().unwrap().repeat(100));
        let stats = allocated(|| {
            let mut decoder = Decoder::new();
            decoder.push(stream.clone());
            let mut count = 0;
            while let Some(message) = decoder.next_message().unwrap() {
                assert!(message.headers().get(":event-type").is_some());
                assert_eq!(message.into_payload().into_bytes().len(), payload);
                count += 1;
            }
            decoder.finish().unwrap();
            assert_eq!(count, 100);
        });
        assert_eq!(
            stats.allocations, 0,
            "{payload} bytes of payload: {stats:?}"
        );

        let stats = allocated(|| {
            let Ok(Status::Complete(message)) = decode(&stream, &Limits::new()) else {
                panic!("incomplete");
            };
            assert_eq!(message.headers().iter().count(), 3);
        });
        assert_eq!(
            stats.allocations, 0,
            "{payload} bytes of payload: {stats:?}"
        );
    }
}

fn nothing_is_reserved_for_a_length_that_is_only_stated() {
    let with_checksum = |total: u32, headers: u32| {
        let mut prelude = [total.to_be_bytes(), headers.to_be_bytes()].concat();
        prelude.extend(crc32fast::hash(&prelude).to_be_bytes());
        Bytes::copy_from_slice(&prelude)
    };
    let limit = 24 * 1024 * 1024;
    let mut wrong = BytesMut::from(&with_checksum(limit, 0)[..]);
    wrong[8] ^= 1;
    let cases = [
        // Rejected: over the limits, or with a wrong checksum.
        (with_checksum(u32::MAX, 0), true),
        (with_checksum(limit + 1, 0), true),
        (with_checksum(limit, u32::MAX), true),
        (with_checksum(15, 0), true),
        (wrong.freeze(), true),
        // Valid lengths, of a message of which no further byte has arrived.
        (with_checksum(limit, 0), false),
        (with_checksum(limit, 128 * 1024), false),
    ];
    for (prelude, rejected) in &cases {
        for size in [1, 5, 12] {
            let stats = allocated(|| {
                let mut decoder = Decoder::new();
                for at in (0..12).step_by(size) {
                    decoder.push(prelude.slice(at..12.min(at + size)));
                    let next = decoder.next_message();
                    assert_eq!(next.is_err(), *rejected && at + size >= 12);
                }
            });
            assert_eq!(stats.allocations, 0, "{prelude:?}: {stats:?}");
        }
    }
}

fn a_payload_that_spans_pieces_is_not_copied() {
    for (payload, piece) in [
        (65_536, 8192),
        (65_536, 16_384),
        (1024, 500),
        (1 << 20, 8192),
    ] {
        let (stream, _keep) = shared(message(payload).to_bytes().unwrap().to_vec());
        let pieces = stream.len().div_ceil(piece);
        let stats = allocated(|| {
            let mut decoder = Decoder::new();
            for at in (0..stream.len()).step_by(piece) {
                decoder.push(stream.slice(at..stream.len().min(at + piece)));
                if let Some(message) = decoder.next_message().unwrap() {
                    let range = stream.as_ptr_range();
                    let payload = message.into_payload();
                    assert!(
                        payload
                            .slices()
                            .all(|slice| range.contains(&slice.as_ptr()))
                    );
                }
            }
            decoder.finish().unwrap();
        });
        // Only handles to the pieces are allocated, in a list that doubles as it grows.
        let handles = 4 * 32 * pieces.max(8);
        assert!(
            stats.bytes_allocated <= handles,
            "{payload} in {piece}: {stats:?}"
        );
        if pieces <= 16 {
            assert_eq!(
                (stats.allocations, stats.reallocations),
                (1, 0),
                "{payload} in {piece}: the list of pieces"
            );
        }
        assert!(
            stats.allocations + stats.reallocations <= 8,
            "{payload} in {piece}: {stats:?}"
        );
    }
}

fn tiny_pieces_cost_no_more_than_their_bytes() {
    let payload = 1 << 20;
    let (stream, _keep) = shared(message(payload).to_bytes().unwrap().to_vec());
    for pulled in [true, false] {
        let region = Region::new(COUNTER);
        let mut decoder = Decoder::new();
        for at in 0..stream.len() - 1 {
            decoder.push(stream.slice(at..at + 1));
            if pulled {
                assert_eq!(decoder.next_message(), Ok(None));
            }
        }
        let stats = region.change();
        let kept = stats.bytes_allocated - stats.bytes_deallocated;
        assert!(kept < payload * 5 / 4, "{kept} bytes kept for {payload}");
        // Each byte is copied once, into buffers of 4 KiB.
        let allocated = stats.bytes_allocated as isize + stats.bytes_reallocated;
        assert!(allocated < payload as isize * 3 / 2, "{stats:?}");
    }
}

fn encoding_into_a_buffer_costs_no_allocation() {
    let message = message(1024);
    let (block, payload) = message.clone().into_parts();
    let payload = payload.into_bytes();
    let mut out = BytesMut::with_capacity(message.encoded_len().unwrap());
    let stats = allocated(|| {
        out.clear();
        encode(block.headers(), &payload[..], &mut out).unwrap();
    });
    assert_eq!(stats.allocations + stats.reallocations, 0, "{stats:?}");

    let head = 12 + block.as_bytes().len();
    let stats = allocated(|| drop(encode_vectored(block.headers(), payload.clone()).unwrap()));
    assert_eq!(
        (stats.allocations, stats.bytes_allocated),
        (1, head),
        "the head, and no more"
    );
}
