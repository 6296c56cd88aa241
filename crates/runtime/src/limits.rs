//! The limits of the Runtime API.

use std::time::Duration;

/// The most bytes of a buffered response, and of an error, that a runtime may send.
pub const MAX_RESPONSE: usize = 6_291_556;

/// The longest timeout of a function.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(1_800);

/// The most bytes of log that a report holds; the oldest lines are dropped.
pub const MAX_LOG: usize = 64 * 1024;

/// The longest log line or record in bytes; longer ones are split.
pub const MAX_LINE: usize = 256 * 1024;

/// The most extensions of an instance.
pub const MAX_EXTENSIONS: usize = 10;
