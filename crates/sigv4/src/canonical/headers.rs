//! The canonical headers.
//!
//! Names in lower case and sorted; spaces at the ends of values dropped, and runs of them made one;
//! the values of one name joined with `,` in their order. Only the ASCII space counts, as in the
//! official vectors: a tab stays. (A tab at either end of a value does not survive HTTP, so a
//! header that has one cannot be verified; RFC 9110, section 5.5.)

use core::cmp::Ordering;

use super::Sink;
use crate::request::{HeaderList, is_token};

/// Sorts by name, keeping the order of those with one name.
pub(crate) fn sort(list: &mut HeaderList<'_>, lower_case: bool) {
    if lower_case {
        list.sort_by_key(|&(name, _)| name);
    } else {
        list.sort_by(|(name, _), (other, _)| compare_names(name, other));
    }
}

/// Compares two names in lower case.
pub(crate) fn compare_names(name: &str, other: &str) -> Ordering {
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

/// Calls `each` with each name once, for a sorted list.
pub(crate) fn each_name<'a>(list: &HeaderList<'a>, mut each: impl FnMut(&'a str)) {
    let mut before = "";
    for &(name, _) in list.iter() {
        if !name.eq_ignore_ascii_case(before) {
            each(name);
            before = name;
        }
    }
}

/// Writes `name:value` lines for a sorted list; the value of the header `hide` is replaced.
pub(super) fn write<S: Sink>(
    sink: &mut S,
    list: &HeaderList<'_>,
    lower_case: bool,
    hide: Option<&str>,
) {
    let mut before = "";
    for &(name, value) in list.iter() {
        if name.eq_ignore_ascii_case(before) {
            sink.put(b",");
        } else {
            if !before.is_empty() {
                sink.put(b"\n");
            }
            put_name(sink, name, lower_case);
            sink.put(b":");
            before = name;
        }
        if hide.is_some_and(|hidden| name.eq_ignore_ascii_case(hidden)) {
            sink.put(b"<redacted>");
        } else {
            put_value(sink, value);
        }
    }
    if !before.is_empty() {
        sink.put(b"\n");
    }
}

/// Writes the names of a sorted list with `;` between them.
pub(super) fn write_names<S: Sink>(sink: &mut S, list: &HeaderList<'_>, lower_case: bool) {
    let mut first = true;
    each_name(list, |name| {
        if !core::mem::take(&mut first) {
            sink.put(b";");
        }
        put_name(sink, name, lower_case);
    });
}

fn put_name<S: Sink>(sink: &mut S, name: &str, lower_case: bool) {
    if lower_case {
        sink.put(name.as_bytes());
    } else {
        for byte in name.bytes() {
            sink.put(&[byte.to_ascii_lowercase()]);
        }
    }
}

/// Writes a value without spaces at its ends, and one for each run of them.
fn put_value<S: Sink>(sink: &mut S, value: &[u8]) {
    let value = trim(value);
    if !has_run(value) {
        return sink.put(value);
    }
    let words = value
        .split(|&byte| byte == b' ')
        .filter(|word| !word.is_empty());
    for (index, word) in words.enumerate() {
        if index > 0 {
            sink.put(b" ");
        }
        sink.put(word);
    }
}

fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] | [rest @ .., b' '] = value {
        value = rest;
    }
    value
}

/// Whether two spaces stand next to each other.
///
/// Most values are long and have none; without a way out of the inner loop it becomes vector code.
fn has_run(value: &[u8]) -> bool {
    const LANES: usize = 32;
    let second = value.get(1..).unwrap_or_default();
    let pairs = |first: &[u8], second: &[u8]| {
        first.iter().zip(second).fold(0, |found, (&a, &b)| {
            found | u8::from(a == b' ' && b == b' ')
        })
    };
    let (first, second) = (value.chunks(LANES), second.chunks(LANES));
    first
        .zip(second)
        .any(|(first, second)| pairs(first, second) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &[u8]) -> Vec<u8> {
        let mut sink = Vec::new();
        put_value(&mut sink, value);
        sink
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
