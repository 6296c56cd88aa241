#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

pub mod api;
mod bootstrap;
mod error;
mod event;
mod failure;
mod instance;
pub mod limits;
mod log_line;
mod pool;
mod process;
mod program;
mod response;
mod trace;

// `pool` uses `sync` through this module, so that `crates/interop` can check it with loom's types.
use std::sync;

// The public interface.
pub use self::error::{InvokeError, ProgramError};
pub use self::event::Event;
pub use self::failure::{Failure, FailureKind, Outcome};
pub use self::log_line::LogLine;
pub use self::pool::Pool;
pub use self::process::supervise_if_asked;
pub use self::program::Program;
pub use self::response::{Head, Mode, Report, Response};
