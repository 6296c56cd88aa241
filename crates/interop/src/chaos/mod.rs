//! Calls over real sockets while everything breaks: no function may run twice, and no incomplete
//! response may pass for a complete one.
//!
//! ```text
//!   schedule ──> Case ──> run ──────────────────────────────> Observation ──> oracle ──> Verdict
//!                          │ our client ── proxy ── endpoint      │
//!                          │ our client ── scripted server        ├ executions, counted in the function
//!                          └ our client ── killed processes       └ what the caller got
//! ```
//!
//! - [`schedule`]: all cases, or a sample that a seed chooses.
//! - [`run`]: carries out a case, and records what is observed.
//! - [`oracle`]: what must hold for every observation.

pub mod case;
pub mod load;
pub mod oracle;
pub mod peers;
pub mod run;
pub mod schedule;
pub mod soak;
