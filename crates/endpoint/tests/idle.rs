//! Connections on which nothing happens end, and those on which a function runs do not. Time is tokio's
//! own and passes only while everything waits, so that an hour takes no time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use lambda_invoke_endpoint::{Endpoint, Function, FunctionError, Server};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

const HEAD: &str = "POST /2015-03-31/functions/slow/invocations HTTP/1.1\r\nhost: x\r\n";

/// Serves a function that takes this long, and connects to it.
async fn connected(takes: Duration) -> (Server, TcpStream) {
    let slow = Function::buffered("slow", move |_| async move {
        sleep(takes).await;
        Ok::<_, FunctionError>("done")
    });
    let endpoint = Endpoint::builder().verify(false).function(slow);
    let server = endpoint.bind_local().await.unwrap();
    let address = server.url().strip_prefix("http://").unwrap().to_owned();
    (server, TcpStream::connect(address).await.unwrap())
}

/// Waits for the end of a connection. Returns what arrived, and after how many seconds it ended.
async fn ended(socket: &mut (impl AsyncRead + Unpin)) -> (String, u64) {
    let start = Instant::now();
    let mut read = Vec::new();
    // A reset is an end, too.
    let end = timeout(Duration::from_secs(7_200), socket.read_to_end(&mut read)).await;
    assert!(end.is_ok(), "the connection does not end");
    let text = String::from_utf8_lossy(&read).into_owned();
    (text, start.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_request_or_with_a_part_of_one_ends_after_a_minute() {
    let whole = format!("{HEAD}content-length: 4\r\n\r\n1");
    for sent in ["", "POST /", &whole] {
        let (_server, mut socket) = connected(Duration::ZERO).await;
        socket.write_all(sent.as_bytes()).await.unwrap();
        let (read, seconds) = ended(&mut socket).await;
        assert_eq!(read, "", "{sent}");
        assert!((60..=90).contains(&seconds), "{sent}: {seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_of_the_console_that_is_begun_and_not_sent_ends_after_a_minute() {
    let hello = Function::buffered("hello", |_| async { Ok::<_, FunctionError>("done") });
    let endpoint = Endpoint::builder().function(hello).console(true);
    let server = endpoint.bind_local().await.unwrap();
    let mut socket = TcpStream::connect(server.local_addr()).await.unwrap();
    let head = "POST /console/session HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 10\r\n\r\n";
    socket.write_all(head.as_bytes()).await.unwrap();
    let (read, seconds) = ended(&mut socket).await;
    assert!((60..=90).contains(&seconds), "{seconds} s: {read}");
    assert_eq!(read, "");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_not_waited_for_although_bytes_of_it_arrive() {
    let (_server, socket) = connected(Duration::ZERO).await;
    let (mut reader, mut writer) = tokio::io::split(socket);
    let head = format!("{HEAD}content-length: 1000\r\n\r\n");
    writer.write_all(head.as_bytes()).await.unwrap();
    let dripping = tokio::spawn(async move {
        while writer.write_all(b"1").await.is_ok() {
            sleep(Duration::from_secs(5)).await;
        }
    });
    let (read, seconds) = ended(&mut reader).await;
    assert!((60..=90).contains(&seconds), "{seconds} s");
    assert_eq!(read, "");
    dripping.abort();
}

/// As in a queue for an instance.
#[tokio::test(start_paused = true)]
async fn a_call_may_wait_for_its_response_head_for_longer_than_a_function_may_run() {
    let slow = Function::buffered("slow", |_| async { Ok::<_, FunctionError>("done") });
    let mut builder = Endpoint::builder().verify(false).function(slow);
    for fault in ["slow: delay=4000s", "slow: error=ServiceException"] {
        builder = builder.fault(fault.parse().unwrap());
    }
    let server = builder.bind_local().await.unwrap();
    let mut socket = TcpStream::connect(server.local_addr()).await.unwrap();
    let request = format!("{HEAD}content-length: 0\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let (read, seconds) = ended(&mut socket).await;
    assert!(
        read.starts_with("HTTP/1.1 500 "),
        "{read} after {seconds} s"
    );
    assert!((4_060..=4_090).contains(&seconds), "{seconds} s");
}

#[tokio::test(start_paused = true)]
async fn a_caller_may_wait_for_a_function_for_as_long_as_it_runs() {
    let (_server, mut socket) = connected(Function::LONGEST - Duration::from_secs(1)).await;
    let request = format!("{HEAD}content-length: 0\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let (read, seconds) = ended(&mut socket).await;
    assert!(read.starts_with("HTTP/1.1 200 OK"), "{read}");
    assert!(read.ends_with("done"), "{read}");
    // After the response the connection is idle.
    let idle = seconds - (Function::LONGEST.as_secs() - 1);
    assert!((60..=90).contains(&idle), "{idle} s");
}
