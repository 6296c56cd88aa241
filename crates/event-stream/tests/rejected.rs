//! Invalid input: the error with which it is rejected, the offset, and how early.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use bytes::Bytes;
use lambda_invoke_event_stream::{
    DecodeErrorKind as Kind, Decoder, HeaderBlock, HeaderValue, Limits, Message, Status, decode,
};
use support::{check_rejected, crc, decode_pieces, wrap};

/// A prelude with these lengths and the right checksum.
fn prelude(total: u32, headers: u32) -> Vec<u8> {
    let mut prelude = [total.to_be_bytes(), headers.to_be_bytes()].concat();
    prelude.extend(crc(&prelude).to_be_bytes());
    prelude
}

fn rejected(stream: &[u8]) -> (u64, Kind) {
    let error = check_rejected(&format!("{stream:x?}"), stream);
    (error.offset(), error.kind())
}

#[test]
fn lengths_below_sixteen_are_rejected_at_byte_twelve() {
    for actual in 0..16 {
        assert_eq!(
            rejected(&prelude(actual, 0)),
            (0, Kind::MessageTooShort { actual })
        );
    }
    assert!(decode(&prelude(16, 0), &Limits::new()).is_ok());
}

#[test]
fn headers_past_the_message_are_rejected_at_byte_twelve() {
    for (total, actual) in [
        (16, 1),
        (20, 5),
        (20, 8),
        (1000, 985),
        (1000, 1000),
        (1000, 131_072),
    ] {
        let available = total - 16;
        let kind = Kind::HeadersExceedMessage { available, actual };
        assert_eq!(rejected(&prelude(total, actual)), (4, kind));
    }
    assert!(decode(&prelude(1000, 984), &Limits::new()).is_ok());
}

#[test]
fn lengths_over_the_limits_are_rejected_at_byte_twelve() {
    let limit = 24 * 1024 * 1024;
    for actual in [limit + 1, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
        assert_eq!(
            rejected(&prelude(actual, 0)),
            (0, Kind::MessageTooLong { limit, actual })
        );
        assert_eq!(
            rejected(&prelude(actual, actual)),
            (0, Kind::MessageTooLong { limit, actual })
        );
    }
    assert!(decode(&prelude(limit, 0), &Limits::new()).is_ok());

    let limit = 128 * 1024;
    for actual in [limit + 1, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
        let kind = Kind::HeadersTooLong { limit, actual };
        assert_eq!(rejected(&prelude(24 * 1024 * 1024, actual)), (4, kind));
    }
    assert!(decode(&prelude(24 * 1024 * 1024, limit), &Limits::new()).is_ok());
}

#[test]
fn limits_can_be_set() {
    let wire = wrap(b"\x01a\x00", b"hello");
    let limits = Limits::new()
        .with_max_message_len(24)
        .with_max_headers_len(3);
    assert!(matches!(decode(&wire, &limits), Ok(Status::Complete(_))));
    let smaller = limits.with_max_message_len(23);
    let error = decode(&wire, &smaller).unwrap_err();
    assert_eq!(
        error.kind(),
        Kind::MessageTooLong {
            limit: 23,
            actual: 24
        }
    );
    let error = decode(&wire, &limits.with_max_headers_len(2)).unwrap_err();
    assert_eq!(
        error.kind(),
        Kind::HeadersTooLong {
            limit: 2,
            actual: 3
        }
    );

    let mut decoder = Decoder::with_limits(smaller);
    decoder.push(Bytes::from(wire));
    let error = decoder.next_message().unwrap_err();
    assert_eq!(
        error.kind(),
        Kind::MessageTooLong {
            limit: 23,
            actual: 24
        }
    );
    assert_eq!(Limits::default(), Limits::new());
    let all = Limits::new()
        .with_max_message_len(u32::MAX)
        .with_max_headers_len(u32::MAX);
    assert!(matches!(
        decode(&prelude(u32::MAX, u32::MAX - 16), &all),
        Ok(Status::Incomplete { .. })
    ));
}

#[test]
fn a_wrong_prelude_checksum_is_rejected_before_its_lengths_are_used() {
    // These lengths are invalid, too.
    for (total, headers) in [(u32::MAX, 0), (0, 0), (16, u32::MAX), (29, 0)] {
        let mut bytes = prelude(total, headers);
        let actual = u32::from_be_bytes(bytes[8..].try_into().unwrap());
        bytes[11] ^= 1;
        let kind = Kind::PreludeChecksumMismatch {
            expected: actual ^ 1,
            actual,
        };
        assert_eq!(rejected(&bytes), (8, kind));
        assert!(matches!(
            decode(&bytes[..11], &Limits::new()),
            Ok(Status::Incomplete { .. })
        ));
    }
}

