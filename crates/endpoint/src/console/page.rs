//! The page's files and the headers that protect it.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};

use crate::service::response_body::Content;

const HTML: &str = include_str!("page/index.html");
const CSS: &str = include_str!("page/console.css");
const ICON: &str = include_str!("page/icon.svg");
const SCRIPT: &str = include_str!("page/console.js");

/// Only the page's own files and requests to its own origin; no frames around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// Returns a file of the page.
pub(super) fn file(name: &str) -> Option<Response<Content>> {
    let (content_type, text) = match name {
        "" => ("text/html; charset=utf-8", HTML),
        "console.css" => ("text/css; charset=utf-8", CSS),
        "icon.svg" => ("image/svg+xml", ICON),
        "console.js" => ("text/javascript; charset=utf-8", SCRIPT),
        _ => return None,
    };
    Some(with_type(content_type, Content::whole(text)))
}

/// Returns a response with a content type and the protecting headers.
pub(super) fn with_type(content_type: &'static str, content: Content) -> Response<Content> {
    let mut response = Response::new(content);
    for (name, value) in [
        (CONTENT_TYPE, content_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Returns an error as text.
pub(super) fn problem(status: StatusCode, text: &str) -> Response<Content> {
    let mut response = with_type("text/plain; charset=utf-8", Content::whole(text.to_owned()));
    *response.status_mut() = status;
    response
}
