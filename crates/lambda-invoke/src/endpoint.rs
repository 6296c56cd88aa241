//! Where requests go.

use std::fmt;

use http::uri::Scheme;
use http::{HeaderValue, Uri};
use lambda_invoke_protocol::region;
use lambda_invoke_sigv4::host_of;

use crate::Error;

/// The service's address: scheme, authority, and perhaps a path before the operation's, as a
/// gateway may have one.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    uri: Uri,
    /// What the `host` header says: made once, and not for every request.
    host: HeaderValue,
}

impl Endpoint {
    /// The service's own endpoint in a region.
    pub(crate) fn of_region(region: &str) -> Result<Self, Error> {
        let host = region::host(region)
            .map_err(|error| Error::configuration("the region cannot be used").because(error))?;
        Self::parse(&format!("https://{host}"))
    }

    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        let error = |what: &str| {
            Error::configuration(format!(
                "the endpoint's address {what}; it should look like `http://127.0.0.1:9001`"
            ))
        };
        let uri: Uri = url
            .parse()
            .map_err(|source| error("is no URL").because(source))?;
        if uri.scheme() != Some(&Scheme::HTTP) && uri.scheme() != Some(&Scheme::HTTPS) {
            return Err(error("does not begin with http:// or https://"));
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(error("names no host"));
        }
        if uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'))
        {
            return Err(error(
                "has a user's name in it, which nothing here would use",
            ));
        }
        if uri.query().is_some() {
            return Err(error("has a query"));
        }
        let host = HeaderValue::try_from(host_of(&uri).unwrap_or_default())
            .map_err(|source| error("names a host that no header can hold").because(source))?;
        Ok(Self { uri, host })
    }

    pub(crate) fn is_https(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }

    /// Scheme and authority, for messages.
    pub(crate) fn origin(&self) -> impl fmt::Display + '_ {
        struct Origin<'u>(&'u Uri);

        impl fmt::Display for Origin<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let scheme = self.0.scheme_str().unwrap_or_default();
                let authority = self
                    .0
                    .authority()
                    .map_or("", |authority| authority.as_str());
                write!(f, "{scheme}://{authority}")
            }
        }

        Origin(&self.uri)
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(crate) fn host(&self) -> &HeaderValue {
        &self.host
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_host_port_and_prefix() {
        for url in [
            "http://127.0.0.1:9001/",
            "https://[::1]:8443/",
            "https://gateway.example/lambda/",
        ] {
            assert_eq!(Endpoint::parse(url).unwrap().uri(), url);
        }
        let of_region = Endpoint::of_region("eusc-de-east-1").unwrap();
        assert_eq!(
            of_region.uri(),
            "https://lambda.eusc-de-east-1.amazonaws.eu/"
        );
        assert!(of_region.is_https());
    }

    #[test]
    fn the_host_is_named_with_its_port_unless_that_is_the_usual_one() {
        for (url, host) in [
            ("http://127.0.0.1:9001", "127.0.0.1:9001"),
            ("http://localhost:80/lambda", "localhost"),
            ("http://localhost:443", "localhost:443"),
            ("https://[::1]:443", "[::1]"),
            ("https://[::1]:80", "[::1]:80"),
            ("https://gateway.example/lambda", "gateway.example"),
        ] {
            assert_eq!(Endpoint::parse(url).unwrap().host(), host, "{url}");
        }
    }

    #[test]
    fn refuses_what_is_no_address_and_says_why() {
        for (url, why) in [
            ("", "no URL"),
            ("127.0.0.1:9001", "begin with http"),
            ("localhost", "begin with http"),
            ("/lambda", "begin with http"),
            ("ftp://host", "begin with http"),
            ("http://user:secret@host", "user's name"),
            ("http://host/?a=b", "query"),
            ("http://a b", "no URL"),
        ] {
            let error = Endpoint::parse(url).unwrap_err();
            assert!(error.to_string().contains(why), "{url}: {error}");
            assert!(!error.to_string().contains("secret"));
        }
    }
}
