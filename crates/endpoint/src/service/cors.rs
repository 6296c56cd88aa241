//! Cross-origin requests: which web pages may call the endpoint and read its responses.
//!
//! See the Fetch standard, "CORS protocol" (<https://fetch.spec.whatwg.org/#http-cors-protocol>).

use std::net::IpAddr;

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, DATE, HOST, HeaderName, ORIGIN, RETRY_AFTER, VARY,
};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use lambda_invoke_error::ServiceError;
use lambda_invoke_error::text::Excerpt;

use super::errors;

/// Sent by Chrome before a public page may call a private address.
const REQUEST_PRIVATE_NETWORK: HeaderName =
    HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE_NETWORK: HeaderName =
    HeaderName::from_static("access-control-allow-private-network");

/// The allowed origins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins {
    any: bool,
    origins: Vec<HeaderValue>,
}

/// The kind of page that a request's `Origin` identifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Not a web page: there is no `Origin`.
    NoPage,
    /// A page of the endpoint's own origin.
    Own,
    /// An allowed page, with the value of `Access-Control-Allow-Origin`.
    Allowed(HeaderValue),
    /// Any other page.
    Foreign(String),
}

impl Origins {
    /// Adds `*`, `null` or an origin such as `http://localhost:3000`.
    ///
    /// Returns the text if it is not one of these, since no browser would ever send it.
    pub(crate) fn add(&mut self, text: String) -> Result<(), String> {
        if text == "*" {
            self.any = true;
            return Ok(());
        }
        let origin = if text == "null" {
            Some(text.clone())
        } else {
            origin(&text)
        };
        match origin.and_then(|origin| HeaderValue::try_from(origin).ok()) {
            Some(origin) => {
                self.origins.push(origin);
                Ok(())
            }
            None => Err(text),
        }
    }

    /// Whether the pages of a host are allowed, under either scheme.
    pub(crate) fn allow_host(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let is_of = |origin: &HeaderValue| {
            let origin = origin.to_str().unwrap_or_default();
            origin.split_once("://").is_some_and(|(_, own)| own == host)
        };
        self.any || self.origins.iter().any(is_of)
    }

    /// Whether every page is allowed.
    pub(crate) fn allow_all(&self) -> bool {
        self.any
    }

    fn is_empty(&self) -> bool {
        !self.any && self.origins.is_empty()
    }

    /// Returns the page that a request comes from, if any.
    pub(crate) fn caller(&self, headers: &HeaderMap) -> Caller {
        let mut origins = headers.get_all(ORIGIN).iter();
        let Some(origin) = origins.next() else {
            return Caller::NoPage;
        };
        let is_one = origins.next().is_none();
        if is_one && self.any {
            return Caller::Allowed(HeaderValue::from_static("*"));
        }
        if is_one && self.origins.contains(origin) {
            return Caller::Allowed(origin.clone());
        }
        if is_one && is_own(origin, headers) {
            return Caller::Own;
        }
        Caller::Foreign(String::from_utf8_lossy(origin.as_bytes()).into_owned())
    }

    /// Returns the response to a preflight request of an allowed page; `None` for other requests.
    pub(crate) fn preflight(&self, parts: &Parts, caller: &Caller) -> Option<Response<()>> {
        let is_preflight = parts.method == Method::OPTIONS
            && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        let allowed = matches!(caller, Caller::Allowed(_));
        if !is_preflight || !allowed {
            return None;
        }
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(
            ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("POST"),
        );
        if let Some(requested) = parts.headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, requested.clone());
        }
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        if parts.headers.contains_key(REQUEST_PRIVATE_NETWORK) {
            headers.insert(ALLOW_PRIVATE_NETWORK, HeaderValue::from_static("true"));
        }
        Some(response)
    }

    /// Lets the page's browser read the response of a function URL, unless the function has decided
    /// that itself.
    pub(crate) fn allow(&self, caller: Caller, headers: &mut HeaderMap) {
        if self.is_empty() || headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            return;
        }
        headers.append(VARY, HeaderValue::from_static("Origin"));
        if let Caller::Allowed(origin) = caller {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        }
    }

    /// Adds the headers that let the page's browser read the response, even an error.
    pub(crate) fn expose(&self, caller: Caller, headers: &mut HeaderMap) {
        if self.is_empty() {
            return;
        }
        headers.append(VARY, HeaderValue::from_static("Origin"));
        let Caller::Allowed(origin) = caller else {
            return;
        };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let mut exposed: Vec<&str> = headers
            .keys()
            .filter(|name| name.as_str().starts_with("x-amz") || **name == RETRY_AFTER)
            .map(HeaderName::as_str)
            .collect();
        // hyper adds `Date`, which clients use to correct their clocks.
        exposed.push(DATE.as_str());
        if let Ok(exposed) = HeaderValue::try_from(exposed.join(", ")) {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }
}

/// Returns the 403 error for a page that is not allowed.
pub(crate) fn foreign(origin: &str) -> ServiceError {
    let origin = Excerpt(origin);
    let message = format!(
        "A web page of the origin {origin} may not call this endpoint, whose callers need no \
         secret. To allow it, serve with --cors {origin}."
    );
    errors::access_denied(&message)
}

/// Rejects a request whose `Host` is a name that a page of another site may have: its DNS can
/// resolve the name to this machine (DNS rebinding).
pub(crate) fn check_host(headers: &HeaderMap, origins: &Origins) -> Result<(), ServiceError> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    match host.filter(|host| !is_own_name(host) && !origins.allow_host(host)) {
        None => Ok(()),
        Some(host) => Err(errors::access_denied(&format!(
            "The host {host:?} is not a name of this machine. To allow it, serve with --cors \
             http://{host}."
        ))),
    }
}

