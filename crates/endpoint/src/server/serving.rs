//! A site while it is being served, and its shutdown.

use std::future::Future;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use super::site::Site;
use crate::event::work;
use crate::wire::shutdown::{Running, Switch};

/// A site that is served until it is shut down. Dropping this stops it at once.
#[derive(Debug)]
pub(super) struct Serving {
    site: Arc<Site>,
    /// `None` once it has been shut down.
    switch: Mutex<Option<Switch>>,
}

impl Serving {
    /// Starts the queue of events.
    pub(super) fn new(site: &Arc<Site>) -> Self {
        site.servers.fetch_add(1, Ordering::AcqRel);
        let switch = Switch::new();
        if let Some(running) = switch.running() {
            start_queue(site, running);
        }
        Self {
            site: Arc::clone(site),
            switch: Mutex::new(Some(switch)),
        }
    }

    pub(super) fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// Returns a guard for a connection or a listener; `None` once the shutdown has started.
    pub(super) fn running(&self) -> Option<Running> {
        let switch = self.switch.lock().unwrap_or_else(PoisonError::into_inner);
        switch.as_ref()?.running()
    }

    /// Drains, then stops when the grace period is over. The programs end with the last server of a
    /// site. Returns whether everything ended before that.
    pub(super) async fn shutdown_until(&self, over: impl Future<Output = ()>) -> bool {
        let switch = self
            .switch
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut switch) = switch else {
            return true;
        };
        switch.drain();
        let in_time = tokio::select! {
            () = switch.ended() => true,
            () = over => false,
        };
        if !in_time {
            switch.stop();
            switch.ended().await;
        }
        if self.site.servers.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.site.service.registry.shutdown().await;
        }
        in_time
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let switch = self
            .switch
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(switch) = switch {
            self.site.servers.fetch_sub(1, Ordering::AcqRel);
            switch.stop();
        }
    }
}

/// Runs the events of a site until the shutdown.
pub(super) fn start_queue(site: &Site, running: Running) {
    let service = &site.service;
    let (registry, ids) = (&service.registry, &service.ids);
    let journal = service.journal.clone();
    tokio::spawn(work(&service.queue, registry, ids, journal, running));
}
