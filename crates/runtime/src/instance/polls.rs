//! The requests that wait for an event.

use tokio::sync::oneshot;

use super::Delivery;
use crate::api::PollId;

/// The waiting requests by their numbers. There are few, those of the runtime and one of each extension,
/// so that a search takes less than a hash.
#[derive(Debug, Default)]
pub(super) struct Polls(Vec<(PollId, oneshot::Sender<Delivery>)>);

impl Polls {
    pub(super) fn add(&mut self, poll: PollId, sender: oneshot::Sender<Delivery>) {
        self.0.push((poll, sender));
    }

    pub(super) fn remove(&mut self, poll: PollId) -> Option<oneshot::Sender<Delivery>> {
        let place = self.0.iter().position(|(waiting, _)| *waiting == poll)?;
        Some(self.0.swap_remove(place).1)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
