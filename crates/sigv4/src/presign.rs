//! Signing by the query.

use core::fmt::Write as _;
use core::time::Duration;

use http::Uri;
use http::request::Parts;
use http::uri::PathAndQuery;

use crate::canonical::{CanonicalRequest, append_encoded, parse_query};
use crate::key::ALGORITHM;
use crate::names::{self, is_header};
use crate::sign::{is_unsigned_in_presigned, refuse_presigned};
use crate::{PayloadHash, RawRequest, SessionToken, SignError, Signature, Signer, Timestamp};

/// The longest that a presigned request can be good for: seven days.
pub(crate) const LONGEST: u64 = 604_800;

impl Signer {
    /// Presigns a request: its URI alone, with these headers, can be sent by anyone until `expires`
    /// (whole seconds, 1 to 604,800) after `time`.
    ///
    /// Adds the parameters to the query of the URI. Whoever sends it must send every header that is
    /// covered with the same value, so leave all but `host` away where possible; `host` comes from
    /// the URI. Headers that only make sense for signing by headers (`authorization`, `x-amz-date`,
    /// `x-amz-security-token`, `x-amz-content-sha256`) are removed. S3 wants
    /// [`PayloadHash::Unsigned`] here; others the hash of the body that will be sent.
    ///
    /// # Errors
    ///
    /// If `expires` is out of range, there is no host, the request is presigned already, or the
    /// target gets too long for a URI. The request is then as it was.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use lambda_invoke_sigv4::{Credentials, PayloadHash, Settings, Signer};
    ///
    /// let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")?;
    /// let signer = Signer::new(credentials, "us-east-1", "s3")?.with_settings(Settings::s3());
    /// let url = "https://examplebucket.s3.amazonaws.com/test.txt";
    /// let (mut parts, ()) = http::Request::get(url).body(())?.into_parts();
    /// let time = "20130524T000000Z".parse()?;
    /// let signature =
    ///     signer.presign(&mut parts, &PayloadHash::Unsigned, time, Duration::from_secs(86_400))?;
    ///
    /// // The example of the S3 reference, "Authenticating requests: using query parameters".
    /// assert_eq!(
    ///     signature.to_string(),
    ///     "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    /// );
    /// assert!(parts.uri.to_string().starts_with(
    ///     "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&",
    /// ));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn presign(
        &self,
        parts: &mut Parts,
        payload: &PayloadHash,
        time: Timestamp,
        expires: Duration,
    ) -> Result<Signature, SignError> {
        let presigned = self.presign_raw(&RawRequest::from(&*parts), payload, time, expires)?;
        let mut uri = parts.uri.clone().into_parts();
        let target = format!("{}?{}", parts.uri.path(), presigned.query);
        let target = PathAndQuery::from_maybe_shared(target);
        uri.path_and_query = Some(target.map_err(|_| SignError::TargetTooLong)?);
        parts.uri = Uri::from_parts(uri).map_err(|_| SignError::TargetTooLong)?;
        for name in [
            names::AUTHORIZATION,
            names::DATE,
            names::SECURITY_TOKEN,
            names::CONTENT_SHA256,
        ] {
            parts.headers.remove(name);
        }
        Ok(presigned.signature)
    }

    /// Presigns a request of another HTTP type, and gives the query to send in place of its own.
    /// The headers that [`presign`](Self::presign) removes must not be sent.
    ///
    /// # Errors
    ///
    /// As [`presign`](Self::presign).
    pub fn presign_raw(
        &self,
        request: &RawRequest<'_>,
        payload: &PayloadHash,
        time: Timestamp,
        expires: Duration,
    ) -> Result<Presigned, SignError> {
        if !(1..=LONGEST).contains(&expires.as_secs()) || expires.subsec_nanos() != 0 {
            return Err(SignError::ExpiresOutOfRange);
        }
        refuse_presigned(&parse_query(request.query, |_| true))?;
        let mut has_host = false;
        let mut canonical = CanonicalRequest::bare(request, payload, self.settings());
        request.for_each_header(|name, value| {
            if !is_unsigned_in_presigned(name, &self.settings) {
                has_host |= is_header(name, names::HOST);
                canonical.cover(name, value);
            }
        });
        if !has_host {
            let host = request.host().ok_or(SignError::MissingHost)?;
            canonical.cover(names::HOST, host.as_bytes());
        }
        canonical.sort_headers();

        let day = self.day(time);
        let stamp = day.key.stamp(time);
        let token = self.credentials().session_token();
        let (signed_token, appended_token) = match self.settings().session_token {
            SessionToken::Signed => (token, None),
            SessionToken::Appended => (None, token),
        };

        let token_length = token.map_or(0, str::len);
        let mut query = String::with_capacity(request.query.len() + 320 + 2 * token_length);
        match core::str::from_utf8(request.query) {
            Ok(sent) => query.push_str(sent),
            // Bytes that a string cannot hold; encoded they mean the same.
            Err(_) => append_escaped(&mut query, request.query),
        }
        let mut parameter = |name: &str, value: &str| append_parameter(&mut query, name, value);
        parameter(names::ALGORITHM_PARAMETER, ALGORITHM);
        parameter(names::CREDENTIAL_PARAMETER, day.credential());
        parameter(names::DATE_PARAMETER, &time.to_string());
        parameter(names::EXPIRES_PARAMETER, &expires.as_secs().to_string());
        if let Some(token) = signed_token {
            parameter(names::SECURITY_TOKEN_PARAMETER, token);
        }
        parameter(names::SIGNED_HEADERS_PARAMETER, canonical.signed_headers());
        // Parsed from what will be sent, and so the same that whoever verifies it sees.
        canonical.head.query = parse_query(query.as_bytes(), |_| true);
        let signature = day.sign(&stamp, &canonical.hash());
        append_parameter(
            &mut query,
            names::SIGNATURE_PARAMETER,
            &signature.to_string(),
        );
        if let Some(token) = appended_token {
            append_parameter(&mut query, names::SECURITY_TOKEN_PARAMETER, token);
        }
        Ok(Presigned { query, signature })
    }
}

fn append_escaped(query: &mut String, sent: &[u8]) {
    for &byte in sent {
        if byte.is_ascii() {
            query.push(char::from(byte));
        } else {
            let _ = write!(query, "%{byte:02X}");
        }
    }
}

fn append_parameter(query: &mut String, name: &str, value: &str) {
    query.push_str(if query.is_empty() { "" } else { "&" });
    query.push_str(name);
    query.push('=');
    append_encoded(query, value);
}

/// What presigning gives.
#[derive(Clone, PartialEq, Eq)]
pub struct Presigned {
    query: String,
    signature: Signature,
}

impl Presigned {
    /// The whole query to send, without `?`. It has the session token in the clear.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// The signature alone.
    pub fn signature(&self) -> Signature {
        self.signature
    }
}

impl core::fmt::Debug for Presigned {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // The query is as good as a key until it expires.
        f.debug_struct("Presigned")
            .field("query", &"<redacted>")
            .finish_non_exhaustive()
    }
}
