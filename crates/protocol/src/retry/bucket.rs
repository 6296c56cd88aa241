//! The tokens that keep a client's retries from adding load to an overloaded service.

use super::sync::atomic::{AtomicU32, Ordering};

/// The retry tokens that all calls of a client share.
///
/// Each retry takes tokens, and each success returns some. With an empty bucket nothing is retried,
/// however many attempts the policy allows.
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
    /// The maximum number of tokens, which is also the initial one.
    pub const CAPACITY: u32 = 500;

    /// Creates a bucket with this number of tokens, at most [`CAPACITY`](Self::CAPACITY).
    #[must_use]
    pub fn with_tokens(tokens: u32) -> Self {
        Self {
            tokens: AtomicU32::new(tokens.min(Self::CAPACITY)),
        }
    }

    /// Returns the number of tokens.
    #[must_use]
    pub fn available(&self) -> u32 {
        self.tokens.load(Ordering::Relaxed)
    }

    /// Takes `cost` tokens, or none if there are not enough; returns whether it took them.
    #[must_use]
    pub fn take(&self, cost: u32) -> bool {
        let take = |tokens: u32| tokens.checked_sub(cost);
        self.tokens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }

    /// Returns tokens to the bucket, up to the capacity.
    pub fn give_back(&self, tokens: u32) {
        let give = |now: u32| Some(now.saturating_add(tokens).min(Self::CAPACITY));
        let _ = self
            .tokens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, give);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_all_or_none_and_holds_at_most_its_capacity() {
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
