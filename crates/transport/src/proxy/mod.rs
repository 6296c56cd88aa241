//! Decides which requests go through which proxy.

mod environment;
mod except;

use std::env;
use std::fmt;
use std::sync::Arc;

use http::Uri;
use http::uri::Scheme;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use self::except::Exceptions;
use crate::Error;
use crate::port::port_of;

/// Rules for which requests go through a proxy, and which.
///
/// An `https` request goes through a tunnel that the proxy opens (`CONNECT`), so the proxy cannot
/// read it; an `http` request is sent to the proxy with its whole URI. A user name and password in
/// the proxy's address (percent-encoded) are sent to the proxy as `Proxy-Authorization: Basic`. The
/// proxy itself is reached over `http` or `https`; a request that would go through another kind of
/// proxy, such as SOCKS, fails.
///
/// The environment is not read unless [`from_env`](Self::from_env) is called, which reads it once.
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
/// assert_eq!(via?.unwrap(), "http://proxy.example:3128/");
/// assert_eq!(proxy.via(&"https://vpce.internal.example".parse().unwrap())?, None);
///
/// let transport = Transport::builder().proxy(proxy).build();
/// # Ok::<(), lambda_invoke_transport::Error>(())
/// ```
#[derive(Clone)]
pub struct Proxy(Arc<Rules>);

#[derive(Debug)]
struct Rules {
    http: Option<Rule>,
    https: Option<Rule>,
    except: Exceptions,
}

impl Proxy {
    /// Starts with no rule: nothing goes through a proxy.
    #[must_use]
    pub fn builder() -> ProxyBuilder {
        ProxyBuilder::default()
    }

    /// Reads the rules of the environment, as curl and boto3 do.
    ///
    /// `https_proxy` is for `https` requests, `http_proxy` for `http` requests, `all_proxy` for
    /// requests without a proxy of their own, and `no_proxy` lists hosts that are reached without
    /// one (see [`ProxyBuilder::no`]). Each name can also be written in upper case; lower case
    /// takes precedence, and an empty variable counts as absent. If `REQUEST_METHOD` is set, as for
    /// a CGI program, `HTTP_PROXY` is ignored, since a caller could set it by a header.
    ///
    /// If a variable is not the address of an HTTP proxy, the requests that it applies to fail
    /// before anything is sent: ignoring it would bypass the proxy. The error names the variable
    /// but not its value, which may contain a password.
    #[must_use]
    pub fn from_env() -> Self {
        environment::rules(|name| env::var_os(name))
    }

    /// Returns the proxy that a request to this URI goes through; `None` if it goes directly to the
    /// server.
    ///
    /// # Errors
    ///
    /// If the environment variable that applies to it is not the address of an HTTP proxy.
    pub fn via(&self, uri: &Uri) -> Result<Option<Uri>, Error> {
        let found = self.intercept(uri)?;
        Ok(found.map(|found| found.uri().clone()))
    }

