//! Why a prelude is invalid.

use std::fmt;

use super::HttpPrelude;
use crate::text::ByteCount;

/// Why a stream does not begin with a valid prelude.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PreludeError {
    /// The stream does not begin with `{`.
    Missing,
    /// No separator was found within the limit.
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The JSON is followed by fewer than eight NUL bytes.
    Separator {
        /// The offset of the first NUL byte.
        offset: usize,
        /// The number of NUL bytes found.
        found: usize,
    },
    /// The stream ended before the separator.
    Truncated {
        /// The number of bytes received.
        length: usize,
    },
    /// The bytes before the separator are not a JSON object.
    NotObject {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// `statusCode` is not a number from 100 to 999.
    StatusCode,
    /// `headers` is not an object.
    Headers,
    /// `multiValueHeaders` is not an object of arrays.
    MultiValueHeaders,
    /// A header's name or value is not valid in HTTP.
    Header {
        /// The name.
        name: String,
    },
    /// There are more headers than [`HttpPrelude::MAX_HEADERS`].
    TooManyHeaders {
        /// The limit.
        limit: usize,
    },
    /// `cookies` is not an array of strings.
    Cookies,
}

impl PreludeError {
    pub(crate) const fn too_many_headers() -> Self {
        Self::TooManyHeaders {
            limit: HttpPrelude::MAX_HEADERS,
        }
    }
}

impl fmt::Display for PreludeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the function's HTTP prelude ")?;
        match self {
            Self::Missing => {
                f.write_str("is missing: the stream does not begin with a JSON object")
            }
            Self::TooLong { limit } => write!(f, "does not end within {limit} bytes"),
            Self::Separator { offset, found } => {
                let ending = if *found == 1 { "" } else { "s" };
                write!(
                    f,
                    "has a separator of {found} NUL byte{ending} at byte {offset}, expected eight"
                )
            }
            Self::Truncated { length } => {
                let length = ByteCount(*length as u64);
                write!(f, "is truncated: the stream ended after {length}")
            }
            Self::NotObject { line, column } => {
                write!(f, "is not a JSON object: line {line}, column {column}")
            }
            Self::StatusCode => {
                f.write_str("has a statusCode that is not a number from 100 to 999")
            }
            Self::Headers => f.write_str("has headers that are not a JSON object"),
            Self::MultiValueHeaders => {
                f.write_str("has multiValueHeaders that are not a JSON object of arrays")
            }
            Self::Header { name } => {
                write!(f, "has a header that is not valid in HTTP: {name:?}")
            }
            Self::TooManyHeaders { limit } => write!(f, "has more than {limit} headers"),
            Self::Cookies => f.write_str("has cookies that are not a JSON array of strings"),
        }
    }
}

impl std::error::Error for PreludeError {}
