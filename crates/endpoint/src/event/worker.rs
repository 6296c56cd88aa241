//! Running the events of a queue: attempts, retries, and the end of those that never work.

use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;

use super::entry::Event;
use super::notice::{EventFailure, Notice};
use super::queue::Queue;
use super::record::record;
use super::settings::DeadLetter;
use crate::function::error::FunctionError;
use crate::function::invocation::{Call, Invocation, later};
use crate::request_id::RequestIds;
use crate::run::collect;
use crate::run::concurrency::Permit;
use crate::run::execution::Outcome;
use crate::run::registry::Registry;
use crate::wire::shutdown::Running;

/// How much of what a failed attempt said is kept for the dead letter, in bytes.
const ERROR: usize = 16 * 1024;

/// How long an event waits that found no concurrency left.
const THROTTLED: Duration = Duration::from_millis(100);

/// Opens a queue, and runs its events as they fall due until the endpoint ends.
pub(crate) fn work(
    queue: &Arc<Queue>,
    registry: &Arc<Registry>,
    ids: &Arc<RequestIds>,
    running: Running,
) -> impl Future<Output = ()> + Send + use<> {
    queue.lock().workers += 1;
    let worker = Worker {
        queue: Arc::clone(queue),
        registry: Arc::clone(registry),
        ids: Arc::clone(ids),
        running: Arc::new(running),
    };
    let mut open = Open(Some(worker.clone()));
    async move {
        worker.until_drained().await;
        // One after the other, since that is how they are written.
        for event in open.close() {
            let give_up = worker.give_up(event, EventFailure::ShuttingDown);
            unless_stopped(&worker.running, give_up).await;
        }
    }
}

/// What it takes to run events.
#[derive(Clone)]
struct Worker {
    queue: Arc<Queue>,
    registry: Arc<Registry>,
    ids: Arc<RequestIds>,
    running: Arc<Running>,
}

