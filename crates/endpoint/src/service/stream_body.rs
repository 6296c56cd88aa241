//! The body of a streamed response: the function runs within it, one frame a chunk.

use std::collections::VecDeque;
use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::body::Frame;
use lambda_invoke_protocol::{InvokeComplete, StreamEvent, StreamException};
use tokio::time::Sleep;

use crate::fault::Plan;
use crate::function::error::Failed;
use crate::function::error::FunctionError;
use crate::function::invocation::Invocation;
use crate::function::writer::Channel;
use crate::run::execution::{Outcome, Run};
use crate::run::platform_log;
use crate::wire::bandwidth::{Bandwidth, Paced};
use crate::wire::connection::Connection;
use crate::wire::frame::{Polled, TruncatedOnPurpose};

/// Up to this size, a frame is copied into one piece: copying costs less than two more writes.
const COPIED: usize = 16 * 1024;

/// How many bytes hyper is given before they must be on the wire. hyper stops polling a body at
/// about 400 KB; a body that is not polled could neither run its function nor end it at its timeout
/// while the caller reads nothing.
const UNFLUSHED: usize = 128 * 1024;

/// A larger chunk is sent in several frames: readers limit a message to 16 MiB or 24 MiB.
const LARGEST_CHUNK: usize = 8 << 20;

/// A streaming function, before its head is sent and then as its response body.
///
/// The function is polled within the body, in the connection's task. A chunk is acknowledged to the
/// function only when the connection has flushed it. Until then the next one cannot be written, so
/// hyper never buffers more than one frame.
#[derive(Debug)]
pub(crate) struct StreamBody {
    source: Source,
    invocation: Invocation,
    connection: Arc<Connection>,
    plan: Option<Box<Plan>>,
    error_code: bool,
    /// Bytes that are ready to be sent.
    frames: VecDeque<Bytes>,
    /// The connection's position after the last piece, until that is known to be on the wire.
    mark: Option<u64>,
    /// The number of bytes given to hyper that are not known to be on the wire.
    unflushed: usize,
    delay: Option<Pin<Box<Sleep>>>,
    /// `None` means no limit.
    paced: Option<Box<Paced>>,
    chunks: u64,
    messages: u64,
    ended: bool,
    /// The function's failure, and whether a fault rule ended the stream.
    failed: Option<Failed>,
    is_struck: bool,
}

/// The source of the chunks.
#[derive(Debug)]
pub(crate) enum Source {
    /// A streaming function.
    Function {
        run: Option<Run<()>>,
        channel: Channel,
        limit: Option<u64>,
        outcome: Option<Outcome<()>>,
    },
    /// The response of a buffered function, which is one chunk.
    Whole(Option<Bytes>),
    /// A buffered function that failed.
    Failed(Outcome<()>),
}

impl StreamBody {
    pub(crate) fn new(
        source: Source,
        invocation: Invocation,
        connection: Arc<Connection>,
        plan: Option<Box<Plan>>,
        error_code: bool,
    ) -> Self {
        Self {
            source,
            invocation,
            connection,
            plan,
            error_code,
            frames: VecDeque::new(),
            mark: None,
            unflushed: 0,
            delay: None,
            paced: None,
            chunks: 0,
            messages: 0,
            ended: false,
            failed: None,
            is_struck: false,
        }
    }

    /// Limits the bandwidth.
    pub(crate) fn paced(mut self, bandwidth: Option<Bandwidth>) -> Self {
        self.paced = bandwidth.map(|bandwidth| Box::new(Paced::new(bandwidth)));
        self
    }

