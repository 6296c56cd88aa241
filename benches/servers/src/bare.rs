//! A bare hyper server that sends the same bytes as the project's endpoint.
//!
//!     server-bare [--tls CA.pem]
//!
//! With `--tls`, it creates a certificate authority, writes its certificate to the file, and serves
//! https. Prints its URL as soon as it listens.

mod control;
mod frames;

use std::convert::Infallible;
use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bench_client_common::{TICK, TICKS, stamp};
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Interval, Sleep};
use tokio_rustls::TlsAcceptor;

use frames::{SMALL, chunk, complete};

/// The payload size of a chunk in a long stream, unless the function's name ends with a different
/// size.
const CHUNK: usize = 64 * 1024;

fn main() {
    control::listen();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let acceptor = match args.as_slice() {
        [] => None,
        [flag, path] if flag == "--tls" => Some(acceptor(path)),
        _ => panic!("usage: server-bare [--tls CA.pem]"),
    };
    let small: Arc<[Bytes]> = Arc::new([chunk(SMALL), complete()]);
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            match &acceptor {
                None => println!("http://127.0.0.1:{port}"),
                Some(_) => println!("https://localhost:{port}"),
            }
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                socket.set_nodelay(true).unwrap();
                let small = Arc::clone(&small);
                match acceptor.clone() {
                    None => drop(tokio::spawn(serve(socket, small))),
                    Some(acceptor) => drop(tokio::spawn(async move {
                        // A client may disconnect during its handshake.
                        if let Ok(socket) = acceptor.accept(socket).await {
                            serve(socket, small).await;
                        }
                    })),
                }
            }
        });
}

async fn serve<T: AsyncRead + AsyncWrite + Unpin>(socket: T, small: Arc<[Bytes]>) {
    let service = service_fn(|request| respond(request, Arc::clone(&small)));
    let serving = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
    // An error means that the client disconnected.
    let _ = serving.await;
}

/// `.../functions/NAME/...`: `small`, `ticks`, `hold`, or `stream-MIB` with an optional `-CHUNK`, in bytes.
async fn respond(
    request: Request<Incoming>,
    small: Arc<[Bytes]>,
) -> Result<Response<Content>, Infallible> {
    let (parts, body) = request.into_parts();
    body.collect()
        .await
        .expect("the client sends what it announced");
    let mut path = parts.uri.path().split('/').skip(3);
    let (name, operation) = (path.next().unwrap_or(""), path.next().unwrap_or(""));
    let head = Response::builder()
        .header("x-amzn-requestid", "4f1d2c8e-6a55-4c1b-9b5e-0f2a8d7c3e61")
        .header("x-amz-executed-version", "$LATEST");
    if operation == "invocations" {
        let head = head.header("content-type", "application/json");
        return Ok(head
            .body(Content::Whole(Some(Bytes::from_static(SMALL))))
            .unwrap());
    }
    let content = match name.split_once('-') {
        None if name == "small" => Content::Frames {
            frames: small,
            next: 0,
            repeat: 1,
        },
        None if name == "ticks" => {
            let first = tokio::time::Instant::now() + TICK;
            Content::Ticks {
                every: tokio::time::interval_at(first, TICK),
                left: TICKS + 1,
            }
        }
        None if name == "hold" => Content::Hold {
            sent: 0,
            until: Box::pin(tokio::time::sleep(HOLD)),
        },
        Some(("stream", size)) => {
            let (mib, size) = size.split_once('-').unwrap_or((size, ""));
            let size = size.parse().unwrap_or(CHUNK);
            let repeat = (mib.parse::<usize>().unwrap() << 20).div_ceil(size);
            let frames = Arc::new([chunk(&vec![b'a'; size]), complete()]);
            Content::Frames {
                frames,
                next: 0,
                repeat,
            }
        }
        _ => panic!("no function {name}"),
    };
    Ok(head
        .header("content-type", "application/vnd.amazon.eventstream")
        .header("x-amzn-remapped-content-type", "application/octet-stream")
        .body(content)
        .unwrap())
}

/// The body of a response.
enum Content {
    Whole(Option<Bytes>),
    /// The first frame this many times, then the second one once.
    Frames {
        frames: Arc<[Bytes]>,
        next: usize,
        repeat: usize,
    },
    /// The time, ten times a second.
    Ticks {
        every: Interval,
        left: u32,
    },
    /// The time once, and the end of the stream much later.
    Hold {
        sent: u8,
        until: Pin<Box<Sleep>>,
    },
}

/// How long a stream of `hold` is open after its only chunk.
const HOLD: Duration = Duration::from_secs(4);

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = match &mut *self {
            Self::Whole(bytes) => bytes.take(),
            Self::Frames {
                frames,
                next,
                repeat,
            } => {
                let frame = match (*next).cmp(repeat) {
                    std::cmp::Ordering::Less => frames.first(),
                    std::cmp::Ordering::Equal => frames.last(),
                    std::cmp::Ordering::Greater => None,
                };
                *next += 1;
                frame.cloned()
            }
            Self::Ticks { left: 0, .. } => None,
            Self::Ticks { left: left @ 1, .. } => {
                *left = 0;
                Some(complete())
            }
            Self::Ticks { every, left } => {
                ready!(every.poll_tick(cx));
                *left -= 1;
                Some(chunk(&stamp()))
            }
            Self::Hold { sent: 2.., .. } => None,
            Self::Hold { sent, until } => {
                if *sent == 1 {
                    ready!(until.as_mut().poll(cx));
                }
                *sent += 1;
                Some(if *sent == 1 {
                    chunk(&stamp())
                } else {
                    complete()
                })
            }
        };
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match self {
            Self::Whole(bytes) => {
                http_body::SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64)
            }
            _ => http_body::SizeHint::default(),
        }
    }
}

/// TLS for a server, with a certificate for `localhost` of a new certificate authority.
fn acceptor(path: &str) -> TlsAcceptor {
    let mut params = rcgen::CertificateParams::new([]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let ca = rcgen::CertifiedIssuer::self_signed(params, key).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &ca).unwrap();
    std::fs::write(path, ca.pem()).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
