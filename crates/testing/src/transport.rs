//! Properties of `lambda-invoke-transport`, over connections in memory that follow a script.
//!
//! Time is paused, so that every timeout expires at once when all tasks wait.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use http_body_util::{BodyExt, Full};
use lambda_invoke_transport::{Error, ErrorKind, Sent, Timeouts, Transport};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const REQUEST_BODY: &[u8] = b"{\"name\":\"Ada\"}";

/// A step of the server's side of a connection.
#[derive(Arbitrary, Clone, Debug)]
enum Step {
    Send(Vec<u8>),
    /// Sends a complete response with this body, so that the connection can be reused.
    Respond(Vec<u8>),
    /// Waits for a complete request.
    AwaitRequest,
    /// Returns `Pending` from one poll.
    Yield,
    End,
    Reset,
}

/// The connections, in order; after the last one, connecting fails.
#[derive(Arbitrary, Clone, Debug)]
struct Script {
    connections: Vec<Vec<Step>>,
    /// How many bytes each write accepts at most; 0 returns `Pending`. Later writes accept everything.
    writes: Vec<u8>,
}

/// The bytes that the client wrote, in one vector for each connection.
type Log = Arc<Mutex<Vec<Vec<u8>>>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Connection {
    number: usize,
    log: Log,
    steps: VecDeque<Step>,
    writes: VecDeque<u8>,
    /// The length of the log up to the last request that a step waited for.
    awaited: usize,
    reader: Option<Waker>,
}

impl Connection {
    /// The length of the log if it ends with a complete request after `awaited`.
    fn whole_request(&self) -> Option<usize> {
        let log = lock(&self.log);
        let new = &log[self.number][self.awaited..];
        (new.starts_with(b"POST ") && new.ends_with(REQUEST_BODY)).then(|| self.awaited + new.len())
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            match self.steps.front_mut() {
                Some(Step::Send(bytes)) => {
                    let length = bytes.len().min(buf.remaining());
                    buf.put_slice(&bytes[..length]);
                    bytes.drain(..length);
                    if bytes.is_empty() {
                        self.steps.pop_front();
                    }
                    if length > 0 {
                        return Poll::Ready(Ok(()));
                    }
                }
                Some(Step::Respond(body)) => {
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                    let wire = [head.as_bytes(), body].concat();
                    self.steps[0] = Step::Send(wire);
                }
                Some(Step::AwaitRequest) => match self.whole_request() {
                    Some(length) => {
                        self.awaited = length;
                        self.steps.pop_front();
                    }
                    None => {
                        self.reader = Some(cx.waker().clone());
                        return Poll::Pending;
                    }
                },
                Some(Step::Yield) => {
                    self.steps.pop_front();
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(Step::End) => return Poll::Ready(Ok(())),
                Some(Step::Reset) => {
                    return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
                }
                None => {
                    self.reader = Some(cx.waker().clone());
                    return Poll::Pending;
                }
            }
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(Step::Reset) = self.steps.front() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let size = self.writes.pop_front();
        let length = match size {
            Some(0) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(size) => bytes.len().min(usize::from(size)),
            None => bytes.len(),
        };
        lock(&self.log)[self.number].extend_from_slice(&bytes[..length]);
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The result of a request.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    status: Option<u16>,
    body: Vec<u8>,
    failed: Option<(ErrorKind, Sent)>,
}

impl Outcome {
    fn failed(mut self, error: &Error) -> Self {
        self.failed = Some((error.kind(), error.sent()));
        self
    }
}

fn transport(script: Script, log: &Log) -> Transport {
    let connections = Mutex::new(VecDeque::from(script.connections));
    let log = Arc::clone(log);
    let limits = Timeouts::default().with_total(Duration::from_secs(30));
    let dial = move |_| {
        let steps = lock(&connections).pop_front();
        let connection = steps.map(|steps| {
            let mut connections = lock(&log);
            connections.push(Vec::new());
            Connection {
                number: connections.len() - 1,
                log: Arc::clone(&log),
                steps: steps.into(),
                writes: script.writes.clone().into(),
                awaited: 0,
                reader: None,
            }
        });
        async move { connection.ok_or_else(|| io::ErrorKind::ConnectionRefused.into()) }
    };
    Transport::builder()
        .timeouts(limits)
        .connect_with(dial)
        .build()
}

async fn exchange(transport: &Transport, path: &str) -> Outcome {
    let mut outcome = Outcome {
        status: None,
        body: Vec::new(),
        failed: None,
    };
    let request = http::Request::post(format!("http://server{path}"))
        .body(Full::from(REQUEST_BODY))
        .expect("a valid request");
    let response = match transport.send(request).await {
        Ok(response) => response,
        Err(error) => return outcome.failed(&error),
    };
    outcome.status = Some(response.status().as_u16());
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => outcome.body.extend(frame.into_data().unwrap_or_default()),
            Err(error) => {
                assert!(error.is_body(), "{error:?}");
                // After an error, the body must not appear to end normally.
                let again = body
                    .frame()
                    .await
                    .expect("not the end")
                    .expect_err("still an error");
                assert_eq!(again.kind(), error.kind());
                return outcome.failed(&error);
            }
        }
    }
    outcome
}

fn run<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(async {
            tokio::time::timeout(Duration::from_secs(3600), what)
                .await
                .expect("hangs")
        })
}

