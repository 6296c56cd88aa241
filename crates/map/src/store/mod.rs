//! A journal in a file: locked, written before anything is sent, synced by batches.

mod at;
mod error;
mod threads;

use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use self::at::write_all_at;
pub use self::error::JournalError;
use self::threads::{Job, append, start_syncer, start_thread};
use crate::block::KEPT;
use crate::journal::{Decoded, Header, Record, SLOT, Scanner, Settled, Tail};
use crate::state::{State, StateError};

/// How much of a journal is read at once.
const READ: usize = 256 << 10;

/// The maximum length of a header, in bytes.
const HEADER: u64 = 64 << 10;

/// The unit in which the file grows, in bytes, filled with zeros that records then replace. Records that
/// extended the file themselves, a few at a time, would take twice as long to write.
const GROWTH: u64 = 64 << 10;

/// The last position of the journal at which an item may still be sent: 1 GiB before its end.
const LAST_SENT: u64 = u32::MAX as u64 - (1 << 30) / SLOT as u64;

/// A journal in a file, and the state that it records.
///
/// Records are passed to the operating system before the action that they announce, so a process
/// that is killed loses none. A thread syncs them within a window after they were written, so a
/// power failure can lose those of the last window. They are written where the run is polled, since
/// that takes less time than waking another thread. With a window of zero, a thread writes and
/// syncs them before anything is sent.
#[derive(Debug)]
pub struct Journal {
    state: State,
    seed: u32,
    /// The position of the next record.
    next: u64,
    /// Records that were not written yet.
    buffer: Vec<u8>,
    /// The end of the file, in bytes.
    grown: u64,
    file: Arc<File>,
    jobs: mpsc::Sender<Job>,
    /// The thread that syncs, unless the window is zero.
    syncer: Option<mpsc::SyncSender<u64>>,
    /// Everything before this slot is on the disk.
    synced: Arc<AtomicU64>,
    /// The last position in a `Synced` record.
    marked: u64,
    path: PathBuf,
}

/// What became of the records that were added.
#[derive(Debug)]
pub(crate) enum Written {
    /// There were none.
    Nothing,
    /// They are written.
    Now,
    /// The thread writes and syncs them.
    Later(Later),
}

/// Records that the thread writes and syncs.
#[derive(Debug)]
pub(crate) struct Later(oneshot::Receiver<io::Result<()>>);

impl Later {
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), JournalError>> {
        Pin::new(&mut self.0).poll(cx).map(flattened)
    }
}

/// A line that is being read.
#[derive(Debug)]
pub(crate) struct Reading(oneshot::Receiver<io::Result<Bytes>>);

impl Reading {
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, JournalError>> {
        Pin::new(&mut self.0).poll(cx).map(flattened)
    }
}

/// The result of a job, unless the thread ended before.
fn flattened<T>(done: Result<io::Result<T>, oneshot::error::RecvError>) -> Result<T, JournalError> {
    done.map_err(|_| JournalError::Closed)?
        .map_err(JournalError::Io)
}

impl Journal {
    /// The default of the window: how long a record may be unsynced.
    pub const WINDOW: Duration = Duration::from_millis(200);

    /// Opens a journal for the run that `header` describes, or creates it if there is no file, or
    /// the file is empty or has only the beginning of a header. The seed of `header` is ignored.
    ///
    /// It blocks: it reads the whole file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or written, is not a regular file, is used by another process, is
    /// damaged, or belongs to another run.
    pub fn open(path: &Path, header: &Header, window: Duration) -> Result<Self, JournalError> {
        let mut file = open_locked(path)?;
        let mut start = Vec::new();
        (&mut file).take(HEADER).read_to_end(&mut start)?;
        let mut state = State::default();
        let (seed, next) = match Header::decode(&start)? {
            Decoded::Incomplete => create(&mut file, path, header)?,
            Decoded::Complete(found, length) => {
                if let Some(difference) = header.difference(&found) {
                    return Err(JournalError::Differs(difference));
                }
                file.seek(SeekFrom::Start(length as u64))?;
                let first = (length / SLOT) as u64;
                let tail = scan(&mut file, found.seed, first, |event| Ok(state.read(event)?))?;
                state.expect(found.source)?;
                let end = tail.end;
                repair(&mut file, found.seed, tail)?;
                (found.seed, end)
            }
        };
        let file = Arc::new(file);
        let synced = Arc::new(AtomicU64::new(next));
        let syncer = match window.is_zero() {
            true => None,
            false => Some(start_syncer(&file, window, &synced)?),
        };
        let jobs = start_thread(&file, &synced, seed)?;
        Ok(Self {
            state,
            seed,
            next,
            buffer: Vec::new(),
            grown: next * SLOT as u64,
            file,
            jobs,
            syncer,
            synced,
            marked: 0,
            path: path.to_owned(),
        })
    }

