//! `credential_process`: a program that prints credentials.

use std::time::Duration;

use serde_json::Value;

use super::obtained::{self, Obtained};
use crate::shared_files::shell_words;
use crate::system::CommandLine;
use crate::{Error, ErrorKind, System, time};

/// How long the program may run: long enough for the user to enter a code.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Runs the program of a profile.
///
/// # Errors
///
/// If it cannot be run, fails, takes too long, or prints something else. The error does not show
/// the output.
pub(crate) async fn provide(
    system: &System,
    profile: &str,
    command: &str,
) -> Result<Obtained, Error> {
    let setting = format!("credential_process of profile '{profile}'");
    let text = command;
    let command = split(text, cfg!(windows)).ok_or_else(|| {
        Error::configuration(format!(
            "{setting} is not a command: it is empty, or a quote is not closed"
        ))
    })?;
    let program = shown(text, &command);
    let failed = |what: String| {
        Error::new(
            ErrorKind::Unavailable,
            format!("{setting} ({program}) {what}"),
        )
    };
    let run = tokio::time::timeout(TIMEOUT, system.processes().run(command)).await;
    let output = run
        .map_err(|_| failed(format!("did not end within {TIMEOUT:?}")))?
        .map_err(|error| failed("could not be run to its end".to_owned()).with_source(error))?;
    if let Some(failure) = &output.failure {
        let message =
            format!("{setting} ({program}) failed with {failure}; its standard error says why");
        return Err(Error::new(ErrorKind::Rejected, message));
    }
    let invalid = |what: &str| {
        Error::new(
            ErrorKind::InvalidResponse,
            format!("the output of {setting} ({program}) {what}"),
        )
    };
    // The parser's error could quote a part of a secret.
    let parsed: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| invalid("is not the JSON object that AWS documents"))?;
    match parsed.get("Version") {
        Some(version) if *version == 1 => {}
        Some(_) => return Err(invalid("has a Version other than 1")),
        None => return Err(invalid("has no member Version, which must be 1")),
    }
    let expiry = match parsed.get("Expiration") {
        None | Some(Value::Null) => None,
        Some(text) => Some(
            text.as_str()
                .and_then(time::parse)
                .ok_or_else(|| invalid("has an Expiration that is not an ISO 8601 time"))?,
        ),
    };
    let whose = format!("the credentials of {setting}");
    let names = ["AccessKeyId", "SecretAccessKey", "SessionToken"];
    let kind = ErrorKind::InvalidResponse;
    Ok(Obtained {
        credentials: obtained::credentials(&parsed, names, expiry, &whose, kind)?,
        how: format!("the program {program}"),
        is_of_metadata: false,
        is_of_process: true,
    })
}

/// The program and its arguments: split into words by the rules of a shell on POSIX, and by those
/// of Windows programs on Windows, where a backslash is a part of a path.
///
/// On POSIX, a command that needs a shell, such as one with a pipe, is run by a shell, as in most
/// of AWS's SDKs.
pub(crate) fn split(command: &str, is_windows: bool) -> Option<CommandLine> {
    if is_windows {
        return with_program(windows_words(command)?);
    }
    let line = with_program(shell_words::words(command)?)?;
    Some(match is_assignment(&line.program) || needs_shell(command) {
        true => CommandLine::new("sh".to_owned(), vec!["-c".to_owned(), joined(command)]),
        false => line,
    })
}

/// A command on one line: further lines continue the value in the shared file.
fn joined(command: &str) -> String {
    command.replace('\n', " ")
}

/// The program of a command, for messages, even if a shell runs it: arguments and variables may be
/// secrets. If the first words are more to a shell than words, none of them is shown.
fn shown(text: &str, command: &CommandLine) -> String {
    const OPERATORS: [char; 10] = ['|', '&', ';', '<', '>', '(', ')', '{', '`', '\n'];
    if command.arguments != ["-c", &joined(text)] {
        return command.program.clone();
    }
    let words = shell_words::words(text).unwrap_or_default();
    let program = words
        .into_iter()
        .find(|word| word.contains(OPERATORS) || !is_assignment(word))
        .filter(|word| !word.contains(OPERATORS));
    program.unwrap_or_else(|| "a shell command".to_owned())
}

fn with_program(words: Vec<String>) -> Option<CommandLine> {
    let mut words = words.into_iter();
    let program = words.next().filter(|program| !program.is_empty())?;
    Some(CommandLine::new(program, words.collect()))
}

