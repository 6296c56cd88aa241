//! What a failed function says of itself.

use std::fmt;

use serde_json::Value;

/// The payload of an answer whose function failed, as every runtime writes it: `errorType`,
/// `errorMessage`, and a stack under `stackTrace` (Python, Java, .NET, Ruby) or `trace` (Node).
///
/// # Example
///
/// ```
/// use lambda_invoke_protocol::FunctionError;
///
/// let error = FunctionError::parse(
///     br#"{"errorMessage":"Handler fails","errorType":"Exception","stackTrace":["line 2"]}"#,
/// );
/// assert_eq!(error.error_type.as_deref(), Some("Exception"));
/// assert_eq!(error.to_string(), "Exception: Handler fails");
/// assert_eq!(error.stack_trace, ["line 2"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FunctionError {
    /// The kind of error: a class's name, or one of the platform's as `Sandbox.Timedout`,
    /// `Runtime.ExitError`, `Function.ResponseSizeTooLarge`.
    pub error_type: Option<String>,
    /// The message.
    pub error_message: Option<String>,
    /// The request's id, where the runtime writes it.
    pub request_id: Option<String>,
    /// The stack, a line or a frame a piece.
    pub stack_trace: Vec<String>,
}

impl FunctionError {
    /// An error with a type and a message.
    #[must_use]
    pub fn new(error_type: impl Into<String>, error_message: impl Into<String>) -> Self {
        Self {
            error_type: Some(error_type.into()),
            error_message: Some(error_message.into()),
            ..Self::default()
        }
    }

    /// Reads a payload. This never fails: what is not there, or is something else, is absent, and
    /// the caller has the payload all the same.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Self {
        let Ok(Value::Object(mut members)) = serde_json::from_slice(payload) else {
            return Self::default();
        };
        let mut text = |name: &str| match members.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let error_type = text("errorType");
        let error_message = text("errorMessage");
        let request_id = text("requestId");
        let stack = ["stackTrace", "trace"]
            .into_iter()
            .find_map(|name| members.remove(name));
        Self {
            error_type,
            error_message,
            request_id,
            stack_trace: stack_lines(stack),
        }
    }

    /// The payload of an answer, as an endpoint writes it.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut members = serde_json::Map::new();
        let texts = [
            ("errorMessage", &self.error_message),
            ("errorType", &self.error_type),
            ("requestId", &self.request_id),
        ];
        for (name, value) in texts {
            if let Some(value) = value {
                members.insert(name.to_owned(), value.as_str().into());
            }
        }
        if !self.stack_trace.is_empty() {
            members.insert("stackTrace".to_owned(), self.stack_trace.clone().into());
        }
        Value::Object(members).to_string().into_bytes()
    }
}

/// An array of strings; of Python's older frames (arrays) and of other values the JSON; a single
/// string by its lines.
fn stack_lines(stack: Option<Value>) -> Vec<String> {
    match stack {
        Some(Value::Array(frames)) => frames
            .into_iter()
            .map(|frame| match frame {
                Value::String(line) => line,
                other => other.to_string(),
            })
            .collect(),
        Some(Value::String(text)) => text.lines().map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

impl fmt::Display for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.error_type, &self.error_message) {
            (Some(kind), Some(message)) => write!(f, "{kind}: {message}"),
            (Some(text), None) | (None, Some(text)) => f.write_str(text),
            (None, None) => f.write_str("the function gave no reason"),
        }
    }
}

impl std::error::Error for FunctionError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_each_runtime_writes() {
        // Python, recorded from the service.
        let python = FunctionError::parse(
            br#"{"errorMessage":"Handler fails","errorType":"Exception","requestId":"4d34","stackTrace":["  File \"/var/task/h.py\", line 2, in handler\n"]}"#,
        );
        assert_eq!(python.request_id.as_deref(), Some("4d34"));
        assert_eq!(
            python.stack_trace,
            ["  File \"/var/task/h.py\", line 2, in handler\n"]
        );
        // Node.
        let node = FunctionError::parse(
            br#"{"errorType":"Error","errorMessage":"no","trace":["Error: no","    at handler"]}"#,
        );
        assert_eq!(node.stack_trace, ["Error: no", "    at handler"]);
        // Rust and the platform itself have no stack.
        let platform = FunctionError::parse(
            br#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 1 Error: Task timed out after 1.00 seconds"}"#,
        );
        assert_eq!(platform.error_type.as_deref(), Some("Sandbox.Timedout"));
        assert!(platform.stack_trace.is_empty());
        // The older Python runtimes' frames.
        let frames = FunctionError::parse(br#"{"stackTrace":[["/var/task/h.py",2,"handler"]]}"#);
        assert_eq!(frames.stack_trace, [r#"["/var/task/h.py",2,"handler"]"#]);
    }

    #[test]
    fn what_is_no_error_object_is_an_error_without_a_reason() {
        for payload in ["", "null", "[]", "plain", "{\"errorType\":7}"] {
            let error = FunctionError::parse(payload.as_bytes());
            assert_eq!(error, FunctionError::default(), "{payload}");
            assert_eq!(error.to_string(), "the function gave no reason");
        }
    }

    #[test]
    fn is_read_as_it_was_written() {
        let mut error = FunctionError::new("A\"b", "mé\n");
        error.request_id = Some("id".to_owned());
        error.stack_trace = vec!["one".to_owned(), String::new()];
        assert_eq!(FunctionError::parse(&error.to_json()), error);
    }
}
