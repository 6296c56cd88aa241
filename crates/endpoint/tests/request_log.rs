//! The records of a request log.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::sync::{Arc, mpsc};
use std::time::Duration;

use common::{Call, Client, PATIENCE, soon};
use lambda_invoke_endpoint::{
    Ending, Endpoint, EndpointBuilder, Function, FunctionError, FunctionUrl, RequestRecord,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;

fn recording() -> (EndpointBuilder, mpsc::Receiver<RequestRecord>) {
    let (sender, records) = mpsc::channel();
    let builder = Endpoint::builder()
        .builtins()
        .on_response(move |record| sender.send(record.clone()).unwrap());
    (builder, records)
}

fn status(record: &RequestRecord) -> u16 {
    record.status.unwrap().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_request_is_recorded_with_its_response() {
    let (builder, records) = recording();
    let server = builder.bind_local().await.unwrap();
    let mut client = Client::to(&server).await;
    let next = || records.recv_timeout(PATIENCE).unwrap();

    client.call(&Call::invoke("echo", "12345")).await;
    let echoed = next();
    assert_eq!(
        (status(&echoed), echoed.bytes, echoed.whole),
        (200, 5, true)
    );
    assert_eq!(echoed.error, None);
    assert!(echoed.until_head <= echoed.until_end);
    let line = echoed.to_string();
    assert!(line.starts_with("POST /2015-03-31/functions/echo/invocations 200, 5 bytes in "));
    assert!(line.ends_with(&format!(" ms ({})", echoed.request_id)));

    client.call(&Call::invoke("echo", "1")).await;
    let line = next().to_string();
    assert!(line.contains("/echo/invocations 200, 1 byte in "), "{line}");

    let response = client.call(&Call::stream("count", r#"{"n":2}"#)).await;
    let streamed = next();
    assert_eq!(
        (streamed.bytes, streamed.whole),
        (response.body.len() as u64, true)
    );

    let mut presigned = Call::invoke("nobody", "1").qualifier("live");
    presigned.path.push_str("&X-Amz-Signature=5ec7e7");
    client.stream.write_all(&presigned.written()).await.unwrap();
    soon(client.response()).await.unwrap();
    let line = next().to_string();
    assert!(line.starts_with("POST /2015-03-31/functions/nobody/invocations?Qualifier=live 403 "));
    assert!(!line.contains("5ec7e7"));

    client.call(&Call::invoke("nobody", "1")).await;
    let rejected = next();
    assert_eq!(status(&rejected), 404);
    assert_eq!(rejected.error.as_deref(), Some("ResourceNotFoundException"));

    client.call(&Call::invoke("fail", "{}")).await;
    assert_eq!(next().error.as_deref(), Some("Unhandled"));

    client.call(&Call::invoke("echo", "1").event()).await;
    let queued = next();
    assert_eq!(
        (status(&queued), queued.bytes, queued.whole),
        (202, 0, true)
    );
}

/// The caller of such a request does not disconnect too early: there is no body to wait for.
#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_has_no_body_is_whole() {
    let (builder, records) = recording();
    let no_content = Function::buffered("empty", |_| async {
        Ok::<_, FunctionError>(r#"{"statusCode":204,"body":"not sent"}"#)
    });
    let not_modified = Function::streaming("same", |_, mut writer| async move {
        writer.content_type("application/vnd.awslambda.http-integration-response");
        writer
            .write("{\"statusCode\":304}\0\0\0\0\0\0\0\0not sent")
            .await?;
        Ok::<_, FunctionError>(())
    });
    let server = builder
        .functions([no_content, not_modified])
        .default_url(FunctionUrl::new())
        .bind_local()
        .await
        .unwrap();
    let mut client = Client::to(&server).await;
    for (method, path, expected) in [
        ("HEAD", "/health", 200),
        ("HEAD", "/url/echo/", 200),
        ("HEAD", "/url/count/", 200),
        ("GET", "/url/empty/", 204),
        ("GET", "/url/same/", 304),
    ] {
        let mut call = Call::new(path, "").header("host", "localhost");
        call.method = method.to_owned();
        client.stream.write_all(&call.written()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(soon(client.stream.read_u8()).await.unwrap());
        }
        let status = format!("HTTP/1.1 {expected} ");
        assert!(head.starts_with(status.as_bytes()), "{method} {path}");
        let record = records.recv_timeout(PATIENCE).unwrap();
        assert_eq!(record.ending, Ending::Whole, "{record}");
        assert!(record.whole);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_query_and_the_reason_of_a_rejected_result_are_readable() {
    let (builder, records) = recording();
    let wrong = Function::buffered("wrong", |_| async {
        let name = " ".repeat(100_000);
        Ok::<_, FunctionError>(format!(
            r#"{{"statusCode":200,"headers":{{"{name}":"x"}}}}"#
        ))
    });
    let server = builder
        .function(wrong)
        .default_url(FunctionUrl::new())
        .bind_local()
        .await
        .unwrap();
    let mut client = Client::to(&server).await;
    let mut call = Call::new("/url/wrong/?&a=1&&b=2", "").header("host", "localhost");
    call.method = "GET".to_owned();
    client.stream.write_all(&call.written()).await.unwrap();
    let response = soon(client.response()).await.unwrap();
    assert_eq!(response.parts.status, 502);
    let record = records.recv_timeout(PATIENCE).unwrap();
    let line = record.to_string();
    assert!(line.starts_with("GET /url/wrong/?a=1&b=2 502 "), "{line}");
    let failure = record.failure.unwrap();
    assert!(failure.ends_with("..."), "{failure}");
    assert!(failure.len() <= 1024 + "...".len(), "{}", failure.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_or_abandoned_response_is_not_whole() {
    let (builder, records) = recording();
    let server = builder
        .fault("echo: cut-at=2".parse().unwrap())
        .bind_local()
        .await
        .unwrap();
    let next = || records.recv_timeout(PATIENCE).unwrap();

    let mut client = Client::to(&server).await;
    client.send(&Call::invoke("echo", "12345")).await;
    let truncated = next();
    assert_eq!((truncated.bytes, truncated.whole), (2, false));
    assert_eq!(truncated.ending, Ending::Fault);
    assert!(
        truncated
            .to_string()
            .contains(", incomplete: a fault rule (")
    );

    let mut client = Client::to(&server).await;
    let payload = r#"{"n":1000000,"delay_ms":10}"#;
    client.send(&Call::stream("count", payload)).await;
    soon(client.head()).await.unwrap();
    drop(client);
    let abandoned = next();
    assert_eq!((status(&abandoned), abandoned.whole), (200, false));
    assert_eq!(abandoned.ending, Ending::CallerGone);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_disconnects_before_the_response_is_recorded() {
    let (builder, records) = recording();
    let begun = Arc::new(Notify::new());
    let signal = Arc::clone(&begun);
    let stuck = Function::buffered("stuck", move |_| {
        signal.notify_one();
        std::future::pending::<Result<&str, FunctionError>>()
    });
    let server = builder.function(stuck).bind_local().await.unwrap();
    let mut client = Client::to(&server).await;
    client.send(&Call::invoke("stuck", "1")).await;
    soon(begun.notified()).await;
    drop(client);
    let disconnected = records.recv_timeout(PATIENCE).unwrap();
    assert_eq!(
        (disconnected.status, disconnected.bytes, disconnected.whole),
        (None, 0, false)
    );
    let line = disconnected.to_string();
    assert!(
        line.contains("/stuck/invocations no response, 0 bytes in "),
        "{line}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_function_is_recorded_even_if_the_response_does_not_report_it() {
    let (builder, records) = recording();
    let slow = Function::streaming("slow", |_, _writer| {
        std::future::pending::<Result<(), FunctionError>>()
    });
    let slow = slow.timeout(Duration::from_millis(50));
    let server = builder.function(slow).bind_local().await.unwrap();
    let mut client = Client::to(&server).await;
    let timed_out = "Sandbox.Timedout: Task timed out after 0.05 seconds";
    let payload = |when: &str| {
        format!("{{\"when\":\"{when}\",\"type\":\"E\",\"message\":\"no\\u001b[2J\\n\"}}")
    };
    for (name, payload, failure) in [
        ("slow", "{}".to_owned(), timed_out),
        ("fail", payload("before"), "E: no\u{1b}[2J\n"),
        ("fail", payload("middle"), "E: no\u{1b}[2J\n"),
        ("fail", payload("end"), "E: no\u{1b}[2J\n"),
    ] {
        for call in [
            Call::invoke(name, payload.clone()),
            Call::stream(name, payload.clone()),
        ] {
            client.call(&call).await;
            let record = records.recv_timeout(PATIENCE).unwrap();
            assert_eq!(record.failure.as_deref(), Some(failure), "{call:?}");
            assert_eq!((status(&record), record.ending), (200, Ending::Whole));
            let line = record.to_string();
            let shown = format!(" 200 failed: {}, ", failure.escape_debug());
            assert!(line.contains(&shown), "{line}");
            assert!(!line.contains(char::is_control), "{line:?}");
        }
    }
    let long = format!("{{\"message\":\"{}\"}}", "ä".repeat(100_000));
    client.call(&Call::stream("fail", long)).await;
    let line = records.recv_timeout(PATIENCE).unwrap().to_string();
    assert!(line.len() < 1_300 && line.contains("ä..., "), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_in_which_a_fault_or_the_shutdown_truncates_a_response_is_recorded() {
    for fault in [
        "cut-at=9",
        "reset-at=9",
        "end-at=9",
        "no-complete",
        "exception=E after=1",
    ] {
        let (builder, records) = recording();
        let rule = format!("count: {fault}").parse().unwrap();
        let server = builder.fault(rule).bind_local().await.unwrap();
        let mut client = Client::to(&server).await;
        client.send(&Call::stream("count", "{}")).await;
        let record = records.recv_timeout(PATIENCE).unwrap();
        assert_eq!(record.ending, Ending::Fault, "{fault}");
        assert!(record.to_string().contains("a fault rule"), "{fault}");
    }
    // A complete stream that reports a failure of the function.
    let (builder, records) = recording();
    let rule = r#"count: complete-error=E details="killed""#.parse().unwrap();
    let server = builder.fault(rule).bind_local().await.unwrap();
    let mut client = Client::to(&server).await;
    client.call(&Call::stream("count", "{}")).await;
    let line = records.recv_timeout(PATIENCE).unwrap().to_string();
    assert!(line.contains(" 200 failed: E: killed, "), "{line}");

    let (builder, records) = recording();
    let server = builder.bind_local().await.unwrap();
    let mut client = Client::to(&server).await;
    let payload = r#"{"n":2,"delay_ms":60000}"#;
    client.send(&Call::stream("count", payload)).await;
    soon(client.head()).await.unwrap();
    let mut waiting = Client::to(&server).await;
    waiting.send(&Call::invoke("count", payload)).await;
    let mut idle = Client::to(&server).await;
    assert_eq!(idle.call(&Call::invoke("echo", "1")).await.text(), "1");
    records.recv_timeout(PATIENCE).unwrap();
    assert!(!soon(server.shutdown(Duration::from_millis(100))).await);
    for _ in 0..2 {
        let closed = records.recv_timeout(PATIENCE).unwrap();
        assert_eq!(closed.ending, Ending::Closed, "{closed}");
    }
}
