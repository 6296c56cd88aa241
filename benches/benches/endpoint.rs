//! The endpoint, compared with a bare hyper server that sends the same bytes: CPU time of the
//! server's thread for a small invoke, with 32 connections at once.
//!
//! The server runs in the measured thread, and the client in another one. The result is in CPU time
//! of the server's thread: requests per CPU-second.

use std::convert::Infallible;
use std::future::Future;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, SystemTime};

use cpu_time::ThreadTime;
use criterion::{Criterion, criterion_group, criterion_main};
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use lambda_invoke_endpoint::{Endpoint, EndpointBuilder, Function, FunctionError};
use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer, Timestamp};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

const CONNECTIONS: u64 = 32;
const PAYLOAD: &[u8] = br#"{"name":"Ada","age":36}"#;

/// The client's thread, which sends requests over persistent connections.
///
/// The thread never sleeps while it has requests: otherwise the server's writes would have to wake
/// it, at the cost of the measured thread.
struct Client {
    orders: Sender<Order>,
}

struct Order {
    to: SocketAddr,
    requests: u64,
    done: oneshot::Sender<()>,
}

impl Client {
    fn new() -> Self {
        let (orders, received) = channel();
        std::thread::spawn(move || Self::work(&received));
        Self { orders }
    }

    fn work(orders: &Receiver<Order>) {
        let mut open: Vec<Connection> = Vec::new();
        let mut of = None;
        while let Ok(order) = orders.recv() {
            if of != Some(order.to) {
                open = (0..CONNECTIONS)
                    .map(|_| Connection::new(order.to))
                    .collect();
                of = Some(order.to);
            }
            let request = signed(order.to);
            let (mut sent, mut completed) = (0, 0);
            while completed < order.requests {
                for connection in &mut open {
                    if connection.waits {
                        completed += u64::from(connection.poll_response());
                    }
                    if !connection.waits && sent < order.requests {
                        connection.send(&request);
                        sent += 1;
                    }
                }
            }
            order.done.send(()).unwrap();
        }
    }

    /// Sends this many requests. The receiver is ready when all of them have a response.
    fn ask(&self, to: SocketAddr, requests: u64) -> oneshot::Receiver<()> {
        let (done, ready) = oneshot::channel();
        self.orders.send(Order { to, requests, done }).unwrap();
        ready
    }
}

struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
    waits: bool,
}

impl Connection {
    fn new(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self {
            stream,
            read: Vec::new(),
            waits: false,
        }
    }

    fn send(&mut self, request: &[u8]) {
        // The request fits into the socket's buffer, which is empty.
        self.stream.write_all(request).unwrap();
        self.read.clear();
        self.waits = true;
    }

    /// Reads what has arrived, and returns whether the response is complete: it ends with the
    /// payload.
    fn poll_response(&mut self) -> bool {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(count @ 1..) => self.read.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            other => panic!("{other:?} after {}", String::from_utf8_lossy(&self.read)),
        }
        self.waits = !self.read.ends_with(PAYLOAD);
        assert!(self.waits || self.read.starts_with(b"HTTP/1.1 200 "));
        !self.waits
    }
}

/// A request like that of an SDK.
fn signed(address: SocketAddr) -> Vec<u8> {
    let (mut parts, ()) = Request::post("/2015-03-31/functions/echo/invocations")
        .header("host", address.to_string())
        .header("content-type", "application/json")
        .header("content-length", PAYLOAD.len())
        .header("user-agent", "lambda-invoke")
        .body(())
        .unwrap()
        .into_parts();
    let signer = Signer::new(
        Credentials::new("local", "local").unwrap(),
        "us-east-1",
        "lambda",
    );
    let now = Timestamp::try_from(SystemTime::now()).unwrap();
    signer
        .unwrap()
        .sign(&mut parts, &PayloadHash::of(PAYLOAD), now)
        .unwrap();
    let mut text = format!("POST {} HTTP/1.1\r\n", parts.uri).into_bytes();
    for (name, value) in &parts.headers {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"\r\n");
    text.extend_from_slice(PAYLOAD);
    text
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// The limit: a bare hyper server with the same response.
async fn bare(listener: TcpListener) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| async move {
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let mut response = Response::new(Full::new(body));
                let headers = response.headers_mut();
                let json = HeaderValue::from_static("application/json");
                headers.insert(header::CONTENT_TYPE, json);
                for (name, value) in [
                    ("x-amzn-requestid", "3c5a3b1f-0d0e-4a6b-9f43-6f9d3c1c2f11"),
                    ("x-amz-executed-version", "$LATEST"),
                ] {
                    headers.insert(name, HeaderValue::from_static(value));
                }
                Ok::<_, Infallible>(response)
            });
            let http = hyper::server::conn::http1::Builder::new();
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn measure(client: &Client, runtime: &Runtime, address: SocketAddr, requests: u64) -> Duration {
    // The connections are opened before the measurement.
    runtime.block_on(client.ask(address, CONNECTIONS)).unwrap();
    let ready = client.ask(address, requests);
    let start = ThreadTime::now();
    runtime.block_on(ready).unwrap();
    start.elapsed()
}

fn serving<T>(runtime: &Runtime, server: impl Future<Output = T>) -> T {
    runtime.block_on(server)
}

fn endpoint(builder: EndpointBuilder) -> EndpointBuilder {
    builder.function(Function::buffered("echo", |invocation| async move {
        Ok::<_, FunctionError>(invocation.payload().clone())
    }))
}

fn small_invokes(criterion: &mut Criterion) {
    let client = Client::new();
    let mut group = criterion.benchmark_group("endpoint small invoke, server CPU");
    {
        let runtime = runtime();
        let listener = serving(&runtime, TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(bare(listener));
        group.bench_function("bare hyper", |bencher| {
            bencher.iter_custom(|n| measure(&client, &runtime, address, n));
        });
    }
    for (name, verify) in [
        ("endpoint, not verifying", false),
        ("endpoint, verifying", true),
    ] {
        let runtime = runtime();
        let builder = endpoint(Endpoint::builder().verify(verify));
        let server = serving(&runtime, builder.bind_local()).unwrap();
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|n| measure(&client, &runtime, server.local_addr(), n));
        });
    }
    group.finish();
}

criterion_group!(benches, small_invokes);
criterion_main!(benches);
