//! Reports to `tracing` (feature): a span for each request, with events for the function's call and the
//! end of the response.
//!
//! Events contain names, numbers, error codes and request IDs. They never contain a payload, a
//! response, the path or query of a function URL, a header, or a message of a function. Without the
//! feature, all of this compiles to nothing.

#[cfg(feature = "tracing")]
mod on;
#[cfg(feature = "tracing")]
pub(crate) use self::on::*;

#[cfg(not(feature = "tracing"))]
mod off;
#[cfg(not(feature = "tracing"))]
pub(crate) use self::off::*;
