//! What is known about a function that failed.

use std::fmt;

use bytes::Bytes;
use lambda_invoke_error::bounds::MAX_TOKEN;
use lambda_invoke_error::text::{Excerpt, truncate};
use lambda_invoke_protocol::{FunctionError, InvokeComplete, LogTail, LoggedFailure};

/// What is known about a function that ran and failed.
///
/// `Display` writes one line of at most a few KiB, and `Debug` little more, however much the
/// function wrote.
#[derive(Clone)]
#[non_exhaustive]
pub struct FunctionFailure {
    /// The service's code: the value of `X-Amz-Function-Error` (`Unhandled`, formerly also
    /// `Handled`), or the `ErrorCode` of a stream's `InvokeComplete`; its first 256 bytes at most.
    /// `None` if only the log or the details report the failure.
    pub code: Option<String>,
    /// The `ErrorDetails` of a stream's `InvokeComplete`, unchanged.
    pub details: Option<String>,
    /// The function's own error type, message and trace, if the payload, the details or the
    /// log have them.
    pub error: FunctionError,
    /// The failure that the log reports, if the log was requested and reports one.
    pub logged: Option<LoggedFailure>,
    /// The payload of a buffered response: the runtime's JSON, or the function's result if only the
    /// log reports the failure. Empty for a stream, whose chunks were returned before.
    pub payload: Bytes,
    /// The end of the log, if it was requested.
    pub log: Option<LogTail>,
}

impl FunctionFailure {
    /// Creates the failure that ended a stream.
    pub(crate) fn of_stream(complete: InvokeComplete, logged: Option<LoggedFailure>) -> Self {
        let details = complete.error_details;
        let reported = details.as_deref().map(FunctionError::from_details);
        let error = reported.or_else(|| Some(logged.as_ref()?.error.clone()));
        Self {
            code: complete.error_code.as_deref().map(short_code),
            error: error.unwrap_or_default(),
            details,
            logged,
            payload: Bytes::new(),
            log: complete.log,
        }
    }
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

/// Returns the first 256 bytes of a code.
pub(crate) fn short_code(code: &str) -> String {
    truncate(code, MAX_TOKEN).to_owned()
}

impl fmt::Display for FunctionFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(code) = &self.code else {
            return match (&self.details, &self.logged) {
                (None, Some(logged)) => logged.fmt(f),
                _ => self.error.fmt(f),
            };
        };
        if self.error == FunctionError::default() {
            return Excerpt(code).fmt(f);
        }
        // A stream's error code is the type of the error, and `Display` of the error begins with
        // it.
        if self.error.error_message.is_some() && self.error.error_type.as_ref() == Some(code) {
            return self.error.fmt(f);
        }
        write!(f, "{}: {}", Excerpt(code), self.error)
    }
}
