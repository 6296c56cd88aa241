//! The transport itself: a pool of connections behind a `tower_service::Service`.

use std::fmt;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, PROXY_AUTHORIZATION};
use http::uri::{Authority, Scheme};
use http::{Extensions, HeaderValue, Method, Request, Response, Uri, Version};
use http_body::Body as _;
use http_body_util::Full;
use tower_service::Service;

use crate::pool::Pool;
use crate::port::port_of;
use crate::{Body, Error, ResponseFuture, Timeouts, TotalTimeout, TransportBuilder};

/// Sends requests over a pool of HTTP/1.1 connections.
///
/// Cheap to clone; the clones share their connections. A [`tower_service::Service`], by value and
/// by reference, that is always ready.
///
/// A request needs an absolute URI (`http` or `https`). Its headers are sent as they are; `host`
/// and `content-length` are added if they are missing, and `proxy-authorization` for a proxy
/// that has a password.
///
/// Its futures must be polled within a Tokio runtime that has I/O and time enabled. Several runtimes can
/// share a transport; each has connections of its own, which progress only while it runs.
///
/// # Example
///
/// ```
/// # use std::io::{Read, Write};
/// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
/// # let address = listener.local_addr()?;
/// # std::thread::spawn(move || {
/// #     let (mut socket, _) = listener.accept().unwrap();
/// #     let _ = socket.read(&mut [0; 1024]).unwrap();
/// #     socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").unwrap();
/// # });
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use http_body_util::BodyExt;
/// use lambda_invoke_transport::Transport;
///
/// let transport = Transport::new();
/// let request = http::Request::post(format!("http://{address}/")).body("ping".into()).unwrap();
/// let response = transport.send(request).await?;
/// assert_eq!(response.status(), 200);
/// assert_eq!(response.into_body().collect().await?.to_bytes(), "hello");
/// # Ok::<(), lambda_invoke_transport::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Transport {
    pool: Arc<Pool>,
    limits: Timeouts,
}

impl Transport {
    /// Creates a transport with the defaults of the [`TransportBuilder`]: no proxy, and the bundled roots.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Returns a builder that starts from the defaults.
    #[must_use]
    pub fn builder() -> TransportBuilder {
        TransportBuilder::default()
    }

    pub(crate) fn assemble(pool: Arc<Pool>, limits: Timeouts) -> Self {
        Self { pool, limits }
    }

    #[cfg(test)]
    pub(crate) fn connector(&self) -> &crate::connector::Connector {
        self.pool.connector()
    }

    /// The timeouts of requests that do not set their own.
    #[must_use]
    pub fn timeouts(&self) -> Timeouts {
        self.limits
    }

    /// Sends a request, once the future is polled. A [`Timeouts`] among the request's extensions
    /// replaces the timeouts of this transport, a [`TotalTimeout`] only the total one.
    ///
    /// If the server has closed a pooled connection before the request was sent on it, the request
    /// goes out on another connection. Nothing else is ever sent twice.
    pub fn send(&self, mut request: Request<Full<Bytes>>) -> ResponseFuture {
        let host = match check(&request) {
            Ok((scheme, authority)) => self.pool.host(scheme, authority),
            Err(error) => return ResponseFuture::rejected(error),
        };
        let mut absolute_form = false;
        if let Some(proxy) = self.pool.connector().proxy() {
            let via = match proxy.intercept(request.uri()) {
                Ok(via) => via,
                Err(error) => return ResponseFuture::rejected(error),
            };
            // Through a tunnel the server would see this header; there it is sent with CONNECT.
            if let Some(via) = via.filter(|_| request.uri().scheme() == Some(&Scheme::HTTP)) {
                absolute_form = true;
                if let Some(authorization) = via.basic_auth() {
                    let headers = request.headers_mut();
                    headers
                        .entry(PROXY_AUTHORIZATION)
                        .or_insert_with(|| authorization.clone());
                }
            }
        }
        // RFC 9110, section 8.6: if the method gives content a meaning, send a length of 0 for
        // absent content.
        if request.body().is_end_stream()
            && matches!(
                *request.method(),
                Method::POST | Method::PUT | Method::PATCH
            )
        {
            let headers = request.headers_mut();
            headers
                .entry(CONTENT_LENGTH)
                .or_insert(HeaderValue::from_static("0"));
        }
        let limits = self.limits_of(request.extensions());
        if !request.headers().contains_key(HOST) {
            if let Some(host) = host_header(request.uri()) {
                request.headers_mut().insert(HOST, host);
            }
        }
        // A proxy that reads the request needs the whole URI.
        if !absolute_form {
            let uri = mem::take(request.uri_mut());
            *request.uri_mut() = origin_form(uri);
        }
        ResponseFuture::new(request, host, limits)
    }
}

impl Transport {
    /// The timeouts of a request with these extensions.
    fn limits_of(&self, extensions: &Extensions) -> Timeouts {
        if let Some(timeouts) = extensions.get::<Timeouts>() {
            return *timeouts;
        }
        match extensions.get::<TotalTimeout>() {
            Some(TotalTimeout(total)) => self.limits.with_total(*total),
            None => self.limits,
        }
    }
}

