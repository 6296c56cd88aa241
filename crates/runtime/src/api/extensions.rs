//! The state of the extensions of one instance.

use std::collections::VecDeque;

/// The most extensions of an instance, as in the service.
const MOST: usize = 10;
/// The most events that wait for an extension that does not ask for them. Older ones are dropped.
const QUEUED: usize = 64;

/// An extension that has registered.
#[derive(Debug)]
struct Extension {
    id: String,
    invoke: bool,
    shutdown: bool,
    events: VecDeque<String>,
}

/// The extensions of one instance, without I/O or a clock.
#[derive(Debug, Default)]
pub struct Extensions {
    all: Vec<Extension>,
}

/// Why a request of an extension is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "the API has these rejections")]
pub enum ExtensionRejection {
    /// 403: there is no `Lambda-Extension-Identifier` of a registered extension.
    UnknownId,
    /// 403: no more extensions may register.
    TooMany,
}

impl Extensions {
    /// Registers an extension for `INVOKE` and `SHUTDOWN` events. `id` must be unique.
    ///
    /// # Errors
    ///
    /// [`ExtensionRejection::TooMany`] for the eleventh.
    pub fn register(
        &mut self,
        id: &str,
        invoke: bool,
        shutdown: bool,
    ) -> Result<(), ExtensionRejection> {
        if self.all.len() >= MOST {
            return Err(ExtensionRejection::TooMany);
        }
        self.all.push(Extension {
            id: id.to_owned(),
            invoke,
            shutdown,
            events: VecDeque::new(),
        });
        Ok(())
    }

    /// Whether any extension has registered: only then are processes sent SIGTERM before they are
    /// killed.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.all.is_empty()
    }

    /// Queues an `INVOKE` event, as JSON, for each extension that registered for it.
    pub fn invoke(&mut self, event: &str) {
        self.queue(event, |extension| extension.invoke);
    }

    /// Queues a `SHUTDOWN` event, as JSON, for each extension that registered for it.
    pub fn shutdown(&mut self, event: &str) {
        self.queue(event, |extension| extension.shutdown);
    }

    fn queue(&mut self, event: &str, wanted: impl Fn(&Extension) -> bool) {
        for extension in self.all.iter_mut().filter(|extension| wanted(extension)) {
            if extension.events.len() == QUEUED {
                extension.events.pop_front();
            }
            extension.events.push_back(event.to_owned());
        }
    }

    /// Takes the next event of an extension. `Ok(None)` means that it has to wait.
    ///
    /// # Errors
    ///
    /// [`ExtensionRejection::UnknownId`] if there is no such extension.
    pub fn take(&mut self, id: &str) -> Result<Option<String>, ExtensionRejection> {
        self.find(id).map(|extension| extension.events.pop_front())
    }

    /// Whether an extension has registered with this identifier.
    #[must_use]
    pub fn knows(&self, id: &str) -> bool {
        self.all.iter().any(|extension| extension.id == id)
    }

    fn find(&mut self, id: &str) -> Result<&mut Extension, ExtensionRejection> {
        self.all
            .iter_mut()
            .find(|extension| extension.id == id)
            .ok_or(ExtensionRejection::UnknownId)
    }
}
