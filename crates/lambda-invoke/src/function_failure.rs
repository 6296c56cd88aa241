//! What is known of a function that failed.

use std::fmt;

use bytes::Bytes;
use lambda_invoke_error::bounds::MAX_TOKEN;
use lambda_invoke_protocol::text::{Excerpt, cut};
use lambda_invoke_protocol::{FunctionError, LogTail, LoggedFailure};

/// What a function that ran and failed left behind.
///
/// Its `Display` is one line of a few KiB at most, and its `Debug` not much more, whatever was sent.
#[derive(Clone)]
#[non_exhaustive]
pub struct FunctionFailure {
    /// What the service calls it: the value of `X-Amz-Function-Error` (`Unhandled`, or `Handled`
    /// of old), or the `ErrorCode` of a stream's `InvokeComplete`; at most 256 bytes of it. `None`
    /// if only the log tells of the failure.
    pub code: Option<String>,
    /// The `ErrorDetails` of a stream's `InvokeComplete`, as they came.
    pub details: Option<String>,
    /// The function's own words, as far as payload, details or log have them.
    pub error: FunctionError,
    /// What the log tells of the failure, if it was asked for and does.
    pub logged: Option<LoggedFailure>,
    /// The payload of a buffered answer: the runtime's JSON, or what the function had returned if
    /// only the log tells. Empty for a stream, whose chunks have come before.
    pub payload: Bytes,
    /// The end of the log, if it was asked for.
    pub log: Option<LogTail>,
}

impl fmt::Debug for FunctionFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = self.details.as_deref();
        f.debug_struct("FunctionFailure")
            .field("code", &self.code)
            .field("details", &details.map(|text| Excerpt(text).to_string()))
            .field("error", &self.error.to_string())
            .field("logged", &self.logged.as_ref().map(ToString::to_string))
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// The part of a code that is kept.
pub(crate) fn short_code(code: &str) -> String {
    cut(code, MAX_TOKEN).to_owned()
}

impl fmt::Display for FunctionFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(code) = &self.code else {
            return match &self.logged {
                Some(logged) => logged.fmt(f),
                None => self.error.fmt(f),
            };
        };
        if self.error == FunctionError::default() {
            return Excerpt(code).fmt(f);
        }
        // A stream's error code is the error's own type, which its words begin with.
        if self.error.error_message.is_some() && self.error.error_type.as_ref() == Some(code) {
            return self.error.fmt(f);
        }
        write!(f, "{}: {}", Excerpt(code), self.error)
    }
}
