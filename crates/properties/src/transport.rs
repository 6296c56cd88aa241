//! Properties of `lambda-invoke-transport`, over connections in memory that follow a script.
//!
//! Time is paused, so that every limit is reached at once when nothing else can happen.

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

/// What the server's side of a connection does next.
#[derive(Arbitrary, Clone, Debug)]
enum Step {
    Send(Vec<u8>),
    /// A whole answer with this body, so that connections are used again.
    Answer(Vec<u8>),
    /// Nothing more before a whole request has been read.
    AwaitRequest,
    /// Nothing for this one poll.
    Yield,
    End,
    Reset,
}

/// Connections, one after the other; after the last, connecting fails.
#[derive(Arbitrary, Clone, Debug)]
struct Script {
    connections: Vec<Vec<Step>>,
    /// How much each write takes, over and over; 0 is a write that has to wait.
    writes: Vec<u8>,
}

/// What the client wrote: all bytes of all connections, in order, a vector a connection.
type Log = Arc<Mutex<Vec<Vec<u8>>>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Connection {
    number: usize,
    log: Log,
    steps: VecDeque<Step>,
    writes: VecDeque<u8>,
    /// How much of the log the requests that were waited for take up.
    awaited: usize,
    reader: Option<Waker>,
}

impl Connection {
    /// The length of what was written, once it ends in a whole request.
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
                Some(Step::Answer(body)) => {
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

/// What came of a request.
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
    let answer = match transport.send(request).await {
        Ok(answer) => answer,
        Err(error) => return outcome.failed(&error),
    };
    outcome.status = Some(answer.status().as_u16());
    let mut body = answer.into_body();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => outcome.body.extend(frame.into_data().unwrap_or_default()),
            Err(error) => {
                assert!(error.is_body(), "{error:?}");
                // An error is not followed by what could pass for an end.
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
                .expect("it hangs")
        })
}

/// A connection does whatever it likes: the transport neither panics nor hangs, no request is
/// written twice, and [`Sent::No`] is never said of one of which a byte was written. A well-formed
/// answer, in whatever pieces, is given out as it was sent, a cut one never as a whole; and any
/// bytes give the same in any pieces.
///
/// The first byte chooses: `a` for a well-formed answer, `r` for raw bytes, else a free script.
pub fn connection(data: &[u8]) {
    match data.split_first() {
        Some((b'a', rest)) => {
            let _ = answer(Unstructured::new(rest));
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
            // A write that comes after the result would show too.
            tokio::time::sleep(Duration::from_secs(1)).await;
            if let Some((_, Sent::No)) = outcome.failed {
                assert_eq!(written(&log), before, "{outcome:?}");
            }
            let line = format!("POST {path} ").into_bytes();
            let times: usize = lock(&log).iter().map(|wrote| count(wrote, &line)).sum();
            assert!(times <= 1, "{path} was written {times} times");
            assert!(
                outcome.status.is_none() || times == 1,
                "an answer to nothing"
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

/// One request to a server that reads it and then sends these pieces.
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

fn answer(mut choice: Unstructured<'_>) -> arbitrary::Result<()> {
    let framing: Framing = choice.arbitrary()?;
    let reset: bool = choice.arbitrary()?;
    let cut: Option<u16> = choice.arbitrary()?;
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
    let whole = cut.is_none_or(|cut| usize::from(cut) >= wire.len());
    if let Some(cut) = cut {
        wire.truncate(usize::from(cut));
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
        Framing::Length | Framing::Chunked => whole,
        Framing::UntilClosed => !reset,
    };
    if ends_well {
        assert_eq!(outcome.failed, None);
    } else {
        assert_eq!(outcome.failed, Some((ErrorKind::Closed, Sent::Maybe)));
    }
    assert!(body.starts_with(&outcome.body));
    assert!(!whole || outcome.body == body);
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
    // A head that is wrong and never complete may be refused at once or only when no more comes.
    if let (None, Some(_), Some(_)) = (whole.status, whole.failed, split.failed) {
        assert_eq!((split.status, split.body), (None, Vec::new()));
        return;
    }
    assert_eq!(split, whole);
}