    /// Lets the function run until its response head can be sent. Returns the content type that it
    /// set, or the default if it has written something.
    pub(crate) fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Option<String>> {
        let Source::Function { channel, .. } = &self.source else {
            return Poll::Ready(Some(DEFAULT_CONTENT_TYPE.to_owned()));
        };
        let channel = channel.clone();
        channel.unregister();
        let ended = self.source.poll_run(cx).is_ready();
        channel.register(cx);
        let started = channel.is_started();
        if !started && !ended {
            return Poll::Pending;
        }
        let default = || started.then(|| DEFAULT_CONTENT_TYPE.to_owned());
        Poll::Ready(channel.content_type().or_else(default))
    }

    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Polled {
        loop {
            let room = UNFLUSHED.saturating_sub(self.unflushed);
            if let Some(front) = self.frames.front_mut().filter(|_| room > 0) {
                let length = front.len().min(room);
                let length = match &mut self.paced {
                    None => length,
                    Some(paced) => match paced.poll_take(length, cx) {
                        Poll::Ready(length) => length,
                        Poll::Pending => {
                            self.run_on(cx);
                            return Poll::Pending;
                        }
                    },
                };
                let piece = front.split_to(length);
                if front.is_empty() {
                    self.frames.pop_front();
                }
                self.unflushed += piece.len();
                self.mark = Some(self.connection.mark());
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            if self.is_end_stream() {
                return Poll::Ready(None);
            }
            if let Some(mark) = self.mark {
                if !self.connection.flushed_since(mark) {
                    self.run_on(cx);
                    return Poll::Pending;
                }
                self.mark = None;
                self.unflushed = 0;
                if !self.frames.is_empty() {
                    continue;
                }
                self.source.acknowledge(cx);
            }
            let next = ready!(self.poll_next(cx));
            if self.encode(next).is_err() {
                // Chunks are never too large to encode; but the stream must not look complete.
                return Poll::Ready(Some(Err(TruncatedOnPurpose)));
            }
        }
    }

    /// Returns the function's failure, once the stream has ended.
    pub(crate) fn failed(&self) -> Option<Failed> {
        self.failed.clone()
    }

    /// Whether a fault rule ended the stream.
    pub(crate) fn is_struck(&self) -> bool {
        self.is_struck
    }

    /// Lets the function run while nothing can be sent: it may have other work, and it has a
    /// timeout.
    pub(crate) fn run_on(&mut self, cx: &mut Context<'_>) {
        // Its end is noticed when the next event is polled.
        let _ = self.source.poll_run(cx);
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.ended && self.frames.is_empty()
    }

    /// Polls for the next chunk or the end of the stream.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        if let Some(exception) = self.exception(self.chunks) {
            return Poll::Ready(exception);
        }
        let polled = self.source.poll_run(cx);
        if let Some(delay) = &mut self.delay {
            ready!(delay.as_mut().poll(cx));
        }
        if self.delay.is_none() && self.source.has_chunk() {
            let time = self
                .plan
                .as_ref()
                .map_or(Duration::ZERO, |plan| plan.chunk_delay);
            if !time.is_zero() {
                let delay = self.delay.insert(Box::pin(tokio::time::sleep(time)));
                ready!(delay.as_mut().poll(cx));
            }
        }
        if let Some(chunk) = self.source.take(cx) {
            self.delay = None;
            return Poll::Ready(Next::Chunk(chunk));
        }
        ready!(polled);
        Poll::Ready(self.exception(u64::MAX).unwrap_or_else(|| self.end()))
    }

    /// Returns the exception frame of a fault rule, if it is due after this many chunks.
    fn exception(&mut self, chunks: u64) -> Option<Next> {
        let fault = self.plan.as_ref()?.exception.as_ref()?;
        if fault.after.unwrap_or(u64::MAX) > chunks {
            return None;
        }
        let exception = StreamException::new(&fault.code, &fault.message);
        self.is_struck = true;
        Some(Next::End(Some(StreamEvent::Exception(exception))))
    }

    /// Returns the `InvokeComplete` of a function that has ended.
    fn end(&mut self) -> Next {
        let (error, timed_out) = self.source.failure();
        let error = error.as_ref();
        self.failed = error.map(Failed::new);
        if self.plan.as_ref().is_some_and(|plan| plan.no_complete) {
            self.is_struck = true;
            return Next::End(None);
        }
        let mut complete =
            InvokeComplete::with_log(platform_log::finish(&self.invocation, error, timed_out));
        if let Some(error) = error.filter(|_| self.error_code) {
            let details = error.payload(self.invocation.request_id());
            complete.error_code = Some(error.error_type().to_owned());
            complete.error_details = Some(String::from_utf8_lossy(&details).into_owned());
        }
        let fault = self
            .plan
            .as_ref()
            .and_then(|plan| plan.complete_error.as_ref());
        if let Some((code, details)) = fault {
            complete.error_code = Some(code.clone());
            complete.error_details.clone_from(details);
            let reported = FunctionError::new(code, details.clone().unwrap_or_default());
            self.failed = Some(Failed::new(&reported));
        }
        Next::End(Some(StreamEvent::InvokeComplete(complete)))
    }

    fn encode(&mut self, next: Next) -> Result<(), lambda_invoke_event_stream::EncodeError> {
        match next {
            Next::Chunk(mut chunk) => {
                self.chunks += 1;
                while !chunk.is_empty() {
                    let piece = chunk.split_to(chunk.len().min(LARGEST_CHUNK));
                    self.push(StreamEvent::PayloadChunk(piece.into()))?;
                }
            }
            Next::End(event) => {
                self.ended = true;
                self.source.close();
                if let Some(event) = event {
                    self.push(event)?;
                }
            }
        }
        Ok(())
    }

    fn push(&mut self, event: StreamEvent) -> Result<(), lambda_invoke_event_stream::EncodeError> {
        use bytes::Buf as _;
        let mut encoded = event.encode_vectored()?;
        let is_corrupted = |plan: &Plan| plan.wrong_crc.contains(&self.messages);
        let is_corrupted = self.plan.as_deref().is_some_and(is_corrupted);
        self.messages += 1;
        if encoded.remaining() <= COPIED || is_corrupted {
            let mut frame = BytesMut::from(&*encoded.copy_to_bytes(encoded.remaining()));
            if let Some(last) = frame.last_mut().filter(|_| is_corrupted) {
                *last ^= 1;
            }
            self.frames.push_back(frame.freeze());
        } else {
            self.frames.extend(encoded);
        }
        Ok(())
    }
}

