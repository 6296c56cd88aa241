//! The extensions of an instance.

use super::rejection::Rejection;
use crate::limits::MAX_EXTENSIONS;

/// A request that waits for an event, as a number that the caller chose.
pub type PollId = u64;

/// An extension, counted from 0 in each instance.
pub type ExtensionId = usize;

/// The events that an extension asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs)]
pub struct Subscriptions {
    /// `INVOKE`.
    pub invoke: bool,
    /// `SHUTDOWN`.
    pub shutdown: bool,
}

#[derive(Debug)]
struct Extension {
    events: Subscriptions,
    poll: Option<PollId>,
}

#[derive(Debug, Default)]
pub(super) struct Extensions(Vec<Extension>);

impl Extensions {
    pub(super) fn register(&mut self, events: Subscriptions) -> Result<ExtensionId, Rejection> {
        if self.0.len() >= MAX_EXTENSIONS {
            return Err(Rejection::TooManyExtensions);
        }
        self.0.push(Extension { events, poll: None });
        Ok(self.0.len() - 1)
    }

    pub(super) fn contains(&self, id: ExtensionId) -> bool {
        id < self.0.len()
    }

    pub(super) fn wants_shutdown(&self, id: ExtensionId) -> bool {
        self.0
            .get(id)
            .is_some_and(|extension| extension.events.shutdown)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn poll(&mut self, id: ExtensionId, poll: PollId) -> Result<(), Rejection> {
        let extension = self.0.get_mut(id).ok_or(Rejection::UnknownExtension)?;
        if extension.poll.is_some() {
            return Err(Rejection::InvalidStateTransition);
        }
        extension.poll = Some(poll);
        Ok(())
    }

    pub(super) fn cancel(&mut self, poll: PollId) {
        for extension in &mut self.0 {
            extension.poll = extension.poll.filter(|waiting| *waiting != poll);
        }
    }

    /// Whether each extension that is subscribed to invocations is waiting for one.
    pub(super) fn ready(&self) -> bool {
        self.0
            .iter()
            .all(|extension| !extension.events.invoke || extension.poll.is_some())
    }

    /// Takes the polls of the extensions whose subscription `wants` accepts.
    pub(super) fn take(&mut self, wants: impl Fn(&Subscriptions) -> bool) -> Vec<PollId> {
        self.0
            .iter_mut()
            .filter(|extension| wants(&extension.events))
            .filter_map(|extension| extension.poll.take())
            .collect()
    }
}
