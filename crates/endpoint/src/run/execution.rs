//! One execution of a function: chunks, then an outcome.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::concurrency::Permit;
use super::running::{Outcome, Run};
use crate::function::Handler;
use crate::function::channel::{Channel, ResponseHead, ResponseLimits, Wants};
use crate::function::error::FunctionError;
use crate::function::invocation::Invocation;
use crate::function::writer::ResponseWriter;
use crate::journal::Entry;
use crate::wire::shutdown::Running;

/// A running function: yields chunks, and then its outcome. A buffered function yields at most one
/// chunk.
///
/// The function runs while the execution is polled. If the execution is dropped before its end, the
/// function keeps running without a caller: its writes fail, or are discarded after
/// [`drain_when_dropped`](Self::drain_when_dropped).
#[derive(Debug)]
pub(crate) struct Execution {
    /// `None` once the function has ended.
    run: Option<Run>,
    outcome: Outcome,
    channel: Channel,
    drains: bool,
    /// `None` if no console shows the call.
    entry: Option<Arc<Entry>>,
}

/// The next part of an execution.
#[derive(Debug)]
pub(crate) enum Next {
    /// A chunk of the response, which is not empty.
    Chunk(Bytes),
    /// The end. Nothing follows.
    End(Outcome),
}

impl Execution {
    /// Calls a function. It runs when the execution is polled.
    pub(crate) fn start(
        handler: &Handler,
        invocation: &Invocation,
        permit: Permit,
        running: &Arc<Running>,
        limits: ResponseLimits,
    ) -> Self {
        let channel = Channel::new(handler.mode, limits);
        let call = || (handler.code)(invocation.clone(), ResponseWriter::new(&channel));
        let deadline = (!handler.times_itself).then(|| invocation.deadline());
        let run = Run::start(invocation, deadline, permit, Arc::clone(running), call);
        Self {
            run: Some(run),
            outcome: Ok(()),
            channel,
            drains: false,
            entry: invocation.entry().cloned(),
        }
    }

    /// Discards the function's writes after the execution is dropped; otherwise they would fail.
    pub(crate) fn drain_when_dropped(&mut self) {
        self.drains = true;
    }

    /// Discards the function's writes from now on.
    pub(super) fn discard(&mut self) {
        self.drains = true;
        self.channel.discard();
    }

    /// Lets the function run until its response head can be sent, and returns the head.
    pub(crate) fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<ResponseHead> {
        self.poll(cx, Wants::Nothing);
        if self.run.is_some() && !self.channel.is_started() {
            return Poll::Pending;
        }
        Poll::Ready(self.channel.head())
    }

    /// Polls for the next part. This tells the function that the previous chunk is on the wire.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        if let Some(chunk) = self.poll(cx, Wants::Next) {
            if let Some(entry) = &self.entry {
                entry.chunk(&chunk);
            }
            return Poll::Ready(Next::Chunk(chunk));
        }
        if self.run.is_some() {
            return Poll::Pending;
        }
        // A task that the function spawned may still hold the writer.
        self.channel.close();
        let outcome = std::mem::replace(&mut self.outcome, Ok(()));
        let outcome = match self.channel.exceeded() {
            Some(limit) => Err(FunctionError::too_large(limit)),
            None => outcome,
        };
        if let Some(entry) = &self.entry {
            entry.end(outcome.as_ref().err().map(FunctionError::summary));
        }
        Poll::Ready(Next::End(outcome))
    }

    /// Waits for the next part; see [`poll_next`](Self::poll_next).
    pub(crate) async fn next(&mut self) -> Next {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Lets the function run while its last chunk is on its way: it may have other work, and it has
    /// a timeout.
    pub(crate) fn run_on(&mut self, cx: &mut Context<'_>) {
        self.poll(cx, Wants::Nothing);
    }

    /// Whether the function has ended. A chunk may be left.
    pub(crate) fn has_ended(&self) -> bool {
        self.run.is_none()
    }

    /// Returns how the function has ended, if it has.
    pub(crate) fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Returns the response head as it is now.
    pub(crate) fn head(&self) -> ResponseHead {
        self.channel.head()
    }

    fn poll(&mut self, cx: &mut Context<'_>, wants: Wants) -> Option<Bytes> {
        let (run, outcome) = (&mut self.run, &mut self.outcome);
        self.channel.poll(cx, wants, |cx| {
            let Some(running) = run else { return };
            if let Poll::Ready(ended) = running.poll(cx) {
                *outcome = ended;
                *run = None;
            }
        })
    }
}

impl Drop for Execution {
    fn drop(&mut self) {
        if let Some(entry) = &self.entry {
            // Recorded only if the function has not ended before.
            entry.end(Some("the caller disconnected".to_owned()));
        }
        match self.run {
            Some(_) if self.drains => self.channel.abandon(),
            _ => self.channel.close(),
        }
    }
}
