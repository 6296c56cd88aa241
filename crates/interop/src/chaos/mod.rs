//! Calls over real sockets while everything breaks: never twice, never half.
//!
//! ```text
//!   schedule ──> Case ──> run ──────────────────────────────> Observation ──> oracle ──> Verdict
//!                          │ our client ── proxy ── endpoint      │
//!                          │ our client ── scripted server        ├ executions, counted in the function
//!                          └ our client ── killed processes       └ what the caller got
//! ```
//!
//! - [`schedule`]: the cases, all of them or a sample, from a seed.
//! - [`run`]: what a case does, and what is seen of it.
//! - [`oracle`]: what must hold of everything that is seen.

pub mod case;
pub mod load;
pub mod oracle;
pub mod peers;
pub mod run;
pub mod schedule;
pub mod soak;
