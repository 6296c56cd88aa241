//! Whether a response's body is complete.

use std::fmt;

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::response::Parts;
use http::{HeaderMap, StatusCode, Version};

use super::headers::Fields;
use crate::text::ByteCount;

/// How the end of a response's body is marked (RFC 9112, section 6.3).
///
/// # Example
///
/// ```
/// use lambda_invoke_protocol::Framing;
///
/// let (parts, ()) = http::Response::builder().header("content-length", "5").body(())?.into_parts();
/// assert_eq!(Framing::of(&parts), Framing::Length(5));
/// assert!(Framing::of(&parts).check_end(5).is_ok());
/// assert!(Framing::of(&parts).check_end(4).is_err());
///
/// // Ended by the connection: nothing proves that the body is complete.
/// let (parts, ()) = http::Response::new(()).into_parts();
/// assert!(Framing::of(&parts).check_end(5).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "no version of HTTP has another")]
pub enum Framing {
    /// By its length in bytes.
    Length(u64),
    /// By the last chunk of a chunked body, or by the framing of HTTP/2 and later.
    Delimited,
    /// Only by the end of the connection, which proves nothing.
    Connection,
}

impl Framing {
    /// Returns the framing that a response's head announces.
    #[must_use]
    pub fn of(parts: &Parts) -> Self {
        Self::by(parts, &Fields::of(&parts.headers))
    }

    /// Like [`of`](Self::of), with the headers already looked up.
    pub(super) fn by(parts: &Parts, fields: &Fields<'_>) -> Self {
        let length = || {
            fields.content_length?;
            content_length(&parts.headers)
        };
        if parts.status.is_informational()
            || matches!(
                parts.status,
                StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
            )
        {
            return Self::Length(0);
        }
        if parts.version > Version::HTTP_11 {
            return length().map_or(Self::Delimited, Self::Length);
        }
        // A transfer coding overrides the length.
        if fields.is_only_chunked() {
            return Self::Delimited;
        }
        if fields.transfer_encoding.is_some() {
            return if is_chunked(&parts.headers) {
                Self::Delimited
            } else {
                Self::Connection
            };
        }
        length().map_or(Self::Connection, Self::Length)
    }

    /// Checks that a body that ended after `received` bytes is complete.
    ///
    /// # Errors
    ///
    /// If the body is shorter or longer than announced, or nothing proves its end.
    pub const fn check_end(self, received: u64) -> Result<(), IncompleteBody> {
        let announced = match self {
            Self::Delimited => return Ok(()),
            Self::Length(length) if length == received => return Ok(()),
            Self::Length(length) => Some(length),
            Self::Connection => None,
        };
        Err(IncompleteBody {
            received,
            announced,
        })
    }
}

/// A body that ended without proof that it is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IncompleteBody {
    /// The number of bytes received.
    pub received: u64,
    /// The number of bytes announced, if the head announced one.
    pub announced: Option<u64>,
}

impl fmt::Display for IncompleteBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let received = ByteCount(self.received);
        match self.announced {
            Some(announced) => {
                let verb = if announced == 1 { "was" } else { "were" };
                write!(
                    f,
                    "the body ended after {received}, but {announced} {verb} announced"
                )
            }
            None => write!(
                f,
                "the body ended with the connection after {received}: without Content-Length or a \
                 last chunk nothing proves that it is complete"
            ),
        }
    }
}

impl std::error::Error for IncompleteBody {}

/// Whether `chunked` is the last coding. An empty element of the list counts, and so does a byte that is not
/// ASCII: HTTP libraries, hyper among them, then read up to the end of the connection and leave the chunks'
/// heads in the body.
fn is_chunked(headers: &HeaderMap) -> bool {
    let last = headers.get_all(TRANSFER_ENCODING).into_iter().next_back();
    let last = last.and_then(|line| line.to_str().ok()?.rsplit(',').next());
    last.is_some_and(|last| last.trim().eq_ignore_ascii_case("chunked"))
}

/// Returns the length, if the header is present and all its values agree.
fn content_length(headers: &HeaderMap) -> Option<u64> {
    let mut agreed = None;
    for value in headers.get_all(CONTENT_LENGTH) {
        for token in value.as_bytes().split(|byte| *byte == b',') {
            let token = token.trim_ascii();
            // `u64`'s own parser would also take a plus sign.
            if token.is_empty() || !token.iter().all(u8::is_ascii_digit) {
                return None;
            }
            let length = std::str::from_utf8(token).ok()?.parse().ok()?;
            if agreed.is_some_and(|agreed| agreed != length) {
                return None;
            }
            agreed = Some(length);
        }
    }
    agreed
}
