//! Ctrl-C, SIGTERM and SIGHUP: the first starts a graceful shutdown, a second one forces the exit.

#[cfg(unix)]
use crate::exit::Exit;
use crate::exit::Failure;

/// The signals that a user, a supervisor or a closing terminal sends to end the program.
#[derive(Debug)]
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    /// `None` if it was already ignored, as under `nohup`.
    #[cfg(unix)]
    hang_up: Option<tokio::signal::unix::Signal>,
}

impl Signals {
    /// Installs handlers for the signals, which then no longer end the process by themselves.
    ///
    /// # Errors
    ///
    /// If the operating system does not allow it.
    #[cfg(unix)]
    pub(crate) fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let handle = |kind| {
            signal(kind).map_err(|error| {
                Failure::new(Exit::Transport, format!("cannot handle signals: {error}"))
            })
        };
        let hang_up = match is_hang_up_ignored() {
            true => None,
            false => Some(handle(SignalKind::hangup())?),
        };
        Ok(Self {
            interrupt: handle(SignalKind::interrupt())?,
            terminate: handle(SignalKind::terminate())?,
            hang_up,
        })
    }

    #[cfg(not(unix))]
    pub(crate) fn new() -> Result<Self, Failure> {
        Ok(Self {})
    }

    /// Waits for any of the signals.
    #[cfg(unix)]
    pub(crate) async fn first(&mut self) {
        let Self {
            interrupt,
            terminate,
            hang_up,
        } = self;
        let hung_up = async {
            match hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hung_up => {}
        }
    }

    /// Waits for a second signal, which forces the exit. SIGHUP does not count: a closing terminal may
    /// send it twice.
    #[cfg(unix)]
    pub(crate) async fn again(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    pub(crate) async fn first(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // No signal can be received, so serve until the process is killed.
            std::future::pending::<()>().await;
        }
    }

    #[cfg(not(unix))]
    pub(crate) async fn again(&mut self) {
        self.first().await;
    }
}

/// Whether SIGHUP was ignored when the program started, and so must stay ignored. Without unsafe
/// code, only `/proc` says so; where it does not exist, SIGHUP is left alone.
#[cfg(unix)]
fn is_hang_up_ignored() -> bool {
    std::fs::read_to_string("/proc/self/status").map_or(true, |status| ignores_hang_up(&status))
}

/// Whether the first bit of `SigIgn` is set: SIGHUP is signal 1.
#[cfg(unix)]
fn ignores_hang_up(status: &str) -> bool {
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_none_or(|mask| mask & 1 == 1)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn reads_from_the_process_status_whether_sighup_is_ignored() {
        for (status, ignored) in [
            ("Name:\tx\nSigIgn:\t0000000000000001\n", true),
            ("SigIgn:\t0000000000001003\n", true),
            (
                "SigIgn:\t0000000000001000\nSigCgt:\t0000000000000001\n",
                false,
            ),
            ("SigIgn:\t0000000000000002\n", false),
            ("", true),
        ] {
            assert_eq!(ignores_hang_up(status), ignored, "{status}");
        }
    }
}
