//! How a service wants its requests signed.

use http::HeaderName;

use crate::names::{self, has_length_of, is_header, lengths};

/// How a service wants its requests signed; one value for signing and for verifying.
///
/// [`Settings::default`] is what Lambda and nearly every other service want, [`Settings::s3`] what
/// S3 wants.
///
/// # Example
///
/// ```
/// use lambda_invoke_sigv4::{SessionToken, Settings};
///
/// let mut settings = Settings::default();
/// settings.session_token = SessionToken::Appended;
/// settings.unsigned_headers.push(http::header::CACHE_CONTROL);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// How the path is written in the canonical request.
    pub path_encoding: PathEncoding,
    /// Whether `.` and `..` segments are resolved and empty segments dropped before that.
    pub normalize_path: bool,
    /// Whether the session token is part of what is signed.
    pub session_token: SessionToken,
    /// Whether the signer adds `x-amz-content-sha256`, signed. S3 demands it; others do without.
    pub content_sha256_header: bool,
    /// Headers that are left unsigned besides the ones that always are ([`NEVER_SIGNED`]). The
    /// verifier lets them pass unsigned even if their names begin with `x-amz-`. `host` is signed
    /// all the same.
    pub unsigned_headers: Vec<HeaderName>,
}

/// Headers that no signer here ever signs: they carry the signature itself, or are rewritten on the
/// way by proxies, tracing and connection handling.
pub const NEVER_SIGNED: [&str; 6] = [
    names::AUTHORIZATION,
    "user-agent",
    "x-amzn-trace-id",
    "transfer-encoding",
    "connection",
    "expect",
];

const NEVER_SIGNED_LENGTHS: u32 = lengths(&NEVER_SIGNED);

/// Headers that a presigned request leaves unsigned besides those, since whoever sends it later
/// cannot know them.
pub(crate) const UNSIGNED_IN_PRESIGNED: [&str; 2] = ["x-amz-user-agent", "x-amz-checksum-mode"];

/// How the path is written in the canonical request.
///
/// On the wire it is percent-encoded once in either case; that is the caller's work, and the path
/// that is signed is always the one that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PathEncoding {
    /// Encoded once more: every byte of the sent path outside of `A-Z a-z 0-9 - . _ ~ /` becomes
    /// `%XX`, so that `%3A` becomes `%253A`. Every service but S3.
    Twice,
    /// As it is sent. Bytes that cannot stand in a request line (controls, space, anything beyond
    /// ASCII) become `%XX`. S3.
    Once,
}

/// Whether the session token is part of what is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionToken {
    /// Signed like any other `x-amz-` header or parameter.
    Signed,
    /// Added after signing. A few services want it so, AWS IoT's data plane among them.
    Appended,
}

impl Settings {
    /// What S3 wants: the path once and as it is, `x-amz-content-sha256` sent and signed.
    pub fn s3() -> Self {
        Self {
            path_encoding: PathEncoding::Once,
            normalize_path: false,
            content_sha256_header: true,
            ..Self::default()
        }
    }

    /// Whether the header `name`, in any case, is left unsigned.
    #[inline]
    pub(crate) fn leaves_unsigned(&self, name: &str) -> bool {
        has_length_of(name, NEVER_SIGNED_LENGTHS)
            && NEVER_SIGNED.iter().any(|never| is_header(name, never))
            || self.lists(name)
    }

    /// Whether `name` is one of the further headers that are left unsigned.
    pub(crate) fn lists(&self, name: &str) -> bool {
        let listed = |extra: &HeaderName| is_header(name, extra.as_str());
        self.unsigned_headers.iter().any(listed) && !is_header(name, names::HOST)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            path_encoding: PathEncoding::Twice,
            normalize_path: true,
            session_token: SessionToken::Signed,
            content_sha256_header: false,
            unsigned_headers: Vec::new(),
        }
    }
}
