//! Presigns requests: the signature goes into the query.

use core::fmt::Write as _;
use core::time::Duration;

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, Request, Uri};

use super::reject_presigned;
use crate::canonical::{Blank, Form, QueryList, append_encoded, parse_query};
use crate::names::{self, is_header};
use crate::string_to_sign::ALGORITHM;
use crate::{PayloadHash, RawRequest, SessionTokenMode, SignError, Signature, Signer, Timestamp};

/// The longest validity of a presigned request: seven days.
pub(crate) const LONGEST: u64 = 604_800;

impl Signer {
    /// Presigns a request: until `expires` (1 to 604,800 whole seconds) after `time`, anyone can send
    /// its URI, with these headers.
    ///
    /// Adds the parameters to the query of the URI. The sender must send every covered header with
    /// the same value, so leave out all but `host` where possible; `host` comes from the URI.
    /// Headers that belong to signing by headers (`authorization`, `x-amz-date`,
    /// `x-amz-security-token`, `x-amz-content-sha256`) are removed. S3 expects
    /// [`PayloadHash::Unsigned`] here, other services the hash of the body that will be sent.
    ///
    /// # Errors
    ///
    /// If `expires` is out of range, there is no host, the URI is only a host, the request is presigned
    /// already, or the target becomes too long for a URI. The request is then unchanged.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer, SigningSettings};
    ///
    /// let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")?;
    /// let signer = Signer::new(credentials, "us-east-1", "s3")?.with_settings(SigningSettings::s3());
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
        presigned.apply(&mut parts.uri, &mut parts.headers)
    }

    /// Presigns a request in place, like [`presign`](Self::presign).
    ///
    /// # Errors
    ///
    /// As [`presign`](Self::presign).
    pub fn presign_request<B>(
        &self,
        request: &mut Request<B>,
        payload: &PayloadHash,
        time: Timestamp,
        expires: Duration,
    ) -> Result<Signature, SignError> {
        let presigned = self.presign_raw(&RawRequest::from(&*request), payload, time, expires)?;
        let mut uri = request.uri().clone();
        let signature = presigned.apply(&mut uri, request.headers_mut())?;
        *request.uri_mut() = uri;
        Ok(signature)
    }

    /// Presigns a request of another HTTP type, and returns the query to send in place of its own. Do
    /// not send the headers that [`presign`](Self::presign) removes.
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
        let mut form = Form::new(request, payload, self.settings());
        parse_query(&mut form.query, request.query);
        reject_presigned(&form)?;
        let mut has_host = false;
        request.for_each_header(|name, value| {
            if self.settings().covers_when_presigning(name) {
                has_host |= is_header(name, names::HOST);
                form.cover(name, value);
            }
        });
        if !has_host {
            let host = request.host().ok_or(SignError::MissingHost)?;
            form.cover(names::HOST, host.as_bytes());
        }
        form.sort_headers();
        let signed_headers = form.names();

        let (day, date) = self.at(time)?;
        let token = self.credentials().session_token();
        let (signed_token, appended_token) = match self.settings().session_token {
            SessionTokenMode::Signed => (token, None),
            SessionTokenMode::Appended => (None, token),
        };

        let token_length = token.map_or(0, str::len);
        let mut query = String::with_capacity(request.query.len() + 320 + 2 * token_length);
        match core::str::from_utf8(request.query) {
            Ok(sent) => query.push_str(sent),
            // A string cannot hold these bytes; percent-encoded, they mean the same.
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
        let list = core::str::from_utf8(&signed_headers).unwrap_or_default();
        parameter(names::SIGNED_HEADERS_PARAMETER, list);
        // Parsed from the query that will be sent, which is what a verifier will see.
        form.query = QueryList::new();
        parse_query(&mut form.query, query.as_bytes());
        let hash = form.hash(&signed_headers, Blank::Space);
        let signature = day.sign(&date.stamp, &hash);
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

/// The result of presigning.
#[derive(Clone, PartialEq, Eq)]
pub struct Presigned {
    // First, so that queries, which contain the signatures, are compared only if these are equal.
    signature: Signature,
    query: String,
}

impl Presigned {
    /// Returns the whole query to send, without `?`. It contains the session token in the clear.
    #[must_use]
    pub fn query(&self) -> &str {
        &self.query
    }

    /// Returns the signature alone.
    #[must_use]
    pub fn signature(&self) -> Signature {
        self.signature
    }
}

impl Presigned {
    /// Puts the query into the URI, and removes the headers that belong to signing by headers.
    fn apply(&self, uri: &mut Uri, headers: &mut HeaderMap) -> Result<Signature, SignError> {
        let target = format!("{}?{}", uri.path(), self.query);
        let target = PathAndQuery::from_maybe_shared(target);
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(target.map_err(|_| SignError::TargetTooLong)?);
        // A host alone is a valid URI, but one with a query also needs a scheme.
        *uri = Uri::from_parts(parts).map_err(|_| SignError::MissingScheme)?;
        for name in [
            names::AUTHORIZATION,
            names::DATE,
            names::SECURITY_TOKEN,
            names::CONTENT_SHA256,
        ] {
            headers.remove(name);
        }
        Ok(self.signature)
    }
}

impl core::fmt::Debug for Presigned {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // Until the query expires, it grants access like a key.
        f.debug_struct("Presigned")
            .field("query", &"<redacted>")
            .finish_non_exhaustive()
    }
}
