//! Streams over a real socket: frames as they are written, backpressure, callers that go away.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Call, Client, events, soon};
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError, WriteError};
use lambda_invoke_protocol::StreamEvent;
use tokio::sync::{Mutex, mpsc};

#[tokio::test]
async fn hello_streams_its_words_to_a_signed_request() {
    let server = Endpoint::builder().builtins().bind_local().await.unwrap();
    let mut client = Client::to(&server).await;
    let answer = client
        .call(&Call::stream("hello", r#"{"name":"Ada","delay_ms":1}"#))
        .await;
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.header("content-type"),
        Some("application/vnd.amazon.eventstream")
    );
    let remapped = answer.header("x-amzn-remapped-content-type");
    assert_eq!(remapped, Some("text/plain; charset=utf-8"));
    assert_eq!(answer.header("x-amz-executed-version"), Some("$LATEST"));
    assert_eq!(answer.header("x-amzn-requestid").unwrap().len(), 36);
    let (words, complete) = answer.streamed();
    assert_eq!(words[..2], ["Hello, ", "Ada! "]);
    assert!(words.len() > 10);
    assert_eq!(complete.to_json(), b"{}");
}

/// The function waits for the client's word that it has read the first chunk before it writes the
/// second: there is no other way for this to end.
#[tokio::test]
async fn the_first_chunk_is_at_the_client_before_the_second_exists() {
    let (acknowledge, acknowledged) = mpsc::channel::<()>(1);
    let acknowledged = Arc::new(Mutex::new(acknowledged));
    let function = Function::streaming("careful", move |_, mut writer| {
        let acknowledged = Arc::clone(&acknowledged);
        async move {
            for chunk in ["one", "two", "three"] {
                writer.write(chunk).await?;
                acknowledged.lock().await.recv().await;
            }
            Ok::<_, FunctionError>(())
        }
    });
    let server = Endpoint::builder()
        .function(function)
        .bind_local()
        .await
        .unwrap();
    let mut client = Client::to(&server).await;
    soon(async {
        client.send(&Call::stream("careful", "{}")).await;
        client.head().await.unwrap();
        for expected in ["one", "two", "three"] {
            // One chunk of HTTP is one frame of the stream is one chunk of the function.
            let read = events(&client.chunk().await.unwrap().unwrap());
            assert_eq!(read, [StreamEvent::PayloadChunk(expected.into())]);
            acknowledge.send(()).await.unwrap();
        }
        let end = events(&client.chunk().await.unwrap().unwrap());
        assert!(matches!(end[..], [StreamEvent::InvokeComplete(_)]));
        assert_eq!(client.chunk().await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_write_ends_only_when_its_chunk_has_left_and_so_a_slow_reader_slows_the_function() {
    const CHUNK: usize = 256 * 1024;
    const CHUNKS: usize = 200;
    let written = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&written);
    let function = Function::streaming("flood", move |_, mut writer| {
        let counted = Arc::clone(&counted);
        async move {
            for _ in 0..CHUNKS {
                writer.write(vec![b'x'; CHUNK]).await?;
                counted.fetch_add(1, Ordering::SeqCst);
            }
            Ok::<_, FunctionError>(())
        }
    });
    let server = Endpoint::builder()
        .function(function)
        .bind_local()
        .await
        .unwrap();
    let mut client = Client::to(&server).await;
    client.send(&Call::stream("flood", "{}")).await;
    let head = soon(client.head()).await.unwrap();
    // Nothing is read: the function must come to a stop once the sockets' buffers are full, which
    // Linux lets grow to 10 MB here. It has stopped when it writes no more for a while.
    let mut before = usize::MAX;
    while written.load(Ordering::SeqCst) != before {
        before = written.load(Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(
        before < CHUNKS / 2,
        "{before} of {CHUNKS} chunks written with nobody reading"
    );
    let body = soon(client.body(&head)).await.unwrap();
    assert_eq!(written.load(Ordering::SeqCst), CHUNKS);
    assert!(body.len() > CHUNK * CHUNKS);
}

#[tokio::test]
async fn a_caller_that_goes_away_is_told_to_the_function_that_streams() {
    let (told, mut tell) = mpsc::channel(1);
    let function = Function::streaming("endless", move |invocation, mut writer| {
        let told = told.clone();
        async move {
            let error = loop {
                if let Err(error) = writer.write("more").await {
                    break error;
                }
                tokio::task::yield_now().await;
            };
            invocation.caller_gone().await;
            told.send((error, invocation.is_caller_gone()))
                .await
                .unwrap();
            Ok::<_, FunctionError>(())
        }
    });
    let server = Endpoint::builder()
        .function(function)
        .bind_local()
        .await
        .unwrap();
    let mut client = Client::to(&server).await;
    client.send(&Call::stream("endless", "{}")).await;
    soon(client.head()).await.unwrap();
    soon(client.chunk()).await.unwrap();
    drop(client);
    assert_eq!(
        soon(tell.recv()).await.unwrap(),
        (WriteError::CallerGone, true)
    );
}

#[tokio::test]
async fn a_caller_that_goes_away_is_told_to_a_buffered_function_which_runs_on() {
    let (told, mut tell) = mpsc::channel(2);
    let function = Function::buffered("waits", move |invocation| {
        let told = told.clone();
        async move {
            told.send("started").await?;
            invocation.caller_gone().await;
            // It is not ended: it has all the time that it had before.
            tokio::time::sleep(Duration::from_millis(20)).await;
            told.send("ran on").await?;
            Ok::<_, FunctionError>("")
        }
    });
    let server = Endpoint::builder()
        .function(function.concurrency(1))
        .bind_local()
        .await
        .unwrap();
    let mut client = Client::to(&server).await;
    client.send(&Call::invoke("waits", "{}")).await;
    assert_eq!(soon(tell.recv()).await.unwrap(), "started");
    drop(client);
    assert_eq!(soon(tell.recv()).await.unwrap(), "ran on");
}
