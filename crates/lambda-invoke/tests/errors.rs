//! Each kind of error, caused by a fault rule of the local endpoint or by a setting, and what the
//! error says about the execution.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helper may")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lambda_invoke::{
    Client, Credentials, CredentialsFuture, Error, ErrorKind, Execution, ProvideCredentials,
    RetryPolicy, ThrottleReason, TimeoutKind, Timeouts,
};
use lambda_invoke_endpoint::{Endpoint, Fault, Function, FunctionError, Server};

/// An endpoint with this fault and a function of each kind, and the number of executions.
async fn endpoint(fault: Option<&str>) -> (Server, Arc<AtomicUsize>) {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let buffered = Function::buffered("buffered", move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Ok::<_, FunctionError>(r#"{"a":"response"}"#) }
    });
    let counted = Arc::clone(&runs);
    let streaming = Function::streaming("streaming", move |_, mut writer| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            for word in ["one ", "two ", "three"] {
                writer.write(word).await?;
            }
            Ok::<_, FunctionError>(())
        }
    });
    let mut builder = Endpoint::builder()
        .builtins()
        .function(buffered)
        .function(streaming);
    if let Some(fault) = fault {
        builder = builder.fault(fault.parse::<Fault>().unwrap());
    }
    (builder.bind_local().await.unwrap(), runs)
}

fn client_of(server: &Server) -> Client {
    let builder = support::builder().endpoint_url(server.url());
    builder.retry(RetryPolicy::none()).build().unwrap()
}

async fn invoke(client: &Client) -> Result<(), Error> {
    client
        .invoke("buffered")
        .payload("{}")
        .send()
        .await?
        .into_result()
        .map(|_| ())
}

async fn stream(client: &Client) -> Result<(), Error> {
    let mut stream = client.stream("streaming").payload("{}").send().await?;
    while let Some(piece) = stream.next_chunk().await {
        piece?;
    }
    Ok(())
}

