//! Which connection a request gets, and when a connection is returned or closed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // It is a test.

mod support;

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::BodyExt;
use lambda_invoke_transport::{ErrorKind, Sends, Sent, Transport};
use support::{Server, open_body, post, read_request, read_to_close, text};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A server that responds to every request of a connection.
async fn responding(response: &'static [u8]) -> Server {
    Server::start(move |mut socket, _| async move {
        while read_request(&mut socket).await.is_some() {
            socket.write_all(response).await.unwrap();
        }
    })
    .await
}

async fn connect(uri: http::Uri) -> io::Result<TcpStream> {
    TcpStream::connect(uri.authority().unwrap().as_str()).await
}

/// Waits for something that another task does soon.
async fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never happened: {what}");
}

#[tokio::test]
async fn a_connection_is_returned_at_the_end_of_the_body_however_that_is_known() {
    for response in [
        OK,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ] {
        let server = responding(response).await;
        let transport = Transport::new();
        let mut bodies = Vec::new();
        for _ in 0..3 {
            let mut body = open_body(&transport, &server).await;
            while let Some(frame) = body.frame().await {
                frame.unwrap();
            }
            bodies.push(body);
        }
        assert_eq!(server.accepted(), 1, "{response:?}");
    }
    // Neither the end of a body nor a body is read where the length says enough.
    for response in [OK, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"] {
        let server = responding(response).await;
        let transport = Transport::new();
        let mut first = open_body(&transport, &server).await;
        if response == OK {
            first.frame().await.unwrap().unwrap();
        }
        let second = open_body(&transport, &server).await;
        assert_eq!(server.accepted(), 1, "{response:?}");
        drop((first, second));
    }
}

#[tokio::test]
async fn an_abandoned_body_or_request_closes_its_connection() {
    let (server, mut reports) = Server::reporting(|mut socket, number, report| async move {
        read_request(&mut socket).await.unwrap();
        if number == 0 {
            let begun = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok";
            socket.write_all(begun).await.unwrap();
        }
        read_to_close(&mut socket).await;
        report.send(number).unwrap();
    })
    .await;
    let transport = Transport::new();
    let mut body = open_body(&transport, &server).await;
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(reports.recv().await, Some(0));
    let sent = transport.send(post(server.uri("/"), "x"));
    let waited = tokio::time::timeout(Duration::from_millis(100), sent).await;
    waited.unwrap_err();
    assert_eq!(reports.recv().await, Some(1));
}

/// The first connection opens at once, each further one only when it is permitted to.
fn slow_to_open(opening: Arc<AtomicUsize>, permit: Arc<Notify>) -> Transport {
    Transport::builder()
        .connect_with(move |uri| {
            let number = opening.fetch_add(1, Ordering::SeqCst);
            let permit = Arc::clone(&permit);
            async move {
                if number > 0 {
                    permit.notified().await;
                }
                connect(uri).await
            }
        })
        .build()
}

