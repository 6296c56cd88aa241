//! The allocations of a request, compared with a bare hyper-util client. This test has a file of
//! its own, since it counts the allocations of the whole process.
#![allow(clippy::unwrap_used)] // It is a test.

use std::alloc::System;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use lambda_invoke_transport::Transport;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const RESPONSE: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";

/// A server on a thread of its own that allocates nothing for a request.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            std::thread::spawn(move || {
                let mut buf = [0; 4096];
                // The request is small and arrives in one piece.
                while let Ok(1..) = socket.read(&mut buf) {
                    socket.write_all(RESPONSE).unwrap();
                }
            });
        }
    });
    address
}

fn request(address: SocketAddr) -> Request<Full<Bytes>> {
    Request::post(format!(
        "http://{address}/2015-03-31/functions/hello/invocations"
    ))
    .header("content-type", "application/json")
    .body(Full::from(&b"{\"name\":\"Ada\"}"[..]))
    .unwrap()
}

/// The number of allocations per request, after a warm-up.
async fn count(address: SocketAddr, mut exchange: impl AsyncFnMut(Request<Full<Bytes>>)) -> usize {
    const ROUNDS: usize = 100;
    for _ in 0..10 {
        exchange(request(address)).await;
    }
    let requests: Vec<_> = (0..ROUNDS).map(|_| request(address)).collect();
    let region = Region::new(ALLOCATOR);
    for request in requests {
        exchange(request).await;
    }
    let stats = region.change();
    (stats.allocations + stats.reallocations) / ROUNDS
}

#[tokio::test]
async fn a_request_costs_no_more_than_with_a_bare_client() {
    let address = server();
    let bare: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .build_http();
    let theirs = count(address, async |request| {
        let mut body = bare.request(request).await.unwrap().into_body();
        while let Some(frame) = body.frame().await {
            frame.unwrap();
        }
    })
    .await;
    let transport = Transport::new();
    let ours = count(address, async |request| {
        let mut body = transport.send(request).await.unwrap().into_body();
        while let Some(frame) = body.frame().await {
            frame.unwrap();
        }
    })
    .await;
    println!("allocations a request: {ours}, a bare client {theirs}");
    assert!(ours <= 12, "{ours} allocations");
    assert!(ours <= theirs, "{ours} allocations, a bare client {theirs}");
}
