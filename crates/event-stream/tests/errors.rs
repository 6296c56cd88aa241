//! The messages of errors.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lambda_invoke_event_stream::{DecodeErrorKind as Kind, EncodeError, Limits, decode};

#[test]
fn decode_errors_say_what_was_expected_and_what_was_found() {
    for (kind, message) in [
        (
            Kind::PreludeChecksumMismatch {
                expected: 1,
                actual: 0xabcd_ef01,
            },
            "prelude checksum mismatch: the message states 0x00000001, \
             but its first 8 bytes have 0xabcdef01",
        ),
        (
            Kind::MessageTooShort { actual: 15 },
            "message too short: it states a length of 15 bytes, the minimum is 16",
        ),
        (
            Kind::MessageTooLong {
                limit: 20,
                actual: 21,
            },
            "message too long: it states a length of 21 bytes, the limit is 20",
        ),
        (
            Kind::HeadersTooLong {
                limit: 2,
                actual: 3,
            },
            "headers too long: the message states 3 bytes, the limit is 2",
        ),
        (
            Kind::HeadersTooLong {
                limit: 0,
                actual: 1,
            },
            "headers too long: the message states 1 byte, the limit is 0",
        ),
        (
            Kind::HeadersExceedMessage {
                available: 4,
                actual: 5,
            },
            "headers exceed the message: it states 5 bytes of headers, but has room for 4",
        ),
        (
            Kind::HeadersExceedMessage {
                available: 0,
                actual: 1,
            },
            "headers exceed the message: it states 1 byte of headers, but has room for 0",
        ),
        (
            Kind::MessageChecksumMismatch {
                expected: 2,
                actual: 3,
            },
            "message checksum mismatch: the message states 0x00000002, \
             but its bytes have 0x00000003",
        ),
        (
            Kind::HeaderNameEmpty,
            "header name is empty, it must have 1 to 255 bytes",
        ),
        (
            Kind::HeaderNameTruncated {
                expected: 5,
                actual: 3,
            },
            "header name truncated: expected 5 bytes, but the headers end after 3",
        ),
        (Kind::HeaderNameNotUtf8, "header name is not valid UTF-8"),
        (
            Kind::HeaderTypeMissing,
            "header type missing: the headers end after the name",
        ),
        (
            Kind::HeaderTypeUnknown { actual: 10 },
            "unknown header type 10, the valid types are 0 to 9",
        ),
        (
            Kind::HeaderValueTruncated {
                expected: 8,
                actual: 7,
            },
            "header value truncated: expected 8 bytes, but the headers end after 7",
        ),
        (
            Kind::HeaderValueTooLong {
                limit: 32_767,
                actual: 32_768,
            },
            "header value too long: it states a length of 32768 bytes, the limit is 32767",
        ),
        (Kind::HeaderValueNotUtf8, "header string is not valid UTF-8"),
        (
            Kind::UnexpectedEof {
                received: 4,
                missing: 12,
            },
            "unexpected end of stream: 4 bytes of the message were received, \
             at least 12 are missing",
        ),
        (
            Kind::UnexpectedEof {
                received: 1,
                missing: 1,
            },
            "unexpected end of stream: 1 byte of the message was received, at least 1 is missing",
        ),
        (
            Kind::UnreadInput { remaining: 1 },
            "the decoder was finished with 1 byte of input unread",
        ),
        (
            Kind::UnreadInput { remaining: 31 },
            "the decoder was finished with 31 bytes of input unread",
        ),
    ] {
        assert_eq!(kind.to_string(), message);
    }
}

#[test]
fn a_decode_error_names_the_byte() {
    let error = decode(&[0; 12], &Limits::new()).unwrap_err();
    assert_eq!(error.to_string(), format!("at byte 8: {}", error.kind()));
    assert!(!error.is_unexpected_eof());
}

#[test]
fn encode_errors_say_what_the_limit_is() {
    for (error, message) in [
        (
            EncodeError::HeaderNameEmpty,
            "header name is empty, it must have 1 to 255 bytes",
        ),
        (
            EncodeError::HeaderNameTooLong {
                limit: 255,
                actual: 256,
            },
            "header name too long: 256 bytes, the limit is 255",
        ),
        (
            EncodeError::HeaderValueTooLong {
                limit: 32_767,
                actual: 32_768,
            },
            "header value too long: 32768 bytes, the limit is 32767",
        ),
        (
            EncodeError::MessageTooLong {
                limit: 9,
                actual: 10,
            },
            "message too long: 10 bytes, the limit is 9",
        ),
        (
            EncodeError::BufferTooSmall {
                needed: 21,
                available: 20,
            },
            "buffer too small: the message has 21 bytes, but the buffer has room for 20",
        ),
    ] {
        assert_eq!(error.to_string(), message);
    }
}
