//! The file for events that failed for good.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::{Mutex, oneshot};

/// How long opening the file may take. A named pipe that nobody reads cannot be opened.
const OPENING: Duration = Duration::from_secs(1);

/// A file that lines are appended to, by a thread of its own: writing may block for as long as the
/// operating system likes, and a runtime's thread must not.
///
/// The file stays open, so that no line is lost when there are no more file descriptors.
#[derive(Debug)]
pub(crate) struct LetterFile {
    path: PathBuf,
    lines: mpsc::Sender<Line>,
    /// Held while a line is written: there is one at a time, made when its turn has come.
    turn: Mutex<()>,
}

struct Line {
    text: String,
    written: oneshot::Sender<io::Result<()>>,
}

impl LetterFile {
    /// Opens the file, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// What the operating system said, or that it said nothing within a second.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let (lines, waiting) = mpsc::channel();
        let (tell, opened) = mpsc::sync_channel(1);
        let to_open = path.to_owned();
        std::thread::Builder::new()
            .name("dead-letter".to_owned())
            .spawn(move || {
                match OpenOptions::new().create(true).append(true).open(to_open) {
                    // Nobody waits any more: it took too long.
                    Ok(file) => tell.send(Ok(())).map_or((), |()| write(file, &waiting)),
                    Err(error) => tell.send(Err(error)).unwrap_or_default(),
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

    /// Appends a line, and waits until it is written.
    ///
    /// # Errors
    ///
    /// What the operating system said.
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

/// Writes lines until nobody can give one any more.
fn write(mut file: File, waiting: &mpsc::Receiver<Line>) {
    let mut is_broken = false;
    while let Ok(Line { mut text, written }) = waiting.recv() {
        if is_broken {
            // The last line may have been written in part: this one must not continue it.
            text.insert(0, '\n');
        }
        let result = file.write_all(text.as_bytes());
        is_broken = result.is_err();
        // Nobody may wait for it any more.
        let _ = written.send(result);
    }
}
