//! What is said of a call: its log, its report, its failure.

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::time::Duration;

use lambda_invoke::{Error, ErrorKind, Execution, LogTail, Report};

use crate::exit::{Exit, Failure};
use crate::terminal::{MOST_TEXT, MOST_TOKEN, excerpt, say};

/// An error of the client as the program's failure.
pub(crate) fn failure(error: &Error) -> Failure {
    let (exit, kind) = meaning(error.kind());
    let mut message = excerpt(&error.to_string(), MOST_TEXT).into_owned();
    let mut causes = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = excerpt(&cause.to_string(), MOST_TEXT).into_owned();
        if !message.contains(&text) {
            let _ = write!(message, "\n  because: {text}");
        }
        causes.push(text);
        source = cause.source();
    }
    let service = error.service_error();
    let function = error.function_failure();
    Failure::new(exit, message)
        .with("kind", kind)
        .with("execution", execution(error.execution()))
        .with("attempts", error.attempts())
        .with("causes", causes)
        .with_some("request_id", error.request_id())
        .with_some("received_bytes", error.received())
        .with_some(
            "time_limit",
            error.timeout_kind().map(|limit| limit.to_string()),
        )
        .with_some("status", service.map(|service| service.status()))
        .with_some("code", service.and_then(|service| service.code()))
        .with_some(
            "code",
            function.and_then(|function| short(function.code.as_deref()?)),
        )
        .with_some(
            "report_status",
            function
                .and_then(|function| function.logged.as_ref()?.status.as_ref())
                .map(|status| short(status.as_str())),
        )
        .with_some(
            "error_type",
            function.and_then(|function| function.error.error_type.as_deref()),
        )
        .with_some(
            "error_message",
            function.and_then(|function| function.error.error_message.as_deref()),
        )
}

/// A code or status as a member of a JSON object: those that there are are short.
fn short(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| excerpt(text, MOST_TOKEN).into_owned())
}

/// The end of the log on stderr, and its sum in a line.
pub(crate) fn tell_log(log: &LogTail) {
    let text = log.text();
    let text = text.strip_suffix('\n').unwrap_or(&text);
    if !text.is_empty() {
        say(excerpt(text, MOST_TEXT));
    }
    if let Some(report) = log.report() {
        say(format_args!(
            "lambda-invoke: {}",
            excerpt(&summary(&report), MOST_TEXT)
        ));
    }
}

/// What a report says, as far as it says it: `2.00 ms, billed 2 ms, 23 of 128 MB, init 140.12 ms`.
fn summary(report: &Report) -> String {
    let memory = match (report.max_memory_used_mb, report.memory_size_mb) {
        (Some(used), Some(size)) => Some(format!("{used} of {size} MB")),
        (Some(used), None) => Some(format!("{used} MB")),
        (None, _) => None,
    };
    let time = |name: &str, time: Option<Duration>| {
        time.map(|time| format!("{name}{} ms", milliseconds(time)))
    };
    let parts = [
        time("", report.duration),
        time("billed ", report.billed_duration),
        memory,
        time("init ", report.init_duration),
        report
            .status
            .as_ref()
            .map(|status| format!("status {status}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("the function took {}", parts.join(", "))
}

/// As the report has it: to two places at most.
fn milliseconds(time: Duration) -> String {
    let text = format!("{:.2}", time.as_secs_f64() * 1000.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

pub(crate) fn meaning(kind: ErrorKind) -> (Exit, &'static str) {
    match kind {
        ErrorKind::Input => (Exit::Usage, "input"),
        ErrorKind::Configuration => (Exit::Usage, "configuration"),
        ErrorKind::Credentials => (Exit::Usage, "credentials"),
        ErrorKind::Service => (Exit::Refused, "service"),
        ErrorKind::Connect => (Exit::Transport, "connect"),
        ErrorKind::TimedOut => (Exit::Transport, "timed_out"),
        ErrorKind::UnexpectedResponse => (Exit::Transport, "unexpected_response"),
        ErrorKind::TooLarge => (Exit::Transport, "too_large"),
        ErrorKind::FunctionFailed => (Exit::Function, "function_failed"),
        ErrorKind::Truncated => (Exit::Cut, "truncated"),
        ErrorKind::Corrupt => (Exit::Cut, "corrupt"),
        ErrorKind::StreamException => (Exit::Cut, "stream_exception"),
        _ => (Exit::Transport, "transport"),
    }
}

/// For a machine.
pub(crate) fn execution(execution: Execution) -> &'static str {
    match execution {
        Execution::NotStarted => "not_started",
        Execution::Started => "started",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_up_what_the_report_says_and_no_more() {
        for (line, expected) in [
            (
                "REPORT RequestId: a\tDuration: 2271.16 ms\tBilled Duration: 2272 ms\t\
                 Memory Size: 128 MB\tMax Memory Used: 14 MB\tInit Duration: 140.10 ms",
                "the function took 2271.16 ms, billed 2272 ms, 14 of 128 MB, init 140.1 ms",
            ),
            (
                "REPORT RequestId: a\tDuration: 3000.00 ms\tStatus: timeout",
                "the function took 3000 ms, status timeout",
            ),
        ] {
            assert_eq!(summary(&Report::parse(line).unwrap()), expected);
        }
    }
}