    pub(crate) fn intercept(&self, uri: &Uri) -> Result<Option<&Intercept>, Error> {
        let rule = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => &self.0.http,
            Some(scheme) if *scheme == Scheme::HTTPS => &self.0.https,
            _ => &None,
        };
        match rule {
            None => Ok(None),
            Some(_) if self.0.except.contain(uri) => Ok(None),
            Some(Rule::Through(proxy)) => Ok(Some(proxy)),
            Some(Rule::Unusable(error)) => Err(error.again()),
        }
    }

    fn new(http: Option<Rule>, https: Option<Rule>, except: Exceptions) -> Self {
        Self(Arc::new(Rules {
            http,
            https,
            except,
        }))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a request goes, unless its host is excepted.
#[derive(Debug)]
enum Rule {
    Through(Intercept),
    Unusable(Error),
}

impl Clone for Rule {
    fn clone(&self) -> Self {
        match self {
            Self::Through(proxy) => Self::Through(proxy.clone()),
            Self::Unusable(error) => Self::Unusable(error.again()),
        }
    }
}

impl Rule {
    /// Reads a proxy's address; `what` names it in the error.
    fn parse(what: &str, address: &str) -> Self {
        match parse(address) {
            Ok(proxy) => Self::Through(proxy),
            Err(why) => Self::Unusable(Error::configuration(format!("{what}{why}"))),
        }
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
    /// Sets the proxy for requests whose scheme has no separate proxy.
    #[must_use]
    pub fn all(mut self, address: impl Into<String>) -> Self {
        self.all = address.into();
        self
    }

    /// Sets the proxy for `http` requests.
    #[must_use]
    pub fn http(mut self, address: impl Into<String>) -> Self {
        self.http = address.into();
        self
    }

    /// Sets the proxy for `https` requests.
    #[must_use]
    pub fn https(mut self, address: impl Into<String>) -> Self {
        self.https = address.into();
        self
    }

    /// Sets the hosts that are reached without a proxy, separated by commas or white space: a name
    /// (with all names below it, whether it begins with a dot or not), an IP address, a network
    /// such as `10.0.0.0/8`, or `*` for all. A name or an address can have a port:
    /// `localhost:9001`, `[::1]:9001`.
    #[must_use]
    pub fn no(mut self, hosts: impl Into<String>) -> Self {
        self.no = hosts.into();
        self
    }

    /// Builds the rules.
    ///
    /// # Errors
    ///
    /// If an address is not an HTTP proxy's. The error does not show the address, which may
    /// contain a password.
    pub fn build(self) -> Result<Proxy, Error> {
        let rule = |what, address: &str| {
            let rule = (!address.is_empty()).then(|| Rule::parse(what, address));
            match rule {
                Some(Rule::Unusable(error)) => Err(error),
                usable => Ok(usable),
            }
        };
        let all = rule("the proxy for all requests", &self.all)?;
        Ok(Proxy::new(
            rule("the proxy for http", &self.http)?.or_else(|| all.clone()),
            rule("the proxy for https", &self.https)?.or(all),
            Exceptions::parse(&self.no),
        ))
    }
}

impl fmt::Debug for ProxyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The addresses may contain passwords.
        f.debug_struct("ProxyBuilder")
            .field("no", &self.no)
            .finish_non_exhaustive()
    }
}

/// Parses the address of a proxy. The error does not quote it.
fn parse(address: &str) -> Result<Intercept, String> {
    let no_uri = " is not a URI such as http://proxy.example:3128";
    let uri: Uri = address.parse().map_err(|_| no_uri)?;
    match uri.scheme_str() {
        None | Some("http" | "https") => {}
        Some(_) => {
            return Err(" has an unsupported scheme: expected http or https".to_owned());
        }
    }
    if uri.host().is_none_or(str::is_empty) {
        return Err(" names no host".to_owned());
    }
    port_of(&uri).map_err(|error| format!(": {error}"))?;
    // `Matcher` handles percent-encoding and Basic authorization.
    let matcher = Matcher::builder().all(address).build();
    let any = Uri::from_static("http://server.invalid/");
    matcher.intercept(&any).ok_or_else(|| no_uri.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_what_the_matcher_would_pass_over() {
        for (address, why) in [
            ("socks5://localhost:1080", "expected http or https"),
            ("http://user:hunter2 @proxy:3128", "is not a URI"),
            ("/proxy", "names no host"),
            ("http://", "is not a URI"),
            ("http://proxy:99999", "1 to 65535"),
            ("http://user:hunter2@proxy:", "1 to 65535"),
            ("proxy:0", "1 to 65535"),
            ("http://user:hunter2", "1 to 65535"),
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
        assert_eq!(via.unwrap().unwrap(), "http://proxy.example:3128/");
    }

    #[test]
    fn only_requests_by_http_go_through_a_proxy() {
        let proxy = Proxy::builder().all("proxy.example:3128").build().unwrap();
        for (uri, is_via) in [
            ("http://lambda.example/", true),
            ("https://lambda.example/", true),
            ("ftp://lambda.example/", false),
            ("/path", false),
        ] {
            let via = proxy.via(&Uri::from_static(uri)).unwrap();
            assert_eq!(via.is_some(), is_via, "{uri}");
        }
    }

    #[test]
    fn shows_its_rules_and_no_password() {
        let builder = Proxy::builder()
            .all("http://user:hunter2@proxy.example")
            .no("localhost");
        let debug = format!("{builder:?}");
        assert!(
            debug.contains("localhost") && !debug.contains("hunter2"),
            "{debug}"
        );
        let debug = format!("{:?}", builder.build().unwrap());
        assert!(
            debug.contains("proxy.example") && !debug.contains("hunter2"),
            "{debug}"
        );
    }
}
