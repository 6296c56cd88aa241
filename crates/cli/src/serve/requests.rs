//! Lines on stderr, written by a thread of their own: a terminal that is slow or stopped must not
//! hold up a response.

use std::fmt::Display;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::exit::{Exit, Failure};
use crate::terminal::say;

/// How many bytes of lines may wait to be written; further lines are left out, and counted.
const WAITING: usize = 1 << 20;

/// How long the end waits for lines to be written.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where the lines go.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    /// `None` is the last.
    lines: Sender<Option<String>>,
    counts: Arc<Counts>,
    /// Told when the last is written.
    ended: Arc<Mutex<Receiver<()>>>,
}

#[derive(Debug, Default)]
struct Counts {
    waiting_bytes: AtomicUsize,
    left_out: AtomicU64,
}

impl Lines {
    /// # Errors
    ///
    /// If there can be no more threads.
    pub(crate) fn new() -> Result<Self, Failure> {
        let (lines, waiting) = channel::<Option<String>>();
        let (end, ended) = sync_channel(1);
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        let write = move || {
            while let Ok(Some(line)) = waiting.recv() {
                say(&line);
                shared
                    .waiting_bytes
                    .fetch_sub(line.len(), Ordering::Relaxed);
                let count = shared.left_out.swap(0, Ordering::Relaxed);
                if count > 0 {
                    say(format_args!("({count} lines were left out)"));
                }
            }
            // Nobody may be waiting any more.
            let _ = end.send(());
        };
        std::thread::Builder::new()
            .name("lines".to_owned())
            .spawn(write)
            .map_err(|error| Failure::new(Exit::Transport, format!("no thread: {error}")))?;
        Ok(Self {
            lines,
            counts,
            ended: Arc::new(Mutex::new(ended)),
        })
    }

    /// Writes a line when its turn comes. Never waits.
    pub(crate) fn say(&self, line: impl Display) {
        let line = line.to_string();
        let length = line.len();
        let more = |waiting: usize| waiting.checked_add(length).filter(|sum| *sum <= WAITING);
        let fits = self
            .counts
            .waiting_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok();
        if fits {
            // The thread ends only after the last line.
            let _ = self.lines.send(Some(line));
        } else {
            self.counts.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until the lines are written, unless nobody takes them.
    pub(crate) fn finish(self) {
        if self.lines.send(None).is_ok() {
            let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
            // In vain if nobody takes the lines.
            let _ = ended.recv_timeout(PATIENCE);
        }
    }
}
