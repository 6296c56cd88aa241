//! Sends requests to the services that issue credentials, with timeouts and retries.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{HeaderValue, Request, Response, Uri, header};
use lambda_invoke_transport::{Timeouts, port_of};

use crate::system::HttpClient;
use crate::{Error, ErrorKind, random, trace};

const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("lambda-invoke/", env!("CARGO_PKG_VERSION")));

/// How long one attempt may take, and how many there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) connect: Duration,
    pub(crate) total: Duration,
    pub(crate) attempts: u32,
    /// Whether an attempt without a response is followed by another one.
    pub(crate) retries_silence: bool,
}

impl Limits {
    /// The limits for a service in the region.
    pub(crate) const SERVICE: Self = Self {
        connect: Duration::from_secs(5),
        total: Duration::from_secs(15),
        attempts: 3,
        retries_silence: true,
    };
}

/// The delay before the second attempt; it doubles with each further one.
const BACKOFF: Duration = Duration::from_millis(100);

/// Sends the request that `make` creates for each attempt, as long as the response `is_retryable`
/// and attempts are left. Returns the last response in any case.
///
/// # Errors
///
/// If there is no response. The error shows the host, but no header or body.
pub(crate) async fn send(
    client: &dyn HttpClient,
    limits: Limits,
    make: impl Fn() -> Result<Request<Bytes>, Error>,
    is_retryable: impl Fn(&Response<Bytes>) -> bool,
) -> Result<Response<Bytes>, Error> {
    let mut attempt = 1;
    loop {
        let mut request = make()?;
        let place = origin(request.uri());
        let timeouts = Timeouts::none()
            .with_connect(limits.connect)
            .with_total(limits.total);
        request.extensions_mut().insert(timeouts);
        request.headers_mut().insert(header::USER_AGENT, AGENT);
        let is_last = attempt >= limits.attempts;
        let result = tokio::time::timeout(limits.total, client.send(request)).await;
        trace::responded(&place, attempt, &result);
        match result {
            Ok(Ok(response)) if is_last || !is_retryable(&response) => return Ok(response),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                if is_last || !limits.retries_silence {
                    let message = format!("no response from {place}");
                    return Err(Error::new(ErrorKind::Unavailable, message).with_source(error));
                }
            }
            Err(_) => {
                if is_last || !limits.retries_silence {
                    return Err(Error::new(
                        ErrorKind::Unavailable,
                        format!("no response from {place} within {:?}", limits.total),
                    ));
                }
            }
        }
        let backoff = BACKOFF.saturating_mul(1 << (attempt - 1).min(8));
        tokio::time::sleep(backoff.mul_f64(0.5 + random::fraction() / 2.0)).await;
        attempt += 1;
    }
}

/// Whether a response says that the same request may succeed a moment later.
pub(crate) fn is_overloaded(response: &Response<Bytes>) -> bool {
    response.status().is_server_error() || response.status().as_u16() == 429
}

/// Scheme and authority of a URI, for messages: paths and queries may name accounts.
pub(crate) fn origin(uri: &Uri) -> String {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    format!("{}://{authority}", uri.scheme_str().unwrap_or_default())
}

/// An address that paths are appended to.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    text: String,
}

impl Base {
    /// Parses `http://` or `https://`, a host, and optionally a port and a path. `by` names the
    /// setting.
    ///
    /// # Errors
    ///
    /// If it is anything else. The error does not repeat the text, which may contain a password.
    pub(crate) fn parse(text: &str, by: &str) -> Result<Self, Error> {
        let wrong = |what: &str| {
            Error::configuration(format!(
                "{by} {what}; it should look like http://127.0.0.1:8080"
            ))
        };
        let uri: Uri = text
            .parse()
            .map_err(|error| wrong("is not a URL").with_source(error))?;
        if uri.scheme() != Some(&Scheme::HTTP) && uri.scheme() != Some(&Scheme::HTTPS) {
            return Err(wrong("does not begin with http:// or https://"));
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(wrong("has no host"));
        }
        if uri
            .authority()
            .is_some_and(|one| one.as_str().contains('@'))
        {
            return Err(wrong("has a user's name, which would not be used"));
        }
        port_of(&uri).map_err(|error| wrong("has an invalid port").with_source(error))?;
        if uri.query().is_some() || text.contains('#') {
            return Err(wrong("has a query or a fragment"));
        }
        Ok(Self {
            text: text.to_owned(),
        })
    }

    /// The address itself, for the root of a service.
    pub(crate) fn root(&self) -> Result<Uri, Error> {
        self.uri(&self.text)
    }

    /// Appends a path that begins with `/`, with exactly one slash between the two.
    pub(crate) fn join(&self, path: &str) -> Result<Uri, Error> {
        self.uri(&format!("{}{path}", self.text.trim_end_matches('/')))
    }

    fn uri(&self, text: &str) -> Result<Uri, Error> {
        text.parse().map_err(|error| {
            Error::configuration("a request's address is not valid").with_source(error)
        })
    }
}

/// An address as it was set. `Debug` shows it only if it can be used: one that cannot may contain a
/// password.
#[derive(Clone)]
pub(crate) struct Address(pub(crate) String);

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Base::parse(&self.0, "it") {
            Ok(_) => self.0.fmt(f),
            Err(error) => write!(f, "({})", error.summary()),
        }
    }
}

/// Percent-encodes text for a query or a form (RFC 3986, section 2.3).
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// The start of a service's message, on one line and safe for a terminal.
pub(crate) fn excerpt(text: &str) -> String {
    const MOST: usize = 400;
    let line: String = text
        .chars()
        .map(|one| if is_interpreted(one) { ' ' } else { one })
        .take(MOST)
        .collect();
    line.trim().to_owned()
}

/// Whether a terminal interprets the character instead of showing it: the rule of
/// `lambda_invoke_error::text::is_interpreted`, on which this crate does not depend.
fn is_interpreted(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_has_nothing_that_a_terminal_interprets() {
        let text = excerpt("\u{1b}[2Jno\n\u{202e}key\u{2066}\u{61c} Zoë ");
        assert_eq!(text, "[2Jno  key   Zoë");
        assert_eq!(excerpt(&"é".repeat(1000)).chars().count(), 400);
    }

    #[test]
    fn an_address_and_a_path_have_one_slash_between_them() {
        for (base, root, joined) in [
            ("http://h:1", "http://h:1/", "http://h:1/v1/token"),
            ("http://h:1/", "http://h:1/", "http://h:1/v1/token"),
            ("https://h/pre", "https://h/pre", "https://h/pre/v1/token"),
            ("https://h/pre/", "https://h/pre/", "https://h/pre/v1/token"),
        ] {
            let base = Base::parse(base, "X").unwrap();
            assert_eq!(base.root().unwrap().to_string(), root);
            assert_eq!(base.join("/v1/token").unwrap().to_string(), joined);
        }
        for (text, what) in [
            ("", "is not a URL"),
            ("h:1", "does not begin"),
            ("/path", "does not begin"),
            ("http://user:hunter2@h", "a user's name"),
            ("http://h:99999", "an invalid port"),
            ("http://h/?hunter2", "a query"),
            ("http://h/#hunter2", "a query"),
        ] {
            let error = Base::parse(text, "X").unwrap_err();
            assert!(error.to_string().starts_with("X "), "{error}");
            assert!(error.to_string().contains(what), "{text}: {error}");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn encodes_all_but_the_unreserved_characters() {
        assert_eq!(
            encoded("arn:aws:iam::1:role/a b+é~"),
            "arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa%20b%2B%C3%A9~"
        );
    }
}
