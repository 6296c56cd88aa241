//! Servers on real sockets, with full control over every byte.

// Each test file uses only a part of this module.
#![allow(dead_code)]

pub(crate) mod tools;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use lambda_invoke_transport::{Body, Error, Transport};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A listener that passes every connection, with its number from 0, to `handle`.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) accepted: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) async fn start<F, R>(handle: F) -> Self
    where
        F: Fn(TcpStream, usize) -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&accepted);
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let number = counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(handle(socket, number));
            }
        });
        Self { address, accepted }
    }

    /// Starts a server whose `handle` can report what it saw to the test.
    pub(crate) async fn reporting<T, F, R>(handle: F) -> (Self, UnboundedReceiver<T>)
    where
        T: Send + 'static,
        F: Fn(TcpStream, usize, UnboundedSender<T>) -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let (report, reports) = unbounded_channel();
        let handle = move |socket, number| handle(socket, number, report.clone());
        (Self::start(handle).await, reports)
    }

    pub(crate) fn uri(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

pub(crate) fn post(uri: impl AsRef<str>, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post(uri.as_ref())
        .body(Full::new(body.into()))
        .unwrap()
}

/// Posts to the server's root, and returns the error of a request that must fail.
pub(crate) async fn failure(transport: &Transport, server: &Server) -> Error {
    let sent = transport.send(post(server.uri("/"), "x")).await;
    sent.unwrap_err()
}

/// Posts to the server's root, and returns the body of the response.
pub(crate) async fn open_body(transport: &Transport, server: &Server) -> Body {
    let sent = transport.send(post(server.uri("/"), "x")).await;
    sent.unwrap().into_body()
}

/// A request as it arrived.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// Reads the next request of a connection; `None` if the connection ends before a request is
/// complete.
pub(crate) async fn read_request(io: &mut (impl AsyncRead + Unpin)) -> Option<Received> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut request = Received {
        head,
        body: Vec::new(),
    };
    let length = request
        .header("content-length")
        .map_or(0, |value| value.parse().unwrap());
    request.body = vec![0; length];
    io.read_exact(&mut request.body).await.ok()?;
    Some(request)
}

/// Waits until the peer has closed, and returns how many bytes arrived before that.
pub(crate) async fn read_to_close(io: &mut (impl AsyncRead + Unpin)) -> usize {
    let mut count = 0;
    let mut buf = vec![0; 64 * 1024];
    let reading = async {
        // A reset counts as closing, too.
        while let Ok(n @ 1..) = io.read(&mut buf).await {
            count += n;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), reading)
        .await
        .expect("was never closed");
    count
}

pub(crate) async fn text(body: Body) -> Result<String, Error> {
    Ok(String::from_utf8(body.collect().await?.to_bytes().to_vec()).unwrap())
}

/// Returns the messages of an error and its sources, as a person would see them.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text
}