/// The default content type of a streaming function.
const DEFAULT_CONTENT_TYPE: &str = "application/octet-stream";

enum Next {
    Chunk(Bytes),
    /// The last event, if there is one.
    End(Option<StreamEvent>),
}

impl Source {
    /// Polls the function; ready once it has ended.
    fn poll_run(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self::Function {
            run,
            channel,
            outcome,
            ..
        } = self
        else {
            return Poll::Ready(());
        };
        if let Some(running) = run {
            // This task checks the channel afterwards: a chunk need not wake it.
            channel.unregister();
            *outcome = Some(ready!(running.poll(cx)));
            *run = None;
        }
        Poll::Ready(())
    }

    fn acknowledge(&self, cx: &Context<'_>) {
        if let Self::Function { channel, .. } = self {
            channel.acknowledge(cx);
        }
    }

    fn has_chunk(&self) -> bool {
        match self {
            Self::Function { channel, .. } => channel.has_chunk(),
            Self::Whole(bytes) => bytes.is_some(),
            Self::Failed(_) => false,
        }
    }

    /// Takes the next chunk; if there is none, the task is woken when there is.
    fn take(&mut self, cx: &mut Context<'_>) -> Option<Bytes> {
        match self {
            Self::Function { channel, .. } => {
                channel.register(cx);
                channel.take()
            }
            Self::Whole(bytes) => bytes.take().filter(|bytes| !bytes.is_empty()),
            Self::Failed(_) => None,
        }
    }

    /// Returns the function's failure, if any, and whether it timed out.
    fn failure(&self) -> (Option<FunctionError>, bool) {
        let outcome = match self {
            Self::Function {
                channel,
                limit: Some(limit),
                ..
            } if channel.is_exceeded() => {
                return (Some(FunctionError::too_large(*limit)), false);
            }
            Self::Function { outcome, .. } => outcome.as_ref(),
            Self::Whole(_) => None,
            Self::Failed(outcome) => Some(outcome),
        };
        match outcome {
            None | Some(Outcome::Completed(())) => (None, false),
            Some(Outcome::Failed(error)) => (Some(error.clone()), false),
            Some(Outcome::TimedOut(error)) => (Some(error.clone()), true),
        }
    }

    /// Stops the function's writes: nothing more will be sent.
    fn close(&mut self) {
        if let Self::Function { run, channel, .. } = self {
            channel.close();
            *run = None;
        }
    }
}

impl Drop for StreamBody {
    fn drop(&mut self) {
        self.source.close();
    }
}
