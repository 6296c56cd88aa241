//! The event that ends a stream.

use serde_json::{Map, Value};

use super::EventError;
use crate::{LogTail, json};

/// The event that ends a stream: how the execution ended.
///
/// In recorded responses the service omits `error_code` even when the function failed or timed out:
/// see [`LogTail::failure`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvokeComplete {
    /// The error code, if the function failed.
    pub error_code: Option<String>,
    /// The function's description of the error: text or JSON.
    pub error_details: Option<String>,
    /// The end of the log, if it was requested.
    pub log: Option<LogTail>,
}

impl InvokeComplete {
    /// Creates the end of an execution that succeeded, with its log.
    #[must_use]
    pub fn with_log(log: Option<LogTail>) -> Self {
        Self {
            log,
            ..Self::default()
        }
    }

    /// Creates the end of an execution that failed.
    #[must_use]
    pub fn failed(error_code: impl Into<String>, error_details: impl Into<String>) -> Self {
        Self {
            error_code: Some(error_code.into()),
            error_details: Some(error_details.into()),
            log: None,
        }
    }

    /// Returns whether the event has an error code or the details of an error. Without them, the log
    /// may still report a failure: see [`LogTail::failure`].
    #[must_use]
    pub const fn has_failed(&self) -> bool {
        self.error_code.is_some() || self.error_details.is_some()
    }

    /// Encodes the event's payload; `{}` if no member is set.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut members = Map::new();
        if let Some(code) = &self.error_code {
            members.insert("ErrorCode".to_owned(), code.as_str().into());
        }
        if let Some(details) = &self.error_details {
            members.insert("ErrorDetails".to_owned(), details.as_str().into());
        }
        if let Some(log) = &self.log {
            members.insert("LogResult".to_owned(), log.to_base64().into());
        }
        Value::Object(members).to_string().into_bytes()
    }
}

/// Reads the event's payload: `ErrorCode`, `ErrorDetails` and `LogResult`, each a string, `null` or
/// absent. An empty payload is read as `{}`. Fails if the payload is not a JSON object, or one of these
/// members has another type.
impl TryFrom<&[u8]> for InvokeComplete {
    type Error = EventError;

    fn try_from(json: &[u8]) -> Result<Self, EventError> {
        // The usual payloads need no parser.
        if json.is_empty() || json == b"{}" {
            return Ok(Self::default());
        }
        let whole = json::whole(json);
        let names = ["ErrorCode", "ErrorDetails", "LogResult"];
        let members =
            json::members(&whole, names).map_err(|error| EventError::InvokeCompleteNotObject {
                line: error.line(),
                column: error.column(),
            })?;
        let text = |at: usize| match members[at] {
            Some(value) if value.get() != "null" => match json::text(value) {
                Some(text) => Ok(Some(text)),
                None => Err(EventError::InvokeCompleteMember { name: names[at] }),
            },
            _ => Ok(None),
        };
        Ok(Self {
            error_code: text(0)?,
            error_details: text(1)?,
            log: text(2)?.map(LogTail::from_base64),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_null_empty_and_unknown_members() {
        let read = |json: &str| InvokeComplete::try_from(json.as_bytes()).unwrap();
        assert_eq!(read(""), InvokeComplete::default());
        assert_eq!(
            read("{\"ErrorCode\":null,\"More\":[1]}"),
            InvokeComplete::default()
        );
        // Any code counts as a failure, even an empty one.
        assert!(read("{\"ErrorCode\":\"\"}").has_failed());
        // So do details without a code.
        assert!(read("{\"ErrorDetails\":\"killed\"}").has_failed());
        // A text that was cut within a character is a text.
        let cut = read("{\"ErrorCode\":\"\\ud83d\",\"More\":1e400}");
        assert_eq!(cut.error_code.as_deref(), Some("\u{fffd}"));
        // What cannot be read is never an absent error.
        assert_eq!(
            InvokeComplete::try_from(&br#"{"ErrorCode":1e400}"#[..]),
            Err(EventError::InvokeCompleteMember { name: "ErrorCode" })
        );
    }
}
