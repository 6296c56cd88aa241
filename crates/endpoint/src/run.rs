//! Running a function to its end, for a caller that takes the answer whole or not at all.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};

use crate::concurrency::Permit;
use crate::failure::FunctionError;
use crate::function::Handler;
use crate::invocation::Invocation;
use crate::running::{Outcome, Run};
use crate::shutdown::Running;
use crate::writer::Channel;

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
            let channel = Channel::new(Some(limit));
            let code = || code(invocation.clone(), channel.writer());
            let run = Run::start(invocation, permit, Arc::clone(running), code);
            let mut collected = BytesMut::new();
            let mut streaming = Streaming { run, channel };
            let outcome = poll_fn(|cx| streaming.poll(cx, |chunk| collected.extend(chunk))).await;
            let outcome = match outcome {
                _ if streaming.channel.is_exceeded() => {
                    Outcome::Failed(FunctionError::too_large(limit))
                }
                outcome => outcome,
            };
            Answer::Streamed(collected.freeze(), outcome)
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
            let channel = Channel::new(None);
            let code = || code(invocation.clone(), channel.writer());
            let run = Run::start(invocation, permit, Arc::clone(running), code);
            let mut streaming = Streaming { run, channel };
            poll_fn(|cx| streaming.poll(cx, drop)).await
        }
    }
}

/// A streaming function whose chunks are taken as fast as it writes them.
struct Streaming {
    run: Run<()>,
    channel: Channel,
}

impl Streaming {
    fn poll(&mut self, cx: &mut Context<'_>, mut take: impl FnMut(Bytes)) -> Poll<Outcome<()>> {
        loop {
            self.channel.unregister();
            let polled = self.run.poll(cx);
            self.channel.register(cx);
            if let Some(chunk) = self.channel.take() {
                take(chunk);
                self.channel.acknowledge(cx);
                if polled.is_pending() {
                    continue;
                }
            }
            let outcome = ready!(polled);
            return Poll::Ready(outcome);
        }
    }
}
