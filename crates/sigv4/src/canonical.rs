//! The canonical request: the one spelling of a request that both sides hash.
//!
//! Source: "Create a canonical request" in the AWS reference for Signature Version 4.

mod headers;
mod path;
mod query;
mod sink;

use core::fmt;

use crate::names::{self, is_header};
use crate::request::HeaderList;
use crate::settings::UNSIGNED_IN_PRESIGNED;
use crate::{PathEncoding, PayloadHash, RawRequest, SessionToken, Settings};

pub(crate) use headers::{compare_names, each_name, is_sorted_list, sort};
pub(crate) use query::{
    QueryList, append_encoded, decode, is as is_parameter, pairs, parse as parse_query,
};
pub(crate) use sink::Sink;

/// The canonical request of a signed request: what its signature covers.
///
/// `Display` writes it, for people who compare two of them; it has everything that is signed, the
/// session token included. `Debug` leaves the token out. Bytes beyond UTF-8 (obsolete, yet possible
/// in values of headers) are shown as U+FFFD; [`to_bytes`](Self::to_bytes) has them all.
///
/// # Example
///
/// ```
/// use lambda_invoke_sigv4::{CanonicalRequest, PayloadHash, RawRequest, Settings};
///
/// let headers = [("Host", "example.amazonaws.com"), ("X-Amz-Date", "20150830T123600Z")];
/// let headers = headers.map(|(name, value)| (name, value.as_bytes()));
/// let request = RawRequest::new("GET", "/a//b%20c/", Some("k2=v&k1"), headers)?;
/// let settings = Settings::default();
/// assert_eq!(
///     CanonicalRequest::of(&request, &PayloadHash::EMPTY, &settings).to_string(),
///     "GET\n\
///      /a/b%2520c/\n\
///      k1=&k2=v\n\
///      host:example.amazonaws.com\n\
///      x-amz-date:20150830T123600Z\n\
///      \n\
///      host;x-amz-date\n\
///      e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
/// );
/// # Ok::<(), lambda_invoke_sigv4::InvalidRequest>(())
/// ```
#[derive(Clone)]
pub struct CanonicalRequest<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a [u8],
    pub(crate) path_encoding: PathEncoding,
    pub(crate) normalize_path: bool,
    /// Sorted.
    pub(crate) query: QueryList<'a>,
    /// Sorted by name, those of one name in their order.
    pub(crate) headers: HeaderList<'a>,
    /// Whether every name is known to be in lower case.
    pub(crate) lower_case: bool,
    pub(crate) payload: PayloadHash,
}

impl<'a> CanonicalRequest<'a> {
    /// The canonical request of a request that already has what signing adds (the date, the token
    /// and so on), in its headers or in its query.
    ///
    /// Every header is covered but those that `settings` leave out; the signature itself never is.
    pub fn of(request: &RawRequest<'a>, payload: &PayloadHash, settings: &Settings) -> Self {
        let query = parse_query(request.query, |name| {
            !query::is(name, names::SIGNATURE_PARAMETER)
                && (settings.session_token == SessionToken::Signed
                    || !query::is(name, names::SECURITY_TOKEN_PARAMETER))
        });
        let presigned =
            pairs(request.query).any(|(name, _)| query::is(name, names::ALGORITHM_PARAMETER));
        let mut headers = HeaderList::new();
        let mut has_host = false;
        request.for_each_header(|name, value| {
            has_host |= is_header(name, names::HOST);
            let appended = settings.session_token == SessionToken::Appended
                && is_header(name, names::SECURITY_TOKEN);
            let unsigned = settings.leaves_unsigned(name) || presigned && is_left_out(name);
            if !appended && !unsigned {
                headers.push((name, value));
            }
        });
        if let (false, Some(host)) = (has_host, request.authority) {
            headers.push((names::HOST, host.as_bytes()));
        }
        let lower_case = request.is_lower_case();
        sort(&mut headers, lower_case);
        Self {
            method: request.method,
            path: request.path,
            path_encoding: settings.path_encoding,
            normalize_path: settings.normalize_path,
            query,
            headers,
            lower_case,
            payload: *payload,
        }
    }

    /// The SHA-256 of the canonical request.
    pub fn hash(&self) -> [u8; 32] {
        let mut hasher = sink::Hasher::new();
        self.write(&mut hasher, false);
        hasher.finish()
    }

    /// The canonical request as the bytes that are hashed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes, false);
        bytes
    }

    /// The names of the headers that are covered, in lower case and sorted, joined with `;`.
    pub fn signed_headers(&self) -> String {
        let mut names = Vec::new();
        self.write_names(&mut names);
        String::from_utf8(names).unwrap_or_default()
    }

    /// Writes the names of the headers that are covered.
    pub(crate) fn write_names<S: Sink>(&self, sink: &mut S) {
        headers::write_names(sink, &self.headers, self.lower_case);
    }

    /// As `Display`, with the session token replaced.
    pub(crate) fn to_redacted(&self) -> String {
        let mut bytes = Vec::new();
        self.write(&mut bytes, true);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn write<S: Sink>(&self, sink: &mut S, redact: bool) {
        sink.put(self.method.as_bytes());
        sink.put(b"\n");
        path::write(sink, self.path, self.path_encoding, self.normalize_path);
        sink.put(b"\n");
        query::write(
            sink,
            &self.query,
            redact.then_some(names::SECURITY_TOKEN_PARAMETER),
        );
        sink.put(b"\n");
        headers::write(
            sink,
            &self.headers,
            self.lower_case,
            redact.then_some(names::SECURITY_TOKEN),
        );
        sink.put(b"\n");
        self.write_names(sink);
        sink.put(b"\n");
        sink.put(self.payload.text(&mut [0; 64]));
    }
}

impl fmt::Display for CanonicalRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.to_bytes()))
    }
}

impl fmt::Debug for CanonicalRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CanonicalRequest")
            .field(&self.to_redacted())
            .finish()
    }
}

/// Whether a presigned request leaves this header out.
pub(crate) fn is_left_out(name: &str) -> bool {
    UNSIGNED_IN_PRESIGNED
        .iter()
        .any(|unsigned| is_header(name, unsigned))
}
