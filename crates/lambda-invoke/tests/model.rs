//! The whole client through every sequence of server behaviors, up to a depth: in memory, and in
//! virtual time.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helper may")]

mod support;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame};
use http_body_util::Full;
use lambda_invoke::{Client, Error, Execution, RetryPolicy, Timeouts, Transport};
use support::{chunk, complete, event_bytes, rejection, response, stream_head, whole_stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tower_service::Service;

/// What happens to an attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    NoConnection,
    Closes,
    Hangs,
    Throttled,
    NotFound,
    /// Rejected because of the time of its signature.
    Skewed,
    Broken,
    Redirected,
    /// A response that ends before it is complete.
    Truncated,
    /// A buffered response whose last chunk is missing.
    WithoutLastChunk,
    Succeeds,
}

const EVENTS: [Event; 11] = [
    Event::NoConnection,
    Event::Closes,
    Event::Hangs,
    Event::Throttled,
    Event::NotFound,
    Event::Skewed,
    Event::Broken,
    Event::Redirected,
    Event::Truncated,
    Event::WithoutLastChunk,
    Event::Succeeds,
];

impl Event {
    /// Whether the server may have run the function; the server of this test always has, if so.
    fn runs(self) -> bool {
        !matches!(
            self,
            Self::NoConnection | Self::Throttled | Self::NotFound | Self::Skewed
        )
    }

    fn bytes(self, is_stream: bool) -> Vec<u8> {
        let whole = match is_stream {
            true => whole_stream(),
            false => response("200 OK", &[("x-amzn-requestid", "the-id")], "hello"),
        };
        match self {
            Self::NoConnection | Self::Closes | Self::Hangs => Vec::new(),
            Self::Throttled => rejection("429 Busy", "TooManyRequestsException", "no"),
            Self::NotFound => rejection("404 Not Found", "ResourceNotFoundException", "no"),
            Self::Skewed => {
                let message = "Signature expired: x is now earlier than y";
                let bytes = rejection("403 Forbidden", "InvalidSignatureException", message);
                let text = String::from_utf8(bytes).unwrap();
                let date = std::time::SystemTime::now() - Duration::from_secs(3600);
                let date = format!("\r\ndate: {}\r\n", httpdate::fmt_http_date(date));
                text.replacen("\r\n", &date, 1).into_bytes()
            }
            Self::Broken => rejection("500 Error", "ServiceException", "no"),
            Self::Redirected => response("302 Found", &[("location", "/")], ""),
            // Truncated within InvokeComplete, or within the payload.
            Self::WithoutLastChunk if !is_stream => {
                b"HTTP/1.1 200 OK\r\nx-amzn-requestid: the-id\r\n\
                transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"
                    .to_vec()
            }
            Self::Truncated | Self::WithoutLastChunk => {
                whole[..whole.len() - if is_stream { 20 } else { 3 }].to_vec()
            }
            Self::Succeeds => whole,
        }
    }
}

/// The server's side of a connection: reads the request, and does what the event says.
async fn serve(mut socket: DuplexStream, event: Event, is_stream: bool) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"{}") {
        if socket.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    if event == Event::Hangs {
        std::future::pending().await
    }
    socket.write_all(&event.bytes(is_stream)).await
}

/// Makes a call whose attempts meet these events; the last event repeats.
async fn call(events: &'static [Event], policy: RetryPolicy, is_stream: bool) -> (Outcome, usize) {
    let attempts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&attempts);
    let transport = Transport::builder()
        // Each attempt has a connection of its own.
        .pool_size(0)
        .connect_with(move |_| {
            let nth = counted.fetch_add(1, Ordering::SeqCst);
            let event = events[nth.min(events.len() - 1)];
            async move {
                if event == Event::NoConnection {
                    return Err(io::ErrorKind::ConnectionRefused.into());
                }
                let (client, server) = duplex(16 * 1024);
                tokio::spawn(serve(server, event, is_stream));
                Ok(client)
            }
        })
        .build();
    let client = support::builder()
        .endpoint_url("http://127.0.0.1:1")
        .transport(transport)
        .retry(policy)
        .timeouts(Timeouts::default().with_first_byte(Duration::from_secs(5)))
        .build()
        .unwrap();
    let result = make(&client, is_stream).await;
    (result.map_err(Box::new), attempts.load(Ordering::SeqCst))
}

