//! The canonical query.
//!
//! Names and values are percent-decoded, encoded again with upper-case digits, and sorted by
//! encoded name, then by encoded value. A parameter without `=` has an empty value; empty pieces
//! (`a&&b`) are dropped. `+` is a plus sign, as in RFC 3986 and in the official vectors, and not
//! the space that it is in HTML forms. A `%` without two digits after it is a percent sign.

use std::borrow::Cow;

use super::{REDACTED, Secrets, Sink};
use crate::list::List;
use crate::names;
use crate::{SessionTokenMode, SigningSettings};

/// Name and value of a parameter, as sent.
pub(crate) type Parameter<'a> = (&'a [u8], &'a [u8]);

/// The parameters that an ordinary request has, on the stack; more go to the heap.
pub(crate) type QueryList<'a> = List<Parameter<'a>, 4>;

/// The parameters of a query in their order.
pub(crate) fn pairs(query: &[u8]) -> impl Iterator<Item = Parameter<'_>> {
    query
        .split(|&byte| byte == b'&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| match piece.iter().position(|&byte| byte == b'=') {
            Some(at) => (&piece[..at], &piece[at + 1..]),
            None => (piece, b"".as_slice()),
        })
}

/// The parameters whose names `keep` keeps, sorted.
pub(crate) fn parse<'a>(query: &'a [u8], keep: impl Fn(&[u8]) -> bool) -> QueryList<'a> {
    let mut list: QueryList<'a> = pairs(query).filter(|(name, _)| keep(name)).collect();
    if list.len() > 1 {
        list.sort_by(|(name, value), (other_name, other_value)| {
            encoded(name)
                .cmp(encoded(other_name))
                .then_with(|| encoded(value).cmp(encoded(other_value)))
        });
    }
    list
}

/// The parameters of a query that its signature covers, sorted: all but the signature itself, and a
/// session token that is appended after signing.
pub(crate) fn signed<'a>(query: &'a [u8], settings: &SigningSettings) -> QueryList<'a> {
    let appended = settings.session_token == SessionTokenMode::Appended;
    parse(query, |name| {
        let token = appended && is_parameter(name, names::SECURITY_TOKEN_PARAMETER);
        !token && !is_parameter(name, names::SIGNATURE_PARAMETER)
    })
}

/// Writes the canonical query.
pub(super) fn write<S: Sink>(sink: &mut S, list: &QueryList<'_>, secrets: Secrets) {
    for (index, (name, value)) in list.iter().enumerate() {
        if index > 0 {
            sink.put(b"&");
        }
        encode_again(sink, name);
        sink.put(b"=");
        if secrets.hides(|| is_parameter(name, names::SECURITY_TOKEN_PARAMETER)) {
            sink.put(REDACTED);
        } else {
            encode_again(sink, value);
        }
    }
}

/// Whether the sent `name` is `plain` once decoded.
pub(crate) fn is_parameter(name: &[u8], plain: &str) -> bool {
    let first = |text: &[u8]| text.first().copied();
    // Decoding never makes text longer; and most names differ in their first letter.
    name.len() >= plain.len()
        && (first(name) == first(plain.as_bytes()) || first(name) == Some(b'%'))
        && decoded(name).eq(plain.bytes())
}

/// The text of a sent name or value, percent-decoded; `None` if that is not UTF-8.
pub(crate) fn decode(sent: &[u8]) -> Option<Cow<'_, str>> {
    if sent.contains(&b'%') {
        String::from_utf8(decoded(sent).collect())
            .ok()
            .map(Cow::Owned)
    } else {
        core::str::from_utf8(sent).ok().map(Cow::Borrowed)
    }
}

/// Appends `plain` percent-encoded: everything but `A-Z a-z 0-9 - . _ ~`.
pub(crate) fn append_encoded(query: &mut String, plain: &str) {
    for byte in plain.bytes() {
        if is_unreserved(byte) {
            query.push(char::from(byte));
        } else {
            query.extend(escape(byte).map(char::from));
        }
    }
}

/// RFC 3986, section 2.3.
const fn is_unreserved(byte: u8) -> bool {
    UNRESERVED[byte as usize]
}

const UPPER_HEX: &[u8; 16] = b"0123456789ABCDEF";

pub(super) const UNRESERVED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] =
            (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'-' | b'.' | b'_' | b'~');
        byte += 1;
    }
    table
};

