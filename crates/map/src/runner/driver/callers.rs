//! Tasks that make calls. Each lives as long as the run and makes one call after another, because
//! allocating a new task of several kilobytes for each call takes longer than passing the call to a
//! task that exists.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::task::{Context, Poll};

use lambda_invoke::{Client, Error};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use super::super::attempt::{Attempt, Response, Target};
use super::Work;
use crate::block::Block;

/// The maximum number of results that are taken at once.
const MOST: usize = 256;

/// A call that runs.
#[derive(Debug)]
pub(super) struct Running {
    /// Its number, by which the limiter knows it.
    pub(super) number: u64,
    /// How many other calls were running when it was started.
    pub(super) others: usize,
    pub(super) work: Work,
}

/// A call that ended, and its result.
pub(super) type Called = (Running, Result<Response, Error>);

/// The result of the call that this caller made.
type Ended = (usize, Result<Response, Error>);

#[derive(Debug)]
struct Caller {
    /// The channel for its next call. It is not bounded, but holds at most one.
    next: UnboundedSender<Attempt>,
    running: Option<Running>,
}

/// The callers: as many as there ever were concurrent calls.
#[derive(Debug)]
pub(super) struct Callers {
    client: Client,
    target: Arc<Target>,
    callers: Vec<Caller>,
    /// The callers without a call. The last one to become idle is the first to be used again.
    idle: Vec<usize>,
    tasks: JoinSet<()>,
    end: UnboundedSender<Ended>,
    ended: UnboundedReceiver<Ended>,
    /// Results that were received; empty except while they are assigned to calls.
    received: Vec<Ended>,
}

impl Callers {
    pub(super) fn new(client: Client, target: Target) -> Self {
        // Not bounded, but holds at most one result of each caller.
        let (end, ended) = unbounded_channel();
        Self {
            client,
            target: Arc::new(target),
            callers: Vec::new(),
            idle: Vec::new(),
            tasks: JoinSet::new(),
            end,
            ended,
            received: Vec::new(),
        }
    }

    /// The number of running calls.
    pub(super) fn running(&self) -> usize {
        self.callers.len() - self.idle.len()
    }

    /// Starts a call with this number.
    pub(super) fn start(&mut self, number: u64, work: Work, attempt: Attempt) {
        let others = self.running();
        let index = self.idle.pop().unwrap_or_else(|| self.add());
        if let Some(caller) = self.callers.get_mut(index) {
            caller.running = Some(Running {
                number,
                others,
                work,
            });
            // A caller's task ends only when it is aborted, and nothing is started after that.
            let _ = caller.next.send(attempt);
        }
    }

    fn add(&mut self) -> usize {
        let index = self.callers.len();
        let (next, mut attempts) = unbounded_channel::<Attempt>();
        let (client, target, end) = (self.client.clone(), self.target.clone(), self.end.clone());
        self.tasks.spawn(async move {
            let mut block = Block::new();
            while let Some(attempt) = attempts.recv().await {
                let result = attempt.make(&client, &target, &mut block).await;
                if end.send((index, result)).is_err() {
                    return;
                }
            }
        });
        let running = None;
        self.callers.push(Caller { next, running });
        index
    }

    /// Adds the calls that ended to a list. If there are none, registers the context to be woken.
    ///
    /// # Panics
    ///
    /// If a call panicked, for example in the program's provider of credentials: its result would
    /// never arrive.
    pub(super) fn poll_ended(
        &mut self,
        cx: &mut Context<'_>,
        called: &mut Vec<Called>,
    ) -> Poll<()> {
        if let Poll::Ready(Some(Err(error))) = self.tasks.poll_join_next(cx) {
            if let Ok(panic) = error.try_into_panic() {
                resume_unwind(panic);
            }
        }
        let received = &mut self.received;
        let Poll::Ready(1..) = self.ended.poll_recv_many(cx, received, MOST) else {
            return Poll::Pending;
        };
        for (index, result) in received.drain(..) {
            let caller = self.callers.get_mut(index);
            if let Some(running) = caller.and_then(|caller| caller.running.take()) {
                self.idle.push(index);
                called.push((running, result));
            }
        }
        Poll::Ready(())
    }

    /// Stops all running calls and returns them. No call may be started after that.
    pub(super) fn abort(&mut self) -> Vec<Running> {
        self.tasks.abort_all();
        let callers = std::mem::take(&mut self.callers).into_iter();
        self.idle.clear();
        callers.filter_map(|caller| caller.running).collect()
    }
}
