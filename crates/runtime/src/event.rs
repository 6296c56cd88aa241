//! An event for a function, and what came back.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::outcome::{Failure, Outcome};

/// An event to be handled by a function.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// The request ID (`Lambda-Runtime-Aws-Request-Id`), unique among the events of a pool.
    pub request_id: String,
    /// The payload, as the runtime receives it.
    pub payload: Bytes,
    /// The ARN that was invoked. `None` stands for the program's own.
    pub arn: Option<String>,
    /// The client context as JSON text, not base64.
    pub client_context: Option<String>,
    /// The identity of an Amazon Cognito user, as JSON text.
    pub cognito_identity: Option<String>,
    /// The tenant. Each tenant has instances of its own.
    pub tenant_id: Option<String>,
    /// The value of `X-Amzn-Trace-Id`.
    pub trace_id: Option<String>,
}

impl Event {
    /// Creates an event.
    #[must_use]
    pub fn new(request_id: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self {
            request_id: request_id.into(),
            payload: payload.into(),
            arn: None,
            client_context: None,
            cognito_identity: None,
            tenant_id: None,
            trace_id: None,
        }
    }
}

/// How a function responds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Head {
    /// Whether the runtime chose `Lambda-Runtime-Function-Response-Mode: streaming`.
    pub streaming: bool,
    /// The content type that the runtime sent. With
    /// `application/vnd.awslambda.http-integration-response`, the body starts with a JSON prelude
    /// and eight NUL bytes.
    pub content_type: Option<String>,
}

impl Head {
    pub(crate) fn new(streaming: bool, content_type: Option<String>) -> Self {
        Self {
            streaming,
            content_type,
        }
    }
}

/// A part of a response, in the order: head, chunks.
#[derive(Debug)]
pub(crate) enum Part {
    Head(Head),
    Chunk(Bytes),
}

/// The response to an event: a head, then chunks as the function writes them, then an outcome.
///
/// Dropping it does not stop the function, whose further output is discarded.
#[must_use = "a response proves success only by its outcome"]
pub struct Response {
    pub(crate) head: Head,
    pub(crate) parts: mpsc::Receiver<Part>,
    pub(crate) end: oneshot::Receiver<Report>,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}

impl Response {
    /// Returns the head.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Receives the next chunk, exactly as the function wrote it. `None` is the end, whose outcome
    /// [`finish`](Self::finish) returns. A buffered response is one chunk.
    pub async fn chunk(&mut self) -> Option<Bytes> {
        loop {
            match self.parts.recv().await {
                Some(Part::Chunk(bytes)) => return Some(bytes),
                // There is one head, which `Pool::invoke` received.
                Some(Part::Head(_)) => {}
                None => return None,
            }
        }
    }

    /// Waits for the outcome. Chunks that were not received are discarded.
    pub async fn finish(mut self) -> Report {
        while self.chunk().await.is_some() {}
        self.end.await.unwrap_or_else(|_| Report::lost())
    }
}

/// What an invocation was, once it is over.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Whether the function succeeded.
    pub outcome: Outcome,
    /// The time from the moment the runtime received the event to the end of the response.
    pub duration: Duration,
    /// The time that starting the instance took, if this event was its first.
    pub init_duration: Option<Duration>,
    /// The peak memory of the instance's processes so far, in bytes. Zero where the system does
    /// not report it.
    pub max_memory: u64,
    /// The lines that the function wrote, oldest first, without line ends. Bounded: the last
    /// 256 KiB. Empty for an instance that runs several events at once, since its lines cannot be
    /// attributed.
    pub log: Vec<String>,
}

impl Report {
    pub(crate) fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            duration: Duration::ZERO,
            init_duration: None,
            max_memory: 0,
            log: Vec::new(),
        }
    }

    /// The report when the task that would have made it is gone with its async runtime.
    pub(crate) fn lost() -> Self {
        Self::of(Outcome::Failed(Failure::exit(
            "",
            "the host is shutting down",
        )))
    }
}

/// Where a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "a process has two output streams")]
pub enum LogSource {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A line that a function wrote.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LogLine {
    /// The number of the instance within its pool, from 1.
    pub instance: u64,
    /// The event that was running. `None` before the first event, and on an instance that runs
    /// several at once.
    pub request_id: Option<String>,
    /// Where the line came from.
    pub source: LogSource,
    /// The time at which the line was read.
    pub time: SystemTime,
    /// The line without its end. Bytes that are not UTF-8 are replaced. Longer lines than 64 KiB
    /// are split.
    pub text: String,
}

/// The last lines of an invocation, bounded by bytes.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    lines: VecDeque<String>,
    bytes: usize,
}

impl Tail {
    const MOST: usize = 256 * 1024;

    pub(crate) fn push(&mut self, line: String) {
        self.bytes += line.len() + 1;
        self.lines.push_back(line);
        while self.bytes > Self::MOST {
            let Some(first) = self.lines.pop_front() else {
                break;
            };
            self.bytes -= first.len() + 1;
        }
    }

    pub(crate) fn take(&mut self) -> Vec<String> {
        self.bytes = 0;
        std::mem::take(&mut self.lines).into()
    }
}
