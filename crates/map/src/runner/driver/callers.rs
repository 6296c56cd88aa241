//! Tasks that make calls. Each lives as long as the run and makes one call after another, because
//! allocating a new task of several kilobytes for each call takes longer than passing the call to a
//! task that exists.

use std::future::poll_fn;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::task::{Context, Poll};

use lambda_invoke::{Client, Error};
use tokio::task::JoinSet;

use super::super::attempt::{Attempt, Response, Target};
use super::Work;
use super::mailbox::Mailbox;

/// A call that runs.
#[derive(Debug)]
pub(super) struct Running {
    /// Its number, by which the limiter knows it.
    pub(super) number: u64,
    /// How many other calls were running when it was started.
    pub(super) others: usize,
    pub(super) work: Work,
}

/// A call that ended: its caller, and its result.
pub(super) type EndedCall = (usize, Result<Response, Error>);

#[derive(Debug)]
struct Caller {
    /// Its next call.
    next: Arc<Mailbox<Attempt>>,
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
    ended: Arc<Mailbox<EndedCall>>,
}

impl Callers {
    pub(super) fn new(client: Client, target: Target) -> Self {
        Self {
            client,
            target: Arc::new(target),
            callers: Vec::new(),
            idle: Vec::new(),
            tasks: JoinSet::new(),
            ended: Arc::default(),
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
            caller.next.send(attempt);
        }
    }

    fn add(&mut self) -> usize {
        let index = self.callers.len();
        let next = Arc::<Mailbox<Attempt>>::default();
        let (client, target) = (self.client.clone(), Arc::clone(&self.target));
        let (attempts, ended) = (Arc::clone(&next), Arc::clone(&self.ended));
        self.tasks.spawn(async move {
            let mut received = Vec::new();
            loop {
                poll_fn(|cx| attempts.poll_receive(cx, &mut received)).await;
                for attempt in received.drain(..) {
                    let result = attempt.make(&client, &target).await;
                    ended.send((index, result));
                }
            }
        });
        let running = None;
        self.callers.push(Caller { next, running });
        index
    }

    /// Receives the calls that ended, all of which have to be passed to [`end`](Self::end). If there are
    /// none, registers the context to be woken.
    ///
    /// # Panics
    ///
    /// If a call panicked, for example in the program's provider of credentials: its result would
    /// never arrive.
    pub(super) fn poll_ended(
        &mut self,
        cx: &mut Context<'_>,
        empty: &mut Vec<EndedCall>,
    ) -> Poll<()> {
        if let Poll::Ready(Some(Err(error))) = self.tasks.poll_join_next(cx) {
            if let Ok(panic) = error.try_into_panic() {
                resume_unwind(panic);
            }
        }
        self.ended.poll_receive(cx, empty)
    }

    /// Returns the call that this caller made, which may make another one now.
    pub(super) fn end(&mut self, caller: usize) -> Option<Running> {
        let running = self.callers.get_mut(caller)?.running.take()?;
        self.idle.push(caller);
        Some(running)
    }

    /// Stops all running calls and returns them. No call may be started after that.
    pub(super) fn abort(&mut self) -> Vec<Running> {
        self.tasks.abort_all();
        let callers = std::mem::take(&mut self.callers).into_iter();
        self.idle.clear();
        callers.filter_map(|caller| caller.running).collect()
    }
}
