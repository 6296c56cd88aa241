//! Reports what is wrong with the command line, and what was probably meant: people come with the
//! habits of the AWS CLI, curl and other tools.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::exit::{Exit, Failure};
use crate::{output, terminal};

/// Options of other tools, and what does the same here.
const FOREIGN: [(&[&str], &str); 23] = [
    (
        &["--function-name"],
        "the function is an argument without an option: lambda-invoke invoke NAME",
    ),
    (
        &["--invocation-type"],
        "use --event instead of Event, and --dry-run instead of DryRun",
    ),
    (&["--log-type"], "use --log-tail"),
    (
        &["--cli-binary-format"],
        "leave it out: a payload is sent byte for byte",
    ),
    (
        &["--output", "--outfile", "--output-document"],
        "use -o FILE to write the response to a file, and --json for a response as JSON",
    ),
    (
        &["--query"],
        "use --json with jq: lambda-invoke invoke NAME --json | jq .Payload",
    ),
    (
        &["--debug", "--trace", "--trace-ascii", "--include", "-i"],
        "use -v to show the steps of a call, or -vv to show everything",
    ),
    (
        &["--port", "--host", "--bind", "--address"],
        "use --listen ADDRESS:PORT with serve, such as --listen 127.0.0.1:9001",
    ),
    (
        &[
            "--data",
            "--data-raw",
            "--data-ascii",
            "--body",
            "--event-body",
        ],
        "use -p JSON or --payload JSON",
    ),
    (
        &["--data-file", "--payload-file", "--data-binary", "--input"],
        "use -p @FILE",
    ),
    (&["--stdin"], "use -p - to read the payload from stdin"),
    (
        &["--cli-read-timeout", "--read-timeout"],
        "use --first-byte-timeout and --idle-timeout",
    ),
    (&["--cli-connect-timeout"], "use --connect-timeout"),
    (&["--max-time"], "use --timeout, for the call as a whole"),
    (
        &["--retries", "--max-retries"],
        "use --max-attempts, which includes the first attempt",
    ),
    (
        &["--no-verify-ssl", "--insecure", "-k"],
        "certificates are always verified: set AWS_CA_BUNDLE to a file with the authority to trust",
    ),
    (
        &["--no-sign-request"],
        "requests are always signed; a local endpoint accepts the keys 'local' and 'local'",
    ),
    (
        &["--stream", "--streaming", "--no-buffer"],
        "use the command stream instead of invoke",
    ),
    (
        &["--no-cli-pager", "--no-paginate", "--silent"],
        "leave it out: there is no pager, and only the payload is on stdout",
    ),
    (
        &["--color", "--no-color"],
        "set the variable NO_COLOR to turn colors off",
    ),
    (
        &[
            "--jobs",
            "-j",
            "--parallel",
            "-P",
            "--workers",
            "--max-workers",
            "--max-concurrency",
        ],
        "use map or bench with -c N for the most concurrent calls",
    ),
    (
        &["--resume"],
        "use map with --journal FILE: the same command goes on where the last one ended",
    ),
    (
        &["--remote"],
        "leave it out: functions are called in AWS unless --local or --endpoint-url is given",
    ),
];

/// Writes clap's output: help and version to stdout, errors to stderr. Errors quote the arguments, so
/// they go through `terminal`.
pub(crate) fn report(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    let result = match error.use_stderr() {
        true => {
            terminal::say(with_hint(&text, hint(error).as_deref()).trim_end_matches('\n'));
            Err(Failure::silent(Exit::Usage))
        }
        false => output::print(text.as_bytes()),
    };
    result.map_or_else(Failure::report, |()| ExitCode::SUCCESS)
}

/// Puts the hint below the first line, in the place of clap's tips: a similar name is not what was
/// meant, and nobody wants to pass an option as a value.
fn with_hint(text: &str, hint: Option<&str>) -> String {
    let is_tip = |line: &str| match hint {
        Some(_) => line.starts_with("  tip: "),
        None => line.starts_with("  tip: to pass "),
    };
    let mut lines = text.lines().filter(|line| !is_tip(line));
    let mut out = String::new();
    if let Some(first) = lines.next() {
        out.push_str(first);
        out.push('\n');
    }
    if let Some(hint) = hint {
        out.push_str(&format!("  hint: {hint}\n"));
    }
    let mut was_blank = false;
    for line in lines {
        // clap shows the usage with the option that it took for the one meant.
        let usage = hint.and_then(|_| usage(line));
        // Where the tip was, two blank lines meet.
        if !(was_blank && line.is_empty()) {
            out.push_str(usage.as_deref().unwrap_or(line));
            out.push('\n');
        }
        was_blank = line.is_empty();
    }
    out
}

/// The general usage of the command in a line of usage; `None` for other lines.
fn usage(line: &str) -> Option<String> {
    let mut words = line.strip_prefix("Usage: ")?.split(' ').skip(1);
    let mut command = crate::Arguments::command();
    command.build();
    let command = command.find_subcommand_mut(words.next()?)?;
    Some(command.render_usage().to_string())
}

/// What was probably meant.
fn hint(error: &clap::Error) -> Option<String> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let option = argument.split('=').next().unwrap_or(argument);
    let known = FOREIGN.iter().find(|(names, _)| names.contains(&option));
    if let Some((_, hint)) = known {
        return Some((*hint).to_owned());
    }
    if option.starts_with('-') {
        return None;
    }
    if argument.trim_start().starts_with(['{', '[', '"', '\'']) {
        let quoted = crate::call::payload::quoted(argument);
        return Some(format!("pass the payload with -p: -p {quoted}"));
    }
    let path = Path::new(argument);
    if path.extension().is_some() || path.is_file() {
        return Some(format!(
            "use -p @{argument} to send this file, or -o {argument} to write the response to it"
        ));
    }
    let words: Vec<OsString> = std::env::args_os().collect();
    let has_payload = words.iter().any(|word| word == "-p" || word == "--payload");
    has_payload.then(|| {
        "a payload with spaces needs quotes around all of it, such as -p '{\"a\": 1}'".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_foreign_option_is_one_of_ours_where_it_is_explained() {
        let command = crate::Arguments::command();
        let calls = ["invoke", "stream"];
        let mut ours = BTreeSet::new();
        for name in calls {
            let command = command.find_subcommand(name).unwrap();
            for argument in command.get_arguments() {
                ours.extend(argument.get_long().map(|long| format!("--{long}")));
                ours.extend(argument.get_short().map(|short| format!("-{short}")));
            }
        }
        let mut seen = BTreeSet::new();
        for name in FOREIGN.iter().flat_map(|(names, _)| *names) {
            assert!(!ours.contains(*name), "{name} exists");
            assert!(seen.insert(name), "{name} is listed twice");
        }
    }
}
