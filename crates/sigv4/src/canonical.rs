//! The canonical request: the one spelling of a request that both sides hash.
//!
//! Source: "Create a canonical request" in the AWS reference for Signature Version 4.

mod head;
mod headers;
mod path;
mod query;
mod sink;

use core::fmt;

use crate::names::{self, is_header};
use crate::settings::UNSIGNED_IN_PRESIGNED;
use crate::{PayloadHash, RawRequest, SessionToken, Settings};

pub(crate) use head::Head;
pub(crate) use headers::{
    Blank, Header, HeaderList, NameList, Start, WRITTEN, is_sorted_list, sort,
};
pub(crate) use query::{
    Parameter, QueryList, append_encoded, decode, is as is_parameter, pairs, parse as parse_query,
};
use sink::Sink;

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
    pub(crate) head: Head<'a>,
    /// Sorted by name, those of one name in their order.
    pub(crate) headers: HeaderList<'a>,
    /// Whether every name is known to be in lower case.
    pub(crate) lower_case: bool,
    /// The names of the headers as `SignedHeaders` has them.
    pub(crate) names: NameList,
    pub(crate) payload: PayloadHash,
}

impl<'a> CanonicalRequest<'a> {
    /// The canonical request of a request that already has what signing adds (the date, the token
    /// and so on), in its headers or in its query.
    ///
    /// Every header is covered but those that `settings` leave out; the signature itself never is.
    pub fn of(request: &RawRequest<'a>, payload: &PayloadHash, settings: &Settings) -> Self {
        let mut canonical = Self::bare(request, payload, settings);
        let appended = settings.session_token == SessionToken::Appended;
        canonical.head.query = parse_query(request.query, |name| {
            let token = appended && query::is(name, names::SECURITY_TOKEN_PARAMETER);
            !token && !query::is(name, names::SIGNATURE_PARAMETER)
        });
        let presigned =
            pairs(request.query).any(|(name, _)| query::is(name, names::ALGORITHM_PARAMETER));
        let mut has_host = false;
        request.for_each_header(|name, value| {
            has_host |= is_header(name, names::HOST);
            let unsigned = settings.leaves_unsigned(name)
                || presigned && is_left_out(name)
                || appended && is_header(name, names::SECURITY_TOKEN);
            if !unsigned {
                canonical.cover(name, value);
            }
        });
        if !has_host {
            if let Some(host) = request.host() {
                canonical.cover(names::HOST, host.as_bytes());
            }
        }
        canonical.sort_headers();
        canonical
    }

    /// The canonical request with neither headers nor query.
    pub(crate) fn bare(
        request: &RawRequest<'a>,
        payload: &PayloadHash,
        settings: &Settings,
    ) -> Self {
        Self {
            head: Head::bare(request, settings),
            headers: HeaderList::new(),
            lower_case: request.is_lower_case(),
            names: NameList::new(),
            payload: *payload,
        }
    }

    /// Puts a header in.
    #[inline]
    pub(crate) fn cover(&mut self, name: &'a str, value: &'a [u8]) {
        self.headers.push(Header::new(name, value));
    }

    /// Sorts the headers that were put in, and writes down their names.
    pub(crate) fn sort_headers(&mut self) {
        sort(&mut self.headers);
        headers::write_names(&mut self.names, &self.headers, self.lower_case);
    }

    /// The SHA-256 of the canonical request.
    pub fn hash(&self) -> [u8; 32] {
        self.hash_with(Blank::Space)
    }

    /// The same with values of headers collapsed otherwise.
    pub(crate) fn hash_with(&self, blank: Blank) -> [u8; 32] {
        sink::hash(|hasher| self.write(hasher, blank, false))
    }

    /// The canonical request as the bytes that are hashed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes, Blank::Space, false);
        bytes
    }

    /// The names of the headers that are covered, in lower case and sorted, joined with `;`.
    pub fn signed_headers(&self) -> &str {
        core::str::from_utf8(&self.names).unwrap_or_default()
    }

    /// As `Display`, with the session token replaced.
    pub(crate) fn to_redacted(&self) -> String {
        let mut bytes = Vec::new();
        self.write(&mut bytes, Blank::Space, true);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn write<S: Sink>(&self, sink: &mut S, blank: Blank, redact: bool) {
        self.head.write(sink, redact);
        let hidden = redact.then_some(names::SECURITY_TOKEN);
        headers::write_list(sink, &self.headers, self.lower_case, blank, hidden);
        sink.put(b"\n");
        sink.put(&self.names);
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

/// The SHA-256 of a canonical request of which only the headers' lines are to be written, with names
/// in lower case.
#[inline]
pub(crate) fn hash_around<'a>(
    before: &[u8],
    lines: impl Iterator<Item = (Start<'a>, &'a [u8])> + Clone,
    after: [&[u8]; 2],
) -> [u8; 32] {
    sink::hash(|hasher| {
        hasher.put(before);
        headers::write(hasher, lines, true, Blank::Space, None);
        after.into_iter().for_each(|piece| hasher.put(piece));
    })
}

/// Whether a presigned request leaves this header out.
pub(crate) fn is_left_out(name: &str) -> bool {
    UNSIGNED_IN_PRESIGNED
        .iter()
        .any(|unsigned| is_header(name, unsigned))
}
