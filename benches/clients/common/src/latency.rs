//! Measures the delay from a function's write to the client's read: the function writes the time,
//! and the client reads it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

/// A chunk with a time begins with this, followed by the nanoseconds since the epoch in big-endian
/// order.
pub const STAMP: &[u8; 8] = b"\0\0stamp\0";

/// How many stamped chunks a function writes.
pub const TICKS: u32 = 50;

/// The time between two chunks.
pub const TICK: Duration = Duration::from_millis(100);

/// The length of a stamped chunk.
pub const STAMP_BYTES: usize = 64;

/// Returns a chunk with the current time.
pub fn stamp() -> Vec<u8> {
    let mut chunk = [&STAMP[..], &now_ns().to_be_bytes()].concat();
    chunk.resize(STAMP_BYTES, b'.');
    chunk
}

/// The time on the clock that all processes of a machine share.
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
    /// Records the age of a chunk, if it begins with a stamp.
    pub fn seen(&self, chunk: &[u8]) {
        if let Some(rest) = chunk.strip_prefix(STAMP) {
            let written = u64::from_be_bytes(rest[..8].try_into().unwrap());
            let age = now_ns().saturating_sub(written);
            self.0.lock().unwrap().push(age);
        }
    }

    /// Records a duration.
    pub(crate) fn note(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap();
        self.0.lock().unwrap().push(nanos);
    }

    /// The number of stamped chunks so far.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Returns the count, the median and the 99th percentile, in nanoseconds.
    pub(crate) fn summary(&self) -> Option<(usize, u64, u64)> {
        let mut ages = self.0.lock().unwrap().clone();
        ages.sort_unstable();
        let at = |per_cent: usize| ages[(ages.len() - 1) * per_cent / 100];
        (!ages.is_empty()).then(|| (ages.len(), at(50), at(99)))
    }
}
