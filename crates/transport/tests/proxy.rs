//! Requests through proxies, over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // It is a test.

mod support;

use lambda_invoke_transport::{ErrorKind, Proxy, ProxyBuilder, Sent, Transport};
use support::{Server, chain, post, read_request, read_to_close, text};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

fn through(rules: ProxyBuilder) -> Transport {
    Transport::builder().proxy(rules.build().unwrap()).build()
}

#[tokio::test]
async fn an_http_request_goes_to_the_proxy_with_its_whole_uri() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let proxy = Server::start(move |mut socket, _| {
        let tell = tell.clone();
        async move {
            while let Some(request) = read_request(&mut socket).await {
                tell.send(request).unwrap();
                let response = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                socket.write_all(response).await.unwrap();
            }
        }
    })
    .await;
    let address = format!("http://Aladdin:open%20sesame@{}", proxy.address);
    let transport = through(Proxy::builder().http(&address).no("direct.invalid"));
    let response = transport
        .send(post("http://lambda.invalid/a%2Fb?c=d", "x"))
        .await
        .unwrap();
    assert_eq!(text(response.into_body()).await.unwrap(), "ok");
    let request = told.recv().await.unwrap();
    let line = "POST http://lambda.invalid/a%2Fb?c=d HTTP/1.1\r\n";
    assert!(request.head.starts_with(line), "{}", request.head);
    assert_eq!(request.header("host"), Some("lambda.invalid"));
    // RFC 7617: base64 of `Aladdin:open sesame`.
    assert_eq!(
        request.header("proxy-authorization"),
        Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
    );

    // The transport itself looks up a host that needs no proxy.
    let error = transport
        .send(post("http://direct.invalid/", "x"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(proxy.accepted(), 1);
}

#[tokio::test]
async fn without_a_password_no_authorization_is_sent() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let proxy = Server::start(move |mut socket, _| {
        let tell = tell.clone();
        async move {
            tell.send(read_request(&mut socket).await.unwrap()).unwrap();
            let response =
                b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
            socket.write_all(response).await.unwrap();
        }
    })
    .await;
    let transport = through(Proxy::builder().http(proxy.address.to_string()));
    let response = transport
        .send(post("http://lambda.invalid/", "x"))
        .await
        .unwrap();
    assert_eq!(
        response.status(),
        407,
        "a response is a response, whoever gives it"
    );
    assert_eq!(
        told.recv().await.unwrap().header("proxy-authorization"),
        None
    );
}

#[tokio::test]
async fn a_proxy_that_cannot_be_reached_sent_nothing() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let transport = through(Proxy::builder().all(format!("http://user:hunter2@{gone}")));
    for scheme in ["http", "https"] {
        let uri = format!("{scheme}://lambda.invalid/");
        let error = transport.send(post(uri, "x")).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Proxy, Sent::No));
        assert_eq!(
            error.to_string(),
            format!("could not connect to the proxy {gone}")
        );
        assert!(!format!("{error:?} {}", chain(&error)).contains("hunter2"));
    }
}

#[tokio::test]
async fn a_proxy_that_rejects_a_tunnel_sent_nothing() {
    for (response, why) in [
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            "authorization required",
        ),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "unsuccessful"),
        ("", "unexpected end of file"),
    ] {
        let proxy = Server::start(move |mut socket, _| async move {
            let request = read_request(&mut socket).await.unwrap();
            assert!(
                request
                    .head
                    .starts_with("CONNECT lambda.invalid:443 HTTP/1.1\r\n")
            );
            socket.write_all(response.as_bytes()).await.unwrap();
            socket.shutdown().await.unwrap();
            assert_eq!(read_to_close(&mut socket).await, 0);
        })
        .await;
        let transport = through(Proxy::builder().https(format!("http://{}", proxy.address)));
        let error = transport
            .send(post("https://lambda.invalid/", "x"))
            .await
            .unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Proxy, Sent::No));
        let said = format!(
            "the proxy {} did not open a tunnel to lambda.invalid",
            proxy.address
        );
        assert_eq!(error.to_string(), said);
        assert!(chain(&error).contains(why), "{}", chain(&error));
    }
}

