//! Blank space in the values of headers.

use super::Sink;

/// The characters that are trimmed and collapsed in the value of a header.
///
/// The reference does not say how to treat tabs, and signers differ. HTTP itself drops tabs and
/// spaces at the ends of a value (RFC 9110, section 5.5), so no signature can depend on those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blank {
    /// Only the space: the official vectors, aws-c-auth and `aws-sigv4`.
    Space,
    /// Spaces and tabs, HTTP's own blank space: the AWS SDK for JavaScript (`@smithy/signature-v4` 5.7).
    Tab,
    /// What `\s` matches in an ECMAScript expression: older SDKs for JavaScript. The SDKs
    /// for Java, Ruby and PHP collapse the ASCII part of it.
    EcmaScript,
    /// Where Python's `str.split()` splits: botocore.
    Python,
}

impl Blank {
    /// The variants of signers that collapse more than the official form.
    pub(crate) const MORE: [Self; 3] = [Self::Tab, Self::EcmaScript, Self::Python];

    fn has(self, letter: char) -> bool {
        match self {
            Self::Space => letter == ' ',
            Self::Tab => matches!(letter, ' ' | '\t'),
            Self::EcmaScript => {
                letter == '\u{feff}' || letter.is_whitespace() && letter != '\u{85}'
            }
            Self::Python => letter.is_whitespace() || matches!(letter, '\u{1c}'..='\u{1f}'),
        }
    }

    /// Whether the canonical form of `value` differs from that with [`Blank::Space`].
    pub(crate) fn matters_in(self, value: &[u8]) -> bool {
        let matters = |letter| letter != ' ' && self.has(letter);
        match core::str::from_utf8(value) {
            Ok(text) => text.contains(matters),
            Err(_) => value.iter().any(|&byte| matters(char::from(byte))),
        }
    }
}

/// Writes a value without blank space at its ends, and with one space for each run of it.
///
/// Python's and JavaScript's HTTP clients send a text as UTF-8 or as Latin-1, which does not depend
/// on the text alone; anything that is not UTF-8 is assumed to be Latin-1.
pub(super) fn put_value<S: Sink>(sink: &mut S, value: &[u8], blank: Blank) {
    match core::str::from_utf8(value) {
        Ok(text) => {
            put_words(
                sink,
                text.split(|letter| blank.has(letter)).map(str::as_bytes),
            );
        }
        Err(_) => put_words(sink, value.split(|&byte| blank.has(char::from(byte)))),
    }
}

fn put_words<'a, S: Sink>(sink: &mut S, words: impl Iterator<Item = &'a [u8]>) {
    for (index, word) in words.filter(|word| !word.is_empty()).enumerate() {
        if index > 0 {
            sink.put(b" ");
        }
        sink.put(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_form_matters_only_where_it_collapses_more() {
        let forms = |value: &[u8]| Blank::MORE.map(|blank| blank.matters_in(value));
        for (value, expected) in [
            (b"".as_slice(), [false; 3]),
            (b" a  b ", [false; 3]),
            (b"a\xe9", [false; 3]),
            ("\u{e9} \u{1f600}".as_bytes(), [false; 3]),
            (b"a\tb", [true; 3]),
            (b"a\x0bb", [false, true, true]),
            (b"a\xa0b", [false, true, true]),
            ("a\u{a0}b".as_bytes(), [false, true, true]),
            ("a\u{feff}b".as_bytes(), [false, true, false]),
            ("a\u{85}b".as_bytes(), [false, false, true]),
            (b"a\x1fb", [false, false, true]),
            (b"a\x85b\xff", [false, false, true]),
        ] {
            assert_eq!(forms(value), expected, "{value:?}");
            assert!(!Blank::Space.matters_in(value));
        }
    }
}
