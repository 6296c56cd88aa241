//! Whether a failed attempt may be repeated: the decision as a pure function.
//!
//! ```text
//!   a failed attempt ──> Failure ──> execution(): may the function have run?
//!                                    class():     could another attempt succeed?
//!                                        │
//!   RetryPolicy, attempt, time left, ────┴──> decide() ──> Retry { after, cost, recovery }
//!   tokens, a random number                            └─> GiveUp(reason)
//! ```
//!
//! By default a request is sent again only if the function certainly did not run.
//! `docs/retry-safety.md` in the repository has the table of this function, which a test keeps up
//! to date.
//!
//! The constants are those of the AWS SDKs' standard mode of 2026: delays from 50 ms or, when
//! throttled, from 1 s, which double up to 20 s; 500 tokens, with 14 or 5 for each retry.

mod bucket;
mod call;
mod clock;
mod decide;
mod failure;
mod policy;

// The submodules use `sync` through this module, so that `crates/interop` can check them with
// loom's types.
use std::sync;

pub use bucket::TokenBucket;
pub use call::CallRetries;
pub use clock::ClockOffset;
pub use decide::{Decision, GiveUpReason, Recovery, Retry, RetryContext, decide};
pub use failure::Failure;
pub use policy::RetryPolicy;
