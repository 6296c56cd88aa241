#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod bootstrap;
mod error;
mod event;
mod failure;
pub mod limits;
mod log_line;
mod pool;
mod program;
mod response;

// The public interface.
pub use self::error::{InvokeError, ProgramError};
pub use self::event::Event;
pub use self::failure::{Failure, FailureKind, Outcome};
pub use self::log_line::{LogLine, Stream};
pub use self::pool::Pool;
pub use self::program::Program;
pub use self::response::{Head, Mode, Report, Response};

/// Becomes the supervisor of one instance if this process was started as one, and does not return
/// then.
///
/// A program that runs functions calls this first in `main`, before it starts a thread or reads its
/// arguments. Its instances are then started through a copy of the program itself, which ends all
/// processes of the instance, children in groups of their own included, as soon as the program is
/// gone, even by `kill -9`. Without this call the instances end with the pool only.
pub fn supervise_if_asked() {}
