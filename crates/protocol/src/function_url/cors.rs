//! A URL's settings for cross-origin requests.
//!
//! The settings follow the service's `Cors` structure; the Fetch standard's "CORS protocol"
//! (<https://fetch.spec.whatwg.org/#http-cors-protocol>) defines their meaning on the wire.

use std::fmt;
use std::time::Duration;

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderName,
    HeaderValue, ORIGIN, VARY,
};
use http::request::Parts;
use http::{Method, Response};

/// Which web pages may call a function URL, and what they may read.
///
/// Nothing is allowed until it is added. With these settings the function never sees a preflight
/// request, and its own `Access-Control-*` headers are replaced, as in the service.
///
/// # Example
///
/// ```
/// use lambda_invoke_protocol::function_url::Cors;
///
/// let cors = Cors::new()
///     .allow_origin("http://localhost:3000")?
///     .allow_method("POST")?
///     .allow_header("content-type")?;
/// let (parts, ()) = http::Request::options("/")
///     .header("Origin", "http://localhost:3000")
///     .header("Access-Control-Request-Method", "POST")
///     .body(())
///     .unwrap()
///     .into_parts();
/// let response = cors.preflight(&parts).unwrap();
/// assert_eq!(response.headers()["access-control-allow-methods"], "POST");
/// # Ok::<(), lambda_invoke_protocol::function_url::CorsError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cors {
    origins: Vec<HeaderValue>,
    methods: Vec<HeaderValue>,
    headers: Vec<HeaderValue>,
    exposed: Vec<HeaderValue>,
    credentials: bool,
    max_age: Option<Duration>,
}

/// Why a value was rejected as a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CorsError {
    /// Neither `*` nor an origin such as `http://localhost:3000`, without a path.
    Origin(String),
    /// Neither `*` nor an HTTP method.
    Method(String),
    /// Neither `*` nor the name of a header.
    Header(String),
    /// Longer than a day.
    MaxAge(Duration),
}

impl fmt::Display for CorsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Origin(text) => write!(
                f,
                "{text:?} is not an origin: expected \"*\" or a scheme and a host, such as \
                 \"http://localhost:3000\""
            ),
            Self::Method(text) => write!(f, "{text:?} is not an HTTP method or \"*\""),
            Self::Header(text) => write!(f, "{text:?} is not a header's name or \"*\""),
            Self::MaxAge(age) => {
                write!(
                    f,
                    "a maximum age of {} s is more than 86400 s",
                    age.as_secs()
                )
            }
        }
    }
}

impl std::error::Error for CorsError {}

const ANY: &[u8] = b"*";

impl Cors {
    /// Creates settings that allow nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows the pages of an origin, of every host of a scheme (`https://*`), or of any origin
    /// (`*`).
    ///
    /// # Errors
    ///
    /// If the text is not an origin.
    pub fn allow_origin(mut self, origin: &str) -> Result<Self, CorsError> {
        let error = || CorsError::Origin(origin.to_owned());
        let is_origin = origin == "*"
            || origin == "null"
            || origin.split_once("://").is_some_and(|(scheme, host)| {
                !scheme.is_empty() && !host.is_empty() && !host.contains(['/', '?', '#', '@', ','])
            });
        if !is_origin || origin.contains(char::is_whitespace) {
            return Err(error());
        }
        let lower = origin.to_ascii_lowercase();
        self.origins
            .push(HeaderValue::try_from(lower).map_err(|_| error())?);
        Ok(self)
    }

    /// Allows a method, or any with `*`.
    ///
    /// # Errors
    ///
    /// If the text is not a method.
    pub fn allow_method(mut self, method: &str) -> Result<Self, CorsError> {
        let error = || CorsError::Method(method.to_owned());
        Method::from_bytes(method.as_bytes()).map_err(|_| error())?;
        self.methods
            .push(HeaderValue::from_str(method).map_err(|_| error())?);
        Ok(self)
    }

    /// Allows a request header, or any with `*`.
    ///
    /// # Errors
    ///
    /// If the text is not the name of a header.
    pub fn allow_header(mut self, name: &str) -> Result<Self, CorsError> {
        self.headers.push(header(name)?);
        Ok(self)
    }

