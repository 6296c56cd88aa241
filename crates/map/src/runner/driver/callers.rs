//! Tasks that make calls. Each lives as long as the run and makes one call after another, because
//! allocating a new task of several kilobytes for each call takes longer than passing the call to a
//! task that exists.
//!
//! A task whose call has ended drives the run itself, and is the first to be used again. So its next
//! call usually follows in the same task, and no other task has to be woken for it.

use std::panic::resume_unwind;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use lambda_invoke::Client;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use super::super::attempt::{Attempt, Target};
use super::Work;
use super::shared::Shared;

/// A call that runs.
#[derive(Debug)]
pub(super) struct Running {
    /// Its number, by which the limiter knows it.
    pub(super) number: u64,
    /// How many other calls were running when it was started.
    pub(super) others: usize,
    pub(super) work: Work,
}

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
    run: Weak<Shared>,
    callers: Vec<Caller>,
    /// The callers without a call. The last one to become idle is the first to be used again.
    idle: Vec<usize>,
    tasks: JoinSet<()>,
}

impl Callers {
    /// Creates the callers of a run.
    pub(super) fn new(client: Client, target: Target, run: Weak<Shared>) -> Self {
        Self {
            client,
            target: Arc::new(target),
            run,
            callers: Vec::new(),
            idle: Vec::new(),
            tasks: JoinSet::new(),
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
        let (client, target) = (self.client.clone(), Arc::clone(&self.target));
        let run = Weak::clone(&self.run);
        self.tasks.spawn(async move {
            while let Some(attempt) = attempts.recv().await {
                let result = attempt.make(&client, &target).await;
                let Some(run) = run.upgrade() else {
                    return;
                };
                run.called(index, result);
                let_others_run().await;
                // Another call that ended may have started the next one here.
                if attempts.is_empty() {
                    run.advance();
                }
            }
        });
        let running = None;
        self.callers.push(Caller { next, running });
        index
    }

    /// Takes the call of a caller that ended; `None` if it was stopped.
    pub(super) fn take(&mut self, index: usize) -> Option<Running> {
        let running = self.callers.get_mut(index)?.running.take()?;
        self.idle.push(index);
        Some(running)
    }

    /// Registers the context to be woken if a call panics.
    ///
    /// # Panics
    ///
    /// If a call panicked, for example in the program's provider of credentials: its result would
    /// never arrive.
    pub(super) fn poll_panic(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(Some(ended)) = self.tasks.poll_join_next(cx) {
            if let Some(panic) = ended.err().and_then(|error| error.try_into_panic().ok()) {
                resume_unwind(panic);
            }
        }
    }

    /// Stops all running calls and returns them. No call may be started after that.
    pub(super) fn abort(&mut self) -> Vec<Running> {
        self.tasks.abort_all();
        let callers = std::mem::take(&mut self.callers).into_iter();
        self.idle.clear();
        callers.filter_map(|caller| caller.running).collect()
    }
}

/// Lets other tasks that are ready run first: calls that are about to end then share one write to the
/// journal.
async fn let_others_run() {
    let mut has_let = false;
    std::future::poll_fn(|cx| match std::mem::replace(&mut has_let, true) {
        true => Poll::Ready(()),
        false => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}
