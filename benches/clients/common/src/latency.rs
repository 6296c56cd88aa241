//! From a function's write to the client's read: the function writes the time, the client reads it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

/// A chunk that carries a time begins with this, then the nanoseconds since the epoch, big-endian.
pub const STAMP: &[u8; 8] = b"\0\0stamp\0";

/// How many chunks a function of that kind writes.
pub const TICKS: u32 = 50;

/// The time from one chunk to the next.
pub const TICK: Duration = Duration::from_millis(100);

/// The length of such a chunk.
pub const STAMP_BYTES: usize = 64;

/// A chunk with the time.
pub fn stamp() -> Vec<u8> {
    let mut chunk = [&STAMP[..], &now_ns().to_be_bytes()].concat();
    chunk.resize(STAMP_BYTES, b'.');
    chunk
}

/// The clock that processes of one machine share.
pub fn now_ns() -> u64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    u64::try_from(since.as_nanos()).unwrap()
}

/// Collects the age of each stamped chunk, or the duration of each call.
#[derive(Clone, Debug, Default)]
pub struct Latency(Arc<Mutex<Vec<u64>>>);

impl Latency {
    /// Notes the age of a chunk, if it begins with a stamp.
    pub fn seen(&self, chunk: &[u8]) {
        if let Some(rest) = chunk.strip_prefix(STAMP) {
            let written = u64::from_be_bytes(rest[..8].try_into().unwrap());
            let age = now_ns().saturating_sub(written);
            self.0.lock().unwrap().push(age);
        }
    }

    /// Notes a duration.
    pub(crate) fn note(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap();
        self.0.lock().unwrap().push(nanos);
    }

    /// The number of stamped chunks so far.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Count, median and 99th percentile, in nanoseconds.
    pub(crate) fn summary(&self) -> Option<(usize, u64, u64)> {
        let mut ages = self.0.lock().unwrap().clone();
        ages.sort_unstable();
        let at = |per_cent: usize| ages[(ages.len() - 1) * per_cent / 100];
        (!ages.is_empty()).then(|| (ages.len(), at(50), at(99)))
    }
}