    /// Returns what is known about the items.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds the record of an item that is about to be sent.
    pub(crate) fn sent(&mut self, index: u64, check: u32) -> Result<(), JournalError> {
        // Room is kept for the results of what has been sent.
        if self.next > LAST_SENT {
            return Err(StateError::Full.into());
        }
        self.state.sent(index, check)?;
        self.push(&Record::Sent { index, check })
    }

    /// Adds a result.
    pub(crate) fn settled(
        &mut self,
        index: u64,
        settled: Settled,
        data: &[u8],
    ) -> Result<(), JournalError> {
        let record = Record::Result {
            index,
            settled,
            data,
        };
        record.check()?;
        self.state.settled(index, settled, self.next)?;
        self.push(&record)
    }

    /// Adds the number of items, when the source has ended.
    pub(crate) fn ended(&mut self, count: u64) -> Result<(), JournalError> {
        let is_known = self.state.total().is_some();
        self.state.ended(count)?;
        if !is_known {
            self.push(&Record::End { count })?;
        }
        Ok(())
    }

    /// Writes the records that were added, or starts to.
    ///
    /// # Errors
    ///
    /// If they cannot be written. Nothing may follow an incomplete record, so the journal can no longer be
    /// used.
    pub(crate) fn write(&mut self) -> Result<Written, JournalError> {
        if self.buffer.is_empty() {
            return Ok(Written::Nothing);
        }
        let synced = self.synced.load(Ordering::Acquire);
        if synced > self.marked {
            self.marked = synced;
            self.push(&Record::Synced { slot: synced })?;
        }
        self.grow();
        let end = self.next;
        let Some(syncer) = &self.syncer else {
            let bytes = std::mem::take(&mut self.buffer);
            let (done, written) = oneshot::channel();
            // If the thread has ended, `written` ends with an error.
            let _ = self.jobs.send(Job::Append { bytes, end, done });
            return Ok(Written::Later(Later(written)));
        };
        append(&self.file, &self.buffer, end)?;
        self.buffer.clear();
        self.buffer.shrink_to(KEPT);
        // The channel is full if a sync is due anyway, which then covers these bytes as well.
        let _ = syncer.try_send(end);
        Ok(Written::Now)
    }

    /// Starts to read the line of a result; `None` if the item has none.
    pub(crate) fn read(&self, index: u64) -> Option<Reading> {
        let slot = self.state.slot(index)?;
        let (done, read) = oneshot::channel();
        let _ = self.jobs.send(Job::Read { slot, done });
        Some(Reading(read))
    }

    /// Closes the journal after everything that was written is on the disk.
    ///
    /// # Errors
    ///
    /// If it cannot be synced.
    pub async fn close(self) -> Result<(), JournalError> {
        let (done, synced) = oneshot::channel();
        let end = self.next;
        let _ = self.jobs.send(Job::Close { end, done });
        flattened(synced.await)
    }

    /// Fills the file with zeros to the end of the unit in which the next record begins, so that zeros follow
    /// every record.
    fn grow(&mut self) {
        let end = self.next * SLOT as u64;
        if end < self.grown {
            return;
        }
        let unit = end - end % GROWTH;
        let start = unit.max(self.grown);
        self.grown = unit + GROWTH;
        let zeros = vec![0; (self.grown - start) as usize];
        // If there is no room for them, there may still be room for records.
        let _ = write_all_at(&self.file, &zeros, start);
    }

