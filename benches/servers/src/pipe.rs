//! A bare hyper server that sends what a process writes to a pipe.
//!
//!     server-pipe COMMAND [ARGUMENT..]
//!
//! A call of `ticks` writes a line to an unused process, or to a new one, and sends what that
//! process then writes, as one message per chunk. `small` needs no process. Prints its URL as soon
//! as it listens.

mod control;
mod frames;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use bench_client_common::{STAMP_BYTES, TICKS};
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use frames::{SMALL, chunk, complete};

struct Pipes {
    command: Vec<String>,
    idle: Mutex<Vec<Function>>,
}

/// A process that ends when its input does.
struct Function {
    _child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

fn main() {
    control::listen();
    let pipes = Arc::new(Pipes {
        command: std::env::args().skip(1).collect(),
        idle: Mutex::default(),
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("http://{}", listener.local_addr().unwrap());
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            socket.set_nodelay(true).unwrap();
            tokio::spawn(serve(socket, Arc::clone(&pipes)));
        }
    });
}

async fn serve(socket: TcpStream, pipes: Arc<Pipes>) {
    let service = service_fn(|request| respond(request, Arc::clone(&pipes)));
    let serving = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
    // An error means that the client disconnected.
    let _ = serving.await;
}

async fn respond(
    request: Request<Incoming>,
    pipes: Arc<Pipes>,
) -> Result<Response<Content>, Infallible> {
    let (parts, body) = request.into_parts();
    body.collect()
        .await
        .expect("the client sends what it announced");
    let content = match parts.uri.path().split('/').nth(3) {
        Some("small") => Content {
            left: 0,
            function: None,
            frames: VecDeque::from([chunk(SMALL), complete()]),
            pipes,
        },
        Some("ticks") => {
            let function = pipes.idle.lock().unwrap().pop();
            let mut function = function.unwrap_or_else(|| pipes.start());
            function.input.write_all(b"\n").await.unwrap();
            Content {
                left: STAMP_BYTES * TICKS as usize,
                function: Some(function),
                frames: VecDeque::new(),
                pipes,
            }
        }
        other => panic!("no function {other:?}"),
    };
    Ok(Response::builder()
        .header("x-amzn-requestid", "4f1d2c8e-6a55-4c1b-9b5e-0f2a8d7c3e61")
        .header("x-amz-executed-version", "$LATEST")
        .header("content-type", "application/vnd.amazon.eventstream")
        .header("x-amzn-remapped-content-type", "application/octet-stream")
        .body(content)
        .unwrap())
}

impl Pipes {
    fn start(&self) -> Function {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take());
        Function {
            _child: child,
            input: input.unwrap(),
            output: output.unwrap(),
        }
    }
}

/// The body of a response: what the process has yet to write, then the frames that are ready.
struct Content {
    left: usize,
    /// Owned by this body while the process still writes.
    function: Option<Function>,
    frames: VecDeque<Bytes>,
    pipes: Arc<Pipes>,
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(function) = &mut self.function {
            let mut bytes = [0; STAMP_BYTES];
            let mut buffer = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut function.output).poll_read(cx, &mut buffer)).unwrap();
            let read = buffer.filled();
            assert!(!read.is_empty(), "the function ended");
            let frame = chunk(read);
            self.left -= read.len();
            if self.left == 0 {
                let function = self.function.take().unwrap();
                self.pipes.idle.lock().unwrap().push(function);
                self.frames.push_back(complete());
            }
            return Poll::Ready(Some(Ok(Frame::data(frame))));
        }
        Poll::Ready(self.frames.pop_front().map(|bytes| Ok(Frame::data(bytes))))
    }
}