#[tokio::test]
async fn a_request_takes_whichever_connection_is_ready_first() {
    let server = responding(OK).await;
    let (opening, permit) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let transport = slow_to_open(Arc::clone(&opening), Arc::clone(&permit));

    let first = open_body(&transport, &server).await;
    let (transport_2, uri) = (transport.clone(), server.uri("/"));
    let second = tokio::spawn(async move { transport_2.send(post(uri, "x")).await });
    until("a second connection is being opened", || {
        opening.load(Ordering::SeqCst) == 2
    })
    .await;
    assert!(!second.is_finished());
    // The first connection becomes unused, and serves the second request.
    assert_eq!(text(first).await.unwrap(), "ok");
    let second = second.await.unwrap().unwrap().into_body();
    assert_eq!(server.accepted(), 1);

    // The second connection opens nevertheless, and serves a third request.
    permit.notify_one();
    until("the second connection is open", || server.accepted() == 2).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let third = open_body(&transport, &server).await;
    assert_eq!(text(second).await.unwrap(), "ok");
    assert_eq!(text(third).await.unwrap(), "ok");
    assert_eq!(opening.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_request_that_was_abandoned_while_it_waited_takes_no_connection() {
    let server = responding(OK).await;
    let (opening, permit) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let transport = slow_to_open(Arc::clone(&opening), permit);

    let first = open_body(&transport, &server).await;
    for _ in 0..3 {
        let waiting = transport.send(post(server.uri("/"), "x"));
        let waited = tokio::time::timeout(Duration::from_millis(20), waiting).await;
        waited.unwrap_err();
    }
    assert_eq!(text(first).await.unwrap(), "ok");
    let next = open_body(&transport, &server).await;
    assert_eq!(text(next).await.unwrap(), "ok");
    assert_eq!((server.accepted(), opening.load(Ordering::SeqCst)), (1, 4));
}

#[tokio::test]
async fn hosts_have_connections_of_their_own() {
    let (one, other) = (responding(OK).await, responding(OK).await);
    let transport = Transport::new();
    for _ in 0..3 {
        for server in [&one, &other] {
            let body = open_body(&transport, server).await;
            assert_eq!(text(body).await.unwrap(), "ok");
        }
    }
    assert_eq!((one.accepted(), other.accepted()), (1, 1));
}

#[tokio::test]
async fn unused_connections_close_with_the_transport() {
    let (server, mut reports) = Server::reporting(|mut socket, _, report| async move {
        read_request(&mut socket).await.unwrap();
        socket.write_all(OK).await.unwrap();
        report.send(read_to_close(&mut socket).await).unwrap();
    })
    .await;
    let transport = Transport::new();
    let body = open_body(&transport, &server).await;
    // A response can be read after its transport is gone.
    drop(transport);
    assert_eq!(text(body).await.unwrap(), "ok");
    assert_eq!(reports.recv().await, Some(0));
}

#[tokio::test]
async fn surplus_connections_are_closed() {
    let server = responding(OK).await;
    let transport = Transport::builder().pool_size(1).build();
    for round in 0..2 {
        let bodies = [
            open_body(&transport, &server).await,
            open_body(&transport, &server).await,
        ];
        for body in bodies {
            assert_eq!(text(body).await.unwrap(), "ok");
        }
        assert_eq!(server.accepted(), 2 + round);
    }
}

/// A connection that, while it is asleep, does not notice that the server has closed it.
struct Sleeps {
    tcp: TcpStream,
    asleep: Arc<AtomicBool>,
    /// Counts the ends that were seen.
    ends: Arc<AtomicUsize>,
}

impl AsyncRead for Sleeps {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.asleep.load(Ordering::SeqCst) {
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.tcp).poll_read(cx, buf);
        if matches!(polled, Poll::Ready(Ok(()))) && buf.filled().len() == before {
            self.ends.fetch_add(1, Ordering::SeqCst);
        }
        polled
    }
}

impl AsyncWrite for Sleeps {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn a_server_that_does_not_read_the_rest_of_a_request_does_not_keep_its_connection() {
    let server = Server::start(|mut socket, _| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.unwrap());
        }
        let rejection = b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\n\r\n";
        socket.write_all(rejection).await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let (asleep, ends) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
    let shared = (Arc::clone(&asleep), ends);
    let transport = Transport::builder()
        .connect_with(move |uri| {
            let (asleep, ends) = shared.clone();
            async move {
                let tcp = connect(uri).await?;
                Ok(Sleeps { tcp, asleep, ends })
            }
        })
        .build();
    let sent = transport.send(post(server.uri("/"), vec![0; 64 << 20]));
    assert_eq!(sent.await.unwrap().status(), 413);
    // This test and the transport have it, and no connection any more.
    until("the connection is closed", || {
        Arc::strong_count(&asleep) == 2
    })
    .await;
}

/// A runtime that only runs while it is asked to.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn a_request_does_not_wait_for_a_runtime_that_does_not_run() {
    let servers = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let server = servers.block_on(responding(OK));
    let transport = Transport::new();
    let exchange = async || {
        let body = open_body(&transport, &server).await;
        let read = tokio::time::timeout(Duration::from_secs(10), text(body)).await;
        assert_eq!(read.unwrap().unwrap(), "ok");
    };
    let (one, other) = (runtime(), runtime());
    for _ in 0..3 {
        for runtime in [&one, &other] {
            let exchange =
                async { tokio::time::timeout(Duration::from_secs(10), exchange()).await };
            runtime.block_on(exchange).unwrap();
        }
    }
    // Each has a connection of its own, which it uses again.
    assert_eq!(server.accepted(), 2);
    // The connections of a runtime end with it.
    drop(one);
    let third = runtime();
    for _ in 0..2 {
        third.block_on(exchange());
    }
    assert_eq!(server.accepted(), 3);
}

/// The request goes out on another connection if a pooled one returns it, and then arrives once,
/// with the same head.
#[tokio::test]
async fn a_request_that_a_pooled_connection_returns_is_sent_on_another() {
    let (server, mut requests) = Server::reporting(|mut socket, _, report| async move {
        let request = read_request(&mut socket).await.unwrap();
        report.send(request.head).unwrap();
        socket.write_all(OK).await.unwrap();
        // Then it closes, and counts what still arrives.
        tokio::time::sleep(Duration::from_millis(30)).await;
        socket.shutdown().await.unwrap();
        assert_eq!(read_to_close(&mut socket).await, 0);
    })
    .await;
    let (asleep, ends) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
    let refuses = Arc::<AtomicBool>::default();
    let shared = (Arc::clone(&asleep), Arc::clone(&ends));
    let refused = Arc::clone(&refuses);
    let transport = Transport::builder()
        .connect_with(move |uri| {
            let (asleep, ends) = shared.clone();
            let refused = refused.load(Ordering::SeqCst);
            async move {
                if refused {
                    return Err(io::ErrorKind::ConnectionRefused.into());
                }
                let tcp = connect(uri).await?;
                Ok(Sleeps { tcp, asleep, ends })
            }
        })
        .build();
    let mut heads = Vec::new();
    for round in 1..=3 {
        asleep.store(false, Ordering::SeqCst);
        let sent = transport.send(post(server.uri("/path?query"), "x"));
        let mut body = sent.await.unwrap().into_body();
        body.frame().await.unwrap().unwrap();
        asleep.store(true, Ordering::SeqCst);
        drop(body);
        heads.push(requests.recv().await.unwrap());
        assert_eq!(server.accepted(), round);
        tokio::time::sleep(Duration::from_millis(100)).await;
        // The end of this connection is not seen before the next request.
        assert_eq!(ends.load(Ordering::SeqCst), round - 1);
    }
    assert!(heads[0].starts_with("POST /path?query HTTP/1.1\r\n"));
    assert!(heads.iter().all(|head| *head == heads[0]), "{heads:?}");

    // If there is no other connection, nothing was sent, by any count.
    refuses.store(true, Ordering::SeqCst);
    asleep.store(false, Ordering::SeqCst);
    let sends = Sends::default();
    let mut request = post(server.uri("/"), "x");
    request.extensions_mut().insert(sends.clone());
    let error = transport.send(request).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Connect, Sent::No));
    assert_eq!(sends.sent(), Sent::No);
    assert_eq!(ends.load(Ordering::SeqCst), 3);
    assert!(requests.try_recv().is_err());
}
