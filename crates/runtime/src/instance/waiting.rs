//! The requests that wait for an event, and are answered with one.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use super::{Delivery, Instance, State};
use crate::api::{PollId, Rejection};

/// A request that waits for an event. It is canceled if its connection closes.
pub(super) struct Waiting {
    instance: Arc<Instance>,
    poll: PollId,
    event: oneshot::Receiver<Delivery>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut state = self.instance.lock();
        state.machine.cancel(self.poll);
        state.polls.remove(self.poll);
        // A runtime or an extension that does not ask again must not hold up the instance forever.
        if state.settle.is_none() && state.is_held_up() {
            state.settle = Some(Instant::now() + self.instance.program.init_limit());
            drop(state);
            self.instance.wake.notify_one();
        }
    }
}

impl Waiting {
    /// Registers a request, if the machine allows it. `allow` returns whether that concerns the task of
    /// the instance; otherwise its pool may have a call for it.
    pub(super) fn new(
        instance: &Arc<Instance>,
        allow: impl FnOnce(&mut State, PollId) -> Result<bool, Rejection>,
    ) -> Result<Self, Rejection> {
        let (sender, event) = oneshot::channel();
        let mut state = instance.lock();
        let poll = state.next_poll;
        state.next_poll += 1;
        let wakes_task = allow(&mut state, poll)?;
        state.polls.add(poll, sender);
        drop(state);
        // From here on, the request is canceled if this is dropped.
        let waiting = Self {
            instance: Arc::clone(instance),
            poll,
            event,
        };
        if wakes_task {
            instance.wake.notify_one();
        } else if let Some(owner) = instance.owner.upgrade() {
            owner.ready(instance);
        }
        Ok(waiting)
    }

    pub(super) async fn event(mut self) -> Result<Delivery, Rejection> {
        let event = (&mut self.event).await;
        event.map_err(|_| Rejection::InvalidStateTransition)
    }
}

/// Registers a request of the runtime.
pub(super) fn poll(instance: &Arc<Instance>) -> Result<Waiting, Rejection> {
    Waiting::new(instance, |state, poll| {
        if state.machine.poll(poll)? {
            state.init_duration = Some(state.started.elapsed());
            state.ready = true;
        }
        // An extension that does not ask for an event must not hold up the instance forever, even if the
        // runtime asks again and again.
        let held_up = state.is_held_up();
        let since = state.settle.filter(|_| state.asked);
        let limit = instance.program.init_limit();
        state.settle = held_up.then(|| since.unwrap_or_else(|| Instant::now() + limit));
        state.asked = true;
        Ok(state.retired || held_up)
    })
}