    /// Lets pages read a response header, or any with `*`.
    ///
    /// # Errors
    ///
    /// If the text is not the name of a header.
    pub fn expose_header(mut self, name: &str) -> Result<Self, CorsError> {
        self.exposed.push(header(name)?);
        Ok(self)
    }

    /// Allows requests with cookies and other credentials.
    #[must_use]
    pub const fn allow_credentials(mut self) -> Self {
        self.credentials = true;
        self
    }

    /// Sets how long browsers may keep the response to a preflight request.
    ///
    /// # Errors
    ///
    /// If it is longer than a day, the service's maximum.
    pub fn max_age(mut self, age: Duration) -> Result<Self, CorsError> {
        if age > Duration::from_secs(86_400) {
            return Err(CorsError::MaxAge(age));
        }
        self.max_age = Some(age);
        Ok(self)
    }

    /// Returns whether every page may call the URL.
    #[must_use]
    pub fn allows_all(&self) -> bool {
        self.origins.iter().any(|origin| origin.as_bytes() == ANY)
    }

    /// Returns whether a page of this origin may call the URL.
    #[must_use]
    pub fn allows(&self, origin: &HeaderValue) -> bool {
        let origin = origin.as_bytes().to_ascii_lowercase();
        let matches = |allowed: &HeaderValue| match allowed.as_bytes() {
            ANY => true,
            // Every host of a scheme: `https://*`.
            [scheme @ .., b':', b'/', b'/', b'*'] => {
                let rest = origin.strip_prefix(scheme);
                rest.is_some_and(|rest| rest.starts_with(b"://"))
            }
            exact => exact == origin,
        };
        self.origins.iter().any(matches)
    }

    /// Returns the response to a preflight request; `None` for other requests. A page that is not
    /// allowed receives a response without permissions.
    #[must_use]
    pub fn preflight(&self, request: &Parts) -> Option<Response<()>> {
        let headers = &request.headers;
        let requested = headers.get(ACCESS_CONTROL_REQUEST_METHOD);
        if request.method != Method::OPTIONS || requested.is_none() || !headers.contains_key(ORIGIN)
        {
            return None;
        }
        let mut response = Response::new(());
        if self.allow(headers, response.headers_mut()) {
            let permissions = response.headers_mut();
            // With credentials, browsers take `*` literally.
            let wanted = |allowed: &[HeaderValue], wanted: Option<&HeaderValue>| {
                let any = allowed.iter().any(|value| value.as_bytes() == ANY);
                wanted
                    .filter(|_| any && self.credentials)
                    .cloned()
                    .or_else(|| listed(allowed))
            };
            let methods = wanted(&self.methods, requested);
            let allowed = wanted(&self.headers, headers.get(ACCESS_CONTROL_REQUEST_HEADERS));
            insert(permissions, ACCESS_CONTROL_ALLOW_METHODS, methods);
            insert(permissions, ACCESS_CONTROL_ALLOW_HEADERS, allowed);
            let age = self.max_age.map(|age| HeaderValue::from(age.as_secs()));
            insert(permissions, ACCESS_CONTROL_MAX_AGE, age);
        }
        Some(response)
    }

    /// Replaces the CORS headers of the function's response with those of the settings.
    pub fn apply(&self, request: &HeaderMap, response: &mut HeaderMap) {
        let own: Vec<HeaderName> = response
            .keys()
            .filter(|name| name.as_str().starts_with("access-control-"))
            .cloned()
            .collect();
        for name in own {
            response.remove(name);
        }
        // With credentials, browsers take `*` literally.
        let is_literal = self.credentials && self.exposed.iter().any(|name| name == "*");
        let names: Vec<HeaderValue> = match is_literal {
            true => response.keys().cloned().map(HeaderValue::from).collect(),
            false => Vec::new(),
        };
        if self.allow(request, response) {
            let exposed = if is_literal { &names } else { &self.exposed };
            insert(response, ACCESS_CONTROL_EXPOSE_HEADERS, listed(exposed));
        }
    }

