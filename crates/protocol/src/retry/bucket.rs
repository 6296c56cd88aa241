//! The tokens that keep a client from answering trouble with more load.

use std::sync::atomic::{AtomicU32, Ordering};

use super::{Decision, GiveUpReason, RetryContext, RetryPolicy, decide};

/// The retry tokens that all calls of a client share.
///
/// Each retry takes some, each success gives some back; an empty bucket means no retries, however
/// many attempts a call would have.
#[derive(Debug)]
pub struct TokenBucket {
    tokens: AtomicU32,
}

impl Default for TokenBucket {
    fn default() -> Self {
        Self::with_tokens(Self::CAPACITY)
    }
}

impl TokenBucket {
    /// How many tokens there are at most, and at first.
    pub const CAPACITY: u32 = 500;

    /// A bucket with fewer tokens than it could hold.
    #[must_use]
    pub fn with_tokens(tokens: u32) -> Self {
        Self {
            tokens: AtomicU32::new(tokens.min(Self::CAPACITY)),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn available(&self) -> u32 {
        self.tokens.load(Ordering::Relaxed)
    }

    /// Takes so many, or none if there are not enough.
    #[must_use]
    pub fn take(&self, cost: u32) -> bool {
        let take = |tokens: u32| tokens.checked_sub(cost);
        self.tokens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }

    /// Puts so many back, up to the capacity.
    pub fn give_back(&self, tokens: u32) {
        let give = |now: u32| Some(now.saturating_add(tokens).min(Self::CAPACITY));
        let _ = self
            .tokens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, give);
    }
}

/// One call's attempts: counts them, and settles with the client's bucket.
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
    /// Before the first attempt.
    #[must_use]
    pub const fn new(policy: RetryPolicy, bucket: &'b TokenBucket) -> Self {
        Self {
            policy,
            bucket,
            attempt: 1,
            last_cost: None,
        }
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Decides about an attempt that failed, by [`decide`]. The context's attempt and tokens are
    /// this call's and the bucket's, whatever it says itself.
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
            // Another call may have been quicker.
            if !self.bucket.take(retry.cost) {
                return Decision::GiveUp(GiveUpReason::OutOfTokens);
            }
            self.attempt = self.attempt.saturating_add(1);
            self.last_cost = Some(retry.cost);
        }
        decision
    }

    /// Settles a call that was answered: the last retry was well spent and is paid back; a call
    /// that needed none adds a token.
    pub fn succeeded(self) {
        self.bucket.give_back(self.last_cost.unwrap_or(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_all_or_nothing_and_holds_no_more_than_its_capacity() {
        let bucket = TokenBucket::with_tokens(20);
        assert!(bucket.take(14));
        assert!(!bucket.take(14));
        assert_eq!(bucket.available(), 6);
        bucket.give_back(u32::MAX);
        assert_eq!(bucket.available(), TokenBucket::CAPACITY);
        assert_eq!(
            TokenBucket::with_tokens(900).available(),
            TokenBucket::CAPACITY
        );
    }

    #[test]
    fn success_pays_the_last_retry_back_or_adds_a_token() {
        let bucket = TokenBucket::with_tokens(100);
        CallRetries::new(RetryPolicy::default(), &bucket).succeeded();
        assert_eq!(bucket.available(), 101);
        let mut call = CallRetries::new(RetryPolicy::default(), &bucket);
        let now = std::time::SystemTime::UNIX_EPOCH;
        let _ = call.failed(RetryContext::new(
            super::super::Failure::NotSent,
            1,
            now,
            1.0,
        ));
        assert_eq!(bucket.available(), 87);
        call.succeeded();
        assert_eq!(bucket.available(), 101);
    }

    #[test]
    fn threads_never_take_more_than_there_is() {
        let bucket = TokenBucket::default();
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..100).filter(|_| bucket.take(7)).count()))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!(taken, 500 / 7);
        assert_eq!(bucket.available(), 500 % 7);
    }
}
