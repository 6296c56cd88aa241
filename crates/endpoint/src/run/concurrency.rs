//! Concurrency limits: one for each function and one for the account.

use std::sync::Arc;

use lambda_invoke_error::ThrottleReason;

use super::sync::atomic::{AtomicUsize, Ordering};

/// The number of running invocations, with its maximum.
#[derive(Debug)]
pub(crate) struct Limit {
    most: usize,
    running: AtomicUsize,
}

impl Limit {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            running: AtomicUsize::new(0),
        }
    }

    fn enter(&self) -> bool {
        let more = |running: usize| (running < self.most).then(|| running + 1);
        self.running
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, more)
            .is_ok()
    }

    fn leave(&self) {
        self.running.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The limits that one function is subject to.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// The function's own.
    pub(crate) function: Option<Arc<Limit>>,
    /// The account's, shared by all functions.
    pub(crate) account: Option<Arc<Limit>>,
}

/// The right to run one invocation, returned when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    limits: Limits,
}

impl Permit {
    /// Counts an invocation in, or returns the limit that it would exceed.
    pub(crate) fn acquire(limits: &Limits) -> Result<Self, ThrottleReason> {
        if limits.function.as_ref().is_some_and(|limit| !limit.enter()) {
            return Err(ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded);
        }
        if limits.account.as_ref().is_some_and(|limit| !limit.enter()) {
            if let Some(limit) = &limits.function {
                limit.leave();
            }
            return Err(ThrottleReason::ConcurrentInvocationLimitExceeded);
        }
        Ok(Self {
            limits: limits.clone(),
        })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let limits = [&self.limits.function, &self.limits.account];
        for limit in limits.into_iter().flatten() {
            limit.leave();
        }
    }
}