/// The host of a URI, with its port if that is not its scheme's own.
fn host_header(uri: &Uri) -> Option<HeaderValue> {
    let host = uri.host()?;
    let default = match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => 443,
        _ => 80,
    };
    let value = match uri.port() {
        Some(port) if port.as_u16() != default => format!("{host}:{port}").try_into(),
        _ => HeaderValue::from_str(host),
    };
    value.ok()
}

/// The path and the query of a URI (RFC 9112, section 3.2.1).
fn origin_form(uri: Uri) -> Uri {
    uri.into_parts()
        .path_and_query
        .map(Uri::from)
        .unwrap_or_default()
}

impl Default for Transport {
    fn default() -> Self {
        Self::new()
    }
}

/// Rejects requests that cannot be sent, and returns the scheme and the authority of the others.
fn check(request: &Request<Full<Bytes>>) -> Result<(&Scheme, &Authority), Error> {
    let uri = request.uri();
    let Some(scheme) = uri
        .scheme()
        .filter(|scheme| **scheme == Scheme::HTTP || **scheme == Scheme::HTTPS)
    else {
        return Err(Error::request(
            "the request's URI must begin with http:// or https://",
        ));
    };
    let Some(authority) = uri.authority().filter(|name| !name.host().is_empty()) else {
        return Err(Error::request("the request's URI names no host"));
    };
    // `Uri::port` would be `None`, and the scheme's own port be used.
    if port_of(uri).is_err() {
        return Err(Error::request(
            "the port of the request's URI is not a number from 1 to 65535",
        ));
    }
    if !matches!(request.version(), Version::HTTP_11 | Version::HTTP_10) {
        return Err(Error::request(
            "the request's version is not HTTP/1.1 or HTTP/1.0",
        ));
    }
    if request.method() == Method::CONNECT {
        return Err(Error::request(
            "CONNECT is not a request that this transport sends",
        ));
    }
    let length = request.body().size_hint().exact();
    for announced in request.headers().get_all(CONTENT_LENGTH) {
        let announced = announced.to_str().ok().and_then(|value| value.parse().ok());
        if announced != length {
            return Err(Error::request(
                "the request's content-length differs from the length of its body",
            ));
        }
    }
    Ok((scheme, authority))
}

impl Service<Request<Full<Bytes>>> for Transport {
    type Response = Response<Body>;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> ResponseFuture {
        self.send(request)
    }
}

impl Service<Request<Full<Bytes>>> for &Transport {
    type Response = Response<Body>;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> ResponseFuture {
        self.send(request)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("connector", self.pool.connector())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, Sent};

    #[test]
    fn is_shared_between_threads() {
        fn shared<T: Clone + Send + Sync + 'static>() {}
        fn crosses<T: Send + Unpin + 'static>() {}
        fn future<T: Send + 'static>() {}
        shared::<Transport>();
        crosses::<Body>();
        future::<ResponseFuture>();
    }

    #[test]
    fn shows_its_settings() {
        use std::time::Duration;

        let timeouts = Timeouts::none()
            .with_connect(Duration::from_secs(1))
            .with_first_byte(Duration::from_secs(2))
            .with_idle(Duration::from_secs(3))
            .with_total(Duration::from_secs(4));
        let limits = [
            timeouts.connect(),
            timeouts.first_byte(),
            timeouts.idle(),
            timeouts.total(),
        ];
        assert_eq!(limits.map(|limit| limit.unwrap().as_secs()), [1, 2, 3, 4]);
        let builder = Transport::builder().timeouts(timeouts);
        let debug = format!("{builder:?}");
        assert!(debug.contains("first_byte: Some(2s)"), "{debug}");
        let transport = builder.build();
        assert_eq!(transport.timeouts(), timeouts);
        let debug = format!("{transport:?}");
        assert!(debug.contains("first_byte: Some(2s)"), "{debug}");
        assert!(debug.contains("proxy: None"), "{debug}");
        #[cfg(feature = "tls")]
        assert!(debug.contains("bundled: true"), "{debug}");
        let request = Request::post("/path").body(Full::default()).unwrap();
        let debug = format!("{:?}", transport.send(request));
        assert!(debug.starts_with("ResponseFuture"), "{debug}");
    }

    #[tokio::test]
    async fn rejects_what_cannot_be_sent() {
        let post = |uri: &str| Request::post(uri).body(Full::<Bytes>::default()).unwrap();
        let mut old = post("http://localhost/");
        *old.version_mut() = Version::HTTP_2;
        let mut connect = post("http://localhost/");
        *connect.method_mut() = Method::CONNECT;
        let mut longer = post("http://localhost/");
        longer
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from_static("7"));
        for (request, why) in [
            (post("/path"), "http://"),
            (post("ftp://localhost/"), "http://"),
            (post("http://localhost:99999/"), "1 to 65535"),
            (post("https://localhost:0/"), "1 to 65535"),
            (post("http://localhost:/"), "1 to 65535"),
            (post("http://[::1]:+80/"), "1 to 65535"),
            (old, "version"),
            (connect, "CONNECT"),
            (longer, "content-length"),
        ] {
            let error = Transport::new().send(request).await.unwrap_err();
            assert_eq!((error.kind(), error.sent()), (ErrorKind::Request, Sent::No));
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}
