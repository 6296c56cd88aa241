//! The signing rules of a service.

use http::HeaderName;

/// The signing rules of a service; signer and verifier take the same value.
///
/// [`SigningSettings::default`] suits Lambda and nearly every other service,
/// [`SigningSettings::s3`] suits S3.
///
/// # Example
///
/// ```
/// use lambda_invoke_sigv4::{SessionTokenMode, SigningSettings};
///
/// let mut settings = SigningSettings::default();
/// settings.session_token = SessionTokenMode::Appended;
/// settings.unsigned_headers.push(http::header::CACHE_CONTROL);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SigningSettings {
    /// How the path is encoded in the canonical request.
    pub path_encoding: PathEncoding,
    /// Whether `.` and `..` segments are resolved, and empty segments dropped, before that.
    pub normalize_path: bool,
    /// Whether the session token is part of what is signed.
    pub session_token: SessionTokenMode,
    /// Whether the signer adds `x-amz-content-sha256`, signed. S3 requires it; other services do not.
    pub content_sha256_header: bool,
    /// Headers to leave unsigned, in addition to [`NEVER_SIGNED`](crate::NEVER_SIGNED). The
    /// verifier accepts them unsigned even if their names begin with `x-amz-`. `host`,
    /// `x-amz-date`, `x-amz-content-sha256` and, unless it is
    /// [appended](SessionTokenMode::Appended), `x-amz-security-token` are signed all the same.
    pub unsigned_headers: Vec<HeaderName>,
}

/// How the path is encoded in the canonical request.
///
/// On the wire, the path is percent-encoded once in either case, which is up to the caller. The
/// path that is signed is always derived from the path that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "once or twice: there is no third")]
pub enum PathEncoding {
    /// Encoded a second time: every byte of the sent path outside of `A-Z a-z 0-9 - . _ ~ /`
    /// becomes `%XX`, so that `%3A` becomes `%253A`. For every service except S3.
    Double,
    /// Unchanged. Bytes that a request line cannot contain (control characters, spaces, anything
    /// beyond ASCII) become `%XX`. For S3.
    Single,
}

/// Whether the session token is part of what is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "signed or not: there is no third")]
pub enum SessionTokenMode {
    /// Signed like any other `x-amz-` header or parameter.
    Signed,
    /// Added after signing, as a few services expect, such as AWS IoT's data plane.
    Appended,
}

impl SigningSettings {
    /// The settings for S3: the path is signed as it is sent, and `x-amz-content-sha256` is sent and
    /// signed.
    #[must_use]
    pub fn s3() -> Self {
        Self {
            path_encoding: PathEncoding::Single,
            normalize_path: false,
            content_sha256_header: true,
            ..Self::default()
        }
    }
}

impl Default for SigningSettings {
    fn default() -> Self {
        Self {
            path_encoding: PathEncoding::Double,
            normalize_path: true,
            session_token: SessionTokenMode::Signed,
            content_sha256_header: false,
            unsigned_headers: Vec::new(),
        }
    }
}
