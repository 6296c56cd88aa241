//! Running a function to its end, for a caller that needs the complete response or none.

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

/// A function's complete response, and how the function ended.
#[derive(Debug)]
pub(crate) enum Collected {
    /// Of a buffered function.
    Buffered(Outcome<Bytes>),
    /// Of a streaming function: what it wrote, and how it ended.
    Streamed(Bytes, Outcome<()>),
}

/// Runs a function and collects its response, at most `limit` bytes.
pub(crate) async fn whole(
    invocation: &Invocation,
    handler: &Handler,
    permit: Permit,
    running: &Arc<Running>,
    limit: u64,
) -> Collected {
    match handler {
        Handler::Buffered(code) => {
            let code = || code(invocation.clone());
            let outcome = Run::start(invocation, permit, Arc::clone(running), code).await;
            Collected::Buffered(match outcome {
                Outcome::Completed(bytes) if bytes.len() as u64 > limit => {
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
            Collected::Streamed(std::mem::take(&mut collector.chunks).freeze(), outcome)
        }
    }
}

/// Runs a function whose response nobody reads.
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
                Outcome::Completed(_) => Outcome::Completed(()),
                Outcome::Failed(error) => Outcome::Failed(error),
                Outcome::TimedOut(error) => Outcome::TimedOut(error),
            }
        }
        Handler::Streaming(code) => {
            let channel = Channel::discarding();
            let code = || code(invocation.clone(), channel.writer());
            let outcome = Run::start(invocation, permit, Arc::clone(running), code).await;
            // A task that the function spawned may still hold the writer.
            channel.close();
            outcome
        }
    }
}

/// A streaming function whose chunks are collected as fast as it writes them.
struct Collector {
    /// `None` once it has ended.
    run: Option<Run<()>>,
    channel: Channel,
    chunks: BytesMut,
}

/// How many chunks are collected before other tasks may run.
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

/// A function that still runs has lost its caller: it runs on to its end. One that has ended may
/// have spawned a task that still holds the writer.
impl Drop for Collector {
    fn drop(&mut self) {
        match self.run {
            Some(_) => self.channel.discard(),
            None => self.channel.close(),
        }
    }
}
