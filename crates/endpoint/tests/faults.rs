//! Each kind of fault, as a caller sees it on the wire.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use bytes::Bytes;
use common::{Call, Client, Response, serve, soon};
use lambda_invoke_endpoint::{Endpoint, Fault, FaultKind, Function, FunctionError, Server};
use lambda_invoke_error::known_errors;
use lambda_invoke_event_stream::{DecodeErrorKind, Decoder};
use lambda_invoke_protocol::{StreamEvent, StreamException};

async fn with(fault: &str) -> (Server, Client) {
    let three = Function::streaming("three", |_, mut writer| async move {
        for chunk in ["one", "two", "three"] {
            writer.write(chunk).await?;
        }
        Ok::<_, FunctionError>(())
    });
    let builder = Endpoint::builder().builtins().function(three);
    let server = builder
        .fault(fault.parse().unwrap())
        .bind_local()
        .await
        .unwrap();
    let client = Client::to(&server).await;
    (server, client)
}

/// Returns the complete body of a stream of `three`, for comparison.
async fn complete() -> Bytes {
    let (_server, mut client) = with("echo: twice").await;
    client.call(&Call::stream("three", "{}")).await.body
}

/// Returns the part of a stream's body that arrived, with the error that ended it.
async fn broken(fault: &str) -> (Vec<u8>, ErrorKind) {
    let (_server, mut client) = with(fault).await;
    client.send(&Call::stream("three", "{}")).await;
    soon(client.head()).await.unwrap();
    let mut body = Vec::new();
    let end = loop {
        match soon(client.chunk()).await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => panic!("{fault}: the body ended cleanly"),
            Err(error) => break error.kind(),
        }
    };
    (body, end)
}

#[tokio::test]
async fn a_fault_takes_three_lines_in_a_test() {
    let (server, mut client) = serve(
        Endpoint::builder()
            .builtins()
            .fault("echo: error=ServiceException every=2".parse().unwrap()),
    )
    .await;
    assert_eq!(client.call(&Call::invoke("echo", "1")).await.status(), 200);
    assert_eq!(
        client.call(&Call::invoke("echo", "1")).await.rejection().1,
        "ServiceException"
    );
    assert_eq!(server.fault_strikes(), [1]);
}

#[tokio::test]
async fn every_error_of_the_table_can_be_sent() {
    for row in known_errors() {
        let fault = Fault::error(row.code).unwrap();
        let server = Endpoint::builder()
            .builtins()
            .fault(fault)
            .bind_local()
            .await
            .unwrap();
        let mut client = Client::to(&server).await;
        for call in [Call::invoke("echo", "1"), Call::stream("hello", "{}")] {
            let response = client.call(&call).await;
            assert_eq!(response.rejection(), (row.status, row.code.to_owned()));
            assert_eq!(response.error().message(), Some(row.meaning));
        }
    }
}

#[tokio::test]
async fn an_error_unknown_to_the_service_can_be_sent() {
    let (_server, mut client) = with("*: error=TeapotException status=418 message=short").await;
    let response = client.call(&Call::invoke("echo", "1")).await;
    assert_eq!(response.rejection(), (418, "TeapotException".to_owned()));
    assert_eq!(response.error().message(), Some("short"));
}

#[tokio::test]
async fn a_throttle_has_its_reason_and_retry_after() {
    let (_server, mut client) = with("*: throttle=CallerRateLimitExceeded retry-after=7").await;
    let response = client.call(&Call::stream("hello", "{}")).await;
    assert_eq!(
        response.rejection(),
        (429, "TooManyRequestsException".to_owned())
    );
    assert_eq!(response.json()["Reason"], "CallerRateLimitExceeded");
    assert_eq!(response.header("retry-after"), Some("7"));
}

#[tokio::test]
async fn heads_and_chunks_can_be_delayed() {
    let (_server, mut client) = with("*: delay=60ms").await;
    let start = Instant::now();
    assert_eq!(client.call(&Call::invoke("echo", "1")).await.text(), "1");
    assert!(start.elapsed() >= Duration::from_millis(60));

    let (_server, mut client) = with("*: delay-chunks=30ms").await;
    let start = Instant::now();
    let (words, _) = client.call(&Call::stream("three", "{}")).await.streamed();
    assert_eq!(words, ["one", "two", "three"]);
    assert!(start.elapsed() >= Duration::from_millis(90));
}

#[tokio::test]
async fn cut_at_closes_the_connection_after_exactly_that_many_bytes() {
    let whole = complete().await;
    for at in [0, 1, 100, whole.len() - 1] {
        let (body, end) = broken(&format!("three: cut-at={at}")).await;
        assert_eq!(body, whole[..at], "{at}");
        assert_eq!(end, ErrorKind::UnexpectedEof, "{at}");
    }
    // At the very end of the body, only the last HTTP chunk is missing.
    let (body, end) = broken(&format!("three: cut-at={}", whole.len())).await;
    assert_eq!((body, end), (whole.to_vec(), ErrorKind::UnexpectedEof));
}

#[tokio::test]
async fn reset_at_resets_the_connection_after_exactly_that_many_bytes() {
    let whole = complete().await;
    for at in [0, 100] {
        let (body, end) = broken(&format!("three: reset-at={at}")).await;
        assert_eq!(body, whole[..at], "{at}");
        assert_eq!(end, ErrorKind::ConnectionReset, "{at}");
    }
}

