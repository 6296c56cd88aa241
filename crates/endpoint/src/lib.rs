#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod console;
mod event;
mod fault;
mod function;
mod journal;
mod pattern;
mod request_id;
mod run;
mod server;
mod service;
mod trace;
mod url;
mod wire;

/// Programs that run unmodified functions, for [`Function::program`].
#[cfg(feature = "runtime")]
pub use lambda_invoke_runtime as runtime;

// The public interface.
pub use event::{DeadLetter, EventCounters, EventFailure, EventSettings, Notice};
pub use fault::{Fault, FaultKind, FaultParseError};
pub use function::error::FunctionError;
pub use function::invocation::Invocation;
pub use function::log::LogLine;
pub use function::url::{FunctionUrl, UrlAuth, UrlMode};
pub use function::write_error::WriteError;
pub use function::writer::ResponseWriter;
pub use function::{Function, builtins};
pub use server::build_error::BuildError;
pub use server::builder::EndpointBuilder;
pub use server::memory::{InMemory, InMemoryError};
pub use server::{Endpoint, Server};
pub use service::auth::{AccessKey, AccessKeyError};
pub use service::calls::{RecordedCall, Via};
pub use service::request_log::{Ending, RequestRecord};
pub use service::settings::TooLargeStyle;
pub use wire::bandwidth::Bandwidth;

pub use lambda_invoke_protocol::function_url::{Cors, CorsError};
