//! How an invocation ended, in the service's words.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "an invocation succeeds or fails")]
pub enum Outcome {
    /// The runtime sent a whole response.
    Succeeded,
    /// The function, its runtime or a limit failed the invocation.
    Failed(Failure),
}

/// Why an invocation failed.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The error's type, such as `ValueError`, `Runtime.ExitError` or `Sandbox.Timedout`.
    pub error_type: String,
    /// The error's message.
    pub message: String,
    /// The payload that a caller of `Invoke` receives: JSON with `errorType` and `errorMessage`,
    /// as the runtime sent it or as the service would say it.
    pub body: Bytes,
    /// Who ended the invocation.
    pub reason: FailureReason,
}

/// Who ended an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureReason {
    /// The function reported an error through its runtime.
    Function,
    /// The runtime reported that the function could not be loaded, or never became ready.
    Init,
    /// A process ended.
    Exit,
    /// The timeout of the function passed.
    Timeout,
    /// The response was larger than the limit.
    TooLarge,
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("reason", &self.reason)
            .field("error_type", &self.error_type)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error_type, self.message)
    }
}

impl std::error::Error for Failure {}

impl Failure {
    fn said(reason: FailureReason, error_type: &str, message: String) -> Self {
        let body = serde_json::json!({ "errorType": error_type, "errorMessage": message });
        Self {
            error_type: error_type.to_owned(),
            message,
            body: Bytes::from(body.to_string()),
            reason,
        }
    }

    /// The failure of a process that ended; `how` is such as "exit status 1".
    pub(crate) fn exit(request_id: &str, how: &str) -> Self {
        let text = format!("RequestId: {request_id} Error: Runtime exited {how}");
        Self::said(FailureReason::Exit, "Runtime.ExitError", text)
    }

    /// The failure of a program that could not be started.
    pub(crate) fn start(why: &str) -> Self {
        let text = format!("Error: {why}");
        Self::said(FailureReason::Init, "Runtime.InvalidEntrypoint", text)
    }

    /// The failure of a program that did not ask for an event in time.
    pub(crate) fn init_timeout(after: Duration) -> Self {
        let seconds = after.as_secs_f64();
        let text = format!("Error: Init timed out after {seconds:.2} seconds");
        Self::said(FailureReason::Init, "Sandbox.Timedout", text)
    }

    /// Returns the failure of an init phase as that of the event which waited for it. What the
    /// runtime reported stays as it is.
    pub(crate) fn of_request(&self, request_id: &str) -> Self {
        if self.message.starts_with("Error: ") {
            let text = format!("RequestId: {request_id} {}", self.message);
            return Self::said(self.reason, &self.error_type, text);
        }
        self.clone()
    }

    pub(crate) fn timeout(request_id: &str, after: Duration) -> Self {
        let seconds = after.as_secs_f64();
        let text =
            format!("RequestId: {request_id} Error: Task timed out after {seconds:.2} seconds");
        Self::said(FailureReason::Timeout, "Sandbox.Timedout", text)
    }

    /// The failure of a response whose connection ended early while the process lives on.
    pub(crate) fn truncated(request_id: &str) -> Self {
        let text = format!("RequestId: {request_id} Error: The runtime ended its response early");
        Self::said(FailureReason::Function, "Runtime.TruncatedResponse", text)
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        let text =
            format!("Response payload size exceeded maximum allowed payload size ({limit} bytes).");
        Self::said(
            FailureReason::TooLarge,
            "Function.ResponseSizeTooLarge",
            text,
        )
    }

    /// The failure that a runtime reported: its `Lambda-Runtime-Function-Error-Type`, if any, and
    /// the body of its report.
    pub(crate) fn reported(reason: FailureReason, error_type: Option<&str>, body: Bytes) -> Self {
        let json: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
        let member = |name: &str| {
            let value = json.as_ref()?.get(name)?.as_str()?;
            Some(value.to_owned())
        };
        let error_type = member("errorType")
            .or_else(|| error_type.map(ToOwned::to_owned))
            .unwrap_or_else(|| "Function.Unknown".to_owned());
        match member("errorMessage") {
            Some(message) => Self {
                error_type,
                message,
                body,
                reason,
            },
            // A custom runtime may report plain text, or JSON of its own. JSON passes unchanged.
            None if json.is_some() => Self {
                error_type,
                message: String::new(),
                body,
                reason,
            },
            None => Self::said(
                reason,
                &error_type,
                String::from_utf8_lossy(&body).into_owned(),
            ),
        }
    }
}
