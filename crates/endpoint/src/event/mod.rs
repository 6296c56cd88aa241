//! Asynchronous calls (`Event`): a bounded queue, retries and dead letters.

mod dead_letter;
mod entry;
mod notice;
mod owned;
mod queue;
mod record;
mod settings;
mod worker;

// The submodules use `sync` through this module, so that `crates/interop` can check them with
// loom's types.
use std::sync;

pub(crate) use entry::Event;
pub use notice::{EventCounters, EventFailure, Notice};
pub(crate) use queue::Queue;
pub use settings::{DeadLetter, EventSettings};
pub(crate) use worker::work;
