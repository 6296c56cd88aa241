//! The canonical request: the one spelling of a request that both sides hash.
//!
//! Source: "Create a canonical request" in the AWS reference for Signature Version 4.

mod blank;
mod headers;
mod path;
mod query;
mod sink;

use core::fmt;

use http::HeaderMap;

use crate::names;
use crate::{PathEncoding, PayloadHash, RawRequest, SigningSettings};

pub(crate) use blank::Blank;
pub(crate) use headers::{Header, HeaderList, is_sorted_list};
pub(crate) use query::{
    Parameter, QueryList, append_encoded, decode, parameters, parse as parse_query, retain_signed,
    sort as sort_query,
};
use sink::Sink;

/// The canonical request of a signed request: what its signature covers.
///
/// `Display` writes it, so that people can compare two canonical requests; it shows everything that
/// is signed, including the session token. `Debug` hides the token. Bytes that are not UTF-8, which
/// header values may contain, are shown as U+FFFD; [`to_bytes`](Self::to_bytes) returns them
/// unchanged.
///
/// # Example
///
/// ```
/// use lambda_invoke_sigv4::{CanonicalRequest, PayloadHash, RawRequest, SigningSettings};
///
/// let headers = [("Host", "example.amazonaws.com"), ("X-Amz-Date", "20150830T123600Z")];
/// let headers = headers.map(|(name, value)| (name, value.as_bytes()));
/// let request = RawRequest::new("GET", "/a//b%20c/", Some("k2=v&k1"), headers)?;
/// let settings = SigningSettings::default();
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
    form: Form<'a>,
    names: Vec<u8>,
}

impl<'a> CanonicalRequest<'a> {
    /// The canonical request of a request that already has what signing adds (the date, the token
    /// and so on), in its headers or in its query.
    ///
    /// Every header is covered except those that `settings` leave out; the signature itself is
    /// never covered.
    #[must_use]
    pub fn of(request: &RawRequest<'a>, payload: &PayloadHash, settings: &SigningSettings) -> Self {
        let mut form = Form::new(request, payload, settings);
        parse_query(&mut form.query, request.query);
        let is_algorithm = |sent: &Parameter<'_>| sent.is(names::ALGORITHM_PARAMETER);
        let presigned = form.query.iter().any(is_algorithm);
        retain_signed(&mut form.query, settings);
        let mut has_host = false;
        request.for_each_header(|name, value| {
            has_host |= names::is_header(name, names::HOST);
            if settings.covers_when_signed(name, presigned) {
                form.cover(name, value);
            }
        });
        if !has_host {
            if let Some(host) = request.host() {
                form.cover(names::HOST, host.as_bytes());
            }
        }
        form.sort_headers();
        let names = form.names();
        Self { form, names }
    }

    /// Returns the SHA-256 of the canonical request.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        self.form.hash(&self.names, Blank::Space)
    }

    /// Returns the canonical request as the bytes that are hashed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.form
            .write(&mut bytes, &self.names, Blank::Space, Secrets::Shown);
        bytes
    }

    /// Returns the names of the covered headers, in lower case and sorted, joined with `;`.
    #[must_use]
    pub fn signed_headers(&self) -> &str {
        core::str::from_utf8(&self.names).unwrap_or_default()
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
            .field(&self.form.to_redacted(&self.names))
            .finish()
    }
}

/// A canonical request without the names of its headers. Verification takes the names from the
/// signature; signing puts them into it.
#[derive(Clone)]
pub(crate) struct Form<'a> {
    method: &'a str,
    path: &'a [u8],
    encoding: PathEncoding,
    normalize: bool,
    /// Sorted.
    pub(crate) query: QueryList<'a>,
    /// The covered headers; sorted after all have been added.
    pub(crate) headers: HeaderList<'a>,
    /// Whether every name is known to be in lower case.
    pub(crate) lower_case: bool,
    pub(crate) payload: PayloadHash,
}

impl<'a> Form<'a> {
    /// Starts with neither query nor headers.
    #[inline]
    pub(crate) fn new(
        request: &RawRequest<'a>,
        payload: &PayloadHash,
        settings: &SigningSettings,
    ) -> Self {
        Self {
            method: request.method,
            path: request.path,
            encoding: settings.path_encoding,
            normalize: settings.normalize_path,
            query: QueryList::new(),
            headers: HeaderList::new(),
            lower_case: request.is_lower_case(),
            payload: *payload,
        }
    }

    /// Adds a header.
    #[inline]
    pub(crate) fn cover(&mut self, name: &'a str, value: &'a [u8]) {
        self.headers.push(Header::new(name, value));
    }

    /// Sorts the headers after all have been added.
    pub(crate) fn sort_headers(&mut self) {
        headers::sort(&mut self.headers);
    }

    /// The names of the sorted headers as `SignedHeaders` has them.
    pub(crate) fn names(&self) -> Vec<u8> {
        let mut names = Vec::with_capacity(self.names_length());
        self.append_names(&mut names);
        names
    }

    /// The length of the names.
    #[inline]
    pub(crate) fn names_length(&self) -> usize {
        headers::names_length(&self.headers)
    }

    /// Appends the names to a text.
    #[inline]
    pub(crate) fn append_names(&self, text: &mut Vec<u8>) {
        headers::append_names(text, &self.headers, self.lower_case);
    }

    /// The SHA-256 of the canonical request with these names.
    #[inline]
    pub(crate) fn hash(&self, names: &[u8], blank: Blank) -> [u8; 32] {
        sink::hash(|hasher| self.write(hasher, names, blank, Secrets::Shown))
    }

    /// The canonical request as text, with `<redacted>` in place of the session token.
    pub(crate) fn to_redacted(&self, names: &[u8]) -> String {
        let mut bytes = Vec::new();
        self.write(&mut bytes, names, Blank::Space, Secrets::Hidden);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[inline]
    fn write<S: Sink>(&self, sink: &mut S, names: &[u8], blank: Blank, secrets: Secrets) {
        sink.put(self.method.as_bytes());
        sink.put(b"\n");
        path::write(sink, self.path, self.encoding, self.normalize);
        sink.put(b"\n");
        query::write(sink, &self.query, secrets);
        sink.put(b"\n");
        headers::write(sink, &self.headers, self.lower_case, blank, secrets);
        sink.put(b"\n");
        sink.put(names);
        sink.put(b"\n");
        sink.put(self.payload.text(&mut [0; 64]));
    }
}

/// The lines of an `aws-chunked` body's trailer that its signature covers: all but the signature.
pub(crate) fn trailer_lines(trailer: &HeaderMap) -> Vec<u8> {
    let mut list: HeaderList<'_> = trailer
        .iter()
        .filter(|(name, _)| name.as_str() != names::TRAILER_SIGNATURE)
        .map(|(name, value)| Header::new(name.as_str(), value.as_bytes()))
        .collect();
    headers::sort(&mut list);
    let mut lines = Vec::new();
    headers::write(&mut lines, &list, true, Blank::Space, Secrets::Shown);
    lines
}

/// Whether the session token is written in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Secrets {
    Shown,
    Hidden,
}

impl Secrets {
    fn hides(self, is_token: impl FnOnce() -> bool) -> bool {
        self == Self::Hidden && is_token()
    }
}

/// What is written in place of a session token.
const REDACTED: &[u8] = b"<redacted>";