#[tokio::test]
async fn each_fault_is_its_kind_of_error() {
    use ErrorKind::{Corrupt, FunctionFailed, Service, StreamException, Truncated};
    use Execution::{NotStarted, Started, Unknown};
    let cases = [
        (
            "*: error=ServiceException",
            Some((Service, Unknown)),
            Some((Service, Unknown)),
        ),
        (
            "*: error=KMSDisabledException",
            Some((Service, NotStarted)),
            Some((Service, NotStarted)),
        ),
        (
            "*: throttle=ConcurrentInvocationLimitExceeded retry-after=2",
            Some((Service, NotStarted)),
            Some((Service, NotStarted)),
        ),
        (
            "*: error=TeapotException status=418",
            Some((Service, Unknown)),
            Some((Service, Unknown)),
        ),
        (
            "*: cut-at=10",
            Some((Truncated, Started)),
            Some((Truncated, Started)),
        ),
        (
            "*: reset-at=10",
            Some((Truncated, Started)),
            Some((Truncated, Started)),
        ),
        ("*: end-at=130", None, Some((Truncated, Started))),
        ("*: flip-at=20", None, Some((Corrupt, Started))),
        ("*: flip-at=4", None, Some((Corrupt, Started))),
        ("*: wrong-crc=1", None, Some((Corrupt, Started))),
        ("*: no-complete", None, Some((Truncated, Started))),
        ("*: after-complete", None, Some((Corrupt, Started))),
        (
            "*: exception=ServiceException message=gone",
            None,
            Some((StreamException, Started)),
        ),
        (
            "*: complete-error=Runtime.ExitError details=killed",
            None,
            Some((FunctionFailed, Started)),
        ),
    ];
    for (fault, invoked, streamed) in cases {
        let (server, runs) = endpoint(Some(fault)).await;
        let client = client_of(&server);
        let outcome =
            |result: Result<(), Error>| result.err().map(|error| (error.kind(), error.execution()));
        if invoked.is_some() {
            assert_eq!(outcome(invoke(&client).await), invoked, "{fault}");
        }
        let before = runs.load(Ordering::SeqCst);
        assert_eq!(outcome(stream(&client).await), streamed, "{fault}");
        let ran = runs.load(Ordering::SeqCst) - before;
        // What the error says about the execution is true.
        match streamed.unwrap().1 {
            NotStarted => assert_eq!(ran, 0, "{fault}"),
            Started => assert_eq!(ran, 1, "{fault}"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_service_error_says_what_happened_and_what_can_be_done() {
    let rule = "*: throttle=ReservedFunctionConcurrentInvocationLimitExceeded retry-after=2";
    let (server, _) = endpoint(Some(rule)).await;
    let error = invoke(&client_of(&server)).await.unwrap_err();
    let service = error.service_error().unwrap();
    let reason = ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded;
    assert_eq!(service.reason(), Some(&reason));
    assert!(service.retry_after().is_some());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(2)));
    assert!(error.request_id().is_some());
    let text = error.to_string();
    for part in [
        "429 TooManyRequestsException",
        "request id",
        "; the function was not run",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert!(
        text.contains(service.advice().unwrap().trim_end_matches('.')),
        "{text}"
    );

    let error = client_of(&server)
        .invoke("nobody")
        .send()
        .await
        .unwrap_err();
    assert!(error.service_error().unwrap().is_not_found(), "{error}");
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    let rule = "*: throttle=CallerRateLimitExceeded retry-after=1 times=1";
    let (server, runs) = endpoint(Some(rule)).await;
    let client = support::builder()
        .endpoint_url(server.url())
        .build()
        .unwrap();
    let started = std::time::Instant::now();
    let reply = client.invoke("buffered").send().await.unwrap();
    assert_eq!((reply.attempts(), runs.load(Ordering::SeqCst)), (2, 1));
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_timeout_says_which_was_reached_and_how_long_it_was() {
    let (server, _) = endpoint(Some("*: delay=60s")).await;
    let client = client_of(&server);
    let timeouts = Timeouts::default().with_first_byte(Duration::from_millis(50));
    let error = client
        .invoke("buffered")
        .timeouts(timeouts)
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.execution()),
        (ErrorKind::TimedOut, Execution::Unknown)
    );
    assert_eq!(error.timeout_kind(), Some(TimeoutKind::FirstByte));
    assert_eq!(error.timeout(), Some(Duration::from_millis(50)));
    assert_eq!(
        error.to_string(),
        format!(
            "no response from {} within 50ms, the first byte timeout; the function may have run",
            server.url()
        )
    );
    let call = client
        .stream("streaming")
        .timeout(Duration::from_millis(50));
    let error = call.send().await.unwrap_err();
    assert_eq!(error.timeout_kind(), Some(TimeoutKind::Total));

    let (server, _) = endpoint(Some("*: delay-chunks=60s")).await;
    let timeouts = Timeouts::default().with_idle(Duration::from_millis(50));
    let call = client_of(&server).stream("streaming").timeouts(timeouts);
    let error = match call.send().await {
        Ok(mut stream) => stream.next_chunk().await.unwrap().unwrap_err(),
        Err(error) => panic!("the head comes at once: {error}"),
    };
    assert_eq!(
        (error.kind(), error.execution()),
        (ErrorKind::TimedOut, Execution::Started)
    );
    assert_eq!(
        (error.timeout_kind(), error.received()),
        (Some(TimeoutKind::Idle), Some(0))
    );
    let start = "no further data within 50ms, the idle timeout, after 0 bytes; the function ran";
    assert!(error.to_string().starts_with(start), "{error}");
}

#[tokio::test]
async fn a_function_error_is_a_reply_and_an_error_if_asked() {
    let (server, _) = endpoint(None).await;
    let call = client_of(&server).invoke("fail").payload("{}").log_tail();
    let reply = call.send().await.unwrap();
    assert_eq!(reply.function_error(), Some("Unhandled"));
    let error = reply.json::<serde_json::Value>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FunctionFailed);
    let error = reply.into_result().unwrap_err();
    assert_eq!(
        (error.kind(), error.execution()),
        (ErrorKind::FunctionFailed, Execution::Started)
    );
    let failure = error.function_failure().unwrap();
    assert_eq!(failure.code.as_deref(), Some("Unhandled"));
    assert!(failure.error.error_type.is_some());
    assert!(failure.payload.starts_with(b"{"));
    assert!(failure.log.as_ref().unwrap().report().is_some());
}

#[tokio::test]
async fn an_invalid_call_is_never_sent() {
    let (server, _) = endpoint(None).await;
    let client = client_of(&server);
    let check = |error: Error, what: &str| {
        assert_eq!(error.kind(), ErrorKind::Input);
        assert_eq!(
            (error.execution(), error.attempts()),
            (Execution::NotStarted, 0)
        );
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(what), "{source}");
        assert!(error.to_string().contains(&source), "{error}");
    };
    let invoke = |name: &'static str| client.invoke(name);
    check(invoke("he!!o").send().await.unwrap_err(), "byte 2");
    check(
        invoke("f").qualifier("").send().await.unwrap_err(),
        "qualifier",
    );
    check(
        invoke("f:a").qualifier("b").send().await.unwrap_err(),
        "qualifier",
    );
    check(
        invoke("f")
            .payload_validated("{\"a\":}")
            .send()
            .await
            .unwrap_err(),
        "byte 5",
    );
    check(
        invoke("f").event().log_tail().send().await.unwrap_err(),
        "Event",
    );
    check(
        invoke("f")
            .client_context("{}")
            .event()
            .send()
            .await
            .unwrap_err(),
        "Event",
    );
    check(
        invoke("f")
            .client_context_base64("*")
            .send()
            .await
            .unwrap_err(),
        "client context",
    );
    check(
        invoke("f")
            .payload(vec![b'1'; 6_291_457])
            .send()
            .await
            .unwrap_err(),
        "6291456",
    );
    check(
        invoke("f")
            .event()
            .payload(vec![b'1'; 1_048_577])
            .send()
            .await
            .unwrap_err(),
        "1048576",
    );
    check(client.stream("").send().await.unwrap_err(), "function name");
    // Of several mistakes, the first one is reported.
    check(
        invoke("he!!o").qualifier("").send().await.unwrap_err(),
        "byte 2",
    );
}

