//! The file for events that failed for good.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Appends a line to the file, which is made if it is not there.
///
/// Blocks for as long as the operating system takes to append a few KB; events fail rarely enough.
pub(crate) fn write_line(
    file: &Path,
    mut line: String,
    one_at_a_time: &Mutex<()>,
) -> io::Result<()> {
    line.push('\n');
    let _held = one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    file.write_all(line.as_bytes())
}