type Outcome = Result<Bytes, Box<Error>>;

async fn make(client: &Client, is_stream: bool) -> Result<Bytes, Error> {
    match is_stream {
        true => {
            let stream = client.stream("f").payload("{}").send().await?;
            Ok(stream.collect_all().await?.to_bytes())
        }
        false => {
            let reply = client.invoke("f").payload("{}").send().await?;
            Ok(reply.into_result()?.into_payload())
        }
    }
}

fn check(events: &[Event], policy: RetryPolicy, outcome: &Outcome, attempts: usize) {
    let what = || format!("{events:?} {policy:?} {outcome:?}");
    let met: Vec<Event> = (0..attempts)
        .map(|nth| events[nth.min(events.len() - 1)])
        .collect();
    let runs = met.iter().filter(|event| event.runs()).count();
    assert!(attempts <= policy.max_attempts() as usize, "{}", what());
    let (last, before) = met.split_last().unwrap();
    if !policy.retries_unknown() {
        assert!(before.iter().all(|event| !event.runs()), "{}", what());
        assert!(runs <= 1, "{}", what());
    }
    // After the function's response, or a final rejection, no further attempt is made.
    let is_final = |event: &Event| {
        matches!(
            event,
            Event::Truncated
                | Event::WithoutLastChunk
                | Event::Succeeds
                | Event::NotFound
                | Event::Redirected
        )
    };
    assert!(!before.iter().any(is_final), "{}", what());
    match outcome {
        Ok(payload) => {
            assert_eq!(
                (*last, &payload[..]),
                (Event::Succeeds, &b"hello"[..]),
                "{}",
                what()
            );
        }
        Err(error) => {
            assert_ne!(*last, Event::Succeeds, "{}", what());
            assert_eq!(
                error.execution() == Execution::NotStarted,
                runs == 0,
                "{}",
                what()
            );
            assert_eq!(error.attempts() as usize, attempts, "{}", what());
        }
    }
}

/// All sequences of this many events.
fn sequences(depth: usize) -> Vec<&'static [Event]> {
    let mut all: Vec<Vec<Event>> = vec![Vec::new()];
    for _ in 0..depth {
        all = all
            .iter()
            .flat_map(|start| EVENTS.map(|event| [&start[..], &[event]].concat()))
            .collect();
    }
    all.into_iter().map(|sequence| &*sequence.leak()).collect()
}

#[tokio::test(start_paused = true)]
async fn no_sequence_of_failures_runs_a_function_twice() {
    for is_stream in [false, true] {
        for policy in [
            RetryPolicy::default(),
            RetryPolicy::at_least_once(),
            RetryPolicy::none(),
        ] {
            for events in sequences(3) {
                let (outcome, attempts) = call(events, policy, is_stream).await;
                check(events, policy, &outcome, attempts);
            }
        }
    }
}

/// A piece of a stream's body, as an HTTP service delivers it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Piece {
    Chunk,
    FirstHalf,
    SecondHalf,
    Complete,
    Trailers,
    Fails,
    Waits,
}

const PIECES: [Piece; 7] = [
    Piece::Chunk,
    Piece::FirstHalf,
    Piece::SecondHalf,
    Piece::Complete,
    Piece::Trailers,
    Piece::Fails,
    Piece::Waits,
];

/// A body that consists of these pieces and then ends.
struct Pieces(VecDeque<Piece>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let data = |bytes: Bytes| Poll::Ready(Some(Ok(Frame::data(bytes))));
        let whole = || Bytes::from(event_bytes([chunk("hello")]));
        match self.0.pop_front() {
            None => Poll::Ready(None),
            Some(Piece::Chunk) => data(whole()),
            Some(Piece::FirstHalf) => data(whole().slice(..20)),
            Some(Piece::SecondHalf) => data(whole().slice(20..)),
            Some(Piece::Complete) => data(event_bytes([complete()]).into()),
            Some(Piece::Trailers) => Poll::Ready(Some(Ok(Frame::trailers(HeaderMap::new())))),
            Some(Piece::Fails) => Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
            // The body never continues.
            Some(Piece::Waits) => {
                self.0.push_front(Piece::Waits);
                Poll::Pending
            }
        }
    }
}

