//! The bandwidth of streamed responses, over a real socket.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{Call, Client, serve, soon};
use lambda_invoke_endpoint::{Bandwidth, Endpoint, Function, FunctionError, Server};
use lambda_invoke_protocol::StreamEvent;
use tokio::sync::Notify;

const MIB: usize = 1 << 20;

/// A burst, followed by one byte a second.
fn only(burst: usize) -> Bandwidth {
    Bandwidth::new(burst as u64, NonZeroU64::MIN)
}

/// Starts an endpoint with a function that streams as many bytes as its payload says, in pieces of
/// 256 KiB.
async fn flood(bandwidth: Option<Bandwidth>) -> Server {
    let function = Function::streaming("flood", |invocation, mut writer| async move {
        let mut left: usize = serde_json::from_slice(invocation.payload()).unwrap();
        while left > 0 {
            let piece = left.min(256 * 1024);
            writer.write(vec![b'x'; piece]).await?;
            left -= piece;
        }
        Ok::<_, FunctionError>(())
    });
    Endpoint::builder()
        .function(function)
        .stream_bandwidth(bandwidth)
        .bind_local()
        .await
        .unwrap()
}

/// Streams this many bytes and reads them all.
async fn read_whole(server: &Server, bytes: usize) {
    let mut client = Client::to(server).await;
    let response = client.call(&Call::stream("flood", bytes.to_string())).await;
    let mut events = response.events();
    assert!(matches!(events.pop(), Some(StreamEvent::InvokeComplete(_))));
    let payload: usize = events
        .iter()
        .map(|event| match event {
            StreamEvent::PayloadChunk(chunk) => chunk.len(),
            other => panic!("{other:?}"),
        })
        .sum();
    assert_eq!(payload, bytes);
}

#[tokio::test]
async fn ten_mib_take_two_seconds_at_the_services_bandwidth() {
    let server = flood(Some(Bandwidth::SERVICE)).await;
    let started = Instant::now();
    read_whole(&server, 10 * MIB).await;
    // 6 MiB are sent at once; the other 4 MiB, and their framing, at 2 MiB a second.
    assert!(
        started.elapsed() >= Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
}

/// At one byte a second, only a response within the burst ends in time.
#[tokio::test]
async fn the_burst_is_sent_at_once_and_each_stream_has_its_own() {
    let server = flood(Some(only(6 * MIB))).await;
    let almost = 6 * MIB - 64 * 1024;
    tokio::join!(read_whole(&server, almost), read_whole(&server, almost));

    let mut client = Client::to(&server).await;
    client
        .send(&Call::stream("flood", (7 * MIB).to_string()))
        .await;
    let head = soon(client.head()).await.unwrap();
    let whole = tokio::time::timeout(Duration::from_millis(500), client.body(&head)).await;
    assert!(whole.is_err(), "more than the burst was sent at once");
}

#[tokio::test]
async fn a_buffered_response_is_not_limited_nor_any_without_the_setting() {
    let server = flood(Some(only(0))).await;
    let mut client = Client::to(&server).await;
    let response = client
        .call(&Call::invoke("flood", (5 * MIB).to_string()))
        .await;
    assert_eq!(response.body.len(), 5 * MIB);

    let unlimited = flood(None).await;
    read_whole(&unlimited, 10 * MIB).await;
}

#[tokio::test]
async fn a_function_runs_on_while_its_stream_waits_for_bandwidth() {
    let done = Arc::new(Notify::new());
    let signal = Arc::clone(&done);
    let function = Function::streaming("busy", move |_, mut writer| {
        let signal = Arc::clone(&signal);
        async move {
            let other_work = async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                signal.notify_one();
            };
            let (written, ()) = tokio::join!(writer.write(vec![b'x'; MIB]), other_work);
            written?;
            Ok::<_, FunctionError>(())
        }
    });
    let (_server, mut client) = serve(
        Endpoint::builder()
            .function(function)
            .stream_bandwidth(only(1_000)),
    )
    .await;
    client.send(&Call::stream("busy", "{}")).await;
    soon(client.head()).await.unwrap();
    soon(done.notified()).await;
}
