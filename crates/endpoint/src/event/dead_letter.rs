//! The dead-letter file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::{Mutex, oneshot};

/// The timeout for opening the file. Opening a named pipe blocks until it has a reader.
const OPENING: Duration = Duration::from_secs(1);

/// A file that a separate thread appends lines to: writing may block, and a thread of the runtime
/// must not.
///
/// The file stays open, so that no line is lost for lack of file descriptors.
#[derive(Debug)]
pub(crate) struct LetterFile {
    path: PathBuf,
    lines: mpsc::Sender<Line>,
    /// Held while a line is written: only one line exists at a time.
    turn: Mutex<()>,
}

struct Line {
    text: String,
    written: oneshot::Sender<io::Result<()>>,
}

impl LetterFile {
    /// Opens the file, and creates it if it does not exist.
    ///
    /// # Errors
    ///
    /// The operating system's error, or a timeout after a second.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let (lines, waiting) = mpsc::channel();
        let (report, opened) = mpsc::sync_channel(1);
        let to_open = path.to_owned();
        std::thread::Builder::new()
            .name("dead-letter".to_owned())
            .spawn(move || {
                match OpenOptions::new().create(true).append(true).open(to_open) {
                    // Sending the report fails if the timeout has expired.
                    Ok(file) => report.send(Ok(())).map_or((), |()| write(file, &waiting)),
                    Err(error) => report.send(Err(error)).unwrap_or_default(),
                }
            })?;
        match opened.recv_timeout(OPENING) {
            Ok(opened) => opened?,
            Err(_) => {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "it could not be opened within a second (a named pipe needs a reader)",
                ));
            }
        }
        Ok(Self {
            path: path.to_owned(),
            lines,
            turn: Mutex::new(()),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a line and waits until it is written.
    ///
    /// # Errors
    ///
    /// The operating system's error.
    pub(crate) async fn append(&self, line: impl FnOnce() -> String) -> io::Result<()> {
        let _turn = self.turn.lock().await;
        let (written, done) = oneshot::channel();
        let mut text = line();
        text.push('\n');
        let ended = || io::Error::other("the thread that writes it has ended");
        self.lines
            .send(Line { text, written })
            .map_err(|_| ended())?;
        done.await.map_err(|_| ended())?
    }
}

/// Writes lines until the sender is dropped.
fn write(mut file: File, waiting: &mpsc::Receiver<Line>) {
    let mut is_broken = false;
    while let Ok(Line { mut text, written }) = waiting.recv() {
        if is_broken {
            // The last line may be incomplete, and this line must not continue it.
            text.insert(0, '\n');
        }
        let result = file.write_all(text.as_bytes());
        is_broken = result.is_err();
        // The waiting future may have been dropped.
        let _ = written.send(result);
    }
}
