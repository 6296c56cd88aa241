//! Reports what is wrong with the command line, and what was probably meant: many people are used to
//! the AWS CLI, curl and other tools.

mod foreign;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory as _};
use lambda_invoke::FunctionName;

use crate::call::advice::BUILT_IN;
use crate::exit::{Exit, Failure};
use crate::{output, terminal};

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

/// Puts the hint below the error, in place of clap's tips, which suggest similar names that were
/// not meant, or passing an option as a value.
fn with_hint(text: &str, hint: Option<&str>) -> String {
    let is_tip = |line: &str| match hint {
        Some(_) => line.starts_with("  tip: "),
        None => line.starts_with("  tip: to pass "),
    };
    let mut out = String::new();
    let mut to_come = hint;
    let mut was_blank = false;
    for line in text.lines().filter(|line| !is_tip(line)) {
        // The error ends at the first blank line.
        if let Some(hint) = to_come.take_if(|_| line.is_empty()) {
            out.push_str(&format!("  hint: {hint}\n"));
        }
        // clap's usage line contains the option that it guessed.
        let usage = hint.and_then(|_| usage(line));
        // Removing the tip leaves two adjacent blank lines.
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
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let is_misspelled = error.get(ContextKind::SuggestedSubcommand).is_some();
            command_hint(text(ContextKind::InvalidSubcommand)?, is_misspelled)
        }
        ErrorKind::UnknownArgument => argument_hint(text(ContextKind::InvalidArg)?, &words),
        // The shell expanded $LATEST to nothing, so the function's name became the qualifier.
        ErrorKind::MissingRequiredArgument => {
            let lacks_name = match error.get(ContextKind::InvalidArg) {
                Some(ContextValue::Strings(missing)) => {
                    missing.iter().any(|name| name.starts_with('<'))
                }
                _ => false,
            };
            let is_expanded = words.iter().all(|word| word != "$LATEST");
            let qualifier = words
                .iter()
                .any(|word| word == "--qualifier" || word == "-q");
            (lacks_name && is_expanded && qualifier)
                .then(|| "$LATEST needs single quotes: --qualifier '$LATEST'".to_owned())
        }
        _ => None,
    }
}

fn command_hint(word: &str, is_misspelled: bool) -> Option<String> {
    if let Some((_, hint)) = foreign::COMMANDS
        .iter()
        .find(|(names, _)| names.contains(&word))
    {
        return Some((*hint).to_owned());
    }
    let command = crate::Arguments::command();
    let lower = word.to_ascii_lowercase();
    if command.find_subcommand(&lower).is_some() {
        return Some(format!("commands are in lower case: {lower}"));
    }
    let path = Path::new(word);
    if path.extension().is_some() || path.is_file() {
        return Some(format!(
            "to run functions of your own: lambda-invoke serve {word}"
        ));
    }
    let is_function = BUILT_IN.contains(&word) || !is_misspelled;
    (is_function && FunctionName::try_from(word).is_ok())
        .then(|| format!("to call a function of this name: lambda-invoke invoke {word}"))
}