#[tokio::test]
async fn a_response_that_is_not_the_expected_json_says_where() {
    let (server, _) = endpoint(None).await;
    let call = client_of(&server)
        .invoke("echo")
        .payload(r#"{"a": "text"}"#);
    let reply = call.send().await.unwrap();
    let error = reply.json::<u32>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Json);
    assert!(
        std::error::Error::source(&error)
            .unwrap()
            .to_string()
            .contains("column")
    );
    assert!(error.to_string().contains("column"), "{error}");
}

#[tokio::test]
async fn a_reply_over_the_maximum_is_rejected() {
    let (server, _) = endpoint(None).await;
    let builder = support::builder()
        .endpoint_url(server.url())
        .max_reply_bytes(10);
    let client = builder.build().unwrap();
    let payload = r#""0123456789""#;
    let error = client
        .invoke("echo")
        .payload(payload)
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.execution()),
        (ErrorKind::TooLarge, Execution::Started)
    );
}

#[tokio::test]
async fn a_call_without_a_connection_is_not_started() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = support::builder().endpoint_url(&url).build().unwrap();
    let error = client.invoke("f").send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.execution()),
        (ErrorKind::Connect, Execution::NotStarted)
    );
    assert_eq!(error.attempts(), 3);
    assert!(
        error
            .to_string()
            .starts_with(&format!("no connection to {url}: ")),
        "{error}"
    );
    // The message itself has the system's reason, not only the error's sources.
    let message = error.to_string().to_lowercase();
    assert!(message.contains("connection refused"), "{error}");
    assert!(
        error
            .to_string()
            .contains("in 3 attempts; the function was not run"),
        "{error}"
    );
}

