//! Tests the state that threads share in the published crates, in every interleaving: the files are
//! compiled here with loom's types in place of those of `std`.

use lambda_invoke_models::check;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::{sync, thread};

#[allow(dead_code, reason = "not all of it is checked")]
#[path = "../../../../../protocol/src/retry/bucket.rs"]
mod bucket;
// Its unit tests are about real keys.
#[cfg(not(test))]
#[path = "../../../../../sigv4/src/verify/cache.rs"]
mod cache;
#[allow(dead_code, reason = "not all of it is checked")]
#[path = "../../../../../endpoint/src/run/concurrency.rs"]
mod concurrency;
#[cfg(not(test))]
mod keys;
#[allow(dead_code, reason = "not all of it is checked")]
#[path = "../../../../../sigv4/src/sign/latest.rs"]
mod latest;
#[path = "../../../../../runtime/src/instance/permit.rs"]
mod permit;

use bucket::TokenBucket;
use concurrency::{Limit, Limits};
#[cfg(not(test))]
use keys::*;
use latest::Latest;
use permit::Permit;

fn main() {
    check!(None;
        retries_take_no_more_tokens_than_there_are,
        tokens_that_are_given_back_are_not_lost,
        no_more_invocations_run_than_a_limit_allows,
        a_rejected_invocation_holds_no_place,
        no_more_calls_are_in_progress_than_a_pool_allows,
        calls_that_end_at_the_same_time_free_both_places,
        each_thread_signs_for_its_own_day_and_second,
    );
    #[cfg(not(test))]
    check!(None;
        each_thread_verifies_with_the_key_of_its_own_credentials_and_day,
        no_more_keys_are_kept_than_there_are_places,
        keys_that_are_kept_at_the_same_time_take_different_places,
    );
}

/// Runs a function in another thread and in this one, and returns both results.
fn two<R: 'static>(run: impl Fn(usize) -> R + Clone + 'static) -> [R; 2] {
    let other = {
        let run = run.clone();
        thread::spawn(move || run(0))
    };
    let own = run(1);
    [other.join().expect("a thread panicked"), own]
}

fn retries_take_no_more_tokens_than_there_are() {
    let bucket = Arc::new(TokenBucket::with_tokens(20));
    let shared = Arc::clone(&bucket);
    let taken = two(move |_| shared.take(14));
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
    assert_eq!(bucket.available(), 6);
}

fn tokens_that_are_given_back_are_not_lost() {
    let bucket = Arc::new(TokenBucket::with_tokens(TokenBucket::CAPACITY - 1));
    let shared = Arc::clone(&bucket);
    let taken = two(move |number| match number {
        1 => shared.take(5),
        _ => {
            shared.give_back(1);
            false
        }
    });
    assert!(taken[1]);
    // If the tokens are returned first, the bucket is full.
    assert_eq!(bucket.available(), TokenBucket::CAPACITY - 5);
}

/// Counts how many threads are inside at the same time.
#[derive(Default)]
struct Within(AtomicUsize);

impl Within {
    fn enter(&self, most: usize) {
        assert!(self.0.fetch_add(1, Ordering::SeqCst) < most);
        thread::yield_now();
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn no_more_invocations_run_than_a_limit_allows() {
    let limits = Limits {
        function: Some(std::sync::Arc::new(Limit::new(1))),
        account: None,
    };
    let within = Arc::new(Within::default());
    let shared = (limits.clone(), Arc::clone(&within));
    let ran = two(move |_| {
        let permit = concurrency::Permit::acquire(&shared.0);
        permit.map(|_running| shared.1.enter(1)).is_ok()
    });
    assert!(ran.contains(&true));
    assert!(concurrency::Permit::acquire(&limits).is_ok());
}

fn a_rejected_invocation_holds_no_place() {
    let limits = Limits {
        function: Some(std::sync::Arc::new(Limit::new(2))),
        account: Some(std::sync::Arc::new(Limit::new(1))),
    };
    let shared = limits.clone();
    let held = two(move |_| concurrency::Permit::acquire(&shared).ok());
    // Permits are held to the end, while an invocation that the account's limit rejects comes and
    // goes.
    assert_eq!(held.iter().flatten().count(), 1);
    drop(held);
    let function = Limits {
        account: None,
        ..limits
    };
    let _first = concurrency::Permit::acquire(&function).expect("both places are free");
    let _second = concurrency::Permit::acquire(&function).expect("a place is free");
    assert!(concurrency::Permit::acquire(&function).is_err());
}

fn no_more_calls_are_in_progress_than_a_pool_allows() {
    let count = std::sync::Arc::new(AtomicUsize::new(0));
    let within = Arc::new(Within::default());
    let shared = (std::sync::Arc::clone(&count), Arc::clone(&within));
    let ran = two(move |_| {
        let permit = Permit::take(&shared.0, 1);
        permit.map(|_running| shared.1.enter(1)).is_some()
    });
    assert!(ran.contains(&true));
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

fn calls_that_end_at_the_same_time_free_both_places() {
    let count = std::sync::Arc::new(AtomicUsize::new(0));
    let shared = std::sync::Arc::clone(&count);
    let ran = two(move |_| Permit::take(&shared, 2).is_some());
    assert_eq!(ran, [true, true]);
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

/// One thread signs at a time on one day, the other at a time on the next day, and both repeat.
fn each_thread_signs_for_its_own_day_and_second() {
    let latest = Arc::new(Latest::<usize, (usize, usize)>::default());
    two(move |number| {
        let (day, time) = (number, number);
        let made = latest.at(
            |kept| *kept == day,
            || day,
            |(kept, _)| *kept == time,
            |day| Ok::<_, ()>((time, *day)),
        );
        let (of_day, (second, day_of_second)) = made.expect("making it does not fail");
        assert_eq!((*of_day, second, day_of_second), (day, time, day));
        assert_eq!(*latest.day(|kept| *kept == day, || day), day);
    });
}
