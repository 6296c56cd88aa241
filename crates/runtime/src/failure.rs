//! How an invocation ended, and the texts of its failures, which follow the service.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::limits::MAX_RESPONSE;

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The function's response is complete.
    Succeeded,
    /// The function failed. In a streaming response, chunks may have been sent before.
    Failed(Failure),
}

impl Outcome {
    /// The failure, if there is one.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Succeeded => None,
            Self::Failed(failure) => Some(failure),
        }
    }
}

/// Which part failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureKind {
    /// The function reported an error.
    Function,
    /// The instance could not be initialized: a failed import, a syntax error, no such program.
    Init,
    /// The timeout of the function, or of its initialization, passed.
    TimedOut,
    /// The process ended during the invocation.
    Exited,
    /// The buffered response was larger than 6,291,556 bytes.
    TooLarge,
    /// The response is incomplete.
    Truncated,
    /// The pool was shut down.
    Shutdown,
}

/// A failed invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// Which part failed.
    pub kind: FailureKind,
    /// The type of the error, such as `ValueError` or `Sandbox.Timedout`.
    pub error_type: String,
    /// The message of the error.
    pub message: String,
    /// The payload that the caller of a buffered invocation receives. If the runtime reported the
    /// error, these are its own bytes, with `trace` or `stackTrace`.
    pub body: Bytes,
}

impl Failure {
    /// Creates a failure whose body is the JSON of its type and message.
    pub(crate) fn new(kind: FailureKind, error_type: &str, message: String) -> Self {
        let body = serde_json::json!({ "errorType": error_type, "errorMessage": message });
        Self {
            kind,
            error_type: error_type.to_owned(),
            message,
            body: body.to_string().into(),
        }
    }

    /// Reads an error that a runtime reported, from its header and its body. A body that is not
    /// JSON is passed on unchanged.
    pub(crate) fn reported(kind: FailureKind, header: Option<&str>, body: Bytes) -> Self {
        // Bytes that are not UTF-8 are replaced, and each member is read by itself, since one that cannot be
        // read must not hide the others.
        let document = String::from_utf8_lossy(&body);
        let members: Option<BTreeMap<String, &RawValue>> = serde_json::from_str(&document).ok();
        let written = |name: &str| Some(members.as_ref()?.get(name)?.get());
        let member = |name: &str| serde_json::from_str::<String>(written(name)?).ok();
        let error_type = member("errorType")
            .filter(|text| !text.is_empty())
            .or_else(|| header.map(str::to_owned))
            .unwrap_or_else(|| "Function.Unknown".to_owned());
        let message = member("errorMessage").unwrap_or_else(|| match members {
            None => document.clone().into_owned(),
            // Half a surrogate pair is no text.
            Some(_) => written("errorMessage")
                .filter(|json| json.starts_with('"'))
                .unwrap_or_default()
                .to_owned(),
        });
        Self {
            kind,
            error_type,
            message,
            body,
        }
    }

    pub(crate) fn timed_out(request_id: &str, timeout: Duration) -> Self {
        let seconds = timeout.as_secs_f64();
        Self::new(
            FailureKind::TimedOut,
            "Sandbox.Timedout",
            format!("RequestId: {request_id} Error: Task timed out after {seconds:.2} seconds"),
        )
    }

    /// Describes a process that ended, by its reason (`exit status 1`, `signal: killed`).
    pub(crate) fn exited(request_id: &str, reason: Option<&str>) -> Self {
        let how = match reason {
            None => "exited without providing a reason".to_owned(),
            Some(reason) => format!("exited with error: {reason}"),
        };
        Self::new(
            FailureKind::Exited,
            "Runtime.ExitError",
            format!("RequestId: {request_id} Error: Runtime {how}"),
        )
    }

    pub(crate) fn not_started(request_id: &str, reason: &str) -> Self {
        Self::new(
            FailureKind::Init,
            "Runtime.InvalidEntrypoint",
            format!("RequestId: {request_id} Error: {reason}"),
        )
    }

    pub(crate) fn too_large() -> Self {
        Self::new(
            FailureKind::TooLarge,
            "Function.ResponseSizeTooLarge",
            format!(
                "Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE} bytes)."
            ),
        )
    }

    pub(crate) fn truncated(request_id: &str) -> Self {
        Self::new(
            FailureKind::Truncated,
            "Runtime.TruncatedResponse",
            format!(
                "RequestId: {request_id} Error: Runtime closed the connection before the end of the response"
            ),
        )
    }

    pub(crate) fn shut_down(request_id: &str) -> Self {
        Self::new(
            FailureKind::Shutdown,
            "Sandbox.Failure",
            format!("RequestId: {request_id} Error: The function was stopped"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_read_member_by_member() {
        let read = |body: &[u8]| {
            let body = Bytes::copy_from_slice(body);
            let failure = Failure::reported(FailureKind::Function, Some("Header"), body);
            (failure.error_type, failure.message)
        };
        let expect = |error_type: &str, message: &str| (error_type.to_owned(), message.to_owned());
        for (body, expected) in [
            (
                &br#"{"errorType":"A","errorMessage":"b"}"#[..],
                expect("A", "b"),
            ),
            (
                br#"{"errorType":"","errorMessage":null}"#,
                expect("Header", ""),
            ),
            (
                br#"{"errorType":1,"n":1e400,"errorMessage":"b"}"#,
                expect("Header", "b"),
            ),
            // A text that was cut within a character.
            (
                br#"{"errorType":"A","errorMessage":"hi \ud83d"}"#,
                expect("A", r#""hi \ud83d""#),
            ),
            // A text in another encoding, and one of another member.
            (
                b"{\"errorType\":\"A\",\"errorMessage\":\"Zo\xeb\"}",
                expect("A", "Zo\u{fffd}"),
            ),
            (
                b"{\"errorType\":\"A\",\"errorMessage\":\"b\",\"trace\":[\"\xff\"]}",
                expect("A", "b"),
            ),
            (b"no", expect("Header", "no")),
            (b"[]", expect("Header", "[]")),
        ] {
            assert_eq!(read(body), expected, "{}", body.escape_ascii());
        }
    }
}
