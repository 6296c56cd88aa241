#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod block;
mod counted;
mod descriptors;
mod item;
pub mod journal;
mod line;
pub mod pace;
mod runner;
pub mod source;
mod state;
mod store;
mod written;

// The public interface.
pub use self::descriptors::open_files;
pub use self::item::{Cause, Event, Finished, Item};
pub use self::runner::{
    BySettled, Control, Ended, Keep, Map, MaxFailures, Mode, Progress, Retry, Run, RunError,
    Target, iter,
};
pub use self::state::{Counts, Rerun, State, StateError, Status};
pub use self::store::{Journal, JournalError};
