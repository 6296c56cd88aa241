//! Writing a response's headers, and why that fails.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::ReportedVersion;
use crate::header;

/// Why a response cannot be encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeResponseError {
    /// A value that cannot be sent in a header.
    HeaderValue {
        /// The header.
        name: HeaderName,
    },
    /// The version is neither `$LATEST` nor a number.
    UnrecognizedVersion,
}

impl fmt::Display for EncodeResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeaderValue { name } => {
                write!(f, "the value for {name} is not a valid HTTP header value")
            }
            Self::UnrecognizedVersion => {
                f.write_str("the executed version is neither $LATEST nor a number")
            }
        }
    }
}

impl std::error::Error for EncodeResponseError {}

/// Inserts a header that may be absent.
pub(super) fn insert(
    headers: &mut HeaderMap,
    name: HeaderName,
    value: Option<&str>,
) -> Result<(), EncodeResponseError> {
    if let Some(value) = value {
        let value = HeaderValue::from_str(value)
            .map_err(|_| EncodeResponseError::HeaderValue { name: name.clone() })?;
        headers.insert(name, value);
    }
    Ok(())
}

/// Inserts the executed version; an unrecognized one is an error.
pub(super) fn insert_version(
    headers: &mut HeaderMap,
    version: Option<&ReportedVersion>,
) -> Result<(), EncodeResponseError> {
    match version {
        Some(ReportedVersion::Unrecognized(_)) => Err(EncodeResponseError::UnrecognizedVersion),
        version => insert(
            headers,
            header::X_AMZ_EXECUTED_VERSION,
            version.map(ReportedVersion::as_str),
        ),
    }
}
