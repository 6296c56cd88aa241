//! Lines that a function writes to stdout and stderr.

use std::fmt;
use std::sync::Arc;

/// One line that a function wrote to stdout or stderr, or one record of an official runtime client,
/// which may have several lines.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLine {
    /// The number of the instance, counted from 1 in each pool.
    pub instance: u64,
    /// The invocation that was running, if it was the only one.
    pub request_id: Option<Arc<str>>,
    /// The text without its line end. Bytes that are not UTF-8 are replaced.
    pub text: String,
}

/// Receives each line as soon as it is written.
#[derive(Clone)]
pub(crate) struct LogSink(pub(crate) Arc<dyn Fn(&LogLine) + Send + Sync>);

impl fmt::Debug for LogSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogSink")
    }
}
