//! Who owns an event that is not in the queue, and who keeps the queue open.

use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;

use super::entry::Event;
use super::notice::EventFailure;
use super::queue::{Queue, THROTTLED};
use crate::function::invocation::later;

/// An event taken from the queue. If it is dropped before it is settled or queued again, as at the
/// end of the grace period, it is lost.
pub(super) struct Owned {
    queue: Arc<Queue>,
    pub(super) event: Option<Event>,
}

impl Owned {
    pub(super) fn new(queue: &Arc<Queue>, event: Event) -> Self {
        Self {
            queue: Arc::clone(queue),
            event: Some(event),
        }
    }

    /// Removes an event that has ended.
    pub(super) fn settle(mut self) {
        if let Some(event) = self.event.take() {
            self.queue.forget(&event);
        }
    }

    pub(super) fn lose(mut self, why: EventFailure) {
        if let Some(event) = self.event.take() {
            self.queue.lose(&event, why);
        }
    }

    /// Queues an event that a program could not take, which does not count as an attempt. If the queue is
    /// closed, the event is returned.
    pub(super) fn put_back_throttled(mut self) -> Option<Self> {
        let mut event = self.event.take()?;
        event.attempts -= 1;
        let queue = Arc::clone(&self.queue);
        queue.counts.throttled.fetch_add(1, Ordering::Relaxed);
        let mut state = queue.lock();
        if state.workers == 0 {
            self.event = Some(event);
            return Some(self);
        }
        state.push(Instant::now() + THROTTLED, event);
        queue.changed.notify_one();
        None
    }

    /// Queues a failed event, with its error, for its next attempt, or returns why there is no next attempt.
    pub(super) fn put_back(&mut self, error: Bytes) -> Option<EventFailure> {
        let queue = &self.queue;
        let mut event = self.event.take()?;
        let delay = queue.settings.retry_delays.get(event.attempts as usize - 1);
        queue.counts.failed.fetch_add(1, Ordering::Relaxed);
        let mut state = queue.lock();
        state.bytes -= event.held();
        event.last_error = Some(error);
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
        self.event = Some(event);
        Some(why)
    }

    /// Queues a dead letter in place of this event, or returns it if the queue is closed.
    pub(super) fn hand_over(self, letter: Event) -> Option<Self> {
        let queue = &self.queue;
        let mut state = queue.lock();
        // The letter does not count against the limits, since the event leaves the queue.
        state.events += 1;
        state.bytes += letter.held();
        let returned = if state.workers > 0 {
            state.push(Instant::now(), letter);
            queue.changed.notify_one();
            None
        } else {
            Some(Self::new(queue, letter))
        };
        drop(state);
        self.settle();
        returned
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(event) = self.event.take() {
            self.queue.lose(&event, EventFailure::ShuttingDown);
        }
    }
}

/// A worker of a queue, which keeps it open.
pub(super) struct Open(Option<Arc<Queue>>);

impl Open {
    pub(super) fn new(queue: &Arc<Queue>) -> Self {
        queue.lock().workers += 1;
        Self(Some(Arc::clone(queue)))
    }

    /// Closes the queue if this is its last worker, and returns the events that still wait.
    pub(super) fn close(&mut self) -> Vec<Owned> {
        let Some(queue) = self.0.take() else {
            return Vec::new();
        };
        let mut state = queue.lock();
        state.workers -= 1;
        if state.workers > 0 {
            // Only this worker may have been woken for an event that waits.
            queue.changed.notify_one();
            return Vec::new();
        }
        // In the order of their due times: `Reverse` sorts the earliest last.
        let waiting = std::mem::take(&mut state.waiting).into_sorted_vec();
        drop(state);
        let events = waiting.into_iter().rev();
        events
            .map(|Reverse(entry)| Owned::new(&queue, entry.event))
            .collect()
    }
}

/// A worker can be dropped before it ends, for example with its runtime; the waiting events are
/// then lost.
impl Drop for Open {
    fn drop(&mut self) {
        drop(self.close());
    }
}
