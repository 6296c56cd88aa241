//! Results as JSON, one line each.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use lambda_invoke::protocol::json;
use serde::Serialize;

use crate::item::{Cause, Finished};
use crate::journal::Settled;

#[derive(Serialize)]
struct Described<'f> {
    kind: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'f str>,
}

impl Cause {
    fn describe(&self) -> Described<'_> {
        let (kind, message) = match self {
            Self::Call(error) => {
                let function = error.function_failure();
                return Described {
                    kind: error.kind().as_str(),
                    message: error.to_string(),
                    code: error
                        .service_error()
                        .and_then(|service| service.code())
                        .or(function.and_then(|function| function.code.as_deref())),
                };
            }
            Self::BatchItemFailure => (
                "batch_item_failure",
                "the function reported this item in batchItemFailures".to_owned(),
            ),
            Self::BatchResponse(what) => ("batch_response", what.to_string()),
            Self::Stopped => (
                "stopped",
                "the run was stopped while the function may have been running".to_owned(),
            ),
            Self::NotRecorded => (
                "not_recorded",
                "an earlier run ended before the result was recorded, so the function may have run"
                    .to_owned(),
            ),
        };
        Described {
            kind,
            message,
            code: None,
        }
    }

    /// Returns the kind as it is written in results: for calls, the name of the
    /// [`ErrorKind`](lambda_invoke::ErrorKind).
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Call(error) => error.kind().as_str(),
            _ => self.describe().kind,
        }
    }
}

/// The message as it is written in results.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe().message)
    }
}

const fn execution(settled: Settled) -> &'static str {
    match settled {
        Settled::Done | Settled::Started => "started",
        Settled::NotStarted => "not_started",
        Settled::Unknown => "unknown",
    }
}

impl Finished {
    /// Returns the result as one line of JSON, without a line end: `index`, `key`, `outcome`
    /// (`done`, `failed`, `unknown`), `payload` (or `payload_base64` if it is not JSON),
    /// `execution`, `attempts`, `duration_ms`, with `request_id` if there was a response, with
    /// `billed_ms` and `memory_mb` from a report, and with `error` for failures.
    #[must_use]
    pub fn line(&self) -> Bytes {
        self.line_with(None)
    }

    /// Like [`line`](Self::line), with the name of a file in place of the payload, if given.
    #[must_use]
    pub fn line_with(&self, file: Option<&str>) -> Bytes {
        let mut line = Vec::new();
        self.write_line(file, &mut line);
        line.into()
    }

    /// Appends the line to a buffer.
    pub(crate) fn write_line(&self, file: Option<&str>, out: &mut Vec<u8>) {
        let is_shown = file.is_none() && !self.payload.is_empty();
        member(out, r#"{"index":"#, self.index);
        member(out, r#","key":"#, self.key.as_deref());
        word(out, r#","outcome":"#, self.settled.outcome());
        if is_shown && json::check(&self.payload).is_ok() {
            out.extend_from_slice(br#","payload":"#);
            let start = out.len();
            out.extend_from_slice(self.payload.trim_ascii());
            // JSON with several lines is joined into one: its strings contain no line ends.
            for byte in out.iter_mut().skip(start) {
                *byte = match *byte {
                    b'\n' | b'\r' => b' ',
                    other => other,
                };
            }
        } else if is_shown {
            let text = STANDARD.encode(&self.payload);
            member(out, r#","payload_base64":"#, text);
        }
        if let Some(file) = file {
            member(out, r#","file":"#, file);
        }
        word(out, r#","execution":"#, execution(self.settled));
        member(out, r#","attempts":"#, self.attempts);
        let microseconds = u64::try_from(self.duration.as_micros()).unwrap_or(u64::MAX);
        let digit = |place: u64| b'0' + (microseconds / place % 10) as u8;
        member(out, r#","duration_ms":"#, microseconds / 1_000);
        out.extend_from_slice(&[b'.', digit(100), digit(10), digit(1)]);
        if let Some(id) = self.request_id() {
            match is_plain(id) {
                true => word(out, r#","request_id":"#, id),
                false => member(out, r#","request_id":"#, id),
            }
        }
        let report = self.report.as_ref();
        if let Some(billed) = report.and_then(|report| report.billed_duration) {
            let billed = u64::try_from(billed.as_millis()).unwrap_or(u64::MAX);
            member(out, r#","billed_ms":"#, billed);
        }
        if let Some(memory) = report.and_then(|report| report.memory_size_mb) {
            member(out, r#","memory_mb":"#, memory);
        }
        if let Some(cause) = &self.cause {
            member(out, r#","error":"#, cause.describe());
        }
        out.push(b'}');
    }
}

/// Appends a member: the text up to its value, and the value. With a derived `Serialize` for the line, a
/// usual one would take twice as long.
fn member(out: &mut Vec<u8>, name: &str, value: impl Serialize) {
    out.extend_from_slice(name.as_bytes());
    // A value whose keys are strings can be serialized.
    let _ = serde_json::to_writer(out, &value);
}

/// Whether a string has no characters that JSON escapes. It has no early end, so that the compiler can use
/// vector instructions.
fn is_plain(text: &str) -> bool {
    let bytes = text.bytes();
    bytes.fold(true, |yes, byte| {
        yes & (byte >= b' ') & (byte != b'"') & (byte != b'\\')
    })
}

/// Appends a member whose value is a string without characters that JSON escapes.
fn word(out: &mut Vec<u8>, name: &str, value: &str) {
    for part in [name, "\"", value, "\""] {
        out.extend_from_slice(part.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::item::request_id;

    fn finished(payload: &'static str) -> Finished {
        Finished {
            index: 3,
            key: Some("c".into()),
            settled: Settled::Done,
            payload: payload.into(),
            cause: None,
            attempts: 1,
            throttled: 0,
            duration: Duration::from_micros(12_345),
            request_id: Some(request_id("r-1")),
            report: None,
        }
    }

    #[test]
    fn a_payload_is_written_as_json_on_one_line_or_in_base64() {
        for (payload, expected) in [
            (r#"{"a":1e400}"#, r#""payload":{"a":1e400},"#),
            ("{\n \"a\": 1\r\n}", r#""payload":{  "a": 1  },"#),
            ("caf\u{e9}", r#""payload_base64":"Y2Fmw6k=","#),
            ("", ""),
        ] {
            let line = finished(payload).line();
            let expected = format!(
                r#"{{"index":3,"key":"c","outcome":"done",{expected}"execution":"started","attempts":1,"duration_ms":12.345,"request_id":"r-1"}}"#
            );
            assert_eq!(line, expected);
        }
    }

    #[test]
    fn a_request_id_can_be_any_text() {
        let mut finished = finished("1");
        for id in ["", "0f5b-9A", "a\"b\\c", "\u{e9}"] {
            finished.request_id = Some(request_id(id));
            let line: serde_json::Value = serde_json::from_slice(&finished.line()).unwrap();
            assert_eq!(line["request_id"], id);
        }
    }

    #[test]
    fn a_failure_says_why() {
        let mut failed = finished("");
        failed.settled = Settled::Unknown;
        failed.cause = Some(Cause::Stopped);
        let line: serde_json::Value = serde_json::from_slice(&failed.line()).unwrap();
        assert_eq!(line["outcome"], "unknown");
        assert_eq!(line["execution"], "unknown");
        assert_eq!(line["error"]["kind"], "stopped");
    }
}
