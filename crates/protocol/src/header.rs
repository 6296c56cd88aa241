//! The names of the headers that the two operations use, for both directions.
//!
//! From the service's model (Invoke and InvokeWithResponseStream of the API of 2015-03-31); those
//! not in the model are marked as observed.

use std::borrow::Cow;

use http::{HeaderName, HeaderValue};

pub use crate::request::header_names::*;

/// The version that ran.
pub const X_AMZ_EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");
/// Present if the function failed: `Unhandled`, or `Handled` from old runtimes.
pub const X_AMZ_FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
/// The end of the log, in base64.
pub const X_AMZ_LOG_RESULT: HeaderName = HeaderName::from_static("x-amz-log-result");
/// The ARN of a durable execution.
pub const X_AMZ_DURABLE_EXECUTION_ARN: HeaderName =
    HeaderName::from_static("x-amz-durable-execution-arn");
/// The content type that a streaming function set itself (observed).
pub const X_AMZN_REMAPPED_CONTENT_TYPE: HeaderName =
    HeaderName::from_static("x-amzn-remapped-content-type");
/// The request's id (observed, on every response).
pub const X_AMZN_REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// The query parameter that names a version or an alias.
pub const QUALIFIER: &str = "Qualifier";

/// Returns a value as text, with U+FFFD in place of bytes that are not UTF-8.
pub(crate) fn text(value: &HeaderValue) -> Cow<'_, str> {
    // Values are nearly always ASCII, which is several times faster to check than UTF-8.
    match value.to_str() {
        Ok(text) => text.into(),
        Err(_) => String::from_utf8_lossy(value.as_bytes()),
    }
}
