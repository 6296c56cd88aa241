//! The payload on stdout, and nothing else there.
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

/// How many pieces may wait for a slow reader of stdout. When they are there, nothing more is read
/// from the connection.
const WAITING: usize = 16;

/// How long the last pieces may take to be written when the deadline has passed already: a stream
/// that timed out is shown as far as it came.
const REST: Duration = Duration::from_millis(250);

/// When a call is to be over, its output included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Option<Instant>,
    limit: Duration,
}

impl Deadline {
    /// The end of a call with these timeouts that begins now.
    pub(crate) fn of(timeouts: &Timeouts) -> Self {
        let limit = timeouts.total().unwrap_or_default();
        Self {
            at: timeouts
                .total()
                .and_then(|limit| Instant::now().checked_add(limit)),
            limit,
        }
    }

    async fn passed(self) -> Failure {
        self.passed_after(Duration::ZERO).await
    }

    /// As [`passed`](Self::passed), but not before so long.
    async fn passed_after(self, rest: Duration) -> Failure {
        let Some(at) = self.at else {
            return pending().await;
        };
        sleep_until(at.max(Instant::now() + rest)).await;
        let limit = self.limit;
        Failure::new(
            Exit::Transport,
            format!("stdout was not read to the end within {limit:?}, the total timeout"),
        )
        .with("kind", "timed_out")
        .with("time_limit", "total")
    }
}

/// Writes to stdout from a thread of its own, so that a slow reader holds up neither the timeout
/// nor an endpoint in the same process.
#[derive(Debug)]
pub(crate) struct Output {
    pieces: mpsc::Sender<Bytes>,
    writer: JoinHandle<io::Result<()>>,
    deadline: Deadline,
}

impl Output {
    pub(crate) fn new(deadline: Deadline) -> Self {
        let (pieces, mut waiting) = mpsc::channel::<Bytes>(WAITING);
        let writer = tokio::task::spawn_blocking(move || {
            let mut stdout = io::stdout().lock();
            let mut ends_line = true;
            while let Some(mut piece) = waiting.blocking_recv() {
                loop {
                    stdout.write_all(&piece)?;
                    ends_line = piece.last().is_none_or(|last| *last == b'\n');
                    match waiting.try_recv() {
                        Ok(next) => piece = next,
                        Err(_) => break,
                    }
                }
                // Not kept for the end of a line: a piece is for whoever reads it now.
                stdout.flush()?;
            }
            // A payload need not end in a line; what comes after it on a terminal begins one.
            if !ends_line && stdout.is_terminal() && terminal::is_terminal() {
                terminal::say("");
            }
            Ok(())
        });
        Self {
            pieces,
            writer,
            deadline,
        }
    }

    /// Hands a piece over to be written and flushed.
    ///
    /// # Errors
    ///
    /// If an earlier one could not be written, or the deadline passes first.
    pub(crate) async fn write(&mut self, piece: Bytes) -> Result<(), Failure> {
        let sent = tokio::select! {
            biased;
            sent = self.pieces.send(piece) => sent,
            failure = self.deadline.passed() => return Err(failure),
        };
        match sent {
            Ok(()) => Ok(()),
            Err(_) => Err(self.failure().await),
        }
    }

    /// Waits until stdout cannot be written to any more, and says why.
    pub(crate) async fn failed(&mut self) -> Failure {
        self.pieces.closed().await;
        self.failure().await
    }

    /// Waits until all is written.
    ///
    /// # Errors
    ///
    /// If something could not be written, or not before the deadline.
    pub(crate) async fn finish(self) -> Result<(), Failure> {
        drop(self.pieces);
        let written = tokio::select! {
            biased;
            written = self.writer => written,
            failure = self.deadline.passed_after(REST) => return Err(failure),
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
            // The writer ends well only when there is nothing more to come.
            Ok(Ok(())) => pending().await,
            Err(error) => Failure::new(Exit::Transport, error),
        }
    }
}

/// Whether stdout is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Stdout, for commands that write without a runtime.
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

/// A reader that has gone is no error to a person, who had what they wanted.
pub(crate) fn not_written(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::quiet(Exit::ClosedPipe, "nobody reads stdout any more")
            .with("kind", "closed_pipe");
    }
    Failure::new(
        Exit::Transport,
        format!("stdout cannot be written to: {error}"),
    )
    .with("kind", "output")
}

/// Runs a command to its end.
///
/// # Errors
///
/// Those of the command.
pub(crate) fn run(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Transport, format!("no runtime: {error}")))?;
    let result = runtime.block_on(command);
    // The thread that writes to stdout may be waiting for a reader that never reads.
    runtime.shutdown_background();
    result
}

/// Writes a text and the end of a line to stdout.
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
