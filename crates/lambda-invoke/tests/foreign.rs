//! A custom HTTP service that misbehaves: it never responds, it fails in the ways of another library,
//! or its responses are larger than the client needs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helper may")]

mod support;

use std::future::{Future, pending, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use lambda_invoke::{BoxError, Client, ErrorKind, Execution, RetryPolicy, TimeoutKind, Timeouts};
use lambda_invoke_transport::{
    Body as TransportBody, Error as TransportError, ResponseFuture, Transport,
};
use tower_service::Service;

type Sending = Pin<Box<dyn Future<Output = Result<Response<Bodied>, BoxError>> + Send>>;
type Bodied = UnsyncBoxBody<Bytes, BoxError>;

/// A service whose responses a closure makes; it counts the requests.
#[derive(Clone)]
struct Foreign {
    respond: Arc<dyn Fn() -> Sending + Send + Sync>,
    is_ready: bool,
    requests: Arc<AtomicUsize>,
}

impl Foreign {
    fn new(respond: impl Fn() -> Sending + Send + Sync + 'static) -> Self {
        Self {
            respond: Arc::new(respond),
            is_ready: true,
            requests: Arc::default(),
        }
    }

    fn client(&self) -> Client {
        let builder = support::builder().endpoint_url("http://127.0.0.1:1");
        let builder = builder.transport(self.clone());
        builder.retry(RetryPolicy::at_least_once()).build().unwrap()
    }
}

impl Service<Request<Full<Bytes>>> for Foreign {
    type Response = Response<Bodied>;
    type Error = BoxError;
    type Future = Sending;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match self.is_ready {
            true => Poll::Ready(Ok(())),
            false => Poll::Pending,
        }
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Sending {
        self.requests.fetch_add(1, Ordering::SeqCst);
        (self.respond)()
    }
}

fn timeouts(first_byte: u64, total: u64) -> Timeouts {
    Timeouts::none()
        .with_first_byte(Duration::from_millis(first_byte))
        .with_total(Duration::from_millis(total))
}

#[tokio::test]
async fn a_service_that_never_responds_ends_in_the_shorter_timeout_and_may_have_run() {
    for (is_ready, first_byte, total, kind) in [
        (true, 30, 60_000, TimeoutKind::FirstByte),
        (true, 60_000, 30, TimeoutKind::Total),
        (false, 30, 60_000, TimeoutKind::FirstByte),
    ] {
        let mut service = Foreign::new(|| Box::pin(pending()));
        service.is_ready = is_ready;
        let call = service.client();
        let call = call.invoke("f").timeouts(timeouts(first_byte, total));
        let call = call.retry(RetryPolicy::default());
        let error = call.send().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.execution(), error.timeout_kind()),
            (ErrorKind::TimedOut, Execution::Unknown, Some(kind))
        );
        assert_eq!(error.timeout(), Some(Duration::from_millis(30)));
        assert_eq!(
            service.requests.load(Ordering::SeqCst),
            usize::from(is_ready)
        );
        let what = match kind {
            TimeoutKind::Total => "no complete response",
            _ => "no response",
        };
        let start = format!("{what} from http://127.0.0.1:1 within 30ms, the {kind} timeout; ");
        assert!(error.to_string().starts_with(&start), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_setting_a_service_that_never_responds_ends_in_the_default_timeout() {
    for total in [None, Some(Duration::from_secs(86_400))] {
        let service = Foreign::new(|| Box::pin(pending()));
        let call = service.client().invoke("f").maybe_timeout(total);
        let error = call.retry(RetryPolicy::none()).send().await.unwrap_err();
        assert_eq!(
            (error.execution(), error.timeout_kind(), error.timeout()),
            (
                Execution::Unknown,
                Some(TimeoutKind::FirstByte),
                Timeouts::default().first_byte()
            )
        );
    }
}

#[tokio::test]
async fn a_foreign_error_without_a_source_may_have_run_and_is_not_sent_again_by_default() {
    let service = Foreign::new(|| Box::pin(ready(Err("broken".into()))));
    let call = service.client().invoke("f").retry(RetryPolicy::default());
    let error = call.send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.execution(), error.attempts()),
        (ErrorKind::Transport, Execution::Unknown, 1)
    );
    assert_eq!(service.requests.load(Ordering::SeqCst), 1);
    // Whoever asks for it gets the other behavior, so that the first one is a decision.
    let again = service.client().invoke("f").send().await.unwrap_err();
    assert!(again.attempts() > 1, "{again}");
}

/// The built-in transport behind a layer that makes its requests invalid.
#[derive(Clone)]
struct Spoiled(Transport);

impl Service<Request<Full<Bytes>>> for Spoiled {
    type Response = Response<TransportBody>;
    type Error = TransportError;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Full<Bytes>>) -> ResponseFuture {
        *request.version_mut() = http::Version::HTTP_2;
        self.0.call(request)
    }
}

