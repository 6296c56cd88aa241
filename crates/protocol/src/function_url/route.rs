//! Which function a request to a local endpoint addresses.

use std::borrow::Cow;

use crate::path::decode;

/// The function that a request addresses by its URL, and the path that the function sees.
///
/// A local endpoint has two forms of a URL: `http://HOST/url/NAME/...` and
/// `http://NAME.localhost/...`. The path stays as it was sent, without the prefix `/url/NAME`.
///
/// # Example
///
/// ```
/// use lambda_invoke_protocol::function_url::UrlRoute;
///
/// let route = UrlRoute::find(Some("127.0.0.1:9001"), "/url/chat/a%20b//").unwrap();
/// assert_eq!((&*route.function_name, route.path), ("chat", "/a%20b//"));
/// let route = UrlRoute::find(Some("chat.localhost:9001"), "/url/x").unwrap();
/// assert_eq!((&*route.function_name, route.path), ("chat", "/url/x"));
/// assert_eq!(UrlRoute::find(Some("localhost:9001"), "/health"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UrlRoute<'a> {
    /// The function's name, decoded but not validated. Host names are case-insensitive, and
    /// browsers send the name in lower case.
    pub function_name: Cow<'a, str>,
    /// Whether the name was found in the host.
    pub by_host: bool,
    /// The raw path without the prefix; it begins with `/`.
    pub path: &'a str,
}

impl<'a> UrlRoute<'a> {
    /// Finds the function for a `Host` (with or without a port) and a raw path; `None` if the
    /// request addresses no function by URL.
    #[must_use]
    pub fn find(host: Option<&'a str>, path: &'a str) -> Option<Self> {
        if let Some(name) = host.and_then(subdomain) {
            return Some(Self {
                function_name: name.into(),
                by_host: true,
                path: if path.is_empty() { "/" } else { path },
            });
        }
        let rest = path.strip_prefix("/url/")?;
        let end = rest.find('/').unwrap_or(rest.len());
        let (name, path) = rest.split_at(end);
        if name.is_empty() {
            return None;
        }
        Some(Self {
            function_name: decode(name, false),
            by_host: false,
            path: if path.is_empty() { "/" } else { path },
        })
    }
}

/// Returns the label before `.localhost`, which RFC 6761 reserves for the loopback interface.
fn subdomain(host: &str) -> Option<&str> {
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
        if is_port { name } else { host }
    });
    let name = name.strip_suffix('.').unwrap_or(name);
    let (label, domain) = name.split_once('.')?;
    (domain.eq_ignore_ascii_case("localhost") && !label.is_empty()).then_some(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_function_by_path_or_host() {
        for (host, path, expected) in [
            ("127.0.0.1:9001", "/url/f", Some(("f", "/"))),
            ("127.0.0.1:9001", "/url/f/", Some(("f", "/"))),
            ("127.0.0.1:9001", "/url/f//x", Some(("f", "//x"))),
            ("localhost", "/url/f/url/g", Some(("f", "/url/g"))),
            (
                "localhost",
                "/url/f%3Alive/x%2Fy",
                Some(("f:live", "/x%2Fy")),
            ),
            ("F.LocalHost", "/", Some(("F", "/"))),
            ("f.localhost.:80", "/a", Some(("f", "/a"))),
            ("f.localhost:9001", "*", Some(("f", "*"))),
            ("localhost", "/url", None),
            ("localhost", "/url/", None),
            ("localhost", "/url//x", None),
            ("localhost", "/urls/f", None),
            ("localhost:9001", "/", None),
            (".localhost", "/", None),
            ("a.b.localhost", "/", None),
            ("f.localhost.example", "/", None),
            ("f.notlocalhost", "/", None),
            ("[::1]:9001", "/", None),
        ] {
            let route = UrlRoute::find(Some(host), path);
            let found = route
                .as_ref()
                .map(|route| (&*route.function_name, route.path));
            assert_eq!(found, expected, "{host} {path}");
        }
    }
}
