//! The built-in transport below a layer of the caller's, which sends requests again by itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helper may")]

mod support;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use lambda_invoke::{Client, ClientBuilder, ErrorKind, Execution, TimeoutKind, Timeouts};
use lambda_invoke_transport::{Body, Error, Transport};
use support::{Server, Step};
use tower_service::Service;

type Sending = Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>;

/// Sends a request to each of these addresses until there is a response, and returns the last
/// error as it is, as `tower::retry::Retry` does.
#[derive(Clone)]
struct Again {
    transport: Transport,
    origins: Vec<String>,
    calls: Arc<AtomicUsize>,
}

impl Service<Request<Full<Bytes>>> for Again {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Sending;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Sending {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let Self {
            transport, origins, ..
        } = self.clone();
        Box::pin(async move {
            let path = request.uri().path().to_owned();
            let mut last = None;
            for origin in origins {
                let mut again = request.clone();
                *again.uri_mut() = format!("{origin}{path}").parse::<Uri>().unwrap();
                match transport.send(again).await {
                    Ok(response) => return Ok(response),
                    Err(error) => last = Some(error),
                }
            }
            Err(last.unwrap())
        })
    }
}

fn client(origins: &[&str]) -> (Client, Arc<AtomicUsize>) {
    let service = Again {
        transport: Transport::new(),
        origins: origins.iter().map(ToString::to_string).collect(),
        calls: Arc::default(),
    };
    let calls = Arc::clone(&service.calls);
    let builder = support::builder().endpoint_url("http://127.0.0.1:1");
    (builder.transport(service).build().unwrap(), calls)
}

/// An address that nothing listens at.
const CLOSED: &str = "http://127.0.0.1:1";

#[tokio::test]
async fn a_request_that_a_layer_sent_before_may_have_run_and_is_not_sent_again() {
    let server = Server::start(|_, _| vec![Step::Close]).await;
    let origin = format!("http://{}", server.address);
    // The last error says that nothing was sent: there is no connection, or no such scheme.
    for last in [CLOSED, "ftp://127.0.0.1"] {
        let (client, calls) = client(&[&origin, last]);
        let error = client.invoke("f").send().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.execution(), error.attempts()),
            (ErrorKind::Transport, Execution::Unknown, 1),
            "{error}"
        );
        assert!(
            error.to_string().contains("the function may have run"),
            "{error}"
        );
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn a_request_that_no_layer_sent_is_not_started_and_sent_again() {
    let (client, calls) = client(&[CLOSED, CLOSED]);
    let error = client.invoke("f").send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.execution(), error.attempts()),
        (ErrorKind::Connect, Execution::NotStarted, 3),
        "{error}"
    );
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn what_an_earlier_attempt_of_the_client_sent_is_not_held_against_a_later_one() {
    let server = Server::start(|_, _| {
        vec![Step::Write(support::rejection(
            "429 Busy",
            "TooManyRequestsException",
            "slow",
        ))]
    })
    .await;
    let origin = format!("http://{}", server.address);
    let (client, calls) = client(&[&origin]);
    let error = client.invoke("f").send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.execution(), error.attempts()),
        (ErrorKind::Service, Execution::NotStarted, 3),
        "{error}"
    );
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

/// Passes requests on to a transport with timeouts of its own.
fn below_a_layer(server: &Server, timeouts: Timeouts) -> ClientBuilder {
    let service = Again {
        transport: Transport::builder().timeouts(timeouts).build(),
        origins: vec![format!("http://{}", server.address)],
        calls: Arc::default(),
    };
    server.client_builder().transport(service)
}

