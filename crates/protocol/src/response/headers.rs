//! Reading a response's headers.

use http::header::CONTENT_ENCODING;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::header;

/// The content type of every response stream.
pub const EVENT_STREAM_CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

/// Returns a header as text, with U+FFFD in place of bytes that are not UTF-8.
pub(super) fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers
        .get(name)
        .map(|value| header::text(value).into_owned())
}

/// Returns whether a body is encoded, as by `gzip`.
pub(super) fn has_content_coding(headers: &HeaderMap) -> bool {
    is_coded(headers, CONTENT_ENCODING, "identity")
}

/// Returns whether a message lists a coding other than `identity` and one `usual`.
pub(super) fn is_coded(headers: &HeaderMap, name: HeaderName, usual: &str) -> bool {
    let mut usual_seen = false;
    tokens(headers, name).any(|token| {
        if token.eq_ignore_ascii_case(b"identity") {
            return false;
        }
        !token.eq_ignore_ascii_case(usual.as_bytes()) || std::mem::replace(&mut usual_seen, true)
    })
}

/// The elements of a list, which may be spread over several headers.
pub(super) fn tokens(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> {
    headers
        .get_all(name)
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|token| !token.is_empty())
}

/// Returns whether a content type is one of `types`, in any letter case and with any parameters.
pub(super) fn is_content_type(content_type: Option<&HeaderValue>, types: &[&str]) -> bool {
    let Some(found) = content_type else {
        return false;
    };
    let essence = found.as_bytes().split(|byte| *byte == b';').next();
    let essence = essence.unwrap_or_default().trim_ascii();
    types
        .iter()
        .any(|expected| essence.eq_ignore_ascii_case(expected.as_bytes()))
}
