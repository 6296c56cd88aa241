//! Writes payloads and results to stdout or to a file. Nothing else writes there.

pub(crate) mod destination;
pub(crate) mod progress;
mod stdout;

use std::future::pending;
use std::io::{self, Write as _};
use std::time::Duration;

use bytes::Bytes;
use lambda_invoke::Timeouts;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use self::destination::{Destination, Sink, Temporary};
pub(crate) use self::stdout::{is_terminal, stdout};
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

    /// No deadline.
    pub(crate) fn none() -> Self {
        Self {
            at: None,
            timeout: Duration::ZERO,
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

/// Writes to stdout or a file from its own thread, so that a slow reader delays neither the timeout
/// nor an endpoint in the same process. If it is dropped before [`finish`](Self::finish), a file
/// stays unchanged.
#[derive(Debug)]
pub(crate) struct Output {
    chunks: mpsc::Sender<Bytes>,
    writer: JoinHandle<io::Result<()>>,
    deadline: Deadline,
    destination: Destination,
    temporary: Option<Temporary>,
}

impl Output {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// If the destination cannot be opened.
    pub(crate) fn new(destination: &Destination, deadline: Deadline) -> Result<Self, Failure> {
        let started = destination.start();
        let (mut sink, temporary) = started.map_err(|error| not_written_to(destination, &error))?;
        let (chunks, mut queue) = mpsc::channel::<Bytes>(MAX_QUEUED);
        let writer = tokio::task::spawn_blocking(move || {
            let mut ends_line = true;
            while let Some(chunk) = queue.blocking_recv() {
                sink.write(&chunk)?;
                ends_line = chunk.last().is_none_or(|last| *last == b'\n');
            }
            let is_shown = matches!(sink, Sink::Stdout) && is_terminal();
            sink.finish()?;
            // So that messages after a payload without a final newline start on a new line.
            if !ends_line && is_shown && terminal::is_terminal() {
                terminal::say("");
            }
            Ok(())
        });
        Ok(Self {
            chunks,
            writer,
            deadline,
            destination: destination.clone(),
            temporary,
        })
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

    /// Waits until nothing more can be written, and returns why.
    pub(crate) async fn failed(&mut self) -> Failure {
        self.chunks.closed().await;
        self.failure().await
    }

    /// Waits until everything is written, and gives a file its name if the response is complete.
    ///
    /// # Errors
    ///
    /// If something could not be written, or not before the deadline.
    pub(crate) async fn finish(self, is_complete: bool) -> Result<(), Failure> {
        drop(self.chunks);
        let written = tokio::select! {
            biased;
            written = self.writer => written,
            failure = self.deadline.passed_after(GRACE) => return Err(failure),
        };
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(not_written_to(&self.destination, &error)),
            Err(error) => return Err(Failure::new(Exit::Transport, error)),
        }
        match self.temporary {
            Some(temporary) if is_complete => temporary
                .commit()
                .map_err(|error| not_written_to(&self.destination, &error)),
            _ => Ok(()),
        }
    }

    async fn failure(&mut self) -> Failure {
        match (&mut self.writer).await {
            Ok(Err(error)) => not_written_to(&self.destination, &error),
            // The writer ends without an error only after `finish` drops the sender.
            Ok(Ok(())) => pending().await,
            Err(error) => Failure::new(Exit::Transport, error),
        }
    }
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

/// The failure of a write to stdout.
pub(crate) fn not_written(error: &io::Error) -> Failure {
    not_written_to(&Destination::Stdout, error)
}

/// The failure of a write. A closed pipe is reported only as JSON: a reader such as `head` has what
/// it wanted.
fn not_written_to(destination: &Destination, error: &io::Error) -> Failure {
    let name = destination.name();
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::json_only(Exit::ClosedPipe, format!("the reader of {name} closed it"))
            .with("kind", "closed_pipe");
    }
    Failure::new(Exit::Transport, format!("cannot write to {name}: {error}")).with("kind", "output")
}

/// Writes a line.
///
/// # Errors
///
/// If it cannot be written before the deadline.
pub(crate) async fn write_line(
    mut text: String,
    destination: &Destination,
    deadline: Deadline,
) -> Result<(), Failure> {
    text.push('\n');
    let mut output = Output::new(destination, deadline)?;
    output.write(text.into()).await?;
    output.finish(true).await
}
