//! Whether any part of a request can have been sent: each row of the table over a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // It is a test.

mod support;

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::BodyExt;
use lambda_invoke_transport::{ErrorKind, Sends, Sent, TimeoutKind, Transport};
use support::{Server, chain, failure, post, read_request, read_to_close, text};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn a_refused_connection_sent_nothing() {
    let address = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let request = post(format!("http://{address}/"), "x");
    let error = Transport::new().send(request).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Connect, Sent::No));
    assert!(error.is_connect() && !error.is_body());
    assert_eq!(error.to_string(), format!("could not connect to {address}"));
    assert!(
        chain(&error).to_lowercase().contains("refused"),
        "{}",
        chain(&error)
    );
}

#[tokio::test]
async fn a_name_that_does_not_exist_sent_nothing() {
    let request = post("http://no-such-host.invalid/", "x");
    let error = Transport::new().send(request).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Connect, Sent::No));
    assert_eq!(
        error.to_string(),
        "could not connect to no-such-host.invalid"
    );
    assert!(chain(&error).contains("dns error"), "{}", chain(&error));
}

#[tokio::test]
async fn a_server_that_closes_after_the_request_may_have_it() {
    let server = Server::start(|mut socket, _| async move {
        read_request(&mut socket).await.unwrap();
    })
    .await;
    let error = failure(&Transport::new(), &server).await;
    assert_eq!(
        (error.kind(), error.sent()),
        (ErrorKind::Closed, Sent::Maybe)
    );
    assert_eq!(
        error.to_string(),
        "the server closed the connection before it responded"
    );
    assert_eq!(server.accepted(), 1);
}

#[tokio::test]
async fn a_send_that_fails_before_it_begins_does_not_hide_the_earlier_sends_of_a_request() {
    let server = Server::start(|mut socket, _| async move {
        read_request(&mut socket).await.unwrap();
        // Neither a response nor an end.
        read_to_close(&mut socket).await;
    })
    .await;
    let refused = "http://127.0.0.1:1/";
    let transport = Transport::new();
    let sends = Sends::default();
    let send = |uri: String| {
        let mut request = post(uri, "x");
        request.extensions_mut().insert(sends.clone());
        transport.send(request)
    };
    let error = send(refused.to_owned()).await.unwrap_err();
    assert_eq!((error.sent(), sends.sent()), (Sent::No, Sent::No));
    // A future that is dropped has sent its request, too.
    let hangs = tokio::time::timeout(Duration::from_secs(1), send(server.uri("/")));
    hangs.await.unwrap_err();
    assert_eq!(sends.sent(), Sent::Maybe);
    let error = send(refused.to_owned()).await.unwrap_err();
    assert_eq!((error.sent(), sends.sent()), (Sent::No, Sent::Maybe));
}

#[tokio::test]
async fn a_server_that_resets_in_the_middle_of_the_request_may_have_it() {
    let server = Server::start(|mut socket, _| async move {
        socket.read_exact(&mut [0; 100]).await.unwrap();
        // Closing with unread bytes sends a reset.
    })
    .await;
    let error = Transport::new()
        .send(post(server.uri("/"), vec![0; 1 << 20]))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.sent()),
        (ErrorKind::Closed, Sent::Maybe)
    );
    assert_eq!(server.accepted(), 1);
}

/// A server that closes at once can win or lose the race with the request. In either case, the
/// transport must not say "no" about a request whose bytes arrived.
#[tokio::test]
async fn a_request_that_arrived_is_never_called_unsent() {
    let (server, mut reports) = Server::reporting(|mut socket, _, report| async move {
        socket.shutdown().await.unwrap();
        report.send(read_to_close(&mut socket).await).unwrap();
    })
    .await;
    for _ in 0..50 {
        let error = failure(&Transport::new(), &server).await;
        let arrived = reports.recv().await.unwrap();
        if arrived > 0 {
            assert_eq!(
                error.sent(),
                Sent::Maybe,
                "{arrived} bytes, but {}",
                chain(&error)
            );
        }
    }
}

/// A connection that shows the end of the stream only from its second read on, as if the server
/// closed it just after it became ready for a request.
struct EndsLate {
    tcp: TcpStream,
    reads: usize,
}

