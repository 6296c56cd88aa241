//! Whether a log reports that its function failed.

use std::fmt;

use lambda_invoke_error::text::Excerpt;
use serde_json::Value;
use serde_json::value::RawValue;

use super::platform::platform_record;
use super::{LogTail, Report, ReportStatus, StartLine};
use crate::{FunctionError, json};

/// A failure that a log reports: see [`LogTail::failure`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedFailure {
    /// The status in the platform's report, if the report has a failure.
    pub status: Option<ReportStatus>,
    /// The error that the runtime or the platform logged; empty if they logged none.
    pub error: FunctionError,
}

impl fmt::Display for LoggedFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_words = self.error != FunctionError::default();
        if let Some(status) = &self.status {
            let separator = if has_words { ", " } else { "" };
            write!(f, "status {}{separator}", Excerpt(status.as_str()))?;
        }
        match has_words || self.status.is_none() {
            true => self.error.fmt(f),
            false => Ok(()),
        }
    }
}

/// What is known about how an execution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there are only success, failure and unknown"
)]
pub enum Outcome {
    /// The platform reports success: the log's report has the status `success`, which only the JSON
    /// format includes.
    Succeeded,
    /// The service reports a failure, or the log does in an unambiguous form.
    Failed,
    /// Neither failure nor success is reported. This is the usual outcome of a function that
    /// succeeded. It is also the outcome of a failure that was not recorded, because the log was
    /// not requested or because a custom runtime reported the error.
    NotReported,
}

impl LogTail {
    /// Returns the id by which the lines of a response's log are recognized: the id in the
    /// response's head, unless every report in the log has a different one. A gateway may replace
    /// the service's id in the head with one of its own, by which no failure would be found. `None`
    /// stands for the id of the last report, which the platform writes after the function.
    #[must_use]
    pub fn own_id<'i>(&self, in_head: Option<&'i str>) -> Option<&'i str> {
        in_head.filter(|_| self.report_of(in_head).is_some() || self.report().is_none())
    }

    /// Returns the failure that the log reports, if it does so unambiguously; `request_id` is the
    /// one in the response's head.
    ///
    /// A failure is unambiguous only in a form that the platform or an official runtime writes, and
    /// only with this request's id, if the form has an id:
    ///
    /// - the report, with the status `timeout`, `error` or `failure`;
    /// - between this invocation's START and END, the record of the Node runtime (`<time>\t<id>\t`
    ///   `ERROR\tInvoke Error \t{..}`, or `Uncaught Exception` or `Unhandled Promise Rejection`) or
    ///   of the Python runtime (`[ERROR] <Type>: <message>` with its traceback as the last lines,
    ///   or `"level":"ERROR"` with the error's members in the JSON format);
    /// - the platform's lines for a process that exited and for a timeout.
    ///
    /// A function's own line that contains `ERROR` or quotes another request's log is not a
    /// failure. Some failures cannot be found: those of a custom runtime; those whose record begins
    /// before the tail of 4 KiB; and in the JSON format those of the Node runtime, whose record
    /// looks the same as one from `console.error(error)`.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_protocol::LogTail;
    ///
    /// let log = LogTail::last_of(
    ///     b"START RequestId: 8f5 Version: 7\n\
    ///       [ERROR] ValueError: no cat\nTraceback (most recent call last):\n  File \"h.py\", line 2\n\
    ///       END RequestId: 8f5\nREPORT RequestId: 8f5\tDuration: 2.90 ms\n",
    /// );
    /// assert_eq!(log.failure(Some("8f5")).unwrap().to_string(), "ValueError: no cat");
    /// assert_eq!(log.failure(Some("another")), None);
    /// ```
    #[must_use]
    pub fn failure(&self, request_id: Option<&str>) -> Option<LoggedFailure> {
        find(self, request_id)
    }

    /// Returns how the execution ended according to the log: see [`failure`](Self::failure).
    #[must_use]
    pub fn outcome(&self, request_id: Option<&str>) -> Outcome {
        if self.failure(request_id).is_some() {
            return Outcome::Failed;
        }
        match self.report_of(request_id).and_then(|report| report.status) {
            Some(ReportStatus::Success) => Outcome::Succeeded,
            Some(
                ReportStatus::Error
                | ReportStatus::Failure
                | ReportStatus::Timeout
                | ReportStatus::Other(_),
            )
            | None => Outcome::NotReported,
        }
    }
}

/// The number of bytes, from the end, that are searched: several times what the service sends.
const SEARCHED: usize = 16 * LogTail::MAX_BYTES;

