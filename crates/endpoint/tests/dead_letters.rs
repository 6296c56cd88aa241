//! Events during shutdown or with a blocked dead-letter file: each accepted event ends in a
//! success, in the dead letter, or in a loss that is counted and reported.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::path::PathBuf;
use std::time::Duration;

use common::{Call, Client, soon};
use lambda_invoke_endpoint::{
    BuildError, DeadLetter, Endpoint, EventFailure, EventSettings, Function, FunctionError, Notice,
    Server,
};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

/// Serves an endpoint whose function `f` always fails, and returns its notices.
async fn failing(events: EventSettings) -> (Server, mpsc::UnboundedReceiver<Notice>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let function = Function::buffered("f", |invocation| async move {
        let message = "x".repeat(invocation.payload().len());
        Err::<String, _>(FunctionError::new("Nope", message))
    });
    let server = Endpoint::builder()
        .builtins()
        .function(function)
        .events(events)
        .on_notice(move |notice| drop(sender.send(notice)))
        .bind_local()
        .await
        .unwrap();
    (server, receiver)
}

async fn accept(server: &Server, payloads: impl IntoIterator<Item = String>) {
    let mut client = Client::to(server).await;
    for payload in payloads {
        let response = client.call(&Call::invoke("f", payload).event()).await;
        assert_eq!(response.status(), 202);
    }
}

