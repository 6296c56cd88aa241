//! The values of the last day and the last second, shared by the threads that sign.

use std::sync::{Arc, PoisonError};

use super::sync::{Mutex, MutexGuard};

/// The values `D` of a day and `S` of a second in it, each for the last one that was requested.
pub(crate) struct Latest<D, S> {
    places: Mutex<Places<D, S>>,
}

struct Places<D, S> {
    day: Option<Arc<D>>,
    second: Option<S>,
}

impl<D, S> Default for Latest<D, S> {
    fn default() -> Self {
        Self {
            places: Mutex::new(Places {
                day: None,
                second: None,
            }),
        }
    }
}

impl<D, S: Clone> Latest<D, S> {
    /// The day that `fits`, from the cache or from `derive`.
    pub(crate) fn day(&self, fits: impl FnOnce(&D) -> bool, derive: impl FnOnce() -> D) -> Arc<D> {
        self.lock().day(fits, derive)
    }

    /// The day that `fits` and the second that `is_same`, from the cache or from `derive` and
    /// `make`.
    #[inline]
    pub(crate) fn at<E>(
        &self,
        fits: impl FnOnce(&D) -> bool,
        derive: impl FnOnce() -> D,
        is_same: impl FnOnce(&S) -> bool,
        make: impl FnOnce(&D) -> Result<S, E>,
    ) -> Result<(Arc<D>, S), E> {
        let mut places = self.lock();
        let day = places.day(fits, derive);
        let second = match &places.second {
            Some(second) if is_same(second) => second.clone(),
            _ => places.second.insert(make(&day)?).clone(),
        };
        Ok((day, second))
    }

    fn lock(&self) -> MutexGuard<'_, Places<D, S>> {
        // Nothing panics while the lock is held, and a cached value is complete or absent.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D, S> Places<D, S> {
    fn day(&mut self, fits: impl FnOnce(&D) -> bool, derive: impl FnOnce() -> D) -> Arc<D> {
        match &self.day {
            Some(day) if fits(day) => Arc::clone(day),
            _ => Arc::clone(self.day.insert(Arc::new(derive()))),
        }
    }
}
