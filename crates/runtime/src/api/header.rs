//! The APIs' headers. Their names are statics, since creating a name from text parses and hashes it.

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
    /// Whether there is a header that every browser sends for a page, and no runtime does.
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
                _ => continue,
            };
            field.get_or_insert(value);
        }
        sent
    }
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
