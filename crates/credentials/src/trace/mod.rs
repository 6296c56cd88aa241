//! Reports fetches to `tracing` (feature): a span for each, with events for the providers and requests.
//!
//! Events contain the names of providers, hosts, statuses, times and access key IDs. They never
//! contain a secret, a token, a path or query, a body, or a message of a service or program.
//! Without the feature, all of this compiles to nothing.

#[cfg(feature = "tracing")]
mod on;
#[cfg(feature = "tracing")]
pub(crate) use self::on::*;

#[cfg(not(feature = "tracing"))]
mod off;
#[cfg(not(feature = "tracing"))]
pub(crate) use self::off::*;
