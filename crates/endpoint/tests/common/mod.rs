//! A plain client over a socket, which signs with this project's signer and reads responses piece
//! by piece.

// Each test file uses only a part of it.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

#[cfg(feature = "runtime")]
pub mod sources;
pub mod tools;

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use lambda_invoke_endpoint::{EndpointBuilder, Server};
use lambda_invoke_event_stream::Decoder;
use lambda_invoke_input::InvocationType;
use lambda_invoke_protocol::{InvokeComplete, Reply, StreamEvent, service_error};
use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a test waits for anything before it fails. No test passes because this time has
/// elapsed.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Fails a test that would otherwise hang.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("took too long")
}

/// Serves an endpoint and connects to it.
pub async fn serve(builder: EndpointBuilder) -> (Server, Client) {
    let server = builder.bind_local().await.unwrap();
    let client = Client::to(&server).await;
    (server, client)
}

pub fn now() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap()
}

/// Returns the signer for the default access key.
pub fn signer() -> Signer {
    signer_of("local", "local", "us-east-1")
}

pub fn signer_of(id: &str, secret: &str, region: &str) -> Signer {
    Signer::new(Credentials::new(id, secret).unwrap(), region, "lambda").unwrap()
}

pub fn invoke_path(name: &str) -> String {
    format!(
        "/2015-03-31/functions/{}/invocations",
        lambda_invoke_protocol::path::Encoded(name)
    )
}

pub fn stream_path(name: &str) -> String {
    format!(
        "/2021-11-15/functions/{}/response-streaming-invocations",
        lambda_invoke_protocol::path::Encoded(name)
    )
}

/// A request that is signed when it is sent.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Call {
    pub fn new(path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self {
            method: "POST".to_owned(),
            path: path.into(),
            headers: Vec::new(),
            body: body.into(),
        }
    }

    pub fn invoke(name: &str, body: impl Into<Bytes>) -> Self {
        Self::new(invoke_path(name), body)
    }

    pub fn stream(name: &str, body: impl Into<Bytes>) -> Self {
        Self::new(stream_path(name), body)
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn event(self) -> Self {
        self.header("x-amz-invocation-type", "Event")
    }

    pub fn tail(self) -> Self {
        self.header("x-amz-log-type", "Tail")
    }

    pub fn qualifier(mut self, qualifier: &str) -> Self {
        let encoded = lambda_invoke_protocol::path::Encoded(qualifier).to_string();
        self.path.push_str(&format!("?Qualifier={encoded}"));
        self
    }

    /// Returns the request's bytes, signed for that address.
    pub fn signed(&self, to: SocketAddr, signer: &Signer, time: Timestamp) -> Vec<u8> {
        let mut request = Request::builder()
            .method(self.method.as_str())
            .uri(self.path.as_str())
            .header("host", to.to_string());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        signer
            .sign(&mut parts, &PayloadHash::of(&self.body), time)
            .unwrap();
        let headers: Vec<_> = parts
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        Self {
            headers,
            ..self.clone()
        }
        .written()
    }

    /// Returns the request's bytes without a signature, with a `Content-Length`.
    pub fn written(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("content-length: {}\r\n\r\n", self.body.len()));
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// A connection with its read buffer.
pub struct Client {
    pub stream: TcpStream,
    pub address: SocketAddr,
    buffer: Vec<u8>,
}

/// The head of a response and the framing of its body.
#[derive(Debug)]
pub struct Head {
    pub parts: http::response::Parts,
    framing: Framing,
}

#[derive(Debug, Clone, Copy)]
enum Framing {
    Length(usize),
    Chunked,
}

/// A complete response.
#[derive(Debug)]
pub struct Response {
    pub parts: http::response::Parts,
    pub body: Bytes,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            address,
            buffer: Vec::new(),
        }
    }

    pub async fn to(server: &Server) -> Self {
        Self::connect(server.local_addr()).await
    }

    pub async fn send(&mut self, call: &Call) {
        let bytes = call.signed(self.address, &signer(), now());
        self.stream.write_all(&bytes).await.unwrap();
    }

    pub async fn call(&mut self, call: &Call) -> Response {
        soon(async {
            self.send(call).await;
            self.response().await.unwrap()
        })
        .await
    }

    async fn fill(&mut self) -> io::Result<()> {
        self.buffer.reserve(65_536);
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    async fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                let rest = self.buffer.split_off(end + 2);
                let line = std::mem::replace(&mut self.buffer, rest);
                return Ok(String::from_utf8(line[..end].to_vec()).unwrap());
            }
            self.fill().await?;
        }
    }

    async fn take(&mut self, count: usize) -> io::Result<Bytes> {
        while self.buffer.len() < count {
            self.fill().await?;
        }
        let rest = self.buffer.split_off(count);
        Ok(std::mem::replace(&mut self.buffer, rest).into())
    }

    pub async fn head(&mut self) -> io::Result<Head> {
        let status = self.line().await?;
        let status: u16 = status.split(' ').nth(1).unwrap().parse().unwrap();
        let mut response = http::Response::builder().status(status);
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(':') else {
                assert!(line.is_empty(), "no header: {line}");
                break;
            };
            response = response.header(name, value.trim());
        }
        let (parts, ()) = response.body(()).unwrap().into_parts();
        let text = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap());
        let framing = match (text("transfer-encoding"), text("content-length")) {
            (Some("chunked"), None) => Framing::Chunked,
            (None, Some(length)) => Framing::Length(length.parse().unwrap()),
            (None, None) if matches!(status, 204 | 304) => Framing::Length(0),
            other => panic!("a response framed as {other:?}"),
        };
        Ok(Head { parts, framing })
    }

    /// Reads the next HTTP chunk of a chunked body; `None` at its end.
    pub async fn chunk(&mut self) -> io::Result<Option<Bytes>> {
        let size = usize::from_str_radix(&self.line().await?, 16).unwrap();
        let chunk = self.take(size).await?;
        assert_eq!(self.line().await?, "");
        Ok((size > 0).then_some(chunk))
    }

    pub async fn body(&mut self, head: &Head) -> io::Result<Bytes> {
        match head.framing {
            Framing::Length(length) => self.take(length).await,
            Framing::Chunked => {
                let mut body = Vec::new();
                while let Some(chunk) = self.chunk().await? {
                    body.extend_from_slice(&chunk);
                }
                Ok(body.into())
            }
        }
    }

    pub async fn response(&mut self) -> io::Result<Response> {
        let head = self.head().await?;
        let body = self.body(&head).await?;
        Ok(Response {
            parts: head.parts,
            body,
        })
    }

    /// Reads until the connection ends, and returns how it ended.
    pub async fn rest(&mut self) -> (Vec<u8>, io::Result<()>) {
        let mut bytes = std::mem::take(&mut self.buffer);
        let end = self.stream.read_to_end(&mut bytes).await.map(drop);
        (bytes, end)
    }

    pub async fn is_closed(&mut self) -> bool {
        self.buffer.is_empty() && matches!(self.stream.read(&mut [0]).await, Ok(0) | Err(_))
    }
}

