//! Items from files: lines, texts that end with NUL, rows of CSV, the files of a folder.
//!
//! All of these are iterators that read, and block, as they go, so a program should run them on a
//! separate thread.

mod csv;
mod fields;
mod folder;
mod lines;

use std::fmt;
use std::io;

pub use self::csv::{Csv, Template, TemplateError};
pub use self::fields::{Fields, Selector};
pub use self::folder::Folder;
pub use self::lines::{Separator, Texts};
use crate::item::Item;
use crate::journal::{SourceId, check_of};

/// The maximum length of one item in bytes: more than twice the largest payload of the service (6
/// MiB).
pub const MAX_ITEM: usize = 16 << 20;

/// Why a source has no further item.
#[derive(Debug)]
#[non_exhaustive]
pub struct SourceError {
    /// The place: a line, a row, a file; empty for the whole input.
    pub place: String,
    /// What is wrong there.
    pub kind: SourceErrorKind,
}

/// What is wrong with an item.
#[derive(Debug)]
#[non_exhaustive]
pub enum SourceErrorKind {
    /// It cannot be read.
    Io(io::Error),
    /// It is not JSON.
    Json(lambda_invoke::protocol::json::JsonError),
    /// It is larger than [`MAX_ITEM`].
    TooLarge,
    /// It is not a row of the table.
    Csv(String),
    /// A field that names the item is missing, or neither a text nor a number.
    Field {
        /// The field.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        match &self.kind {
            SourceErrorKind::Io(error) => error.fmt(f),
            SourceErrorKind::Json(error) => error.fmt(f),
            SourceErrorKind::TooLarge => {
                write!(f, "an item has more than {} MiB", MAX_ITEM >> 20)
            }
            SourceErrorKind::Csv(problem) => f.write_str(problem),
            SourceErrorKind::Field { name, problem } => {
                write!(f, "the field {name} {problem}")
            }
        }
    }
}

impl std::error::Error for SourceError {}

impl SourceError {
    /// Creates the error for an input that cannot be read at all.
    #[must_use]
    pub fn io(error: io::Error) -> Self {
        Self::new("", SourceErrorKind::Io(error))
    }

    fn new(place: impl Into<String>, kind: SourceErrorKind) -> Self {
        Self {
            place: place.into(),
            kind,
        }
    }
}

/// Reads a source to its end, and identifies it.
///
/// # Errors
///
/// The first error of the source.
pub fn identify<E>(items: impl Iterator<Item = Result<Item, E>>) -> Result<SourceId, E> {
    let mut hasher = crc32fast::Hasher::new();
    let mut source = SourceId {
        items: 0,
        bytes: 0,
        check: 0,
    };
    for item in items {
        let payload = item?.payload;
        source.items += 1;
        source.bytes += payload.len() as u64;
        hasher.update(&check_of(&payload).to_le_bytes());
    }
    source.check = hasher.finalize();
    Ok(source)
}

/// A byte order mark, which some editors put at the start of a file. It is not a part of the text.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// Checks that a payload is JSON.
fn check(payload: &[u8], place: impl Fn() -> String) -> Result<(), SourceError> {
    let checked = lambda_invoke::protocol::json::check(payload);
    checked.map_err(|error| SourceError::new(place(), SourceErrorKind::Json(error)))
}
