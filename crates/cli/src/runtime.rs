//! Runs a command on a tokio runtime.

use tokio::runtime::Builder;

use crate::exit::{Exit, Failure};

/// The threads that a command runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Threads {
    /// The current thread only.
    Current,
    /// One thread for each processor.
    Many,
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
        Threads::Many => Builder::new_multi_thread(),
    };
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