    /// Adds the headers that every allowed page needs; returns whether the page is allowed.
    fn allow(&self, request: &HeaderMap, response: &mut HeaderMap) -> bool {
        let any = self.allows_all();
        let varies = !any || self.credentials;
        if varies
            && response
                .try_append(VARY, HeaderValue::from_static("Origin"))
                .is_err()
        {
            return false;
        }
        let mut origins = request.get_all(ORIGIN).iter();
        let (Some(origin), None) = (origins.next(), origins.next()) else {
            return false;
        };
        if !self.allows(origin) {
            return false;
        }
        let allowed = match any && !self.credentials {
            true => HeaderValue::from_static("*"),
            false => origin.clone(),
        };
        insert(response, ACCESS_CONTROL_ALLOW_ORIGIN, Some(allowed));
        let yes = self.credentials.then(|| HeaderValue::from_static("true"));
        insert(response, ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
        true
    }
}

fn header(name: &str) -> Result<HeaderValue, CorsError> {
    let error = || CorsError::Header(name.to_owned());
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| error())?;
    HeaderValue::from_str(name).map_err(|_| error())
}

/// Joins values by commas; `None` if there are none.
fn listed(values: &[HeaderValue]) -> Option<HeaderValue> {
    let values: Vec<_> = values.iter().map(HeaderValue::as_bytes).collect();
    let joined = values.join(&b","[..]);
    HeaderValue::from_bytes(&joined)
        .ok()
        .filter(|value| !value.is_empty())
}

