//! The canonical headers: names in lower case and sorted, the values of one name joined with `,` in
//! their order.

use core::cmp::Ordering;

use super::blank::{Blank, put_value};
use super::{REDACTED, Secrets, Sink};
use crate::list::List;
use crate::names::{self, is_header};
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

/// A list of headers: those of an ordinary request fit on the stack; more go to the heap.
pub(crate) type HeaderList<'a> = List<Header<'a>, 16>;

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
    #[inline]
    fn compare(&self, other: &Self) -> Ordering {
        let letters = self.letters.cmp(&other.letters);
        letters.then_with(|| compare_names(self.name, other.name))
    }

    /// Whether the other one has the same name.
    #[inline]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.letters == other.letters && is_header(self.name, other.name)
    }
}

/// Sorts by name, keeping the order of headers with the same name.
pub(crate) fn sort(list: &mut HeaderList<'_>) {
    list.sort_by(Header::compare);
}

/// Compares two names without regard to case.
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

/// The headers of a sorted list, each with whether the one before it has the same name.
#[inline]
fn with_repeats<'l, 'a>(list: &'l [Header<'a>]) -> impl Iterator<Item = (&'l Header<'a>, bool)> {
    let mut before = None;
    list.iter().map(move |header| {
        let before = before.replace(header);
        let again = before.is_some_and(|before: &Header<'_>| header.is_same(before));
        (header, again)
    })
}

/// The names of a sorted list, each once.
#[inline]
fn names<'l, 'a>(list: &'l [Header<'a>]) -> impl Iterator<Item = &'a str> + use<'l, 'a> {
    let first = |&(_, again): &(&Header<'a>, bool)| !again;
    let headers = with_repeats(list).filter(first);
    headers.map(|(header, _)| header.name)
}

/// The length of what [`append_names`] appends.
#[inline]
pub(super) fn names_length(list: &HeaderList<'_>) -> usize {
    let length: usize = names(list).map(|name| name.len() + 1).sum();
    length.saturating_sub(1)
}

/// Appends the names of a sorted list, each once, in lower case, with `;` between them.
#[inline]
pub(super) fn append_names(text: &mut Vec<u8>, list: &HeaderList<'_>, lower_case: bool) {
    let start = text.len();
    for name in names(list) {
        if text.len() > start {
            text.push(b';');
        }
        text.extend_from_slice(name.as_bytes());
    }
    if !lower_case {
        text[start..].make_ascii_lowercase();
    }
}

/// Writes the `name:value` lines of a sorted list.
#[inline]
pub(super) fn write<S: Sink>(
    sink: &mut S,
    list: &HeaderList<'_>,
    lower_case: bool,
    blank: Blank,
    secrets: Secrets,
) {
    let filled = blank == Blank::Space
        && secrets == Secrets::Shown
        && sink.fill(|space| fill(space, list, lower_case));
    if !filled {
        write_pieces(sink, list, blank, secrets);
    }
}

/// Writes all lines at once with unchanged values, which is nearly always right, and returns their
/// length. Returns `None` if spaces may have to be dropped, or if the lines do not fit.
#[inline]
fn fill(space: &mut [u8], list: &[Header<'_>], lower_case: bool) -> Option<usize> {
    let mut at = 0;
    for (Header { name, value, .. }, again) in with_repeats(list) {
        if again {
            // In place of the line's end.
            space[at - 1] = b',';
        } else {
            let (place, rest) = space.get_mut(at..)?.split_at_mut_checked(name.len())?;
            place.copy_from_slice(name.as_bytes());
            if !lower_case {
                place.make_ascii_lowercase();
            }
            *rest.first_mut()? = b':';
            at += name.len() + 1;
        }
        let (place, rest) = space.get_mut(at..)?.split_at_mut_checked(value.len())?;
        place.copy_from_slice(value);
        *rest.first_mut()? = b'\n';
        at += value.len() + 1;
    }
    // One search covers all values, since there are no spaces elsewhere. A single space between two
    // other characters stays. A space is dropped if another space, or the start or end of a value,
    // is next to it.
    let goes = |at: usize| {
        [at - 1, at + 1]
            .iter()
            .any(|&at| b" :,\n".contains(&space[at]))
    };
    let stays = !memchr::memchr_iter(b' ', &space[..at]).any(goes);
    stays.then_some(at)
}

/// Writes the lines piece by piece.
#[cold]
fn write_pieces<S: Sink>(sink: &mut S, list: &HeaderList<'_>, blank: Blank, secrets: Secrets) {
    for (index, (header, again)) in with_repeats(list).enumerate() {
        if again {
            sink.put(b",");
        } else {
            if index > 0 {
                sink.put(b"\n");
            }
            for byte in header.name.bytes() {
                sink.put(&[byte.to_ascii_lowercase()]);
            }
            sink.put(b":");
        }
        if secrets.hides(|| is_header(header.name, names::SECURITY_TOKEN)) {
            sink.put(REDACTED);
        } else {
            put_value(sink, header.value, blank);
        }
    }
    if !list.is_empty() {
        sink.put(b"\n");
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
        write(&mut sink, &list, false, Blank::Space, Secrets::Shown);
        sink
    }

    /// The canonical value, as written in the lines of three headers.
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
