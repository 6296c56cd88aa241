//! Names of the headers that describe an error, in lower case.

/// The error's code, possibly with a namespace before it and a URI after it.
pub const ERROR_TYPE: &str = "x-amzn-errortype";
/// The id of the request, as Lambda names it.
pub const REQUEST_ID: &str = "x-amzn-requestid";
/// The id of the request, as other services and some proxies name it.
pub const REQUEST_ID_ALTERNATIVES: [&str; 2] = ["x-amz-request-id", "x-amzn-request-id"];
/// How long to wait: seconds or a date (RFC 9110, section 10.2.3).
pub const RETRY_AFTER: &str = "retry-after";
/// How long to wait, in milliseconds (AWS SDKs' retry behavior of 2026).
pub const RETRY_AFTER_MILLIS: &str = "x-amz-retry-after";
/// The media type of the body.
pub const CONTENT_TYPE: &str = "content-type";
