#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

pub mod bounds;
mod classification;
pub mod header;
mod known_error;
mod member;
mod model;
mod parse;
mod render;
mod retry_after;
mod service_error;
mod table;
pub mod text;

// The public interface.
pub use known_error::{KnownError, known_errors, lookup};
pub use member::{ErrorType, ThrottleReason};
pub use model::{Category, Execution, Fault, Operation, Origin, RetryClass};
pub use render::Rendered;
pub use retry_after::{RetryAfter, RetryAfterError};
pub use service_error::{ServiceError, UnmodelledError};
