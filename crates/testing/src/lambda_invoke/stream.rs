//! Response streams.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;

use arbitrary::{Arbitrary, Unstructured};
use http::Response;
use lambda_invoke::{ErrorKind, RetryPolicy};
use lambda_invoke_event_stream::{HeaderValue, Limits, Status, decode};
use lambda_invoke_protocol::{InvokeComplete, StreamEvent, StreamException};

use super::{End, Scripted, block_on, client};

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

/// The bytes that the client returned, and the kind of the error that ended them, if any.
fn read(body: &[u8], pieces: &[u8], end: End) -> (Vec<u8>, Option<ErrorKind>) {
    block_on(async {
        let mut response = Response::new(Scripted::new(body, pieces, end));
        response.headers_mut().insert(
            "content-type",
            http::HeaderValue::from_static("application/vnd.amazon.eventstream"),
        );
        let client = client(response, |builder| {
            builder.retry(RetryPolicy::at_least_once())
        });
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
/// error code and details ends them exactly at the body's end.
fn read_plainly(body: &[u8]) -> (Vec<u8>, bool) {
    let mut payloads = Vec::new();
    let mut rest = body;
    while let Ok(Status::Complete(message)) = decode(rest, &Limits::new()) {
        let header = |name: &str| message.headers().get(name).and_then(HeaderValue::as_str);
        rest = rest.get(message.encoded_len()..).unwrap_or_default();
        match (header(":message-type"), header(":event-type")) {
            (Some("event"), Some("PayloadChunk")) => payloads.extend_from_slice(message.payload()),
            (Some("event"), Some("InvokeComplete")) => {
                let complete = InvokeComplete::try_from(message.payload());
                let well = complete.is_ok_and(|complete| {
                    complete.error_code.is_none() && complete.error_details.is_none()
                });
                return (payloads, well && rest.is_empty());
            }
            (Some("event"), Some(_)) => {}
            _ => return (payloads, false),
        }
    }
    (payloads, false)
}

/// However a stream's body is split, the client returns the same bytes and the same end; it reports
/// success exactly if the body ends with an `InvokeComplete` without an error code and details; and
/// dropping the futures of `next` loses nothing.
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
    if script.end == End::Clean {
        return;
    }
    let (received, end) = read(&body, &script.pieces, script.end);
    assert_eq!(received, whole);
    assert_eq!(
        end.is_none(),
        ends_well,
        "a connection that fails after the last event changed the result"
    );
}
