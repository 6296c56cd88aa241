//! The canonical headers.
//!
//! Names in lower case and sorted; blank space at the ends of values dropped, and runs of it made one
//! space; the values of one name joined with `,` in their order. [`Blank`] says what is blank.

use core::cmp::Ordering;

use super::Sink;
use crate::list::List;
use crate::names::is_header;
use crate::request::is_token;

/// A header that is covered.
#[derive(Clone, Copy, Default)]
pub(crate) struct Header<'a> {
    /// The first eight letters in lower case, as a number that sorts as they do: enough to tell most
    /// names apart, even of those that begin with `x-amz-`.
    letters: u64,
    pub(crate) name: &'a str,
    pub(crate) value: &'a [u8],
}

/// The headers that an ordinary request has, on the stack; more go to the heap.
pub(crate) type HeaderList<'a> = List<Header<'a>, 16>;

/// What is trimmed and collapsed in the value of a header.
///
/// The reference does not say what becomes of a tab, and signers differ. HTTP itself drops tabs and
/// spaces at the ends of a value (RFC 9110, section 5.5), so that no signature can depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blank {
    /// The space alone: the official vectors, aws-c-auth and `aws-sigv4`.
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
    /// What else signers collapse than the official form does.
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

/// Names of headers as `SignedHeaders` has them, on the stack for every ordinary request.
pub(crate) type NameList = List<u8, 192>;

impl<'a> Header<'a> {
    #[inline]
    pub(crate) fn new(name: &'a str, value: &'a [u8]) -> Self {
        let mut letters = [0; 8];
        match name.as_bytes().first_chunk() {
            Some(chunk) => letters = *chunk,
            None => letters[..name.len()].copy_from_slice(name.as_bytes()),
        }
        letters.make_ascii_lowercase();
        Self {
            letters: u64::from_be_bytes(letters),
            name,
            value,
        }
    }

    /// The order of names.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let letters = self.letters.cmp(&other.letters);
        letters.then_with(|| compare_names(self.name, other.name))
    }

    /// Whether the other one has the same name.
    #[inline]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.letters == other.letters && is_header(self.name, other.name)
    }
}

/// Sorts by name, keeping the order of those with one name.
pub(crate) fn sort(list: &mut HeaderList<'_>) {
    list.sort_by(Header::compare);
}

/// Compares two names in lower case.
fn compare_names(name: &str, other: &str) -> Ordering {
    let lower = |byte: u8| byte.to_ascii_lowercase();
    name.bytes().map(lower).cmp(other.bytes().map(lower))
}

/// Whether `names` is a list as `SignedHeaders` has it: tokens in lower case, each once, sorted,
/// with `;` between them.
pub(crate) fn is_sorted_list(names: &str) -> bool {
    let mut before = "";
    names.split(';').all(|name| {
        let fits = is_token(name) && !name.bytes().any(|byte| byte.is_ascii_uppercase());
        fits && core::mem::replace(&mut before, name) < name
    })
}

/// Writes the names of a sorted list, each once, in lower case, with `;` between them.
pub(super) fn write_names(names: &mut NameList, list: &HeaderList<'_>, lower_case: bool) {
    let mut before = &Header::default();
    for header in list.iter() {
        if header.is_same(before) {
            continue;
        }
        if !before.name.is_empty() {
            names.push(b';');
        }
        before = header;
        names.extend_from_slice(header.name.as_bytes());
    }
    if !lower_case {
        names.make_ascii_lowercase();
    }
}

/// How a line begins, or goes on.
#[derive(Clone, Copy)]
pub(crate) enum Start<'a> {
    /// The name of a header, in any case.
    Name(&'a str),
    /// The same in lower case with the colon, so many bytes of these: to copy all is faster.
    Written(&'a [u8; WRITTEN], usize),
    /// It goes on, with another value of the header before.
    Again,
}

/// A longer name, with its colon, cannot be [`Start::Written`].
pub(crate) const WRITTEN: usize = 32;

impl Start<'_> {
    /// The name, with or without a colon.
    fn name(&self) -> &[u8] {
        match self {
            Self::Name(name) => name.as_bytes(),
            Self::Written(text, length) => &text[..length - 1],
            Self::Again => b"",
        }
    }
}

