//! The functions of a user: where they are described, and what they run.
//!
//! Each source of configuration is a module that produces [`FunctionSpec`](spec::FunctionSpec)s:
//! arguments ([`source`]), `lambda.toml` ([`config`]) and SAM templates ([`template`]).

pub(crate) mod config;
pub(crate) mod dotenv;
pub(crate) mod error;
mod handler;
pub(crate) mod source;
pub(crate) mod spec;
pub(crate) mod template;
#[cfg(test)]
pub(crate) mod testing;

use std::time::Duration;

/// The most memory of a function, in MiB, as in the service.
pub(crate) const MOST_MEMORY: u16 = 10_240;

/// The most instances of a function, calls in an instance, or calls that wait.
pub(crate) const MOST_CONCURRENCY: usize = 1_000;

/// The longest timeout of a function.
pub(crate) const MOST_TIMEOUT: Duration = Duration::from_secs(1_800);