/// Whether a host is an address, a local name, or a name without a dot, as in a container network.
/// DNS rebinding needs a name in public DNS.
fn is_own_name(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host();
    is_local(host) || !name.contains('.') || name.eq_ignore_ascii_case("host.docker.internal")
}

/// Normalizes an origin to the form that browsers send: `scheme://host[:port]` in lower case,
/// without the scheme's default port.
fn origin(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let authority: Authority = rest.parse().ok()?;
    let scheme = scheme.to_ascii_lowercase();
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let begins = scheme.bytes().next()?.is_ascii_lowercase();
    if !begins || !scheme.bytes().all(is_scheme) || authority.as_str().contains('@') {
        return None;
    }
    let host = authority.host().to_ascii_lowercase();
    if host.is_empty() || host.contains('*') {
        return None;
    }
    let after_host = authority.as_str().get(host.len()..)?;
    let port = match after_host.strip_prefix(':') {
        None if after_host.is_empty() => None,
        None => return None,
        Some(port) => Some(port.parse::<u16>().ok().filter(|port| *port > 0)?),
    };
    let default = match scheme.as_str() {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    };
    Some(match port.filter(|port| Some(*port) != default) {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    })
}

/// Whether a page's origin is the endpoint itself, by an address or a local name. Other names do
/// not count, since anybody can create a DNS name that resolves to this machine.
fn is_own(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_ascii_lowercase);
    let (Some(origin), Some(host)) = (text(origin), headers.get(HOST).and_then(text)) else {
        return false;
    };
    is_local(&host) && origin == format!("http://{host}")
}

/// Whether a host, with or without a port, is an address or a local name. A name may end with a dot,
/// as a complete name of DNS.
pub(crate) fn is_local(host: &str) -> bool {
    is_local_or(host, |_| true)
}

/// Whether the authority of a page's address is on this machine or in its network: a local name, or an address
/// that is not public. An address keeps a page from DNS rebinding, but anybody can serve pages at a public one.
pub(crate) fn is_local_page(authority: &str) -> bool {
    is_local_or(authority, |address| match address.to_canonical() {
        IpAddr::V4(v4) => {
            v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.is_unspecified()
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
                || v6.is_unspecified()
        }
    })
}

/// Whether a host is a local name, or an address that `is_one` accepts.
fn is_local_or(host: &str, is_one: impl FnOnce(IpAddr) -> bool) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host().to_ascii_lowercase();
    let name = name.strip_suffix('.').unwrap_or(&name);
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let is_name = name == "localhost" || name.ends_with(".localhost");
    let has_user = authority.as_str().contains('@');
    !has_user && (is_name || address.parse().is_ok_and(is_one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_at_a_public_address_is_not_local() {
        for (authority, is_one) in [
            ("localhost:3000", true),
            ("app.localhost", true),
            ("127.0.0.1:3000", true),
            ("[::1]:3000", true),
            ("0.0.0.0:3000", true),
            ("192.168.1.7", true),
            ("10.1.2.3:80", true),
            ("169.254.1.1", true),
            ("[fd00::1]", true),
            ("[fe80::1]:80", true),
            ("93.184.216.34", false),
            ("93.184.216.34.", false),
            ("172.32.0.1", false),
            ("[2606:2800:220:1::1]:80", false),
            ("[::ffff:93.184.216.34]", false),
            ("[::ffff:127.0.0.1]", true),
            ("example.com", false),
            ("user@127.0.0.1", false),
        ] {
            assert_eq!(is_local_page(authority), is_one, "{authority}");
        }
    }

    #[test]
    fn normalizes_origins_to_the_form_that_browsers_send() {
        for (text, sent) in [
            ("http://localhost:3000", Some("http://localhost:3000")),
            ("HTTP://LocalHost:80", Some("http://localhost")),
            ("https://app.example:443", Some("https://app.example")),
            ("https://app.example:80", Some("https://app.example:80")),
            ("http://[::1]:3000", Some("http://[::1]:3000")),
            (
                "chrome-extension://abcdef",
                Some("chrome-extension://abcdef"),
            ),
            ("localhost:3000", None),
            ("http://", None),
            ("http://localhost/", None),
            ("http://localhost/app", None),
            ("http://localhost?x", None),
            ("http://user@localhost", None),
            ("http://*.example", None),
            ("http://localhost:0", None),
            ("http://localhost:99999", None),
            ("http://localhost:", None),
            ("http://a b", None),
            ("1http://a", None),
            ("", None),
        ] {
            assert_eq!(origin(text).as_deref(), sent, "{text}");
            let added = Origins::default().add(text.to_owned());
            assert_eq!(added.is_ok(), sent.is_some(), "{text}");
        }
    }

    #[test]
    fn recognizes_its_own_pages_only_by_addresses_and_local_names() {
        for (origin, host, own) in [
            ("http://127.0.0.1:9001", "127.0.0.1:9001", true),
            ("http://localhost:9001", "localhost:9001", true),
            ("http://[::1]:9001", "[::1]:9001", true),
            ("http://localhost.:9001", "localhost.:9001", true),
            ("http://localhost..:9001", "localhost..:9001", false),
            ("http://localhost:3000", "localhost:9001", false),
            ("http://localhost:9001", "127.0.0.1:9001", false),
            ("https://localhost:9001", "localhost:9001", false),
            // DNS rebinding.
            ("http://evil.example:9001", "evil.example:9001", false),
            ("http://evillocalhost:9001", "evillocalhost:9001", false),
            ("null", "localhost:9001", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ORIGIN, HeaderValue::from_static(origin));
            headers.insert(HOST, HeaderValue::from_static(host));
            let caller = Origins::default().caller(&headers);
            let is_own = caller == Caller::Own;
            assert_eq!(is_own, own, "{origin} {host}");
        }
    }
}
