//! Reading a response's headers.

use http::header::CONTENT_ENCODING;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::header;

/// The content type of every response stream.
pub const EVENT_STREAM_CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

/// The headers that say what a response is, found in one pass over all headers: there are few, and
/// each lookup by name would hash. If a header is repeated, the first value counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fields<'a> {
    pub(super) content_type: Option<&'a HeaderValue>,
    pub(super) content_encoding: Option<&'a HeaderValue>,
    pub(super) content_length: Option<&'a HeaderValue>,
    pub(super) transfer_encoding: Option<&'a HeaderValue>,
    pub(super) executed_version: Option<&'a HeaderValue>,
    pub(super) function_error: Option<&'a HeaderValue>,
    pub(super) log_result: Option<&'a HeaderValue>,
    pub(super) durable_execution_arn: Option<&'a HeaderValue>,
    pub(super) remapped_content_type: Option<&'a HeaderValue>,
    pub(super) request_id: Option<&'a HeaderValue>,
    /// Whether there are several headers of transfer codings.
    more_codings: bool,
}

impl<'a> Fields<'a> {
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        let mut fields = Self::default();
        for (name, value) in headers {
            // The names are those of `crate::header`; a test compares them.
            let field = match name.as_str() {
                "content-type" => &mut fields.content_type,
                "content-encoding" => &mut fields.content_encoding,
                "content-length" => &mut fields.content_length,
                "transfer-encoding" => {
                    fields.more_codings = fields.transfer_encoding.is_some();
                    &mut fields.transfer_encoding
                }
                "x-amz-executed-version" => &mut fields.executed_version,
                "x-amz-function-error" => &mut fields.function_error,
                "x-amz-log-result" => &mut fields.log_result,
                "x-amz-durable-execution-arn" => &mut fields.durable_execution_arn,
                "x-amzn-remapped-content-type" => &mut fields.remapped_content_type,
                "x-amzn-requestid" => &mut fields.request_id,
                _ => continue,
            };
            field.get_or_insert(value);
        }
        fields
    }

    /// Whether `chunked` is the only transfer coding, in the only header of its kind. This is
    /// nearly always true, and saves searching the headers again.
    pub(super) fn is_only_chunked(&self) -> bool {
        let coding = self.transfer_encoding;
        !self.more_codings
            && coding.is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
    }
}

/// Returns a header as text, with U+FFFD in place of bytes that are not UTF-8.
pub(super) fn text(value: Option<&HeaderValue>) -> Option<String> {
    value.map(|value| header::text(value).into_owned())
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

/// The elements of a comma-separated list, which may be spread over several headers.
fn tokens(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pass_finds_what_looking_up_each_name_finds() {
        let names = [
            http::header::CONTENT_TYPE,
            CONTENT_ENCODING,
            http::header::CONTENT_LENGTH,
            http::header::TRANSFER_ENCODING,
            header::X_AMZ_EXECUTED_VERSION,
            header::X_AMZ_FUNCTION_ERROR,
            header::X_AMZ_LOG_RESULT,
            header::X_AMZ_DURABLE_EXECUTION_ARN,
            header::X_AMZN_REMAPPED_CONTENT_TYPE,
            header::X_AMZN_REQUEST_ID,
            http::header::DATE,
        ];
        // Every subset of the names, each with one value or two.
        for chosen in 0..1_usize << names.len() {
            let mut headers = HeaderMap::new();
            for (index, name) in names.iter().enumerate() {
                if chosen >> index & 1 == 1 {
                    headers.append(name, HeaderValue::from(index));
                    if chosen % 3 == 0 {
                        headers.append(name, HeaderValue::from_static("second"));
                    }
                }
            }
            let fields = Fields::of(&headers);
            let found = [
                fields.content_type,
                fields.content_encoding,
                fields.content_length,
                fields.transfer_encoding,
                fields.executed_version,
                fields.function_error,
                fields.log_result,
                fields.durable_execution_arn,
                fields.remapped_content_type,
                fields.request_id,
            ];
            for (name, found) in names.iter().zip(found) {
                assert_eq!(found, headers.get(name), "{name}");
            }
        }
    }
}
