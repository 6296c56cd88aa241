//! A bare loop of the Runtime API: the least that any host of functions has to do.
//!
//!     server-loop INSTANCES ROOT HANDLER COMMAND [ARGUMENT..]
//!
//! Starts the instances, passes each call to an instance that waits for an event, or lets the call
//! wait for one, and returns the response. It has no signatures, checks, timeouts, logs or
//! measurements. Prints its URL as soon as it listens.

mod control;

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// The constant part of each request ID, after a number.
const ID: &str = "-6a55-4c1b-9b5e-0f2a8d7c3e61";

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:small";

#[derive(Default)]
struct Loop(Mutex<State>);

#[derive(Default)]
struct State {
    /// Requests for an event, from idle instances.
    idle: VecDeque<oneshot::Sender<Event>>,
    /// Events that wait for an idle instance.
    waiting: VecDeque<Event>,
    calls: HashMap<u32, oneshot::Sender<Bytes>>,
    last: u32,
}

struct Event {
    id: u32,
    payload: Bytes,
}

fn main() {
    control::listen();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [instances, root, handler, program, arguments @ ..] = args.as_slice() else {
        panic!("usage: server-loop INSTANCES ROOT HANDLER COMMAND [ARGUMENT..]");
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listen = || TcpListener::bind("127.0.0.1:0");
        let (calls, api) = (listen().await.unwrap(), listen().await.unwrap());
        let address = api.local_addr().unwrap().to_string();
        for _ in 0..instances.parse().unwrap() {
            let mut command = Command::new(program);
            command.args(arguments).current_dir(root);
            // An instance ends when it loses its connection, and may write a message about that.
            command.stdin(Stdio::null()).stdout(Stdio::null());
            command.stderr(Stdio::null());
            command
                .env("AWS_LAMBDA_RUNTIME_API", &address)
                .env("AWS_LAMBDA_FUNCTION_NAME", "small")
                .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
                .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
                .env("LAMBDA_TASK_ROOT", root)
                .env("_HANDLER", handler);
            drop(command.spawn().unwrap());
        }
        println!("http://{}", calls.local_addr().unwrap());
        let state = Arc::new(Loop::default());
        loop {
            let (socket, is_call) = tokio::select! {
                accepted = calls.accept() => (accepted.unwrap().0, true),
                accepted = api.accept() => (accepted.unwrap().0, false),
            };
            socket.set_nodelay(true).unwrap();
            tokio::spawn(serve(socket, Arc::clone(&state), is_call));
        }
    });
}

async fn serve(socket: TcpStream, state: Arc<Loop>, is_call: bool) {
    let service = service_fn(|request| {
        let state = Arc::clone(&state);
        async move {
            Ok::<_, Infallible>(match is_call {
                true => state.call(request).await,
                false => state.runtime(request).await,
            })
        }
    });
    let serving = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
    // An error means that the other side disconnected.
    let _ = serving.await;
}

async fn read(request: Request<Incoming>) -> Bytes {
    let body = request.into_body().collect().await;
    body.expect("the other side sends what it announced")
        .to_bytes()
}

impl Loop {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Handles a request from a caller.
    async fn call(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let payload = read(request).await;
        let (sender, response) = oneshot::channel();
        let id = {
            let mut state = self.lock();
            state.last += 1;
            let id = state.last;
            state.calls.insert(id, sender);
            let mut event = Some(Event { id, payload });
            // If the instance has disconnected, the event is returned.
            while let Some(given) = event.take() {
                match state.idle.pop_front() {
                    Some(poll) => event = poll.send(given).err(),
                    None => state.waiting.push_back(given),
                }
            }
            id
        };
        let payload = response.await.unwrap();
        Response::builder()
            .header("content-type", "application/json")
            .header("x-amzn-requestid", format!("{id:08x}{ID}"))
            .header("x-amz-executed-version", "$LATEST")
            .body(Full::new(payload))
            .unwrap()
    }

    /// Handles a request from a runtime: `.../invocation/next`, or `.../invocation/ID/response`.
    async fn runtime(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if request.method() == Method::GET {
            let event = self.next().await;
            let deadline = SystemTime::now() + Duration::from_secs(60);
            let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap();
            return Response::builder()
                .header("content-type", "application/json")
                .header(
                    "lambda-runtime-aws-request-id",
                    format!("{:08x}{ID}", event.id),
                )
                .header("lambda-runtime-deadline-ms", deadline.as_millis() as u64)
                .header("lambda-runtime-invoked-function-arn", ARN)
                .body(Full::new(event.payload))
                .unwrap();
        }
        let path = request.uri().path();
        let id = path.strip_suffix("/response").and_then(|path| {
            let id = path.rsplit('/').next()?;
            u32::from_str_radix(id.strip_suffix(ID)?, 16).ok()
        });
        let id = id.unwrap_or_else(|| panic!("the runtime sent {path}"));
        let payload = read(request).await;
        let call = self.lock().calls.remove(&id);
        // An error means that the caller disconnected.
        let _ = call.unwrap().send(payload);
        Response::builder()
            .status(StatusCode::ACCEPTED)
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from_static(br#"{"status":"OK"}"#)))
            .unwrap()
    }

    async fn next(&self) -> Event {
        let poll = {
            let mut state = self.lock();
            if let Some(event) = state.waiting.pop_front() {
                return event;
            }
            let (sender, poll) = oneshot::channel();
            state.idle.push_back(sender);
            poll
        };
        poll.await.unwrap()
    }
}
