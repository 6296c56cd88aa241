//! Properties of `lambda-invoke`, over a scripted service.
//!
//! Time is paused, so that no test waits.

use std::collections::VecDeque;
use std::future::{Future as _, Ready, poll_fn, ready};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::Full;
use lambda_invoke::{BoxError, Client, Credentials, ErrorKind, RetryPolicy};
use lambda_invoke_event_stream::{HeaderValue, Limits, Status, decode};
use lambda_invoke_protocol::{InvokeComplete, StreamEvent, StreamException};

/// A part of a stream's body.
#[derive(Arbitrary, Clone, Debug)]
enum Part {
    Chunk(Vec<u8>),
    Complete,
    Failed(String),
    Exception(String),
    /// Arbitrary bytes.
    Raw(Vec<u8>),
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
enum End {
    /// The body is complete by its HTTP framing.
    Clean,
    /// The connection fails.
    Failure,
}

#[derive(Arbitrary, Clone, Debug)]
struct Script {
    parts: Vec<Part>,
    end: End,
    /// Positions of bits to flip, modulo the body's length.
    flips: Vec<u16>,
    /// Lengths of the body's pieces, repeated; 0 is a poll that returns `Pending`.
    pieces: Vec<u8>,
}

impl Script {
    fn body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for part in self.parts.iter().take(16) {
            let event = match part {
                Part::Chunk(payload) => StreamEvent::PayloadChunk(payload.clone().into()),
                Part::Complete => StreamEvent::InvokeComplete(InvokeComplete::default()),
                Part::Failed(code) => {
                    StreamEvent::InvokeComplete(InvokeComplete::failed(code.as_str(), "details"))
                }
                Part::Exception(code) => {
                    StreamEvent::Exception(StreamException::new(code.as_str(), "message"))
                }
                Part::Raw(bytes) => {
                    body.extend_from_slice(bytes);
                    continue;
                }
            };
            let mut message = Vec::new();
            // A code that does not fit into a header is omitted.
            if event.encode(&mut message).is_ok() {
                body.extend(message);
            }
        }
        for flip in self.flips.iter().take(4) {
            let count = body.len();
            if let Some(byte) = body.get_mut(usize::from(*flip) / 8 % count.max(1)) {
                *byte ^= 1 << (flip % 8);
            }
        }
        body
    }
}

/// A body in pieces.
struct Scripted {
    pieces: VecDeque<Bytes>,
    waits: VecDeque<bool>,
    end: Option<End>,
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
}

/// Responds to its one request with a stream of this body.
#[derive(Clone)]
struct Service(Arc<Mutex<Option<Scripted>>>);

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
        let body = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        ready(
            body.ok_or_else(|| "a stream that has begun is not requested again".into())
                .map(|body| {
                    let mut response = Response::new(body);
                    response.headers_mut().insert(
                        "content-type",
                        http::HeaderValue::from_static("application/vnd.amazon.eventstream"),
                    );
                    response
                }),
        )
    }
}

/// The bytes that the client returned, and the kind of the error that ended them, if any.
fn read(body: &[u8], pieces: &[u8], end: End) -> (Vec<u8>, Option<ErrorKind>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let scripted = Scripted::new(body, pieces, end);
        let client = Client::builder()
            .region("us-east-1")
            .credentials(Credentials::new("AKID", "secret").unwrap())
            .transport(Service(Arc::new(Mutex::new(Some(scripted)))))
            .retry(RetryPolicy::at_least_once())
            .build()
            .unwrap();
        let mut stream = client.stream("hello").send().await.unwrap();
        let mut all = Vec::new();
        let ended = loop {
            // Each future is polled once and dropped, which must lose nothing.
            let polled = poll_fn(|cx| Poll::Ready(pin!(stream.next_chunk()).poll(cx))).await;
            match polled {
                Poll::Ready(Some(Ok(piece))) => {
                    assert!(!piece.is_empty(), "an empty piece");
                    all.extend_from_slice(&piece);
                }
                Poll::Ready(Some(Err(error))) => {
                    assert_eq!(error.received().unwrap(), all.len() as u64, "{error}");
                    break Some(error.kind());
                }
                Poll::Ready(None) => break None,
                Poll::Pending => tokio::task::yield_now().await,
            }
        };
        for _ in 0..2 {
            assert!(stream.next_chunk().await.is_none(), "a piece after the end");
        }
        assert!(
            ended.is_some() || stream.completion().is_some(),
            "success without a completion"
        );
        (all, ended)
    })
}

/// The payloads of a stream according to the codec alone, and whether an `InvokeComplete` without an
/// error code ends them exactly at the body's end.
fn read_plainly(body: &[u8]) -> (Vec<u8>, bool) {
    let mut payloads = Vec::new();
    let mut rest = body;
    while let Ok(Status::Complete(message)) = decode(rest, &Limits::new()) {
        let header = |name: &str| message.headers().get(name).and_then(HeaderValue::as_str);
        rest = rest.get(message.encoded_len()..).unwrap_or_default();
        match (header(":message-type"), header(":event-type")) {
            (Some("event"), Some("PayloadChunk")) => payloads.extend_from_slice(message.payload()),
            (Some("event"), Some("InvokeComplete")) => {
                let complete = InvokeComplete::from_json(message.payload());
                let well = complete.is_ok_and(|complete| complete.error_code.is_none());
                return (payloads, well && rest.is_empty());
            }
            (Some("event"), Some(_)) => {}
            _ => return (payloads, false),
        }
    }
    (payloads, false)
}

/// However a stream's body is split, the client returns the same bytes and the same end; it reports
/// success exactly if the body ends with an `InvokeComplete` without an error code; and dropping the
/// futures of `next` loses nothing.
pub fn stream(data: &[u8]) {
    let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let body = script.body();
    let (whole, end) = read(&body, &[], End::Clean);
    assert_eq!(
        read(&body, &script.pieces, End::Clean),
        (whole.clone(), end)
    );
    let (payloads, ends_well) = read_plainly(&body);
    assert_eq!(end.is_none(), ends_well, "{end:?}");
    if ends_well {
        assert_eq!(whole, payloads);
    } else {
        assert!(
            payloads.starts_with(&whole),
            "bytes that are not in the payloads"
        );
    }
    let (received, end) = read(&body, &script.pieces, script.end);
    assert_eq!(received, whole);
    assert_eq!(
        end.is_none(),
        ends_well,
        "a connection that fails after the last event changed the result"
    );
}
