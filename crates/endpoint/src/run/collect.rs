//! Running a function to its end, for a caller that takes the answer whole or not at all.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};

use crate::function::error::FunctionError;
use crate::function::invocation::Invocation;
use crate::function::writer::Channel;
use crate::function::{Handler, Streaming};
use crate::run::concurrency::Permit;
use crate::run::execution::{Outcome, Run};
use crate::wire::shutdown::Running;

/// What a function answered, read whole.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A buffered function's.
    Buffered(Outcome<Bytes>),
    /// A streaming function's: what it wrote before its end, and how it ended.
    Streamed(Bytes, Outcome<()>),
}

/// Runs a function and takes its answer whole, at most `limit` bytes of it.
pub(crate) async fn whole(
    invocation: &Invocation,
    handler: &Handler,
    permit: Permit,
    running: &Arc<Running>,
    limit: u64,
) -> Answer {
    match handler {
        Handler::Buffered(code) => {
            let code = || code(invocation.clone());
            let outcome = Run::start(invocation, permit, Arc::clone(running), code).await;
            Answer::Buffered(match outcome {
                Outcome::Answer(bytes) if bytes.len() as u64 > limit => {
                    Outcome::Failed(FunctionError::too_large(limit))
                }
                outcome => outcome,
            })
        }
        Handler::Streaming(code) => {
            let mut collector = Collector::start(invocation, code, permit, running, limit);
            let outcome = poll_fn(|cx| collector.poll(cx)).await;
            let outcome = match outcome {
                _ if collector.channel.is_exceeded() => {
                    Outcome::Failed(FunctionError::too_large(limit))
                }
                outcome => outcome,
            };
            Answer::Streamed(std::mem::take(&mut collector.chunks).freeze(), outcome)
        }
    }
}

/// Runs a function whose answer nobody reads.
pub(crate) async fn without_caller(
    invocation: &Invocation,
    handler: &Handler,
    permit: Permit,
    running: &Arc<Running>,
) -> Outcome<()> {
    match handler {
        Handler::Buffered(code) => {
            let code = || code(invocation.clone());
            match Run::start(invocation, permit, Arc::clone(running), code).await {
                Outcome::Answer(_) => Outcome::Answer(()),
                Outcome::Failed(error) => Outcome::Failed(error),
                Outcome::TimedOut(error) => Outcome::TimedOut(error),
            }
        }
        Handler::Streaming(code) => {
            let channel = Channel::discarding();
            let code = || code(invocation.clone(), channel.writer());
            let outcome = Run::start(invocation, permit, Arc::clone(running), code).await;
            // A task that the function left behind may hold the writer.
            channel.close();
            outcome
        }
    }
}

/// A streaming function whose chunks are taken as fast as it writes them.
struct Collector {
    /// `None` once it has ended.
    run: Option<Run<()>>,
    channel: Channel,
    chunks: BytesMut,
}

/// How many chunks are taken before others have their turn.
const AT_ONCE: usize = 64;

impl Collector {
    fn start(
        invocation: &Invocation,
        code: &Arc<Streaming>,
        permit: Permit,
        running: &Arc<Running>,
        limit: u64,
    ) -> Self {
        let channel = Channel::new(Some(limit));
        let code = || code(invocation.clone(), channel.writer());
        let run = Run::start(invocation, permit, Arc::clone(running), code);
        Self {
            run: Some(run),
            channel,
            chunks: BytesMut::new(),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Outcome<()>> {
        for _ in 0..AT_ONCE {
            let Some(run) = &mut self.run else {
                return Poll::Pending;
            };
            self.channel.unregister();
            let polled = run.poll(cx);
            self.channel.register(cx);
            if let Some(chunk) = self.channel.take() {
                self.chunks.extend_from_slice(&chunk);
                self.channel.acknowledge(cx);
                if polled.is_pending() {
                    continue;
                }
            }
            let outcome = ready!(polled);
            self.run = None;
            return Poll::Ready(outcome);
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A function that still runs has lost its caller: it runs on to its own end. One that has ended may
/// have left a task behind that still holds the writer.
impl Drop for Collector {
    fn drop(&mut self) {
        match self.run {
            Some(_) => self.channel.discard(),
            None => self.channel.close(),
        }
    }
}
