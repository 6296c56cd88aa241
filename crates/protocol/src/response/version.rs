//! The function version that a response reports.

use std::borrow::Cow;
use std::fmt;

use http::HeaderValue;
use lambda_invoke_input::ExecutedVersion;

use crate::header;

/// The version that ran, as a response reports it.
///
/// The service's pattern is `$LATEST` or digits. A value that matches neither is kept as
/// [`Unrecognized`](Self::Unrecognized).
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a version is valid or it is not")]
pub enum ReportedVersion {
    /// `$LATEST` or a number.
    Valid(ExecutedVersion<'static>),
    /// Any other text.
    Unrecognized(String),
}

impl ReportedVersion {
    /// Returns the value as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Valid(version) => version.as_str(),
            Self::Unrecognized(text) => text,
        }
    }

    /// Returns whether the value is neither `$LATEST` nor a number.
    #[must_use]
    pub const fn is_unrecognized(&self) -> bool {
        matches!(self, Self::Unrecognized(_))
    }

    pub(super) fn from_header(value: &HeaderValue) -> Self {
        Self::read(header::text(value))
    }

    fn read(text: Cow<'_, str>) -> Self {
        match ExecutedVersion::try_from(&*text) {
            Ok(version) if version.is_latest() => Self::Valid(ExecutedVersion::LATEST),
            Ok(version) => Self::Valid(version.into_owned()),
            Err(_) => Self::Unrecognized(text.into_owned()),
        }
    }
}

impl From<String> for ReportedVersion {
    fn from(text: String) -> Self {
        Self::read(text.into())
    }
}

impl From<ExecutedVersion<'static>> for ReportedVersion {
    fn from(version: ExecutedVersion<'static>) -> Self {
        Self::Valid(version)
    }
}

impl fmt::Display for ReportedVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_latest_or_a_number_and_any_other_text_is_kept() {
        for (text, is_valid) in [
            ("$LATEST", true),
            ("7", true),
            ("", false),
            ("live", false),
            ("$LATEST.PUBLISHED", false),
        ] {
            let version = ReportedVersion::from(text.to_owned());
            assert_eq!(version.is_unrecognized(), !is_valid, "{text:?}");
            assert_eq!(version.as_str(), text);
            assert_eq!(version.to_string(), text);
            assert_eq!(format!("{version:>20}"), format!("{text:>20}"));
        }
    }
}
