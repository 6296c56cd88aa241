//! What an instance takes, and when it is idle: calls are handed to its runtime, and end.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderValue, Response};
use http_body_util::Full;

use super::call::Call;
use super::digits::hex;
use super::serve::invoke_event;
use super::{Delivery, Instance, epoch_ms};
use crate::api::header;
use crate::process::Memory;
use crate::{Failure, Head, Outcome};

/// What was left when the process of an instance ended.
pub(super) struct Closed {
    /// The invocations that ran.
    pub(super) running: Vec<Arc<str>>,
    /// The error that the runtime or an extension reported.
    pub(super) init_failure: Option<Failure>,
    /// Whether the instance has received an invocation.
    pub(super) served: bool,
}

impl Instance {
    /// Whether a call can be delivered now.
    pub(crate) fn can_take(&self) -> bool {
        let state = self.lock();
        !state.retired && !state.stopped && state.machine.can_take()
    }

    /// Delivers a call to the runtime, or returns the call if it cannot be taken now.
    pub(crate) fn hand(&self, mut call: Box<Call>) -> Result<(), Box<Call>> {
        let mut state = self.lock();
        if state.retired || state.stopped {
            return Err(call);
        }
        while state.machine.can_take() {
            state.nonce = state.nonce.wrapping_add(1);
            let nonce = hex(state.nonce);
            let nonce = std::str::from_utf8(&nonce).unwrap_or_default();
            let Some(handed) = state.machine.hand(&call.request_id, nonce) else {
                break;
            };
            let timeout = self.program.timeout;
            let deadline_ms = epoch_ms(timeout);
            let delivery = delivery(&mut call, nonce, deadline_ms);
            let unsent = match state.polls.remove(handed.runtime) {
                Some(poll) => poll.send(delivery).err(),
                None => Some(delivery),
            };
            if let Some(unsent) = unsent {
                call.headers = unsent.into_parts().0.headers;
                state.machine.take_back(&call.request_id);
                continue;
            }
            for extension in handed.extensions {
                if let Some(poll) = state.polls.remove(extension) {
                    let event = invoke_event(&call, &self.program, deadline_ms);
                    let _ = poll.send(event);
                }
            }
            let now = Instant::now();
            call.started = Some(now);
            call.deadline = Some(now + timeout);
            call.init_duration = state.init_duration.take();
            for line in Vec::from(std::mem::take(&mut state.init_log)) {
                call.log(line);
            }
            call.span.handed(self.number);
            state.settle = None;
            state.asked = false;
            state.served = true;
            let rearm = state.armed.is_none_or(|armed| armed > now + timeout)
                || !(call.without_memory || state.samples);
            state.calls.push(call);
            drop(state);
            if rearm {
                self.wake.notify_one();
            }
            return Ok(());
        }
        Err(call)
    }

    /// Whether the instance will take an invocation soon: it is starting, or it has responded but
    /// not yet asked for the next event.
    pub(crate) fn is_starting(&self) -> bool {
        let state = self.lock();
        !state.retired && !state.stopped && state.machine.is_initializing()
    }

    pub(crate) fn is_settling(&self) -> bool {
        let state = self.lock();
        !state.retired && !state.stopped && state.machine.has_room() && !state.machine.can_take()
    }

    /// Ends the instance as soon as it is idle.
    pub(crate) fn retire(&self) {
        self.lock().retired = true;
        self.wake.notify_one();
    }

    /// Whether the runtime is waiting for an event and nothing is running.
    pub(crate) fn is_idle(&self) -> bool {
        let state = self.lock();
        !state.retired && state.machine.can_take() && state.machine.running() == 0
    }

    /// Ends the instance if it is idle, so that another one can start. Returns whether it will end.
    pub(crate) fn retire_if_idle(&self) -> bool {
        let idle = self.is_idle();
        if idle {
            self.retire();
        }
        idle
    }

    /// Ends the instance and its invocations.
    pub(crate) fn stop(&self) {
        self.lock().stopped = true;
        self.wake.notify_one();
    }

    /// Ends an invocation. Nothing happens if it has ended already.
    pub(super) fn finish(
        &self,
        request_id: &str,
        outcome: Outcome,
        buffered: Option<(Head, Bytes)>,
    ) {
        self.read_output();
        let mut state = self.lock();
        state.machine.end(request_id);
        let place = state
            .calls
            .iter()
            .position(|call| &*call.request_id == request_id);
        let Some(place) = place else {
            return;
        };
        let call = state.calls.swap_remove(place);
        if state.is_held_up() {
            state.settle = call.deadline;
        }
        let memory = match call.without_memory {
            true => None,
            false => state.memory.as_mut().map(Memory::peak),
        };
        let retired = state.retired;
        // A runtime may have asked for more events than it was given.
        let is_free = !retired && state.machine.can_take();
        drop(state);
        self.over.notify_waiters();
        call.finish(outcome, buffered, memory);
        if retired {
            self.wake.notify_one();
        }
        let owner = is_free.then(|| self.owner.upgrade()).flatten();
        if let Some(owner) = owner {
            owner.ready(self);
        }
    }

    /// Ends what the instance did for its runtime, whose process has ended.
    pub(super) fn close(&self) -> Closed {
        let mut state = self.lock();
        state.retired = true;
        state.machine.close();
        state.polls.clear();
        Closed {
            running: state
                .calls
                .iter()
                .map(|call| Arc::clone(&call.request_id))
                .collect(),
            init_failure: state.init_failure.take(),
            served: state.served,
        }
    }
}

/// The event for the runtime, with the headers of the call, which are taken out of the call.
fn delivery(call: &mut Call, nonce: &str, deadline_ms: u64) -> Delivery {
    let mut response = Response::new(Full::new(call.payload.clone()));
    let mut headers = std::mem::take(&mut call.headers);
    for (name, value) in &mut headers {
        let own = match name {
            name if *name == header::DEADLINE => Some(HeaderValue::from(deadline_ms)),
            name if *name == header::INVOCATION_ID => HeaderValue::from_str(nonce).ok(),
            _ => continue,
        };
        if let Some(own) = own {
            *value = own;
        }
    }
    *response.headers_mut() = headers;
    response
}