/// Whether the first word of a command is a variable assignment to a shell, as in `NAME=value prog`.
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// Whether the command has a character with a meaning that only a shell implements.
fn needs_shell(command: &str) -> bool {
    let mut quote = None;
    let mut characters = command.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (None | Some('"'), '\\') => {
                characters.next();
            }
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            (None | Some('"'), '$' | '`') => return true,
            // A line end continues the value in the shared file, and does not end the command.
            (None, special) if "|&;<>()~*?[#".contains(special) => return true,
            _ => {}
        }
    }
    false
}

/// Splits by the rules of Microsoft's C runtime: `"` quotes, and backslashes escape only before a
/// `"`.
fn windows_words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut is_quoted = false;
    let mut backslashes = 0;
    for character in text.chars() {
        if character == '\\' {
            backslashes += 1;
            continue;
        }
        let kept = match character {
            '"' => backslashes / 2,
            _ => backslashes,
        };
        if kept > 0 {
            let word = word.get_or_insert_default();
            word.extend(std::iter::repeat_n('\\', kept));
        }
        match character {
            '"' if backslashes % 2 == 1 => word.get_or_insert_default().push('"'),
            '"' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            ' ' | '\t' | '\n' | '\r' if !is_quoted => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
        backslashes = 0;
    }
    if backslashes > 0 {
        let word = word.get_or_insert_default();
        word.extend(std::iter::repeat_n('\\', backslashes));
    }
    words.extend(word);
    (!is_quoted).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_program_of_a_command_is_shown() {
        let shell = "a shell command";
        for (text, expected) in [
            ("prog --pin hunter2", "prog"),
            ("'/opt/a (b)/prog' hunter2", "/opt/a (b)/prog"),
            ("PIN=hunter2 prog", "prog"),
            ("PIN='hunter2 ' A=$B ~/prog hunter2 | head", "~/prog"),
            ("PIN=$(echo hunter2) prog", shell),
            ("PIN=`echo hunter2` prog", shell),
            ("PIN=${B:-x hunter2} prog", shell),
            ("(PIN=hunter2 prog)", shell),
            ("{ PIN=hunter2 prog; }", shell),
            ("PIN=1;prog hunter2", shell),
            ("echo|prog hunter2", shell),
            ("PIN=hunter2", shell),
        ] {
            let command = split(text, false).unwrap();
            assert_eq!(shown(text, &command), expected, "{text}");
        }
        let windows = split("prog hunter2", true).unwrap();
        assert_eq!(shown("prog hunter2", &windows), "prog");
    }

    #[test]
    fn splits_commands_as_the_platform_does() {
        for (text, is_windows, words) in [
            ("prog a  b", false, &["prog", "a", "b"][..]),
            (
                "\"/opt/my tools/prog\" --x 'a b'",
                false,
                &["/opt/my tools/prog", "--x", "a b"],
            ),
            (r"/bin/a\ b c", false, &["/bin/a b", "c"]),
            ("prog a\n--b c", false, &["prog", "a", "--b", "c"]),
            ("prog a\n--b $C", false, &["sh", "-c", "prog a --b $C"]),
            ("prog '$x|' \"a|b\"", false, &["prog", "$x|", "a|b"]),
            ("prog a | b", false, &["sh", "-c", "prog a | b"]),
            ("A_1=x prog", false, &["sh", "-c", "A_1=x prog"]),
            ("./a=b c", false, &["./a=b", "c"]),
            ("~/prog", false, &["sh", "-c", "~/prog"]),
            ("prog \"$HOME\"", false, &["sh", "-c", "prog \"$HOME\""]),
            (
                r#""C:\Program Files\My Tool\creds.exe" --name "a b" C:\x\"#,
                true,
                &[
                    r"C:\Program Files\My Tool\creds.exe",
                    "--name",
                    "a b",
                    r"C:\x\",
                ],
            ),
            (
                r"C:\tools\creds.exe a\b",
                true,
                &[r"C:\tools\creds.exe", r"a\b"],
            ),
            (
                r#"prog "say \"hi\"" "end\\""#,
                true,
                &["prog", "say \"hi\"", r"end\"],
            ),
            ("prog 'a b'", true, &["prog", "'a", "b'"]),
        ] {
            let command = split(text, is_windows).unwrap();
            let mut found = vec![command.program.as_str()];
            found.extend(command.arguments.iter().map(String::as_str));
            assert_eq!(found, words, "{text}");
        }
        for (text, is_windows) in [
            ("", false),
            (" ", true),
            ("\"a", true),
            ("'a", false),
            ("\"\" x", false),
        ] {
            assert_eq!(split(text, is_windows), None, "{text}");
        }
    }
}
