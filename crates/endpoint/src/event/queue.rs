//! The event queue: its limits, counters and due times.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::dead_letter::LetterFile;
use super::entry::{Entry, Event};
use super::notice::{EventCounters, EventFailure, Notice};
use super::settings::{DeadLetter, EventSettings};

#[derive(Default)]
pub(super) struct State {
    pub(super) waiting: BinaryHeap<Reverse<Entry>>,
    /// The number of accepted events that have not ended, and the bytes that they hold.
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
