//! Hosts with several addresses, of both families, over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // It is a test.

mod support;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use lambda_invoke_transport::{ErrorKind, Sent, TimeoutKind, Timeouts, Transport};
use socket2::{Domain, Socket, Type};
use support::{post, read_request};
use tokio::io::AsyncWriteExt;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
/// On Linux, this is also an address of the loopback interface; the tests with two IPv4 addresses
/// run only there.
const OTHER_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// What listens on an address.
#[derive(Clone, Copy, PartialEq)]
enum At {
    /// A server that responds with the address and the `host` header it was called with.
    Server,
    /// A full queue: the kernel drops every further SYN.
    Silence,
    /// Nothing: the kernel refuses connections.
    Nobody,
}

/// Keeps the sockets of a host open.
struct Host {
    port: u16,
    _sockets: Vec<Socket>,
    _queued: Vec<std::net::TcpStream>,
}

/// Binds all addresses to the same port, which is that of the URI.
fn host(parts: &[(IpAddr, At)]) -> Host {
    for _ in 0..50 {
        let mut port = 0;
        let mut sockets = Vec::new();
        for (ip, _) in parts {
            let address = SocketAddr::new(*ip, port);
            let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
            if ip.is_ipv6() {
                socket.set_only_v6(true).unwrap();
            }
            if socket.bind(&address.into()).is_err() {
                break;
            }
            port = socket.local_addr().unwrap().as_socket().unwrap().port();
            sockets.push(socket);
        }
        if sockets.len() == parts.len() {
            return open(parts, sockets, port);
        }
    }
    panic!("no port is free on all of the addresses");
}

fn open(parts: &[(IpAddr, At)], sockets: Vec<Socket>, port: u16) -> Host {
    let mut host = Host {
        port,
        _sockets: Vec::new(),
        _queued: Vec::new(),
    };
    for ((ip, at), socket) in parts.iter().zip(sockets) {
        match at {
            At::Server => {
                socket.listen(128).unwrap();
                serve(*ip, socket);
                continue;
            }
            At::Silence => {
                socket.listen(0).unwrap();
                let address = SocketAddr::new(*ip, port);
                let patience = Duration::from_millis(100);
                while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, patience) {
                    host._queued.push(stream);
                    assert!(host._queued.len() < 100, "the queue is never full");
                }
            }
            At::Nobody => {}
        }
        host._sockets.push(socket);
    }
    host
}

fn serve(ip: IpAddr, socket: Socket) {
    socket.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(socket.into()).unwrap();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let request = read_request(&mut socket).await.unwrap();
                let body = format!("{ip} {}", request.header("host").unwrap());
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                socket.write_all((head + &body).as_bytes()).await.unwrap();
            });
        }
    });
}

/// Calls `name` with these addresses, and returns the response or the error, and how long the call
/// took.
async fn call(
    parts: &[(IpAddr, At)],
    limit: Duration,
) -> (
    Result<String, lambda_invoke_transport::Error>,
    Duration,
    u16,
) {
    let host = host(parts);
    let transport = Transport::builder()
        .timeouts(Timeouts::none().with_connect(limit))
        .resolve("lambda.test", parts.iter().map(|(ip, _)| *ip))
        .build();
    let started = Instant::now();
    let uri = format!("http://lambda.test:{}/", host.port);
    let result = match transport.send(post(uri, "x")).await {
        Ok(response) => support::text(response.into_body()).await,
        Err(error) => Err(error),
    };
    (result, started.elapsed(), host.port)
}

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn the_first_address_is_preferred_whatever_its_family() {
    if support::tools::lacks_ipv6() {
        return;
    }
    for (first, second) in [(V6, V4), (V4, V6)] {
        let (result, _, port) = call(&[(first, At::Server), (second, At::Server)], LONG).await;
        assert_eq!(result.unwrap(), format!("{first} lambda.test:{port}"));
    }
}