/// Sets a header, unless the map is full: without it, a browser keeps the response from the page.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    if let Some(value) = value {
        drop(headers.try_insert(name, value));
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn preflight(cors: &Cors, origin: &str) -> HeaderMap {
        let request = Request::options("/")
            .header("origin", origin)
            .header("access-control-request-method", "DELETE")
            .header("access-control-request-headers", "x-a")
            .body(())
            .unwrap();
        cors.preflight(&request.into_parts().0)
            .unwrap()
            .headers()
            .clone()
    }

    fn text(headers: &HeaderMap) -> Vec<String> {
        let mut lines: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort_unstable();
        lines
    }

    fn some() -> Cors {
        let cors = Cors::new().allow_origin("https://App.example").unwrap();
        let cors = cors
            .allow_method("GET")
            .unwrap()
            .allow_method("PUT")
            .unwrap();
        let cors = cors
            .allow_header("X-A")
            .unwrap()
            .expose_header("X-B")
            .unwrap();
        cors.max_age(Duration::from_secs(60)).unwrap()
    }

    #[test]
    fn an_allowed_page_gets_what_is_configured_and_another_nothing() {
        assert_eq!(
            text(&preflight(&some(), "https://app.example")),
            [
                "access-control-allow-headers: X-A",
                "access-control-allow-methods: GET,PUT",
                "access-control-allow-origin: https://app.example",
                "access-control-max-age: 60",
                "vary: Origin",
            ]
        );
        for other in ["https://app.example:444", "http://app.example", "null"] {
            assert_eq!(
                text(&preflight(&some(), other)),
                ["vary: Origin"],
                "{other}"
            );
        }
    }

    #[test]
    fn a_wildcard_with_credentials_names_the_page_and_what_it_asked_for() {
        let any = Cors::new().allow_origin("*").unwrap();
        let any = any.allow_method("*").unwrap().allow_header("*").unwrap();
        assert_eq!(
            text(&preflight(&any, "http://x")),
            [
                "access-control-allow-headers: *",
                "access-control-allow-methods: *",
                "access-control-allow-origin: *",
            ]
        );
        assert_eq!(
            text(&preflight(&any.allow_credentials(), "http://x")),
            [
                "access-control-allow-credentials: true",
                "access-control-allow-headers: x-a",
                "access-control-allow-methods: DELETE",
                "access-control-allow-origin: http://x",
                "vary: Origin",
            ]
        );
    }

    #[test]
    fn a_scheme_s_wildcard_allows_every_host_of_it() {
        let https = Cors::new().allow_origin("https://*").unwrap();
        for (origin, expected) in [
            ("https://app.example", true),
            ("HTTPS://App.example:8443", true),
            ("http://app.example", false),
            ("httpsx://app.example", false),
            ("null", false),
        ] {
            assert_eq!(
                https.allows(&HeaderValue::from_static(origin)),
                expected,
                "{origin}"
            );
        }
        assert!(!https.allows_all());
    }

    #[test]
    fn replaces_the_headers_of_the_function() {
        let mut request = HeaderMap::new();
        request.insert(ORIGIN, HeaderValue::from_static("https://app.example"));
        let mut response = HeaderMap::new();
        response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        response.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("9"));
        some().apply(&request, &mut response);
        assert_eq!(
            text(&response),
            [
                "access-control-allow-origin: https://app.example",
                "access-control-expose-headers: X-B",
                "vary: Origin",
            ]
        );
    }

    #[test]
    fn with_credentials_all_headers_are_exposed_by_their_names() {
        let mut request = HeaderMap::new();
        request.insert(ORIGIN, HeaderValue::from_static("https://app.example"));
        let any = Cors::new().allow_origin("https://*").unwrap();
        let any = any.expose_header("*").unwrap();
        for (cors, expected) in [
            (any.clone(), "*"),
            (any.allow_credentials(), "content-type,x-a"),
        ] {
            let mut response = HeaderMap::new();
            response.insert("content-type", HeaderValue::from_static("text/plain"));
            response.insert("x-a", HeaderValue::from_static("1"));
            cors.apply(&request, &mut response);
            assert_eq!(response[ACCESS_CONTROL_EXPOSE_HEADERS], expected);
        }
    }

    #[test]
    fn a_map_without_room_stays_as_it_is() {
        let mut request = HeaderMap::new();
        request.insert(ORIGIN, HeaderValue::from_static("https://app.example"));
        let mut full = HeaderMap::new();
        let mut names = (0..).map(|number| HeaderName::try_from(format!("h{number}")).unwrap());
        while full
            .try_insert(names.next().unwrap(), HeaderValue::from_static(""))
            .is_ok()
        {}
        let any = Cors::new().allow_origin("*").unwrap();
        for cors in [some(), any.clone(), any.allow_credentials()] {
            let mut response = full.clone();
            cors.apply(&request, &mut response);
            assert_eq!(response, full);
        }
    }

    #[test]
    fn only_a_preflight_request_is_one() {
        for request in [
            Request::options("/").header("origin", "http://x"),
            Request::options("/").header("access-control-request-method", "GET"),
            Request::get("/")
                .header("origin", "http://x")
                .header("access-control-request-method", "GET"),
        ] {
            let (parts, ()) = request.body(()).unwrap().into_parts();
            assert!(some().preflight(&parts).is_none(), "{parts:?}");
        }
    }

    #[test]
    fn rejects_what_no_browser_sends() {
        for origin in [
            "",
            "localhost:3000",
            "http://",
            "http://a/",
            "http://a b",
            "://a",
            "http://a,http://b",
        ] {
            let error = CorsError::Origin(origin.to_owned());
            assert_eq!(Cors::new().allow_origin(origin), Err(error));
        }
        assert!(Cors::new().allow_method("G T").is_err());
        assert!(Cors::new().allow_header("x:").is_err());
        assert!(Cors::new().max_age(Duration::from_secs(86_401)).is_err());
        assert!(Cors::new().max_age(Duration::from_secs(86_400)).is_ok());
    }

    #[test]
    fn an_error_quotes_the_value_and_says_what_would_be_right() {
        for (error, text) in [
            (
                Cors::new().allow_origin("x"),
                "\"x\" is not an origin: expected \"*\" or a scheme and a host, such as \
                 \"http://localhost:3000\"",
            ),
            (
                Cors::new().allow_method("G T"),
                "\"G T\" is not an HTTP method or \"*\"",
            ),
            (
                Cors::new().allow_header("x:"),
                "\"x:\" is not a header's name or \"*\"",
            ),
        ] {
            assert_eq!(error.unwrap_err().to_string(), text);
        }
    }
}
