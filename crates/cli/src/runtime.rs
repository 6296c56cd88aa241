//! Runs a command on a tokio runtime.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use tokio::runtime::Builder;

use crate::exit::{Exit, Failure};

/// The threads that a command runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Threads {
    /// The current thread only.
    Current,
    /// One thread for each processor.
    Many,
    /// Threads for at most this many concurrent calls.
    Calls(usize),
}

/// The number of concurrent calls that one thread makes. With fewer for each, threads spend their time on
/// waking each other.
const CALLS_PER_THREAD: usize = 64;

/// The number of threads for at most this many concurrent calls: at most one for each processor.
fn threads_for(calls: usize) -> usize {
    let processors = available_parallelism().map_or(1, NonZeroUsize::get);
    calls.div_ceil(CALLS_PER_THREAD).clamp(1, processors)
}

/// Runs a command to completion, without waiting for tasks and threads that it leaves behind: a
/// thread that writes to stdout may have a reader that never reads, and a task may block.
///
/// # Errors
///
/// Those of the command, or if the runtime cannot be started.
pub(crate) fn run<T>(
    threads: Threads,
    command: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut builder = match threads {
        Threads::Current => Builder::new_current_thread(),
        Threads::Many | Threads::Calls(_) => Builder::new_multi_thread(),
    };
    if let Threads::Calls(calls) = threads {
        builder.worker_threads(threads_for(calls));
    }
    let runtime = builder.enable_all().build().map_err(|error| {
        Failure::new(
            Exit::Transport,
            format!("cannot start the runtime: {error}"),
        )
    })?;
    let result = runtime.block_on(command);
    runtime.shutdown_background();
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concurrent_calls_share_threads() {
        let processors = available_parallelism().unwrap().get();
        assert_eq!([0, 1, 64].map(threads_for), [1, 1, 1]);
        assert_eq!(threads_for(65), processors.min(2));
        assert_eq!(threads_for(usize::MAX), processors);
    }
}
