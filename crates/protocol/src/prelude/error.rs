//! What is wrong with a prelude.

use std::fmt;

/// Why a stream does not begin with a prelude.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PreludeError {
    /// The first byte does not open an object.
    NoObject,
    /// There was no separator within the limit.
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// A NUL came that is not the beginning of eight.
    Separator {
        /// Where the first NUL is, in bytes.
        offset: usize,
        /// How many there are.
        found: usize,
    },
    /// The stream ended before the separator.
    Cut {
        /// How many bytes came.
        length: usize,
    },
    /// What is before the separator is no JSON object.
    JsonError {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// `statusCode` is no number from 100 to 999.
    StatusCode,
    /// `headers` is no object.
    Headers,
    /// `multiValueHeaders` is no object of arrays.
    MultiValueHeaders,
    /// A header's name or value is not allowed in HTTP.
    Header {
        /// The name.
        name: String,
    },
    /// `cookies` is no array of strings.
    Cookies,
}

impl fmt::Display for PreludeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the function's HTTP prelude ")?;
        match self {
            Self::NoObject => {
                f.write_str("is missing: the stream does not begin with a JSON object")
            }
            Self::TooLong { limit } => write!(f, "does not end within {limit} bytes"),
            Self::Separator { offset, found } => {
                write!(
                    f,
                    "ends at byte {offset} in {found} NUL bytes and not in eight"
                )
            }
            Self::Cut { length } => write!(f, "is cut: the stream ended after {length} bytes"),
            Self::JsonError { line, column } => {
                write!(f, "is no JSON object: line {line}, column {column}")
            }
            Self::StatusCode => f.write_str("has a statusCode that is no number from 100 to 999"),
            Self::Headers => f.write_str("has headers that are no JSON object"),
            Self::MultiValueHeaders => {
                f.write_str("has multiValueHeaders that are no JSON object of arrays")
            }
            Self::Header { name } => {
                write!(f, "has a header that HTTP does not allow: {name:?}")
            }
            Self::Cookies => f.write_str("has cookies that are no JSON array of strings"),
        }
    }
}

impl std::error::Error for PreludeError {}
