//! Ctrl-C and SIGTERM: the first asks the endpoint to end, the second ends it.

use crate::exit::{Exit, Failure};

/// What a person or a supervisor sends to end the program.
#[derive(Debug)]
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    /// Takes the signals over; from now on they end nothing by themselves.
    ///
    /// # Errors
    ///
    /// If the operating system does not let it.
    #[cfg(unix)]
    pub(crate) fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let taken = |kind| {
            signal(kind)
                .map_err(|error| Failure::new(Exit::Transport, format!("no signals: {error}")))
        };
        Ok(Self {
            interrupt: taken(SignalKind::interrupt())?,
            terminate: taken(SignalKind::terminate())?,
        })
    }

    #[cfg(not(unix))]
    pub(crate) fn new() -> Result<Self, Failure> {
        Ok(Self {})
    }

    /// Waits for the next of them.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // Nothing will ever come then: serve until the process is ended.
            std::future::pending::<()>().await;
        }
    }
}
