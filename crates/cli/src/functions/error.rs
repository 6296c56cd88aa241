//! Errors in a configuration: which file, which line, and what would be right.

use std::fmt;
use std::io;

/// The error of a source of functions: a file, or an option on the command line.
#[derive(Debug)]
pub(crate) struct ConfigError {
    /// A path, or the option with its value.
    place: String,
    /// Counted from 1; `None` for the whole place.
    line: Option<usize>,
    problem: Problem,
}

/// What is wrong.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The file cannot be read.
    Unreadable(io::Error),
    /// The file is longer than a configuration can reasonably be.
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The text is malformed.
    Syntax(String),
    /// A required setting does not exist.
    Missing {
        setting: String,
        expected: &'static str,
    },
    /// A setting has a value that it cannot have.
    Invalid {
        setting: String,
        value: String,
        expected: String,
    },
    /// A file or folder that is named does not exist.
    NotFound { path: String, advice: String },
    /// Something exists, but this program cannot run it.
    Unsupported { what: String, instead: String },
    /// The source defines no function with a usual name for handlers.
    NoHandler {
        /// The names that were looked for.
        looked_for: &'static [&'static str],
        /// The names that are defined.
        defined: Vec<String>,
    },
    /// Two functions have the same name.
    Twice { name: String },
}

impl ConfigError {
    pub(crate) fn new(place: impl fmt::Display, problem: Problem) -> Self {
        Self {
            place: place.to_string(),
            line: None,
            problem,
        }
    }

    /// Adds the line, counted from 1.
    pub(crate) fn at(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }

    #[cfg(test)]
    pub(crate) fn line(&self) -> Option<usize> {
        self.line
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // If the path is the place itself, it is not repeated.
        if matches!(&self.problem, Problem::NotFound { path, .. } if self.place == format!("'{path}'"))
        {
            return self.problem.fmt(f);
        }
        f.write_str(&self.place)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            Problem::Unreadable(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "cannot be read: {error}"),
            Self::TooLarge { limit } => write!(f, "is larger than {limit} bytes"),
            Self::Syntax(message) => f.write_str(message),
            Self::Missing { setting, expected } => {
                write!(f, "{setting} is missing; expected {expected}")
            }
            Self::Invalid {
                setting,
                value,
                expected,
            } => write!(f, "{setting} is '{value}'; expected {expected}"),
            Self::NotFound { path, advice } => write!(f, "'{path}' does not exist; {advice}"),
            Self::Unsupported { what, instead } => write!(f, "{what}; {instead}"),
            Self::NoHandler {
                looked_for,
                defined,
            } => {
                let looked_for = looked_for.join(" or ");
                write!(f, "defines no function {looked_for}; ")?;
                match defined.as_slice() {
                    [] => f.write_str("name the handler after a colon, as in FILE:NAME"),
                    [only] => write!(f, "to serve the function {only}, write FILE:{only}"),
                    several => write!(
                        f,
                        "name one after a colon, as in FILE:NAME; it defines {}",
                        several.join(", ")
                    ),
                }
            }
            Self::Twice { name } => write!(
                f,
                "there is already a function '{name}'; give one of them another name with \
                 --function NAME=..."
            ),
        }
    }
}
