//! Calls an endpoint within the process, without a socket.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, header};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tower_service::Service;

use super::Endpoint;
use super::connection::connection;
use super::serving::Serving;
use crate::wire::connection::Addresses;

/// How many bytes of a response wait for their reader, as in a socket's buffer.
const BUFFER: usize = 64 * 1024;

/// An endpoint that is called within the process: a [`tower_service::Service`] for HTTP requests.
///
/// Each request has its own connection in memory, on which both sides speak HTTP as they would over
/// a socket; signatures are verified, and faults happen. Clones refer to the same endpoint. When
/// the last clone is dropped, everything that still runs is dropped too.
///
/// # Example
///
/// With the client of this project, nothing else is needed: `Client::builder().transport(memory)`.
///
/// ```
/// use http_body_util::{BodyExt, Full};
/// use lambda_invoke_endpoint::Endpoint;
/// use tower_service::Service;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let mut memory = Endpoint::builder().builtins().verify(false).build()?.in_memory();
/// let request = http::Request::post("http://lambda/2015-03-31/functions/echo/invocations")
///     .body(Full::new("42".into()))?;
/// let response = memory.call(request).await?;
/// assert_eq!(response.into_body().collect().await?.to_bytes(), "42");
/// assert_eq!(memory.endpoint().calls("echo")[0].payload, "42");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct InMemory {
    endpoint: Endpoint,
    serving: Arc<Serving>,
}

/// Why a call within the process has no response.
#[derive(Debug)]
pub struct InMemoryError {
    cause: Option<hyper::Error>,
}

impl Endpoint {
    /// Serves the endpoint within the process, without a socket. Must be called within a tokio
    /// runtime.
    #[must_use]
    pub fn in_memory(self) -> InMemory {
        InMemory {
            serving: Arc::new(Serving::new(&self.site)),
            endpoint: self,
        }
    }
}

impl InMemory {
    /// Returns the endpoint.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Shuts the endpoint down, as [`Server::shutdown`](crate::Server::shutdown) does.
    ///
    /// Returns whether everything ended within the grace period.
    pub async fn shutdown(&self, grace: Duration) -> bool {
        self.serving.shutdown_until(tokio::time::sleep(grace)).await
    }
}

impl<B> Service<Request<B>> for InMemory
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Incoming>;
    type Error = InMemoryError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let serving = Arc::clone(&self.serving);
        Box::pin(async move {
            let running = serving.running().ok_or(InMemoryError { cause: None })?;
            let (ours, theirs) = tokio::io::duplex(BUFFER);
            let site = Arc::clone(serving.site());
            let addresses = Addresses::default();
            tokio::spawn(connection(site, theirs, |_| {}, addresses, running));
            let (mut sender, client) = http1::handshake(TokioIo::new(ours)).await?;
            // Errors of the connection also appear in the request or in the response body.
            tokio::spawn(async move {
                let _ = client.await;
                drop(serving);
            });
            to_origin_form(&mut request);
            Ok(sender.send_request(request).await?)
        })
    }
}

/// Gives a request the form that it has on a connection: a path as its target, and a `Host`.
fn to_origin_form<B>(request: &mut Request<B>) {
    let host = request.uri().authority().map(|host| host.as_str());
    let host = HeaderValue::from_str(host.unwrap_or("localhost"));
    if let Ok(host) = host {
        request.headers_mut().entry(header::HOST).or_insert(host);
    }
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = path.map_or_else(Uri::default, Uri::from);
}

impl From<hyper::Error> for InMemoryError {
    fn from(cause: hyper::Error) -> Self {
        Self { cause: Some(cause) }
    }
}

impl fmt::Display for InMemoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.cause {
            Some(_) => "the endpoint closed the connection before its response was complete",
            None => "the endpoint has been shut down",
        })
    }
}

impl std::error::Error for InMemoryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let cause = self.cause.as_ref()?;
        Some(cause)
    }
}
