//! How the program ends, and what it says when something went wrong.

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use serde_json::{Map, Value, json};

/// The program's exit codes; `lambda-invoke --help` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The function failed.
    Function = 1,
    /// Bad input, usage or configuration: nothing was sent.
    Usage = 2,
    /// The service refused.
    Refused = 3,
    /// The transport failed, or a time limit was reached.
    Transport = 4,
    /// The answer ended before the service said that it was whole, or was damaged.
    Cut = 5,
    /// Ctrl-C: 128 and the signal's number, as shells report it.
    Interrupted = 130,
    /// Nobody reads stdout any more: 128 and the number of SIGPIPE, as shells report the tools that
    /// it ends.
    ClosedPipe = 141,
}

/// The exit codes, for people: part of `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0    done
  1    the function failed
  2    bad input, usage or configuration; nothing was sent
  3    the service refused
  4    the transport failed, or a time limit was reached
  5    the answer was cut off or damaged
  130  Ctrl-C
  141  nobody reads stdout any more (a closed pipe)";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do what it was asked to: for a person on stderr, and as an exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// Lines for a person; empty if there is nothing to say.
    pub(crate) message: String,
    /// What a machine is told besides message and exit code.
    members: Map<String, Value>,
    as_json: bool,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Display) -> Self {
        Self {
            exit,
            message: message.to_string(),
            members: Map::new(),
            as_json: false,
        }
    }

    /// Bad input, usage or configuration.
    pub(crate) fn usage(message: impl Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// An end that needs no words.
    pub(crate) fn silent(exit: Exit) -> Self {
        Self::new(exit, "")
    }

    /// A member of the JSON object that `--json` gives on stderr.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// As [`with`](Self::with), if there is a value.
    pub(crate) fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Whether it is told as JSON.
    pub(crate) fn in_json(mut self, yes: bool) -> Self {
        self.as_json = yes;
        self
    }

    /// Tells it on stderr.
    pub(crate) fn report(mut self) -> ExitCode {
        if !self.message.is_empty() {
            let text = if self.as_json {
                if self.exit == Exit::Usage {
                    // What is found before anything is sent.
                    self.members.entry("kind").or_insert_with(|| "usage".into());
                    self.members
                        .entry("execution")
                        .or_insert_with(|| "not_started".into());
                }
                self.members
                    .insert("message".to_owned(), self.message.into());
                self.members
                    .insert("exit_code".to_owned(), (self.exit as u8).into());
                json!({ "error": self.members }).to_string()
            } else {
                format!("lambda-invoke: {}", printable(&self.message))
            };
            say(text);
        }
        self.exit.into()
    }
}

/// A line on stderr. Where nobody reads that, there is nobody to tell.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Text that may hold somebody else's words, without what a terminal would obey.
pub(crate) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => printable.push('\n'),
            control if control.is_control() => printable.extend(control.escape_default()),
            other => printable.push(other),
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_and_not_sent() {
        assert_eq!(printable("a\u{1b}[2Jb\nc\u{9b}"), "a\\u{1b}[2Jb\nc\\u{9b}");
    }
}