/// The lines of a sorted list: how each begins, and the value.
fn lines<'a>(list: &[Header<'a>]) -> impl Iterator<Item = (Start<'a>, &'a [u8])> + Clone {
    let nothing = const {
        &Header {
            letters: 0,
            name: "",
            value: b"",
        }
    };
    let mut before = nothing;
    list.iter().map(move |header| {
        let again = header.is_same(core::mem::replace(&mut before, header));
        let start = if again {
            Start::Again
        } else {
            Start::Name(header.name)
        };
        (start, header.value)
    })
}

/// Writes the lines of a sorted list; the value of the header `hide` is replaced.
pub(super) fn write_list<S: Sink>(
    sink: &mut S,
    list: &HeaderList<'_>,
    lower_case: bool,
    blank: Blank,
    hide: Option<&str>,
) {
    write(sink, lines(list), lower_case, blank, hide);
}

/// Writes `name:value` lines; the value of the header `hide` is replaced.
#[inline]
pub(super) fn write<'a, S: Sink>(
    sink: &mut S,
    lines: impl Iterator<Item = (Start<'a>, &'a [u8])> + Clone,
    lower_case: bool,
    blank: Blank,
    hide: Option<&str>,
) {
    let filled = blank == Blank::Space
        && hide.is_none()
        && sink.fill(|space| fill(space, lines.clone(), lower_case));
    if !filled {
        write_pieces(sink, lines, blank, hide);
    }
}

/// Writes all lines at one go with values as they are, which they nearly always may stay, and gives
/// their length; `None` if spaces may have to go, or there is not enough space for all.
#[inline]
fn fill<'a>(
    space: &mut [u8],
    lines: impl Iterator<Item = (Start<'a>, &'a [u8])>,
    lower_case: bool,
) -> Option<usize> {
    let mut at = 0;
    for (start, value) in lines {
        match start {
            Start::Name(name) => {
                let colon = at + name.len();
                let place = space.get_mut(at..colon)?;
                place.copy_from_slice(name.as_bytes());
                if !lower_case {
                    place.make_ascii_lowercase();
                }
                *space.get_mut(colon)? = b':';
                at = colon + 1;
            }
            Start::Written(text, length) => {
                // What is too much is written over by what comes next.
                space.get_mut(at..at + WRITTEN)?.copy_from_slice(text);
                at += length;
            }
            // In place of the line's end.
            Start::Again => space[at - 1] = b',',
        }
        let end = at + value.len();
        space.get_mut(at..end)?.copy_from_slice(value);
        *space.get_mut(end)? = b'\n';
        at = end + 1;
    }
    // One search for all values: there are no spaces elsewhere. A single one between two letters
    // stays; whatever comes beside one that goes is among those four.
    let goes = |at: usize| {
        [at - 1, at + 1]
            .iter()
            .any(|&at| b" :,\n".contains(&space[at]))
    };
    let stays = !memchr::memchr_iter(b' ', &space[..at]).any(goes);
    stays.then_some(at)
}

/// The same piece by piece.
#[cold]
fn write_pieces<'a, S: Sink>(
    sink: &mut S,
    lines: impl Iterator<Item = (Start<'a>, &'a [u8])>,
    blank: Blank,
    hide: Option<&str>,
) {
    let (mut hidden, mut first) = (false, true);
    for (start, value) in lines {
        if let Start::Again = start {
            sink.put(b",");
        } else {
            if !first {
                sink.put(b"\n");
            }
            first = false;
            let name = start.name();
            for byte in name {
                sink.put(&[byte.to_ascii_lowercase()]);
            }
            sink.put(b":");
            hidden = hide.is_some_and(|hide| name.eq_ignore_ascii_case(hide.as_bytes()));
        }
        if hidden {
            sink.put(b"<redacted>");
        } else {
            put_value(sink, value, blank);
        }
    }
    if !first {
        sink.put(b"\n");
    }
}