/// The lines of one invocation. In a record that an official runtime writes on one line, carriage
/// returns stand for line breaks.
struct Lines<'t> {
    /// The function's lines, between START and END.
    own: Vec<&'t str>,
    /// The lines from END on.
    after_end: Vec<&'t str>,
}

impl<'t> Lines<'t> {
    /// Finds the lines; `None` if the log does not contain this invocation's end.
    fn of(text: &'t str, request_id: &str, is_truncated: bool) -> Option<Self> {
        let (before, after_end) = text.split_at_checked(end_of(text, request_id)?)?;
        let split = |text: &'t str| text.split(['\n', '\r']).collect::<Vec<_>>();
        let mut own = split(before);
        let start = own.iter().position(|line| {
            (line.parse::<StartLine>()).is_ok_and(|start| start.request_id == request_id)
        });
        let first = match start {
            Some(start) => start + 1,
            // The first line may be incomplete.
            None => usize::from(is_truncated),
        };
        own.drain(..first.min(own.len()));
        Some(Self {
            own,
            after_end: split(after_end),
        })
    }
}

/// Returns the offset of the platform's END, or of its report if there is no END. The platform
/// writes after the function, so the last of several such lines is the platform's. A runtime's last
/// record may lack a line break, so END may follow on the same line.
fn end_of(text: &str, request_id: &str) -> Option<usize> {
    let end = format!("END RequestId: {request_id}");
    let is_whole = |(at, _): &(usize, &str)| {
        let rest = text.get(at + end.len()..).unwrap_or_default();
        rest.trim_start_matches(' ').is_empty()
            || rest.trim_start_matches(' ').starts_with(['\n', '\r'])
    };
    if let Some((at, _)) = text.rmatch_indices(&end).find(is_whole) {
        return Some(at);
    }
    let mut found = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let is_done = platform_record(line, "platform.runtimeDone").is_some_and(|record| {
            record.get("requestId").and_then(Value::as_str) == Some(request_id)
        });
        let is_report =
            || (line.parse::<Report>()).is_ok_and(|report| report.request_id == request_id);
        if is_done || is_report() {
            found = Some(at);
        }
        at += line.len();
    }
    found
}

fn find(log: &LogTail, request_id: Option<&str>) -> Option<LoggedFailure> {
    let bytes = log.as_bytes();
    let from = bytes.len().saturating_sub(SEARCHED);
    let text = String::from_utf8_lossy(bytes.get(from..).unwrap_or(bytes));
    // The rest of a split character, up to three bytes, is missing as well.
    let is_truncated = bytes.len() + 3 >= LogTail::MAX_BYTES;

    let report = log.report_of(request_id);
    let known = request_id.or_else(|| Some(report.as_ref()?.request_id.as_str()))?;
    let logged = Lines::of(&text, known, is_truncated).and_then(|lines| {
        python(&lines.own)
            .or_else(|| exited(&lines.own, known))
            .or_else(|| last(&lines.own, |line| node(line, known)))
            .or_else(|| last(&lines.own, |line| json(line, known)))
            .or_else(|| last(&lines.after_end, |line| timed_out(line, known)))
    });
    let failed = report.filter(Report::has_failed);
    if failed.is_none() && logged.is_none() {
        return None;
    }
    let (status, error_type) =
        failed.map_or((None, None), |report| (report.status, report.error_type));
    let mut error = logged.unwrap_or_default();
    error.error_type = error.error_type.or(error_type);
    Some(LoggedFailure { status, error })
}

fn last(lines: &[&str], read: impl Fn(&str) -> Option<FunctionError>) -> Option<FunctionError> {
    lines.iter().rev().find_map(|line| read(line))
}

/// aws-lambda-ric: `<time>\t<id>\tERROR\tInvoke Error \t{json}`, or with one of the two errors that
/// end a process. Node 24 has been seen to write `-` for the id, and before the first invocation, it is
/// `undefined`.
fn node(line: &str, request_id: &str) -> Option<FunctionError> {
    let mut fields = line.splitn(5, '\t');
    let (time, id) = (fields.next()?, fields.next()?);
    let (level, label, json) = (fields.next()?, fields.next()?, fields.next()?);
    let is_record = is_time(time)
        && (id == request_id || id == "-" || id == "undefined")
        && level == "ERROR"
        && matches!(
            label,
            "Invoke Error " | "Uncaught Exception " | "Unhandled Promise Rejection "
        );
    let error = is_record.then(|| FunctionError::parse(json.as_bytes()))?;
    error.error_type.is_some().then_some(error)
}

