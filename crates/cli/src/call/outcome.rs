//! Reports of a call on stderr: its failure, its log and the log's summary.

use std::fmt::Write as _;
use std::time::Duration;

use lambda_invoke::{Error, ErrorKind, LogTail, Report};
use lambda_invoke_input::FunctionName;

use crate::call::{self, advice};
use crate::exit::call_state::execution_name;
use crate::exit::{Exit, Failure, causes};
use crate::terminal::{MOST_TEXT, MOST_TOKEN, Style, excerpt, say, say_in};

/// Converts an error of the client into a failure of the program.
///
/// The client's messages contain escaped excerpts of at most 1 KiB of what a peer sent
/// (`lambda_invoke_error::text::Excerpt`). The causes come from other libraries, which guarantee
/// nothing. So both are shortened here, and `terminal` escapes everything that reaches stderr.
pub(crate) fn failure(error: &Error) -> Failure {
    let (exit, kind) = classify(error.kind());
    let mut message = excerpt(&error.to_string(), MOST_TEXT).into_owned();
    let causes: Vec<String> = causes(error)
        .map(|cause| excerpt(&cause.to_string(), MOST_TEXT).into_owned())
        .collect();
    for cause in &causes {
        // The client's message already contains some of its causes, and all of them for a timeout.
        if error.timeout_kind().is_none() && !message.contains(cause.as_str()) {
            // Writing to a string does not fail.
            let _ = write!(message, "\n  caused by: {cause}");
        }
    }
    if let Some(advice) = advice::of(error) {
        let _ = write!(message, "\n  hint: {advice}");
    }
    let service = error.service_error();
    let function = error.function_failure();
    Failure::new(exit, message)
        .with("kind", kind)
        .with("execution", execution_name(error.execution()))
        .with("attempts", error.attempts())
        .with("causes", causes)
        .with_some("request_id", error.request_id())
        .with_some("received_bytes", error.received())
        .with_some(
            "timeout",
            error.timeout_kind().map(|timeout| timeout.to_string()),
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

/// Converts the error of one call, and adds advice that depends on the call's options.
pub(crate) fn call_failure(error: &Error, options: &call::Options) -> Failure {
    let service = error.service_error();
    // The message shows the first paragraph; for a wrong signature, the canonical request follows.
    let details = service.and_then(|service| service.message()?.split_once("\n\n"));
    if let (true, Some((_, details))) = (options.verbose > 0, details) {
        say_in(Style::Detail, details.trim_end());
    }
    let mut failure = failure(error);
    let is_missing = service.is_some_and(|service| service.status() == 404);
    let name = FunctionName::try_from(&options.function).ok();
    let other_resource = name.and_then(|name| name.other_resource());
    if let (Some(resource), true) = (other_resource, is_missing) {
        let _ = write!(
            failure.message,
            "\n  hint: this is the ARN of {resource}; the ARN of a function has function: before its name"
        );
    } else if options.is_local() && is_missing {
        let function = options.function.split(':').next().unwrap_or_default();
        let served = options.local_functions();
        let hint = match (advice::similar(function, &served), served.as_slice()) {
            (Some(name), _) if name == function => format!("{name} has only the version $LATEST"),
            (Some(name), _) => format!("did you mean {name}?"),
            (None, [only]) => format!("the function of --local is {only}"),
            (None, several) => format!("the functions of --local are {}", several.join(", ")),
        };
        let _ = write!(failure.message, "\n  hint: {hint}");
    }
    failure
}

/// Shortens a code or status for JSON; `None` if it is empty.
fn short(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| excerpt(text, MOST_TOKEN).into_owned())
}

/// Writes the end of the log to stderr, and a line that summarizes its report.
pub(crate) fn show_log_tail(log: &LogTail) {
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

/// Summarizes a report: `2.00 ms, billed 2 ms, 23 of 128 MB, init 140.12 ms`.
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

/// Milliseconds with at most two decimal places, the precision of a report.
fn milliseconds(time: Duration) -> String {
    let text = format!("{:.2}", time.as_secs_f64() * 1000.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The exit code of an error, and the name of its kind in JSON output.
///
/// `ErrorKind` is non_exhaustive. A kind that is not listed here is reported as a transport
/// failure, which claims neither that the function did not run (2), nor that the service rejected
/// the call (3), nor that the function failed (1). A test compares this table with the kinds of the
/// client in this repository, so that no kind is reported like that by accident.
pub(crate) fn classify(kind: ErrorKind) -> (Exit, &'static str) {
    (exit_of(kind.as_str()), kind.as_str())
}

/// The exit code of a kind by its name, also for results that were recorded in an earlier run.
pub(crate) fn exit_of(kind: &str) -> Exit {
    match kind {
        "input" | "configuration" | "credentials" => Exit::Usage,
        "service" => Exit::Rejected,
        "function_failed" => Exit::FunctionFailed,
        "truncated" | "stream_exception" | "corrupt" => Exit::Incomplete,
        _ => Exit::Transport,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;

    /// Every kind that the program knows, by its name in the client.
    const KINDS: [(&str, ErrorKind, u8); 15] = [
        ("Input", ErrorKind::Input, 2),
        ("Configuration", ErrorKind::Configuration, 2),
        ("Credentials", ErrorKind::Credentials, 2),
        ("Service", ErrorKind::Service, 3),
        ("Connect", ErrorKind::Connect, 4),
        ("TimedOut", ErrorKind::TimedOut, 4),
        ("Transport", ErrorKind::Transport, 4),
        ("UnexpectedResponse", ErrorKind::UnexpectedResponse, 4),
        ("TooLarge", ErrorKind::TooLarge, 4),
        ("Json", ErrorKind::Json, 4),
        ("Text", ErrorKind::Text, 4),
        ("FunctionFailed", ErrorKind::FunctionFailed, 1),
        ("Truncated", ErrorKind::Truncated, 5),
        ("StreamException", ErrorKind::StreamException, 5),
        ("Corrupt", ErrorKind::Corrupt, 5),
    ];

    /// The variants of the client's `ErrorKind`, read from its source: a non_exhaustive enum cannot
    /// be matched exhaustively from here, so the compiler does not report a variant that is missing.
    fn kinds_of_the_client(folder: &Path) -> Option<Vec<String>> {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                if let Some(kinds) = kinds_of_the_client(&path) {
                    return Some(kinds);
                }
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            let Some((_, variants)) = source.split_once("\npub enum ErrorKind {\n") else {
                continue;
            };
            let (variants, _) = variants.split_once("\n}").unwrap();
            let is_variant = |line: &&str| line.starts_with(|c: char| c.is_ascii_uppercase());
            return Some(
                variants
                    .lines()
                    .map(|line| line.trim().trim_end_matches(','))
                    .filter(is_variant)
                    .map(str::to_owned)
                    .collect(),
            );
        }
        None
    }

    #[test]
    fn every_kind_of_error_has_its_own_name_and_an_intended_exit_code() {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        // A package has no other crate beside it.
        if own.ends_with("crates/cli") {
            let mut kinds = kinds_of_the_client(&own.join("../lambda-invoke/src")).unwrap();
            kinds.sort_unstable();
            let mut listed = KINDS.map(|(name, ..)| name);
            listed.sort_unstable();
            assert_eq!(kinds, listed);
        }
        let mut names = BTreeMap::new();
        for (variant, kind, code) in KINDS {
            assert_eq!(format!("{kind:?}"), variant);
            let (exit, name) = classify(kind);
            assert_eq!(exit as u8, code, "{variant}");
            // The name of the variant, in lower case with underscores.
            assert_eq!(name.replace('_', ""), variant.to_lowercase());
            assert_eq!(names.insert(name, variant), None, "{name}");
        }
    }

    #[test]
    fn summarizes_what_is_in_the_report() {
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
            assert_eq!(summary(&line.parse().unwrap()), expected);
        }
    }
}