#[tokio::test]
async fn a_wrong_clock_is_corrected_once_and_for_all() {
    for offset in [-3600, 3600] {
        let builder = Endpoint::builder().builtins().clock_offset(offset);
        let server = builder.bind_local().await.unwrap();
        let client = support::builder()
            .endpoint_url(server.url())
            .build()
            .unwrap();
        // Several concurrent calls detect the same clock skew, which must not be added up.
        let calls: Vec<_> = (0..8)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.invoke("echo").payload("1").send().await })
            })
            .collect();
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap().attempts(), 2);
        }
        let reply = client.invoke("echo").payload("1").send().await.unwrap();
        assert_eq!(reply.attempts(), 1, "by {offset}");
    }
}

/// Returns access keys numbered from 0.
#[derive(Debug)]
struct Numbered(AtomicUsize);

impl ProvideCredentials for Numbered {
    fn provide(&self) -> CredentialsFuture<'_> {
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move { Ok(Credentials::new(format!("KEY{number}"), "secret")?) })
    }
}

#[tokio::test]
async fn expired_credentials_are_fetched_again() {
    let builder = Endpoint::builder()
        .builtins()
        .credential("KEY0", "secret")
        .unwrap();
    let server = builder
        .credential("KEY1", "secret")
        .unwrap()
        .fault("*: error=ExpiredTokenException times=1".parse().unwrap())
        .bind_local()
        .await
        .unwrap();
    let builder = support::builder().endpoint_url(server.url());
    let client = builder
        .credentials(Numbered(AtomicUsize::new(0)))
        .build()
        .unwrap();
    assert_eq!(
        client
            .invoke("echo")
            .payload("1")
            .send()
            .await
            .unwrap()
            .attempts(),
        2
    );

    // Credentials that never change are not tried a second time.
    let fault = "*: error=ExpiredTokenException".parse().unwrap();
    let server = Endpoint::builder()
        .builtins()
        .fault(fault)
        .bind_local()
        .await
        .unwrap();
    let client = support::builder()
        .endpoint_url(server.url())
        .build()
        .unwrap();
    let error = client.invoke("echo").send().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Service, 1));
}

#[tokio::test]
async fn after_a_retry_the_total_timeout_is_that_of_the_call() {
    use support::{Step, rejection};
    let server = support::Server::start(|n, _| match n {
        0 => vec![Step::Write(rejection(
            "429 Busy",
            "TooManyRequestsException",
            "slow",
        ))],
        1 => vec![Step::Hang],
        2 => vec![Step::Write(rejection(
            "429 Busy",
            "TooManyRequestsException",
            "slow",
        ))],
        _ => vec![Step::Write(support::stream_head(&[])), Step::Hang],
    })
    .await;
    let policy = RetryPolicy::default().with_max_backoff(Duration::from_millis(20));
    let client = server.client_builder().retry(policy).build().unwrap();
    let total = Duration::from_millis(500);
    let hung = client.invoke("f").timeout(total).send().await.unwrap_err();
    let mut stream = client.stream("f").timeout(total).send().await.unwrap();
    let broken = stream.next_chunk().await.unwrap().unwrap_err();
    for error in [hung, broken] {
        assert_eq!(error.attempts(), 2, "{error}");
        assert_eq!(
            (error.timeout_kind(), error.timeout()),
            (Some(TimeoutKind::Total), Some(total))
        );
        assert!(error.to_string().contains("within 500ms"), "{error}");
    }
}

#[tokio::test]
async fn a_timeout_of_the_system_is_named() {
    let times_out = |_| async {
        Err::<tokio::net::TcpStream, _>(std::io::Error::from(std::io::ErrorKind::TimedOut))
    };
    let transport = lambda_invoke_transport::Transport::builder().connect_with(times_out);
    let builder = support::builder().endpoint_url("http://lambda.test");
    let builder = builder.transport(transport.build());
    let client = builder.retry(RetryPolicy::none()).build().unwrap();
    let error = client.invoke("f").send().await.unwrap_err();
    assert_eq!(error.timeout(), None);
    assert!(error.to_string().contains("timed out"), "{error}");
}
