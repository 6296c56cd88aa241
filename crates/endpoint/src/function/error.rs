//! How a function fails, and what its caller reads of it.

use std::fmt;

/// What a function failed with: the `errorType`, `errorMessage` and `stackTrace` of its answer.
///
/// Any error converts with `?`: its type's name and its text become type and message. (For that
/// reason this type is not itself a [`std::error::Error`].)
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
}

/// Who saw the failure: it decides the shape of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// The function raised it: message, type, request id and stack.
    Function,
    /// The function raised it before there was a request.
    Init,
    /// The platform ended the function: type, and a message that begins with the request id.
    Platform,
    /// The platform refused the function's answer: type and message.
    Answer,
}

impl FunctionError {
    /// An error that the function raises.
    pub fn new(error_type: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            error_type: error_type.into(),
            message: message.into(),
            stack_trace: Vec::new(),
            origin: Origin::Function,
        }
    }

    /// The function's process ended: `Runtime.ExitError` with the message `Runtime exited with
    /// error: <how>`, or `Runtime exited without providing a reason`.
    ///
    /// For a test that needs such an answer; an in-process function has no process to end.
    pub fn exit(how: Option<&str>) -> Self {
        let message = match how {
            Some(how) => format!("Runtime exited with error: {how}"),
            None => "Runtime exited without providing a reason".to_owned(),
        };
        Self::platform("Runtime.ExitError", message)
    }

    /// Says that the function failed while it was started, before there was a request: the answer
    /// has an empty request id.
    #[must_use]
    pub fn during_init(mut self) -> Self {
        self.origin = Origin::Init;
        self
    }

    /// The time limit ended the function.
    pub(crate) fn timed_out(limit: std::time::Duration) -> Self {
        let message = format!("Task timed out after {:.2} seconds", limit.as_secs_f64());
        Self::platform("Sandbox.Timedout", message)
    }

    /// The function's answer is larger than may be sent.
    pub(crate) fn too_large(limit: u64) -> Self {
        let message =
            format!("Response payload size exceeded maximum allowed payload size ({limit} bytes).");
        Self {
            origin: Origin::Answer,
            ..Self::new("Function.ResponseSizeTooLarge", message)
        }
    }

    fn platform(error_type: &str, message: String) -> Self {
        Self {
            origin: Origin::Platform,
            ..Self::new(error_type, message)
        }
    }

    /// Adds the lines of a stack trace, innermost last as the service's Python runtimes have them.
    #[must_use]
    pub fn with_stack_trace(mut self, lines: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.stack_trace = lines.into_iter().map(Into::into).collect();
        self
    }

    /// The answer's `errorType`.
    pub fn error_type(&self) -> &str {
        &self.error_type
    }

    /// The answer's `errorMessage`, without the request id that the platform puts before its own.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The same with at most so many bytes of text: the type and the message come before the stack.
    pub(crate) fn shortened(mut self, mut bytes: usize) -> Self {
        for text in [&mut self.error_type, &mut self.message]
            .into_iter()
            .chain(&mut self.stack_trace)
        {
            let mut end = text.len().min(bytes);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            // Nothing follows what was cut.
            bytes = if end < text.len() { 0 } else { bytes - end };
            text.truncate(end);
            text.shrink_to_fit();
        }
        self.stack_trace.retain(|line| !line.is_empty());
        self
    }

    /// Whether the answer, and not the function, is what failed.
    pub(crate) fn is_too_large(&self) -> bool {
        self.origin == Origin::Answer
    }

    /// Whether the platform found it, and not the function.
    pub(crate) fn is_platforms(&self) -> bool {
        matches!(self.origin, Origin::Platform | Origin::Answer)
    }

    /// The JSON that the caller reads as the payload.
    pub(crate) fn payload(&self, request_id: &str) -> Vec<u8> {
        let message = match self.origin {
            Origin::Platform => self.log_line(request_id),
            Origin::Function | Origin::Init | Origin::Answer => self.message.clone(),
        };
        let mut error = lambda_invoke_protocol::FunctionError::new(&self.error_type, message);
        if matches!(self.origin, Origin::Function | Origin::Init) {
            let known = self.origin == Origin::Function;
            error.request_id = Some(if known { request_id } else { "" }.to_owned());
            error.stack_trace.clone_from(&self.stack_trace);
        }
        error.to_json()
    }

    /// The line that the tail log has for it.
    pub(crate) fn log_line(&self, request_id: &str) -> String {
        match self.origin {
            // As the Python runtime writes it, so that a client knows it for a failure's record and
            // not for a line of the function's own.
            Origin::Function | Origin::Init => {
                let mut lines = format!("[ERROR] {self}\nTraceback (most recent call last):");
                for line in self.stack_trace.iter().flat_map(|frame| frame.lines()) {
                    lines.push_str("\n\u{a0}\u{a0}");
                    lines.push_str(line.trim_start());
                }
                lines
            }
            Origin::Platform => format!("RequestId: {request_id} Error: {}", self.message),
            Origin::Answer => self.message.clone(),
        }
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
        // `a::b::C<d::E>` is `C`: what a person calls the type.
        let bare = path.split('<').next().unwrap_or(path);
        let name = bare.rsplit("::").next().unwrap_or(bare);
        Self::new(name, error.to_string())
    }
}

/// How the function of a response failed, as text for the request log: an extension of the response.
#[derive(Clone, Debug)]
pub(crate) struct Failed(pub(crate) String);

impl Failed {
    pub(crate) fn new(error: &FunctionError) -> Self {
        const LONGEST: usize = 1024;
        let short = error.clone().shortened(LONGEST);
        let mark = if short.message() == error.message() {
            ""
        } else {
            "..."
        };
        Self(format!("{short}{mark}"))
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
    fn too_large_an_answer_has_the_limit_in_its_message() {
        assert_eq!(
            read(&FunctionError::too_large(6_291_556)),
            json!({"errorType": "Function.ResponseSizeTooLarge",
                   "errorMessage": "Response payload size exceeded maximum allowed payload size \
                                    (6291556 bytes)."})
        );
    }

    #[test]
    fn a_shortened_error_keeps_its_first_words() {
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
