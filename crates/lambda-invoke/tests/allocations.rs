//! The allocations of a call. This test has a file of its own, since it counts the allocations of
//! the whole process; the server allocates nothing for a request.

#![allow(clippy::unwrap_used, reason = "a test's helper may")]

use std::alloc::System;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use lambda_invoke::{Client, Credentials};
use lambda_invoke_protocol::{InvokeComplete, StreamEvent};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The maximum number of allocations of a call: transport, signature and response.
const BUDGET: usize = 40;

fn server(response: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let (mut socket, response) = (socket.unwrap(), response.clone());
            std::thread::spawn(move || {
                let mut buffer = [0; 8192];
                // The request is small and arrives in one piece.
                while let Ok(1..) = socket.read(&mut buffer) {
                    socket.write_all(&response).unwrap();
                }
            });
        }
    });
    address
}

fn client(address: SocketAddr) -> Client {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret").unwrap();
    Client::builder()
        .region("us-east-1")
        .credentials(credentials.with_session_token("token").unwrap())
        .endpoint_url(format!("http://{address}"))
        .build()
        .unwrap()
}

/// The number of allocations per call, after a warm-up.
async fn count(mut call: impl AsyncFnMut()) -> usize {
    const ROUNDS: usize = 100;
    for _ in 0..10 {
        call().await;
    }
    let region = Region::new(ALLOCATOR);
    for _ in 0..ROUNDS {
        call().await;
    }
    let stats = region.change();
    (stats.allocations + stats.reallocations) / ROUNDS
}

const PAYLOAD: &[u8] = br#"{"name":"Ada"}"#;

#[tokio::test]
async fn a_call_stays_within_its_budget() {
    let response = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\
        x-amzn-requestid: 79104efd-7bd5-4ffe-9b52-2e4f60f0f7f1\r\n\
        x-amz-executed-version: $LATEST\r\n\r\n{}";
    let invoking = client(server(response.to_vec()));
    let invoke = count(async || {
        let reply = invoking
            .invoke("hello")
            .qualifier("prod")
            .payload(PAYLOAD)
            .send()
            .await;
        assert_eq!(reply.unwrap().payload(), "{}");
    })
    .await;

    let mut body = Vec::new();
    for word in ["one ", "two ", "three"] {
        StreamEvent::PayloadChunk(word.into())
            .encode(&mut body)
            .unwrap();
    }
    StreamEvent::InvokeComplete(InvokeComplete::default())
        .encode(&mut body)
        .unwrap();
    let mut response = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\n\
         content-length: {}\r\nx-amzn-requestid: 79104efd-7bd5-4ffe-9b52-2e4f60f0f7f1\r\n\
         x-amz-executed-version: $LATEST\r\n\r\n",
        body.len()
    )
    .into_bytes();
    response.extend(body);
    let streaming = client(server(response));
    let stream = count(async || {
        let call = streaming.stream("hello").qualifier("prod").payload(PAYLOAD);
        let mut stream = call.send().await.unwrap();
        let mut received = 0;
        while let Some(piece) = stream.next_chunk().await {
            received += piece.unwrap().len();
        }
        assert_eq!(received, 13);
    })
    .await;
    println!("allocations: {invoke} an invoke, {stream} a stream of three chunks");
    assert!(
        invoke <= BUDGET,
        "{invoke} allocations an invoke, {BUDGET} are allowed"
    );
    assert!(
        stream <= BUDGET,
        "{stream} allocations a stream, {BUDGET} are allowed"
    );
}
