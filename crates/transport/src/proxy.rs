//! Which requests go through which proxy.

use std::env;
use std::fmt;
use std::sync::Arc;

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use crate::Error;

/// Rules for which requests go through a proxy, and which.
///
/// An `https` request goes through a tunnel that the proxy opens (`CONNECT`), so that the proxy
/// reads nothing of it; an `http` request is handed to the proxy with its whole URI. A user name
/// and password in the proxy's address (percent-encoded) are sent to it as
/// `Proxy-Authorization: Basic`. The proxy itself is reached over `http` or `https`. SOCKS is
/// refused, with an error.
///
/// The rules are read once, here; nothing is read from the environment unless
/// [`from_env`](Self::from_env) is called.
///
/// # Example
///
/// ```
/// use lambda_invoke_transport::{Proxy, Transport};
///
/// let proxy = Proxy::builder()
///     .https("http://user:secret@proxy.example:3128")
///     .no("localhost, .internal.example, 10.0.0.0/8")
///     .build()?;
/// let via = proxy.via(&"https://lambda.eu-west-1.amazonaws.com".parse().unwrap());
/// assert_eq!(via.unwrap(), "http://proxy.example:3128/");
/// assert_eq!(proxy.via(&"https://vpce.internal.example".parse().unwrap()), None);
///
/// let transport = Transport::builder().proxy(proxy).build();
/// # Ok::<(), lambda_invoke_transport::Error>(())
/// ```
#[derive(Clone)]
pub struct Proxy(Arc<Matcher>);

impl Proxy {
    /// Starts with no rule: nothing goes through a proxy.
    #[must_use]
    pub fn builder() -> ProxyBuilder {
        ProxyBuilder::default()
    }

    /// The rules of the environment, as curl reads them: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`
    /// and `NO_PROXY`, each also in lower case. Where `REQUEST_METHOD` is set, as for a CGI
    /// program, all of them are ignored, since a caller could set `HTTP_PROXY` by a header.
    ///
    /// # Errors
    ///
    /// If one of them is not the address of an HTTP proxy: it is not ignored, since the requests
    /// would then go out past the proxy. The error names the variable and not its value, which may
    /// hold a password.
    pub fn from_env() -> Result<Self, Error> {
        if env::var_os("REQUEST_METHOD").is_none() {
            for names in [
                ["ALL_PROXY", "all_proxy"],
                ["HTTP_PROXY", "http_proxy"],
                ["HTTPS_PROXY", "https_proxy"],
            ] {
                let found = names
                    .iter()
                    .find_map(|name| Some((name, env::var_os(name)?)));
                if let Some((name, value)) = found {
                    check(name, value.to_str().unwrap_or("\0"))?;
                }
            }
        }
        Ok(Self(Arc::new(Matcher::from_env())))
    }

    /// The proxy that a request to this URI goes through; `None` if it goes straight to the
    /// server.
    #[must_use]
    pub fn via(&self, uri: &Uri) -> Option<Uri> {
        self.intercept(uri).map(|found| found.uri().clone())
    }

    pub(crate) fn intercept(&self, uri: &Uri) -> Option<Intercept> {
        self.0.intercept(uri)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Builds the rules of a [`Proxy`].
///
/// An address is a URI such as `http://proxy.example:3128`; without a scheme it is `http`.
#[derive(Clone, Default)]
pub struct ProxyBuilder {
    all: String,
    http: String,
    https: String,
    no: String,
}

impl ProxyBuilder {
    /// The proxy for what has none of its own.
    #[must_use]
    pub fn all(mut self, address: impl Into<String>) -> Self {
        self.all = address.into();
        self
    }

    /// The proxy for `http` requests.
    #[must_use]
    pub fn http(mut self, address: impl Into<String>) -> Self {
        self.http = address.into();
        self
    }

    /// The proxy for `https` requests.
    #[must_use]
    pub fn https(mut self, address: impl Into<String>) -> Self {
        self.https = address.into();
        self
    }

    /// Hosts that are reached without a proxy, separated by commas: a name (with all names below
    /// it), an IP address, a network such as `10.0.0.0/8`, or `*` for all.
    #[must_use]
    pub fn no(mut self, hosts: impl Into<String>) -> Self {
        self.no = hosts.into();
        self
    }

    /// The rules.
    ///
    /// # Errors
    ///
    /// If an address is not that of an HTTP proxy. The error does not show it, since it may hold
    /// a password.
    pub fn build(self) -> Result<Proxy, Error> {
        check("the proxy for all requests", &self.all)?;
        check("the proxy for http", &self.http)?;
        check("the proxy for https", &self.https)?;
        let matcher = Matcher::builder()
            .all(self.all)
            .http(self.http)
            .https(self.https)
            .no(self.no);
        Ok(Proxy(Arc::new(matcher.build())))
    }
}

impl fmt::Debug for ProxyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The addresses may hold passwords.
        f.debug_struct("ProxyBuilder")
            .field("no", &self.no)
            .finish_non_exhaustive()
    }
}

/// The matcher passes over an address that it cannot read; so none such may reach it.
fn check(what: &str, address: &str) -> Result<(), Error> {
    if address.is_empty() {
        return Ok(());
    }
    let wrong = |why: &str| Err(Error::configuration(format!("{what} {why}")));
    let Ok(uri) = address.parse::<Uri>() else {
        return wrong("is not a URI such as http://proxy.example:3128");
    };
    match uri.scheme_str() {
        None | Some("http" | "https") => {}
        Some(_) => return wrong("is of a kind that is not supported: only http and https are"),
    }
    match uri.host() {
        None | Some("") => wrong("names no host"),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_the_matcher_would_pass_over() {
        for (address, why) in [
            ("socks5://localhost:1080", "only http and https"),
            ("http://user:hunter2 @proxy:3128", "is not a URI"),
            ("/proxy", "names no host"),
            ("http://", "is not a URI"),
        ] {
            let error = Proxy::builder().https(address).build().unwrap_err();
            assert!(error.to_string().contains(why), "{address}: {error}");
            assert!(!format!("{error:?}").contains("hunter2"));
            assert_eq!(error.kind(), crate::ErrorKind::Configuration);
        }
    }

    #[test]
    fn an_address_without_a_scheme_is_http() {
        let proxy = Proxy::builder().all("proxy.example:3128").build().unwrap();
        let via = proxy.via(&Uri::from_static("https://lambda.example/"));
        assert_eq!(via.unwrap(), "http://proxy.example:3128/");
    }

    #[test]
    fn shows_no_password() {
        let builder = Proxy::builder().all("http://user:hunter2@proxy.example");
        assert!(!format!("{builder:?}").contains("hunter2"));
        assert!(!format!("{:?}", builder.build().unwrap()).contains("hunter2"));
    }
}
