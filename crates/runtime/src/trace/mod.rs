//! Reports to `tracing` (feature): a span for each invocation, with events for its start and end, and
//! events for the instances.
//!
//! Events contain names, numbers, request IDs and times. They never contain a payload, a response,
//! a line of a log, a message of the function, an environment variable or an argument of its
//! command. Without the feature, all of this compiles to nothing.

#[cfg(feature = "tracing")]
mod on;
#[cfg(feature = "tracing")]
pub(crate) use self::on::*;

#[cfg(not(feature = "tracing"))]
mod off;
#[cfg(not(feature = "tracing"))]
pub(crate) use self::off::*;
