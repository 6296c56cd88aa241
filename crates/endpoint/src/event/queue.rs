//! The event queue: its limits, counters and due times.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::future::{Future, pending};
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::dead_letter::LetterFile;
use super::entry::{Entry, Event};
use super::notice::{EventCounters, EventFailure, Notice};
use super::owned::Owned;
use super::settings::{DeadLetter, EventSettings};
use super::sync::{Mutex, MutexGuard};
use crate::run::concurrency::Permit;

/// How long a throttled event waits.
pub(super) const THROTTLED: Duration = Duration::from_millis(100);

#[derive(Default)]
pub(super) struct State {
    pub(super) waiting: BinaryHeap<Reverse<Entry>>,
    /// The number of accepted events that have not ended, and the bytes that they use.
    pub(super) events: usize,
    pub(super) bytes: usize,
    count: u64,
    /// Events are accepted only while there are workers to run them.
    pub(super) workers: usize,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) accepted: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) succeeded: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) throttled: AtomicU64,
    pub(super) dead_lettered: AtomicU64,
    pub(super) dropped: AtomicU64,
}

/// The endpoint's events.
///
/// Each accepted event ends in a success, in the dead letter, or in a loss that is counted and
/// reported.
pub(crate) struct Queue {
    pub(super) settings: EventSettings,
    /// The dead-letter file, if there is one.
    pub(super) file: Option<LetterFile>,
    state: Mutex<State>,
    pub(super) counts: Counts,
    pub(super) changed: Notify,
    pub(super) notice: Arc<dyn Fn(Notice) + Send + Sync>,
}

impl Queue {
    /// # Errors
    ///
    /// If the dead-letter file cannot be opened.
    pub(crate) fn new(
        settings: EventSettings,
        notice: Arc<dyn Fn(Notice) + Send + Sync>,
    ) -> io::Result<Self> {
        let file = match &settings.dead_letter {
            Some(DeadLetter::File(path)) => Some(LetterFile::open(path)?),
            Some(DeadLetter::Function(_)) | None => None,
        };
        Ok(Self {
            settings,
            file,
            state: Mutex::default(),
            counts: Counts::default(),
            changed: Notify::new(),
            notice,
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Accepts all of the events or, if the queue is full, none of them.
    pub(crate) fn accept(&self, events: Vec<Event>) -> bool {
        let bytes: usize = events.iter().map(Event::held).sum();
        let mut state = self.lock();
        let fits = state.workers > 0
            && state.events + events.len() <= self.settings.length
            && state.bytes.saturating_add(bytes) <= self.settings.bytes;
        if !fits {
            drop(state);
            self.counts.rejected.fetch_add(1, Ordering::Relaxed);
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

    /// Calls `start_due`, which returns the time at which the next event is due: at once, whenever the
    /// queue changes, and at that time. Ends when `drained` is ready.
    pub(super) async fn watch(
        &self,
        drained: impl Future<Output = ()>,
        mut start_due: impl FnMut() -> Option<Instant>,
    ) {
        let mut drained = pin!(drained);
        loop {
            let next_due = start_due();
            let due = async {
                match next_due {
                    Some(due) => tokio::time::sleep_until(due.into()).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                // Any order is right; loom needs one that is the same each time.
                biased;
                () = &mut drained => return,
                () = self.changed.notified() => {}
                () = due => {}
            }
        }
    }

    /// Takes the due events from the queue: with a permit to run, or without one if they are too
    /// old. Returns the time at which the next one is due.
    pub(super) fn take_due(
        self: &Arc<Self>,
        now: Instant,
        taken: &mut Vec<(Owned, Option<Permit>)>,
    ) -> Option<Instant> {
        let mut throttled = Vec::new();
        let mut state = self.lock();
        while let Some(Reverse(entry)) = state.waiting.pop() {
            if entry.due > now {
                state.waiting.push(Reverse(entry));
                break;
            }
            let event = entry.event;
            let age = now.saturating_duration_since(event.accepted);
            if age > self.settings.max_age {
                taken.push((Owned::new(self, event), None));
                continue;
            }
            match Permit::acquire(&event.limits) {
                Ok(permit) => taken.push((Owned::new(self, event), Some(permit))),
                Err(_) => throttled.push(event),
            }
        }
        let count = throttled.len() as u64;
        self.counts.throttled.fetch_add(count, Ordering::Relaxed);
        state.put_back(throttled, now + THROTTLED);
        state.next_due()
    }

    pub(crate) fn counters(&self) -> EventCounters {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        EventCounters {
            accepted: read(&self.counts.accepted),
            rejected: read(&self.counts.rejected),
            queued: self.lock().events as u64,
            succeeded: read(&self.counts.succeeded),
            failed: read(&self.counts.failed),
            throttled: read(&self.counts.throttled),
            dead_lettered: read(&self.counts.dead_lettered),
            dropped: read(&self.counts.dropped),
        }
    }

    pub(super) fn forget(&self, event: &Event) {
        let mut state = self.lock();
        state.events -= 1;
        state.bytes -= event.held();
    }

    pub(super) fn lose(&self, event: &Event, why: EventFailure) {
        self.forget(event);
        self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        (self.notice)(Notice::EventDropped {
            function: event.call().function.name.clone(),
            request_id: event.call().request_id.to_string(),
            why,
        });
    }
}

impl State {
    pub(super) fn push(&mut self, due: Instant, event: Event) {
        self.count += 1;
        self.waiting.push(Reverse(Entry {
            due,
            count: self.count,
            event,
        }));
    }

    pub(super) fn put_back(&mut self, events: Vec<Event>, due: Instant) {
        for event in events {
            self.push(due, event);
        }
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
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
