//! The endpoint beside a bare hyper server that answers the same bytes: CPU time of the server's
//! thread for a small invoke, with 32 connections at once.
//!
//! The server runs in the measured thread, the client in another, and what is reported is the
//! thread's CPU time and not the time on the clock: requests a server-CPU-second.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use cpu_time::ThreadTime;
use criterion::{Criterion, criterion_group, criterion_main};
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use lambda_invoke_endpoint::{Builder, Endpoint, Function, FunctionError};
use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

const CONNECTIONS: u64 = 32;
const PAYLOAD: &[u8] = br#"{"name":"Ada","age":36}"#;

/// The client's thread: it sends what it is asked to, over connections that it keeps.
struct Client {
    orders: Sender<(SocketAddr, u64, oneshot::Sender<()>)>,
}

impl Client {
    fn new() -> Self {
        let (orders, received) = channel();
        std::thread::spawn(move || runtime().block_on(Self::work(received)));
        Self { orders }
    }

    async fn work(orders: Receiver<(SocketAddr, u64, oneshot::Sender<()>)>) {
        let mut open: Vec<TcpStream> = Vec::new();
        let mut of = None;
        while let Ok((address, requests, done)) = orders.recv() {
            if of != Some(address) {
                open.clear();
                for _ in 0..CONNECTIONS {
                    let stream = TcpStream::connect(address).await.unwrap();
                    stream.set_nodelay(true).unwrap();
                    open.push(stream);
                }
                of = Some(address);
            }
            let request = Bytes::from(signed(address));
            let tasks: Vec<_> = (0..)
                .zip(open.drain(..))
                .map(|(place, stream)| {
                    let share = requests / CONNECTIONS + u64::from(place < requests % CONNECTIONS);
                    tokio::spawn(ask(stream, request.clone(), share))
                })
                .collect();
            for task in tasks {
                open.push(task.await.unwrap());
            }
            done.send(()).unwrap();
        }
    }

    /// Has so many requests sent; ready when all are answered.
    fn ask(&self, address: SocketAddr, requests: u64) -> oneshot::Receiver<()> {
        let (done, ready) = oneshot::channel();
        self.orders.send((address, requests, done)).unwrap();
        ready
    }
}

async fn ask(mut stream: TcpStream, request: Bytes, count: u64) -> TcpStream {
    let mut buffer = vec![0; 4096];
    for _ in 0..count {
        stream.write_all(&request).await.unwrap();
        // The answer is small and ends in the payload.
        let mut read = 0;
        while !buffer[..read].ends_with(PAYLOAD) {
            let more = stream.read(&mut buffer[read..]).await.unwrap();
            assert!(more > 0, "closed: {}", String::from_utf8_lossy(&buffer[..read]));
            read += more;
        }
        assert!(buffer.starts_with(b"HTTP/1.1 200 "));
    }
    stream
}

/// A request as an SDK sends it.
fn signed(address: SocketAddr) -> Vec<u8> {
    let (mut parts, ()) = Request::post("/2015-03-31/functions/echo/invocations")
        .header("host", address.to_string())
        .header("content-type", "application/json")
        .header("content-length", PAYLOAD.len())
        .header("user-agent", "lambda-invoke")
        .body(())
        .unwrap()
        .into_parts();
    let signer = Signer::new(Credentials::new("local", "local").unwrap(), "us-east-1", "lambda");
    let now = Timestamp::try_from(SystemTime::now()).unwrap();
    signer.unwrap().sign(&mut parts, &PayloadHash::of(PAYLOAD), now).unwrap();
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
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The limit: hyper, and the same answer.
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

fn measure(
    client: &Client,
    runtime: &Runtime,
    address: SocketAddr,
    requests: u64,
) -> Duration {
    // The connections are made outside of the measured time.
    runtime.block_on(client.ask(address, CONNECTIONS)).unwrap();
    let ready = client.ask(address, requests);
    let start = ThreadTime::now();
    runtime.block_on(ready).unwrap();
    start.elapsed()
}

fn serving<T>(runtime: &Runtime, server: impl Future<Output = T>) -> T {
    runtime.block_on(server)
}

fn endpoint(builder: Builder) -> Builder {
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
    for (name, verify) in [("endpoint, not verifying", false), ("endpoint, verifying", true)] {
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
