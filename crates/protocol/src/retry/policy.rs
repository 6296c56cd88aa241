//! How often to send again, and what.

use std::time::Duration;

/// How often and how boldly to send again.
///
/// # Example
///
/// ```
/// use lambda_invoke_protocol::retry::RetryPolicy;
///
/// assert_eq!(RetryPolicy::default().max_attempts(), 3);
/// assert_eq!(RetryPolicy::none().max_attempts(), 1);
/// // Runs a function more than once rather than not at all.
/// assert!(RetryPolicy::at_least_once().retries_unknown());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    max_attempts: u32,
    retries_unknown: bool,
    max_backoff: Duration,
    max_retry_after: Duration,
}

/// Three attempts, and only what certainly did not run the function is sent again.
impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            retries_unknown: false,
            max_backoff: Duration::from_secs(20),
            max_retry_after: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// Nothing is sent twice.
    #[must_use]
    pub fn none() -> Self {
        Self::default().with_max_attempts(1)
    }

    /// What may or may not have run the function is sent again too: for functions that can run
    /// twice without harm.
    #[must_use]
    pub fn at_least_once() -> Self {
        Self {
            retries_unknown: true,
            ..Self::default()
        }
    }

    /// The same with so many attempts in all, the first included. 0 means 1.
    #[must_use]
    pub fn with_max_attempts(self, max_attempts: u32) -> Self {
        Self {
            max_attempts: max_attempts.max(1),
            ..self
        }
    }

    /// The same with another longest delay that backing off gives. 20 s by default.
    #[must_use]
    pub fn with_max_backoff(self, max_backoff: Duration) -> Self {
        Self {
            max_backoff,
            ..self
        }
    }

    /// The same with another longest `Retry-After` that is waited for. 60 s by default; if the
    /// service asks for more, the caller gets the failure at once.
    #[must_use]
    pub fn with_max_retry_after(self, max_retry_after: Duration) -> Self {
        Self {
            max_retry_after,
            ..self
        }
    }

    /// How many attempts there are in all.
    #[must_use]
    pub const fn max_attempts(&self) -> u32 {
        self.max_attempts
    }

    /// Whether what may have run the function is sent again.
    #[must_use]
    pub const fn retries_unknown(&self) -> bool {
        self.retries_unknown
    }

    /// The longest delay that backing off gives.
    #[must_use]
    pub const fn max_backoff(&self) -> Duration {
        self.max_backoff
    }

    /// The longest `Retry-After` that is waited for.
    #[must_use]
    pub const fn max_retry_after(&self) -> Duration {
        self.max_retry_after
    }
}
