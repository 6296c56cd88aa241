//! A server with scripted responses, sent byte by byte, for responses that no real endpoint sends.

// Each test file uses only a part of this module.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use lambda_invoke_protocol::{InvokeComplete, StreamEvent};

use crate::program::calling;

/// The head of a streamed response without `Content-Length`; the blank line that ends a head is
/// left out, so that headers can be added.
pub const STREAM: &str = "HTTP/1.1 200 OK\r\nx-amzn-requestid: 4e0a1f7c-2a5c-4b1e-9d3f-0c1d2e3f4a5b\r\n\
     content-type: application/vnd.amazon.eventstream\r\nconnection: close\r\n";

/// A server whose test decides what happens on each connection.
pub struct Scripted {
    pub url: String,
    requests: Arc<AtomicUsize>,
}

impl Scripted {
    /// After reading a connection's request, calls `serve` on a new thread with the number of the
    /// request, counted from 0.
    pub fn start(serve: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let (serve, counted) = (Arc::new(serve), Arc::clone(&requests));
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let (serve, counted) = (Arc::clone(&serve), Arc::clone(&counted));
                std::thread::spawn(move || {
                    let mut socket = socket.unwrap();
                    if read_request(&mut socket) {
                        serve(socket, counted.fetch_add(1, Ordering::SeqCst));
                    }
                });
            }
        });
        Self { url, requests }
    }

    /// Sends these bytes in response to every request and closes the connection.
    pub fn responding(response: impl Into<Vec<u8>>) -> Self {
        let response = response.into();
        Self::start(move |mut socket, _| {
            // The program may close the connection early.
            let _ = socket.write_all(&response);
        })
    }

    /// Never responds.
    pub fn silent() -> Self {
        Self::start(|mut socket, _| {
            // Blocks until the program has exited.
            let _ = socket.read_to_end(&mut Vec::new());
        })
    }

    /// Returns the number of requests received.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// The program, configured to call the server.
    pub fn program(&self, arguments: &[&str]) -> Command {
        calling(&self.url, arguments)
    }
}

/// Reads a request with its body; `false` if the connection ended first.
fn read_request(socket: &mut TcpStream) -> bool {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match socket.read(&mut piece) {
            Ok(count) if count > 0 => request.extend_from_slice(&piece[..count]),
            _ => return false,
        }
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length:")?
                        .trim()
                        .parse()
                        .ok()
                })
                .unwrap_or(0);
            if body.len() >= length {
                return true;
            }
        }
    }
}

/// A response with a `Content-Length`.
pub fn response(status: &str, headers: &[(&str, &[u8])], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len()).into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"connection: close\r\n\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// A stream of these events.
pub fn stream(events: impl IntoIterator<Item = StreamEvent>) -> Vec<u8> {
    let body: Vec<u8> = events.into_iter().flat_map(frame).collect();
    let head = format!("{STREAM}content-length: {}\r\n\r\n", body.len());
    [head.into_bytes(), body].concat()
}

pub fn frame(event: StreamEvent) -> Bytes {
    event.to_message().unwrap().to_bytes().unwrap()
}

pub fn chunk(payload: &[u8]) -> StreamEvent {
    StreamEvent::PayloadChunk(Bytes::copy_from_slice(payload).into())
}

/// The end of a stream whose function failed.
pub fn failed(code: &str, details: &str) -> StreamEvent {
    let mut complete = InvokeComplete::default();
    complete.error_code = Some(code.to_owned());
    complete.error_details = Some(details.to_owned());
    StreamEvent::InvokeComplete(complete)
}
