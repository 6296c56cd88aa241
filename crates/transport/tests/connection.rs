//! Connections that the caller supplies, and what their bodies report.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // It is a test.

mod support;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body::Body as _;
use http_body_util::BodyExt;
use lambda_invoke_transport::{TimeoutKind, Timeouts, Transport};
use support::{Server, open_body, post, read_request, read_to_close, text};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufWriter, DuplexStream, ReadBuf, duplex};
use tokio::sync::oneshot;

/// A connection that sends nothing before it is flushed, and counts how often it is shut down.
struct Buffered {
    io: BufWriter<DuplexStream>,
    shutdowns: Arc<AtomicUsize>,
}

impl AsyncRead for Buffered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Buffered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shutdowns.fetch_add(1, Ordering::SeqCst);
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn a_connection_that_buffers_is_flushed_and_shut_down() {
    let shutdowns = Arc::new(AtomicUsize::new(0));
    let (ended, end) = oneshot::channel();
    let ended = std::sync::Mutex::new(Some(ended));
    let counter = Arc::clone(&shutdowns);
    let transport = Transport::builder()
        .connect_with(move |_| {
            let (client, mut server) = duplex(64 * 1024);
            let ended = ended.lock().unwrap().take().unwrap();
            let shutdowns = Arc::clone(&counter);
            tokio::spawn(async move {
                let request = read_request(&mut server).await.unwrap();
                assert_eq!(request.body, b"the body");
                let response =
                    b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
                server.write_all(response).await.unwrap();
                read_to_close(&mut server).await;
                ended.send(()).unwrap();
            });
            let io = BufWriter::new(client);
            async move { Ok(Buffered { io, shutdowns }) }
        })
        .build();
    let exchange = async {
        let sent = transport.send(post("http://server.invalid/", "the body"));
        let response = sent.await.unwrap();
        assert_eq!(text(response.into_body()).await.unwrap(), "ok");
        end.await.unwrap();
    };
    tokio::time::timeout(Duration::from_secs(20), exchange)
        .await
        .expect("the request is never sent");
    assert!(shutdowns.load(Ordering::SeqCst) > 0);
}

/// A server that responds with a body of two bytes, and keeps the connection open.
async fn two_bytes() -> Server {
    Server::start(|mut socket, _| async move {
        read_request(&mut socket).await.unwrap();
        let response = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        socket.write_all(response).await.unwrap();
        read_to_close(&mut socket).await;
    })
    .await
}

#[tokio::test]
async fn a_body_knows_its_length_and_its_end() {
    let server = two_bytes().await;
    let mut body = open_body(&Transport::new(), &server).await;
    assert_eq!(body.size_hint().exact(), Some(2));
    assert!(!body.is_end_stream());
    assert_eq!(
        body.frame().await.unwrap().unwrap().into_data().unwrap(),
        "ok"
    );
    assert!(body.is_end_stream());
    assert!(format!("{body:?}").contains("received: 2"), "{body:?}");
}

#[tokio::test]
async fn a_body_that_was_read_in_time_is_complete_after_the_timeout_too() {
    let server = two_bytes().await;
    let limit = Duration::from_secs(2);
    let timeouts = Timeouts::none().with_total(limit);
    let transport = Transport::builder().timeouts(timeouts).build();
    let mut body = open_body(&transport, &server).await;
    body.frame().await.unwrap().unwrap();
    tokio::time::sleep(limit).await;
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn a_body_that_is_always_ready_ends_at_the_total_timeout() {
    let server = Server::start(|mut socket, _| async move {
        read_request(&mut socket).await.unwrap();
        let head = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
        let mut sent = socket.write_all(head).await;
        while sent.is_ok() {
            sent = socket.write_all(&[0; 64 * 1024]).await;
        }
    })
    .await;
    let limit = Duration::from_millis(200);
    let timeouts = Timeouts::none().with_total(limit);
    let transport = Transport::builder().timeouts(timeouts).build();
    let mut body = open_body(&transport, &server).await;
    for _ in 0..1_000 {
        // The reader is slow, so the next piece has always arrived.
        tokio::time::sleep(Duration::from_millis(20)).await;
        if let Err(error) = body.frame().await.unwrap() {
            assert_eq!(error.timed_out(), Some(TimeoutKind::Total));
            return;
        }
    }
    panic!("the limit is not kept");
}

/// A connection that sends the beginning of a response, and then panics.
struct Panics {
    response: &'static [u8],
    sent: bool,
}

impl AsyncRead for Panics {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.sent {
            // The request was sent first.
            return Poll::Pending;
        }
        assert!(!self.response.is_empty(), "on purpose");
        buf.put_slice(std::mem::take(&mut self.response));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Panics {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.sent = true;
        cx.waker().wake_by_ref();
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_connection_that_panics_does_not_end_a_body() {
    let response = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
    let connect = move |_| async move {
        Ok::<_, io::Error>(Panics {
            response,
            sent: false,
        })
    };
    let transport = Transport::builder().connect_with(connect).build();
    let response = transport
        .send(post("http://lambda.test/", "ping"))
        .await
        .unwrap();
    assert!(response.into_body().collect().await.is_err());
}
