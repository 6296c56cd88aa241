//! Running functions: the registry, concurrency limits, one run and its log.

pub(crate) mod collect;
pub(crate) mod concurrency;
pub(crate) mod execution;
pub(crate) mod platform_log;
pub(crate) mod registry;
