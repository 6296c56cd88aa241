//! What may be sent twice: the decision as a pure function.
//!
//! ```text
//!   a failed attempt ──> Failure ──> execution(): may the function have run?
//!                                    class():     could another attempt succeed?
//!                                        │
//!   RetryPolicy, attempt, time left, ────┴──> decide() ──> Retry { after, cost, recovery }
//!   tokens, a random number                            └─> Stop
//! ```
//!
//! By default only what certainly did not run the function is sent again. `docs/retry-safety.md`
//! in the repository is the table of this function, and a test holds the two together.
//!
//! The constants (delays from 50 ms or, when throttled, from 1 s, doubling to 20 s at most; 500
//! tokens, of which an attempt costs 14 or 5) are those of the AWS SDKs' standard mode of 2026.

mod bucket;
mod call;
mod clock;
mod decide;
mod failure;
mod policy;

pub use bucket::TokenBucket;
pub use call::CallRetries;
pub use clock::ClockOffset;
pub use decide::{Decision, GiveUpReason, Recovery, Retry, RetryContext, decide};
pub use failure::Failure;
pub use policy::RetryPolicy;
