//! The limits of running invocations.

use loom::sync;

#[allow(dead_code, reason = "not all of it is checked")]
#[path = "../../../../../endpoint/src/run/concurrency.rs"]
pub(crate) mod concurrency;
