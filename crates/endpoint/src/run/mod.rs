//! The functions of an endpoint, how many run at once, and one run from its start to its outcome.

pub(crate) mod collect;
pub(crate) mod concurrency;
pub(crate) mod execution;
pub(crate) mod platform_log;
pub(crate) mod registry;