#[tokio::test]
async fn an_address_that_never_responds_costs_300_milliseconds_and_not_the_timeout() {
    if support::tools::lacks_ipv6() {
        return;
    }
    for (dead, alive) in [(V6, V4), (V4, V6)] {
        let (result, took, port) = call(&[(dead, At::Silence), (alive, At::Server)], LONG).await;
        assert_eq!(result.unwrap(), format!("{alive} lambda.test:{port}"));
        assert!(took >= Duration::from_millis(290), "{took:?}");
        assert!(took < LONG / 4, "{took:?}");
    }
}

#[tokio::test]
async fn an_address_that_refuses_is_replaced_by_one_of_the_other_family() {
    if support::tools::lacks_ipv6() {
        return;
    }
    for (dead, alive) in [(V6, V4), (V4, V6)] {
        let (result, took, port) = call(&[(dead, At::Nobody), (alive, At::Server)], LONG).await;
        assert_eq!(result.unwrap(), format!("{alive} lambda.test:{port}"));
        assert!(took < LONG / 4, "{took:?}");
    }
}

#[tokio::test]
async fn the_connect_timeout_holds_for_both_families_together() {
    if support::tools::lacks_ipv6() {
        return;
    }
    let limit = Duration::from_millis(700);
    let (result, took, _) = call(&[(V6, At::Silence), (V4, At::Silence)], limit).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut(TimeoutKind::Connect));
    assert_eq!(error.sent(), Sent::No);
    assert!(took >= Duration::from_millis(300), "{took:?}");
    assert!(took < limit * 4, "{took:?}");
}

#[tokio::test]
async fn no_server_on_either_family_is_an_error_that_names_the_host() {
    if support::tools::lacks_ipv6() {
        return;
    }
    let (result, _, port) = call(&[(V6, At::Nobody), (V4, At::Nobody)], LONG).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(error.sent(), Sent::No);
    let text = support::chain(&error);
    assert!(text.contains(&format!("lambda.test:{port}")), "{text}");
    assert!(text.contains("refused"), "{text}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_dead_address_leaves_the_next_of_its_family_a_share_of_the_timeout() {
    let limit = Duration::from_secs(4);
    let parts = [(OTHER_V4, At::Silence), (V4, At::Server)];
    let (result, took, port) = call(&parts, limit).await;
    assert_eq!(result.unwrap(), format!("{V4} lambda.test:{port}"));
    assert!(took >= limit / 2 && took < limit, "{took:?}");
}

#[tokio::test]
async fn an_address_in_the_uri_is_called_unchanged_and_keeps_its_brackets() {
    if support::tools::lacks_ipv6() {
        return;
    }
    let host = host(&[(V6, At::Server)]);
    let uri = format!("http://[::1]:{}/", host.port);
    let response = Transport::new().send(post(uri, "x")).await.unwrap();
    let text = support::text(response.into_body()).await.unwrap();
    assert_eq!(text, format!("::1 [::1]:{}", host.port));
}

#[tokio::test]
async fn a_host_is_found_in_upper_or_lower_case_and_its_last_addresses_count() {
    let host = host(&[(V4, At::Server)]);
    let transport = Transport::builder()
        .resolve("LAMBDA.test", [V6])
        .resolve("Lambda.Test", [V4])
        .build();
    let uri = format!("http://lambda.TEST:{}/", host.port);
    let response = transport.send(post(&uri, "x")).await.unwrap();
    assert!(
        support::text(response.into_body())
            .await
            .unwrap()
            .starts_with("127.0.0.1 ")
    );

    let nowhere = Transport::builder().resolve("lambda.test", []).build();
    let error = nowhere.send(post(&uri, "x")).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Connect, Sent::No));
}

#[tokio::test]
async fn other_hosts_are_still_resolved_by_the_operating_system() {
    let host = host(&[(V4, At::Server)]);
    let transport = Transport::builder().resolve("lambda.test", [V6]).build();
    let uri = format!("http://localhost:{}/", host.port);
    let response = transport.send(post(uri, "x")).await.unwrap();
    assert!(
        support::text(response.into_body())
            .await
            .unwrap()
            .starts_with("127.0.0.1 ")
    );
}
