//! The line in which the platform summarizes an execution.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;

use super::platform::{LogLineError, platform_record};

/// The `REPORT` line: duration, memory and status of an execution.
///
/// Read from the text format (fields separated by tabs) and from the JSON one (`platform.report`).
/// A field that is absent or invalid is `None`; unknown fields are ignored.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use lambda_invoke_protocol::{Report, ReportStatus};
///
/// let line = "REPORT RequestId: cc9f4885\tDuration: 2000.00 ms\tBilled Duration: 2000 ms\t\
///             Memory Size: 128 MB\tMax Memory Used: 23 MB\tStatus: timeout";
/// let report: Report = line.parse()?;
/// assert_eq!(report.duration, Some(Duration::from_secs(2)));
/// assert_eq!(report.status, Some(ReportStatus::Timeout));
/// assert!(report.has_failed());
/// # Ok::<(), lambda_invoke_protocol::LogLineError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The request's id.
    pub request_id: String,
    /// How long the function ran.
    pub duration: Option<Duration>,
    /// The duration that is billed.
    pub billed_duration: Option<Duration>,
    /// The function's configured memory, in MB.
    pub memory_size_mb: Option<u64>,
    /// The maximum memory that the function used, in MB.
    pub max_memory_used_mb: Option<u64>,
    /// How long initialization took, if this execution started a new environment.
    pub init_duration: Option<Duration>,
    /// How long restoring a snapshot took.
    pub restore_duration: Option<Duration>,
    /// The part of the restore duration that is billed.
    pub billed_restore_duration: Option<Duration>,
    /// How the execution ended. In the text format the service omits it for success, and often for
    /// a failure.
    pub status: Option<ReportStatus>,
    /// The type of the error, such as `Runtime.ExitError`.
    pub error_type: Option<String>,
}

/// How an execution ended, as the platform reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReportStatus {
    /// The execution succeeded.
    Success,
    /// The runtime failed, or the function's process ended.
    Error,
    /// The function reported a failure.
    Failure,
    /// The function reached its timeout.
    Timeout,
    /// A status that this version does not know.
    Other(String),
}

impl ReportStatus {
    /// Returns the status as it is on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::Failure => "failure",
            Self::Timeout => "timeout",
            Self::Other(text) => text,
        }
    }
}

impl From<&str> for ReportStatus {
    fn from(text: &str) -> Self {
        match text {
            "success" => Self::Success,
            "error" => Self::Error,
            "failure" => Self::Failure,
            "timeout" => Self::Timeout,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for ReportStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Report {
    /// Creates a report with only a request id; set the other members as needed.
    #[must_use]
    pub fn new(request_id: impl Into<String>) -> Self {
        Self {
            request_id: request_id.into(),
            ..Self::default()
        }
    }

    fn read(line: &str) -> Option<Self> {
        match line.strip_prefix("REPORT RequestId: ") {
            Some(rest) => Some(Self::parse_text(rest)),
            None => Self::parse_json(&platform_record(line, "platform.report")?),
        }
    }

    /// Returns whether the platform reports a failure: the status `error`, `failure` or `timeout`.
    ///
    /// `false` does not prove success: in recorded responses the service reports a status for
    /// timeouts, but not for every function that failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(
            self.status,
            Some(ReportStatus::Error | ReportStatus::Failure | ReportStatus::Timeout)
        )
    }

    fn parse_text(rest: &str) -> Self {
        let mut fields = rest.split('\t').map(str::trim);
        let mut report = Self::new(fields.next().unwrap_or_default());
        for (name, value) in fields.filter_map(|field| field.split_once(": ")) {
            let ms = || value.strip_suffix(" ms").and_then(milliseconds);
            let mb = || {
                value
                    .strip_suffix(" MB")
                    .and_then(|number| number.parse().ok())
            };
            match name {
                "Duration" => report.duration = ms(),
                "Billed Duration" => report.billed_duration = ms(),
                "Memory Size" => report.memory_size_mb = mb(),
                "Max Memory Used" => report.max_memory_used_mb = mb(),
                "Init Duration" => report.init_duration = ms(),
                "Restore Duration" => report.restore_duration = ms(),
                "Billed Restore Duration" => report.billed_restore_duration = ms(),
                "Status" => report.status = Some(value.into()),
                "Error Type" => report.error_type = Some(value.to_owned()),
                _ => {}
            }
        }
        report
    }

    /// The `platform.report` record of the Telemetry API's event schema, which the JSON log format
    /// shares.
    fn parse_json(record: &Value) -> Option<Self> {
        let mut report = Self::new(record.get("requestId")?.as_str()?);
        let text = |name: &str| record.get(name).and_then(Value::as_str);
        report.status = text("status").map(ReportStatus::from);
        report.error_type = text("errorType").map(str::to_owned);
        if let Some(metrics) = record.get("metrics") {
            let ms = |name: &str| milliseconds(&metrics.get(name)?.as_number()?.to_string());
            let mb = |name: &str| metrics.get(name)?.as_u64();
            report.duration = ms("durationMs");
            report.billed_duration = ms("billedDurationMs");
            report.memory_size_mb = mb("memorySizeMB");
            report.max_memory_used_mb = mb("maxMemoryUsedMB");
            report.init_duration = ms("initDurationMs");
            report.restore_duration = ms("restoreDurationMs");
            report.billed_restore_duration = ms("billedRestoreDurationMs");
        }
        Some(report)
    }
}

/// Reads a line, in the text format or the JSON one (`platform.report`).
impl FromStr for Report {
    type Err = LogLineError;

