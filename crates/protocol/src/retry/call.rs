//! One call's attempts.

use super::{Decision, GiveUpReason, RetryContext, RetryPolicy, TokenBucket, decide};

/// Counts one call's attempts, and takes and returns the tokens of the client's bucket.
///
/// # Example
///
/// ```
/// use std::time::SystemTime;
/// use lambda_invoke_protocol::retry::{
///     CallRetries, Decision, Failure, RetryPolicy, RetryContext, GiveUpReason, TokenBucket,
/// };
///
/// let bucket = TokenBucket::default();
/// let mut call = CallRetries::new(RetryPolicy::default(), &bucket);
/// let now = SystemTime::UNIX_EPOCH;
/// for _ in 0..2 {
///     let context = RetryContext::new(Failure::NotSent, call.attempt(), now, 0.5);
///     assert!(matches!(call.failed(context), Decision::Retry(_)));
/// }
/// let context = RetryContext::new(Failure::NotSent, call.attempt(), now, 0.5);
/// assert_eq!(call.failed(context), Decision::GiveUp(GiveUpReason::OutOfAttempts));
/// ```
#[derive(Debug)]
pub struct CallRetries<'b> {
    policy: RetryPolicy,
    bucket: &'b TokenBucket,
    attempt: u32,
    last_cost: Option<u32>,
}

impl<'b> CallRetries<'b> {
    /// Starts a call, before its first attempt.
    #[must_use]
    pub const fn new(policy: RetryPolicy, bucket: &'b TokenBucket) -> Self {
        Self {
            policy,
            bucket,
            attempt: 1,
            last_cost: None,
        }
    }

    /// Returns the number of the current attempt, from 1.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Decides about a failed attempt by [`decide`]. The context's `attempt` and `tokens` are
    /// replaced by those of this call and of the bucket.
    pub fn failed(&mut self, context: RetryContext<'_>) -> Decision {
        let tokens = self.bucket.available();
        let decision = decide(
            &self.policy,
            &RetryContext {
                attempt: self.attempt,
                tokens,
                ..context
            },
        );
        if let Decision::Retry(retry) = decision {
            // Another call may have taken the tokens in the meantime.
            if !self.bucket.take(retry.cost) {
                return Decision::GiveUp(GiveUpReason::OutOfTokens);
            }
            self.attempt = self.attempt.saturating_add(1);
            self.last_cost = Some(retry.cost);
        }
        decision
    }

    /// Ends a successful call: returns the tokens of its last retry, or adds one token if there was
    /// no retry.
    pub fn succeeded(self) {
        self.bucket.give_back(self.last_cost.unwrap_or(1));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Failure;
    use super::*;

    #[test]
    fn a_call_counts_its_attempts_and_pays_with_its_own_tokens() {
        let now = std::time::SystemTime::UNIX_EPOCH;
        // The caller's values for attempts and tokens are replaced.
        let mut context = RetryContext::new(Failure::NotSent, 1, now, 1.0);
        context.tokens = 0;
        let bucket = TokenBucket::with_tokens(100);
        let mut call = CallRetries::new(RetryPolicy::default(), &bucket);
        let most = RetryPolicy::default().max_attempts();
        for attempt in 1..most {
            assert_eq!(call.attempt(), attempt);
            assert!(matches!(call.failed(context), Decision::Retry(_)));
        }
        assert_eq!(call.attempt(), most);
        assert_eq!(
            call.failed(context),
            Decision::GiveUp(GiveUpReason::OutOfAttempts)
        );
        context.tokens = 500;
        let empty = TokenBucket::with_tokens(0);
        assert_eq!(
            CallRetries::new(RetryPolicy::default(), &empty).failed(context),
            Decision::GiveUp(GiveUpReason::OutOfTokens)
        );
    }

    #[test]
    fn success_returns_the_tokens_of_the_last_retry_or_adds_one() {
        let bucket = TokenBucket::with_tokens(100);
        CallRetries::new(RetryPolicy::default(), &bucket).succeeded();
        assert_eq!(bucket.available(), 101);
        let mut call = CallRetries::new(RetryPolicy::default(), &bucket);
        let now = std::time::SystemTime::UNIX_EPOCH;
        let _ = call.failed(RetryContext::new(Failure::NotSent, 1, now, 1.0));
        assert_eq!(bucket.available(), 87);
        call.succeeded();
        assert_eq!(bucket.available(), 101);
    }
}
