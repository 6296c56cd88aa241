//! Tasks that make calls. Each lives as long as the run and makes one call after another: a new
//! task for each call would have to be allocated, which with its kilobytes takes longer than
//! passing a call to a task.

use std::sync::Arc;
use std::task::{Context, Poll};

use lambda_invoke::{Client, Error};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use super::super::attempt::{Attempt, Response, Target};

/// A call to be made, and its number.
type Job = (u64, Attempt);

/// A call that ended: its number and its result.
pub(super) type Called = (u64, Result<Response, Error>);

/// The maximum number of results that are taken at once.
const MOST: usize = 256;

/// The callers: as many as there ever were concurrent calls. Their channels need no bound, since
/// each caller has one call at a time.
#[derive(Debug)]
pub(super) struct Callers {
    client: Client,
    target: Arc<Target>,
    tasks: JoinSet<()>,
    /// The channel from which each caller gets its next call.
    jobs: Vec<UnboundedSender<Job>>,
    /// The callers without a call. The last one to become idle is the first to be used again.
    idle: Vec<usize>,
    ended: UnboundedReceiver<(usize, Called)>,
    end: UnboundedSender<(usize, Called)>,
    /// Results that were received but not taken yet.
    received: Vec<(usize, Called)>,
}

impl Callers {
    pub(super) fn new(client: Client, target: Target) -> Self {
        let (end, ended) = unbounded_channel();
        Self {
            client,
            target: Arc::new(target),
            tasks: JoinSet::new(),
            jobs: Vec::new(),
            idle: Vec::new(),
            ended,
            end,
            received: Vec::new(),
        }
    }

    /// Starts a call.
    pub(super) fn start(&mut self, number: u64, attempt: Attempt) {
        let caller = self.idle.pop().unwrap_or_else(|| self.add());
        // A caller ends only when it is aborted, and then nobody waits for its result.
        if let Some(jobs) = self.jobs.get(caller) {
            let _ = jobs.send((number, attempt));
        }
    }

    fn add(&mut self) -> usize {
        let (jobs, mut queue) = unbounded_channel::<Job>();
        let (client, target, end) = (self.client.clone(), self.target.clone(), self.end.clone());
        let caller = self.jobs.len();
        self.jobs.push(jobs);
        self.tasks.spawn(async move {
            while let Some((number, attempt)) = queue.recv().await {
                let result = attempt.make(&client, &target).await;
                if end.send((caller, (number, result))).is_err() {
                    return;
                }
            }
        });
        caller
    }

    /// Takes the calls that ended. If there are none, registers the context to be woken.
    pub(super) fn poll_ended(&mut self, cx: &mut Context<'_>) -> Option<Vec<Called>> {
        let polled = self.ended.poll_recv_many(cx, &mut self.received, MOST);
        let Poll::Ready(1..) = polled else {
            return None;
        };
        let idle = &mut self.idle;
        let ended = self.received.drain(..).map(|(caller, called)| {
            idle.push(caller);
            called
        });
        Some(ended.collect())
    }

    /// Stops all running calls.
    pub(super) fn abort(&mut self) {
        self.tasks.abort_all();
    }
}
