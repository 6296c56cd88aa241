//! Streams over a real socket: frames as they are written, backpressure, callers that disconnect.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Call, events, serve, soon};
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError, WriteError};
use lambda_invoke_protocol::StreamEvent;
use tokio::sync::{Mutex, mpsc};

#[tokio::test]
async fn hello_streams_its_words_to_a_signed_request() {
    let (_server, mut client) = serve(Endpoint::builder().builtins()).await;
    let response = client
        .call(&Call::stream("hello", r#"{"name":"Ada","delay_ms":1}"#))
        .await;
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.header("content-type"),
        Some("application/vnd.amazon.eventstream")
    );
    let remapped = response.header("x-amzn-remapped-content-type");
    assert_eq!(remapped, Some("text/plain; charset=utf-8"));
    assert_eq!(response.header("x-amz-executed-version"), Some("$LATEST"));
    assert_eq!(response.header("x-amzn-requestid").unwrap().len(), 36);
    let (words, complete) = response.streamed();
    assert_eq!(words[..2], ["Hello, ", "Ada! "]);
    assert!(words.len() > 10);
    assert_eq!(complete.to_json(), b"{}");
}

/// The function writes the second chunk only after the client has confirmed the first, so the test
/// ends only if the first chunk has arrived.
#[tokio::test]
async fn the_first_chunk_arrives_before_the_second_is_written() {
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
    let (_server, mut client) = serve(Endpoint::builder().function(function)).await;
    soon(async {
        client.send(&Call::stream("careful", "{}")).await;
        client.head().await.unwrap();
        for expected in ["one", "two", "three"] {
            // Each chunk that the function writes is one frame of the stream and one HTTP chunk.
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
async fn a_write_completes_only_when_its_chunk_is_sent_so_a_slow_reader_slows_the_function() {
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
    let (_server, mut client) = serve(Endpoint::builder().function(function)).await;
    client.send(&Call::stream("flood", "{}")).await;
    let head = soon(client.head()).await.unwrap();
    // Nothing is read, so the function must stop once the socket buffers are full, which Linux lets
    // grow to 10 MB here. It counts as stopped when it has written nothing for a while.
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
async fn a_streaming_function_notices_that_its_caller_has_disconnected() {
    let (sender, mut receiver) = mpsc::channel(1);
    let function = Function::streaming("endless", move |invocation, mut writer| {
        let sender = sender.clone();
        async move {
            let error = loop {
                if let Err(error) = writer.write("more").await {
                    break error;
                }
                tokio::task::yield_now().await;
            };
            invocation.caller_gone().await;
            sender
                .send((error, invocation.is_caller_gone()))
                .await
                .unwrap();
            Ok::<_, FunctionError>(())
        }
    });
    let (_server, mut client) = serve(Endpoint::builder().function(function)).await;
    client.send(&Call::stream("endless", "{}")).await;
    soon(client.head()).await.unwrap();
    soon(client.chunk()).await.unwrap();
    drop(client);
    assert_eq!(
        soon(receiver.recv()).await.unwrap(),
        (WriteError::CallerGone, true)
    );
}

#[tokio::test]
async fn a_buffered_function_notices_that_its_caller_has_disconnected_and_runs_on() {
    let (sender, mut receiver) = mpsc::channel(2);
    let function = Function::buffered("waits", move |invocation| {
        let sender = sender.clone();
        async move {
            sender.send("started").await?;
            invocation.caller_gone().await;
            // The function is not stopped: its timeout is unchanged.
            tokio::time::sleep(Duration::from_millis(20)).await;
            sender.send("ran on").await?;
            Ok::<_, FunctionError>("")
        }
    });
    let (_server, mut client) = serve(Endpoint::builder().function(function.concurrency(1))).await;
    client.send(&Call::invoke("waits", "{}")).await;
    assert_eq!(soon(receiver.recv()).await.unwrap(), "started");
    drop(client);
    assert_eq!(soon(receiver.recv()).await.unwrap(), "ran on");
}
