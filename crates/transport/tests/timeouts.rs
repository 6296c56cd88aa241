//! Timeouts, backpressure, and the fate of the connection, over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // It is a test.

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use lambda_invoke_transport::{ErrorKind, Sent, TimeoutKind, Timeouts, TotalTimeout, Transport};
use support::{Server, failure, open_body, post, read_request, read_to_close, text};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

const SHORT: Duration = Duration::from_millis(60);

fn limited(timeouts: Timeouts) -> Transport {
    Transport::builder().timeouts(timeouts).build()
}

/// A listener whose queue is full: the kernel drops every further SYN.
fn blackhole() -> (socket2::Socket, Vec<std::net::TcpStream>, SocketAddr) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket
        .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let mut queued = Vec::new();
    while let Ok(stream) =
        std::net::TcpStream::connect_timeout(&address, Duration::from_millis(100))
    {
        queued.push(stream);
        assert!(queued.len() < 100, "the queue is never full");
    }
    (socket, queued, address)
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_ends_at_the_connect_timeout() {
    let (_socket, _queued, address) = blackhole();
    let uri = format!("http://{address}/");
    let started = Instant::now();
    let error = limited(Timeouts::none().with_connect(SHORT))
        .send(post(&uri, "x"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut(TimeoutKind::Connect));
    assert_eq!(error.sent(), Sent::No);
    assert!(error.is_connect());

    // A timeout of the request replaces that of the transport, which is longer.
    let mut request = post(&uri, "x");
    request
        .extensions_mut()
        .insert(Timeouts::none().with_connect(SHORT));
    let error = Transport::new().send(request).await.unwrap_err();
    assert_eq!(error.timed_out(), Some(TimeoutKind::Connect));
    assert_eq!(error.sent(), Sent::No);
    assert_eq!(
        error.to_string(),
        "no connection within 60ms, the connect timeout"
    );
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_server_that_does_not_respond_ends_at_the_first_byte_timeout() {
    let (server, mut reports) = Server::reporting(|mut socket, _, report| async move {
        read_request(&mut socket).await.unwrap();
        read_to_close(&mut socket).await;
        report.send(()).unwrap();
    })
    .await;
    let transport = limited(Timeouts::none().with_first_byte(SHORT));
    let error = failure(&transport, &server).await;
    assert_eq!(error.kind(), ErrorKind::TimedOut(TimeoutKind::FirstByte));
    assert_eq!(error.sent(), Sent::Maybe);
    assert_eq!(
        error.to_string(),
        "the server did not respond within 60ms, the first byte timeout"
    );
    // The connection was closed.
    reports.recv().await.unwrap();
    assert_eq!(server.accepted(), 1);
}

#[tokio::test]
async fn a_first_byte_of_the_head_alone_does_not_count_as_a_response() {
    let server = Server::start(|mut socket, _| async move {
        read_request(&mut socket).await.unwrap();
        socket.write_all(b"HTTP/1.1 200 OK\r\nx: ").await.unwrap();
        read_to_close(&mut socket).await;
    })
    .await;
    let transport = limited(Timeouts::none().with_first_byte(SHORT));
    let error = failure(&transport, &server).await;
    assert_eq!(error.timed_out(), Some(TimeoutKind::FirstByte));
}

/// Sends the head and "hello", then a byte every `pause` until the client has disconnected.
async fn drip(pause: Duration) -> Server {
    Server::start(move |mut socket, _| async move {
        read_request(&mut socket).await.unwrap();
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhello";
        socket.write_all(head).await.unwrap();
        loop {
            tokio::time::sleep(pause).await;
            if socket.write_all(b".").await.is_err() {
                break;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_request_can_replace_the_total_timeout_alone() {
    let server = Server::start(|mut socket, _| async move {
        read_request(&mut socket).await.unwrap();
        read_to_close(&mut socket).await;
    })
    .await;
    let long = Duration::from_secs(60);
    let own = Timeouts::none().with_first_byte(SHORT * 5).with_total(long);
    let kind = async |total: Option<Duration>, all: Option<Timeouts>| {
        let mut request = post(server.uri("/"), "x");
        let extensions = request.extensions_mut();
        if let Some(total) = total {
            extensions.insert(TotalTimeout::from(total));
        }
        if let Some(all) = all {
            extensions.insert(all);
        }
        let error = limited(own).send(request).await.unwrap_err();
        (error.timed_out().unwrap(), error.limit().unwrap())
    };
    let (first_byte, total) = (TimeoutKind::FirstByte, TimeoutKind::Total);
    assert_eq!(kind(None, None).await, (first_byte, SHORT * 5));
    assert_eq!(kind(Some(SHORT), None).await, (total, SHORT));
    assert_eq!(kind(Some(long * 2), None).await, (first_byte, SHORT * 5));
    let all = Timeouts::none().with_total(SHORT * 2);
    assert_eq!(kind(Some(SHORT), Some(all)).await, (total, SHORT * 2));
}

#[tokio::test]
async fn a_pause_in_the_body_ends_at_the_idle_timeout() {
    let server = drip(Duration::from_secs(5)).await;
    let transport = limited(Timeouts::none().with_idle(SHORT));
    let mut body = open_body(&transport, &server).await;
    assert_eq!(
        body.frame().await.unwrap().unwrap().into_data().unwrap(),
        "hello"
    );
    for _ in 0..2 {
        let error = body.frame().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut(TimeoutKind::Idle));
        assert_eq!((error.sent(), error.is_body()), (Sent::Maybe, true));
    }
}

#[tokio::test]
async fn a_steady_body_and_a_slow_reader_do_not_reach_the_idle_timeout() {
    let idle = Duration::from_secs(1);
    let server = drip(idle / 10).await;
    let transport = limited(Timeouts::none().with_idle(idle));
    let mut body = open_body(&transport, &server).await;
    for _ in 0..12 {
        body.frame().await.unwrap().unwrap();
    }
    // The pause is the reader's: what has arrived in the meantime is returned.
    tokio::time::sleep(idle * 2).await;
    body.frame().await.unwrap().unwrap();
}

#[tokio::test]
async fn the_total_timeout_covers_the_body_whether_it_pauses_or_not() {
    for pause in [Duration::from_secs(5), Duration::ZERO] {
        let server = drip(pause).await;
        let total = Duration::from_secs(1);
        let transport = limited(Timeouts::default().with_total(total));
        let mut body = open_body(&transport, &server).await;
        let error = loop {
            match body.frame().await.unwrap() {
                Ok(_) => tokio::time::sleep(Duration::from_millis(1)).await,
                Err(error) => break error,
            }
        };
        assert_eq!(
            error.kind(),
            ErrorKind::TimedOut(TimeoutKind::Total),
            "{pause:?}"
        );
        assert_eq!((error.limit(), error.is_body()), (Some(total), true));
    }
}

#[tokio::test]
async fn the_total_timeout_covers_the_wait_for_the_head() {
    let server = Server::start(|mut socket, _| async move {
        read_to_close(&mut socket).await;
    })
    .await;
    let total = Duration::from_secs(1);
    let transport = limited(Timeouts::default().with_total(total));
    let error = failure(&transport, &server).await;
    assert_eq!(error.timed_out(), Some(TimeoutKind::Total));
    assert_eq!((error.sent(), error.is_body()), (Sent::Maybe, false));
}

#[tokio::test]
async fn timeouts_beyond_the_end_of_time_are_none() {
    let server = drip(Duration::ZERO).await;
    let forever = Duration::MAX;
    let timeouts = Timeouts::none()
        .with_connect(forever)
        .with_first_byte(forever)
        .with_idle(forever)
        .with_total(forever);
    let response = limited(timeouts)
        .send(post(server.uri("/"), "x"))
        .await
        .unwrap();
    assert_eq!(text(response.into_body()).await.unwrap().len(), 1000);
}

#[tokio::test]
async fn dropping_the_future_closes_the_connection() {
    let (server, mut reports) = Server::reporting(|mut socket, _, report| async move {
        read_request(&mut socket).await.unwrap();
        report.send("request").unwrap();
        read_to_close(&mut socket).await;
        report.send("closed").unwrap();
    })
    .await;
    let sending = Transport::new().send(post(server.uri("/"), "x"));
    tokio::select! {
        _ = sending => panic!("there is no response"),
        event = reports.recv() => assert_eq!(event, Some("request")),
    }
    assert_eq!(reports.recv().await, Some("closed"));
}

#[tokio::test]
async fn dropping_the_body_closes_the_connection_and_reading_it_does_not() {
    let (server, mut reports) = Server::reporting(|mut socket, number, report| async move {
        while let Some(request) = read_request(&mut socket).await {
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n";
            socket.write_all(head.as_bytes()).await.unwrap();
            let whole = request.body == b"whole";
            let body = vec![b'a'; if whole { 100_000 } else { 50_000 }];
            socket.write_all(&body).await.unwrap();
        }
        report.send(number).unwrap();
    })
    .await;
    let transport = Transport::new();
    for _ in 0..3 {
        let response = transport
            .send(post(server.uri("/"), "whole"))
            .await
            .unwrap();
        assert_eq!(text(response.into_body()).await.unwrap().len(), 100_000);
    }
    assert_eq!(server.accepted(), 1);
    let response = transport.send(post(server.uri("/"), "half")).await.unwrap();
    let mut body = response.into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(reports.recv().await, Some(0));
    transport
        .send(post(server.uri("/"), "whole"))
        .await
        .unwrap();
    assert_eq!(server.accepted(), 2);
}

#[tokio::test]
async fn a_reader_that_does_not_read_stops_the_server() {
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    let server = Server::start(move |mut socket, _| {
        let count = Arc::clone(&count);
        async move {
            read_request(&mut socket).await.unwrap();
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n";
            socket.write_all(head.as_bytes()).await.unwrap();
            let piece = vec![0; 64 * 1024];
            while let Ok(n) = socket.write(&piece).await {
                count.fetch_add(n, Ordering::SeqCst);
            }
        }
    })
    .await;
    let mut body = open_body(&Transport::new(), &server).await;
    body.frame().await.unwrap().unwrap();
    let mut last = 0;
    // Wait until nothing more is written: then the buffers are full.
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = written.load(Ordering::SeqCst);
        if now == last {
            break;
        }
        last = now;
    }
    // The kernel's buffers on both sides, and less than a megabyte of the transport's own.
    assert!(last < 16 << 20, "{last} bytes were taken from the server");
    // The server continues when the reader does.
    for _ in 0..200 {
        body.frame().await.unwrap().unwrap();
    }
    let deadline = Instant::now() + Duration::from_secs(10);
    while written.load(Ordering::SeqCst) == last {
        assert!(Instant::now() < deadline, "the server does not continue");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn echo_forever() -> (Server, mpsc::UnboundedReceiver<usize>) {
    let (server, reports) = Server::reporting(|mut socket, number, report| async move {
        while read_request(&mut socket).await.is_some() {
            let response = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            socket.write_all(response).await.unwrap();
        }
        let _ = report.send(number);
    })
    .await;
    (server, reports)
}

#[tokio::test]
async fn an_idle_connection_is_closed_in_time() {
    let (server, mut closed) = echo_forever().await;
    let transport = Transport::builder()
        .pool_idle(Duration::from_secs(1))
        .build();
    for _ in 0..2 {
        let response = transport.send(post(server.uri("/"), "x")).await.unwrap();
        text(response.into_body()).await.unwrap();
    }
    assert_eq!(server.accepted(), 1);
    // The pool's timer closes the connection; no further request is needed.
    let number = tokio::time::timeout(Duration::from_secs(10), closed.recv())
        .await
        .unwrap();
    assert_eq!(number, Some(0));
    transport.send(post(server.uri("/"), "x")).await.unwrap();
    assert_eq!(server.accepted(), 2);
}

#[tokio::test]
async fn without_a_pool_every_request_has_a_connection_of_its_own() {
    let (server, _closed) = echo_forever().await;
    let transport = Transport::builder().pool_size(0).build();
    for round in 1..=3 {
        let response = transport.send(post(server.uri("/"), "x")).await.unwrap();
        text(response.into_body()).await.unwrap();
        assert_eq!(server.accepted(), round);
    }
}

#[tokio::test]
async fn clones_share_their_connections() {
    let (server, _closed) = echo_forever().await;
    let transport = Transport::new();
    for clone in [transport.clone(), transport.clone(), transport] {
        let response = clone.send(post(server.uri("/"), "x")).await.unwrap();
        text(response.into_body()).await.unwrap();
    }
    assert_eq!(server.accepted(), 1);
}

#[tokio::test]
async fn the_request_is_on_the_wire_as_it_was_given() {
    let (server, mut reports) = Server::reporting(|mut socket, _, report| async move {
        while let Some(request) = read_request(&mut socket).await {
            report.send(request).unwrap();
            let response = b"HTTP/1.1 204 No Content\r\n\r\n";
            socket.write_all(response).await.unwrap();
        }
    })
    .await;
    let transport = Transport::new();
    let path = "/2015-03-31/functions/arn%3Aaws%3Alambda/invocations?Qualifier=%24LATEST";
    transport
        .send(post(server.uri(path), "payload"))
        .await
        .unwrap();
    let request = reports.recv().await.unwrap();
    assert!(
        request
            .head
            .starts_with(&format!("POST {path} HTTP/1.1\r\n")),
        "{}",
        request.head
    );
    assert_eq!(request.header("host"), Some(&*server.address.to_string()));
    assert_eq!(request.header("content-length"), Some("7"));
    assert_eq!(request.header("transfer-encoding"), None);
    assert_eq!(request.body, b"payload");

    transport.send(post(server.uri("/"), "")).await.unwrap();
    assert_eq!(
        reports.recv().await.unwrap().header("content-length"),
        Some("0")
    );

    let mut request = post(server.uri("/"), "");
    request
        .headers_mut()
        .insert("host", "signed.example".parse().unwrap());
    transport.send(request).await.unwrap();
    assert_eq!(
        reports.recv().await.unwrap().header("host"),
        Some("signed.example")
    );
}

#[tokio::test]
async fn the_first_piece_is_there_before_the_second_exists() {
    let server = Server::start(|mut socket, _| async move {
        read_request(&mut socket).await.unwrap();
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n";
        socket.write_all(head).await.unwrap();
        // Continues only after the client has reported, on a second connection, that it has
        // received the first piece.
        let gate = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = gate.local_addr().unwrap().port();
        socket
            .write_all(format!("5\r\n{port:05}\r\n").as_bytes())
            .await
            .unwrap();
        gate.accept().await.unwrap().0.read_u8().await.unwrap();
        socket.write_all(b"1\r\nb\r\n0\r\n\r\n").await.unwrap();
    })
    .await;
    let mut body = open_body(&Transport::new(), &server).await;
    let mut got = Vec::new();
    while got.len() < 6 {
        got.extend(body.frame().await.unwrap().unwrap().into_data().unwrap());
    }
    assert_eq!(got[0], b'a');
    let port: u16 = std::str::from_utf8(&got[1..]).unwrap().parse().unwrap();
    let mut gate = tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .unwrap();
    gate.write_u8(1).await.unwrap();
    assert_eq!(text(body).await.unwrap(), "b");
}
