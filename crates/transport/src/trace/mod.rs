//! Reports connections to `tracing` (feature): made, failed, and used for a request.
//!
//! Events contain hosts, ports and times, but never a password, a header or a body. Without the
//! feature, all of this compiles to nothing.

#[cfg(feature = "tracing")]
mod on;
#[cfg(feature = "tracing")]
pub(crate) use self::on::*;

#[cfg(not(feature = "tracing"))]
mod off;
#[cfg(not(feature = "tracing"))]
pub(crate) use self::off::*;
