//! The limits of the Runtime API.

use std::time::Duration;

/// The maximum length, in bytes, of a buffered response or an error of a runtime.
pub const MAX_RESPONSE: usize = 6_291_556;

/// The longest timeout of a function.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(1_800);

/// The maximum length, in bytes, of the log in a report; the oldest lines are dropped.
pub const MAX_LOG: usize = 64 * 1024;

/// The longest log line or record in bytes; longer ones are split.
pub const MAX_LINE: usize = 256 * 1024;

/// The maximum number of extensions of an instance.
pub const MAX_EXTENSIONS: usize = 10;
