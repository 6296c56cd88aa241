//! The transport, compared with a bare hyper-util client; both call the same server on loopback.
//!
//! The server uses plain threads and blocking sockets, so that its share of the time is small and
//! the same for both. The benchmarks measure small responses, many concurrent ones, streams, and
//! the first request of a process.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use lambda_invoke_transport::Transport;
use tokio::runtime::Runtime;

const SMALL: usize = 64;
const STREAM: usize = 16 << 20;
const CONCURRENT: usize = 32;

type Bare = Client<HttpConnector, Full<Bytes>>;

/// Responds to each request with as many bytes as its header `x-length` says.
fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let socket = socket.unwrap();
            socket.set_nodelay(true).unwrap();
            std::thread::spawn(move || respond_to_all(socket));
        }
    });
    address
}

/// Serves a connection until the client closes it. A request is small and arrives in one piece.
fn respond_to_all(mut socket: TcpStream) {
    let piece = vec![b'a'; 64 * 1024];
    let mut buf = [0; 4096];
    while let Ok(read @ 1..) = socket.read(&mut buf) {
        let head = std::str::from_utf8(&buf[..read]).unwrap();
        let length = head
            .split("x-length: ")
            .nth(1)
            .unwrap()
            .split('\r')
            .next()
            .unwrap();
        let mut left: usize = length.parse().unwrap();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {left}\r\n\r\n");
        if left <= SMALL {
            let whole = [head.as_bytes(), &piece[..left]].concat();
            socket.write_all(&whole).unwrap();
            continue;
        }
        socket.write_all(head.as_bytes()).unwrap();
        while left > 0 {
            let size = left.min(piece.len());
            socket.write_all(&piece[..size]).unwrap();
            left -= size;
        }
    }
}

fn request(address: SocketAddr, length: usize) -> Request<Full<Bytes>> {
    Request::post(format!(
        "http://{address}/2015-03-31/functions/hello/invocations"
    ))
    .header("x-length", length)
    .body(Full::from(&b"{\"name\":\"Ada\"}"[..]))
    .unwrap()
}

async fn drain<B>(response: Response<B>) -> usize
where
    B: Body<Data = Bytes, Error: std::fmt::Debug> + Unpin,
{
    let mut body = response.into_body();
    let mut count = 0;
    while let Some(frame) = body.frame().await {
        count += frame.unwrap().into_data().unwrap().len();
    }
    count
}

async fn with_ours(client: Transport, address: SocketAddr, length: usize) {
    assert_eq!(
        drain(client.send(request(address, length)).await.unwrap()).await,
        length
    );
}

async fn with_bare(client: Bare, address: SocketAddr, length: usize) {
    assert_eq!(
        drain(client.request(request(address, length)).await.unwrap()).await,
        length
    );
}

fn bare() -> Bare {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .build(tcp)
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// The same exchange, repeated on persistent connections.
fn kept(criterion: &mut Criterion, name: &str, length: usize, at_once: usize) {
    let address = serve();
    let runtime = runtime();
    let mut group = criterion.benchmark_group(name);
    if length > SMALL {
        group.throughput(Throughput::Bytes(length as u64));
        group.sample_size(20);
    } else {
        group.throughput(Throughput::Elements(at_once as u64));
    }
    let ours = Transport::new();
    group.bench_function("ours", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let tasks: Vec<_> = (0..at_once)
                    .map(|_| tokio::spawn(with_ours(ours.clone(), address, length)))
                    .collect();
                for task in tasks {
                    task.await.unwrap();
                }
            });
        });
    });
    let theirs = bare();
    group.bench_function("bare hyper-util (limit)", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let tasks: Vec<_> = (0..at_once)
                    .map(|_| tokio::spawn(with_bare(theirs.clone(), address, length)))
                    .collect();
                for task in tasks {
                    task.await.unwrap();
                }
            });
        });
    });
    group.finish();
}

fn small(criterion: &mut Criterion) {
    kept(criterion, "transport/small", SMALL, 1);
}

fn concurrent(criterion: &mut Criterion) {
    kept(criterion, "transport/small-32-at-once", SMALL, CONCURRENT);
}

fn stream(criterion: &mut Criterion) {
    kept(criterion, "transport/stream-16-MiB", STREAM, 1);
}

/// Creates a runtime and a client, connects and makes one exchange: the cost in a short program.
fn first(criterion: &mut Criterion) {
    let address = serve();
    let mut group = criterion.benchmark_group("transport/first-request");
    group.bench_function("ours", |bencher| {
        bencher.iter(|| runtime().block_on(with_ours(Transport::new(), address, SMALL)));
    });
    group.bench_function("bare hyper-util (limit)", |bencher| {
        bencher.iter(|| runtime().block_on(with_bare(bare(), address, SMALL)));
    });
    group.finish();
}

criterion_group!(benches, small, concurrent, stream, first);
criterion_main!(benches);
