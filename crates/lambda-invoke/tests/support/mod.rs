//! A scripted server, for behavior that no correct endpoint has.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lambda_invoke::{Client, ClientBuilder, Credentials, Error, ResponseStream};
use lambda_invoke_endpoint::{Endpoint, Function, Server as LocalEndpoint};
use lambda_invoke_protocol::{InvokeComplete, StreamEvent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// One step of the server's response to a request.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Writes these bytes.
    Write(Vec<u8>),
    /// Waits for this notification.
    Wait(Arc<Notify>),
    /// Closes the connection.
    Close,
    /// Closes with a reset.
    Reset,
    /// Neither responds nor closes the connection.
    Hang,
}

/// A request that the server received.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A server on a loopback port. It ends with its runtime.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Starts a server that handles the nth request, counted from 0, as `script` says.
    pub(crate) async fn start<F>(script: F) -> Self
    where
        F: Fn(usize, &Received) -> Vec<Step> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let connections = Arc::new(AtomicUsize::new(0));
        let (counted, connected) = (Arc::clone(&requests), Arc::clone(&connections));
        let script = Arc::new(script);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                connected.fetch_add(1, Ordering::SeqCst);
                let (script, counted) = (Arc::clone(&script), Arc::clone(&counted));
                tokio::spawn(async move { serve(socket, &*script, &counted).await });
            }
        });
        Self {
            address,
            requests,
            connections,
        }
    }

    /// Returns how many complete requests have arrived.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Returns how many connections have been accepted.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Returns a builder of a client for this server.
    pub(crate) fn client_builder(&self) -> ClientBuilder {
        builder().endpoint_url(format!("http://{}", self.address))
    }

    /// Returns a client for this server.
    pub(crate) fn client(&self) -> Client {
        self.client_builder().build().unwrap()
    }
}

/// Returns a builder with everything but the endpoint.
pub(crate) fn builder() -> ClientBuilder {
    Client::builder()
        .region("us-east-1")
        .credentials(credentials())
}

/// Starts a local endpoint with one function, and returns it with a client for it.
pub(crate) async fn local(function: Function) -> (LocalEndpoint, Client) {
    let builder = Endpoint::builder().function(function);
    let server = builder.bind_local().await.unwrap();
    let client = client_of(&server);
    (server, client)
}

/// Returns a client for a local endpoint.
pub(crate) fn client_of(server: &LocalEndpoint) -> Client {
    let builder = builder().endpoint_url(server.url());
    builder.build().unwrap()
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new("local", "local").unwrap()
}

async fn serve(
    mut socket: TcpStream,
    script: &(impl Fn(usize, &Received) -> Vec<Step> + ?Sized),
    counted: &AtomicUsize,
) {
    socket.set_nodelay(true).unwrap();
    while let Some(request) = receive(&mut socket).await {
        let steps = script(counted.fetch_add(1, Ordering::SeqCst), &request);
        for step in steps {
            match step {
                Step::Write(bytes) => {
                    if socket.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Step::Wait(notify) => notify.notified().await,
                Step::Close => return,
                Step::Reset => {
                    socket2::SockRef::from(&socket)
                        .set_linger(Some(std::time::Duration::ZERO))
                        .unwrap();
                    return;
                }
                Step::Hang => std::future::pending().await,
            }
        }
    }
}

async fn receive(socket: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let mut request = Received {
        head,
        body: Vec::new(),
    };
    let length: usize = request
        .header("content-length")
        .map_or(0, |length| length.parse().unwrap());
    while bytes.len() < head_end + length {
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    request.body = bytes[head_end..head_end + length].to_vec();
    Some(request)
}

/// Returns a complete response with a body of known length.
pub(crate) fn response(status: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut text = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    [text.as_bytes(), body].concat()
}

/// Makes an error response of the service.
pub(crate) fn rejection(status: &str, code: &str, message: &str) -> Vec<u8> {
    let body = format!(r#"{{"Type":"User","Message":"{message}"}}"#);
    response(
        status,
        &[("x-amzn-errortype", code), ("x-amzn-requestid", "the-id")],
        body,
    )
}

/// Returns the head of a response stream in chunked framing.
pub(crate) fn stream_head(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut text = String::from(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx-amzn-requestid: the-id\r\n\
         content-type: application/vnd.amazon.eventstream\r\nx-amz-executed-version: 7\r\n",
    );
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// Returns one HTTP chunk with these bytes.
pub(crate) fn http_chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// The end of a chunked body.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Returns one HTTP chunk with a stream's events.
pub(crate) fn events(events: impl IntoIterator<Item = StreamEvent>) -> Vec<u8> {
    http_chunk(&event_bytes(events))
}

/// Encodes events.
pub(crate) fn event_bytes(events: impl IntoIterator<Item = StreamEvent>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for event in events {
        event.encode(&mut bytes).unwrap();
    }
    bytes
}

pub(crate) fn chunk(text: &'static str) -> StreamEvent {
    StreamEvent::PayloadChunk(text.into())
}

pub(crate) fn complete() -> StreamEvent {
    StreamEvent::InvokeComplete(InvokeComplete::default())
}

/// Returns a complete stream of the payload `hello`.
pub(crate) fn whole_stream() -> Vec<u8> {
    [
        stream_head(&[]),
        events([chunk("hello"), complete()]),
        LAST_CHUNK.to_vec(),
    ]
    .concat()
}

/// Reads a stream to its end, and returns everything that arrived and the error that ended it, if
/// any.
pub(crate) async fn drain(stream: &mut ResponseStream) -> (Vec<u8>, Option<Error>) {
    let mut all = Vec::new();
    let end = loop {
        match stream.next_chunk().await {
            Some(Ok(piece)) => all.extend_from_slice(&piece),
            Some(Err(error)) => break Some(error),
            None => break None,
        }
    };
    // Nothing follows the end or the error.
    for _ in 0..3 {
        assert!(stream.next_chunk().await.is_none());
    }
    (all, end)
}

/// Starts a server that responds to every request with these bytes and then closes.
pub(crate) async fn responding(bytes: impl Into<Vec<u8>>) -> Server {
    let bytes = bytes.into();
    Server::start(move |_, _| vec![Step::Write(bytes.clone()), Step::Close]).await
}