#[tokio::test]
async fn the_timeout_of_a_call_leaves_the_other_timeouts_of_a_transport_below_a_layer() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\nx-amzn-requestid: i\r\n\r\nhalf".to_vec();
    let server = Server::start(move |_, _| vec![Step::Write(head.clone()), Step::Hang]).await;
    let short = Duration::from_millis(50);
    let longer = Duration::from_millis(400);
    let none = Timeouts::none();
    for (own, of_call, kind, reached) in [
        (none.with_idle(short), longer, TimeoutKind::Idle, short),
        (none.with_total(short), longer, TimeoutKind::Total, longer),
        (none, short, TimeoutKind::Total, short),
    ] {
        let client = below_a_layer(&server, own).build().unwrap();
        let call = client.invoke("f").timeout(of_call);
        let error = call.send().await.unwrap_err();
        assert_eq!(
            (error.timeout_kind(), error.timeout()),
            (Some(kind), Some(reached)),
            "{error}"
        );
    }
}

#[tokio::test]
async fn timeouts_of_the_client_replace_all_those_of_a_transport_below_a_layer() {
    let server = Server::start(|_, _| vec![Step::Hang]).await;
    let own = Timeouts::none().with_first_byte(Duration::from_millis(50));
    let limits = Timeouts::none().with_first_byte(Duration::from_millis(300));
    let builder = below_a_layer(&server, own);
    let client = builder.timeouts(limits).build().unwrap();
    let error = client.invoke("f").send().await.unwrap_err();
    assert_eq!(error.timeout(), limits.first_byte(), "{error}");
}

#[tokio::test]
async fn a_rejection_does_not_hide_what_a_layer_sent_before() {
    let server = Server::start(|n, _| match n {
        0 => vec![Step::Close],
        _ => vec![Step::Write(support::rejection(
            "429 Busy",
            "TooManyRequestsException",
            "slow",
        ))],
    })
    .await;
    let origin = format!("http://{}", server.address);
    let (client, calls) = client(&[&origin, &origin]);
    let error = client.invoke("f").send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.execution(), error.attempts()),
        (ErrorKind::Service, Execution::Unknown, 1),
        "{error}"
    );
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert_eq!(server.requests(), 2);
}

/// Collects the body of each response, as a layer that logs it does.
#[derive(Clone)]
struct Collects(Transport);

impl Service<Request<Full<Bytes>>> for Collects {
    type Response = Response<Full<Bytes>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let transport = self.0.clone();
        Box::pin(async move {
            let (parts, body) = transport.send(request).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok(Response::from_parts(parts, Full::new(body)))
        })
    }
}

#[tokio::test]
async fn a_layer_that_collects_a_body_does_not_prove_its_end() {
    for (framing, is_whole) in [("connection: close", false), ("content-length: 8", true)] {
        let head = format!("HTTP/1.1 200 OK\r\nx-amzn-requestid: i\r\n{framing}\r\n\r\n");
        let bytes = format!("{head}{{\"half\":").into_bytes();
        let server = Server::start(move |_, _| vec![Step::Write(bytes.clone()), Step::Close]).await;
        let builder = server
            .client_builder()
            .transport(Collects(Transport::new()));
        let called = builder.build().unwrap().invoke("f").send().await;
        match is_whole {
            true => assert_eq!(called.unwrap().payload(), "{\"half\":"),
            false => assert_eq!(called.unwrap_err().kind(), ErrorKind::Truncated),
        }
    }
}

#[tokio::test]
async fn below_a_layer_a_connection_has_its_own_timeout() {
    let never = |_| std::future::pending::<std::io::Result<tokio::net::TcpStream>>();
    let service = Again {
        transport: Transport::builder().connect_with(never).build(),
        origins: vec!["http://lambda.test".to_owned()],
        calls: Arc::default(),
    };
    let timeouts = Timeouts::none()
        .with_connect(Duration::from_millis(200))
        .with_first_byte(Duration::from_millis(50));
    let builder = support::builder().endpoint_url("http://lambda.test");
    let builder = builder.transport(service).timeouts(timeouts);
    let client = builder
        .retry(lambda_invoke::RetryPolicy::none())
        .build()
        .unwrap();
    let error = client.invoke("f").send().await.unwrap_err();
    assert_eq!(
        (error.timeout_kind(), error.execution()),
        (Some(TimeoutKind::Connect), Execution::NotStarted),
        "{error}"
    );
}
