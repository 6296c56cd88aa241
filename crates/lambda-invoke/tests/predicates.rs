//! What each kind of error tells a program that decides what to do next, and a person who reads it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helper may")]

mod support;

use std::error::Error as _;
use std::time::Duration;

use lambda_invoke::{Client, Error, ErrorKind, RetryPolicy, Timeouts};
use lambda_invoke_endpoint::{Endpoint, Fault, Function, FunctionError, Server};
use lambda_invoke_protocol::{StreamEvent, StreamException};
use support::{LAST_CHUNK, chunk, events, responding, response, stream_head};

async fn endpoint(fault: &str) -> Server {
    let words = Function::streaming("words", |_, mut writer| async move {
        writer.write("one ").await?;
        writer.write("two").await?;
        Ok::<_, FunctionError>(())
    });
    let builder = Endpoint::builder().builtins().function(words);
    let builder = match fault {
        "" => builder,
        fault => builder.fault(fault.parse::<Fault>().unwrap()),
    };
    builder.bind_local().await.unwrap()
}

fn client(url: &str) -> Client {
    let builder = support::builder().endpoint_url(url);
    builder.retry(RetryPolicy::none()).build().unwrap()
}

async fn collect(client: &Client, name: &str) -> Error {
    match client.stream(name).send().await {
        Ok(stream) => stream.collect_all().await.unwrap_err(),
        Err(error) => error,
    }
}

