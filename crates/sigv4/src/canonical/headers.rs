//! The canonical headers.
//!
//! Names in lower case and sorted; spaces at the ends of values dropped, and runs of them made one;
//! the values of one name joined with `,` in their order. Only the ASCII space counts, as in the
//! official vectors: a tab stays. (A tab at either end of a value does not survive HTTP, so a
//! header that has one cannot be verified; RFC 9110, section 5.5.)

use core::cmp::Ordering;

use super::Sink;
use crate::list::List;
use crate::names::is_header;
use crate::request::{HeaderList, is_token};

/// Names of headers as `SignedHeaders` has them, on the stack for every ordinary request.
pub(crate) type NameList = List<u8, 192>;

/// Sorts by name, keeping the order of those with one name.
pub(crate) fn sort(list: &mut HeaderList<'_>, lower_case: bool) {
    if lower_case {
        list.sort_by(|(name, _), (other, _)| compare_lower(name, other));
    } else {
        list.sort_by(|(name, _), (other, _)| compare_names(name, other));
    }
}

/// Compares two names that are in lower case: the first eight letters at one go, which are enough
/// even for most names that begin with `x-amz-`.
fn compare_lower(name: &str, other: &str) -> Ordering {
    let first = |name: &str| {
        name.as_bytes()
            .first_chunk()
            .copied()
            .map(u64::from_be_bytes)
    };
    match (first(name), first(other)) {
        (Some(first), Some(other_first)) if first != other_first => first.cmp(&other_first),
        _ => name.cmp(other),
    }
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
pub(crate) fn write_names(names: &mut NameList, list: &HeaderList<'_>, lower_case: bool) {
    let mut before = "";
    for &(name, _) in list.iter() {
        if is_header(name, before) {
            continue;
        }
        if !before.is_empty() {
            names.push(b';');
        }
        before = name;
        if lower_case {
            names.extend_from_slice(name.as_bytes());
        } else {
            name.bytes()
                .for_each(|byte| names.push(byte.to_ascii_lowercase()));
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
        if is_header(name, before) {
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
    if !has_space(value) {
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

/// Whether there is a space at all. Long values, such as tokens, have none: whole blocks, without a
/// way out of their loop, become vector code; the last one overlaps the one before it.
fn has_space(value: &[u8]) -> bool {
    fn in_blocks<const N: usize>(value: &[u8]) -> bool {
        let in_block = |block: &[u8]| block.iter().fold(false, |found, &b| found | (b == b' '));
        value.chunks_exact(N).any(in_block)
            || value.last_chunk::<N>().is_some_and(|last| in_block(last))
    }
    match value.len() {
        0..16 => value.contains(&b' '),
        16..64 => in_blocks::<16>(value),
        _ => in_blocks::<64>(value),
    }
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