/// awslambdaric: `[ERROR] <Type>: <message>`, the message perhaps of several lines, then
/// `Traceback (most recent call last):` and the frames, indented by spaces or U+00A0, up to the end
/// of the function's lines.
///
/// Neither a traceback that a program prints nor a record of `logging` matches this form: the
/// former ends with the exception itself, which is not indented, and the latter has tabs between
/// its fields.
fn python(lines: &[&str]) -> Option<FunctionError> {
    let is_frame = |line: &&str| line.is_empty() || line.starts_with([' ', '\u{a0}']);
    let frames = lines.iter().rev().take_while(|line| is_frame(line)).count();
    let head = lines.get(..lines.len().saturating_sub(frames))?;
    let (traceback, head) = head.split_last()?;
    if *traceback != "Traceback (most recent call last):" {
        return None;
    }
    let (at, (error_type, first)) = head
        .iter()
        .enumerate()
        .rev()
        .find_map(|(at, line)| Some((at, python_error(line)?)))?;
    let mut message = first.to_owned();
    for line in head.get(at + 1..)? {
        message.push('\n');
        message.push_str(line);
    }
    let stack = lines.get(lines.len().saturating_sub(frames)..)?.iter();
    let stack = stack.filter(|line| !line.is_empty());
    let mut error = FunctionError::new(error_type, message);
    error.stack_trace = stack.map(|line| line.replace('\u{a0}', " ")).collect();
    Some(error.bounded())
}

/// Returns the type and the message of `[ERROR] Type: message`; the message may be empty.
fn python_error(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("[ERROR] ")?;
    let (error_type, message) = rest.split_once(": ").unwrap_or((rest, ""));
    let is_name = |part: &str| {
        part.starts_with(|first: char| first == '_' || first.is_alphabetic())
            && part
                .chars()
                .all(|other| other == '_' || other.is_alphanumeric())
    };
    error_type
        .split('.')
        .all(is_name)
        .then_some((error_type, message))
}

/// Python's record in the JSON format: the error's members beside `"level":"ERROR"`.
///
/// A record that the function itself logs also has a `message`, in both runtimes. Node's record of
/// a failure is the same as that of `console.error(error)`, so it proves nothing.
fn json(line: &str, request_id: &str) -> Option<FunctionError> {
    // Searched before parsing, since a function's own lines may be long JSON documents.
    if !line.starts_with('{') || !line.contains("\"ERROR\"") || !line.contains(request_id) {
        return None;
    }
    let whole = json::whole(line.as_bytes());
    let names = ["level", "requestId", "errorType", "stackTrace", "message"];
    let [level, id, error_type, stack, message] = json::members(&whole, names).ok()?;
    let text = |member: Option<&RawValue>| member.and_then(json::text);
    let is_record = text(level).as_deref() == Some("ERROR")
        && text(id).as_deref() == Some(request_id)
        && text(error_type).is_some()
        && stack.is_some_and(|stack| stack.get().starts_with('['))
        && message.is_none();
    is_record.then(|| FunctionError::parse(line.as_bytes()))
}

/// The platform's `RequestId: <id> Error: <message>` and the type, as the last two lines.
fn exited(lines: &[&str], request_id: &str) -> Option<FunctionError> {
    let mut lines = lines.iter().rev().skip_while(|line| line.is_empty());
    let error_type = lines.next().filter(|line| line.starts_with("Runtime."))?;
    let (_, name) = error_type.split_once('.')?;
    let message = lines.next()?.strip_prefix("RequestId: ")?;
    let message = message.strip_prefix(request_id)?.strip_prefix(" Error: ")?;
    let is_type = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_type.then(|| FunctionError::new(*error_type, message).bounded())
}

/// The platform's `<time> <id> Task timed out after 1.00 seconds`, which comes after its END.
fn timed_out(line: &str, request_id: &str) -> Option<FunctionError> {
    let (time, rest) = line.split_once(' ')?;
    let message = rest.strip_prefix(request_id)?.strip_prefix(' ')?;
    let seconds = message.strip_prefix("Task timed out after ")?;
    let seconds = seconds.trim_end().strip_suffix(" seconds")?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, hundredths) = seconds.split_once('.')?;
    (is_time(time) && is_number(whole) && is_number(hundredths)).then(|| FunctionError {
        error_message: Some(message.trim_end().to_owned()),
        ..FunctionError::default()
    })
}

/// `2026-09-15T10:17:16.958Z`.
fn is_time(text: &str) -> bool {
    let form = b"0000-00-00T00:00:00.000Z";
    text.len() == form.len()
        && text.bytes().zip(form).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            other => byte == *other,
        })
}