#[cfg(feature = "tls")]
#[path = "support/tls.rs"]
mod tls;

#[cfg(feature = "tls")]
#[tokio::test]
async fn an_https_request_goes_through_a_tunnel_that_the_proxy_cannot_read() {
    use tokio::io::{AsyncReadExt, AsyncWrite, copy_bidirectional};
    use tokio::net::TcpStream;

    /// Opens the tunnel and forwards bytes; returns the CONNECT request.
    async fn tunnel<T>(mut client: T, to: std::net::SocketAddr) -> support::Received
    where
        T: tokio::io::AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let request = read_request(&mut client).await.unwrap();
        client
            .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            .await
            .unwrap();
        client.flush().await.unwrap();
        let mut server = TcpStream::connect(to).await.unwrap();
        tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
        request
    }

    let authority = tls::Authority::new();
    let acceptor = authority.acceptor("lambda.invalid", false);
    let server = Server::start(move |socket, _| {
        let acceptor = acceptor.clone();
        async move {
            let mut tls = acceptor.accept(socket).await.unwrap();
            let request = read_request(&mut tls).await.unwrap();
            assert!(
                request.head.starts_with("POST /path HTTP/1.1\r\n"),
                "{}",
                request.head
            );
            assert_eq!(request.header("proxy-authorization"), None);
            let response = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            tls.write_all(response).await.unwrap();
            let _ = tls.read(&mut [0]).await;
        }
    })
    .await;

    let to = server.address;
    let (tell, mut told) = mpsc::unbounded_channel();
    let tell_too = tell.clone();
    let plain = Server::start(move |socket, _| {
        let tell = tell.clone();
        async move { tell.send(tunnel(socket, to).await).unwrap() }
    })
    .await;
    let acceptor = authority.acceptor("localhost", false);
    let secure = Server::start(move |socket, _| {
        let (tell, acceptor) = (tell_too.clone(), acceptor.clone());
        async move {
            let tls = acceptor.accept(socket).await.unwrap();
            tell.send(tunnel(tls, to).await).unwrap();
        }
    })
    .await;

    for address in [
        format!("http://user:pass@{}", plain.address),
        format!("https://user:pass@localhost:{}", secure.address.port()),
    ] {
        let transport = Transport::builder()
            .ca_pem(authority.pem.as_bytes())
            .unwrap()
            .proxy(Proxy::builder().https(address).build().unwrap())
            .build();
        let request = post("https://lambda.invalid/path", "x");
        let response = transport.send(request).await.unwrap();
        assert_eq!(text(response.into_body()).await.unwrap(), "ok");
        let connect = told.recv().await.unwrap();
        assert!(
            connect
                .head
                .starts_with("CONNECT lambda.invalid:443 HTTP/1.1\r\n")
        );
        assert_eq!(
            connect.header("proxy-authorization"),
            Some("Basic dXNlcjpwYXNz")
        );
    }
}

#[tokio::test]
async fn a_request_or_a_proxy_with_an_invalid_port_is_rejected_before_anything_connects() {
    let server = Server::start(|_, _| async {}).await;
    let through_it = through(Proxy::builder().all(server.address.to_string()));
    for port in ["0", "", "65536", "99999", "+80", "080", "80a"] {
        for scheme in ["http", "https"] {
            for transport in [&Transport::new(), &through_it] {
                let uri = format!("{scheme}://127.0.0.1:{port}/");
                let error = transport.send(post(&uri, "x")).await.unwrap_err();
                assert_eq!((error.kind(), error.sent()), (ErrorKind::Request, Sent::No));
                assert!(error.to_string().contains("1 to 65535"), "{uri}: {error}");
            }
        }
        let address = format!("http://user:hunter2@127.0.0.1:{port}");
        let error = Proxy::builder().all(&address).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    assert_eq!(server.accepted(), 0);
}
