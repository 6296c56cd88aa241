//! The derived keys of the access keys that were used last.

use std::sync::{Arc, PoisonError};

use super::sync::Mutex;
use crate::{Credentials, SigningKey, Timestamp};

/// How many keys are kept.
const SLOTS: usize = 64;

/// Keys by access key and day, for one region and service.
#[derive(Default)]
pub(super) struct KeyCache {
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    kept: Vec<(Credentials, Arc<SigningKey>)>,
    /// The slot to reuse next once all are taken.
    next: usize,
}

impl KeyCache {
    /// The key of these credentials for the day of `time`, cached or derived.
    pub(super) fn key(
        &self,
        credentials: &Credentials,
        time: Timestamp,
        region: &str,
        service: &str,
    ) -> Arc<SigningKey> {
        // Nothing panics while the lock is held, and every slot is complete.
        let lock = || self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |kept: &(Credentials, Arc<SigningKey>)| {
            kept.0.is_clone_of(credentials) && kept.1.is_for(time)
        };
        if let Some((_, key)) = lock().kept.iter().find(|kept| fits(kept)) {
            return Arc::clone(key);
        }
        let key = SigningKey::derive(credentials.secret_access_key(), time, region, service);
        let key = Arc::new(key);
        let slot = (credentials.clone(), Arc::clone(&key));
        let mut slots = lock();
        if slots.kept.len() < SLOTS {
            slots.kept.push(slot);
        } else {
            let next = slots.next;
            slots.kept[next] = slot;
            slots.next = (next + 1) % SLOTS;
        }
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_newest_keys_up_to_a_maximum_and_each_signs_correctly() {
        let cache = KeyCache::default();
        let keys: Vec<_> = (0..3 * SLOTS)
            .map(|number| Credentials::new("AKID", format!("secret {number}")).unwrap())
            .collect();
        let time = Timestamp::EPOCH;
        for _ in 0..2 {
            for credentials in &keys {
                let derived = SigningKey::derive(credentials.secret_access_key(), time, "r", "s");
                for _ in 0..2 {
                    let key = cache.key(credentials, time, "r", "s");
                    assert_eq!(key.sign(b"text"), derived.sign(b"text"));
                }
            }
        }
        let kept = &cache.slots.lock().unwrap().kept;
        assert_eq!(kept.len(), SLOTS);
        for newest in &keys[2 * SLOTS..] {
            assert!(kept.iter().any(|(each, _)| each.is_clone_of(newest)));
        }
    }

    #[test]
    fn another_day_or_another_secret_is_another_key() {
        let cache = KeyCache::default();
        let today = Timestamp::EPOCH;
        let tomorrow = Timestamp::from_secs(86_400).unwrap();
        let old = Credentials::new("AKID", "old").unwrap();
        let new = Credentials::new("AKID", "new").unwrap();
        let sign = |credentials, time| cache.key(credentials, time, "r", "s").sign(b"text");
        assert_ne!(sign(&old, today), sign(&old, tomorrow));
        assert_ne!(sign(&old, today), sign(&new, today));
    }
}
