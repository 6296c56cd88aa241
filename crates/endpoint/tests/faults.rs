//! Each kind of fault, as a caller sees it on the wire.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use bytes::Bytes;
use common::{Answer, Call, Client, soon};
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

/// The body of a whole stream of `three`, to compare with.
async fn right() -> Bytes {
    let (_server, mut client) = with("echo: twice").await;
    client.call(&Call::stream("three", "{}")).await.body
}

/// What came of a stream's body before it broke, and how it broke.
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
async fn usable_from_a_test_in_three_lines() {
    let server = Endpoint::builder()
        .builtins()
        .fault("echo: error=ServiceException every=2".parse().unwrap())
        .bind_local()
        .await
        .unwrap();
    let mut client = Client::to(&server).await;
    assert_eq!(client.call(&Call::invoke("echo", "1")).await.status(), 200);
    assert_eq!(
        client.call(&Call::invoke("echo", "1")).await.refused().1,
        "ServiceException"
    );
    assert_eq!(server.fault_strikes(), [1]);
}

#[tokio::test]
async fn any_error_of_the_table_is_answered_as_it_is_there() {
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
            let answer = client.call(&call).await;
            assert_eq!(answer.refused(), (row.status, row.code.to_owned()));
            assert_eq!(answer.error().message(), Some(row.meaning));
        }
    }
}

#[tokio::test]
async fn an_error_that_the_service_does_not_have() {
    let (_server, mut client) = with("*: error=TeapotException status=418 message=short").await;
    let answer = client.call(&Call::invoke("echo", "1")).await;
    assert_eq!(answer.refused(), (418, "TeapotException".to_owned()));
    assert_eq!(answer.error().message(), Some("short"));
}

#[tokio::test]
async fn a_throttle_with_its_reason_and_its_wish_to_wait() {
    let (_server, mut client) = with("*: throttle=CallerRateLimitExceeded retry-after=7").await;
    let answer = client.call(&Call::stream("hello", "{}")).await;
    assert_eq!(
        answer.refused(),
        (429, "TooManyRequestsException".to_owned())
    );
    assert_eq!(answer.json()["Reason"], "CallerRateLimitExceeded");
    assert_eq!(answer.header("retry-after"), Some("7"));
}

#[tokio::test]
async fn a_head_and_chunks_that_come_late() {
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
async fn a_cut_closes_the_connection_after_just_so_many_bytes() {
    let whole = right().await;
    for at in [0, 1, 100, whole.len() - 1] {
        let (body, end) = broken(&format!("three: cut-at={at}")).await;
        assert_eq!(body, whole[..at], "{at}");
        assert_eq!(end, ErrorKind::UnexpectedEof, "{at}");
    }
    // At the very end only HTTP's own end is missing.
    let (body, end) = broken(&format!("three: cut-at={}", whole.len())).await;
    assert_eq!((body, end), (whole.to_vec(), ErrorKind::UnexpectedEof));
}

#[tokio::test]
async fn a_reset_resets_the_connection_after_just_so_many_bytes() {
    let whole = right().await;
    for at in [0, 100] {
        let (body, end) = broken(&format!("three: reset-at={at}")).await;
        assert_eq!(body, whole[..at], "{at}");
        assert_eq!(end, ErrorKind::ConnectionReset, "{at}");
    }
}

#[tokio::test]
async fn a_clean_end_too_soon_looks_whole_to_http() {
    let whole = right().await;
    let (_server, mut client) = with("*: end-at=100").await;
    let answer = client.call(&Call::stream("three", "{}")).await;
    assert_eq!(answer.body, whole[..100]);
    // So it does with a buffered answer, and the connection goes on.
    let answer = client
        .call(&Call::invoke("echo", format!("\"{}\"", "x".repeat(200))))
        .await;
    assert_eq!(answer.body.len(), 100);
}

#[tokio::test]
async fn byte_faults_strike_buffered_answers_too() {
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

fn first_fault(answer: &Answer) -> (usize, Option<DecodeErrorKind>) {
    let mut decoder = Decoder::new();
    decoder.push(answer.body.clone());
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
async fn a_flipped_bit_and_a_wrong_checksum_are_refused_by_a_reader() {
    let whole = right().await;
    let (_server, mut client) = with("three: flip-at=110").await;
    let answer = client.call(&Call::stream("three", "{}")).await;
    let different: Vec<usize> = (0..whole.len())
        .filter(|&at| answer.body[at] != whole[at])
        .collect();
    assert_eq!(different, [110]);
    assert!(first_fault(&answer).1.is_some());

    for (fault, messages) in [("three: wrong-crc", 0), ("three: wrong-crc=3", 3)] {
        let (_server, mut client) = with(fault).await;
        let answer = client.call(&Call::stream("three", "{}")).await;
        assert_eq!(answer.body.len(), whole.len());
        let (read, error) = first_fault(&answer);
        assert_eq!(read, messages);
        assert!(
            matches!(error, Some(DecodeErrorKind::MessageChecksumMismatch { .. })),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_stream_without_its_end_and_with_other_ends() {
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
}

#[tokio::test]
async fn the_same_seed_strikes_the_same_calls() {
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
fn a_rule_can_be_written_either_way() {
    let typed = Fault::new(FaultKind::ResetAt(5))
        .on("hello")
        .every(2)
        .times(3);
    assert_eq!("hello: reset-at=5 every=2 times=3".parse(), Ok(typed));
}
