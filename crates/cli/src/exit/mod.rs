//! Exit codes, and the report of a failure on stderr.

pub(crate) mod call_state;

use std::error::Error;
use std::fmt::Display;
use std::iter;
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use crate::exit::call_state::{call_state, claim_report, execution_name};
use crate::terminal::{Style, say_json, say_labeled};

/// The program's exit codes; `lambda-invoke --help` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The function failed.
    FunctionFailed = 1,
    /// Invalid input, usage or configuration: nothing was sent. `map`, which reads its input
    /// while it sends, sends nothing more.
    Usage = 2,
    /// The service rejected the request.
    Rejected = 3,
    /// The transport failed, or a timeout expired.
    Transport = 4,
    /// The response ended before it was complete, or was corrupt.
    Incomplete = 5,
    /// Ctrl-C: 128 plus the signal's number, as shells report it.
    Interrupted = 130,
    /// The reader of stdout closed it: 128 plus the number of SIGPIPE, as shells report the tools
    /// that it ends.
    ClosedPipe = 141,
}

/// The exit codes as part of `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0    success
  1    the function failed
  2    invalid input, usage or configuration; only map may have sent anything
  3    the service rejected the request
  4    the transport failed, or a timeout expired
  5    the response was incomplete or corrupt
  130  interrupted by Ctrl-C or SIGTERM
  141  the reader of stdout closed it (broken pipe)";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command failed: a message on stderr and an exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// Empty if there is nothing to report.
    pub(crate) message: String,
    /// Members of the JSON report other than the message and the exit code.
    members: Map<String, Value>,
    as_json: bool,
    /// Whether to report only as JSON.
    is_json_only: bool,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Display) -> Self {
        Self {
            exit,
            message: message.to_string(),
            members: Map::new(),
            as_json: false,
            is_json_only: false,
        }
    }

    /// Invalid input, usage or configuration.
    pub(crate) fn usage(message: impl Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// A failure without a message, because stdout already says everything.
    pub(crate) fn silent(exit: Exit) -> Self {
        Self::new(exit, "")
    }

    /// A failure that the user caused on purpose, so that only `--json` reports it.
    pub(crate) fn json_only(exit: Exit, message: impl Display) -> Self {
        let mut failure = Self::new(exit, message);
        failure.is_json_only = true;
        failure
    }

    /// Adds a member to the JSON object that `--json` writes to stderr.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a member if there is a value, as [`with`](Self::with) does.
    pub(crate) fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Sets whether to report as JSON.
    pub(crate) fn in_json(mut self, yes: bool) -> Self {
        self.as_json = yes;
        self
    }

    /// Writes the report to stderr, unless the program's end has already been reported.
    pub(crate) fn report(mut self) -> ExitCode {
        let exit = self.exit;
        let is_reported = self.as_json || !self.is_json_only;
        if self.message.is_empty() || !is_reported || !claim_report() {
            return exit.into();
        }
        if !self.as_json {
            say_labeled(Style::Error, &self.message);
            return exit.into();
        }
        let state = call_state();
        let mut default = |name: &str, value: Option<Value>| {
            if let (false, Some(value)) = (self.members.contains_key(name), value) {
                self.members.insert(name.to_owned(), value);
            }
        };
        default("kind", (exit == Exit::Usage).then(|| "usage".into()));
        default("execution", Some(execution_name(state.execution).into()));
        default("request_id", state.request_id.as_deref().map(Into::into));
        default("message", Some(self.message.into()));
        default("exit_code", Some((exit as u8).into()));
        drop(state);
        say_json(json!({ "error": self.members }));
        exit.into()
    }
}

/// The errors that caused this one, from the nearest to the root.
pub(crate) fn causes<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    iter::successors(error.source(), |&cause| cause.source())
}
