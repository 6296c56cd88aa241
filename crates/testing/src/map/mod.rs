//! Properties of `lambda-invoke-map`: its journal, and the sources of its items.

mod journal;
mod lines;
mod table;

use std::io::{self, Read};

pub use journal::{journal, journal_any};
pub use lines::lines;
pub use table::table;

/// Reads at most so many bytes at a time.
struct Slow<'b>(&'b [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.1.clamp(1, buffer.len().max(1));
        let mut part = self.0.take(most as u64);
        let read = part.read(buffer)?;
        self.0 = &self.0[read..];
        Ok(read)
    }
}