/// Whatever a connection does, the transport neither panics nor hangs, no request is written twice,
/// and no failure is [`Sent::No`] if a byte of the request was written. A well-formed response is
/// returned as it was sent, an incomplete response is never returned as complete, and the same
/// bytes give the same result in any pieces.
///
/// The first byte chooses: `a` for a well-formed response, `r` for raw bytes, any other for a script.
pub fn connection(data: &[u8]) {
    match data.split_first() {
        Some((b'a', rest)) => {
            let _ = well_formed(Unstructured::new(rest));
        }
        Some((b'r', [size, end, wire @ ..])) => raw(*size, *end, wire),
        Some((_, rest)) => {
            if let Ok(script) = Script::arbitrary_take_rest(Unstructured::new(rest)) {
                free(script);
            }
        }
        None => {}
    }
}

fn free(mut script: Script) {
    script.connections.truncate(8);
    let log = Log::default();
    run(async {
        let transport = transport(script, &log);
        for path in ["/first", "/second", "/third"] {
            let before = written(&log);
            let outcome = exchange(&transport, path).await;
            // A write after the result would also be noticed.
            tokio::time::sleep(Duration::from_secs(1)).await;
            if let Some((_, Sent::No)) = outcome.failed {
                assert_eq!(written(&log), before, "{outcome:?}");
            }
            let line = format!("POST {path} ").into_bytes();
            let times: usize = lock(&log).iter().map(|wrote| count(wrote, &line)).sum();
            assert!(times <= 1, "{path} was written {times} times");
            assert!(
                outcome.status.is_none() || times == 1,
                "a response without a request"
            );
        }
    });
}

fn written(log: &Log) -> usize {
    lock(log).iter().map(Vec::len).sum()
}

fn count(haystack: &[u8], needle: &[u8]) -> usize {
    haystack
        .windows(needle.len())
        .filter(|window| *window == needle)
        .count()
}

/// Sends one request to a server that reads it and then sends these pieces.
fn reply(pieces: impl Iterator<Item = Vec<u8>>, last: Option<Step>, writes: Vec<u8>) -> Outcome {
    let mut steps = vec![Step::AwaitRequest];
    for piece in pieces {
        steps.extend([Step::Send(piece), Step::Yield]);
    }
    steps.extend(last);
    let log = Log::default();
    let outcome = run(async {
        let transport = transport(
            Script {
                connections: vec![steps],
                writes,
            },
            &log,
        );
        exchange(&transport, "/").await
    });
    let log = lock(&log);
    assert_eq!(count(&log[0], b"POST / HTTP/1.1\r\n"), 1);
    assert!(log[0].ends_with(REQUEST_BODY));
    outcome
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
enum Framing {
    Length,
    Chunked,
    UntilClosed,
}

fn well_formed(mut choice: Unstructured<'_>) -> arbitrary::Result<()> {
    let framing: Framing = choice.arbitrary()?;
    let reset: bool = choice.arbitrary()?;
    let truncated: Option<u16> = choice.arbitrary()?;
    let size = usize::from(choice.arbitrary::<u8>()?).max(1);
    let chunk = usize::from(choice.arbitrary::<u8>()?).max(1);
    let writes = vec![choice.arbitrary()?; 8];
    let body = choice.take_rest();

    let mut wire = b"HTTP/1.1 200 OK\r\n".to_vec();
    match framing {
        Framing::Length => wire.extend(format!("Content-Length: {}\r\n", body.len()).bytes()),
        Framing::Chunked => wire.extend(b"Transfer-Encoding: chunked\r\n"),
        Framing::UntilClosed => {}
    }
    wire.extend(b"\r\n");
    let head = wire.len();
    if framing == Framing::Chunked {
        for chunk in body.chunks(chunk) {
            wire.extend(format!("{:x}\r\n", chunk.len()).bytes());
            wire.extend(chunk);
            wire.extend(b"\r\n");
        }
        wire.extend(b"0\r\n\r\n");
    } else {
        wire.extend(body);
    }
    let complete = truncated.is_none_or(|length| usize::from(length) >= wire.len());
    if let Some(length) = truncated {
        wire.truncate(usize::from(length));
    }

    let last = if reset { Step::Reset } else { Step::End };
    let pieces = wire.chunks(size).map(<[u8]>::to_vec);
    let outcome = reply(pieces, Some(last), writes);
    if wire.len() < head {
        assert_eq!(
            (outcome.status, outcome.failed),
            (None, Some((ErrorKind::Closed, Sent::Maybe)))
        );
        return Ok(());
    }
    assert_eq!(outcome.status, Some(200));
    let ends_well = match framing {
        Framing::Length | Framing::Chunked => complete,
        Framing::UntilClosed => !reset,
    };
    if ends_well {
        assert_eq!(outcome.failed, None);
    } else {
        assert_eq!(outcome.failed, Some((ErrorKind::Closed, Sent::Maybe)));
    }
    assert!(body.starts_with(&outcome.body));
    assert!(!complete || outcome.body == body);
    Ok(())
}

fn raw(size: u8, end: u8, wire: &[u8]) {
    let last = match end {
        b'e' => Some(Step::End),
        b'x' => Some(Step::Reset),
        _ => None,
    };
    let wire = &wire[..wire.len().min(16 * 1024)];
    let whole = reply(std::iter::once(wire.to_vec()), last.clone(), Vec::new());
    let pieces = wire.chunks(usize::from(size).max(1)).map(<[u8]>::to_vec);
    let split = reply(pieces, last, Vec::new());
    // An invalid head without an end may be rejected at once, or only at the end of the input.
    if let (None, Some(_), Some(_)) = (whole.status, whole.failed, split.failed) {
        assert_eq!((split.status, split.body), (None, Vec::new()));
        return;
    }
    assert_eq!(split, whole);
}
