//! Every error of this crate.

mod verify;

use core::fmt;

pub use verify::{Incomplete, Mismatch, VerifyError, WrongScope};

/// Why a request cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignError {
    /// The request has no `host` header, and its URI names no host.
    MissingHost,
    /// The query has a parameter that only signing may set: the request is presigned already.
    OwnedParameter(&'static str),
    /// The validity of a presigned request is not 1 to 604,800 whole seconds (seven days).
    ExpiresOutOfRange,
    /// The presigned target is longer than an [`http::Uri`] can be (65,534 bytes).
    TargetTooLong,
    /// The URI of a request to presign is only a host, such as `example.com`: a URI with a query needs a
    /// scheme.
    MissingScheme,
    /// A value that signing adds is not valid in a header.
    InvalidHeader,
    /// The request has more than 4,096 names of headers: an [`http::HeaderMap`] with more may have
    /// no space for those that signing adds.
    TooManyHeaders,
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingHost => {
                f.write_str("the request has neither a host header nor a host in its URI")
            }
            Self::OwnedParameter(name) => write!(
                f,
                "the query has the parameter {name}, which only signing may set"
            ),
            Self::ExpiresOutOfRange => {
                f.write_str("a presigned request must expire after 1 to 604800 whole seconds")
            }
            Self::TargetTooLong => f.write_str("the presigned target is too long for a URI"),
            Self::MissingScheme => f.write_str(
                "the URI of the request is only a host, expected one with a scheme, such as \
                 https://host/path",
            ),
            Self::InvalidHeader => {
                f.write_str("a value that signing adds is not valid in a header")
            }
            Self::TooManyHeaders => f.write_str("the request has more than 4096 names of headers"),
        }
    }
}

impl core::error::Error for SignError {}

/// Which part of a scope is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the parts of a scope that a caller chooses"
)]
pub enum InvalidScope {
    /// The region is empty, or has a byte other than visible ASCII without `/` and `,`.
    Region,
    /// The service is empty, or has a byte other than visible ASCII without `/` and `,`.
    Service,
}

impl fmt::Display for InvalidScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = match self {
            Self::Region => "region",
            Self::Service => "service",
        };
        write!(
            f,
            "the {part} must be visible ASCII without '/' and ',', and not empty"
        )
    }
}

impl core::error::Error for InvalidScope {}

/// Why a value is not a [`Timestamp`](crate::Timestamp) or an [`HttpDate`](crate::HttpDate).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimestampError {
    /// The text is not in the basic format of ISO 8601, or the calendar has no such date.
    Malformed,
    /// The text is not in the format of the header `Date`, or the calendar has no such date.
    NotAnHttpDate,
    /// The date is before 1970 or after 9999.
    OutOfRange,
}

impl fmt::Display for TimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the date must be written like 20150830T123600Z",
            Self::NotAnHttpDate => "the date must be written like Sun, 30 Aug 2015 12:36:00 GMT",
            Self::OutOfRange => "the date is not in the years 1970 to 9999",
        })
    }
}

impl core::error::Error for TimestampError {}

/// A text is not the hexadecimal digits of a [`Signature`](crate::Signature) or a
/// [`PayloadHash`](crate::PayloadHash).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HexError {
    pub(crate) lower_case: bool,
}

impl fmt::Display for HexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let case = if self.lower_case { "lower-case " } else { "" };
        write!(f, "not 64 {case}hexadecimal digits")
    }
}

impl core::error::Error for HexError {}

/// Why a text cannot be part of an access key. It says where, but does not show the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialsError {
    pub(crate) part: Part,
    pub(crate) problem: Problem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    AccessKeyId,
    SecretAccessKey,
    SessionToken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    Empty,
    Byte { offset: usize },
}

impl CredentialsError {
    /// Returns the offset of the first invalid byte; `None` if the text is empty.
    #[must_use]
    pub fn offset(&self) -> Option<usize> {
        match self.problem {
            Problem::Empty => None,
            Problem::Byte { offset } => Some(offset),
        }
    }
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (part, allowed) = match self.part {
            Part::AccessKeyId => ("access key id", "visible ASCII without '/', ',' and ';'"),
            Part::SecretAccessKey => ("secret access key", "no control characters"),
            Part::SessionToken => ("session token", "visible ASCII"),
        };
        match self.problem {
            Problem::Empty => write!(f, "the {part} is empty"),
            Problem::Byte { offset } => write!(
                f,
                "the {part} has an invalid byte at offset {offset}, expected {allowed}"
            ),
        }
    }
}

impl core::error::Error for CredentialsError {}

/// Why [`RawRequest::new`](crate::RawRequest::new) rejected the parts of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidRequest {
    /// The method is not a token.
    Method,
    /// The name of the header at `index` is not a token.
    HeaderName {
        /// Counted from 0.
        index: usize,
    },
    /// The value of the header at `index` has a line end or a NUL at `offset`.
    HeaderValue {
        /// Counted from 0.
        index: usize,
        /// In bytes.
        offset: usize,
    },
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method => f.write_str("the method is not a token (RFC 9110, section 5.6.2)"),
            Self::HeaderName { index } => write!(
                f,
                "the name of header {index} is not a token (RFC 9110, section 5.6.2)"
            ),
            Self::HeaderValue { index, offset } => write!(
                f,
                "the value of header {index} has a line end or a NUL at offset {offset}"
            ),
        }
    }
}

impl core::error::Error for InvalidRequest {}
