//! Ctrl-C: ends the program immediately, whatever the program is waiting for. SIGTERM counts as
//! Ctrl-C: its default action would leave temporary files and half a JSON document.
//!
//! A dedicated thread receives the signal, so that no blocking read, write, lookup or lock of a
//! command can delay it. A command that has something to finish catches the first Ctrl-C with
//! [`Catch`], and then has [`PATIENCE`] to do so; a second Ctrl-C always ends the program. A
//! command that takes long to finish catches two with [`CatchTwice`]: it has unlimited time after
//! the first, and [`PATIENCE`] after the second. `serve` does not use this module; it handles its own
//! signals.

use std::future::pending;
use std::process;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use crate::exit::call_state::call_state;
use crate::exit::{Exit, Failure};

/// How long a command may take to finish after it caught Ctrl-C.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long writing the report may take, since stderr may have no reader.
const REPORT: Duration = Duration::from_millis(200);

/// How many [`Catch`]es exist.
static CATCHING: AtomicUsize = AtomicUsize::new(0);

static CAUGHT: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::channel(false).0);

/// While it exists, the first Ctrl-C is reported to it instead of ending the program.
#[derive(Debug)]
pub(crate) struct Catch(watch::Receiver<bool>);

impl Catch {
    pub(crate) fn new() -> Self {
        let receiver = CAUGHT.subscribe();
        CATCHING.fetch_add(1, Ordering::SeqCst);
        Self(receiver)
    }

    /// Waits for Ctrl-C.
    pub(crate) async fn caught(&mut self) {
        if self.0.wait_for(|caught| *caught).await.is_err() {
            pending().await
        }
    }
}

impl Drop for Catch {
    fn drop(&mut self) {
        CATCHING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// How many [`CatchTwice`]s exist.
static CATCHING_TWICE: AtomicUsize = AtomicUsize::new(0);

static CAUGHT_AGAIN: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::channel(false).0);

/// While it exists, the first Ctrl-C and the second are reported to it.
#[derive(Debug)]
pub(crate) struct CatchTwice {
    first: Catch,
    again: watch::Receiver<bool>,
}

impl CatchTwice {
    pub(crate) fn new() -> Self {
        let again = CAUGHT_AGAIN.subscribe();
        CATCHING_TWICE.fetch_add(1, Ordering::SeqCst);
        Self {
            first: Catch::new(),
            again,
        }
    }

    /// Waits for the next Ctrl-C after `before` of them.
    pub(crate) async fn caught(&mut self, before: u8) {
        match before {
            0 => self.first.caught().await,
            1 if self.again.wait_for(|caught| *caught).await.is_ok() => {}
            _ => pending().await,
        }
    }
}

impl Drop for CatchTwice {
    fn drop(&mut self) {
        CATCHING_TWICE.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Turns each SIGTERM, which supervisors send to end a program, into a SIGINT.
#[cfg(unix)]
fn catch_termination() {
    use rustix::process::{Signal, getpid, kill_process};
    use tokio::signal::unix::{SignalKind, signal};
    // If the operating system does not allow it, SIGTERM keeps its default action.
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return;
    };
    tokio::spawn(async move {
        while terminated.recv().await.is_some() {
            // A process may send signals to itself.
            let _ = kill_process(getpid(), Signal::INT);
        }
    });
}

/// The failure of a command that Ctrl-C ended. It is reported only as JSON, since the user pressed
/// Ctrl-C.
pub(crate) fn interrupted() -> Failure {
    Failure::json_only(Exit::Interrupted, "interrupted by Ctrl-C or SIGTERM")
        .with("kind", "interrupted")
}

/// Starts handling Ctrl-C. If the operating system does not allow it, Ctrl-C keeps its default
/// action.
pub(crate) fn watch() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else { return };
    // Installed before the command starts.
    let signal = runtime.block_on(async {
        #[cfg(unix)]
        catch_termination();
        signal()
    });
    let Ok(mut signal) = signal else { return };
    std::thread::spawn(move || {
        runtime.block_on(async move {
            signal.recv().await;
            let patience = match CATCHING.load(Ordering::SeqCst) {
                0 => Duration::ZERO,
                _ => {
                    CAUGHT.send_replace(true);
                    PATIENCE
                }
            };
            if CATCHING_TWICE.load(Ordering::SeqCst) > 0 {
                signal.recv().await;
                CAUGHT_AGAIN.send_replace(true);
            }
            tokio::select! {
                _ = signal.recv() => {}
                () = tokio::time::sleep(patience) => {
                    // On another thread, since it blocks if stderr has no reader.
                    let report = tokio::task::spawn_blocking(|| {
                        let as_json = call_state().as_json;
                        interrupted().in_json(as_json).report()
                    });
                    tokio::select! {
                        _ = signal.recv() => {}
                        _ = tokio::time::timeout(REPORT, report) => {}
                    }
                }
            }
            process::exit(i32::from(Exit::Interrupted as u8))
        })
    });
}

#[cfg(unix)]
fn signal() -> std::io::Result<tokio::signal::unix::Signal> {
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())
}

#[cfg(windows)]
fn signal() -> std::io::Result<tokio::signal::windows::CtrlC> {
    tokio::signal::windows::ctrl_c()
}
