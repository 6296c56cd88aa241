//! How the program ends, and what it says when something went wrong.

use std::fmt::Display;
use std::process::ExitCode;

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
    /// The stream ended before the service said that it was whole.
    Cut = 5,
    /// Ctrl-C: 128 and the signal's number, as shells report it.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do what it was asked to: for a person on stderr, and as an exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Display) -> Self {
        Self { exit, message: message.to_string() }
    }

    /// Bad input, usage or configuration.
    pub(crate) fn usage(message: impl Display) -> Self {
        Self::new(Exit::Usage, message)
    }
}
