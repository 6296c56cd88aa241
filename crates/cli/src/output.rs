//! The payload on stdout, and nothing else there.

use std::future::pending;
use std::io::{self, IsTerminal as _, Write as _};

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::exit::{Exit, Failure};

/// How many pieces may wait for a slow reader of stdout. When they are there, nothing more is read
/// from the connection.
const WAITING: usize = 16;

/// Writes to stdout from a thread of its own, so that a slow reader holds up neither Ctrl-C nor an
/// endpoint in the same process.
#[derive(Debug)]
pub(crate) struct Output {
    pieces: mpsc::Sender<Bytes>,
    writer: JoinHandle<io::Result<()>>,
}

impl Output {
    pub(crate) fn new() -> Self {
        let (pieces, mut waiting) = mpsc::channel::<Bytes>(WAITING);
        let writer = tokio::task::spawn_blocking(move || {
            let mut stdout = io::stdout().lock();
            let mut ends_line = true;
            while let Some(piece) = waiting.blocking_recv() {
                stdout.write_all(&piece)?;
                ends_line = piece.last().is_none_or(|last| *last == b'\n');
                // Not kept for the end of a line: a piece is for whoever reads it now.
                stdout.flush()?;
            }
            // A payload need not end in a line; what comes after it on a terminal begins one.
            if !ends_line && stdout.is_terminal() && io::stderr().is_terminal() {
                let _ = writeln!(io::stderr());
            }
            Ok(())
        });
        Self { pieces, writer }
    }

    /// Hands a piece over to be written and flushed.
    ///
    /// # Errors
    ///
    /// If an earlier one could not be written.
    pub(crate) async fn write(&mut self, piece: Bytes) -> Result<(), Failure> {
        match self.pieces.send(piece).await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.failure().await),
        }
    }

    /// Hands a value over to be written as JSON on one line, a piece after the other.
    ///
    /// # Errors
    ///
    /// If an earlier piece could not be written.
    pub(crate) async fn write_json_line<T>(&mut self, value: T) -> Result<(), Failure>
    where
        T: Serialize + Send + 'static,
    {
        let pieces = self.pieces.clone();
        let written = tokio::task::spawn_blocking(move || {
            let mut sink = io::BufWriter::with_capacity(64 * 1024, Sink(pieces));
            serde_json::to_writer(&mut sink, &value)?;
            sink.write_all(b"\n")?;
            sink.flush()
        });
        match written.await {
            Ok(Ok(())) => Ok(()),
            // What is serialized has string keys only, so that nothing but the writer can fail.
            Ok(Err(_)) => Err(self.failure().await),
            Err(error) => Err(Failure::new(Exit::Transport, error)),
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
    /// If something could not be written.
    pub(crate) async fn finish(self) -> Result<(), Failure> {
        drop(self.pieces);
        match self.writer.await {
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

/// Hands what is written to it over, from a thread that may wait.
#[derive(Debug)]
struct Sink(mpsc::Sender<Bytes>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Bytes::copy_from_slice(bytes);
        match self.0.blocking_send(piece) {
            Ok(()) => Ok(bytes.len()),
            Err(_) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a text to stdout, for commands that need no runtime.
///
/// # Errors
///
/// If it cannot be written.
pub(crate) fn print(text: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text)
        .and_then(|()| stdout.flush())
        .map_err(|error| not_written(&error))
}

/// A reader that has gone is no error: it had what it wanted.
pub(crate) fn not_written(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::silent(Exit::ClosedPipe);
    }
    Failure::new(
        Exit::Transport,
        format!("stdout cannot be written to: {error}"),
    )
}

/// Runs a command to its end, or to Ctrl-C.
///
/// # Errors
///
/// Those of the command; [`Exit::Interrupted`] on Ctrl-C.
pub(crate) fn run(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Transport, format!("no runtime: {error}")))?;
    let result = runtime.block_on(async {
        tokio::select! {
            biased;
            Ok(()) = tokio::signal::ctrl_c() => Err(Failure::silent(Exit::Interrupted)),
            result = command => result,
        }
    });
    // The thread that writes to stdout may be waiting for a reader that never reads.
    runtime.shutdown_background();
    result
}

/// Writes a text and the end of a line to stdout.
///
/// # Errors
///
/// If it cannot be written.
pub(crate) async fn write_line(mut text: String) -> Result<(), Failure> {
    text.push('\n');
    let mut output = Output::new();
    output.write(text.into()).await?;
    output.finish().await
}
