//! The APIs' headers. Their names are statics, since creating a name from text parses and hashes it.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, HeaderValue};

macro_rules! names {
    ($($name:ident = $text:expr),* $(,)?) => {
        $(pub(crate) static $name: HeaderName = HeaderName::from_static($text);)*
    };
}

// Headers that a runtime receives with an event.
names! {
    REQUEST_ID = "lambda-runtime-aws-request-id",
    FUNCTION_ARN = "lambda-runtime-invoked-function-arn",
    CLIENT_CONTEXT = "lambda-runtime-client-context",
    TENANT_ID = "lambda-runtime-aws-tenant-id",
    TRACE_ID = "lambda-runtime-trace-id",
    DEADLINE = "lambda-runtime-deadline-ms",
    // The runtime may send this one back.
    INVOCATION_ID = "lambda-runtime-invocation-id",
}

// The header that an extension is sent, and sends back with its requests.
names! {
    EXTENSION_ID = "lambda-extension-identifier",
}

/// The headers of a request that have a meaning, found in one pass over all of its headers: a look-up of
/// each name would hash it. If a header is repeated, the first one counts.
#[derive(Debug, Default)]
pub(crate) struct Sent<'a> {
    pub(crate) content_type: Option<&'a HeaderValue>,
    pub(crate) invocation_id: Option<&'a HeaderValue>,
    pub(crate) response_mode: Option<&'a HeaderValue>,
    pub(crate) error_type: Option<&'a HeaderValue>,
    pub(crate) extension_name: Option<&'a HeaderValue>,
    pub(crate) extension_id: Option<&'a HeaderValue>,
    pub(crate) extension_error_type: Option<&'a HeaderValue>,
    /// Whether a browser sent it for a page: there is a header that no runtime sends, or the host is a
    /// public name, which leads to this machine for a page of that name (DNS rebinding).
    pub(crate) is_from_page: bool,
}

impl<'a> Sent<'a> {
    pub(crate) fn of(headers: &'a HeaderMap) -> Self {
        let mut sent = Self::default();
        for (name, value) in headers {
            let field = match name.as_str() {
                "content-type" => &mut sent.content_type,
                "lambda-runtime-invocation-id" => &mut sent.invocation_id,
                "lambda-runtime-function-response-mode" => &mut sent.response_mode,
                super::lines::TYPE => &mut sent.error_type,
                "lambda-extension-name" => &mut sent.extension_name,
                "lambda-extension-identifier" => &mut sent.extension_id,
                "lambda-extension-function-error-type" => &mut sent.extension_error_type,
                "origin" | "sec-fetch-site" => {
                    sent.is_from_page = true;
                    continue;
                }
                "host" => {
                    sent.is_from_page |= !is_local(value);
                    continue;
                }
                _ => continue,
            };
            field.get_or_insert(value);
        }
        sent
    }
}

/// Whether a host is an address or a name without a dot, with or without a port. No page comes from such a
/// name outside of the local network.
fn is_local(host: &HeaderValue) -> bool {
    host.to_str().is_ok_and(|host| {
        !host.contains('.') || host.parse::<SocketAddr>().is_ok() || host.parse::<IpAddr>().is_ok()
    })
}

/// Returns a header as text; `None` if it is absent or not ASCII.
pub(crate) fn text(value: Option<&HeaderValue>) -> Option<&str> {
    value?.to_str().ok()
}

/// Returns a header as text, with a replacement for what is not UTF-8.
pub(crate) fn lossy(value: Option<&HeaderValue>) -> Option<String> {
    Some(String::from_utf8_lossy(value?.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_header_is_found_and_of_several_the_first() {
        let names = [
            "content-type",
            "lambda-runtime-invocation-id",
            "lambda-runtime-function-response-mode",
            "lambda-runtime-function-error-type",
            "lambda-extension-name",
            "lambda-extension-identifier",
            "lambda-extension-function-error-type",
        ];
        // Every subset of the names, each with one value or two.
        for chosen in 0..1_usize << names.len() {
            let mut headers = HeaderMap::new();
            for (index, name) in names.into_iter().enumerate() {
                if chosen >> index & 1 == 1 {
                    headers.append(name, HeaderValue::from(index));
                    if chosen % 3 == 0 {
                        headers.append(name, HeaderValue::from_static("second"));
                    }
                }
            }
            let sent = Sent::of(&headers);
            let found = [
                sent.content_type,
                sent.invocation_id,
                sent.response_mode,
                sent.error_type,
                sent.extension_name,
                sent.extension_id,
                sent.extension_error_type,
            ];
            for (name, found) in names.into_iter().zip(found) {
                assert_eq!(found, headers.get(name), "{name}");
            }
            assert!(!sent.is_from_page);
        }
    }

    #[test]
    fn a_page_whose_name_leads_here_is_known_by_the_host() {
        for (host, is_from_page) in [
            ("127.0.0.1:9001", false),
            ("127.0.0.1", false),
            ("[::1]:9001", false),
            ("localhost:9001", false),
            ("LOCALHOST", false),
            ("x", false),
            ("evil.example:9001", true),
            ("127.0.0.1.evil.example", true),
            ("localhost.evil.example:9001", true),
            ("evil.example", true),
        ] {
            let host = (http::header::HOST, HeaderValue::from_static(host));
            let headers = HeaderMap::from_iter([host.clone()]);
            assert_eq!(Sent::of(&headers).is_from_page, is_from_page, "{host:?}");
        }
    }

    #[test]
    fn a_browser_is_known_by_either_of_its_headers() {
        for name in ["Origin", "Sec-Fetch-Site"] {
            let headers = HeaderMap::from_iter([(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_static("null"),
            )]);
            assert!(Sent::of(&headers).is_from_page);
        }
    }
}
