//! The destinations of results: lines, lines of failures, files of payloads.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use lambda_invoke_map::journal::Settled;
use lambda_invoke_map::{Event, Finished, Keep};
use tokio::time::{Instant, Sleep};

use super::options::Arguments;
use crate::exit::Failure;
use crate::output::destination::Destination;
use crate::output::{Deadline, Output};

/// The maximum number of bytes, and the longest time, that lines are collected before they are
/// written. Writing each line separately would cost as much as its call.
const COLLECTED: usize = 64 << 10;
const COLLECTING: Duration = Duration::from_millis(5);

/// The files of results.
#[derive(Debug)]
pub(super) struct Results {
    lines: Lines,
    failures: Option<Lines>,
    /// Why an output cannot be written; the other one is still completed.
    failure: Option<Failure>,
    /// Whether lines were collected, so that `due` is the time to write them.
    is_due: bool,
    due: Pin<Box<Sleep>>,
}

/// An output, and the lines that are collected for it.
#[derive(Debug)]
struct Lines {
    /// `None` once it could not be written.
    output: Option<Output>,
    collected: BytesMut,
}

impl Lines {
    fn new(destination: &Destination, capacity: usize) -> Result<Self, Failure> {
        Ok(Self {
            output: Some(Output::new(destination, Deadline::none())?),
            collected: BytesMut::with_capacity(capacity),
        })
    }

    fn add(&mut self, event: &Event) {
        if self.output.is_some() {
            self.collected.extend_from_slice(event.line());
            self.collected.extend_from_slice(b"\n");
        }
    }

    async fn write(&mut self) -> Result<(), Failure> {
        let Some(output) = self.output.as_mut().filter(|_| !self.collected.is_empty()) else {
            return Ok(());
        };
        let written = output.write(self.collected.split().freeze()).await;
        if written.is_err() {
            self.output = None;
        }
        written
    }

    async fn finish(mut self) -> Result<(), Failure> {
        self.write().await?;
        match self.output {
            Some(output) => output.finish(true).await,
            None => Ok(()),
        }
    }
}

impl Results {
    /// Opens the files.
    ///
    /// # Errors
    ///
    /// If one of them cannot be written to.
    pub(super) fn new(arguments: &Arguments) -> Result<Self, Failure> {
        let lines = arguments.destination.check()?;
        let failures = arguments.failures.as_deref();
        let failures = failures
            .map(|path| Destination::checked("--failures", path))
            .transpose()?;
        let failures = failures.map(|failures| Lines::new(&failures, 0));
        Ok(Self {
            // Twice as much as is collected: while one half is written, the other one fills.
            lines: Lines::new(&lines, 2 * COLLECTED)?,
            failures: failures.transpose()?,
            failure: None,
            is_due: false,
            // One timer for all results: setting one for each would cost more than adding the
            // result.
            due: Box::pin(tokio::time::sleep(COLLECTING)),
        })
    }

    /// Adds a result; returns whether it is time to write.
    pub(super) fn add(&mut self, event: &Event) -> bool {
        self.lines.add(event);
        if !self.is_due {
            self.is_due = true;
            self.due.as_mut().reset(Instant::now() + COLLECTING);
        }
        if event.settled() != Settled::Done {
            if let Some(failures) = &mut self.failures {
                failures.add(event);
            }
        }
        self.lines.collected.len() >= COLLECTED
    }

    /// Waits until it is time to write; forever if there is nothing to write.
    pub(super) async fn due(&mut self) {
        match self.is_due {
            true => self.due.as_mut().await,
            false => std::future::pending().await,
        }
    }

    /// Writes the collected lines. Returns whether all outputs can still be written to.
    pub(super) async fn write(&mut self) -> bool {
        self.is_due = false;
        let outputs = [Some(&mut self.lines), self.failures.as_mut()];
        for lines in outputs.into_iter().flatten() {
            let written = lines.write().await;
            self.failure = self.failure.take().or(written.err());
        }
        self.failure.is_none()
    }

