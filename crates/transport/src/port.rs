//! The port of a URI, where "none" and "not a port" are distinguished.

use std::fmt;

use http::Uri;

/// Returns the port that a URI names; `None` if it names none, so that its scheme decides.
///
/// [`Uri::port_u16`] gives `None` for both `http://host` and `http://host:99999`. A client that
/// relies on it sends the second request to port 80, which its URI does not name. A port here
/// is a decimal number from 1 to 65535 without a sign or leading zeros, so that each port has one
/// text, which is also the one in the `Host` header and in a signature.
///
/// [`Transport`](crate::Transport) and [`Proxy`](crate::Proxy) apply it to every URI.
///
/// # Errors
///
/// If the text after the host is not a colon and a port, such as `:`, `:0` or `:65536`.
///
/// # Example
///
/// ```
/// use lambda_invoke_transport::port_of;
///
/// assert_eq!(port_of(&"http://localhost:9001/".parse()?), Ok(Some(9001)));
/// assert_eq!(port_of(&"http://[::1]/".parse()?), Ok(None));
/// assert!(port_of(&"http://localhost:99999/".parse()?).is_err());
/// # Ok::<(), http::uri::InvalidUri>(())
/// ```
pub fn port_of(uri: &Uri) -> Result<Option<u16>, InvalidPort> {
    let Some(authority) = uri.authority() else {
        return Ok(None);
    };
    let text = authority.as_str();
    let host_and_port = text.rsplit_once('@').map_or(text, |(_, rest)| rest);
    let after_host = match host_and_port.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or(InvalidPort)?.1,
        None => host_and_port
            .find(':')
            .map_or("", |colon| &host_and_port[colon..]),
    };
    if after_host.is_empty() {
        return Ok(None);
    }
    let port = after_host.strip_prefix(':').ok_or(InvalidPort)?;
    parse(port).map(Some)
}

/// Parses the text of a port.
pub(crate) fn parse(text: &str) -> Result<u16, InvalidPort> {
    // `u16::from_str` takes a plus sign.
    if text.starts_with('0') || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(InvalidPort);
    }
    text.parse().map_err(|_| InvalidPort)
}

/// The text after the host of a URI is not a port.
///
/// The text itself is not repeated: in `http://user:secret`, which lacks a host, it is a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidPort;

impl fmt::Display for InvalidPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the text after the host is not a port: expected a colon and a number from 1 to 65535",
        )
    }
}

impl std::error::Error for InvalidPort {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_port_or_none() {
        for (uri, port) in [
            ("http://host", None),
            ("http://host/a:b?c=d:e", None),
            ("http://host:1", Some(1)),
            ("https://host:65535/", Some(65_535)),
            ("http://user:99999@host", None),
            ("http://user:99999@host:80", Some(80)),
            ("http://[::1]", None),
            ("http://[fd00::1:2]:8443/", Some(8443)),
            ("/path:99999", None),
            ("host:80", Some(80)),
        ] {
            assert_eq!(port_of(&uri.parse().unwrap()), Ok(port), "{uri}");
        }
    }

    #[test]
    fn rejects_every_text_that_is_not_a_port() {
        for port in [
            ":",
            ":0",
            ":00",
            ":080",
            ":65536",
            ":99999",
            ":4294967376",
            ":18446744073709551696",
            ":+80",
            ":-80",
            ":80a",
            ":a",
            ":0x50",
            ":8_0",
            ":80.",
            ":8%30",
            ":80:80",
        ] {
            for host in ["host", "127.0.0.1", "[::1]", "user:80@host"] {
                let text = format!("http://{host}{port}/");
                // A text that `http` rejects is rejected earlier.
                if let Ok(uri) = text.parse() {
                    assert_eq!(port_of(&uri), Err(InvalidPort), "{text}");
                }
            }
        }
        for text in ["http://host: 80/", "http://host:80 /", "http://host:８０/"] {
            assert!(text.parse::<Uri>().is_err(), "{text}");
        }
        assert_eq!(parse("８０"), Err(InvalidPort));
    }
}
