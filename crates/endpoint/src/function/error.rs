//! Function errors, and how they are reported to the caller.

use std::fmt;

use bytes::Bytes;
use lambda_invoke_error::ThrottleReason;
use lambda_invoke_error::text::truncate;

/// The longest description of a failure in the request log, in bytes.
pub(crate) const LONGEST_SUMMARY: usize = 1024;

/// A function's failure: the `errorType`, `errorMessage` and `stackTrace` of its response.
///
/// Any error converts with `?`: the name of its type becomes the error type, its text the message.
/// (For that reason this type does not implement [`std::error::Error`].)
///
/// # Example
///
/// ```
/// use lambda_invoke_endpoint::FunctionError;
///
/// let error: FunctionError = "x".parse::<u8>().unwrap_err().into();
/// assert_eq!(error.error_type(), "ParseIntError");
/// let error = FunctionError::new("OutOfStock", "no more of those");
/// assert_eq!(error.message(), "no more of those");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    error_type: String,
    message: String,
    stack_trace: Vec<String>,
    origin: Origin,
    /// The payload as a runtime reported it, used instead of a payload made from the other fields.
    reported: Option<Bytes>,
}

/// The origin of a failure, which decides the form of the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// Raised by the function: message, type, request id and stack trace.
    Function,
    /// Raised by the function during initialization, before there was a request.
    Init,
    /// Raised by the platform: type, and a message that starts with the request id.
    Platform,
    /// The platform ended an invocation that ran for too long.
    Timeout,
    /// The platform rejected the function's response: type and message.
    Response,
    /// Reported by a program's runtime, which has written it to the log itself.
    #[cfg(feature = "runtime")]
    Runtime,
    /// All instances of the program are busy; nothing has run.
    #[cfg(feature = "runtime")]
    Throttled,
}

impl FunctionError {
    /// Creates an error raised by the function.
    pub fn new(error_type: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            error_type: error_type.into(),
            message: message.into(),
            stack_trace: Vec::new(),
            origin: Origin::Function,
            reported: None,
        }
    }

    /// Creates the error for an exited process: `Runtime.ExitError` with the message `Runtime
    /// exited with error: <how>`, or `Runtime exited without providing a reason`.
    ///
    /// Useful for tests: an in-process function has no separate process that could exit.
    #[must_use]
    pub fn exit(how: Option<&str>) -> Self {
        let message = match how {
            Some(how) => format!("Runtime exited with error: {how}"),
            None => "Runtime exited without providing a reason".to_owned(),
        };
        Self::platform("Runtime.ExitError", message)
    }

    /// Marks the error as raised during initialization, before there was a request: the response
    /// has an empty request id.
    #[must_use]
    pub fn during_init(mut self) -> Self {
        self.origin = Origin::Init;
        self
    }

    /// Creates the error for an invocation that timed out.
    pub(crate) fn timed_out(limit: std::time::Duration) -> Self {
        let message = format!("Task timed out after {:.2} seconds", limit.as_secs_f64());
        Self {
            origin: Origin::Timeout,
            ..Self::new("Sandbox.Timedout", message)
        }
    }

    /// Creates the error for a response larger than `limit` bytes.
    pub(crate) fn too_large(limit: u64) -> Self {
        let message =
            format!("Response payload size exceeded maximum allowed payload size ({limit} bytes).");
        Self {
            origin: Origin::Response,
            ..Self::new("Function.ResponseSizeTooLarge", message)
        }
    }

    pub(super) fn platform(error_type: &str, message: String) -> Self {
        Self {
            origin: Origin::Platform,
            ..Self::new(error_type, message)
        }
    }

    /// Adds the lines of a stack trace, innermost last as in the service's Python runtimes.
    #[must_use]
    pub fn with_stack_trace(mut self, lines: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.stack_trace = lines.into_iter().map(Into::into).collect();
        self
    }

    /// Returns the `errorType`.
    pub fn error_type(&self) -> &str {
        &self.error_type
    }

    /// Returns the `errorMessage`, without the request id that the platform adds to its own
    /// messages.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Truncates the error to this many bytes of text: first the type, then the message, then the
    /// stack trace.
    pub(crate) fn shortened(mut self, most: usize) -> Self {
        let mut bytes = most;
        for text in [&mut self.error_type, &mut self.message]
            .into_iter()
            .chain(&mut self.stack_trace)
        {
            let end = truncate(text, bytes).len();
            // Nothing is kept after a truncated text.
            bytes = if end < text.len() { 0 } else { bytes - end };
            text.truncate(end);
            text.shrink_to_fit();
        }
        self.stack_trace.retain(|line| !line.is_empty());
        if self
            .reported
            .as_ref()
            .is_some_and(|payload| payload.len() > most)
        {
            self.reported = None;
        }
        self
    }

    /// Creates the error of a call that was not started because all instances of the program are
    /// busy.
    #[cfg(feature = "runtime")]
    pub(crate) fn throttled() -> Self {
        Self {
            origin: Origin::Throttled,
            ..Self::new("TooManyRequestsException", "Rate Exceeded.")
        }
    }

    /// Creates the error of a program's invocation.
    #[cfg(feature = "runtime")]
    pub(crate) fn of_program(request_id: &str, failure: &lambda_invoke_runtime::Failure) -> Self {
        use lambda_invoke_runtime::FailureKind;

        let prefix = format!("RequestId: {request_id} Error: ");
        let platform = failure.message.strip_prefix(&prefix);
        Self {
            origin: match failure.kind {
                FailureKind::TimedOut => Origin::Timeout,
                FailureKind::TooLarge => Origin::Response,
                FailureKind::Function | FailureKind::Init if platform.is_none() => Origin::Runtime,
                _ => Origin::Platform,
            },
            reported: Some(failure.body.clone()),
            ..Self::new(&failure.error_type, platform.unwrap_or(&failure.message))
        }
    }

    /// Returns why nothing has run, if the call was throttled.
    pub(crate) fn throttle_reason(&self) -> Option<ThrottleReason> {
        match &self.origin {
            #[cfg(feature = "runtime")]
            Origin::Throttled => {
                Some(ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded)
            }
            _ => None,
        }
    }

    /// Whether the invocation timed out.
    pub(crate) fn is_timeout(&self) -> bool {
        self.origin == Origin::Timeout
    }

    /// Whether the response was too large.
    pub(crate) fn is_too_large(&self) -> bool {
        self.origin == Origin::Response
    }

    /// Whether the platform raised the error, rather than the function.
    pub(crate) fn is_from_platform(&self) -> bool {
        matches!(
            self.origin,
            Origin::Platform | Origin::Timeout | Origin::Response
        )
    }

    /// Returns the JSON payload of the response.
    pub(crate) fn payload(&self, request_id: &str) -> Bytes {
        if let Some(reported) = &self.reported {
            return reported.clone();
        }
        let message = match self.origin {
            Origin::Platform | Origin::Timeout => self.platform_message(request_id),
            _ => self.message.clone(),
        };
        let mut error = lambda_invoke_protocol::FunctionError::new(&self.error_type, message);
        if matches!(self.origin, Origin::Function | Origin::Init) {
            let known = self.origin == Origin::Function;
            error.request_id = Some(if known { request_id } else { "" }.to_owned());
            error.stack_trace.clone_from(&self.stack_trace);
        }
        error.to_json().into()
    }

    fn platform_message(&self, request_id: &str) -> String {
        format!("RequestId: {request_id} Error: {}", self.message)
    }

    /// Returns the error as text for the request log, truncated to 1 KiB.
    pub(crate) fn summary(&self) -> String {
        let short = self.clone().shortened(LONGEST_SUMMARY);
        let mark = if short.message == self.message {
            ""
        } else {
            "..."
        };
        format!("{short}{mark}")
    }

    /// Returns the error's lines in the tail log, unless the function has written them itself.
    pub(crate) fn log_line(&self, request_id: &str) -> Option<String> {
        Some(match self.origin {
            // The form of the Python runtime, by which a client can distinguish a failure from a
            // line that the function wrote itself.
            Origin::Function | Origin::Init => {
                let mut lines = format!("[ERROR] {self}\nTraceback (most recent call last):");
                for line in self.stack_trace.iter().flat_map(|frame| frame.lines()) {
                    lines.push_str("\n\u{a0}\u{a0}");
                    lines.push_str(line.trim_start());
                }
                lines
            }
            Origin::Platform | Origin::Timeout => self.platform_message(request_id),
            Origin::Response => self.message.clone(),
            #[cfg(feature = "runtime")]
            Origin::Runtime | Origin::Throttled => return None,
        })
    }
}

