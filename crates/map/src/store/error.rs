//! Why a journal cannot be used.

use std::fmt;
use std::io;

use crate::journal::{Difference, HeaderError, ScanError, TooLong};
use crate::state::StateError;

/// Why a journal cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum JournalError {
    /// The file cannot be read or written.
    Io(io::Error),
    /// It is a folder, a pipe or a device.
    NotAFile,
    /// Another process is using it.
    InUse,
    /// The file is not a journal, or its header is damaged.
    Header(HeaderError),
    /// The journal belongs to another run.
    Differs(Difference),
    /// The journal is damaged.
    Damaged(ScanError),
    /// A record, or an item, contradicts what was recorded before.
    State(StateError),
    /// A result is too long to be recorded.
    TooLong(TooLong),
    /// The thread that writes has ended.
    Closed,
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the journal: {error}"),
            Self::NotAFile => f.write_str("the journal is not a regular file"),
            Self::InUse => f.write_str("another process is using the journal"),
            Self::Header(error) => error.fmt(f),
            Self::Differs(difference) => {
                write!(f, "the journal belongs to another run: {difference}")
            }
            Self::Damaged(error) => error.fmt(f),
            Self::State(error) => error.fmt(f),
            Self::TooLong(error) => error.fmt(f),
            Self::Closed => f.write_str("the journal's thread has ended"),
        }
    }
}

impl std::error::Error for JournalError {}

impl From<io::Error> for JournalError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<ScanError> for JournalError {
    fn from(error: ScanError) -> Self {
        Self::Damaged(error)
    }
}

impl From<StateError> for JournalError {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl From<TooLong> for JournalError {
    fn from(error: TooLong) -> Self {
        Self::TooLong(error)
    }
}

impl From<HeaderError> for JournalError {
    fn from(error: HeaderError) -> Self {
        Self::Header(error)
    }
}
