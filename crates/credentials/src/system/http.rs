//! HTTP.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use lambda_invoke_sigv4::BoxError;
use lambda_invoke_transport::{Proxy, Transport, TransportBuilder};

/// The future that [`HttpClient::send`] returns.
pub type HttpFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Response<Bytes>, BoxError>> + Send + 'a>>;

/// The longest response that is read, in bytes. Credentials have a few thousand.
const MAX_RESPONSE: usize = 1 << 20;

/// Sends requests to the services that issue credentials.
pub trait HttpClient: fmt::Debug + Send + Sync {
    /// Sends a request once, follows no redirect, and reads the complete response.
    ///
    /// The request has its [`Timeouts`](lambda_invoke_transport::Timeouts) among its extensions.
    /// The caller also enforces the total timeout itself, so that a client that ignores them cannot
    /// hang.
    ///
    /// # Errors
    ///
    /// If there is no complete response. The error must not show a header or a body, since both can
    /// contain secrets.
    fn send(&self, request: Request<Bytes>) -> HttpFuture<'_>;
}

/// Sends requests through a [`Transport`].
#[derive(Clone, Debug)]
pub struct TransportClient(Transport);

impl TransportClient {
    /// Creates a client from a transport, for other certificates, proxies or timeouts.
    #[must_use]
    pub fn new(transport: Transport) -> Self {
        Self(transport)
    }

    /// Creates a client that uses no proxy, for addresses on the machine itself.
    #[must_use]
    pub fn direct() -> Self {
        Self(direct().build())
    }
}

impl Default for TransportClient {
    /// Uses the proxies of the environment, which is read once.
    fn default() -> Self {
        Self(by_environment().build())
    }
}

/// A transport by the proxies of the environment.
pub(crate) fn by_environment() -> TransportBuilder {
    direct().proxy(Proxy::from_env())
}

/// A transport without a proxy.
pub(crate) fn direct() -> TransportBuilder {
    // Idle connections are not worth keeping: the next request comes in about an hour.
    Transport::builder().pool_size(1)
}

impl HttpClient for TransportClient {
    fn send(&self, request: Request<Bytes>) -> HttpFuture<'_> {
        let sending = self.0.send(request.map(Full::new));
        Box::pin(async move {
            let (parts, mut body) = sending.await?.into_parts();
            let mut data = BytesMut::new();
            while let Some(frame) = body.frame().await {
                let Ok(piece) = frame?.into_data() else {
                    continue;
                };
                if data.len() + piece.len() > MAX_RESPONSE {
                    return Err(format!("the response is longer than {MAX_RESPONSE} bytes").into());
                }
                data.extend_from_slice(&piece);
            }
            Ok(Response::from_parts(parts, data.freeze()))
        })
    }
}
