//! Why a program cannot be described, and why a call was not started.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;

/// Why a file is not a program that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProgramError {
    /// There is no such file.
    NotFound(PathBuf),
    /// The file is neither a source file (`.py`, `.js`, `.mjs`, `.cjs`) nor executable.
    NotExecutable(PathBuf),
    /// The command is empty.
    EmptyCommand,
    /// The handler is not of the form `module.function`.
    Handler(String),
}

impl fmt::Display for ProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(path) => write!(f, "there is no file {}", path.display()),
            Self::NotExecutable(path) => write!(
                f,
                "{} is neither a .py, .js, .mjs or .cjs file nor executable",
                path.display()
            ),
            Self::EmptyCommand => f.write_str("the command is empty"),
            Self::Handler(handler) => {
                write!(
                    f,
                    "the handler {handler:?} is not of the form module.function"
                )
            }
        }
    }
}

impl Error for ProgramError {}

/// Why a call was not started. The function has not seen the event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvokeError {
    /// As many calls are running and waiting as the program's settings allow.
    TooManyRequests {
        /// The service's name for the reason, such as
        /// `ReservedFunctionConcurrentInvocationLimitExceeded`.
        reason: &'static str,
        /// The number of calls that may be in progress.
        limit: usize,
    },
    /// A member of the event cannot be sent to a runtime.
    InvalidEvent {
        /// The member of [`Event`](crate::Event).
        member: &'static str,
    },
    /// The pool has been shut down.
    Closed,
}

impl fmt::Display for InvokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyRequests { limit: 1, .. } => {
                f.write_str("the only call that may be in progress is taken")
            }
            Self::TooManyRequests { limit, .. } => {
                write!(f, "the limit of {limit} calls in progress is reached")
            }
            Self::InvalidEvent { member } => {
                write!(f, "the event's {member} cannot be sent as a header")
            }
            Self::Closed => f.write_str("the pool has been shut down"),
        }
    }
}

impl Error for InvokeError {}
