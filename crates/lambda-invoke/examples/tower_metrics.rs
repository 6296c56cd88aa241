//! A tower layer between the client and the transport: counts requests and measures them.
//!
//! ```text
//! cargo run -p lambda-invoke --example tower_metrics
//! ```
//!
//! The layer sees each attempt, including retries. For one span per call, use the feature `tracing`
//! instead.

use std::error::Error;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use lambda_invoke::bytes::Bytes;
use lambda_invoke::http::{Request, Response};
use lambda_invoke::http_body_util::Full;
use lambda_invoke::tower_service::Service;
use lambda_invoke::{Client, Credentials, Transport};
use lambda_invoke_endpoint::Endpoint;

/// For each attempt, the status if there was a response, and the time until its head arrived.
type Attempts = Arc<Mutex<Vec<(Option<u16>, Duration)>>>;

/// A service that measures the one that it wraps.
#[derive(Clone)]
struct Metrics<S> {
    inner: S,
    attempts: Attempts,
}

impl<S, B> Service<Request<Full<Bytes>>> for Metrics<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let (response, attempts) = (self.inner.call(request), Arc::clone(&self.attempts));
        let start = Instant::now();
        Box::pin(async move {
            let result = response.await;
            let status = result
                .as_ref()
                .ok()
                .map(|response| response.status().as_u16());
            let mut attempts = attempts.lock().unwrap_or_else(PoisonError::into_inner);
            attempts.push((status, start.elapsed()));
            // The error is passed on unchanged: the client derives from it whether anything was
            // sent.
            result
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let fault = "echo: throttle=CallerRateLimitExceeded times=1".parse()?;
    let server = Endpoint::builder()
        .builtins()
        .fault(fault)
        .bind_local()
        .await?;
    let attempts = Attempts::default();
    let client = Client::builder()
        .region("us-east-1")
        .credentials(Credentials::new("local", "local")?)
        .endpoint_url(server.url())
        .transport(Metrics {
            inner: Transport::new(),
            attempts: Arc::clone(&attempts),
        })
        .build()?;
    let _reply = client
        .invoke("echo")
        .payload("1")
        .send()
        .await?
        .into_result()?;
    let attempts = attempts.lock().unwrap_or_else(PoisonError::into_inner);
    for (status, time) in attempts.iter() {
        println!("{status:?} after {time:?}");
    }
    let statuses: Vec<_> = attempts.iter().map(|(status, _)| *status).collect();
    match statuses == [Some(429), Some(200)] {
        true => Ok(()),
        false => Err(format!("{statuses:?}").into()),
    }
}