    fn from_str(line: &str) -> Result<Self, LogLineError> {
        Self::read(line).ok_or(LogLineError::NotReport)
    }
}

/// Writes the line in the service's text format, without a line break.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "REPORT RequestId: {}\t", self.request_id)?;
        if let Some(duration) = self.duration {
            write!(f, "Duration: {} ms\t", Hundredths(duration))?;
        }
        if let Some(duration) = self.billed_duration {
            write!(f, "Billed Duration: {} ms\t", duration.as_millis())?;
        }
        if let Some(size) = self.memory_size_mb {
            write!(f, "Memory Size: {size} MB\t")?;
        }
        if let Some(used) = self.max_memory_used_mb {
            write!(f, "Max Memory Used: {used} MB\t")?;
        }
        if let Some(duration) = self.init_duration {
            write!(f, "Init Duration: {} ms\t", Hundredths(duration))?;
        }
        if let Some(duration) = self.restore_duration {
            write!(f, "Restore Duration: {} ms\t", Hundredths(duration))?;
        }
        if let Some(duration) = self.billed_restore_duration {
            write!(f, "Billed Restore Duration: {} ms\t", duration.as_millis())?;
        }
        // Recorded lines end with the status, or with a tab if they have no status.
        match (&self.status, &self.error_type) {
            (Some(status), Some(kind)) => write!(f, "Status: {status}\tError Type: {kind}"),
            (Some(status), None) => write!(f, "Status: {status}"),
            (None, Some(kind)) => write!(f, "Error Type: {kind}"),
            (None, None) => Ok(()),
        }
    }
}

/// A duration in milliseconds with two decimals.
struct Hundredths(Duration);

impl fmt::Display for Hundredths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{:02}",
            self.0.as_millis(),
            self.0.subsec_micros() % 1000 / 10
        )
    }
}

