//! Ctrl-C: it ends the program at once, whatever the program waits for.
//!
//! The signal is taken by a thread that does nothing else, so that no read, write, lookup or lock
//! of a command is ever between Ctrl-C and its effect. A command that has something to finish
//! catches the first one with [`Catch`] and has [`PATIENCE`] for it; a second one ends the program
//! in any case. `serve` ends otherwise, by signals of its own.

use std::future::pending;
use std::process;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use crate::exit::{Exit, Failure};
use crate::known::known;

/// How long a command that caught Ctrl-C may take to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long the report of an end may take: nobody may be reading stderr.
const REPORT: Duration = Duration::from_millis(200);

/// How many [`Catch`]es there are.
static CATCHING: AtomicUsize = AtomicUsize::new(0);

static CAUGHT: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::channel(false).0);

/// As long as it is kept, the first Ctrl-C is told to it and does not end the program.
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

/// The end by Ctrl-C. A person who pressed it knows; a machine is told.
pub(crate) fn interrupted() -> Failure {
    Failure::quiet(Exit::Interrupted, "interrupted by Ctrl-C").with("kind", "interrupted")
}

/// Takes Ctrl-C over. If the operating system does not let it, Ctrl-C ends the program as the
/// system does.
pub(crate) fn watch() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else { return };
    // Taken before the command begins.
    let Ok(mut signal) = runtime.block_on(async { signal() }) else {
        return;
    };
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
            tokio::select! {
                _ = signal.recv() => {}
                () = tokio::time::sleep(patience) => {
                    // On a thread of its own: a second Ctrl-C, or a stderr that nobody reads, must
                    // not have to wait for it.
                    let report = tokio::task::spawn_blocking(|| {
                        let as_json = known().as_json;
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
