//! What a transport reports to `tracing`: each connection that is made, fails or is reused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // It is a test.

#[path = "../../lambda-invoke/tests/support/log.rs"]
mod log;
mod support;

use lambda_invoke_transport::Transport;
use log::{Log, contains};
use support::{Server, post, read_request, text};
use tokio::io::AsyncWriteExt;

/// This is a single test, since the log is that of the whole process: connections are made in tasks
/// of their own.
#[tokio::test]
async fn connections_are_reported_with_their_host_and_nothing_secret() {
    let log = Log::of_process();
    let server = Server::start(|mut socket, _| async move {
        while read_request(&mut socket).await.is_some() {
            let response = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            socket.write_all(response).await.unwrap();
        }
    })
    .await;
    let transport = Transport::new();
    for _ in 0..3 {
        let sent = transport.send(post(server.uri("/ThePath"), "TheBody"));
        text(sent.await.unwrap().into_body()).await.unwrap();
    }
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = nobody.local_addr().unwrap();
    drop(nobody);
    let error = transport.send(post(format!("http://{closed}/"), "TheBody"));
    error.await.unwrap_err();

    let connected = log.events("connected");
    assert_eq!(connected.len(), 1, "{connected:#?}");
    let host = server.address.to_string();
    contains(
        &connected,
        &["DEBUG lambda_invoke_transport", &host, "elapsed="],
    );
    assert_eq!(log.events("new connection used").len(), 1);
    let reused = log.events("connection reused");
    assert_eq!(reused.len(), 2, "{reused:#?}");
    contains(&reused[..1], &["earlier_requests=1"]);
    contains(&reused[1..], &["earlier_requests=2"]);
    let failed = log.events("could not connect");
    contains(&failed, &[&closed.to_string(), "kind=Connect"]);
    for line in log.lines() {
        assert!(
            !line.contains("TheBody") && !line.contains("ThePath"),
            "{line}"
        );
    }
}