    fn push(&mut self, record: &Record<'_>) -> Result<(), JournalError> {
        self.next = record.encode(self.seed, self.next, &mut self.buffer)?;
        Ok(())
    }
}

fn open_locked(path: &Path) -> Result<File, JournalError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt as _;
        // No other process may open the file.
        options.share_mode(0);
        const SHARING_VIOLATION: i32 = 32;
        let file = options
            .open(path)
            .map_err(|error| match error.raw_os_error() {
                Some(SHARING_VIOLATION) => JournalError::InUse,
                _ if path.is_dir() => JournalError::NotAFile,
                _ => error.into(),
            })?;
        regular(file)
    }
    #[cfg(unix)]
    {
        use rustix::fs::{FlockOperation, flock};
        let opened = options.open(path);
        let file = regular(opened.map_err(|error| match error.kind() {
            io::ErrorKind::IsADirectory => JournalError::NotAFile,
            _ => error.into(),
        })?)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(JournalError::InUse),
            // The file system has no locks.
            Err(rustix::io::Errno::NOTSUP | rustix::io::Errno::NOSYS) => Ok(file),
            Err(error) => Err(io::Error::from(error).into()),
        }
    }
}

/// Rejects everything but regular files: reading a pipe would wait forever.
fn regular(file: File) -> Result<File, JournalError> {
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(JournalError::NotAFile),
    }
}

/// Writes the header of a new journal, and returns its seed and the position after it.
fn create(file: &mut File, path: &Path, header: &Header) -> Result<(u32, u64), JournalError> {
    // The keys of the standard library's hashers are random.
    let random = std::hash::RandomState::new().build_hasher().finish();
    let seed = random as u32;
    let bytes = header.clone().with_seed(seed).encode()?;
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    // The file's name must survive a power failure, too.
    #[cfg(unix)]
    {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    let _ = path;
    Ok((seed, (bytes.len() / SLOT) as u64))
}

/// Reads all records.
fn scan(
    file: &mut File,
    seed: u32,
    first: u64,
    mut on: impl FnMut(&crate::journal::Event) -> Result<(), JournalError>,
) -> Result<Tail, JournalError> {
    let mut scanner = Scanner::new(seed, first);
    let mut piece = vec![0; READ];
    loop {
        let read = match file.read(&mut piece) {
            Ok(0) => return Ok(scanner.finish()?),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        scanner.feed(&piece[..read], |event| on(&event))?;
    }
}

/// Removes a torn tail, and fills the places that a power failure destroyed.
fn repair(file: &mut File, seed: u32, tail: Tail) -> Result<(), JournalError> {
    let end = tail.end * SLOT as u64;
    if file.metadata()?.len() == end && tail.holes.is_empty() {
        return Ok(());
    }
    for hole in tail.holes {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(hole.start * SLOT as u64))?;
        for slot in hole {
            Record::Void.encode(seed, slot, &mut bytes)?;
            if bytes.len() >= READ {
                file.write_all(&bytes)?;
                bytes.clear();
            }
        }
        file.write_all(&bytes)?;
    }
    file.set_len(end)?;
    file.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_sent_if_there_is_no_room_for_its_result() {
        let name = format!("lambda-invoke-map-{}-full", std::process::id());
        let path = std::env::temp_dir().join(name);
        let mut journal = Journal::open(&path, &Header::new("count"), Duration::ZERO).unwrap();
        std::fs::remove_file(&path).unwrap();
        let room = u64::from(u32::MAX) - LAST_SENT;
        assert_eq!(room * SLOT as u64, 1 << 30);
        journal.next = LAST_SENT + 1;
        let error = journal.sent(0, 0).unwrap_err();
        assert!(
            matches!(error, JournalError::State(StateError::Full)),
            "{error}"
        );
    }
}
