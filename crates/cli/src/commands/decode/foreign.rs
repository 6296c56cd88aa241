//! Identifies input that is not an event stream by its first bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use lambda_invoke_event_stream::Decoder;

/// How many bytes [`identify`] needs.
pub(super) const SNIFF_LEN: usize = 64;

/// The length of a message's prelude.
const PRELUDE_LEN: usize = 12;

/// Identifies what the input is instead of a message, and what to do about it. `None` if it may be
/// a message.
pub(super) fn identify(first: &[u8]) -> Option<(&'static str, &'static str)> {
    const TEXT: &str = "decode expects the bytes of a stream as they were received";
    if let Some(found) = binary(first) {
        return Some(found);
    }
    let text = text(first)?;
    let begin = text.trim_start();
    let has = |prefix: &str| {
        begin
            .get(..prefix.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(prefix))
    };
    Some(match () {
        () if begin.is_empty() => ("white space", TEXT),
        () if has("HTTP/") => (
            "the head of an HTTP response",
            "save only the body; with curl, leave out --include",
        ),
        () if has("<!doctype html") || has("<html") => ("HTML", TEXT),
        () if has("<") => ("XML or HTML", TEXT),
        () if has("{") || has("[") => (
            "JSON",
            "an error of the service or a buffered response needs no decoding",
        ),
        () if is_prelude(STANDARD_NO_PAD.decode(base64_prelude(begin)).ok()) => {
            ("a message in base64", "pipe it through base64 -d first")
        }
        () if is_prelude(hex(begin)) => (
            "a message in hexadecimal",
            "pipe it through xxd -r -p first",
        ),
        () => ("text", TEXT),
    })
}

fn binary(first: &[u8]) -> Option<(&'static str, &'static str)> {
    const UNPACK: &str = "unpack it first";
    const UTF_16: &str = "decode expects the bytes of a stream as they were received; the shell may \
                          have changed them";
    let signatures: [(&[u8], _, _); 7] = [
        (b"\x1f\x8b", "gzip", UNPACK),
        (b"\x28\xb5\x2f\xfd", "zstd", UNPACK),
        (b"PK\x03\x04", "a zip archive", UNPACK),
        (b"\xff\xfe", "UTF-16 text", UTF_16),
        (b"\xfe\xff", "UTF-16 text", UTF_16),
        (b"\xef\xbb\xbf", "UTF-8 text with a byte order mark", UTF_16),
        (b"\x16\x03", "TLS", "decode expects the decrypted content"),
    ];
    signatures
        .into_iter()
        .find(|(signature, ..)| first.starts_with(signature))
        .map(|(_, what, advice)| (what, advice))
}

/// The text that the bytes begin with, if it is all of them or too long to be a coincidence. A
/// message does not begin with text, because the first byte of its length is zero.
fn text(first: &[u8]) -> Option<&str> {
    const NO_COINCIDENCE: usize = 8;
    let (text, is_all) = match std::str::from_utf8(first) {
        Ok(text) => (text, true),
        Err(error) => {
            let valid = first.get(..error.valid_up_to())?;
            (
                std::str::from_utf8(valid).ok()?,
                error.error_len().is_none(),
            )
        }
    };
    let is_text = |c: char| !c.is_control() || c.is_ascii_whitespace();
    let end = text.find(|c| !is_text(c)).unwrap_or(text.len());
    let is_all = is_all && end == text.len();
    text.get(..end)
        .filter(|text| !text.is_empty() && (is_all || text.len() >= NO_COINCIDENCE))
}

/// The base64 encoding of a prelude.
fn base64_prelude(text: &str) -> &str {
    text.get(..16).unwrap_or_default()
}

fn hex(text: &str) -> Option<Vec<u8>> {
    (0..PRELUDE_LEN)
        .map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok())
        .collect()
}

/// Whether the bytes are the prelude of a message, which has its own checksum.
fn is_prelude(bytes: Option<Vec<u8>>) -> bool {
    let Some(bytes) = bytes.filter(|bytes| bytes.len() == PRELUDE_LEN) else {
        return false;
    };
    let mut decoder = Decoder::new();
    decoder.push(Bytes::from(bytes));
    decoder.next_message().is_ok()
}

#[cfg(test)]
mod tests {
    use lambda_invoke_event_stream::{HeaderBlock, Message};

    use super::*;

    #[test]
    fn identifies_what_the_input_is_instead() {
        let message = Message::new(HeaderBlock::default(), "x")
            .to_bytes()
            .unwrap();
        let base64 = base64::engine::general_purpose::STANDARD.encode(&message);
        let hex: String = message.iter().map(|byte| format!("{byte:02x}")).collect();
        for (input, expected) in [
            (&b"{\"message\":null}"[..], "JSON"),
            (b"\n  [1]", "JSON"),
            (b"<!DOCTYPE HTML><p>", "HTML"),
            (b"<html lang=de>", "HTML"),
            (b"<?xml version='1.0'?>", "XML or HTML"),
            (b"HTTP/1.1 200 OK\r\n", "the head of an HTTP response"),
            (b"\x1f\x8b\x08\0", "gzip"),
            (b"\xff\xfe{\0", "UTF-16 text"),
            (b"\xef\xbb\xbf{}", "UTF-8 text with a byte order mark"),
            (base64.as_bytes(), "a message in base64"),
            (hex.as_bytes(), "a message in hexadecimal"),
            (b"AAAAAAAAAAAAAAAAAAAAAAAA", "text"),
            ("Guten Tag, Zo\u{eb}".as_bytes(), "text"),
            (b"ends in the middle of \xc3", "text"),
            (
                b"HTTP/1.1 200 OK\r\n\r\n\0\0\0\x10",
                "the head of an HTTP response",
            ),
            (b" \n", "white space"),
        ] {
            let found = identify(input).map(|(what, _)| what);
            assert_eq!(
                found,
                Some(expected),
                "{:?}",
                String::from_utf8_lossy(input)
            );
        }
        for input in [
            &b""[..],
            b"\0\0\0\x10",
            b"\x80\x81",
            b"abc\0\0\x01",
            &message,
        ] {
            assert_eq!(identify(input), None, "{input:?}");
        }
    }
}