/// Parses a decimal number of milliseconds, exact to the nanosecond.
fn milliseconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty()
        || !text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let mut nanos: u64 = 0;
    // Six decimals of a millisecond are nanoseconds, the resolution of a `Duration`.
    for place in 0..6 {
        let digit = match fraction.as_bytes().get(place) {
            Some(digit @ b'0'..=b'9') => u64::from(digit - b'0'),
            Some(_) => return None,
            None => 0,
        };
        nanos = nanos * 10 + digit;
    }
    Duration::from_millis(whole).checked_add(Duration::from_nanos(nanos))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// From a recorded stream and from recorded buffered responses.
    const RECORDED: [&str; 3] = [
        "REPORT RequestId: 4d347e4a\tDuration: 152.47 ms\tBilled Duration: 219 ms\tMemory Size: 128 MB\tMax Memory Used: 23 MB\tInit Duration: 66.17 ms\t",
        "REPORT RequestId: 24771e54\tDuration: 6.62 ms\tBilled Duration: 7 ms\tMemory Size: 128 MB\tMax Memory Used: 77 MB\t",
        "REPORT RequestId: cc9f4885\tDuration: 2000.00 ms\tBilled Duration: 2000 ms\tMemory Size: 128 MB\tMax Memory Used: 23 MB\tStatus: timeout",
    ];

    fn read(line: &str) -> Report {
        line.parse().unwrap()
    }

    #[test]
    fn recorded_lines_are_written_as_they_were_read() {
        for line in RECORDED {
            assert_eq!(read(line).to_string(), line);
        }
    }

    #[test]
    fn reads_every_field() {
        let report = read(
            "REPORT RequestId: a\tDuration: 0.5 ms\tBilled Duration: 1 ms\tMemory Size: 10240 MB\tMax Memory Used: 9 MB\tRestore Duration: 474.16 ms\tBilled Restore Duration: 75 ms\tXRAY TraceId: 1-5e34a614-10bdxmplf1fb44f07bc535a1\tStatus: error\tError Type: Runtime.ExitError\n",
        );
        assert_eq!(report.request_id, "a");
        assert_eq!(report.duration, Some(Duration::from_micros(500)));
        assert_eq!(report.billed_duration, Some(Duration::from_millis(1)));
        assert_eq!(report.memory_size_mb, Some(10240));
        assert_eq!(report.max_memory_used_mb, Some(9));
        assert_eq!(report.init_duration, None);
        assert_eq!(
            report.restore_duration,
            Some(Duration::from_micros(474_160))
        );
        assert_eq!(
            report.billed_restore_duration,
            Some(Duration::from_millis(75))
        );
        assert_eq!(report.status, Some(ReportStatus::Error));
        assert_eq!(report.error_type.as_deref(), Some("Runtime.ExitError"));
    }

    #[test]
    fn reads_the_json_format() {
        let report = read(
            r#"{"time":"2022-10-12T00:01:15.000Z","type":"platform.report","record":{"requestId":"6d68","metrics":{"durationMs":101.51,"billedDurationMs":300,"memorySizeMB":512,"maxMemoryUsedMB":33,"initDurationMs":116.67},"status":"timeout","errorType":"Sandbox.Timedout"}}"#,
        );
        assert_eq!(report.duration, Some(Duration::from_micros(101_510)));
        assert_eq!(report.billed_duration, Some(Duration::from_millis(300)));
        assert_eq!(report.init_duration, Some(Duration::from_micros(116_670)));
        assert_eq!(report.memory_size_mb, Some(512));
        assert_eq!(report.status, Some(ReportStatus::Timeout));
        assert_eq!(report.error_type.as_deref(), Some("Sandbox.Timedout"));
    }

    #[test]
    fn an_invalid_field_is_absent_and_the_rest_stays() {
        let report = read(
            "REPORT RequestId: a\tDuration: fast\tBilled Duration: 1.. ms\tMemory Size: -1 MB\tInit Duration: 99999999999999999999 ms\tMax Memory Used: 5 MB",
        );
        assert_eq!(report.duration, None);
        assert_eq!(report.billed_duration, None);
        assert_eq!(report.memory_size_mb, None);
        assert_eq!(report.init_duration, None);
        assert_eq!(report.max_memory_used_mb, Some(5));
    }

    #[test]
    fn other_lines_are_not_reports() {
        for line in [
            "",
            "REPORT",
            " REPORT RequestId: a",
            "END RequestId: a",
            "{}",
            "{platform.report",
        ] {
            let error = line.parse::<Report>().unwrap_err();
            assert_eq!(error, LogLineError::NotReport, "{line}");
            assert!(error.to_string().contains("REPORT RequestId: "), "{error}");
        }
    }

    fn hundredths() -> impl Strategy<Value = Option<Duration>> {
        proptest::option::of((0..90_000_000u64).prop_map(|n| Duration::from_micros(n * 10)))
    }

    #[test]
    fn a_duration_is_digits_with_at_most_one_point() {
        assert_eq!(milliseconds("6.62"), Some(Duration::from_micros(6620)));
        assert_eq!(milliseconds("7"), Some(Duration::from_millis(7)));
        for text in ["", ".5", "+1", "-1", "1.2.3", "1.2x", "1.2345678x", "1e3"] {
            assert_eq!(milliseconds(text), None, "{text:?}");
        }
    }

    fn whole() -> impl Strategy<Value = Option<Duration>> {
        proptest::option::of((0..900_000u64).prop_map(Duration::from_millis))
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            request_id in "[0-9a-f-]{0,36}",
            duration in hundredths(), billed_duration in whole(),
            memory_size_mb: Option<u64>, max_memory_used_mb: Option<u64>,
            init_duration in hundredths(), restore_duration in hundredths(),
            billed_restore_duration in whole(),
            status in proptest::option::of("[a-z]{1,9}"),
            error_type in proptest::option::of("[A-Z][A-Za-z.]{0,20}"),
        ) {
            let report = Report {
                request_id, duration, billed_duration, memory_size_mb, max_memory_used_mb,
                init_duration, restore_duration, billed_restore_duration,
                status: status.as_deref().map(ReportStatus::from), error_type,
            };
            prop_assert_eq!(report.to_string().parse(), Ok(report));
        }
    }
}
