//! HTTPS with servers that have a certificate authority of their own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // It is a test.
#![cfg(feature = "tls")]

mod support;
#[path = "support/tls.rs"]
mod tls;

use std::time::Duration;

use lambda_invoke_transport::{
    ErrorKind, Sent, TimeoutKind, Timeouts, Transport, TransportBuilder,
};
use support::{Server, chain, post, read_request, read_to_close, text};
use tls::Authority;
use tokio::io::AsyncWriteExt;
use tokio::runtime::Handle;
use tokio_rustls::rustls;

/// Serves one response over TLS, as `host`.
async fn serve(authority: &Authority, host: &str, expired: bool) -> Server {
    let acceptor = authority.acceptor(host, expired);
    Server::start(move |socket, _| {
        let acceptor = acceptor.clone();
        async move {
            // The client may reject the certificate.
            let Ok(mut tls) = acceptor.accept(socket).await else {
                return;
            };
            assert_eq!(tls.get_ref().1.alpn_protocol(), None);
            while let Some(request) = read_request(&mut tls).await {
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
                    request.body.len()
                );
                tls.write_all(head.as_bytes()).await.unwrap();
                tls.write_all(&request.body).await.unwrap();
                tls.flush().await.unwrap();
            }
        }
    })
    .await
}

fn trusting(authority: &Authority) -> TransportBuilder {
    Transport::builder()
        .ca_pem(authority.pem.as_bytes())
        .unwrap()
}

fn https(server: &Server) -> String {
    format!("https://localhost:{}/", server.address.port())
}

#[tokio::test]
async fn reaches_a_server_with_an_authority_of_its_own() {
    let authority = Authority::new();
    let server = serve(&authority, "localhost", false).await;
    for builder in [
        trusting(&authority),
        trusting(&authority).bundled_roots(false),
    ] {
        let transport = builder.build();
        for _ in 0..2 {
            let body = vec![b'a'; 100_000];
            let response = transport.send(post(https(&server), body)).await.unwrap();
            assert_eq!(
                text(response.into_body()).await.unwrap(),
                "a".repeat(100_000)
            );
        }
    }
    assert_eq!(server.accepted(), 2, "each transport keeps its connection");
}

#[tokio::test]
async fn reaches_a_server_by_its_address() {
    let authority = Authority::new();
    let server = serve(&authority, "127.0.0.1", false).await;
    let uri = format!("https://{}/", server.address);
    let response = trusting(&authority)
        .build()
        .send(post(uri, "x"))
        .await
        .unwrap();
    assert_eq!(text(response.into_body()).await.unwrap(), "x");
}

#[tokio::test]
async fn speaks_each_version_of_tls_with_a_server_that_supports_no_other() {
    let authority = Authority::new();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let acceptor = authority.acceptor_of("localhost", false, &[version]);
        let server = Server::start(move |socket, _| {
            let acceptor = acceptor.clone();
            async move {
                let mut tls = acceptor.accept(socket).await.unwrap();
                let spoken = tls.get_ref().1.protocol_version();
                assert_eq!(spoken, Some(version.version));
                read_request(&mut tls).await.unwrap();
                let response = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx";
                tls.write_all(response).await.unwrap();
                tls.flush().await.unwrap();
            }
        })
        .await;
        let transport = trusting(&authority).build();
        let response = transport.send(post(https(&server), "x")).await.unwrap();
        assert_eq!(text(response.into_body()).await.unwrap(), "x");
    }
}

#[tokio::test]
async fn rejects_certificates_and_sends_nothing() {
    let authority = Authority::new();
    let good = serve(&authority, "localhost", false).await;
    let other_name = serve(&authority, "elsewhere.example", false).await;
    let expired = serve(&authority, "localhost", true).await;
    for (transport, server, why) in [
        (Transport::new(), &good, "UnknownIssuer"),
        (trusting(&Authority::new()).build(), &good, "UnknownIssuer"),
        (
            trusting(&authority).build(),
            &other_name,
            "not valid for name",
        ),
        (trusting(&authority).build(), &expired, "expired"),
    ] {
        let error = transport.send(post(https(server), "x")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Certificate, "{}", chain(&error));
        assert_eq!(error.sent(), Sent::No);
        assert!(error.is_tls() && error.is_connect());
        assert_eq!(
            error.to_string(),
            "the certificate of localhost was rejected"
        );
        assert!(chain(&error).contains(why), "{why}: {}", chain(&error));
    }
}

