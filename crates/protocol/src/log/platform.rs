//! Lines that the platform writes: the JSON format, and the first line of an execution.

use std::fmt;
use std::str::FromStr;

/// The platform's first line of an execution: `START RequestId: <id> Version: <version>`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StartLine {
    /// The request's id.
    pub request_id: String,
    /// The version that ran: `$LATEST` or a number.
    pub version: String,
}

impl StartLine {
    /// Creates a line.
    #[must_use]
    pub fn new(request_id: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            request_id: request_id.into(),
            version: version.into(),
        }
    }

    fn read(line: &str) -> Option<Self> {
        if let Some(rest) = line.strip_prefix("START RequestId: ") {
            let (request_id, version) = rest.trim_end().split_once(" Version: ")?;
            return Some(Self::new(request_id, version));
        }
        let record = platform_record(line, "platform.start")?;
        Some(Self::new(
            record.get("requestId")?.as_str()?,
            record.get("version")?.as_str()?,
        ))
    }
}

/// Reads a line, in the text format or the JSON one (`platform.start`).
impl FromStr for StartLine {
    type Err = LogLineError;

    fn from_str(line: &str) -> Result<Self, LogLineError> {
        Self::read(line).ok_or(LogLineError::NotStart)
    }
}

/// Why a line of the log is not the line of the platform that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogLineError {
    /// The line is not a [`StartLine`].
    NotStart,
    /// The line is not a [`Report`](super::Report).
    NotReport,
}

impl fmt::Display for LogLineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotStart => {
                "not the platform's first line, expected \"START RequestId: ID Version: VERSION\" or \
                 a platform.start record"
            }
            Self::NotReport => {
                "not a report of the platform, expected \"REPORT RequestId: ID\" and its fields or a \
                 platform.report record"
            }
        })
    }
}

impl std::error::Error for LogLineError {}

impl fmt::Display for StartLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "START RequestId: {} Version: {}",
            self.request_id, self.version
        )
    }
}

/// The maximum length of a line that is parsed, in bytes: several times what the platform writes.
const MAX_LINE: usize = 64 * 1024;

/// Returns the `record` of a line of this type that the platform wrote in the JSON log format.
pub(super) fn platform_record(line: &str, kind: &str) -> Option<serde_json::Value> {
    // Searched before parsing, since a function's own lines may be long JSON documents.
    if line.len() > MAX_LINE || !line.starts_with('{') || !line.contains(kind) {
        return None;
    }
    let mut event: serde_json::Value = serde_json::from_str(line).ok()?;
    (event.get("type")?.as_str()? == kind).then(|| event.get_mut("record").map(std::mem::take))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_line_is_read_in_both_formats() {
        let text = StartLine::new("4d34", "$LATEST");
        assert_eq!(
            "START RequestId: 4d34 Version: $LATEST".parse(),
            Ok(text.clone())
        );
        assert_eq!(text.to_string().parse(), Ok(text));
        let json =
            r#"{"time":"t","type":"platform.start","record":{"requestId":"4d34","version":"3"}}"#;
        assert_eq!(json.parse(), Ok(StartLine::new("4d34", "3")));
        // The platform does not indent, and its lines are short.
        let indented = format!(" {json}");
        let long = json.replace("\"t\"", &format!("\"{}\"", "t".repeat(MAX_LINE)));
        for line in [
            "START RequestId: 4d34",
            r#"{"platform.start":1}"#,
            &indented,
            &long,
        ] {
            let error = line.parse::<StartLine>().unwrap_err();
            assert_eq!(error, LogLineError::NotStart, "{line}");
            assert!(error.to_string().contains("START RequestId: "), "{error}");
        }
    }
}
