//! The address that requests are sent to.

use std::fmt;
use std::str::FromStr;

use http::uri::Scheme;
use http::{HeaderValue, Uri};
use lambda_invoke_sigv4::host_of;
use lambda_invoke_sigv4::region::{self, Variant};
use lambda_invoke_transport::port_of;

use crate::Error;

/// The address of the service: scheme, authority, and optionally a path before the operation's,
/// such as a gateway's.
///
/// [`ClientBuilder::endpoint_url`](crate::ClientBuilder::endpoint_url) takes it as text. This type is
/// for programs that validate an address before they build a client.
///
/// # Example
///
/// ```
/// use lambda_invoke::EndpointUrl;
///
/// let url = EndpointUrl::try_from("http://127.0.0.1:9001")?;
/// assert_eq!(url.uri().port_u16(), Some(9001));
/// assert!(EndpointUrl::try_from("http://127.0.0.1:99999").is_err());
/// # Ok::<(), lambda_invoke::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct EndpointUrl {
    uri: Uri,
    /// The value of the `host` header, made once instead of for every request.
    host: HeaderValue,
}

impl EndpointUrl {
    /// Creates the service's own endpoint in a region.
    ///
    /// # Errors
    ///
    /// If the region cannot be part of a host name.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke::{EndpointUrl, EndpointVariant};
    ///
    /// let endpoint = EndpointUrl::of_region("cn-north-1", EndpointVariant::default())?;
    /// assert_eq!(endpoint.uri().host(), Some("lambda.cn-north-1.amazonaws.com.cn"));
    /// # Ok::<(), lambda_invoke::Error>(())
    /// ```
    pub fn of_region(region: &str, variant: Variant) -> Result<Self, Error> {
        let host = region::host("lambda", region, variant).map_err(|error| {
            Error::configuration("the region cannot be used").with_source(error)
        })?;
        format!("https://{host}").parse()
    }

    /// Returns the address, with `/` for an empty path.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Returns scheme and authority, for messages.
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

    pub(crate) fn is_https(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }

    pub(crate) fn host(&self) -> &HeaderValue {
        &self.host
    }
}

impl FromStr for EndpointUrl {
    type Err = Error;

    /// Parses an address: `http://` or `https://`, a host, and optionally a port and a path.
    ///
    /// Anything else is an error, not ignored: a port that is not a number from 1 to 65535, a user
    /// name, a query or a fragment. The error does not repeat the text, which may contain a
    /// password.
    fn from_str(url: &str) -> Result<Self, Error> {
        let error = |what: &str| {
            Error::configuration(format!(
                "the endpoint's address {what}; it should look like `http://127.0.0.1:9001`"
            ))
        };
        let uri: Uri = url
            .parse()
            .map_err(|source| error("is not a URL").with_source(source))?;
        if uri.scheme() != Some(&Scheme::HTTP) && uri.scheme() != Some(&Scheme::HTTPS) {
            return Err(error("does not begin with http:// or https://"));
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(error("has no host"));
        }
        if uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'))
        {
            return Err(error("has a user's name, which would not be used"));
        }
        port_of(&uri).map_err(|source| error("has an invalid port").with_source(source))?;
        if uri.query().is_some() {
            return Err(error("has a query"));
        }
        // `Uri` drops it.
        if url.contains('#') {
            return Err(error("has a fragment"));
        }
        let host = HeaderValue::try_from(host_of(&uri).unwrap_or_default()).map_err(|source| {
            error("has a host that is not a valid header value").with_source(source)
        })?;
        Ok(Self { uri, host })
    }
}

impl TryFrom<&str> for EndpointUrl {
    type Error = Error;

    /// Parses an address, as [`FromStr`] does.
    fn try_from(url: &str) -> Result<Self, Error> {
        url.parse()
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
            assert_eq!(EndpointUrl::try_from(url).unwrap().uri(), url);
        }
        let of_region = EndpointUrl::of_region("eusc-de-east-1", Variant::default()).unwrap();
        assert_eq!(
            of_region.uri(),
            "https://lambda.eusc-de-east-1.amazonaws.eu/"
        );
        assert!(of_region.is_https());
    }

    #[test]
    fn the_host_header_has_the_port_unless_it_is_the_default() {
        for (url, host) in [
            ("http://127.0.0.1:9001", "127.0.0.1:9001"),
            ("http://localhost:80/lambda", "localhost"),
            ("http://localhost:443", "localhost:443"),
            ("https://[::1]:443", "[::1]"),
            ("https://[::1]:80", "[::1]:80"),
            ("https://gateway.example/lambda", "gateway.example"),
        ] {
            assert_eq!(EndpointUrl::try_from(url).unwrap().host(), host, "{url}");
        }
    }

    #[test]
    fn rejects_other_text_and_says_why() {
        for (url, why) in [
            ("", "not a URL"),
            ("127.0.0.1:9001", "begin with http"),
            ("localhost", "begin with http"),
            ("/lambda", "begin with http"),
            ("ftp://host", "begin with http"),
            ("http://user:secret@host", "user's name"),
            ("http://host/?a=b", "query"),
            ("http://a b", "not a URL"),
            ("http://host/#here", "fragment"),
            ("http://host#here", "fragment"),
            ("http://", "not a URL"),
            ("http://:9001", "has no host"),
            ("http://host:99999", "an invalid port"),
            ("http://host:0", "an invalid port"),
            ("http://host:", "an invalid port"),
            ("https://host:+443/lambda", "an invalid port"),
            ("http://[::1]:x", "an invalid port"),
            ("http://user:secret", "an invalid port"),
            ("http://host: 80", "not a URL"),
            ("http://host:８０", "not a URL"),
        ] {
            let error = EndpointUrl::try_from(url).unwrap_err();
            assert!(error.to_string().contains(why), "{url}: {error}");
            assert!(!error.to_string().contains("secret"));
        }
    }
}
