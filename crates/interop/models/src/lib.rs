//! Runs the models, and has what they need in place of `tokio`: the same interface, as far as the included
//! files use it, on loom's types. The programs of this package name this library `tokio`.
//!
//! A task runs in a thread of its own, and a timer fires as soon as a thread waits for nothing else. So a
//! model covers every order of the timers and the other threads.

pub mod runtime;
pub mod sync;
pub mod time;

use std::io::{Write, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

pub use tokio::{pin, select};

/// Runs a model in every interleaving of its threads, and prints how many there are. With a bound, only those
/// in which a thread is interrupted at most so many times.
///
/// # Panics
///
/// If the model fails; its name is the last that was printed.
pub fn check(name: &str, bound: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    print!("{name}: ");
    stdout().flush().expect("it can be written");
    let (runs, start) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = bound;
    builder.max_branches = 100_000;
    let count = Arc::clone(&runs);
    builder.check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        model();
    });
    let (runs, seconds) = (runs.load(Ordering::Relaxed), start.elapsed().as_secs_f64());
    let at_most = match bound {
        None => String::new(),
        Some(1) => ", at most 1 interruption".to_owned(),
        Some(bound) => format!(", at most {bound} interruptions"),
    };
    println!("{runs} runs in {seconds:.1} s{at_most}");
}

/// Checks the models with these names.
#[macro_export]
macro_rules! check {
    ($bound:expr; $($model:ident),+ $(,)?) => {
        $($crate::check(stringify!($model), $bound, $model);)+
    };
}