#[test]
fn a_wrong_message_checksum_is_rejected_before_the_headers_are_parsed() {
    // The header is invalid as well: its type number does not exist.
    let mut wire = wrap(b"\x01a\x0a", b"hello");
    let end = wire.len() - 4;
    let actual = u32::from_be_bytes(wire[end..].try_into().unwrap());
    wire[end] ^= 0x80;
    let kind = Kind::MessageChecksumMismatch {
        expected: actual ^ 0x8000_0000,
        actual,
    };
    assert_eq!(rejected(&wire), (end as u64, kind));
}

#[test]
fn every_fault_in_a_header_is_reported_with_its_offset() {
    let long = [&b"\x01a\x00\x01b\x07\x80\x00"[..], &[b'v'; 32_768]].concat();
    let cases: &[(&[u8], u64, Kind)] = &[
        (b"\x00\x00", 0, Kind::HeaderNameEmpty),
        (b"\x01a\x00\x00", 3, Kind::HeaderNameEmpty),
        (
            b"\x05abc",
            1,
            Kind::HeaderNameTruncated {
                expected: 5,
                actual: 3,
            },
        ),
        (
            b"\xff",
            1,
            Kind::HeaderNameTruncated {
                expected: 255,
                actual: 0,
            },
        ),
        (b"\x02a\xff\x00", 2, Kind::HeaderNameNotUtf8),
        (
            b"\x03a\xc3",
            1,
            Kind::HeaderNameTruncated {
                expected: 3,
                actual: 2,
            },
        ),
        (b"\x01a", 2, Kind::HeaderTypeMissing),
        (b"\x01a\x0a", 2, Kind::HeaderTypeUnknown { actual: 10 }),
        (
            b"\x01a\x00\x01b\xff",
            5,
            Kind::HeaderTypeUnknown { actual: 255 },
        ),
        (
            b"\x01a\x02",
            3,
            Kind::HeaderValueTruncated {
                expected: 1,
                actual: 0,
            },
        ),
        (
            b"\x01a\x03\x00",
            3,
            Kind::HeaderValueTruncated {
                expected: 2,
                actual: 1,
            },
        ),
        (
            b"\x01a\x04\x00\x00\x00",
            3,
            Kind::HeaderValueTruncated {
                expected: 4,
                actual: 3,
            },
        ),
        (
            b"\x01a\x05\x00",
            3,
            Kind::HeaderValueTruncated {
                expected: 8,
                actual: 1,
            },
        ),
        (
            b"\x01a\x08",
            3,
            Kind::HeaderValueTruncated {
                expected: 8,
                actual: 0,
            },
        ),
        (
            b"\x01a\x09\x00",
            3,
            Kind::HeaderValueTruncated {
                expected: 16,
                actual: 1,
            },
        ),
        (
            b"\x01a\x06\x00",
            3,
            Kind::HeaderValueTruncated {
                expected: 2,
                actual: 1,
            },
        ),
        (
            b"\x01a\x07\x00\x05four",
            5,
            Kind::HeaderValueTruncated {
                expected: 5,
                actual: 4,
            },
        ),
        (b"\x01a\x07\x00\x04ab\xff\xfe", 7, Kind::HeaderValueNotUtf8),
        // Truncated in the middle of a two-byte character.
        (b"\x01a\x07\x00\x02a\xc3", 6, Kind::HeaderValueNotUtf8),
        (
            b"\x01a\x07\xff\xffv",
            3,
            Kind::HeaderValueTooLong {
                limit: 32_767,
                actual: 65_535,
            },
        ),
        (
            &long,
            6,
            Kind::HeaderValueTooLong {
                limit: 32_767,
                actual: 32_768,
            },
        ),
    ];
    for (block, at, kind) in cases {
        let error = HeaderBlock::try_from(Bytes::copy_from_slice(block)).unwrap_err();
        assert_eq!((error.offset(), error.kind()), (*at, *kind), "{block:x?}");
        if block.len() < 1000 {
            assert_eq!(rejected(&wrap(block, b"payload")), (12 + at, *kind));
        }
        // After a message whose headers are valid.
        let good = wrap(b"\x01a\x00", b"");
        let stream = [&good[..], &wrap(block, b"")].concat();
        let (messages, end) = decode_pieces([&stream[..]]);
        assert_eq!(messages.len(), 1);
        assert_eq!(end.unwrap_err().offset(), good.len() as u64 + 12 + at);
    }
    // A byte array need not be UTF-8.
    assert!(HeaderBlock::try_from(Bytes::from_static(b"\x01a\x06\x00\x01\xff")).is_ok());
}

