//! The log on stderr, written by its own thread: a slow or stopped terminal must not delay a
//! response.

use std::fmt::Display;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use clap::ValueEnum;
use lambda_invoke_endpoint::LogLine;
use serde_json::{Value, json};

use crate::exit::{Exit, Failure};
use crate::terminal::{entry, say, say_json};

/// The maximum number of bytes of lines that may be queued; further lines are dropped and counted.
const MAX_QUEUED: usize = 1 << 20;

/// The number of characters of a request ID that are shown.
const SHORT: usize = 8;

/// Stands for the request ID of a line between invocations.
const BETWEEN: &str = "--------";

/// The number of bytes that a function's line counts for, in addition to its text.
const OVERHEAD: usize = 128;

/// How long [`Log::finish`] waits for the queued lines to be written.
const PATIENCE: Duration = Duration::from_secs(1);

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Lines for people; a function's lines have the time, the function and the start of the request ID
    Text,
    /// One JSON object per line, with time and message, and with function and requestId if known
    Json,
}

/// A handle to the log.
#[derive(Clone, Debug)]
pub(super) struct Log {
    format: Format,
    /// Each line with the bytes that it counts for; `None` ends the thread.
    lines: Sender<Option<(usize, Line)>>,
    counts: Arc<Counts>,
    /// Receives a value when the last line is written.
    ended: Arc<Mutex<Receiver<()>>>,
}

/// A line that is ready to be written.
#[derive(Debug)]
enum Line {
    Text(String),
    Json(Value),
}

impl Line {
    fn write(self) {
        match self {
            Self::Text(text) => say(text),
            Self::Json(value) => say_json(value),
        }
    }
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
    pub(super) fn new(format: Format) -> Result<Self, Failure> {
        let (lines, queue) = channel::<Option<(usize, Line)>>();
        let (end, ended) = sync_channel(1);
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        let write = move || {
            while let Ok(Some((length, line))) = queue.recv() {
                line.write();
                shared.queued_bytes.fetch_sub(length, Ordering::Relaxed);
                let count = shared.dropped.swap(0, Ordering::Relaxed);
                if count > 0 {
                    notice(format, &format!("(lines dropped: {count})")).write();
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
            format,
            lines,
            counts,
            ended: Arc::new(Mutex::new(ended)),
        })
    }

    /// Queues a line of this program. Never blocks.
    pub(super) fn say(&self, line: impl Display) {
        let text = line.to_string();
        self.queue(text.len(), notice(self.format, &text));
    }

    /// Queues the message of a failure if lines are JSON; otherwise the program's end reports it.
    pub(super) fn report(&self, failure: Failure) -> Failure {
        match self.format {
            Format::Text => failure,
            Format::Json => {
                if !failure.message.is_empty() {
                    self.say(&failure.message);
                }
                Failure::silent(failure.exit)
            }
        }
    }

    /// Queues a line of a function. Never blocks.
    pub(super) fn function(&self, line: &LogLine<'_>) {
        let now = now();
        let LogLine {
            function,
            request_id,
            text,
            ..
        } = *line;
        let text = entry(text);
        let length = text.len() + OVERHEAD;
        let line = match self.format {
            Format::Json => {
                let mut members = json!({ "time": now, "function": function, "message": text });
                if let (Some(id), Some(members)) = (request_id, members.as_object_mut()) {
                    members.insert("requestId".to_owned(), id.into());
                }
                Line::Json(members)
            }
            Format::Text => {
                let time = now.split_once('T').map_or(now.as_str(), |(_, time)| time);
                let id = request_id.and_then(|id| id.get(..SHORT)).unwrap_or(BETWEEN);
                Line::Text(format!("{time} {function} {id} {text}"))
            }
        };
        self.queue(length, line);
    }

    fn queue(&self, length: usize, line: Line) {
        let add = |queued: usize| queued.checked_add(length).filter(|sum| *sum <= MAX_QUEUED);
        let fits = self
            .counts
            .queued_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add)
            .is_ok();
        if fits {
            // The thread receives until `finish` ends it.
            let _ = self.lines.send(Some((length, line)));
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

/// A line of this program.
fn notice(format: Format, text: &str) -> Line {
    match format {
        Format::Text => Line::Text(text.to_owned()),
        Format::Json => Line::Json(json!({ "time": now(), "message": text })),
    }
}

/// The time in UTC, with milliseconds.
fn now() -> String {
    humantime::format_rfc3339_millis(SystemTime::now()).to_string()
}