impl fmt::Display for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error_type, self.message)
    }
}

impl<E: std::error::Error> From<E> for FunctionError {
    fn from(error: E) -> Self {
        let path = std::any::type_name::<E>();
        // `a::b::C<d::E>` becomes `C`.
        let bare = path.split('<').next().unwrap_or(path);
        let name = bare.rsplit("::").next().unwrap_or(bare);
        Self::new(name, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn read(error: &FunctionError) -> serde_json::Value {
        serde_json::from_slice(&error.payload("id-1")).unwrap()
    }

    #[test]
    fn a_raised_error_has_the_recorded_members() {
        let error = FunctionError::new("Exception", "Handler fails").with_stack_trace(["line 2"]);
        assert_eq!(
            read(&error),
            json!({"errorMessage": "Handler fails", "errorType": "Exception",
                   "requestId": "id-1", "stackTrace": ["line 2"]})
        );
    }

    #[test]
    fn a_platform_error_names_the_request_in_its_message() {
        assert_eq!(
            read(&FunctionError::timed_out(Duration::from_secs(1))),
            json!({"errorType": "Sandbox.Timedout",
                   "errorMessage": "RequestId: id-1 Error: Task timed out after 1.00 seconds"})
        );
        assert_eq!(
            read(&FunctionError::exit(Some("exit status 127")))["errorMessage"],
            "RequestId: id-1 Error: Runtime exited with error: exit status 127"
        );
    }

    #[test]
    fn a_too_large_response_has_the_limit_in_its_message() {
        assert_eq!(
            read(&FunctionError::too_large(6_291_556)),
            json!({"errorType": "Function.ResponseSizeTooLarge",
                   "errorMessage": "Response payload size exceeded maximum allowed payload size \
                                    (6291556 bytes)."})
        );
    }

    #[test]
    fn a_shortened_error_keeps_its_beginning() {
        let error = FunctionError::new("Long", "ä".repeat(10)).with_stack_trace(["one", "two"]);
        let whole = error.clone();
        assert_eq!(error.clone().shortened(30), whole);
        let short = error.shortened(9);
        assert_eq!((short.error_type(), short.message()), ("Long", "ää"));
        assert!(short.stack_trace.is_empty());
    }

    #[test]
    fn a_generic_error_is_named_without_its_parameters() {
        #[derive(Debug)]
        struct Wrapped<T>(T);
        impl<T> fmt::Display for Wrapped<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("wrapped")
            }
        }
        impl<T: fmt::Debug> std::error::Error for Wrapped<T> {}
        let error = FunctionError::from(Wrapped(std::io::ErrorKind::Other));
        assert_eq!(error.to_string(), "Wrapped: wrapped");
    }
}
