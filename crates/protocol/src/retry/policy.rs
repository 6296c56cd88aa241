//! How often to retry, and after which failures.

use std::time::Duration;

/// How often to retry, after which failures, and how long to wait.
///
/// # Example
///
/// ```
/// use lambda_invoke_protocol::retry::RetryPolicy;
///
/// assert_eq!(RetryPolicy::default().max_attempts(), 3);
/// assert_eq!(RetryPolicy::none().max_attempts(), 1);
/// // Prefers running a function twice to not running it.
/// assert!(RetryPolicy::at_least_once().retries_unknown());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    max_attempts: u32,
    retries_unknown: bool,
    max_backoff: Duration,
    max_retry_after: Duration,
}

/// Three attempts; a request is sent again only if the function certainly did not run.
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
    /// Creates a policy that never retries.
    #[must_use]
    pub fn none() -> Self {
        Self::default().with_max_attempts(1)
    }

    /// Creates a policy that also retries if the function may have run: for functions that can run
    /// twice without harm.
    #[must_use]
    pub fn at_least_once() -> Self {
        Self {
            retries_unknown: true,
            ..Self::default()
        }
    }

    /// Sets the number of attempts, including the first. 0 means 1.
    #[must_use]
    pub fn with_max_attempts(self, max_attempts: u32) -> Self {
        Self {
            max_attempts: max_attempts.max(1),
            ..self
        }
    }

    /// Sets the longest backoff delay. The default is 20 s.
    #[must_use]
    pub fn with_max_backoff(self, max_backoff: Duration) -> Self {
        Self {
            max_backoff,
            ..self
        }
    }

    /// Sets the longest accepted `Retry-After`. The default is 60 s. If the service asks for more,
    /// the caller gets the failure at once.
    #[must_use]
    pub fn with_max_retry_after(self, max_retry_after: Duration) -> Self {
        Self {
            max_retry_after,
            ..self
        }
    }

    /// Returns the number of attempts, including the first.
    #[must_use]
    pub const fn max_attempts(&self) -> u32 {
        self.max_attempts
    }

    /// Returns whether a request is sent again even if the function may have run.
    #[must_use]
    pub const fn retries_unknown(&self) -> bool {
        self.retries_unknown
    }

    /// Returns the longest backoff delay.
    #[must_use]
    pub const fn max_backoff(&self) -> Duration {
        self.max_backoff
    }

    /// Returns the longest accepted `Retry-After`.
    #[must_use]
    pub const fn max_retry_after(&self) -> Duration {
        self.max_retry_after
    }
}