impl AsyncRead for EndsLate {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.reads += 1;
        if self.reads == 1 {
            return Poll::Pending;
        }
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for EndsLate {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn a_request_given_back_unsent_sent_nothing() {
    let (server, mut reports) = Server::reporting(|mut socket, _, report| async move {
        socket.shutdown().await.unwrap();
        report.send(read_to_close(&mut socket).await).unwrap();
    })
    .await;
    let transport = Transport::builder()
        .connect_with(|uri| async move {
            let tcp = TcpStream::connect(uri.authority().unwrap().as_str()).await?;
            // Blocks until the server's end of the stream has arrived.
            assert_eq!(tcp.peek(&mut [0]).await?, 0);
            Ok(EndsLate { tcp, reads: 0 })
        })
        .build();
    let error = failure(&transport, &server).await;
    assert_eq!(
        (error.kind(), error.sent()),
        (ErrorKind::Canceled, Sent::No),
        "{}",
        chain(&error)
    );
    assert_eq!(
        error.to_string(),
        "the connection was closed before any of the request was sent"
    );
    assert_eq!(reports.recv().await.unwrap(), 0);
}

#[tokio::test]
async fn a_connection_that_is_dead_on_arrival_sent_nothing() {
    let server = Server::start(|mut socket, _| async move {
        socket.shutdown().await.unwrap();
        assert_eq!(read_to_close(&mut socket).await, 0);
    })
    .await;
    let transport = Transport::builder()
        .connect_with(|uri| async move {
            let tcp = TcpStream::connect(uri.authority().unwrap().as_str()).await?;
            assert_eq!(tcp.peek(&mut [0]).await?, 0);
            Ok(tcp)
        })
        .build();
    let error = failure(&transport, &server).await;
    assert_eq!(error.sent(), Sent::No, "{}", chain(&error));
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn a_pooled_connection_that_went_stale_is_replaced() {
    let server = Server::start(|mut socket, _| async move {
        read_request(&mut socket).await.unwrap();
        socket.write_all(OK).await.unwrap();
    })
    .await;
    let transport = Transport::new();
    for round in 1..=3 {
        let response = transport.send(post(server.uri("/"), "x")).await.unwrap();
        assert_eq!(text(response.into_body()).await.unwrap(), "ok");
        assert_eq!(server.accepted(), round);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The server closes right after a response, while the next request is on its way. That request may
/// be returned unsent and be sent again, or fail; it never arrives twice, and a "no" is always
/// true.
#[tokio::test]
async fn a_request_on_a_closing_connection_arrives_at_most_once() {
    let seen = Arc::new(Mutex::new(Vec::<String>::new()));
    let log = Arc::clone(&seen);
    let server = Server::start(move |mut socket, _| {
        let log = Arc::clone(&log);
        async move {
            let request = read_request(&mut socket).await.unwrap();
            log.lock()
                .unwrap()
                .push(request.header("x-tag").unwrap().to_owned());
            socket.write_all(OK).await.unwrap();
            // The server has not closed the connection completely: a request that arrives now is
            // counted, but gets no response.
            socket.shutdown().await.unwrap();
            if let Some(request) = read_request(&mut socket).await {
                log.lock()
                    .unwrap()
                    .push(request.header("x-tag").unwrap().to_owned());
            }
        }
    })
    .await;
    let transport = Transport::new();
    let mut responded = 0;
    for round in 0..60 {
        let tag = format!("round-{round}");
        let mut request = post(server.uri("/"), "x");
        request.headers_mut().insert("x-tag", tag.parse().unwrap());
        let result = transport.send(request).await;
        match result {
            Ok(response) => {
                responded += 1;
                assert_eq!(text(response.into_body()).await.unwrap(), "ok");
            }
            Err(error) => {
                let times = seen
                    .lock()
                    .unwrap()
                    .iter()
                    .filter(|seen| **seen == tag)
                    .count();
                assert!(
                    error.sent() == Sent::Maybe || times == 0,
                    "{}",
                    chain(&error)
                );
            }
        }
        for _ in 0..round % 4 {
            tokio::task::yield_now().await;
        }
    }
    assert!(responded >= 1);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let seen = seen.lock().unwrap();
    for round in 0..60 {
        let tag = format!("round-{round}");
        assert!(
            seen.iter().filter(|seen| **seen == tag).count() <= 1,
            "{tag} arrived twice"
        );
    }
}

#[tokio::test]
async fn a_truncated_body_is_an_error_and_stays_one() {
    for head in ["content-length: 10", "transfer-encoding: chunked"] {
        let server = Server::start(move |mut socket, _| async move {
            read_request(&mut socket).await.unwrap();
            let piece = if head.contains("chunked") {
                "1\r\nh\r\n"
            } else {
                "h"
            };
            let response = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{piece}");
            socket.write_all(response.as_bytes()).await.unwrap();
        })
        .await;
        let response = Transport::new()
            .send(post(server.uri("/"), "x"))
            .await
            .unwrap();
        let mut body = response.into_body();
        let piece = body.frame().await.unwrap().unwrap();
        assert_eq!(piece.into_data().unwrap(), "h");
        for _ in 0..2 {
            let error = body.frame().await.unwrap().unwrap_err();
            assert_eq!(
                (error.kind(), error.sent()),
                (ErrorKind::Closed, Sent::Maybe)
            );
            assert!(error.is_body());
            assert_eq!(
                error.to_string(),
                "the connection was closed after 1 byte of the response's body"
            );
        }
        assert!(!http_body::Body::is_end_stream(&body));
    }
}

#[tokio::test]
async fn a_reset_in_the_body_is_an_error() {
    let server = Server::start(|mut socket, _| async move {
        read_request(&mut socket).await.unwrap();
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello";
        socket.write_all(head).await.unwrap();
        tokio::time::sleep(Duration::from_millis(30)).await;
        socket2::SockRef::from(&socket)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
    })
    .await;
    let response = Transport::new()
        .send(post(server.uri("/"), "x"))
        .await
        .unwrap();
    let error = text(response.into_body()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.sent()),
        (ErrorKind::Closed, Sent::Maybe)
    );
    assert!(error.is_body());
    assert!(
        chain(&error).to_lowercase().contains("reset"),
        "{}",
        chain(&error)
    );
}

#[tokio::test]
async fn what_is_not_http_is_reported_as_such() {
    let many_headers = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(101));
    let large_head = format!("HTTP/1.1 200 OK\r\na: {}\r\n\r\n", "b".repeat(500_000));
    let two_lengths = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab";
    for response in [
        "SSH-2.0-OpenSSH_9.9\r\n\r\n",
        two_lengths,
        &many_headers,
        &large_head,
    ] {
        let bytes = response.as_bytes().to_vec();
        let server = Server::start(move |mut socket, _| {
            let bytes = bytes.clone();
            async move {
                read_request(&mut socket).await.unwrap();
                // The client may close the connection before it has read everything.
                let _ = socket.write_all(&bytes).await;
                let _ = read_to_close(&mut socket).await;
            }
        })
        .await;
        let error = failure(&Transport::new(), &server).await;
        assert_eq!(
            (error.kind(), error.sent()),
            (ErrorKind::Protocol, Sent::Maybe)
        );
        assert_eq!(
            error.to_string(),
            "the server's response is not valid HTTP/1.1"
        );
    }
}

#[tokio::test]
async fn broken_chunks_are_reported_as_such() {
    let server = Server::start(|mut socket, _| async move {
        read_request(&mut socket).await.unwrap();
        let response = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnot a length\r\n";
        socket.write_all(response).await.unwrap();
        let _ = read_to_close(&mut socket).await;
    })
    .await;
    let response = Transport::new()
        .send(post(server.uri("/"), "x"))
        .await
        .unwrap();
    let error = text(response.into_body()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.sent()),
        (ErrorKind::Protocol, Sent::Maybe)
    );
    assert!(error.is_body());
    assert_eq!(
        error.to_string(),
        "the framing of the response's body is not valid HTTP/1.1, after 0 bytes of the response's body"
    );
}

#[tokio::test]
async fn a_response_before_the_request_is_complete_is_a_response() {
    let server = Server::start(|mut socket, _| async move {
        socket.read_exact(&mut [0; 200]).await.unwrap();
        let response = b"HTTP/1.1 413 Payload Too Large\r\ncontent-length: 2\r\n\r\n{}";
        socket.write_all(response).await.unwrap();
        read_to_close(&mut socket).await;
    })
    .await;
    let response = Transport::new()
        .send(post(server.uri("/"), vec![0; 8 << 20]))
        .await
        .unwrap();
    assert_eq!(response.status(), 413);
    assert_eq!(text(response.into_body()).await.unwrap(), "{}");
}

#[tokio::test]
async fn a_timeout_before_a_connection_is_assigned_sent_nothing() {
    use lambda_invoke_transport::Timeouts;
    let transport = Transport::builder()
        .connect_with(|_| std::future::pending::<std::io::Result<TcpStream>>())
        .build();
    let short = Duration::from_millis(30);
    for (timeouts, which) in [
        (Timeouts::none().with_connect(short), TimeoutKind::Connect),
        (Timeouts::none().with_total(short), TimeoutKind::Total),
        (Timeouts::default().with_total(short), TimeoutKind::Total),
    ] {
        let mut request = post("http://127.0.0.1/", "x");
        request.extensions_mut().insert(timeouts);
        let error = transport.send(request).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.sent()),
            (ErrorKind::TimedOut(which), Sent::No)
        );
        assert_eq!(error.limit(), Some(short));
    }
}
