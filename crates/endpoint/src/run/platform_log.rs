//! The platform's lines in the tail log.

use std::time::Duration;

use lambda_invoke_protocol::{LogTail, Report, ReportStatus, StartLine};

use super::running::Outcome;
use crate::function::error::FunctionError;
use crate::function::invocation::Invocation;

/// Writes the `START` line, if the caller wants the log.
pub(crate) fn start(invocation: &Invocation) {
    if invocation.wants_log() {
        let line = StartLine::new(invocation.request_id(), invocation.version());
        invocation.log_of_platform(line.to_string());
    }
}

/// Writes the platform's last lines, and returns the tail of the log.
pub(crate) fn finish(invocation: &Invocation, outcome: &Outcome) -> Option<LogTail> {
    if !invocation.wants_log() {
        return None;
    }
    let error = outcome.as_ref().err();
    let timed_out = error.is_some_and(FunctionError::is_timeout);
    let request_id = invocation.request_id();
    // A timeout has no line of its own; the status in the REPORT line shows it.
    if let Some(line) = error
        .filter(|_| !timed_out)
        .and_then(|error| error.log_line(request_id))
    {
        invocation.log_of_platform(line);
    }
    invocation.log_of_platform(format!("END RequestId: {request_id}"));
    let call = invocation.call();
    let usage = invocation.usage();
    let mut report = Report::new(request_id);
    let duration = match usage {
        _ if timed_out => call.function.timeout,
        Some(usage) => usage.duration,
        None => invocation.elapsed(),
    };
    report.duration = Some(duration);
    report.billed_duration = Some(whole_milliseconds(duration));
    report.memory_size_mb = Some(call.function.memory_mb.into());
    report.max_memory_used_mb = match usage {
        Some(usage) => usage.max_memory.map(|bytes| bytes.div_ceil(1 << 20)),
        // In-process functions share the memory of the process, so only its total is known.
        None => resident_mb(),
    };
    report.init_duration = usage.and_then(|usage| usage.init_duration);
    report.status = timed_out.then_some(ReportStatus::Timeout);
    // The service's REPORT line has no status for an error that the function raised itself.
    if let Some(error) = error.filter(|error| !timed_out && error.is_from_platform()) {
        report.status = Some(ReportStatus::Error);
        report.error_type = Some(error.error_type().to_owned());
    }
    invocation.finish_log(&report.to_string())
}

/// Returns the memory that this process uses, in MB, where `/proc` is available.
fn resident_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes.div_ceil(1024))
}

/// Rounds a duration up to whole milliseconds, as for billing.
fn whole_milliseconds(duration: Duration) -> Duration {
    let millis = duration.as_nanos().div_ceil(1_000_000);
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}
