//! UTF-8 that arrives in pieces.

// Test helpers may panic just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lambda_invoke_protocol::text::{Utf8Decoder, Utf8Error};

/// Characters of every length, and every kind of invalid byte.
const TEXTS: [&[u8]; 8] = [
    b"plain",
    "für".as_bytes(),
    "日本語".as_bytes(),
    "a🦀b".as_bytes(),
    b"\xffa",
    b"a\xc3(b",
    b"\xe2\x82",
    b"\xf0\x9f\xa6x\xed\xa0\x80y",
];

fn decode(mut decoder: Utf8Decoder, pieces: &[&[u8]]) -> (String, Result<(), Utf8Error>) {
    let mut text = String::new();
    for piece in pieces {
        match decoder.decode(piece) {
            Ok(decoded) => text.push_str(&decoded),
            Err(error) => return (text, Err(error)),
        }
    }
    match decoder.decode(b"").and_then(|_| decoder.finish()) {
        Ok(rest) => (text + rest, Ok(())),
        Err(error) => (text, Err(error)),
    }
}

#[test]
fn every_split_is_decoded_as_the_whole() {
    for text in TEXTS {
        let whole = std::str::from_utf8(text);
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let pieces = [&text[..first], &text[first..second], &text[second..]];
                let (lossy, result) = decode(Utf8Decoder::lossy(), &pieces);
                assert_eq!(lossy, String::from_utf8_lossy(text), "{pieces:?}");
                assert_eq!(result, Ok(()));

                let (strict, result) = decode(Utf8Decoder::new(), &pieces);
                let valid = whole.map_or_else(|error| error.valid_up_to(), str::len);
                assert_eq!(strict.as_bytes(), &text[..valid], "{pieces:?}");
                match whole {
                    Ok(_) => assert_eq!(result, Ok(())),
                    Err(error) => {
                        let found = result.unwrap_err();
                        assert_eq!(found.offset(), valid as u64, "{pieces:?}");
                        assert_eq!(found.is_at_end(), error.error_len().is_none(), "{pieces:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn an_error_names_the_byte_and_is_returned_again() {
    let mut decoder = Utf8Decoder::new();
    assert_eq!(decoder.decode(b"ab\xff"), Ok("ab".to_owned()));
    let error = decoder.decode(b"c").unwrap_err();
    assert_eq!(error.to_string(), "the text is not UTF-8 at byte 2");
    assert_eq!(decoder.finish(), Err(error));

    // Without valid text before it, the error is returned immediately.
    assert_eq!(
        Utf8Decoder::new().decode(b"\xffab").unwrap_err().offset(),
        0
    );

    let mut decoder = Utf8Decoder::new();
    assert_eq!(decoder.decode(b"ab\xc3"), Ok("ab".to_owned()));
    let error = decoder.finish().unwrap_err();
    let text = "the text ends within the character at byte 2";
    assert_eq!(error.to_string(), text);
    assert_eq!(Utf8Decoder::new().finish(), Ok(""));
}
