//! The log on stderr, written by its own thread: a slow or stopped terminal must not delay a
//! response.

use std::fmt::Display;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::exit::{Exit, Failure};
use crate::terminal::say;

/// The most bytes of lines that may be queued; further lines are dropped and counted.
const MAX_QUEUED: usize = 1 << 20;

/// How long [`Log::finish`] waits for the queued lines to be written.
const PATIENCE: Duration = Duration::from_secs(1);

/// A handle to the log.
#[derive(Clone, Debug)]
pub(super) struct Log {
    /// `None` ends the thread.
    lines: Sender<Option<String>>,
    counts: Arc<Counts>,
    /// Receives a value once the last line is written.
    ended: Arc<Mutex<Receiver<()>>>,
}

#[derive(Debug, Default)]
struct Counts {
    queued_bytes: AtomicUsize,
    dropped: AtomicU64,
}

impl Log {
    /// Starts the thread that writes the lines.
    ///
    /// # Errors
    ///
    /// If the operating system cannot start another thread.
    pub(super) fn new() -> Result<Self, Failure> {
        let (lines, queue) = channel::<Option<String>>();
        let (end, ended) = sync_channel(1);
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        let write = move || {
            while let Ok(Some(line)) = queue.recv() {
                say(&line);
                shared.queued_bytes.fetch_sub(line.len(), Ordering::Relaxed);
                let count = shared.dropped.swap(0, Ordering::Relaxed);
                if count > 0 {
                    say(format_args!("(lines dropped: {count})"));
                }
            }
            // `finish` may have given up waiting.
            let _ = end.send(());
        };
        std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(write)
            .map_err(|error| {
                Failure::new(Exit::Transport, format!("cannot start a thread: {error}"))
            })?;
        Ok(Self {
            lines,
            counts,
            ended: Arc::new(Mutex::new(ended)),
        })
    }

    /// Queues a line. Never blocks.
    pub(super) fn say(&self, line: impl Display) {
        let line = line.to_string();
        let length = line.len();
        let add = |queued: usize| queued.checked_add(length).filter(|sum| *sum <= MAX_QUEUED);
        let fits = self
            .counts
            .queued_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add)
            .is_ok();
        if fits {
            // The thread receives until `finish` ends it.
            let _ = self.lines.send(Some(line));
        } else {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until the queued lines are written, or for [`PATIENCE`] if stderr blocks.
    pub(super) fn finish(self) {
        if self.lines.send(None).is_ok() {
            let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
            // Times out if stderr has no reader.
            let _ = ended.recv_timeout(PATIENCE);
        }
    }
}
