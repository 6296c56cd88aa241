//! The properties of a registered function that its invocations need.

use std::time::{Duration, SystemTime};

use crate::function::log::OnLog;

/// A function's name, ARN, limits and log.
#[derive(Clone, Debug)]
pub(crate) struct FunctionInfo {
    pub(crate) name: String,
    /// Without a qualifier.
    pub(crate) arn: String,
    pub(crate) timeout: Duration,
    pub(crate) memory_mb: u32,
    /// When the endpoint was built.
    pub(crate) registered: SystemTime,
    /// The observer of the function's log.
    pub(crate) on_log: Option<OnLog>,
}