/// `%XX`.
pub(super) fn escape(byte: u8) -> [u8; 3] {
    [
        b'%',
        UPPER_HEX[usize::from(byte >> 4)],
        UPPER_HEX[usize::from(byte & 15)],
    ]
}

/// The first byte that the sent text means, and the rest of it.
fn split_first(sent: &[u8]) -> Option<(u8, &[u8])> {
    if let [b'%', high, low, rest @ ..] = sent {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        if let (Some(high), Some(low)) = (digit(*high), digit(*low)) {
            return Some(((high * 16 + low) as u8, rest));
        }
    }
    sent.split_first().map(|(&byte, rest)| (byte, rest))
}

/// The bytes that the sent text means.
fn decoded(mut sent: &[u8]) -> impl Iterator<Item = u8> {
    core::iter::from_fn(move || {
        let (byte, rest) = split_first(sent)?;
        sent = rest;
        Some(byte)
    })
}

/// The canonical form of the sent text, byte by byte, to compare two without building either.
fn encoded(sent: &[u8]) -> impl Iterator<Item = u8> {
    decoded(sent).flat_map(|byte| {
        let (text, length) = if is_unreserved(byte) {
            ([byte, 0, 0], 1)
        } else {
            (escape(byte), 3)
        };
        text.into_iter().take(length)
    })
}

fn encode_again<S: Sink>(sink: &mut S, sent: &[u8]) {
    let mut rest = sent;
    while let Some(end) = rest.iter().position(|&byte| !is_unreserved(byte)) {
        let (plain, special) = rest.split_at(end);
        sink.put(plain);
        let Some((byte, after)) = split_first(special) else {
            return;
        };
        if is_unreserved(byte) {
            sink.put(&[byte]);
        } else {
            sink.put(&escape(byte));
        }
        rest = after;
    }
    sink.put(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(query: &str) -> String {
        let mut sink = Vec::new();
        write(
            &mut sink,
            &parse(query.as_bytes(), |_| true),
            Secrets::Shown,
        );
        String::from_utf8(sink).unwrap()
    }

    #[test]
    fn sorts_by_encoded_name_then_value() {
        for (query, expected) in [
            ("", ""),
            ("&&", ""),
            ("Qualifier=%24LATEST", "Qualifier=%24LATEST"),
            ("Qualifier=$LATEST", "Qualifier=%24LATEST"),
            ("b=1&a=2", "a=2&b=1"),
            ("a=2&a=1&a", "a=&a=1&a=2"),
            ("a-b=1&a=2", "a=2&a-b=1"),
            ("k=&single", "k=&single="),
            ("=v&a", "=v&a="),
            ("a=b=c", "a=b%3Dc"),
            ("Z=1&a=1&A=1", "A=1&Z=1&a=1"),
            ("%e1%88%b4=x", "%E1%88%B4=x"),
            ("\u{1234}=x", "%E1%88%B4=x"),
            ("%61=%7E~", "a=~~"),
            ("a+b=c+d", "a%2Bb=c%2Bd"),
            ("a%20b=c d", "a%20b=c%20d"),
            ("a=%&b=%2&c=%2g&d=%%41", "a=%25&b=%252&c=%252g&d=%25A"),
            ("a=%FF%00", "a=%FF%00"),
        ] {
            assert_eq!(canonical(query), expected, "{query}");
        }
    }

    #[test]
    fn takes_any_number_of_parameters() {
        let query: Vec<String> = (0..1000)
            .rev()
            .map(|number| format!("k{number:04}=v"))
            .collect();
        let mut sorted = query.clone();
        sorted.sort();
        assert_eq!(canonical(&query.join("&")), sorted.join("&"));
    }

    #[test]
    fn finds_names_however_they_are_written() {
        assert!(is_parameter(b"X-Amz-Date", "X-Amz-Date"));
        assert!(is_parameter(b"X%2dAmz%2DDate", "X-Amz-Date"));
        assert!(!is_parameter(b"X-Amz-Dat", "X-Amz-Date"));
        assert!(!is_parameter(b"x-amz-date", "X-Amz-Date"));
        assert_eq!(decode(b"a%2Fb").as_deref(), Some("a/b"));
        assert_eq!(decode(b"%FF"), None);
    }
}
