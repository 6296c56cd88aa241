#![doc = include_str!("../README.md")]

pub mod api;
mod error;
mod event;
mod outcome;
mod pool;
mod process;
mod program;

pub use error::{InvokeError, ProgramError};
pub use event::{Event, Head, LogLine, LogSource, Report, Response};
pub use outcome::{Failure, FailureReason, Outcome};
pub use pool::Pool;
pub use process::supervisor::supervise;
pub use program::Program;
