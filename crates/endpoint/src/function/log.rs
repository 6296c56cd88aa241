//! The lines of functions' logs, for an observer.

use std::fmt;
use std::sync::Arc;

/// A line that a function has written to its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLine<'a> {
    /// The function's name.
    pub function: &'a str,
    /// The request id of the invocation; `None` for a line between invocations.
    pub request_id: Option<&'a str>,
    /// The line, without its end; a record of a program's runtime client may have several lines. It
    /// may contain control characters.
    pub text: &'a str,
}

/// The callback for log lines.
#[derive(Clone)]
pub(crate) struct OnLog(pub(crate) Arc<dyn Fn(LogLine<'_>) + Send + Sync>);

impl OnLog {
    /// Reports a text, which may have several lines.
    pub(crate) fn report(&self, function: &str, request_id: Option<&str>, text: &str) {
        for text in text.lines() {
            self.report_whole(function, request_id, text);
        }
    }

    /// Reports a text as one line, unless it is empty.
    pub(crate) fn report_whole(&self, function: &str, request_id: Option<&str>, text: &str) {
        if !text.is_empty() {
            (self.0)(LogLine {
                function,
                request_id,
                text,
            });
        }
    }
}

impl fmt::Debug for OnLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnLog")
    }
}
