//! Runs functions: the registry, concurrency limits, one execution with its consumers, and its log.

pub(crate) mod collect;
pub(crate) mod concurrency;
pub(crate) mod discard;
pub(crate) mod execution;
pub(crate) mod platform_log;
pub(crate) mod registry;
mod running;
pub(crate) mod stream;
pub(crate) mod unframed;

// The submodules use `sync` through this module, so that `crates/interop` can check them with
// loom's types.
use std::sync;

pub(crate) use running::Outcome;
