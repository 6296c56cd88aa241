//! Writes payloads and results to stdout. Nothing else is written there.
#![allow(
    clippy::disallowed_methods,
    reason = "the one module that writes to stdout"
)]

use std::future::pending;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use bytes::Bytes;
use lambda_invoke::Timeouts;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::exit::{Exit, Failure};
use crate::terminal;

/// How many chunks may be queued for a slow reader of stdout before reading from the connection
/// pauses.
const MAX_QUEUED: usize = 16;

/// How long the last chunks may take to be written after the deadline, so that everything received
/// from a stream that timed out is shown.
const GRACE: Duration = Duration::from_millis(250);

/// When a call must be finished, including its output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Option<Instant>,
    timeout: Duration,
}

impl Deadline {
    /// The deadline of a call with these timeouts that starts now.
    pub(crate) fn new(timeouts: &Timeouts) -> Self {
        let timeout = timeouts.total().unwrap_or_default();
        Self {
            at: timeouts
                .total()
                .and_then(|timeout| Instant::now().checked_add(timeout)),
            timeout,
        }
    }

    async fn passed(self) -> Failure {
        self.passed_after(Duration::ZERO).await
    }

    /// Waits for the deadline, but at least for `grace`.
    async fn passed_after(self, grace: Duration) -> Failure {
        let Some(at) = self.at else {
            return pending().await;
        };
        sleep_until(at.max(Instant::now() + grace)).await;
        Failure::new(
            Exit::Transport,
            format!(
                "the output was not read from stdout within {:?}, the total timeout",
                self.timeout
            ),
        )
        .with("kind", "timed_out")
        .with("timeout", "total")
    }
}

/// Writes to stdout from its own thread, so that a slow reader delays neither the timeout nor an
/// endpoint in the same process.
#[derive(Debug)]
pub(crate) struct Output {
    chunks: mpsc::Sender<Bytes>,
    writer: JoinHandle<io::Result<()>>,
    deadline: Deadline,
}

impl Output {
    pub(crate) fn new(deadline: Deadline) -> Self {
        let (chunks, mut queue) = mpsc::channel::<Bytes>(MAX_QUEUED);
        let writer = tokio::task::spawn_blocking(move || {
            let mut stdout = io::stdout().lock();
            let mut ends_line = true;
            while let Some(mut chunk) = queue.blocking_recv() {
                loop {
                    stdout.write_all(&chunk)?;
                    ends_line = chunk.last().is_none_or(|last| *last == b'\n');
                    match queue.try_recv() {
                        Ok(next) => chunk = next,
                        Err(_) => break,
                    }
                }
                // Without waiting for the end of a line: the reader wants each chunk when it comes.
                stdout.flush()?;
            }
            // So that messages after a payload without a final newline start on a new line.
            if !ends_line && stdout.is_terminal() && terminal::is_terminal() {
                terminal::say("");
            }
            Ok(())
        });
        Self {
            chunks,
            writer,
            deadline,
        }
    }

    /// Queues a chunk to be written and flushed.
    ///
    /// # Errors
    ///
    /// If an earlier chunk could not be written, or the deadline passes first.
    pub(crate) async fn write(&mut self, chunk: Bytes) -> Result<(), Failure> {
        let sent = tokio::select! {
            biased;
            sent = self.chunks.send(chunk) => sent,
            failure = self.deadline.passed() => return Err(failure),
        };
        match sent {
            Ok(()) => Ok(()),
            Err(_) => Err(self.failure().await),
        }
    }

    /// Waits until stdout can no longer be written to, and returns why.
    pub(crate) async fn failed(&mut self) -> Failure {
        self.chunks.closed().await;
        self.failure().await
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    ///
    /// If something could not be written, or not before the deadline.
    pub(crate) async fn finish(self) -> Result<(), Failure> {
        drop(self.chunks);
        let written = tokio::select! {
            biased;
            written = self.writer => written,
            failure = self.deadline.passed_after(GRACE) => return Err(failure),
        };
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(not_written(&error)),
            Err(error) => Err(Failure::new(Exit::Transport, error)),
        }
    }

    async fn failure(&mut self) -> Failure {
        match (&mut self.writer).await {
            Ok(Err(error)) => not_written(&error),
            // The writer ends without an error only after `finish` drops the sender.
            Ok(Ok(())) => pending().await,
            Err(error) => Failure::new(Exit::Transport, error),
        }
    }
}

/// Whether stdout is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// A handle to stdout, for commands that need no runtime.
pub(crate) fn stdout() -> impl io::Write {
    io::stdout().lock()
}

/// Writes a text to stdout, for commands that need no runtime.
///
/// # Errors
///
/// If it cannot be written.
pub(crate) fn print(text: &[u8]) -> Result<(), Failure> {
    let mut stdout = stdout();
    stdout
        .write_all(text)
        .and_then(|()| stdout.flush())
        .map_err(|error| not_written(&error))
}

/// The failure of a write to stdout. A closed pipe is not reported to people: `head` has what it
/// wanted.
pub(crate) fn not_written(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::json_only(Exit::ClosedPipe, "the reader of stdout closed it")
            .with("kind", "closed_pipe");
    }
    Failure::new(Exit::Transport, format!("cannot write to stdout: {error}")).with("kind", "output")
}

/// Writes a line to stdout.
///
/// # Errors
///
/// If it cannot be written before the deadline.
pub(crate) async fn write_line(mut text: String, deadline: Deadline) -> Result<(), Failure> {
    text.push('\n');
    let mut output = Output::new(deadline);
    output.write(text.into()).await?;
    output.finish().await
}
