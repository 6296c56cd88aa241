//! Ending an endpoint: first everyone is asked, then, after a limit, everything stops.

use std::fmt;
use std::future::Future;

use tokio::sync::{mpsc, watch};

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Serving,
    /// No more connections and requests; what runs may end.
    Draining,
    /// What still runs is dropped.
    Stopped,
}

/// Ends an endpoint: held by its server.
#[derive(Debug)]
pub(crate) struct Switch {
    stage: watch::Sender<Stage>,
    /// Closed as soon as the last [`Running`] is gone.
    ended: mpsc::Receiver<()>,
    running: Option<Running>,
}

/// Held by whatever must have ended before the endpoint has: connections, functions, the queue.
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

    /// A share in what must end first; `None` once the end has begun.
    pub(crate) fn running(&self) -> Option<Running> {
        self.running.clone()
    }

    /// Asks everything to end.
    pub(crate) fn drain(&mut self) {
        self.running = None;
        self.stage.send_replace(Stage::Draining);
    }

    /// Waits until everything has ended.
    pub(crate) async fn ended(&mut self) {
        while self.ended.recv().await.is_some() {}
    }

    /// Drops what still runs.
    pub(crate) fn stop(&self) {
        self.stage.send_replace(Stage::Stopped);
    }
}

impl Running {
    /// Ready when the end begins.
    pub(crate) fn drain(&self) -> impl Future<Output = ()> + Send + use<> {
        self.reached(Stage::Draining)
    }

    /// Ready when what still runs must be dropped.
    pub(crate) fn stop(&self) -> impl Future<Output = ()> + Send + use<> {
        self.reached(Stage::Stopped)
    }

    fn reached(&self, stage: Stage) -> impl Future<Output = ()> + Send + use<> {
        let mut read = self.stage.clone();
        async move {
            // An error means that the switch is gone without a word, as when a server is dropped.
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