/// Writes a value without blank space at its ends, and with one space for each run of it.
///
/// Python's and JavaScript's HTTP clients send a text as UTF-8 or as Latin-1, which one depends on
/// more than the text; what is not UTF-8 is Latin-1.
fn put_value<S: Sink>(sink: &mut S, value: &[u8], blank: Blank) {
    match core::str::from_utf8(value) {
        Ok(text) if blank != Blank::Space => {
            put_words(
                sink,
                text.split(|letter| blank.has(letter)).map(str::as_bytes),
            );
        }
        _ => put_words(sink, value.split(|&byte| blank.has(char::from(byte)))),
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

    fn lines(headers: &[(&str, &[u8])]) -> Vec<u8> {
        let mut list = HeaderList::new();
        list.extend(headers.iter().map(|(name, value)| Header::new(name, value)));
        sort(&mut list);
        let mut sink = Vec::new();
        write_list(&mut sink, &list, false, Blank::Space, None);
        sink
    }

    /// The canonical value, by way of the lines of three headers.
    fn written(value: &[u8]) -> Vec<u8> {
        let lines = lines(&[("B", value), ("a", b"1"), ("c", b"2"), ("b", b"3")]);
        let value = lines.strip_prefix(b"a:1\nb:").unwrap();
        value.strip_suffix(b",3\nc:2\n").unwrap().to_vec()
    }

    /// Drops spaces one at a time.
    fn naive(value: &[u8]) -> Vec<u8> {
        let mut kept: Vec<u8> = Vec::new();
        for &byte in value {
            if byte != b' ' || kept.last().is_some_and(|&last| last != b' ') {
                kept.push(byte);
            }
        }
        if kept.last() == Some(&b' ') {
            kept.pop();
        }
        kept
    }

    #[test]
    fn drops_spaces_and_nothing_else() {
        for (value, expected) in [
            (b"".as_slice(), b"".as_slice()),
            (b" ", b""),
            (b"   ", b""),
            (b"  a  ", b"a"),
            (b" a   b ", b"a b"),
            (b"a\t\tb", b"a\t\tb"),
            (b"\t a  \t", b"\t a \t"),
            (b"\xc2\xa0  a", b"\xc2\xa0 a"),
            (b"\xff  \xfe", b"\xff \xfe"),
            (b"a, b; c: d", b"a, b; c: d"),
            (b", a :", b", a :"),
            (b" , a : ", b", a :"),
        ] {
            assert_eq!(written(value), expected);
        }
    }

    #[test]
    fn finds_a_run_of_spaces_wherever_it_stands() {
        for length in 0..100 {
            for at in 0..length {
                for spaces in 1..4 {
                    let mut value = vec![b'x'; length];
                    value[at..length.min(at + spaces)].fill(b' ');
                    assert_eq!(written(&value), naive(&value), "{length} {at} {spaces}");
                }
            }
        }
    }

    #[test]
    fn a_list_of_names_is_sorted_and_in_lower_case() {
        for names in ["host", "host;x-amz-date", "a;a-b;b"] {
            assert!(is_sorted_list(names), "{names}");
        }
        for names in [
            "",
            ";",
            "host;",
            ";host",
            "x;host",
            "host;host",
            "Host",
            "a b",
            "a,b",
        ] {
            assert!(!is_sorted_list(names), "{names}");
        }
    }

    #[test]
    fn names_compare_without_regard_to_case() {
        assert_eq!(compare_names("Host", "host"), Ordering::Equal);
        assert_eq!(compare_names("X-Amz", "x-amz-date"), Ordering::Less);
        assert_eq!(compare_names("b", "A"), Ordering::Greater);
    }
}
