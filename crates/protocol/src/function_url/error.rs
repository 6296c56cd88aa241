//! Why a function's result is not an HTTP response.

use std::fmt;

use crate::json::JsonError;
use crate::prelude::PreludeError;

/// Why a function's result cannot be converted to an HTTP response. The client receives
/// [`failure`](super::failure); this error is for the function's author.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlResponseError {
    /// The result is not JSON.
    NotJson(JsonError),
    /// `statusCode`, `headers` or `cookies` is invalid.
    Member(PreludeError),
    /// The status is informational, or not an HTTP status.
    Status {
        /// The value of `statusCode`.
        status: u16,
    },
    /// A cookie has a character that is not valid in a header.
    Cookie {
        /// Its position in `cookies`, from 0.
        index: usize,
    },
    /// `isBase64Encoded` is true, but `body` is not base64.
    Base64 {
        /// The offset in `body` of the first invalid character, or its length if it is truncated.
        offset: usize,
    },
}

impl fmt::Display for UrlResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the function's HTTP response ")?;
        match self {
            Self::NotJson(_) => f.write_str("is not JSON"),
            Self::Member(_) => f.write_str("has an invalid member"),
            Self::Status { status } => {
                write!(f, "has the statusCode {status}, expected 200 to 599")
            }
            Self::Cookie { index } => {
                write!(f, "has a cookie (number {index}) that is not valid in HTTP")
            }
            Self::Base64 { offset } => {
                write!(
                    f,
                    "has a body that is not base64 at byte {offset}, but isBase64Encoded"
                )
            }
        }
    }
}

impl std::error::Error for UrlResponseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotJson(error) => Some(error),
            Self::Member(error) => Some(error),
            Self::Status { .. } | Self::Cookie { .. } | Self::Base64 { .. } => None,
        }
    }
}

impl From<PreludeError> for UrlResponseError {
    fn from(error: PreludeError) -> Self {
        Self::Member(error)
    }
}
