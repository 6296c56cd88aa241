//! The canonical path.

use super::Sink;
use super::query::{UPPER_HEX, is_unreserved};
use crate::PathEncoding;
use crate::list::List;

/// Writes the canonical form of `path`, the path as it was sent.
pub(super) fn write<S: Sink>(sink: &mut S, path: &[u8], encoding: PathEncoding, normalize: bool) {
    if path.is_empty() {
        return sink.put(b"/");
    }
    if !(normalize && is_odd(path)) {
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

/// Whether normalising may change `path`: anything but `/` first, an empty segment, or one that
/// begins with a dot.
fn is_odd(path: &[u8]) -> bool {
    path.first() != Some(&b'/') || path.windows(2).any(|pair| matches!(pair, b"//" | b"/."))
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
    let stays = |byte: u8| match encoding {
        PathEncoding::Twice => is_unreserved(byte) || byte == b'/',
        PathEncoding::Once => byte.is_ascii_graphic(),
    };
    let mut rest = path;
    while let Some(end) = rest.iter().position(|&byte| !stays(byte)) {
        let byte = rest[end];
        sink.put(&rest[..end]);
        sink.put(&[
            b'%',
            UPPER_HEX[usize::from(byte >> 4)],
            UPPER_HEX[usize::from(byte & 15)],
        ]);
        rest = &rest[end + 1..];
    }
    sink.put(rest);
}

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
            assert_eq!(written(path, PathEncoding::Twice, true), expected, "{path}");
        }
        for path in ["/", "//", "/./", "/a/../b", "/a//"] {
            assert_eq!(written(path, PathEncoding::Twice, false), path);
        }
    }

    #[test]
    fn encodes_once_more_or_leaves_as_it_is() {
        let path = "/arn%3Aaws/a b/{x}=*/\u{1234}~-._";
        assert_eq!(
            written(path, PathEncoding::Twice, true),
            "/arn%253Aaws/a%20b/%7Bx%7D%3D%2A/%E1%88%B4~-._"
        );
        assert_eq!(
            written(path, PathEncoding::Once, true),
            "/arn%3Aaws/a%20b/{x}=*/%E1%88%B4~-._"
        );
    }
}
