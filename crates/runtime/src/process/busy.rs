//! Programs that are still being written, as by a compiler or by `cp`.

use std::io::{Error, ErrorKind};
use std::time::{Duration, Instant};

/// How long to wait until the program is complete.
const LONGEST: Duration = Duration::from_secs(2);

/// The time between two attempts.
pub(super) const PAUSE: Duration = Duration::from_millis(10);

/// Whether a program could not be started because a process has it open for writing, and may be started
/// soon. `began` is the time of the first attempt.
pub(super) fn may_be_complete_soon(error: &Error, began: Instant) -> bool {
    error.kind() == ErrorKind::ExecutableFileBusy && began.elapsed() < LONGEST
}
