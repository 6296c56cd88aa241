//! Lines on stderr, written by a thread of their own: a terminal that is slow or stopped must not
//! hold up an answer.

use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::terminal::say;

/// How many lines may wait to be written; further ones are left out, and counted.
const WAITING: usize = 4_096;

/// How long the end waits for lines to be written.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where the lines go.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    /// `None` is the last.
    lines: SyncSender<Option<String>>,
    left_out: Arc<AtomicU64>,
    /// Told when the last is written.
    ended: Arc<Mutex<Receiver<()>>>,
}

impl Lines {
    pub(crate) fn new() -> Self {
        let (lines, waiting) = sync_channel::<Option<String>>(WAITING);
        let (end, ended) = sync_channel(1);
        let left_out = Arc::new(AtomicU64::new(0));
        let missing = Arc::clone(&left_out);
        std::thread::spawn(move || {
            while let Ok(Some(line)) = waiting.recv() {
                say(line);
                let count = missing.swap(0, Ordering::Relaxed);
                if count > 0 {
                    say(format_args!("({count} lines were left out)"));
                }
            }
            // Nobody may be waiting any more.
            let _ = end.send(());
        });
        Self {
            lines,
            left_out,
            ended: Arc::new(Mutex::new(ended)),
        }
    }

    /// Writes a line when its turn comes. Never waits.
    pub(crate) fn say(&self, line: impl Display) {
        if let Err(TrySendError::Full(_)) = self.lines.try_send(Some(line.to_string())) {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until the lines are written, unless nobody takes them.
    pub(crate) fn finish(self) {
        if self.lines.try_send(None).is_ok() {
            let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
            // In vain if nobody takes the lines.
            let _ = ended.recv_timeout(PATIENCE);
        }
    }
}