#[tokio::test]
async fn a_request_that_the_transport_rejects_is_not_started_whoever_passes_it_on() {
    let builder = support::builder().endpoint_url("http://127.0.0.1:1");
    let client = builder
        .transport(Spoiled(Transport::new()))
        .build()
        .unwrap();
    let error = client.invoke("f").send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.execution(), error.attempts()),
        (ErrorKind::Input, Execution::NotStarted, 1)
    );
    assert!(
        error.to_string().starts_with("the request cannot be sent"),
        "{error}"
    );
}

#[tokio::test]
async fn a_connect_timeout_is_not_started_and_names_the_endpoint() {
    // A listener that accepts nothing: its connections never finish the TLS handshake.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let client = support::builder()
        .endpoint_url(url.clone())
        .build()
        .unwrap();
    let timeouts = Timeouts::none().with_connect(Duration::from_millis(50));
    let call = client.invoke("f").timeouts(timeouts);
    let error = call.retry(RetryPolicy::none()).send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.execution(), error.timeout_kind()),
        (
            ErrorKind::TimedOut,
            Execution::NotStarted,
            Some(TimeoutKind::Connect)
        )
    );
    let start = format!("no connection to {url} within 50ms, the connect timeout");
    assert!(error.to_string().starts_with(&start), "{error}");
}

/// A response whose body never ends, in pieces of 16 KiB.
fn endless(status: u16, code: &'static str, pieces: &Arc<AtomicUsize>) -> Sending {
    let made = Arc::clone(pieces);
    let pieces = std::iter::repeat_with(move || {
        made.fetch_add(1, Ordering::SeqCst);
        Ok(Frame::data(Bytes::from(vec![b' '; 16 * 1024])))
    });
    let body = StreamBody::new(futures_util::stream::iter(pieces)).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status.try_into().unwrap();
    let headers = response.headers_mut();
    headers.insert("x-amzn-errortype", code.parse().unwrap());
    Box::pin(ready(Ok(response)))
}

#[tokio::test]
async fn of_an_endless_error_only_a_beginning_is_read() {
    for (status, code, kind, least) in [
        (404, "ResourceNotFoundException", ErrorKind::Service, 5),
        (302, "", ErrorKind::UnexpectedResponse, 1),
    ] {
        let pieces = Arc::new(AtomicUsize::new(0));
        let made = Arc::clone(&pieces);
        let service = Foreign::new(move || endless(status, code, &made));
        let error = service.client().invoke("f").send().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.attempts(), 1);
        assert_eq!(pieces.load(Ordering::SeqCst), least);
        if kind == ErrorKind::Service {
            assert_eq!(error.execution(), Execution::NotStarted);
            assert_eq!(error.service_error().unwrap().code(), Some(code));
        }
    }
}

#[tokio::test]
async fn one_large_piece_is_handed_on_without_a_copy() {
    for (length, is_copied) in [(16 * 1024 - 1, true), (16 * 1024, false)] {
        let piece = Bytes::from(vec![b'1'; length]);
        let address = piece.as_ptr() as usize;
        let service = Foreign::new(move || {
            let body = Full::new(piece.clone()).map_err(|never| match never {});
            let mut response = Response::new(body.boxed_unsync());
            let headers = response.headers_mut();
            headers.insert("x-amzn-requestid", "the-id".parse().unwrap());
            headers.insert("content-length", length.into());
            Box::pin(ready(Ok(response)))
        });
        let reply = service.client().invoke("f").send().await.unwrap();
        assert_eq!(reply.payload().len(), length);
        assert_eq!(reply.payload().as_ptr() as usize != address, is_copied);
    }
}

#[test]
fn a_variant_of_the_services_own_address_excludes_an_endpoint_of_ones_own() {
    let url = || support::builder().endpoint_url("http://127.0.0.1:1");
    for (builder, what) in [
        (url().use_fips(true), "FIPS"),
        (url().use_dual_stack(true), "dual stack"),
        (url().use_fips(true).use_dual_stack(true), "FIPS"),
    ] {
        let error = builder.build().unwrap_err();
        let message = format!("{what} and an endpoint's URL cannot be set together");
        assert_eq!(
            (error.kind(), error.execution()),
            (ErrorKind::Configuration, Execution::NotStarted)
        );
        assert!(error.to_string().starts_with(&message), "{error}");
    }
    url().use_fips(false).use_dual_stack(false).build().unwrap();
}

#[test]
fn each_kind_has_its_own_name() {
    let kinds = [
        (ErrorKind::Input, "input"),
        (ErrorKind::Configuration, "configuration"),
        (ErrorKind::Credentials, "credentials"),
        (ErrorKind::Service, "service"),
        (ErrorKind::Connect, "connect"),
        (ErrorKind::TimedOut, "timed_out"),
        (ErrorKind::Transport, "transport"),
        (ErrorKind::UnexpectedResponse, "unexpected_response"),
        (ErrorKind::FunctionFailed, "function_failed"),
        (ErrorKind::StreamException, "stream_exception"),
        (ErrorKind::Truncated, "truncated"),
        (ErrorKind::Corrupt, "corrupt"),
        (ErrorKind::TooLarge, "too_large"),
        (ErrorKind::Json, "json"),
        (ErrorKind::Text, "text"),
    ];
    for (kind, name) in kinds {
        assert_eq!(kind.as_str(), name);
    }
}
