//! One call of the journal.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::watch;

use super::Start;

/// The limits of an entry: bytes of the payload, the response and the log, and the number of
/// chunks.
const PAYLOAD: usize = 8 * 1024;
const OUTPUT: usize = 32 * 1024;
const LOG: usize = 16 * 1024;
const CHUNKS: usize = 1_000;

/// A call, from its start to its end.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The number of the call in its journal. The attempts of an event have the same request id.
    number: u64,
    started: Instant,
    data: Mutex<Data>,
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct Data {
    /// The number of changes of the journal at the last change of this call.
    changed: u64,
    start: Start,
    payload: Bytes,
    /// What was left out of `payload`, `output` and `log`.
    partial: Partial,
    chunks: Vec<Chunk>,
    /// The number of chunks and bytes, including those that are not kept.
    count: u64,
    bytes: u64,
    output: Vec<u8>,
    log: Vec<u8>,
    end: Option<End>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Chunk {
    /// In milliseconds since the call's start.
    at: f64,
    bytes: usize,
}

#[derive(Clone, Debug, Serialize)]
struct End {
    /// In milliseconds since the call's start.
    at: f64,
    error: Option<String>,
}

/// Which texts are not complete. The log lacks its start, the others their end.
#[derive(Clone, Copy, Debug, Serialize)]
struct Partial {
    payload: bool,
    output: bool,
    log: bool,
}

/// A call as a line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    number: u64,
    #[serde(flatten)]
    start: &'a Start,
    payload: &'a str,
    /// The time since the call's start, in milliseconds.
    now: f64,
    chunks: &'a [Chunk],
    count: u64,
    bytes: u64,
    output: &'a str,
    log: &'a str,
    partial: Partial,
    end: &'a Option<End>,
}

impl Entry {
    pub(super) fn new(
        number: u64,
        start: Start,
        payload: &Bytes,
        changes: watch::Sender<u64>,
    ) -> Self {
        let kept = payload.get(..PAYLOAD).unwrap_or(payload);
        Self {
            number,
            started: Instant::now(),
            data: Mutex::new(Data {
                changed: 0,
                start,
                // Copied, since a slice would keep the whole payload in memory.
                payload: Bytes::copy_from_slice(kept),
                partial: Partial {
                    payload: kept.len() < payload.len(),
                    output: false,
                    log: false,
                },
                chunks: Vec::new(),
                count: 0,
                bytes: 0,
                output: Vec::new(),
                log: Vec::new(),
                end: None,
            }),
            changes,
        }
    }

    /// Whether this is the call with that request id.
    pub(super) fn is_of(&self, id: &str) -> bool {
        self.lock().start.id == id
    }

    /// Records a chunk of the response.
    pub(crate) fn chunk(&self, chunk: &Bytes) {
        let at = self.elapsed();
        self.change(|data| {
            data.count += 1;
            data.bytes += chunk.len() as u64;
            if data.chunks.len() < CHUNKS {
                let bytes = chunk.len();
                data.chunks.push(Chunk { at, bytes });
            }
            let room = OUTPUT.saturating_sub(data.output.len());
            data.output
                .extend_from_slice(chunk.get(..room).unwrap_or(chunk));
            data.partial.output |= chunk.len() > room;
        });
    }

    /// Records a line of the log. The last part of the log is kept.
    pub(crate) fn log(&self, line: &str) {
        let line = line.as_bytes();
        // Of a long line, only the end can be kept.
        let kept = line.get(line.len().saturating_sub(LOG)..).unwrap_or(line);
        self.change(|data| {
            data.partial.log |= data.log.len() + line.len() + 1 > LOG;
            data.log.extend_from_slice(kept);
            data.log.push(b'\n');
            // Twice the size, so that not every line has to move the rest.
            if data.log.len() > 2 * LOG {
                let excess = data.log.len() - LOG;
                data.log.drain(..excess);
            }
        });
    }

    /// Records the end, the first time.
    pub(crate) fn end(&self, error: Option<String>) {
        let at = self.elapsed();
        self.change(|data| {
            data.end.get_or_insert(End { at, error });
        });
    }

    /// Records why the function's result was rejected, unless it had failed before.
    pub(crate) fn reject(&self, why: &str) {
        let at = self.elapsed();
        self.change(|data| {
            let end = data.end.get_or_insert(End { at, error: None });
            end.error.get_or_insert_with(|| why.to_owned());
        });
    }

    /// Marks the call as changed.
    pub(super) fn touch(&self) {
        self.change(|_| {});
    }

    /// Appends the call as a line, if it has changed after this number of changes.
    pub(super) fn write_if_changed(&self, changes: u64, lines: &mut Vec<u8>) {
        let data = self.lock();
        if data.changed <= changes {
            return;
        }
        let log = data.log.len().saturating_sub(LOG);
        let line = Line {
            number: self.number,
            start: &data.start,
            payload: &String::from_utf8_lossy(&data.payload),
            now: self.elapsed(),
            chunks: &data.chunks,
            count: data.count,
            bytes: data.bytes,
            output: &String::from_utf8_lossy(&data.output),
            log: &String::from_utf8_lossy(data.log.get(log..).unwrap_or_default()),
            partial: data.partial,
            end: &data.end,
        };
        // Text and numbers always serialize.
        if serde_json::to_writer(&mut *lines, &line).is_ok() {
            lines.push(b'\n');
        }
    }

    fn elapsed(&self) -> f64 {
        // Microseconds are precise enough, and shorter as text.
        self.started.elapsed().as_micros() as f64 / 1_000.0
    }

    fn change(&self, change: impl FnOnce(&mut Data)) {
        let mut data = self.lock();
        change(&mut data);
        // The lock is held, so that no reader sees the number before the change.
        self.changes.send_modify(|changes| {
            *changes += 1;
            data.changed = *changes;
        });
    }

    fn lock(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_takes_no_more_memory_than_the_log_may() {
        let start = Start {
            id: "1".to_owned(),
            function: "f".to_owned(),
            via: "URL",
            time: 0,
        };
        let entry = Entry::new(0, start, &Bytes::new(), watch::Sender::new(0));
        for _ in 0..3 {
            entry.log(&"x".repeat(1 << 20));
        }
        assert!(entry.lock().log.capacity() <= 4 * LOG);
        assert!(entry.lock().partial.log);
    }
}
