//! The resources that an invocation has used, for its REPORT line.

use std::time::Duration;

/// The resources that an invocation of a program has used, as its runtime measured them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) duration: Duration,
    /// The time to initialize the instance, if this invocation was its first.
    pub(crate) init_duration: Option<Duration>,
    /// The peak memory in bytes; `None` if nobody reads the log.
    pub(crate) max_memory: Option<u64>,
}
