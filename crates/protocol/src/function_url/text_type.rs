//! Which bodies are text; the event contains all others in base64.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};

/// Returns the body as text, if its content type is a textual one and it is UTF-8.
///
/// The guide says "if the content type of the request is binary, the body is base64-encoded". As
/// recorded from the service, forms (`application/x-www-form-urlencoded` and
/// `multipart/form-data`), bodies without a content type and compressed bodies are base64, too.
pub(super) fn text<'a>(headers: &HeaderMap, body: &'a [u8]) -> Option<&'a str> {
    let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let is_coded = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if is_coded || !is_text(content_type) {
        return None;
    }
    std::str::from_utf8(body).ok()
}

fn is_text(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    let Some((kind, subtype)) = essence.split_once('/') else {
        return false;
    };
    kind == "text"
        || (kind == "application" && matches!(subtype, "json" | "xml" | "javascript"))
        || subtype.ends_with("+json")
        || subtype.ends_with("+xml")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_textual_content_types_are_text() {
        for (content_type, expected) in [
            ("text/plain", true),
            ("TEXT/HTML; charset=utf-8", true),
            ("application/json", true),
            ("application/json;charset=UTF-8", true),
            ("application/problem+json", true),
            ("image/svg+xml", true),
            ("application/xml", true),
            ("application/javascript", true),
            ("application/x-www-form-urlencoded", false),
            ("multipart/form-data; boundary=x", false),
            ("application/octet-stream", false),
            ("image/png", false),
            ("json", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            assert_eq!(text(&headers, b"{}").is_some(), expected, "{content_type}");
        }
        assert_eq!(text(&HeaderMap::new(), b"{}"), None);
    }

    #[test]
    fn bytes_that_are_not_utf_8_or_compressed_are_not_text() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        assert_eq!(text(&headers, b"\xff"), None);
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("identity"));
        assert_eq!(text(&headers, b"a"), Some("a"));
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert_eq!(text(&headers, b"a"), None);
    }
}
