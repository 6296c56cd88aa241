//! Asynchronous calls (`Event`): a bounded queue, retries and dead letters.

mod dead_letter;
mod entry;
mod notice;
mod queue;
mod record;
mod settings;
mod worker;

pub(crate) use entry::Event;
pub use notice::{EventCounters, EventFailure, Notice};
pub(crate) use queue::Queue;
pub use settings::{DeadLetter, EventSettings};
pub(crate) use worker::work;