impl Worker {
    async fn until_drained(&self) {
        let mut drained = std::pin::pin!(self.running.drain());
        loop {
            let next_due = self.start_due();
            let due = async {
                match next_due {
                    Some(due) => tokio::time::sleep_until(due.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                () = self.queue.changed.notified() => {}
                () = &mut drained => return,
            }
        }
    }

    /// Starts what is due now; the time of the next event that is not.
    fn start_due(&self) -> Option<Instant> {
        let mut due = Vec::new();
        let next_due = self.take_due(&mut due);
        for (event, permit) in due {
            let worker = self.clone();
            tokio::spawn(async move {
                let running = Arc::clone(&worker.running);
                let work = async {
                    match permit {
                        Some(permit) => worker.attempt(event, permit).await,
                        None => worker.give_up(event, EventFailure::EventAgeExceeded).await,
                    }
                };
                unless_stopped(&running, work).await;
            });
        }
        next_due
    }

    /// Takes out what is due now: with a permit to run, or without one if it is too old.
    fn take_due(&self, taken: &mut Vec<(Owned, Option<Permit>)>) -> Option<Instant> {
        let queue = &self.queue;
        let now = Instant::now();
        let mut throttled = Vec::new();
        let mut state = queue.lock();
        while let Some(Reverse(entry)) = state.waiting.pop() {
            if entry.due > now {
                state.waiting.push(Reverse(entry));
                break;
            }
            let event = entry.event;
            let age = now.saturating_duration_since(event.accepted);
            if age > queue.settings.max_age {
                taken.push((self.own(event), None));
                continue;
            }
            match Permit::acquire(&event.limits) {
                Ok(permit) => taken.push((self.own(event), Some(permit))),
                Err(_) => throttled.push(event),
            }
        }
        let count = throttled.len() as u64;
        queue.counts.throttled.fetch_add(count, Ordering::Relaxed);
        state.put_back(throttled, now + THROTTLED);
        state.next_due()
    }

    fn own(&self, event: Event) -> Owned {
        Owned {
            queue: Arc::clone(&self.queue),
            event: Some(event),
        }
    }

    /// One attempt. The permit is given back at its end.
    async fn attempt(&self, mut owned: Owned, permit: Permit) {
        let Some(event) = &mut owned.event else {
            return;
        };
        event.attempts += 1;
        // A new invocation each time: it has its own time limit, and the same request id.
        let invocation = Invocation::new(event.payload().clone(), event.call().clone());
        let run = collect::without_caller(&invocation, &event.handler, permit, &self.running);
        match run.await {
            Outcome::Answer(()) => {
                let succeeded = &self.queue.counts.succeeded;
                succeeded.fetch_add(1, Ordering::Relaxed);
                owned.settle();
            }
            Outcome::Failed(error) | Outcome::TimedOut(error) => {
                if let Some(why) = self.put_back(&mut owned, error) {
                    self.give_up(owned, why).await;
                }
            }
        }
    }

    /// Has a failed event wait for its next attempt, or says why there is none.
    fn put_back(&self, owned: &mut Owned, error: FunctionError) -> Option<EventFailure> {
        let queue = &self.queue;
        let mut event = owned.event.take()?;
        let delay = queue.settings.retry_delays.get(event.attempts as usize - 1);
        let error = error.shortened(ERROR);
        queue.counts.failed.fetch_add(1, Ordering::Relaxed);
        let mut state = queue.lock();
        state.bytes -= event.held();
        event.last_error = Some(error.payload(event.call().request_id.as_str()));
        state.bytes += event.held();
        let why = match delay {
            Some(delay) if state.workers > 0 => {
                state.push(later(Instant::now(), *delay), event);
                queue.changed.notify_one();
                return None;
            }
            Some(_) => EventFailure::ShuttingDown,
            None => EventFailure::RetriesExhausted,
        };
        owned.event = Some(event);
        Some(why)
    }

    /// Sends an event to where the dead ones go, or counts it as lost.
    async fn give_up(&self, owned: Owned, why: EventFailure) {
        let queue = &self.queue;
        let Some(event) = owned.event.as_ref().filter(|event| !event.last_resort) else {
            return owned.lose(why);
        };
        match (&queue.settings.dead_letter, &queue.file) {
            (Some(DeadLetter::Function(name)), _) => {
                let Some(letter) = self.letter(event, why, name) else {
                    return owned.lose(why);
                };
                queue.counts.dead_lettered.fetch_add(1, Ordering::Relaxed);
                if let Some(letter) = self.hand_over(letter, owned) {
                    self.last_call(letter).await;
                }
            }
            (Some(DeadLetter::File(_)), Some(file)) => {
                let line = || record(event, why, SystemTime::now()).to_string();
                match file.append(line).await {
                    Ok(()) => {
                        queue.counts.dead_lettered.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(error) => {
                        queue.counts.dropped.fetch_add(1, Ordering::Relaxed);
                        (queue.notice)(Notice::DeadLetterUnwritten {
                            file: file.path().to_owned(),
                            request_id: event.call().request_id.to_string(),
                            error: error.to_string(),
                        });
                    }
                }
                owned.settle();
            }
            (Some(DeadLetter::File(_)) | None, _) => owned.lose(why),
        }
    }

    /// Puts a dead letter into the queue, in the place of its event; gives it back if the queue is
    /// closed.
    fn hand_over(&self, letter: Event, dead: Owned) -> Option<Owned> {
        let mut state = self.queue.lock();
        // Not counted against the bounds, since the event leaves.
        state.events += 1;
        state.bytes += letter.held();
        let given_back = if state.workers > 0 {
            state.push(Instant::now(), letter);
            self.queue.changed.notify_one();
            None
        } else {
            Some(self.own(letter))
        };
        drop(state);
        dead.settle();
        given_back
    }

    /// The one attempt of a dead letter whose function must run now, since the endpoint ends.
    async fn last_call(&self, letter: Owned) {
        let Some(event) = &letter.event else {
            return;
        };
        let permit = loop {
            match Permit::acquire(&event.limits) {
                Ok(permit) => break permit,
                Err(_) => tokio::time::sleep(THROTTLED).await,
            }
        };
        // In a box, since an attempt that fails gives up in turn.
        Box::pin(self.attempt(letter, permit)).await;
    }

    /// The call of a function with an event that failed for good.
    fn letter(&self, event: &Event, why: EventFailure, name: &str) -> Option<Event> {
        let function = self.registry.get(name)?;
        let resolved = function.resolve(None)?;
        let call = Call {
            function: Arc::clone(function.info()),
            qualifier: None,
            version: None,
            request_id: self.ids.next(),
            client_context: None,
            tenant_id: None,
            durable_execution_name: None,
            event: true,
            tail: false,
        };
        let record = record(event, why, SystemTime::now()).to_string();
        let payload = Bytes::from(record.into_bytes().into_boxed_slice());
        let mut letter = Event::new(
            payload,
            call,
            resolved.handler.clone(),
            function.limits().clone(),
        );
        letter.last_resort = true;
        Some(letter)
    }
}

/// An event out of the queue. If it is dropped before it is settled or back in the queue, as at the
/// end of the endpoint's grace, it is lost.
struct Owned {
    queue: Arc<Queue>,
    event: Option<Event>,
}

impl Owned {
    /// The event came to its end.
    fn settle(mut self) {
        if let Some(event) = self.event.take() {
            self.queue.forget(&event);
        }
    }

    fn lose(mut self, why: EventFailure) {
        if let Some(event) = self.event.take() {
            self.queue.lose(&event, why);
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(event) = self.event.take() {
            self.queue.lose(&event, EventFailure::ShuttingDown);
        }
    }
}

/// Waits for some work, unless the endpoint drops what still runs.
async fn unless_stopped(running: &Running, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        () = running.stop() => {}
    }
}

/// A worker whose queue is open.
struct Open(Option<Worker>);

impl Open {
    /// Takes no more events, unless another worker still does; gives those that still wait.
    fn close(&mut self) -> Vec<Owned> {
        let Some(worker) = self.0.take() else {
            return Vec::new();
        };
        let mut state = worker.queue.lock();
        state.workers -= 1;
        if state.workers > 0 {
            return Vec::new();
        }
        // In the order in which they would have been due: the first is the greatest.
        let waiting = std::mem::take(&mut state.waiting).into_sorted_vec();
        drop(state);
        let events = waiting.into_iter().rev();
        events
            .map(|Reverse(entry)| worker.own(entry.event))
            .collect()
    }
}

/// Also if the worker was dropped without an end, as with its runtime: what waits is lost then.
impl Drop for Open {
    fn drop(&mut self) {
        drop(self.close());
    }
}
