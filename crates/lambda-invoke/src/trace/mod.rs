//! Reports calls to `tracing` (feature): a span for each call, with events for its attempts.
//!
//! Events contain names, numbers, error codes and access key IDs. They never contain a payload, a
//! secret, a session token, a signature, the value of a header that the caller set, or a message of
//! the peer, which may quote a payload. Without the feature, all of this compiles to nothing.

#[cfg(feature = "tracing")]
mod on;
#[cfg(feature = "tracing")]
pub(crate) use self::on::*;

#[cfg(not(feature = "tracing"))]
mod off;
#[cfg(not(feature = "tracing"))]
pub(crate) use self::off::*;
