//! The canonical path.

use super::Sink;
use super::query::{UNRESERVED, escape};
use crate::PathEncoding;
use crate::list::List;

/// Writes the canonical form of `path`, the path as it was sent.
pub(super) fn write<S: Sink>(sink: &mut S, path: &[u8], encoding: PathEncoding, normalize: bool) {
    if path.is_empty() {
        return sink.put(b"/");
    }
    if !(normalize && is_unrecognized(path)) {
        return encode(sink, path, encoding);
    }
    let mut segments = List::<&[u8], 16>::new();
    for segment in path.split(|&byte| byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => segments.pop(),
            _ => segments.push(segment),
        }
    }
    for segment in segments.iter() {
        sink.put(b"/");
        encode(sink, segment, encoding);
    }
    if segments.is_empty() || ends_as_folder(path) {
        sink.put(b"/");
    }
}

/// Whether normalizing may change `path`: it does not begin with `/`, or has a segment that is empty
/// or begins with a dot.
fn is_unrecognized(path: &[u8]) -> bool {
    let Some((b'/', after)) = path.split_first() else {
        return true;
    };
    // Each byte but the last, paired with the byte after it.
    let unusual = |byte: u8, next: u8| (byte == b'/') & ((next == b'/') | (next == b'.'));
    any_in_blocks(&path[..after.len()], after, unusual)
}

/// Whether the last segment is empty, `.` or `..`: the result then ends in a slash (RFC 3986,
/// section 5.2.4).
fn ends_as_folder(path: &[u8]) -> bool {
    matches!(
        path.rsplit(|&byte| byte == b'/').next(),
        Some(b"" | b"." | b"..")
    )
}

fn encode<S: Sink>(sink: &mut S, path: &[u8], encoding: PathEncoding) {
    let stays = match encoding {
        PathEncoding::Double if is_plain(path) => return sink.put(path),
        PathEncoding::Double => &STAYS_DOUBLE,
        PathEncoding::Single => &STAYS_SINGLE,
    };
    let mut rest = path;
    while let Some(end) = rest.iter().position(|&byte| !stays[usize::from(byte)]) {
        sink.put(&rest[..end]);
        sink.put(&escape(rest[end]));
        rest = &rest[end + 1..];
    }
    sink.put(rest);
}

/// Whether no byte of `path` has to be encoded, as in most paths.
fn is_plain(path: &[u8]) -> bool {
    let changes = |byte: u8, _: u8| {
        let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        // `-`, `.`, `/` and the digits follow each other.
        !(letter | (byte.wrapping_sub(b'-') < 13) | (byte == b'_') | (byte == b'~'))
    };
    !any_in_blocks(path, path, changes)
}

/// Whether `test` is true anywhere in two slices of one length, side by side.
///
/// Whole blocks, in a loop without an early exit, become vector code; the last one overlaps the one
/// before it.
#[inline]
fn any_in_blocks(one: &[u8], other: &[u8], test: impl Fn(u8, u8) -> bool) -> bool {
    const BLOCK: usize = 16;
    let any = |(one, other): (&[u8], &[u8])| {
        let pairs = one.iter().zip(other);
        pairs.fold(false, |found, (&one, &other)| found | test(one, other))
    };
    match (one.last_chunk::<BLOCK>(), other.last_chunk::<BLOCK>()) {
        (Some(last), Some(other_last)) => {
            let mut blocks = one.chunks_exact(BLOCK).zip(other.chunks_exact(BLOCK));
            blocks.any(any) || any((last, other_last))
        }
        _ => any((one, other)),
    }
}

const STAYS_DOUBLE: [bool; 256] = {
    let mut table = UNRESERVED;
    table[b'/' as usize] = true;
    table
};

const STAYS_SINGLE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = (byte as u8).is_ascii_graphic();
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    fn written(path: &str, encoding: PathEncoding, normalize: bool) -> String {
        let mut sink = Vec::new();
        write(&mut sink, path.as_bytes(), encoding, normalize);
        String::from_utf8(sink).unwrap()
    }

    #[test]
    fn normalizes_as_rfc_3986_and_drops_empty_segments() {
        for (path, expected) in [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/.", "/"),
            ("/..", "/"),
            ("/./", "/"),
            ("/../", "/"),
            ("/../foo", "/foo"),
            ("/foo/..", "/"),
            ("/foo", "/foo"),
            ("foo", "/foo"),
            ("./foo", "/foo"),
            ("/foo//", "/foo/"),
            ("//foo//bar", "/foo/bar"),
            ("/foo/./bar", "/foo/bar"),
            ("/foo/bar/.", "/foo/bar/"),
            ("/foo/bar/..", "/foo/"),
            ("/a/b/c/./../../g", "/a/g"),
            ("/.foo/..bar/...", "/.foo/..bar/..."),
            ("/foo./bar..", "/foo./bar.."),
            ("/%2E/%2e%2e", "/%252E/%252e%252e"),
        ] {
            assert_eq!(
                written(path, PathEncoding::Double, true),
                expected,
                "{path}"
            );
        }
        for path in ["/", "//", "/./", "/a/../b", "/a//"] {
            assert_eq!(written(path, PathEncoding::Double, false), path);
        }
    }

    #[test]
    fn a_plain_path_is_one_that_stays_as_it_is() {
        for byte in 0..=255_u8 {
            assert_eq!(is_plain(&[byte]), STAYS_DOUBLE[usize::from(byte)], "{byte}");
        }
    }

    /// Blocks of 16 bytes are checked together: a byte counts wherever in a block it is.
    #[test]
    fn a_byte_counts_wherever_in_the_path_it_is() {
        for length in 1..70 {
            for at in 0..length {
                let mut path = vec![b'a'; length];
                path[0] = b'/';
                assert!(is_plain(&path) && !is_unrecognized(&path), "{length}");
                path[at] = b':';
                assert!(!is_plain(&path), "{at} of {length}");
                path[at] = b'/';
                if at > 0 && at + 1 < length {
                    path[at + 1] = b'/';
                    assert!(is_unrecognized(&path), "{at} of {length}");
                    path[at + 1] = b'.';
                    assert!(is_unrecognized(&path), "{at} of {length}");
                }
            }
        }
    }

    #[test]
    fn encodes_once_more_or_leaves_as_it_is() {
        let path = "/arn%3Aaws/a b/{x}=*/\u{1234}~-._";
        assert_eq!(
            written(path, PathEncoding::Double, true),
            "/arn%253Aaws/a%20b/%7Bx%7D%3D%2A/%E1%88%B4~-._"
        );
        assert_eq!(
            written(path, PathEncoding::Single, true),
            "/arn%3Aaws/a%20b/{x}=*/%E1%88%B4~-._"
        );
    }
}
