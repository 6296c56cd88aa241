//! The queue itself: events wait for their time, run, and come back if they fail.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use tokio::sync::Notify;

use super::dead_letter::write_line;
use super::record::record;
use super::{DeadLetter, EventCounters, EventFailure, EventSettings, Notice};
use crate::concurrency::Permit;
use crate::function::Handler;
use crate::invocation::{Call, Invocation};
use crate::registry::Registry;
use crate::request_id::RequestIds;
use crate::run;
use crate::running::Outcome;
use crate::shutdown::Running;

/// How long an event waits that found no concurrency left.
const THROTTLED: Duration = Duration::from_millis(100);

/// A call that nobody waits for.
pub(crate) struct Event {
    payload: Bytes,
    call: Call,
    handler: Handler,
    accepted: Instant,
    pub(crate) attempts: u32,
    /// What the last attempt answered, if it failed.
    pub(crate) last_error: Option<Vec<u8>>,
    /// Whether the event is itself a dead letter: then there is nowhere further to go.
    last_resort: bool,
}

impl Event {
    pub(crate) fn new(payload: Bytes, call: Call, handler: Handler) -> Self {
        Self {
            payload,
            call,
            handler,
            accepted: Instant::now(),
            attempts: 0,
            last_error: None,
            last_resort: false,
        }
    }

    /// The same call once more.
    pub(crate) fn again(&self) -> Self {
        Self::new(
            self.payload.clone(),
            self.call.clone(),
            self.handler.clone(),
        )
    }

    pub(crate) fn call(&self) -> &Call {
        &self.call
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload
    }
}

/// An event and when it is due; the count keeps those that are due at once in order.
struct Entry {
    due: Instant,
    count: u64,
    event: Event,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (self.due, self.count) == (other.due, other.count)
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.count).cmp(&(other.due, other.count))
    }
}

#[derive(Default)]
struct State {
    waiting: BinaryHeap<Reverse<Entry>>,
    /// Events that wait or run, and the bytes of their payloads.
    events: usize,
    bytes: usize,
    count: u64,
    closed: bool,
}

#[derive(Debug, Default)]
struct Counts {
    accepted: AtomicU64,
    refused: AtomicU64,
    succeeded: AtomicU64,
    failed: AtomicU64,
    throttled: AtomicU64,
    dead_lettered: AtomicU64,
    dropped: AtomicU64,
}

/// The endpoint's events.
pub(crate) struct Queue {
    settings: EventSettings,
    state: Mutex<State>,
    counts: Counts,
    changed: Notify,
    notice: Arc<dyn Fn(Notice) + Send + Sync>,
    /// One line at a time goes to the dead letter's file.
    file: Mutex<()>,
}

