//! Files.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::random;

/// How long a file may take to be read. A file system that hangs, or a named pipe that nobody
/// writes to, must not block forever.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// The maximum number of reads of pipes that may hang at a time: each occupies a thread.
const MOST_HANGING: usize = 16;

/// Reads and writes files. The methods may block: they are called on threads for that.
pub trait Files: fmt::Debug + Send + Sync {
    /// Reads a file of at most `max` bytes. A read of a pipe should time out after some seconds.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is longer.
    fn read(&self, path: &Path, max: usize) -> io::Result<Vec<u8>>;

    /// Replaces a file atomically, so that other programs see either the old content or the new
    /// one. Only the user may read the new file.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    fn write_private(&self, path: &Path, data: &[u8]) -> io::Result<()>;
}

/// The files of this machine. Reading a pipe, such as a shell's `<(..)`, times out after ten
/// seconds.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct LocalFiles;

impl Files for LocalFiles {
    fn read(&self, path: &Path, max: usize) -> io::Result<Vec<u8>> {
        let metadata = fs::metadata(path).map_err(|error| match error.kind() {
            // A folder may not be searched: for this user, there is no such file.
            io::ErrorKind::PermissionDenied => io::Error::new(io::ErrorKind::NotFound, error),
            _ => error,
        })?;
        match metadata.is_file() {
            true => read(path, max),
            false => read_in_time(path.to_owned(), max),
        }
    }

    fn write_private(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        // Random, since other threads, and other containers with the same process id, may write the
        // same file.
        let Some(number) = random::bytes().map(u64::from_be_bytes) else {
            return Err(io::Error::other("the system has no random numbers"));
        };
        // In the same directory, so that renaming it replaces the old file in one step.
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{number:016x}.tmp"));
        let temporary = path.with_file_name(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let mut file = options.open(&temporary)?;
        let written = file.write_all(data);
        drop(file);
        let written = written.and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            // The first error is the one to report.
            let _ = fs::remove_file(&temporary);
        }
        written
    }
}

fn read(path: &Path, max: usize) -> io::Result<Vec<u8>> {
    let mut data = Vec::new();
    File::open(path)?
        .take((max as u64).saturating_add(1))
        .read_to_end(&mut data)?;
    if data.len() > max {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("it is longer than {max} bytes"),
        ));
    }
    Ok(data)
}

/// Reads on a separate thread, which is abandoned if nobody writes to the pipe.
fn read_in_time(path: PathBuf, max: usize) -> io::Result<Vec<u8>> {
    static HANGING: AtomicUsize = AtomicUsize::new(0);
    /// Counts a read until it ends.
    struct Count;
    impl Drop for Count {
        fn drop(&mut self) {
            HANGING.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let before = HANGING.fetch_add(1, Ordering::Relaxed);
    let count = Count;
    if before >= MOST_HANGING {
        return Err(io::Error::other("too many reads of pipes hang already"));
    }
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        let data = read(&path, max);
        drop(count);
        // Perhaps nobody is waiting any more.
        let _ = sender.send(data);
    })?;
    receiver
        .recv_timeout(TIMEOUT)
        .unwrap_or_else(|_| Err(timed_out()))
}

pub(super) fn timed_out() -> io::Error {
    io::Error::new(
        io::ErrorKind::TimedOut,
        format!("reading it took longer than {TIMEOUT:?}"),
    )
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn writers_of_the_same_file_do_not_disturb_each_other() {
        let folder = format!("lambda-invoke-writers-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("token.json");
        let contents: Vec<String> = ["a", "b", "c", "d"]
            .iter()
            .zip(1..)
            .map(|(letter, size)| letter.repeat(size * 10_000))
            .collect();
        LocalFiles
            .write_private(&path, contents[0].as_bytes())
            .unwrap();
        thread::scope(|scope| {
            for content in &contents {
                scope.spawn(|| {
                    for _ in 0..100 {
                        LocalFiles.write_private(&path, content.as_bytes()).unwrap();
                        let read = LocalFiles.read(&path, 1 << 20).unwrap();
                        assert!(contents.iter().any(|one| one.as_bytes() == read));
                    }
                });
            }
        });
        // Only the file itself is left, which nobody else may read.
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_pipe_is_read_and_one_without_a_writer_does_not_hang() {
        let path = std::env::temp_dir().join(format!("lambda-invoke-pipe-{}", std::process::id()));
        let _ = fs::remove_file(&path);
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let writer = path.clone();
        let writing = thread::spawn(move || fs::write(writer, "[default]").unwrap());
        assert_eq!(LocalFiles.read(&path, 100).unwrap(), b"[default]");
        writing.join().unwrap();
        let start = Instant::now();
        let error = LocalFiles.read(&path, 100).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{error}");
        assert!(start.elapsed() < TIMEOUT * 2, "{:?}", start.elapsed());
        // The reader ends when the pipe is closed.
        fs::write(&path, "").unwrap();
        fs::remove_file(&path).unwrap();
    }
}
