//! The canonical query.
//!
//! Names and values are percent-decoded, encoded again with upper-case digits, and sorted by
//! encoded name, then by encoded value. A parameter without `=` has an empty value; empty pieces
//! (`a&&b`) are dropped. `+` is a plus sign, as in RFC 3986 and in the official vectors, not a
//! space as in HTML forms. A `%` without two digits after it is a percent sign.

use std::borrow::Cow;

use super::{REDACTED, Secrets, Sink};
use crate::list::List;
use crate::names;
use crate::{SessionTokenMode, SigningSettings};

/// A parameter, as sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Parameter<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
    /// Whether name and value consist of unreserved letters, as nearly all do. They are then their
    /// own canonical form.
    plain: bool,
}

/// A list of parameters: those of an ordinary request fit on the stack; more go to the heap.
pub(crate) type QueryList<'a> = List<Parameter<'a>, 4>;

impl Parameter<'_> {
    /// Whether its name is `plain` once decoded.
    #[inline]
    pub(crate) fn is(&self, plain: &str) -> bool {
        let first = |text: &[u8]| text.first().copied();
        // Decoding never makes text longer, and most names differ in their first letter.
        self.name.len() >= plain.len()
            && (first(self.name) == first(plain.as_bytes()) || first(self.name) == Some(b'%'))
            && decoded(self.name).eq(plain.bytes())
    }
}

/// The parameters of a query in their order.
pub(crate) fn parameters(query: &[u8]) -> impl Iterator<Item = Parameter<'_>> + Clone {
    let mut rest = query;
    core::iter::from_fn(move || {
        while let [b'&', after @ ..] = rest {
            rest = after;
        }
        if rest.is_empty() {
            return None;
        }
        // One pass finds the end, the first `=`, and whether anything is special.
        let (mut equals, mut plain, mut end) = (None, true, 0);
        for &byte in rest {
            if !is_unreserved(byte) {
                match byte {
                    b'&' => break,
                    b'=' if equals.is_none() => equals = Some(end),
                    _ => plain = false,
                }
            }
            end += 1;
        }
        let (piece, after) = rest.split_at(end);
        rest = after;
        let (name, value) = match equals {
            Some(at) => (&piece[..at], &piece[at + 1..]),
            None => (piece, b"".as_slice()),
        };
        Some(Parameter { name, value, plain })
    })
}

/// Parses the parameters of a query into an empty list, and sorts them.
pub(crate) fn parse<'a>(list: &mut QueryList<'a>, query: &'a [u8]) {
    list.extend(parameters(query));
    sort(list);
}

/// Sorts parameters by encoded name, then by encoded value.
#[inline]
pub(crate) fn sort(list: &mut QueryList<'_>) {
    list.sort_by(|one, other| {
        encoded(one.name)
            .cmp(encoded(other.name))
            .then_with(|| encoded(one.value).cmp(encoded(other.value)))
    });
}

/// Drops the parameters that the signature in a query does not cover: the signature itself, and a
/// session token that is appended after signing.
pub(crate) fn retain_signed(list: &mut QueryList<'_>, settings: &SigningSettings) {
    let appended = settings.session_token == SessionTokenMode::Appended;
    list.retain(|parameter| {
        let token = appended && parameter.is(names::SECURITY_TOKEN_PARAMETER);
        !token && !parameter.is(names::SIGNATURE_PARAMETER)
    });
}

/// Writes the canonical query.
#[inline]
pub(super) fn write<S: Sink>(sink: &mut S, list: &QueryList<'_>, secrets: Secrets) {
    for (index, parameter) in list.iter().enumerate() {
        let Parameter { name, value, plain } = *parameter;
        if index > 0 {
            sink.put(b"&");
        }
        if secrets.hides(|| parameter.is(names::SECURITY_TOKEN_PARAMETER)) {
            encode_again(sink, name);
            sink.put(b"=");
            sink.put(REDACTED);
        } else if plain {
            sink.put(name);
            sink.put(b"=");
            sink.put(value);
        } else {
            encode_again(sink, name);
            sink.put(b"=");
            encode_again(sink, value);
        }
    }
}

/// The text of a sent name or value, percent-decoded; `None` if that is not UTF-8.
pub(crate) fn decode(sent: &[u8]) -> Option<Cow<'_, str>> {
    if sent.contains(&b'%') {
        let mut text = Vec::with_capacity(sent.len());
        text.extend(decoded(sent));
        String::from_utf8(text).ok().map(Cow::Owned)
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
    while byte < table.len() {
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

/// Decodes the first byte of a percent-encoded text, and returns the rest too.
fn split_first(sent: &[u8]) -> Option<(u8, &[u8])> {
    if let [b'%', high, low, rest @ ..] = sent {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        if let (Some(high), Some(low)) = (digit(*high), digit(*low)) {
            return Some(((high * 16 + low) as u8, rest));
        }
    }
    sent.split_first().map(|(&byte, rest)| (byte, rest))
}

/// Percent-decodes a text.
fn decoded(mut sent: &[u8]) -> impl Iterator<Item = u8> {
    core::iter::from_fn(move || {
        let (byte, rest) = split_first(sent)?;
        sent = rest;
        Some(byte)
    })
}

/// The canonical form of the sent text, byte by byte, so that two can be compared without building
/// either.
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
        let (mut sink, mut list) = (Vec::new(), QueryList::new());
        parse(&mut list, query.as_bytes());
        write(&mut sink, &list, Secrets::Shown);
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
        let is = |query: &[u8]| {
            let mut parameters = parameters(query);
            let parameter = parameters.next().unwrap();
            assert!(parameters.next().is_none());
            parameter.is("X-Amz-Date")
        };
        assert!(is(b"X-Amz-Date"));
        assert!(is(b"&X%2dAmz%2DDate=%2F&"));
        assert!(!is(b"X-Amz-Dat"));
        assert!(!is(b"x-amz-date=1"));
        assert_eq!(decode(b"a%2Fb").as_deref(), Some("a/b"));
        assert_eq!(decode(b"%FF"), None);
    }
}
