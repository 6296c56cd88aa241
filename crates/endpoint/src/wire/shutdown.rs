//! Shutting an endpoint down: first it drains, then everything that still runs is dropped.

use std::fmt;
use std::future::Future;

use tokio::sync::{mpsc, watch};

/// The stages of a shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Serving,
    /// No new connections and requests; running ones may end.
    Draining,
    /// Everything that still runs is dropped.
    Stopped,
}

/// Shuts an endpoint down; held by its server.
#[derive(Debug)]
pub(crate) struct Switch {
    stage: watch::Sender<Stage>,
    /// Closed when the last [`Running`] is dropped.
    ended: mpsc::Receiver<()>,
    running: Option<Running>,
}

/// A guard held by everything that the shutdown waits for: connections, functions, the queue.
#[derive(Clone)]
pub(crate) struct Running {
    stage: watch::Receiver<Stage>,
    _ended: mpsc::Sender<()>,
}

impl Switch {
    pub(crate) fn new() -> Self {
        let (stage, stage_read) = watch::channel(Stage::Serving);
        let (ended_write, ended) = mpsc::channel(1);
        let running = Some(Running {
            stage: stage_read,
            _ended: ended_write,
        });
        Self {
            stage,
            ended,
            running,
        }
    }

    /// Returns a guard; `None` once the shutdown has started.
    pub(crate) fn running(&self) -> Option<Running> {
        self.running.clone()
    }

    /// Starts the shutdown.
    pub(crate) fn drain(&mut self) {
        self.running = None;
        self.stage.send_replace(Stage::Draining);
    }

    /// Waits until every guard is dropped.
    pub(crate) async fn ended(&mut self) {
        while self.ended.recv().await.is_some() {}
    }

    /// Drops everything that still runs.
    pub(crate) fn stop(&self) {
        self.stage.send_replace(Stage::Stopped);
    }
}

impl Running {
    /// Ready when the shutdown starts.
    pub(crate) fn drain(&self) -> impl Future<Output = ()> + Send + use<> {
        self.reached(Stage::Draining)
    }

    /// Ready when everything that still runs must be dropped.
    pub(crate) fn stop(&self) -> impl Future<Output = ()> + Send + use<> {
        self.reached(Stage::Stopped)
    }

    fn reached(&self, stage: Stage) -> impl Future<Output = ()> + Send + use<> {
        let mut read = self.stage.clone();
        async move {
            // An error means that the switch was dropped, as when a server is dropped.
            let _ = read.wait_for(|now| *now >= stage).await;
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Running")
            .field(&*self.stage.borrow())
            .finish()
    }
}
