//! Events and queue entries.

use std::mem::size_of;
use std::time::Instant;

use bytes::Bytes;

use crate::function::Handler;
use crate::function::invocation::Call;
use crate::run::concurrency::Limits;

/// An asynchronous call.
pub(crate) struct Event {
    payload: Bytes,
    call: Call,
    pub(super) handler: Handler,
    pub(super) limits: Limits,
    pub(super) accepted: Instant,
    pub(super) attempts: u32,
    /// The response of the last attempt, if it failed.
    pub(super) last_error: Option<Bytes>,
    /// Whether the event is itself a dead letter, which is dropped if it fails.
    pub(super) last_resort: bool,
}

impl Event {
    /// Creates an event. The payload must own exactly its bytes, since only those are counted.
    pub(crate) fn new(payload: Bytes, call: Call, handler: Handler, limits: Limits) -> Self {
        Self {
            payload,
            call,
            handler,
            limits,
            accepted: Instant::now(),
            attempts: 0,
            last_error: None,
            last_resort: false,
        }
    }

    /// Returns this many events for the same call.
    pub(crate) fn times(self, count: usize) -> Vec<Self> {
        let copy = || {
            Self::new(
                self.payload.clone(),
                self.call.clone(),
                self.handler.clone(),
                self.limits.clone(),
            )
        };
        let mut events: Vec<_> = std::iter::repeat_with(copy)
            .take(count.saturating_sub(1))
            .collect();
        events.push(self);
        events
    }

    pub(super) fn call(&self) -> &Call {
        &self.call
    }

    pub(super) fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// Returns the memory that the event uses, in bytes.
    pub(super) fn held(&self) -> usize {
        let call = &self.call;
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::capacity);
        let bytes = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::capacity);
        size_of::<Entry>()
            + self.payload.len()
            + self.last_error.as_ref().map_or(0, Bytes::len)
            + text(&call.qualifier)
            + text(&call.tenant_id)
            + text(&call.durable_execution_name)
            + text(&call.trace_id)
            + bytes(&call.client_context)
    }
}

/// An event with its due time. The count keeps events that are due at the same time in order.
pub(super) struct Entry {
    pub(super) due: Instant,
    pub(super) count: u64,
    pub(super) event: Event,
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
