//! Processes: spawned with their own environment, supervised, and ended as whole trees.

mod busy;
mod child;
mod lines;
mod output;
mod supervisor;
mod tree;

pub(crate) use self::child::{Ended, Process};
pub(crate) use self::output::Output;
pub use self::supervisor::supervise_if_asked;
pub(crate) use self::tree::{Memory, SURVEY};
