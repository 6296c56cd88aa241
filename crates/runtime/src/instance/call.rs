//! A call in progress: its event, and the ends of the channels to its caller.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use tokio::sync::{mpsc, oneshot};

use super::permit::Permit;
use crate::api::header;
use crate::limits::MAX_LOG;
use crate::response::Chunks;
use crate::trace::CallSpan;
use crate::{Event, Head, InvokeError, LogLine, Outcome, Program, Report, Response};

/// The number of chunks that may wait to be read.
const CHUNKS: usize = 4;

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) request_id: Arc<str>,
    pub(crate) tenant: Option<String>,
    pub(super) arn: String,
    pub(super) trace_id: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) payload: Bytes,
    pub(super) started: Option<Instant>,
    pub(super) deadline: Option<Instant>,
    pub(super) init_duration: Option<Duration>,
    pub(super) without_memory: bool,
    begun: Option<oneshot::Sender<Begun>>,
    /// The channel to the reader of a streaming response.
    chunks: Option<mpsc::Sender<Bytes>>,
    report: oneshot::Sender<Report>,
    log: VecDeque<LogLine>,
    log_bytes: usize,
    permit: Permit,
    pub(super) span: CallSpan,
}

/// A response that has begun.
#[derive(Debug)]
struct Begun {
    head: Head,
    chunks: Chunks,
}

/// The caller's ends of the channels.
pub(crate) struct Caller {
    begun: oneshot::Receiver<Begun>,
    report: oneshot::Receiver<Report>,
    request_id: String,
}

impl Caller {
    /// Waits for the head of the response, or for the end of an invocation without one.
    pub(crate) async fn response(self) -> Response {
        let nothing = |_| Begun {
            head: Head::buffered(),
            chunks: Chunks::Whole(None),
        };
        let Begun { head, chunks } = self.begun.await.unwrap_or_else(nothing);
        Response {
            head,
            chunks,
            report: self.report,
            request_id: self.request_id,
        }
    }
}

impl Call {
    pub(crate) fn new(
        program: &Program,
        event: Event,
        permit: Permit,
    ) -> Result<(Self, Caller), InvokeError> {
        let headers = headers(program, &event)?;
        let (begun_sender, begun) = oneshot::channel();
        let (report_sender, report) = oneshot::channel();
        let span = CallSpan::open(program, &event);
        let call = Self {
            request_id: event.request_id.as_str().into(),
            tenant: event.tenant_id,
            arn: event.arn.unwrap_or_else(|| program.default_arn()),
            trace_id: event.trace_id,
            headers,
            payload: event.payload,
            started: None,
            deadline: None,
            init_duration: None,
            without_memory: event.without_memory,
            begun: Some(begun_sender),
            chunks: None,
            report: report_sender,
            log: VecDeque::new(),
            log_bytes: 0,
            permit,
            span,
        };
        let caller = Caller {
            begun,
            report,
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
        let (sender, receiver) = mpsc::channel(CHUNKS);
        let way = sender.downgrade();
        self.chunks = Some(sender);
        let chunks = Chunks::Live(receiver);
        if let Some(begun) = self.begun.take() {
            let _ = begun.send(Begun { head, chunks });
        }
        way
    }

    pub(super) fn log(&mut self, line: LogLine) {
        self.log_bytes += line.text.len() + 1;
        self.log.push_back(line);
        while self.log_bytes > MAX_LOG {
            let Some(oldest) = self.log.pop_front() else {
                break;
            };
            self.log_bytes -= oldest.text.len() + 1;
        }
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
        let _ = self.report.send(report);
        if let Some((head, body)) = buffered {
            let chunks = Chunks::Whole(Some(body).filter(|body| !body.is_empty()));
            if let Some(begun) = self.begun.take() {
                let _ = begun.send(Begun { head, chunks });
            }
        }
    }
}

fn headers(program: &Program, event: &Event) -> Result<HeaderMap, InvokeError> {
    let id = &event.request_id;
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if id.is_empty() || id.len() > 128 || !id.bytes().all(word) {
        return Err(InvokeError::InvalidEvent {
            member: "request_id",
        });
    }
    let context = event.client_context.as_deref().map(ascii_json);
    let default = event.arn.is_none().then(|| program.default_arn());
    let members = [
        (&header::REQUEST_ID, "request_id", Some(id.as_str())),
        (
            &header::FUNCTION_ARN,
            "arn",
            event.arn.as_deref().or(default.as_deref()),
        ),
        (
            &header::CLIENT_CONTEXT,
            "client_context",
            context.as_deref(),
        ),
        (&header::TENANT_ID, "tenant_id", event.tenant_id.as_deref()),
        (&header::TRACE_ID, "trace_id", event.trace_id.as_deref()),
    ];
    let mut headers = HeaderMap::with_capacity(10);
    for (name, member, value) in members {
        if let Some(value) = value {
            let value =
                HeaderValue::from_str(value).map_err(|_| InvokeError::InvalidEvent { member })?;
            headers.insert(name.clone(), value);
        }
    }
    headers.insert(
        http::header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    Ok(headers)
}

/// Rewrites JSON so that it fits into a header: blank space outside of strings and characters
/// beyond ASCII are written differently, with the same meaning.
fn ascii_json(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\n' | '\r' | '\t' => ascii.push(' '),
            ' '..='~' => ascii.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    ascii.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    ascii
}