#[tokio::test]
async fn an_early_clean_end_looks_complete_to_http() {
    let whole = complete().await;
    let (_server, mut client) = with("*: end-at=100").await;
    let response = client.call(&Call::stream("three", "{}")).await;
    assert_eq!(response.body, whole[..100]);
    // A buffered response is affected, too, and the connection remains usable.
    let response = client
        .call(&Call::invoke("echo", format!("\"{}\"", "x".repeat(200))))
        .await;
    assert_eq!(response.body.len(), 100);
}

#[tokio::test]
async fn byte_faults_affect_buffered_responses_too() {
    let (_server, mut client) = with("echo: flip-at=1 bit=1").await;
    assert_eq!(
        client.call(&Call::invoke("echo", "[0]")).await.text(),
        "[2]"
    );
    let (_server, mut client) = with("echo: cut-at=2").await;
    client.send(&Call::invoke("echo", "[0]")).await;
    let head = soon(client.head()).await.unwrap();
    assert_eq!(
        soon(client.body(&head)).await.unwrap_err().kind(),
        ErrorKind::UnexpectedEof
    );
}

fn first_fault(response: &Response) -> (usize, Option<DecodeErrorKind>) {
    let mut decoder = Decoder::new();
    decoder.push(response.body.clone());
    let mut messages = 0;
    loop {
        match decoder.next_message() {
            Ok(Some(_)) => messages += 1,
            Ok(None) => return (messages, None),
            Err(error) => return (messages, Some(error.kind())),
        }
    }
}

#[tokio::test]
async fn a_reader_rejects_a_flipped_bit_and_a_wrong_checksum() {
    let whole = complete().await;
    let (_server, mut client) = with("three: flip-at=110").await;
    let response = client.call(&Call::stream("three", "{}")).await;
    let different: Vec<usize> = (0..whole.len())
        .filter(|&at| response.body[at] != whole[at])
        .collect();
    assert_eq!(different, [110]);
    assert!(first_fault(&response).1.is_some());

    for (fault, messages) in [("three: wrong-crc", 0), ("three: wrong-crc=3", 3)] {
        let (_server, mut client) = with(fault).await;
        let response = client.call(&Call::stream("three", "{}")).await;
        assert_eq!(response.body.len(), whole.len());
        let (read, error) = first_fault(&response);
        assert_eq!(read, messages);
        assert!(
            matches!(error, Some(DecodeErrorKind::MessageChecksumMismatch { .. })),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_stream_can_end_without_invoke_complete_or_with_an_error() {
    let (_server, mut client) = with("*: no-complete").await;
    let events = client.call(&Call::stream("three", "{}")).await.events();
    assert_eq!(common::chunks(events), ["one", "two", "three"]);

    for (fault, chunks) in [
        ("*: exception=ServiceException message=\"it broke\"", 3),
        (
            "*: exception=ServiceException message=\"it broke\" after=1",
            1,
        ),
        (
            "*: exception=ServiceException message=\"it broke\" after=0",
            0,
        ),
    ] {
        let (_server, mut client) = with(fault).await;
        let mut events = client.call(&Call::stream("three", "{}")).await.events();
        let exception = StreamException::new("ServiceException", "it broke");
        assert_eq!(
            events.pop(),
            Some(StreamEvent::Exception(exception)),
            "{fault}"
        );
        assert_eq!(events.len(), chunks, "{fault}");
    }

    let (_server, mut client) = with("*: complete-error=Runtime.ExitError details=killed").await;
    let (words, complete) = client.call(&Call::stream("three", "{}")).await.streamed();
    assert_eq!(words.len(), 3);
    assert_eq!(complete.error_code.as_deref(), Some("Runtime.ExitError"));
    assert_eq!(complete.error_details.as_deref(), Some("killed"));

    let (_server, mut client) = with("*: after-complete").await;
    let mut events = client.call(&Call::stream("three", "{}")).await.events();
    let late = events.pop();
    assert!(
        matches!(&late, Some(StreamEvent::PayloadChunk(_))),
        "{late:?}"
    );
    let complete = events.pop();
    assert!(
        matches!(&complete, Some(StreamEvent::InvokeComplete(_))),
        "{complete:?}"
    );
    assert_eq!(events.len(), 3);
}

#[tokio::test]
async fn the_same_seed_selects_the_same_calls() {
    let mut seen = Vec::new();
    for seed in [7, 7, 8] {
        let server = Endpoint::builder()
            .builtins()
            .fault(Fault::error("ServiceException").unwrap().probability(0.5))
            .seed(seed)
            .bind_local()
            .await
            .unwrap();
        let mut client = Client::to(&server).await;
        let mut statuses = Vec::new();
        for _ in 0..32 {
            statuses.push(client.call(&Call::invoke("echo", "1")).await.status());
        }
        seen.push(statuses);
    }
    assert_eq!(seen[0], seen[1]);
    assert_ne!(seen[0], seen[2]);
}

#[test]
fn a_rule_can_be_built_or_parsed() {
    let typed = Fault::new(FaultKind::ResetAt(5))
        .on("hello")
        .every(2)
        .times(3);
    assert_eq!("hello: reset-at=5 every=2 times=3".parse(), Ok(typed));
}

#[tokio::test]
async fn a_message_of_several_pieces_can_have_a_wrong_checksum_too() {
    // 9 MiB are sent as messages of 8 MiB and 1 MiB.
    for (number, whole) in [(0, 0), (1, 1)] {
        let (_server, mut client) = with(&format!("count: wrong-crc={number}")).await;
        let payload = format!(r#"{{"n":1,"bytes":{}}}"#, 9 << 20);
        let response = client.call(&Call::stream("count", payload)).await;
        let (messages, error) = first_fault(&response);
        assert_eq!(messages, whole);
        assert!(matches!(
            error,
            Some(DecodeErrorKind::MessageChecksumMismatch { .. })
        ));
    }
}
