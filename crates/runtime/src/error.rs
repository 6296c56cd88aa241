//! Errors of programs and pools.

use std::fmt;
use std::path::PathBuf;

use crate::outcome::Failure;

/// A program that cannot be made from what was given.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProgramError {
    /// The file is missing or cannot be read.
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file's kind is unknown.
    Kind {
        /// The file.
        path: PathBuf,
    },
    /// No handler was found in the file.
    NoHandler {
        /// The file.
        path: PathBuf,
        /// The names that were looked for.
        looked_for: &'static str,
    },
    /// The command is empty.
    NoCommand,
}

impl fmt::Display for ProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, source } => write!(f, "cannot read {}: {source}", path.display()),
            Self::Kind { path } => write!(
                f,
                "{} is neither a .py, .js, .mjs or .cjs file nor an executable program",
                path.display()
            ),
            Self::NoHandler { path, looked_for } => write!(
                f,
                "no handler found in {}: it defines none of {looked_for}; name yours as {}:NAME",
                path.display(),
                path.display()
            ),
            Self::NoCommand => f.write_str("the command is empty"),
        }
    }
}

impl std::error::Error for ProgramError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Why an event has no response.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum InvokeError {
    /// All instances are busy, and no more may be started. The event was not given to any.
    TooManyRequests {
        /// The most events that may run at once.
        limit: usize,
    },
    /// The pool was shut down. The event was not given to an instance.
    ShutDown,
    /// The invocation failed before a response started. The function may have run.
    Failed(Box<crate::Report>),
}

impl fmt::Display for InvokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyRequests { limit } => {
                write!(
                    f,
                    "all instances are busy: at most {limit} events may run at once"
                )
            }
            Self::ShutDown => f.write_str("the pool was shut down"),
            Self::Failed(report) => match &report.outcome {
                crate::Outcome::Failed(failure) => fmt::Display::fmt(failure, f),
                crate::Outcome::Succeeded => f.write_str("no response"),
            },
        }
    }
}

impl std::error::Error for InvokeError {}

impl InvokeError {
    /// Returns the failure of an invocation that reached, or should have reached, the function.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(report) => match &report.outcome {
                crate::Outcome::Failed(failure) => Some(failure),
                crate::Outcome::Succeeded => None,
            },
            _ => None,
        }
    }
}