#[tokio::test]
async fn a_server_without_tls_is_reported_as_such() {
    let speaks_http = Server::start(|mut socket, _| async move {
        let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        read_to_close(&mut socket).await;
    })
    .await;
    let hangs_up = Server::start(|_, _| async {}).await;
    for server in [speaks_http, hangs_up] {
        let error = Transport::new()
            .send(post(https(&server), "x"))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.sent()),
            (ErrorKind::Tls, Sent::No),
            "{}",
            chain(&error)
        );
        assert_eq!(error.to_string(), "the TLS handshake with localhost failed");
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[tokio::test]
async fn a_handshake_that_hangs_ends_at_the_connect_timeout() {
    let server = Server::start(|mut socket, _| async move {
        read_to_close(&mut socket).await;
    })
    .await;
    let timeouts = Timeouts::none().with_connect(Duration::from_millis(60));
    let transport = Transport::builder().timeouts(timeouts).build();
    let error = transport.send(post(https(&server), "x")).await.unwrap_err();
    assert_eq!(error.timed_out(), Some(TimeoutKind::Connect));
    assert_eq!(error.sent(), Sent::No);
}

/// The peer keeps the connection open and its window closed: over TLS, the end of the connection would wait
/// until what is buffered has been written.
#[tokio::test]
async fn a_request_that_was_given_up_leaves_no_task_behind_if_the_server_does_not_read() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("localhost", false);
    let server = Server::start(move |socket, _| {
        let acceptor = acceptor.clone();
        async move {
            let _open = acceptor.accept(socket).await.unwrap();
            std::future::pending().await
        }
    })
    .await;
    let timeouts = Timeouts::none().with_total(Duration::from_millis(300));
    let transport = trusting(&authority).timeouts(timeouts).build();
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let mut left = Vec::new();
    for _ in 0..4 {
        let body = vec![b'a'; 32 << 20];
        let error = transport
            .send(post(https(&server), body))
            .await
            .unwrap_err();
        assert_eq!(
            (error.timed_out(), error.sent()),
            (Some(TimeoutKind::Total), Sent::Maybe)
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
        left.push(tasks());
    }
    // One more each time is the server's.
    let grown: Vec<usize> = left.windows(2).map(|two| two[1] - two[0]).collect();
    assert_eq!(grown, [1, 1, 1], "{left:?}");
}

/// Without `Content-Length`, the body ends with the connection, and only TLS can distinguish an end
/// from a truncation.
#[tokio::test]
async fn a_connection_closed_without_close_notify_does_not_end_a_body() {
    let authority = Authority::new();
    for goodbye in [true, false] {
        let acceptor = authority.acceptor("localhost", false);
        let server = Server::start(move |socket, _| {
            let acceptor = acceptor.clone();
            async move {
                let mut tls = acceptor.accept(socket).await.unwrap();
                read_request(&mut tls).await.unwrap();
                tls.write_all(b"HTTP/1.1 200 OK\r\n\r\nhello")
                    .await
                    .unwrap();
                tls.flush().await.unwrap();
                if goodbye {
                    tls.shutdown().await.unwrap();
                }
            }
        })
        .await;
        let transport = trusting(&authority).build();
        let response = transport.send(post(https(&server), "x")).await.unwrap();
        let read = text(response.into_body()).await;
        if goodbye {
            assert_eq!(read.unwrap(), "hello");
        } else {
            let error = read.unwrap_err();
            assert_eq!((error.kind(), error.is_body()), (ErrorKind::Closed, true));
        }
    }
}

#[tokio::test]
async fn trusting_nobody_is_an_error() {
    let authority = Authority::new();
    let server = serve(&authority, "localhost", false).await;
    let transport = Transport::builder().bundled_roots(false).build();
    let error = transport.send(post(https(&server), "x")).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.sent()),
        (ErrorKind::Configuration, Sent::No)
    );
    assert_eq!(error.to_string(), "no certificate authority is trusted");
}

#[test]
fn rejects_a_text_without_a_usable_certificate() {
    let good = Authority::new().pem;
    let rubbish = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (pem, why) in [
        (String::new(), "the PEM text contains no certificate"),
        ("hello".to_owned(), "the PEM text contains no certificate"),
        (rubbish.to_owned(), "certificate 1 of the PEM text: "),
        (
            format!("{good}{rubbish}"),
            "certificate 2 of the PEM text: ",
        ),
        (
            good[..good.len() / 2].to_owned(),
            "certificate 1 of the PEM text: ",
        ),
    ] {
        let error = Transport::builder().ca_pem(pem.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().starts_with(why), "{error}");
    }
}

#[cfg(feature = "native-roots")]
#[tokio::test]
async fn the_roots_of_the_platform_can_be_added() {
    let authority = Authority::new();
    let server = serve(&authority, "localhost", false).await;
    let transport = trusting(&authority).native_roots(true).build();
    let response = transport.send(post(https(&server), "x")).await.unwrap();
    assert_eq!(text(response.into_body()).await.unwrap(), "x");
}