/// One error of each kind, and several of the kind `Service`.
async fn every_kind() -> Vec<(ErrorKind, Error)> {
    use ErrorKind::{
        Configuration, Connect, Corrupt, Credentials, FunctionFailed, Input, Json, Service,
        StreamException, Text, TimedOut, TooLarge, Transport, Truncated, UnexpectedResponse,
    };
    let mut errors = Vec::new();
    let plain = endpoint("").await;
    let healthy = client(&plain.url());
    errors.push((Configuration, Client::builder().build().unwrap_err()));
    errors.push((Input, healthy.invoke("he!!o").send().await.unwrap_err()));
    let builder = support::builder().endpoint_url(plain.url());
    let locked = builder
        .credentials(|| async { Err("the vault is closed".into()) })
        .build()
        .unwrap();
    errors.push((Credentials, locked.invoke("echo").send().await.unwrap_err()));
    for fault in [
        "*: error=AccessDeniedException",
        "*: throttle=CallerRateLimitExceeded",
        "*: error=ResourceNotReadyException",
        "*: error=ServiceException",
        "*: error=ExpiredTokenException",
    ] {
        let server = endpoint(fault).await;
        let error = client(&server.url()).invoke("echo").send().await;
        errors.push((Service, error.unwrap_err()));
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = client(&format!("http://{}", listener.local_addr().unwrap()));
    drop(listener);
    errors.push((Connect, closed.invoke("f").send().await.unwrap_err()));
    let slow = endpoint("*: delay=60s").await;
    let timeouts = Timeouts::default().with_first_byte(Duration::from_millis(20));
    let call = client(&slow.url()).invoke("echo").timeouts(timeouts);
    errors.push((TimedOut, call.send().await.unwrap_err()));
    let silent = support::Server::start(|_, _| vec![support::Step::Close]).await;
    let error = silent.client().invoke("f").send().await.unwrap_err();
    errors.push((Transport, error));
    let page = response("200 OK", &[("content-type", "text/html")], "<h1>Hi");
    let page = responding(page).await;
    let error = page.client().invoke("f").send().await.unwrap_err();
    errors.push((UnexpectedResponse, error));
    let reply = healthy.invoke("fail").send().await.unwrap();
    errors.push((FunctionFailed, reply.into_result().unwrap_err()));
    for (kind, fault) in [
        (Truncated, "*: no-complete"),
        (Corrupt, "*: wrong-crc=1"),
        (StreamException, "*: exception=ServiceException message=no"),
    ] {
        let server = endpoint(fault).await;
        errors.push((kind, collect(&client(&server.url()), "words").await));
    }
    let stream = healthy.stream("words").send().await.unwrap();
    errors.push((TooLarge, stream.collect_at_most(3).await.unwrap_err()));
    let call = healthy.invoke("echo").payload(r#""text""#);
    let reply = call.send().await.unwrap();
    errors.push((Json, reply.json::<u32>().unwrap_err()));
    let headers = [
        ("content-type", "application/octet-stream"),
        ("x-amzn-requestid", "the-id"),
    ];
    let bytes = [&response("200 OK", &headers, "ok  ")[..]].concat();
    let bytes = [&bytes[..bytes.len() - 2], b"\xff\xff"].concat();
    let server = responding(bytes).await;
    let reply = server.client().invoke("f").send().await.unwrap();
    errors.push((Text, reply.text().unwrap_err()));
    errors
}

#[tokio::test]
async fn predicates_of_every_kind() {
    // is_retryable, is_timeout, is_throttled, may_have_run.
    let no = false;
    let expected = [
        (ErrorKind::Configuration, [no, no, no, no]),
        (ErrorKind::Input, [no, no, no, no]),
        (ErrorKind::Credentials, [no, no, no, no]),
        (ErrorKind::Service, [no, no, no, no]),
        (ErrorKind::Service, [true, no, true, no]),
        (ErrorKind::Service, [true, no, no, no]),
        (ErrorKind::Service, [true, no, no, true]),
        (ErrorKind::Service, [true, no, no, no]),
        (ErrorKind::Connect, [true, no, no, no]),
        (ErrorKind::TimedOut, [true, true, no, true]),
        (ErrorKind::Transport, [true, no, no, true]),
        (ErrorKind::UnexpectedResponse, [no, no, no, true]),
        (ErrorKind::FunctionFailed, [no, no, no, true]),
        (ErrorKind::Truncated, [true, no, no, true]),
        (ErrorKind::Corrupt, [true, no, no, true]),
        (ErrorKind::StreamException, [true, no, no, true]),
        (ErrorKind::TooLarge, [no, no, no, true]),
        (ErrorKind::Json, [no, no, no, true]),
        (ErrorKind::Text, [no, no, no, true]),
    ];
    let errors = every_kind().await;
    assert_eq!(errors.len(), expected.len());
    for ((kind, error), (row, [retryable, timeout, throttled, may_have_run])) in
        errors.iter().zip(expected)
    {
        assert_eq!((*kind, error.kind()), (row, row), "{error}");
        assert_eq!(error.is_retryable(), retryable, "{error}");
        assert_eq!(error.is_timeout(), timeout, "{error}");
        assert_eq!(error.is_throttled(), throttled, "{error}");
        assert_eq!(error.may_have_run(), may_have_run, "{error}");
    }
}

#[tokio::test]
async fn display_names_the_cause_and_debug_is_one_line() {
    for (kind, error) in every_kind().await {
        let text = error.to_string();
        let mut root = error.source();
        while let Some(source) = root.and_then(|root| root.source()) {
            root = Some(source);
        }
        // A timeout is described in this crate's words.
        if let Some(root) = root.filter(|_| kind != ErrorKind::TimedOut) {
            assert!(text.contains(&root.to_string()), "{text}: {root}");
        }
        let debug = format!("{error:?}");
        assert_eq!(debug, format!("{kind:?}: {text}"));
        assert!(!debug.contains('\n'), "{debug}");
        assert!(format!("{error:#?}").starts_with("Error {\n"));
        assert!(!text.ends_with('.') && text.len() < 1024, "{text}");
    }
}

#[tokio::test]
async fn a_stream_exception_is_kept_with_its_code() {
    let rate = StreamException::new("TooManyRequestsException", "slow down");
    for (exception, throttled) in [
        (rate, true),
        (StreamException::new("TeapotException", ""), false),
    ] {
        let body = events([chunk("four"), StreamEvent::Exception(exception.clone())]);
        let body = [stream_head(&[]), body, LAST_CHUNK.to_vec()].concat();
        let server = responding(body).await;
        let error = collect(&server.client(), "f").await;
        assert_eq!(error.kind(), ErrorKind::StreamException);
        assert_eq!(error.stream_exception(), Some(&exception));
        assert_eq!(error.received(), Some(4));
        assert_eq!(error.is_throttled(), throttled);
        assert!(error.may_have_run() && error.service_error().is_none());
        let start = format!("the service ended the response stream with {exception}, after 4");
        assert!(error.to_string().starts_with(&start), "{error}");
    }
}
