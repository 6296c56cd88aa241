//! How the program ends, and what it says when something went wrong.

use std::fmt::Display;
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use crate::known::{claim_report, known};
use crate::outcome::execution;
use crate::terminal::{say, say_json};

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
    /// Whether only a machine is told.
    is_quiet: bool,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Display) -> Self {
        Self {
            exit,
            message: message.to_string(),
            members: Map::new(),
            as_json: false,
            is_quiet: false,
        }
    }

    /// Bad input, usage or configuration.
    pub(crate) fn usage(message: impl Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// An end that needs no words: what there is to say is on stdout.
    pub(crate) fn silent(exit: Exit) -> Self {
        Self::new(exit, "")
    }

    /// An end that a person has brought about, and a machine is told of.
    pub(crate) fn quiet(exit: Exit, message: impl Display) -> Self {
        let mut failure = Self::new(exit, message);
        failure.is_quiet = true;
        failure
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

    /// Tells it on stderr, unless the program's end was told before.
    pub(crate) fn report(mut self) -> ExitCode {
        let exit = self.exit;
        let is_told = self.as_json || !self.is_quiet;
        if self.message.is_empty() || !is_told || !claim_report() {
            return exit.into();
        }
        if !self.as_json {
            say(format_args!("lambda-invoke: {}", self.message));
            return exit.into();
        }
        let known = known();
        let mut default = |name: &str, value: Option<Value>| {
            if let (false, Some(value)) = (self.members.contains_key(name), value) {
                self.members.insert(name.to_owned(), value);
            }
        };
        // What is found before anything is sent.
        default("kind", (exit == Exit::Usage).then(|| "usage".into()));
        default("execution", Some(execution(known.execution).into()));
        default("request_id", known.request_id.as_deref().map(Into::into));
        default("message", Some(self.message.into()));
        default("exit_code", Some((exit as u8).into()));
        drop(known);
        say_json(json!({ "error": self.members }));
        exit.into()
    }
}
