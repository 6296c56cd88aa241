//! The tokens that keep a client from answering trouble with more load.

use std::sync::atomic::{AtomicU32, Ordering};

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