fn argument_hint(argument: &str, words: &[OsString]) -> Option<String> {
    let option = argument.split('=').next().unwrap_or(argument);
    let command = crate::Arguments::command();
    let word = words
        .first()
        .and_then(|word| word.to_str())
        .unwrap_or_default();
    let Some(command) = command.find_subcommand(word) else {
        // Options in front of the command.
        let invoke = command.find_subcommand("invoke")?;
        return has_option(invoke, option)
            .then(|| format!("options follow the command: lambda-invoke invoke NAME {option}"));
    };
    let name = command.get_name();
    let of_command = foreign::OF_COMMAND
        .iter()
        .find(|(of, names, _)| *of == name && names.contains(&option))
        .map(|(_, _, hint)| *hint);
    let known = foreign::OPTIONS
        .iter()
        .find(|(names, _)| names.contains(&option))
        .map(|(_, hint)| *hint)
        .filter(|hint| is_possible(command, hint));
    if let Some(hint) = of_command.or(known) {
        return Some(hint.to_owned());
    }
    if let Some(rest) = argument.strip_prefix('-') {
        let is_number = rest.starts_with(|c: char| c.is_ascii_digit());
        return is_number.then(|| "a number or time cannot be negative".to_owned());
    }
    let has_payload = has_option(command, "--payload");
    if has_payload && argument.trim_start().starts_with(['{', '[', '"', '\'']) {
        let quoted = crate::call::payload::quoted(argument);
        return Some(format!("pass the payload with -p: -p {quoted}"));
    }
    let path = Path::new(argument);
    // A sentence or a number can have a point as well.
    let has_extension = path.extension().is_some_and(|extension| {
        let first = extension.as_encoded_bytes().first();
        first.is_some_and(u8::is_ascii_alphabetic) && !argument.contains(' ')
    });
    let is_file = has_extension || path.is_file();
    if is_file && name == "map" {
        return Some(
            "use --input FILE for the payloads; --format folder takes a folder".to_owned(),
        );
    }
    if is_file && has_option(command, "--output-file") && has_payload {
        return Some(format!(
            "use -p @{argument} to send this file, or -o {argument} to write the response to it"
        ));
    }
    if is_file && has_payload {
        return Some(format!("use -p @{argument} to send this file"));
    }
    let has_payload = words.iter().any(|word| word == "-p" || word == "--payload");
    has_payload.then(|| {
        "a payload with spaces needs quotes around all of it, such as -p '{\"a\": 1}'".to_owned()
    })
}

/// Whether the command has the option that a hint begins with, if it begins with one.
fn is_possible(command: &Command, hint: &str) -> bool {
    let option = hint
        .strip_prefix("use ")
        .and_then(|rest| rest.split([' ', ',']).next());
    option.is_none_or(|option| !option.starts_with('-') || has_option(command, option))
}

/// Whether the command has the option, rather than only rejecting it with its own message.
fn has_option(command: &Command, option: &str) -> bool {
    let mut shown = command
        .get_arguments()
        .filter(|argument| !argument.is_hide_set());
    shown.any(|argument| {
        let long = argument.get_long().map(|long| format!("--{long}"));
        let short = argument.get_short().map(|short| format!("-{short}"));
        long.as_deref() == Some(option) || short.as_deref() == Some(option)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_foreign_option_is_one_of_ours_where_it_is_explained() {
        let command = crate::Arguments::command();
        let mut seen = BTreeSet::new();
        for name in foreign::OPTIONS.iter().flat_map(|(names, _)| *names) {
            for ours in ["invoke", "stream"] {
                let ours = command.find_subcommand(ours).unwrap();
                assert!(!has_option(ours, name), "{name} exists");
            }
            assert!(seen.insert(name), "{name} is listed twice");
        }
        for (of, names, _) in foreign::OF_COMMAND {
            let ours = command.find_subcommand(of).unwrap();
            for name in *names {
                assert!(!has_option(ours, name), "{of} {name} exists");
            }
        }
        for name in foreign::COMMANDS.iter().flat_map(|(names, _)| *names) {
            assert!(command.find_subcommand(name).is_none(), "{name} exists");
        }
    }

    #[test]
    fn help_fits_into_a_terminal_of_80_columns() {
        let command = crate::Arguments::command();
        for command in command.get_subcommands().chain([&command]) {
            let name = command.get_name();
            let help = command.get_after_help().map(ToString::to_string);
            let help = help.unwrap_or_default();
            for line in help.lines() {
                let is_list = line.starts_with(' ');
                assert!(!is_list || line.len() <= 80, "{name}: too long: {line}");
            }
            // A paragraph is one line, which the terminal's width splits.
            for (line, next) in help.lines().zip(help.lines().skip(1)) {
                let is_split = |line: &str| !line.is_empty() && !line.starts_with(' ');
                assert!(!is_split(line) || !is_split(next), "{name}: split: {line}");
            }
        }
    }

    #[test]
    fn a_hint_names_only_options_of_the_command() {
        let command = crate::Arguments::command();
        let of = |name| command.find_subcommand(name).unwrap();
        assert!(is_possible(of("invoke"), "use -p @FILE"));
        assert!(!is_possible(of("serve"), "use -p @FILE"));
        assert!(is_possible(
            of("serve"),
            "use the command stream instead of invoke"
        ));
    }
}
