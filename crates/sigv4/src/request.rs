//! The parts of a request that a signature covers.

use core::fmt;

use http::request::Parts;
use http::{HeaderMap, Request, Uri};

use crate::InvalidRequest;

/// The parts of a request that a signature covers: method, raw path, raw query and headers, all
/// borrowed.
///
/// For HTTP types other than those of the `http` crate, and for requests that [`http::Uri`] cannot
/// hold, such as paths with raw spaces.
///
/// # Example
///
/// ```
/// use lambda_invoke_sigv4::RawRequest;
///
/// let headers = [("Host", "example.amazonaws.com"), ("X-Custom", "a   b")];
/// let request = RawRequest::new(
///     "GET",
///     "/example space/",
///     Some("Param2=value2&Param1=value1"),
///     headers.iter().map(|(name, value)| (*name, value.as_bytes())),
/// )?;
/// # Ok::<(), lambda_invoke_sigv4::InvalidRequest>(())
/// ```
#[derive(Clone)]
pub struct RawRequest<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a [u8],
    pub(crate) query: &'a [u8],
    /// For a request without a `Host` header.
    uri: Option<&'a Uri>,
    headers: Headers<'a>,
}

#[derive(Clone)]
enum Headers<'a> {
    Map(&'a HeaderMap),
    List(Vec<(&'a str, &'a [u8])>),
}

impl<'a> RawRequest<'a> {
    /// Creates a request from its parts.
    ///
    /// `path` is as sent, that is, percent-encoded once; `query` is without the `?`. Names of headers
    /// may have any case. Repeated headers keep their order.
    ///
    /// # Errors
    ///
    /// If the method or the name of a header is not a token (RFC 9110, section 5.6.2), or a value has
    /// a line end or a NUL in it: such a request cannot be sent, and its signature would be
    /// ambiguous.
    pub fn new<T: AsRef<[u8]> + ?Sized>(
        method: &'a str,
        path: &'a T,
        query: Option<&'a T>,
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Self, InvalidRequest> {
        if !is_token(method) {
            return Err(InvalidRequest::Method);
        }
        let mut list = Vec::new();
        for (index, (name, value)) in headers.into_iter().enumerate() {
            if !is_token(name) {
                return Err(InvalidRequest::HeaderName { index });
            }
            if let Some(offset) = value
                .iter()
                .position(|byte| matches!(byte, 0 | b'\r' | b'\n'))
            {
                return Err(InvalidRequest::HeaderValue { index, offset });
            }
            list.push((name, value));
        }
        Ok(Self {
            method,
            path: path.as_ref(),
            query: query.map(AsRef::as_ref).unwrap_or_default(),
            uri: None,
            headers: Headers::List(list),
        })
    }

    /// The value that a client sends as `Host` if the header is absent.
    pub(crate) fn host(&self) -> Option<&'a str> {
        self.uri.and_then(host_of)
    }

    /// Whether every header's name is known to be in lower case.
    pub(crate) fn is_lower_case(&self) -> bool {
        matches!(self.headers, Headers::Map(_))
    }

    /// Calls `each` with every header; headers with the same name keep their order.
    pub(crate) fn for_each_header(&self, mut each: impl FnMut(&'a str, &'a [u8])) {
        match &self.headers {
            Headers::Map(map) => {
                for (name, value) in *map {
                    each(name.as_str(), value.as_bytes());
                }
            }
            Headers::List(list) => {
                for &(name, value) in list {
                    each(name, value);
                }
            }
        }
    }
}

impl<'a> From<&'a Parts> for RawRequest<'a> {
    fn from(parts: &'a Parts) -> Self {
        Self {
            method: parts.method.as_str(),
            path: parts.uri.path().as_bytes(),
            query: parts.uri.query().unwrap_or_default().as_bytes(),
            uri: Some(&parts.uri),
            headers: Headers::Map(&parts.headers),
        }
    }
}

impl<'a, B> From<&'a Request<B>> for RawRequest<'a> {
    fn from(request: &'a Request<B>) -> Self {
        Self {
            method: request.method().as_str(),
            path: request.uri().path().as_bytes(),
            query: request.uri().query().unwrap_or_default().as_bytes(),
            uri: Some(request.uri()),
            headers: Headers::Map(request.headers()),
        }
    }
}

