//! The error of writing a response.

use std::fmt;

/// The reason why a chunk was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// The caller has disconnected.
    CallerGone,
    /// The response would exceed the endpoint's limit.
    TooLarge {
        /// The maximum size of a response, in bytes.
        limit: u64,
    },
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CallerGone => f.write_str("the caller has disconnected"),
            Self::TooLarge { limit } => {
                let ending = if *limit == 1 { "" } else { "s" };
                write!(
                    f,
                    "the response is larger than the endpoint's limit of {limit} byte{ending}"
                )
            }
        }
    }
}

impl std::error::Error for WriteError {}