impl Response {
    pub fn status(&self) -> StatusCode {
        self.parts.status
    }

    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.parts
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn reply(&self) -> Reply {
        let asked = match self.parts.status.as_u16() {
            202 => InvocationType::Event,
            204 => InvocationType::DryRun,
            _ => InvocationType::RequestResponse,
        };
        Reply::from_http(asked, &self.parts, self.body.clone()).unwrap()
    }

    pub fn error(&self) -> lambda_invoke_error::ServiceError {
        assert!(self.parts.status.as_u16() >= 400, "no error: {self:?}");
        service_error(&self.parts, &self.body)
    }

    /// Returns the status and the code of an error.
    pub fn rejection(&self) -> (u16, String) {
        (
            self.status().as_u16(),
            self.error().code().unwrap_or_default().to_owned(),
        )
    }

    pub fn events(&self) -> Vec<StreamEvent> {
        events(&self.body)
    }

    /// Returns the payload chunks as text, and the end of the stream.
    pub fn streamed(&self) -> (Vec<String>, InvokeComplete) {
        let mut events = self.events();
        let Some(StreamEvent::InvokeComplete(complete)) = events.pop() else {
            panic!("no InvokeComplete: {self:?}");
        };
        (chunks(events), complete)
    }
}

pub fn events(body: &[u8]) -> Vec<StreamEvent> {
    let mut decoder = Decoder::new();
    decoder.push(Bytes::copy_from_slice(body));
    let mut events = Vec::new();
    while let Some(message) = decoder.next_message().unwrap() {
        events.push(StreamEvent::try_from(message).unwrap());
    }
    events
}

pub fn chunks(events: Vec<StreamEvent>) -> Vec<String> {
    events
        .into_iter()
        .map(|event| match event {
            StreamEvent::PayloadChunk(payload) => {
                String::from_utf8(payload.into_bytes().to_vec()).unwrap()
            }
            other => panic!("no chunk: {other:?}"),
        })
        .collect()
}