impl Queue {
    pub(crate) fn new(settings: EventSettings, notice: Arc<dyn Fn(Notice) + Send + Sync>) -> Self {
        Self {
            settings,
            state: Mutex::default(),
            counts: Counts::default(),
            changed: Notify::new(),
            notice,
            file: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes events, all of them or, if the queue is full, none.
    pub(crate) fn accept(&self, events: Vec<Event>) -> bool {
        let bytes: usize = events.iter().map(|event| event.payload().len()).sum();
        let mut state = self.lock();
        let fits = !state.closed
            && state.events + events.len() <= self.settings.length
            && state.bytes + bytes <= self.settings.bytes;
        if !fits {
            drop(state);
            self.counts.refused.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        state.events += events.len();
        state.bytes += bytes;
        for event in events {
            state.push(Instant::now(), event);
        }
        drop(state);
        self.counts.accepted.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_one();
        true
    }

    pub(crate) fn counters(&self) -> EventCounters {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        EventCounters {
            accepted: read(&self.counts.accepted),
            refused: read(&self.counts.refused),
            queued: self.lock().events as u64,
            succeeded: read(&self.counts.succeeded),
            failed: read(&self.counts.failed),
            throttled: read(&self.counts.throttled),
            dead_lettered: read(&self.counts.dead_lettered),
            dropped: read(&self.counts.dropped),
        }
    }

    /// Runs events as they fall due, until the endpoint ends.
    pub(crate) async fn work(
        self: Arc<Self>,
        registry: Arc<Registry>,
        ids: Arc<RequestIds>,
        running: Running,
    ) {
        let running = Arc::new(running);
        let mut drained = std::pin::pin!(running.drain());
        loop {
            let next_due = self.start_due(&registry, &ids, &running);
            let due = async {
                match next_due {
                    Some(due) => tokio::time::sleep_until(due.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                () = self.changed.notified() => {}
                () = &mut drained => break,
            }
        }
        self.close();
    }

    /// Starts what is due now; the time of the next event that is not.
    fn start_due(
        self: &Arc<Self>,
        registry: &Arc<Registry>,
        ids: &Arc<RequestIds>,
        running: &Arc<Running>,
    ) -> Option<Instant> {
        let mut state = self.lock();
        let now = Instant::now();
        let mut throttled = Vec::new();
        while let Some(Reverse(entry)) = state.waiting.pop() {
            if entry.due > now {
                let due = entry.due;
                state.waiting.push(Reverse(entry));
                state.put_back(throttled, now + THROTTLED);
                return Some(state.next_due().unwrap_or(due));
            }
            let event = entry.event;
            let function = &event.call().function;
            let too_old = now.saturating_duration_since(event.accepted) > self.settings.max_age;
            let permit = if too_old {
                None
            } else {
                Permit::acquire(function).ok()
            };
            if !too_old && permit.is_none() {
                self.counts.throttled.fetch_add(1, Ordering::Relaxed);
                throttled.push(event);
                continue;
            }
            let queue = Arc::clone(self);
            let (registry, ids, running) =
                (Arc::clone(registry), Arc::clone(ids), Arc::clone(running));
            tokio::spawn(async move {
                let stop = running.stop();
                tokio::select! {
                    () = queue.attempt(event, permit, &registry, &ids, &running) => {}
                    () = stop => {}
                }
            });
        }
        state.put_back(throttled, now + THROTTLED);
        state.next_due()
    }

    /// One attempt; without a permit the event was too old for it.
    async fn attempt(
        &self,
        mut event: Event,
        permit: Option<Permit>,
        registry: &Registry,
        ids: &RequestIds,
        running: &Arc<Running>,
    ) {
        let Some(permit) = permit else {
            return self.give_up(event, EventFailure::EventAgeExceeded, registry, ids);
        };
        event.attempts += 1;
        // A new invocation each time: it has its own time limit, and the same request id.
        let invocation = Invocation::new(event.payload.clone(), event.call.clone());
        let outcome = run::without_caller(&invocation, &event.handler, permit, running).await;
        let error = match outcome {
            Outcome::Answer(()) => {
                self.counts.succeeded.fetch_add(1, Ordering::Relaxed);
                return self.forget(&event);
            }
            Outcome::Failed(error) | Outcome::TimedOut(error) => error,
        };
        self.counts.failed.fetch_add(1, Ordering::Relaxed);
        event.last_error = Some(error.payload(event.call().request_id.as_str()));
        let Some(delay) = self.settings.retry_delays.get(event.attempts as usize - 1) else {
            return self.give_up(event, EventFailure::RetriesExhausted, registry, ids);
        };
        let mut state = self.lock();
        if state.closed {
            drop(state);
            return self.give_up(event, EventFailure::ShuttingDown, registry, ids);
        }
        state.push(Instant::now() + *delay, event);
        drop(state);
        self.changed.notify_one();
    }

    /// Sends an event to where the dead ones go, or counts it as lost.
    fn give_up(&self, event: Event, why: EventFailure, registry: &Registry, ids: &RequestIds) {
        self.forget(&event);
        let to = self
            .settings
            .dead_letter
            .as_ref()
            .filter(|_| !event.last_resort);
        let taken = match to {
            None => false,
            Some(DeadLetter::File(file)) => {
                let line = record(&event, why, SystemTime::now()).to_string();
                let written = write_line(file, line, &self.file);
                if let Err(error) = &written {
                    self.counts.dropped.fetch_add(1, Ordering::Relaxed);
                    (self.notice)(Notice::DeadLetterUnwritten {
                        file: file.clone(),
                        request_id: event.call().request_id.to_string(),
                        error: error.to_string(),
                    });
                    return;
                }
                true
            }
            Some(DeadLetter::Function(name)) => {
                self.call_function(&event, why, name, registry, ids)
            }
        };
        if taken {
            self.counts.dead_lettered.fetch_add(1, Ordering::Relaxed);
        } else {
            self.drop_event(&event, why);
        }
    }

    fn call_function(
        &self,
        event: &Event,
        why: EventFailure,
        name: &str,
        registry: &Registry,
        ids: &RequestIds,
    ) -> bool {
        let Some(function) = registry.get(name) else {
            return false;
        };
        let Some(resolved) = function.resolve(None) else {
            return false;
        };
        let call = Call {
            function: Arc::clone(function),
            qualifier: None,
            version: None,
            request_id: ids.next(),
            client_context: None,
            tenant_id: None,
            durable_execution_name: None,
            event: true,
            tail: false,
        };
        let payload = Bytes::from(record(event, why, SystemTime::now()).to_string());
        let mut letter = Event::new(payload, call, resolved.handler.clone());
        letter.last_resort = true;
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        // Not counted against the bounds: it takes the place of the event that has just left.
        state.events += 1;
        state.bytes += letter.payload().len();
        state.push(Instant::now(), letter);
        drop(state);
        self.changed.notify_one();
        true
    }

    fn forget(&self, event: &Event) {
        let mut state = self.lock();
        state.events -= 1;
        state.bytes -= event.payload().len();
    }

    fn drop_event(&self, event: &Event, why: EventFailure) {
        self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        (self.notice)(Notice::EventDropped {
            function: event.call().function.name().to_owned(),
            request_id: event.call().request_id.to_string(),
            why,
        });
    }

    /// Takes no more; what still waits is dropped.
    fn close(&self) {
        let waiting = {
            let mut state = self.lock();
            state.closed = true;
            std::mem::take(&mut state.waiting)
        };
        for Reverse(entry) in waiting {
            self.forget(&entry.event);
            self.drop_event(&entry.event, EventFailure::ShuttingDown);
        }
    }
}

impl State {
    fn push(&mut self, due: Instant, event: Event) {
        self.count += 1;
        self.waiting.push(Reverse(Entry {
            due,
            count: self.count,
            event,
        }));
    }

    fn put_back(&mut self, events: Vec<Event>, due: Instant) {
        for event in events {
            self.push(due, event);
        }
    }

    fn next_due(&self) -> Option<Instant> {
        self.waiting.peek().map(|Reverse(entry)| entry.due)
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("settings", &self.settings)
            .field("counters", &self.counters())
            .finish_non_exhaustive()
    }
}