#[test]
fn offsets_are_counted_from_the_start_of_the_stream() {
    let good = wrap(b"\x01a\x00", b"hello");
    let mut bad = good.clone();
    bad[20] ^= 1;
    let stream = [&good[..], &good, &bad, &good].concat();
    for size in [1, 5, 24, 48, 1000] {
        let (messages, end) = decode_pieces(stream.chunks(size));
        assert_eq!(messages.len(), 2);
        // The message's checksum is its last four bytes.
        assert_eq!(end.unwrap_err().offset(), 3 * 24 - 4);
    }
}

#[test]
fn after_an_error_nothing_more_is_decoded() {
    let good = wrap(b"", b"hello");
    let mut decoder = Decoder::new();
    decoder.push(Bytes::from(vec![0; 100]));
    let error = decoder.next_message().unwrap_err();
    for _ in 0..3 {
        decoder.push(Bytes::from(good.clone()));
        assert_eq!(decoder.next_message(), Err(error));
        assert_eq!(decoder.finish(), Err(error));
        assert_eq!(decoder.missing(), None);
    }
}

#[test]
fn finishing_with_unread_input_is_not_an_unexpected_eof() {
    let wire = Bytes::from(wrap(b"", b"hello"));
    let mut decoder = Decoder::new();
    assert_eq!(decoder.finish(), Ok(()));
    decoder.push(wire.clone());
    decoder.push(wire.slice(..10));
    assert_eq!(
        decoder.finish().unwrap_err().kind(),
        Kind::UnreadInput { remaining: 31 }
    );
    // The error is not sticky: the caller made a mistake, but the stream is valid.
    assert!(decoder.next_message().unwrap().is_some());
    assert_eq!(
        decoder.finish().unwrap_err().kind(),
        Kind::UnreadInput { remaining: 10 }
    );
    assert!(decoder.next_message().unwrap().is_none());
    let error = decoder.finish().unwrap_err();
    assert_eq!(
        error.kind(),
        Kind::UnexpectedEof {
            received: 10,
            missing: 6
        }
    );
    assert_eq!(error.offset(), 31);
    assert_eq!(
        error.to_string(),
        "at byte 31: unexpected end of stream: 10 bytes of the message were received, \
         at least 6 are missing",
    );
    assert_eq!(decoder.next_message(), Err(error), "the error is sticky");
}

#[test]
fn a_message_may_be_as_long_as_the_limit_and_no_longer() {
    let limit = 24 * 1024 * 1024;
    let message = |length| Message::new(HeaderBlock::new(), vec![b'0'; length - 16]);
    let wire = message(limit).to_bytes().unwrap();
    let (messages, end) = decode_pieces(wire.chunks(16 * 1024));
    assert_eq!((messages.len(), end), (1, Ok(())));
    assert_eq!(messages[0].payload().len(), limit - 16);
    let wire = message(limit + 1).to_bytes().unwrap();
    let kind = Kind::MessageTooLong {
        limit: limit as u32,
        actual: limit as u32 + 1,
    };
    let (messages, end) = decode_pieces(wire.chunks(16 * 1024));
    assert_eq!((messages.len(), end.unwrap_err().kind()), (0, kind));
}

#[test]
fn a_header_block_may_be_as_long_as_the_limit_and_no_longer() {
    // Four values of 32,760 bytes, and one that fills the rest of the block.
    let block = |length: usize| {
        let value = "v".repeat(32_760);
        let rest = "v".repeat(length - 4 * (32_760 + 5) - 5);
        let headers = [&value, &value, &value, &value, &rest];
        HeaderBlock::from_headers(headers.map(|v| ("n", HeaderValue::String(v)))).unwrap()
    };
    let limit = 128 * 1024;
    assert_eq!(block(limit).as_bytes().len(), limit);
    let wire = Message::new(block(limit), "").to_bytes().unwrap();
    for size in [1000, wire.len()] {
        let (messages, end) = decode_pieces(wire.chunks(size));
        assert_eq!((messages.len(), end), (1, Ok(())));
        assert_eq!(messages[0].header_block(), block(limit));
    }
    let wire = Message::new(block(limit + 1), "").to_bytes().unwrap();
    let kind = Kind::HeadersTooLong {
        limit: limit as u32,
        actual: limit as u32 + 1,
    };
    assert_eq!(decode(&wire, &Limits::new()).unwrap_err().kind(), kind);
}
