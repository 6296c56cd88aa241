//! The verifier's cache of keys, with keys that count how often they are derived and how many there are.

use std::cell::Cell;
use std::sync::Arc;

use crate::cache::KeyCache;
use crate::two;

/// As many as `cache::SLOTS`.
const PLACES: usize = 64;

thread_local! {
    /// The keys that were derived, and those that exist. The threads of a model share them, since loom runs
    /// them in one.
    static DERIVED: Cell<usize> = const { Cell::new(0) };
    static KEPT: Cell<usize> = const { Cell::new(0) };
}

#[derive(Clone)]
pub(crate) struct Credentials(Arc<str>);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timestamp(usize);

pub(crate) struct SigningKey {
    secret: String,
    day: Timestamp,
}

impl Credentials {
    fn new(number: usize) -> Self {
        Self(number.to_string().into())
    }

    pub(crate) fn secret_access_key(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_clone_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl SigningKey {
    pub(crate) fn derive(secret: &str, day: Timestamp, _: &str, _: &str) -> Self {
        DERIVED.set(DERIVED.get() + 1);
        KEPT.set(KEPT.get() + 1);
        Self {
            secret: secret.to_owned(),
            day,
        }
    }

    pub(crate) fn is_for(&self, time: Timestamp) -> bool {
        self.day == time
    }
}

impl Drop for SigningKey {
    fn drop(&mut self) {
        KEPT.set(KEPT.get() - 1);
    }
}

/// A cache with so many keys.
fn cache(keys: usize) -> Arc<KeyCache> {
    let cache = KeyCache::default();
    for number in 0..keys {
        cache.key(&Credentials::new(number), Timestamp(0), "region", "service");
    }
    Arc::new(cache)
}

/// Two threads need a key each. Returns how many there are, and whether both are kept.
fn need_two(keys: usize) -> (usize, bool) {
    let cache = cache(keys);
    let needed = [PLACES, PLACES + 1].map(Credentials::new);
    let (shared, credentials) = (Arc::clone(&cache), needed.clone());
    let key = move |number: usize| {
        let credentials = &credentials[number];
        let key = shared.key(credentials, Timestamp(number), "region", "service");
        assert_eq!(key.secret, credentials.secret_access_key());
        assert!(key.is_for(Timestamp(number)));
    };
    two(key.clone());
    let (kept, derived) = (KEPT.get(), DERIVED.get());
    key(0);
    key(1);
    (kept, DERIVED.get() == derived)
}

pub(crate) fn each_thread_verifies_with_the_key_of_its_own_credentials_and_day() {
    assert_eq!(need_two(0), (2, true));
}

/// The last place is taken by one, and the other replaces a key.
pub(crate) fn no_more_keys_are_kept_than_there_are_places() {
    assert_eq!(need_two(PLACES - 1), (PLACES, true));
}

pub(crate) fn keys_that_are_kept_at_the_same_time_take_different_places() {
    assert_eq!(need_two(PLACES), (PLACES, true));
}
