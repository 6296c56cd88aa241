//! The properties of a registered function that its invocations need.

use std::time::Duration;

/// A function's name, ARN and limits.
#[derive(Clone, Debug)]
pub(crate) struct FunctionInfo {
    pub(crate) name: String,
    /// Without a qualifier.
    pub(crate) arn: String,
    pub(crate) timeout: Duration,
    pub(crate) memory_mb: u32,
}
