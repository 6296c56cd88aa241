#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

pub mod bounds;
pub mod header;
mod member;
mod model;
mod parse;
mod render;
mod retry_after;
mod row;
mod service_error;
mod table;
mod verdict;

// The public interface.
pub use member::{ErrorType, ThrottleReason};
pub use model::{Execution, Fault, Operation, Origin, RetryClass, Topic};
pub use render::Rendered;
pub use retry_after::RetryAfter;
pub use row::{Row, lookup, table};
pub use service_error::{ServiceError, UnmodelledError};