impl fmt::Debug for RawRequest<'_> {
    // Without the query and the values of headers, which may contain a session token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = Vec::new();
        self.for_each_header(|name, _| names.push(name));
        f.debug_struct("RawRequest")
            .field("method", &self.method)
            .field("path", &String::from_utf8_lossy(self.path))
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

/// The `Host` that a client sends for a URI: without user information, and without the port if that
/// is the scheme's own (RFC 9110, section 7.2). `None` if the URI names no host.
///
/// [`Signer::sign`](crate::Signer::sign) adds the header if it is missing; a client that sends many
/// requests to one place can create it once.
///
/// # Example
///
/// ```
/// use lambda_invoke_sigv4::host_of;
///
/// assert_eq!(host_of(&"https://example.com:443/x".parse()?), Some("example.com"));
/// assert_eq!(host_of(&"http://localhost:9001".parse()?), Some("localhost:9001"));
/// # Ok::<(), http::uri::InvalidUri>(())
/// ```
pub fn host_of(uri: &Uri) -> Option<&str> {
    let authority = uri.authority()?;
    let default_port = match uri.scheme_str() {
        Some("http") => Some("80"),
        Some("https") => Some("443"),
        _ => None,
    };
    let text = authority.as_str();
    let host_and_port = text.rsplit_once('@').map_or(text, |(_, host)| host);
    let host = authority.host();
    // Compared as text: a port that is not a number must not count as absent.
    let port = host_and_port.strip_prefix(host)?.strip_prefix(':');
    let is_default = port.is_none_or(str::is_empty) || port == default_port;
    let header = if is_default { host } else { host_and_port };
    Some(header).filter(|_| !host.is_empty())
}

/// A token of RFC 9110, section 5.6.2.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_keeps_whatever_port_its_uri_has_but_the_schemes_own() {
        for (uri, host) in [
            ("http://user:1@h:80/", "h"),
            ("http://h:443", "h:443"),
            ("https://[::1]:443", "[::1]"),
            ("https://[::1]:80", "[::1]:80"),
            // Not a valid port, but different from a URI without a port, too.
            ("http://h:99999", "h:99999"),
            ("http://h:+80", "h:+80"),
            ("http://h:080", "h:080"),
        ] {
            assert_eq!(host_of(&uri.parse().unwrap()), Some(host), "{uri}");
        }
    }

    #[test]
    fn rejects_what_cannot_be_sent() {
        let new = |method, name, value: &'static [u8]| {
            RawRequest::new(
                method,
                "/",
                None,
                [("host", b"h".as_slice()), (name, value)],
            )
            .map(|_| ())
        };
        assert_eq!(new("GET", "a", b"\tb\xff "), Ok(()));
        assert_eq!(new("", "a", b"b"), Err(InvalidRequest::Method));
        assert_eq!(new("GE T", "a", b"b"), Err(InvalidRequest::Method));
        assert_eq!(
            new("GET", "", b"b"),
            Err(InvalidRequest::HeaderName { index: 1 })
        );
        assert_eq!(
            new("GET", "a:", b"b"),
            Err(InvalidRequest::HeaderName { index: 1 })
        );
        for value in [b"b\n".as_slice(), b"b\rc", b"b\0"] {
            let error = InvalidRequest::HeaderValue {
                index: 1,
                offset: 1,
            };
            assert_eq!(new("GET", "a", value), Err(error));
        }
    }

    #[test]
    fn the_host_of_a_uri_is_what_clients_send() {
        for (uri, host) in [
            ("https://example.com/", Some("example.com")),
            ("https://example.com:443/", Some("example.com")),
            ("http://example.com:80/", Some("example.com")),
            ("http://example.com:443/", Some("example.com:443")),
            (
                "https://user:pass@example.com:8443/",
                Some("example.com:8443"),
            ),
            ("https://user:pass@example.com/", Some("example.com")),
            ("http://[::1]:9001/", Some("[::1]:9001")),
            ("http://[::1]/", Some("[::1]")),
            ("https://Example.com:/", Some("Example.com")),
            ("/path", None),
        ] {
            assert_eq!(host_of(&uri.parse().unwrap()), host, "{uri}");
        }
    }
}
