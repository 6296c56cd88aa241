//! The error that a failed function reports.

mod stack;

use std::borrow::Cow;
use std::fmt;

use lambda_invoke_error::bounds::{MAX_MESSAGE, MAX_TOKEN};
use lambda_invoke_error::text::{Excerpt, truncate};
use serde_json::{Map, Value};

use crate::json;

/// The error that a failed function returns as its payload, as the runtimes write it: `errorType`,
/// `errorMessage`, and a stack under `stackTrace` (Python, Java, .NET, Ruby), `trace` (Node) or
/// `stack` (Node's log).
///
/// The size is bounded: at most 256 bytes of type and of request id, 8 KiB of message, and 64 KiB
/// of stack are kept. The caller still has the whole payload.
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
    /// The kind of error: the name of a class, or one of the platform's types such as
    /// `Sandbox.Timedout`, `Runtime.ExitError` or `Function.ResponseSizeTooLarge`.
    pub error_type: Option<String>,
    /// The message.
    pub error_message: Option<String>,
    /// The request's id, where the runtime writes it.
    pub request_id: Option<String>,
    /// The stack: one line or frame per element.
    pub stack_trace: Vec<String>,
}

impl FunctionError {
    /// Creates an error with a type and a message.
    #[must_use]
    pub fn new(error_type: impl Into<String>, error_message: impl Into<String>) -> Self {
        Self {
            error_type: Some(error_type.into()),
            error_message: Some(error_message.into()),
            ..Self::default()
        }
    }

    /// Reads a payload. This never fails: a member that is missing or has another type is left out, and
    /// what is not Unicode becomes U+FFFD.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Self {
        let unicode = String::from_utf8_lossy(payload);
        let whole = json::whole(unicode.as_bytes());
        let names = [
            "errorType",
            "errorMessage",
            "requestId",
            "stackTrace",
            "trace",
            "stack",
        ];
        let Ok([error_type, error_message, request_id, stacks @ ..]) = json::members(&whole, names)
        else {
            return Self::default();
        };
        let stack = stacks.into_iter().flatten().next();
        Self {
            error_type: error_type.and_then(json::text),
            error_message: error_message.and_then(json::text),
            request_id: request_id.and_then(json::text),
            stack_trace: stack.map(stack::read).unwrap_or_default(),
        }
        .bounded()
    }

    /// Reads the details of a stream's failure: either JSON as [`parse`](Self::parse) reads it, or
    /// plain text, which becomes the message.
    #[must_use]
    pub fn from_details(details: &str) -> Self {
        let error = Self::parse(details.as_bytes());
        if error != Self::default() || details.is_empty() {
            return error;
        }
        Self {
            error_message: Some(details.to_owned()),
            ..Self::default()
        }
        .bounded()
    }

    /// Shortens each member to what an error keeps.
    pub(crate) fn bounded(mut self) -> Self {
        for (text, max) in [
            (&mut self.error_type, MAX_TOKEN),
            (&mut self.request_id, MAX_TOKEN),
            (&mut self.error_message, MAX_MESSAGE),
        ] {
            if let Some(text) = text.as_mut().filter(|text| text.len() > max) {
                *text = truncate(text, max).to_owned();
            }
        }
        self.stack_trace = stack::bounded(self.stack_trace.into_iter().map(Cow::Owned));
        self
    }

    /// Encodes the error as a response's payload.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut members = Map::new();
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

/// Writes one line with at most 1 KiB of the type and of the message, and without control
/// characters.
impl fmt::Display for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.error_type.as_deref().filter(|kind| !kind.is_empty());
        match (kind, self.error_message.as_deref()) {
            (Some(kind), Some(message)) => write!(f, "{}: {}", Excerpt(kind), Excerpt(message)),
            (Some(text), None) | (None, Some(text)) if !text.is_empty() => Excerpt(text).fmt(f),
            // A message is never empty.
            _ => f.write_str("the function reported no details"),
        }
    }
}

impl std::error::Error for FunctionError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_unicode_loses_no_member() {
        let error = FunctionError::parse(
            br#"{"errorType":"OSError","errorMessage":"no file 'caf\udce9'","trace":["caf\udce9"]}"#,
        );
        assert_eq!(error.to_string(), "OSError: no file 'caf\u{fffd}'");
        assert_eq!(error.stack_trace, ["caf\u{fffd}"]);
        let error = FunctionError::parse(b"{\"errorType\":\"E\",\"errorMessage\":\"caf\xe9\"}");
        assert_eq!(error.to_string(), "E: caf\u{fffd}");
    }

    #[test]
    fn an_error_without_any_text_is_not_an_empty_message() {
        for json in [
            r#"{"errorType":""}"#,
            r#"{"errorType":"","errorMessage":""}"#,
        ] {
            let error = FunctionError::parse(json.as_bytes());
            assert_eq!(
                error.to_string(),
                "the function reported no details",
                "{json}"
            );
        }
        let error = FunctionError::parse(br#"{"errorType":"","errorMessage":"m"}"#);
        assert_eq!(error.to_string(), "m");
    }

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
    fn a_payload_that_is_not_an_error_object_has_no_details() {
        for payload in ["", "null", "[]", "plain", "{\"errorType\":7}"] {
            let error = FunctionError::parse(payload.as_bytes());
            assert_eq!(error, FunctionError::default(), "{payload}");
            assert_eq!(error.to_string(), "the function reported no details");
        }
    }

    #[test]
    fn a_stack_may_be_one_text() {
        let error = FunctionError::parse(br#"{"stack":"Error: no\n    at handler"}"#);
        assert_eq!(error.stack_trace, ["Error: no", "    at handler"]);
    }

    #[test]
    fn details_are_json_or_the_message() {
        let json = FunctionError::from_details(r#"{"errorType":"E","errorMessage":"m"}"#);
        assert_eq!(json, FunctionError::new("E", "m"));
        for text in ["no cat", "{}", "[1]"] {
            let plain = FunctionError::from_details(text);
            assert_eq!(plain.error_message.as_deref(), Some(text));
            assert_eq!((plain.error_type, plain.stack_trace.len()), (None, 0));
        }
        assert_eq!(FunctionError::from_details(""), FunctionError::default());
    }

    #[test]
    fn type_message_and_id_are_kept_up_to_their_limits() {
        let mut error = FunctionError::new("t".repeat(256), "m".repeat(8192));
        error.request_id = Some("i".repeat(256));
        assert_eq!(error.clone().bounded(), error);
        let mut longer = FunctionError::new("t".repeat(257), "m".repeat(8193));
        longer.request_id = Some("i".repeat(257));
        assert_eq!(longer.bounded(), error);
    }

    #[test]
    fn is_read_as_it_was_written() {
        let mut error = FunctionError::new("A\"b", "mé\n");
        error.request_id = Some("id".to_owned());
        error.stack_trace = vec!["one".to_owned(), String::new()];
        assert_eq!(FunctionError::parse(&error.to_json()), error);
    }
}
