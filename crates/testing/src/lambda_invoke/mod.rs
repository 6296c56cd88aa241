//! Properties of `lambda-invoke`, over a scripted service.
//!
//! Time is paused, so that no test waits.

mod reply;
mod stream;

use std::collections::VecDeque;
use std::future::{Future, Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use arbitrary::Arbitrary;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use lambda_invoke::{BoxError, Client, ClientBuilder, Credentials};
use tokio::runtime::{Builder, Runtime};

pub use reply::reply;
pub use stream::stream;

thread_local! {
    /// Starting a runtime for each execution would take most of the time.
    static RUNTIME: Runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// A client whose one request gets this response.
fn client(
    response: Response<Scripted>,
    configure: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Client {
    let builder = Client::builder()
        .region("us-east-1")
        .credentials(Credentials::new("AKID", "secret").expect("a key"))
        .transport(Service(Arc::new(Mutex::new(Some(response)))));
    configure(builder).build().expect("a client")
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
enum End {
    /// The body is complete by its HTTP framing.
    Clean,
    /// The connection fails.
    Failure,
}

/// A body in pieces.
struct Scripted {
    pieces: VecDeque<Bytes>,
    waits: VecDeque<bool>,
    end: Option<End>,
    /// The length that the body reports, if it reports one.
    known: Option<u64>,
}

impl Scripted {
    fn new(body: &[u8], lengths: &[u8], end: End) -> Self {
        let mut pieces = VecDeque::new();
        let mut waits = VecDeque::new();
        let mut rest = body;
        let mut lengths = lengths.iter().take(256).cycle();
        while !rest.is_empty() {
            match lengths
                .next()
                .map_or(rest.len(), |length| usize::from(*length))
            {
                0 if waits.len() <= pieces.len() => waits.push_back(true),
                length => {
                    let (piece, after) = rest.split_at(length.max(1).min(rest.len()));
                    pieces.push_back(Bytes::copy_from_slice(piece));
                    waits.push_back(false);
                    rest = after;
                }
            }
        }
        Self {
            pieces,
            waits,
            end: Some(end),
            known: None,
        }
    }
}

impl Body for Scripted {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.waits.pop_front() == Some(true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(piece) = self.pieces.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        Poll::Ready(match self.end.take() {
            Some(End::Failure) => Some(Err(io::ErrorKind::ConnectionReset.into())),
            _ => None,
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.known.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

/// Gives its one request this response.
#[derive(Clone)]
struct Service(Arc<Mutex<Option<Response<Scripted>>>>);

impl tower_service::Service<Request<Full<Bytes>>> for Service {
    type Response = Response<Scripted>;
    type Error = BoxError;
    type Future = Ready<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        assert!(
            request.headers().contains_key("authorization"),
            "the request is not signed"
        );
        let response = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        ready(response.ok_or_else(|| "a response that has begun is not requested again".into()))
    }
}
