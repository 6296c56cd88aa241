//! An endpoint that serves, and its shutdown.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use super::Endpoint;
use crate::wire::shutdown::{Running, Switch};

/// An endpoint that serves until it is shut down. Dropping it stops it at once.
#[derive(Debug)]
pub(super) struct Serving {
    endpoint: Endpoint,
    /// `None` once it has been shut down.
    switch: Mutex<Option<Switch>>,
}

impl Serving {
    /// Starts the queue of events.
    pub(super) fn new(endpoint: Endpoint) -> Self {
        let switch = Switch::new();
        if let Some(running) = switch.running() {
            endpoint.start_queue(&running);
        }
        Self {
            endpoint,
            switch: Mutex::new(Some(switch)),
        }
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns a guard for a connection or a listener; `None` once the shutdown has started.
    pub(super) fn running(&self) -> Option<Running> {
        let switch = self.switch.lock().unwrap_or_else(PoisonError::into_inner);
        switch.as_ref()?.running()
    }

    /// Drains, then stops once the grace period is over. Returns whether everything ended before.
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
        self.endpoint.site.service.registry.shutdown().await;
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
            switch.stop();
        }
    }
}
