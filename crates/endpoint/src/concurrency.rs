//! How many invocations run at once: a limit for each function and one for the account.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lambda_invoke_error::ThrottleReason;

use crate::registry::Registered;

/// A number of invocations that run, with the most that may.
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

/// The right to run one invocation, given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    function: Arc<Registered>,
}

impl Permit {
    /// Counts an invocation in, or says which limit it would have passed.
    pub(crate) fn acquire(function: &Arc<Registered>) -> Result<Self, ThrottleReason> {
        if let Some(limit) = function.limit() {
            if !limit.enter() {
                return Err(ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded);
            }
        }
        if let Some(account) = function.account_limit() {
            if !account.enter() {
                if let Some(limit) = function.limit() {
                    limit.leave();
                }
                return Err(ThrottleReason::ConcurrentInvocationLimitExceeded);
            }
        }
        Ok(Self {
            function: Arc::clone(function),
        })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(limit) = self.function.limit() {
            limit.leave();
        }
        if let Some(account) = self.function.account_limit() {
            account.leave();
        }
    }
}