async fn all_failed_once(server: &Server, events: u64) {
    soon(async {
        while server.event_counters().failed < events {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

#[tokio::test]
async fn events_that_wait_for_a_retry_at_shutdown_go_to_the_dead_letter_file() {
    let file = scratch("waiting");
    let events = EventSettings::default().dead_letter(DeadLetter::File(file.clone()));
    let (server, mut notices) = failing(events).await;
    accept(&server, (0..5).map(|n| n.to_string())).await;
    all_failed_once(&server, 5).await;
    let endpoint = server.endpoint().clone();
    assert!(soon(server.shutdown(Duration::from_secs(600))).await);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let mut payloads: Vec<u64> = text
        .lines()
        .map(|line| {
            let record: Value = serde_json::from_str(line).unwrap();
            assert_eq!(record["requestContext"]["condition"], "ShuttingDown");
            assert_eq!(record["requestContext"]["approximateInvokeCount"], 1);
            record["requestPayload"].as_u64().unwrap()
        })
        .collect();
    payloads.sort_unstable();
    assert_eq!(payloads, [0, 1, 2, 3, 4]);
    let counters = endpoint.event_counters();
    assert_eq!((counters.dead_lettered, counters.dropped), (5, 0));
    assert_eq!(counters.queued, 0);
    assert!(notices.try_recv().is_err());
}

#[tokio::test]
async fn events_that_wait_for_a_retry_at_shutdown_go_to_the_dead_letter_function() {
    let events = EventSettings::default().dead_letter(DeadLetter::Function("echo".to_owned()));
    let (server, _notices) = failing(events).await;
    accept(&server, (0..5).map(|n| n.to_string())).await;
    all_failed_once(&server, 5).await;
    let endpoint = server.endpoint().clone();
    assert!(soon(server.shutdown(Duration::from_secs(600))).await);
    let counters = endpoint.event_counters();
    assert_eq!((counters.dead_lettered, counters.succeeded), (5, 5));
    assert_eq!((counters.queued, counters.dropped), (0, 0));
}

#[tokio::test]
async fn an_event_that_still_runs_after_the_grace_period_is_counted_and_reported() {
    let stuck = Function::buffered("stuck", |_| {
        std::future::pending::<Result<&str, FunctionError>>()
    });
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let server = Endpoint::builder()
        .function(stuck)
        .on_notice(move |notice| sender.send(notice).unwrap())
        .bind_local()
        .await
        .unwrap();
    let event = Call::invoke("stuck", "{}").event();
    assert_eq!(Client::to(&server).await.call(&event).await.status(), 202);
    let endpoint = server.endpoint().clone();
    assert!(!soon(server.shutdown(Duration::from_millis(50))).await);
    let why = EventFailure::ShuttingDown;
    let notice = receiver.try_recv().unwrap();
    assert!(matches!(&notice, Notice::EventDropped { why: reported, .. } if *reported == why));
    let counters = endpoint.event_counters();
    assert_eq!((counters.dropped, counters.queued), (1, 0));
}

#[tokio::test]
async fn events_run_for_each_connection_that_is_served_alone() {
    let endpoint = Endpoint::builder()
        .builtins()
        .verify(false)
        .build()
        .unwrap();
    for succeeded in [1, 2] {
        let (mut client, server) = tokio::io::duplex(1024);
        let serving = tokio::spawn({
            let endpoint = endpoint.clone();
            async move { endpoint.serve_connection(server).await }
        });
        let event = Call::invoke("echo", "1")
            .event()
            .header("host", "localhost");
        client.write_all(&event.written()).await.unwrap();
        let mut response = [0; 12];
        soon(client.read_exact(&mut response)).await.unwrap();
        assert_eq!(&response, b"HTTP/1.1 202");
        soon(async {
            while endpoint.event_counters().succeeded < succeeded {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
        drop(client);
        soon(serving).await.unwrap();
    }
}

#[cfg(unix)]
fn pipe(name: &str) -> PathBuf {
    let pipe = scratch(name);
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    pipe
}

#[cfg(unix)]
#[tokio::test]
async fn a_named_pipe_without_a_reader_is_rejected_as_the_dead_letter_file() {
    let pipe = pipe("unread");
    let events = EventSettings::default().dead_letter(DeadLetter::File(pipe.clone()));
    let built = Endpoint::builder().builtins().events(events).build();
    let error = built.unwrap_err();
    assert!(matches!(&error, BuildError::DeadLetterFile(_)), "{error}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("a named pipe needs a reader"), "{source}");
    std::fs::remove_file(pipe).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_blocked_dead_letter_file_delays_no_call_and_every_loss_is_reported() {
    const EVENTS: u64 = 20;
    let pipe = pipe("stuck");
    // Opens the pipe, whose buffer has 64 KiB, and never reads from it.
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || std::fs::File::open(pipe).unwrap())
    };
    let events = EventSettings::default()
        .retry_delays([])
        .dead_letter(DeadLetter::File(pipe.clone()));
    let (server, mut notices) = failing(events).await;
    let reader = reader.join().unwrap();
    let payload = format!("\"{}\"", "x".repeat(10_000));
    accept(&server, (0..EVENTS).map(|_| payload.clone())).await;
    all_failed_once(&server, EVENTS).await;
    let response = Client::to(&server)
        .await
        .call(&Call::invoke("echo", "1"))
        .await;
    assert_eq!(response.text(), "1");
    let endpoint = server.endpoint().clone();
    assert!(!soon(server.shutdown(Duration::from_millis(50))).await);
    let counters = endpoint.event_counters();
    assert!(
        counters.dead_lettered > 0 && counters.dropped > 0,
        "{counters}"
    );
    assert_eq!(counters.dead_lettered + counters.dropped, EVENTS);
    assert_eq!(counters.queued, 0);
    let reported = std::iter::from_fn(|| notices.try_recv().ok()).count();
    assert_eq!(reported as u64, counters.dropped);
    drop(reader);
    std::fs::remove_file(pipe).unwrap();
}

#[tokio::test]
async fn the_error_of_a_failed_attempt_is_truncated_and_counted() {
    let file = scratch("long");
    let events = EventSettings::default()
        .bytes(250_000)
        .dead_letter(DeadLetter::File(file.clone()));
    let (server, _notices) = failing(events).await;
    let payload = format!("\"{}\"", "x".repeat(100_000));
    accept(&server, [payload.clone(), payload.clone()]).await;
    all_failed_once(&server, 2).await;
    // 200 KB of payloads and 32 KB of error messages are held, so the next event has no room.
    let more = Call::invoke("f", format!("\"{}\"", "x".repeat(30_000))).event();
    let response = Client::to(&server).await.call(&more).await;
    assert_eq!(response.status(), 429);
    assert!(soon(server.shutdown(Duration::from_secs(600))).await);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    for line in text.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        assert_eq!(record["requestPayload"].as_str().unwrap().len(), 100_000);
        let said = record["responsePayload"]["errorMessage"].as_str().unwrap();
        assert_eq!(said.len(), 16 * 1024 - "Nope".len());
    }
}