    /// Writes the rest and ends the files.
    ///
    /// # Errors
    ///
    /// The first failure to write. The other file is complete nevertheless.
    pub(super) async fn finish(self) -> Result<(), Failure> {
        let lines = self.lines.finish().await;
        let failures = match self.failures {
            Some(failures) => failures.finish().await,
            None => Ok(()),
        };
        self.failure.map_or(Ok(()), Err).and(lines).and(failures)
    }
}

/// Creates the folder for payloads, and returns the function that writes them there. If there is a journal, an
/// item counts as done only when its file would survive a power failure, since it is never sent again.
///
/// # Errors
///
/// If the folder cannot be created.
pub(super) fn keeper(folder: &Path, has_journal: bool) -> Result<Arc<Keep>, Failure> {
    fs::create_dir_all(folder)
        .map_err(|error| Failure::usage(format!("cannot create {}: {error}", folder.display())))?;
    let folder = folder.to_owned();
    Ok(Arc::new(move |finished: &Finished| {
        if finished.payload.is_empty() {
            return Ok(finished.line());
        }
        let name = store(&folder, finished, has_journal)?;
        Ok(finished.line_with(Some(&name)))
    }))
}

/// Writes a payload to its own file, which appears only when it is complete.
fn store(folder: &Path, finished: &Finished, lasts: bool) -> io::Result<String> {
    let is_json = lambda_invoke_protocol::json::check(&finished.payload).is_ok();
    let name = format!(
        "{}.{}",
        file_name(finished.index, finished.key.as_deref()),
        if is_json { "json" } else { "bin" }
    );
    let temporary: PathBuf = folder.join(format!(".{}.partial", finished.index));
    let mut file = fs::File::create(&temporary)?;
    file.write_all(&finished.payload)?;
    if lasts {
        file.sync_all()?;
    }
    drop(file);
    fs::rename(&temporary, folder.join(&name))?;
    // Elsewhere, a folder cannot be opened.
    if lasts && cfg!(unix) {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(name)
}

/// The name of an item's file: the index, which makes names unique and ordered, and the part of the
/// key that is safe in a name.
fn file_name(index: u64, key: Option<&str>) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let key: String = key
        .unwrap_or_default()
        .chars()
        .map(|c| if is_safe(c) { c } else { '_' })
        .take(80)
        .collect();
    match key.is_empty() {
        true => format!("{index:08}"),
        false => format!("{index:08}-{key}"),
    }
}

/// A line with the members that the program reads from results of earlier runs.
#[derive(serde::Deserialize)]
struct Recorded {
    #[serde(default)]
    error: Option<RecordedError>,
}

#[derive(serde::Deserialize)]
struct RecordedError {
    #[serde(default)]
    kind: String,
}

/// The kind of failure of an item; empty if it has none.
pub(super) fn kind(event: &Event) -> String {
    match event {
        Event::Finished(finished, _) => {
            let cause = finished.cause.as_ref();
            cause
                .map(|cause| cause.kind().to_owned())
                .unwrap_or_default()
        }
        Event::Recorded { line, .. } => recorded_kind(line),
    }
}

fn recorded_kind(line: &Bytes) -> String {
    let recorded: Option<Recorded> = serde_json::from_slice(line).ok();
    let error = recorded.and_then(|recorded| recorded.error);
    error.map(|error| error.kind).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_unique_and_stay_in_the_folder() {
        assert_eq!(file_name(7, None), "00000007");
        assert_eq!(file_name(7, Some("../a b/ç")), "00000007-.._a_b__");
        assert!(file_name(7, Some(&"x".repeat(1_000))).len() < 100);
    }

    #[test]
    fn the_kind_of_an_earlier_failure_is_read_from_its_line() {
        let line = Bytes::from(r#"{"index":1,"error":{"kind":"timed_out","message":"x"}}"#);
        assert_eq!(recorded_kind(&line), "timed_out");
        assert_eq!(recorded_kind(&Bytes::from(r#"{"index":1}"#)), "");
    }
}
