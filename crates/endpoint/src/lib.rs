#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod access;
mod answer;
mod answered;
mod bandwidth;
mod body;
mod build_error;
mod builder;
pub mod builtins;
mod concurrency;
mod connection;
mod cors;
mod event;
mod failure;
mod fault;
mod function;
mod invocation;
mod log;
mod pattern;
mod registry;
mod request_body;
mod request_id;
mod run;
mod running;
mod server;
mod service;
mod settings;
mod shutdown;
mod stream;
mod writer;

// The public interface.
pub use access::{AccessKey, AccessKeyError};
pub use answered::{Answered, Ending};
pub use bandwidth::Bandwidth;
pub use build_error::BuildError;
pub use builder::EndpointBuilder;
pub use event::{DeadLetter, EventCounters, EventFailure, EventSettings, Notice};
pub use failure::FunctionError;
pub use fault::{Fault, FaultKind, FaultParseError};
pub use function::Function;
pub use invocation::Invocation;
pub use server::{Endpoint, Server};
pub use settings::TooLargeStyle;
pub use writer::{ResponseWriter, WriteError};
