//! The retry decision: its rules, the official tables, and the table in docs/retry-safety.md.

// Test helpers may panic just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod decision;
mod official;
mod table;

use std::time::SystemTime;

use lambda_invoke_error::{ServiceError, lookup};
use lambda_invoke_protocol::retry::{Decision, Failure, Retry, RetryContext};

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

fn first(failure: Failure<'_>) -> RetryContext<'_> {
    RetryContext::new(failure, 1, NOW, 1.0)
}

fn retry(decision: Decision) -> Retry {
    match decision {
        Decision::Retry(retry) => retry,
        other => panic!("{other:?}"),
    }
}

fn throttled() -> ServiceError {
    lookup("TooManyRequestsException")
        .unwrap()
        .error("Rate Exceeded.")
}