#[derive(Clone)]
struct Streams(&'static [Piece]);

impl Service<Request<Full<Bytes>>> for Streams {
    type Response = Response<Pieces>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Pieces>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        let mut response = Response::new(Pieces(self.0.iter().copied().collect()));
        let head = String::from_utf8(stream_head(&[])).unwrap();
        for line in head.lines().skip(1) {
            if let Some((name, value)) = line.split_once(": ") {
                let name: http::HeaderName = name.parse().unwrap();
                response.headers_mut().insert(name, value.parse().unwrap());
            }
        }
        ready(Ok(response))
    }
}

/// The number of chunks in a body of these pieces, or `None` if the body is not complete. What the
/// connection does after InvokeComplete does not matter.
fn proved(pieces: &[Piece]) -> Option<usize> {
    let mut chunks = 0;
    let mut rest = pieces;
    loop {
        rest = match rest {
            [Piece::Chunk, rest @ ..] | [Piece::FirstHalf, Piece::SecondHalf, rest @ ..] => {
                chunks += 1;
                rest
            }
            [Piece::Trailers, rest @ ..] => rest,
            // Trailers may come in the middle, since a custom service can return frames in any
            // order.
            [Piece::FirstHalf, Piece::Trailers, rest @ ..] => {
                let next = rest.iter().position(|piece| *piece != Piece::Trailers)?;
                if rest[next] != Piece::SecondHalf {
                    return None;
                }
                chunks += 1;
                &rest[next + 1..]
            }
            [Piece::Complete, rest @ ..] => {
                // Only the end of the body, a failure or silence may follow.
                let next = rest.iter().find(|piece| **piece != Piece::Trailers);
                let ends = matches!(next, None | Some(Piece::Fails | Piece::Waits));
                return ends.then_some(chunks);
            }
            _ => return None,
        };
    }
}

#[tokio::test(start_paused = true)]
async fn no_sequence_of_pieces_succeeds_without_proof() {
    let mut all: Vec<Vec<Piece>> = vec![Vec::new()];
    let mut good = 0;
    for depth in 0..=5 {
        for pieces in &all {
            let pieces: &'static [Piece] = pieces.clone().leak();
            let client = support::builder()
                .endpoint_url("http://127.0.0.1:1")
                .transport(Streams(pieces))
                .build()
                .unwrap();
            let mut stream = client.stream("f").payload("{}").send().await.unwrap();
            // With a custom service, no timeout applies to a body that never continues.
            let read = async {
                let mut chunks = 0;
                loop {
                    match stream.next_chunk().await {
                        Some(Ok(_)) => chunks += 1,
                        Some(Err(error)) => return Some(Err(error)),
                        None => return Some(Ok(chunks)),
                    }
                }
            };
            let read = tokio::time::timeout(Duration::from_secs(3600), read).await;
            let expected = proved(pieces);
            match read.ok().flatten() {
                Some(Ok(chunks)) => assert_eq!(expected, Some(chunks), "{pieces:?}"),
                Some(Err(error)) => {
                    assert_eq!(expected, None, "{pieces:?}: {error:?}");
                    assert_eq!(error.execution(), Execution::Started);
                    assert!(stream.next_chunk().await.is_none());
                }
                None => assert!(
                    expected.is_none() && pieces.contains(&Piece::Waits),
                    "{pieces:?}"
                ),
            }
            good += usize::from(expected.is_some());
        }
        if depth < 5 {
            all = all
                .iter()
                .flat_map(|start| PIECES.map(|piece| [&start[..], &[piece]].concat()))
                .collect();
        }
    }
    assert!(good > 100, "only {good} good streams");
}
