//! What a server sent in time is received, even if the process does not run until after the timeout.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // It is a test.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use lambda_invoke_transport::{Error, ErrorKind, TimeoutKind, Timeouts, Transport};

const TIMEOUT: Duration = Duration::from_millis(300);

/// A server on a thread of its own, so that it runs while the runtime does not. It writes each part as
/// soon as it is told to.
struct Server {
    address: SocketAddr,
    next: Sender<()>,
    received: Receiver<()>,
}

fn serve(parts: &'static [&'static str]) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (next, told) = channel::<()>();
    let (tell, received) = channel();
    thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(&socket).lines();
        lines.find(|line| line.as_ref().is_ok_and(String::is_empty));
        tell.send(()).unwrap();
        for part in parts {
            if told.recv().is_err() {
                return;
            }
            (&socket).write_all(part.as_bytes()).unwrap();
        }
        let _ = told.recv();
    });
    Server {
        address,
        next,
        received,
    }
}

async fn call(address: SocketAddr, timeouts: Timeouts, head: Sender<()>) -> Result<Bytes, Error> {
    let mut request = http::Request::get(format!("http://{address}/"))
        .body(Full::default())
        .unwrap();
    request.extensions_mut().insert(timeouts);
    let response = Transport::new().send(request).await?;
    head.send(()).unwrap();
    Ok(response.into_body().collect().await?.to_bytes())
}

/// Blocks the only thread that runs tasks and reads sockets, as if the process were suspended: until
/// well after the timeout. Meanwhile `act` is called.
fn suspend(act: impl FnOnce()) -> tokio::task::JoinHandle<()> {
    let (blocked, is_blocked) = channel();
    let blocking = tokio::spawn(async move {
        blocked.send(()).unwrap();
        thread::sleep(2 * TIMEOUT);
    });
    is_blocked.recv().unwrap();
    act();
    blocking
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_response_that_arrived_before_its_timer_expired_late_is_received() {
    let server = serve(&["HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"]);
    let timeouts = Timeouts::none().with_first_byte(TIMEOUT);
    let (head, _received) = channel();
    let call = tokio::spawn(call(server.address, timeouts, head));
    server.received.recv().unwrap();
    suspend(|| server.next.send(()).unwrap()).await.unwrap();
    assert_eq!(call.await.unwrap().unwrap(), "hello");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_piece_of_a_body_that_arrived_before_its_timer_expired_late_is_received() {
    let server = serve(&["HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe", "llo"]);
    let timeouts = Timeouts::none().with_idle(TIMEOUT);
    let (head, received) = channel();
    let call = tokio::spawn(call(server.address, timeouts, head));
    server.next.send(()).unwrap();
    received.recv().unwrap();
    suspend(|| server.next.send(()).unwrap()).await.unwrap();
    assert_eq!(call.await.unwrap().unwrap(), "hello");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn without_a_response_a_late_timer_is_extended_once() {
    for (timeouts, part, which) in [
        (
            Timeouts::none().with_first_byte(TIMEOUT),
            "HTTP/1.1 ",
            TimeoutKind::FirstByte,
        ),
        (
            Timeouts::none().with_idle(TIMEOUT),
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe",
            TimeoutKind::Idle,
        ),
    ] {
        let server = serve(Box::leak(Box::new([part])));
        let (head, received) = channel();
        let call = tokio::spawn(call(server.address, timeouts, head));
        server.next.send(()).unwrap();
        match which {
            TimeoutKind::Idle => received.recv().unwrap(),
            _ => server.received.recv().unwrap(),
        }
        suspend(|| ()).await.unwrap();
        let error = tokio::time::timeout(10 * TIMEOUT, call).await.unwrap();
        assert_eq!(
            error.unwrap().unwrap_err().kind(),
            ErrorKind::TimedOut(which)
        );
    }
}
