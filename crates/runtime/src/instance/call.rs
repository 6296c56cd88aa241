//! A call in progress: its event, and the ends of the channels to its caller.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use tokio::sync::{mpsc, oneshot};

use super::group::Group;
use super::headers::Headers;
use super::log::Log;
use super::permit::Permit;
use crate::response::Body;
use crate::trace::CallSpan;
use crate::{Event, Failure, Head, InvokeError, LogLine, Outcome, Program, Report, Response};

/// The number of chunks that may wait to be read.
const CHUNKS: usize = 4;

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) request_id: Arc<str>,
    pub(crate) group: Group,
    /// The ARN that the function was invoked by, if it is not the program's.
    pub(super) arn: Option<String>,
    pub(super) trace_id: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) payload: Bytes,
    pub(super) started: Option<Instant>,
    pub(super) deadline: Option<Instant>,
    pub(super) init_duration: Option<Duration>,
    pub(super) without_memory: bool,
    /// Whether the connection has closed within its response.
    pub(super) truncated: bool,
    begun: Option<oneshot::Sender<Box<Begun>>>,
    live: Option<Live>,
    log: Log,
    permit: Permit,
    pub(super) span: CallSpan,
}

/// A response that has begun. Boxed in the channel, which would move it three times.
#[derive(Debug)]
struct Begun {
    head: Head,
    body: Body,
}

/// The way to the reader of a streaming response.
#[derive(Debug)]
struct Live {
    chunks: mpsc::Sender<Bytes>,
    report: oneshot::Sender<Report>,
}

/// The caller's end of the channel.
pub(crate) struct Caller {
    begun: oneshot::Receiver<Box<Begun>>,
    request_id: String,
}

impl Caller {
    /// Waits for the head of the response, or for the end of an invocation without one.
    pub(crate) async fn response(self) -> Response {
        let request_id = self.request_id;
        // The tokio runtime that ran the function has shut down.
        let nothing = |_| {
            Box::new(Begun {
                head: Head::buffered(),
                body: Body::Whole {
                    bytes: None,
                    report: Report::new(Outcome::Failed(Failure::shut_down(&request_id))),
                },
            })
        };
        let Begun { head, body } = *self.begun.await.unwrap_or_else(nothing);
        Response {
            head,
            body,
            request_id,
        }
    }
}

impl Call {
    pub(crate) fn new(
        program: &Program,
        headers: &Headers,
        event: Event,
        permit: Permit,
    ) -> Result<(Box<Self>, Caller), InvokeError> {
        let headers = headers.of_event(&event)?;
        let (begun_sender, begun) = oneshot::channel();
        let span = CallSpan::open(program, &event);
        // Boxed at once, because it is large.
        let call = Box::new(Self {
            request_id: event.request_id.as_str().into(),
            group: Group {
                tenant: event.tenant_id,
                version: event.version.filter(|version| *version != program.version),
            },
            arn: event.arn,
            trace_id: event.trace_id,
            headers,
            payload: event.payload,
            started: None,
            deadline: None,
            init_duration: None,
            without_memory: event.without_memory,
            truncated: false,
            begun: Some(begun_sender),
            live: None,
            log: Log::default(),
            permit,
            span,
        });
        let caller = Caller {
            begun,
            request_id: event.request_id,
        };
        Ok((call, caller))
    }

    /// Whether the caller stopped waiting before the invocation began.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.started.is_none() && self.begun.as_ref().is_some_and(oneshot::Sender::is_closed)
    }

    /// Begins a streaming response. Returns the channel to its reader, which ends with the call.
    pub(super) fn begin(&mut self, head: Head) -> mpsc::WeakSender<Bytes> {
        let (chunks, receiver) = mpsc::channel(CHUNKS);
        let (report, report_receiver) = oneshot::channel();
        let way = chunks.downgrade();
        self.live = Some(Live { chunks, report });
        let body = Body::Live {
            chunks: receiver,
            report: report_receiver,
        };
        if let Some(begun) = self.begun.take() {
            let _ = begun.send(Box::new(Begun { head, body }));
        }
        way
    }

    pub(super) fn log(&mut self, line: LogLine) {
        self.log.push(line);
    }

    /// Ends the call, with the head and the whole body of a response that was not begun.
    pub(crate) fn finish(
        mut self: Box<Self>,
        outcome: Outcome,
        buffered: Option<(Head, Bytes)>,
        memory: Option<u64>,
    ) {
        let report = Report {
            outcome,
            duration: self
                .started
                .map_or(Duration::ZERO, |started| started.elapsed()),
            init_duration: self.init_duration,
            max_memory: memory,
            log: self.log.into(),
        };
        self.span.ended(&report);
        // Dropped first, so that a caller that calls again as soon as it has its response finds a
        // free place.
        drop(self.permit);
        if let Some(Live { chunks, report: to }) = self.live {
            let _ = to.send(report);
            drop(chunks);
        } else if let Some(begun) = self.begun.take() {
            let (head, bytes) = match buffered {
                Some((head, bytes)) => (head, Some(bytes).filter(|bytes| !bytes.is_empty())),
                None => (Head::buffered(), None),
            };
            let body = Body::Whole { bytes, report };
            let _ = begun.send(Box::new(Begun { head, body }));
        }
    }
}
