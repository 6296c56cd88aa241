//! The threads of a journal: one for what waits for the disk, and one that syncs.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::at::{read_exact_at, write_all_at};
use crate::journal::{SLOT, data_of, decode_head};

/// What the first thread does.
#[derive(Debug)]
pub(super) enum Job {
    /// Writes and syncs.
    Append {
        bytes: Vec<u8>,
        /// The position after these bytes.
        end: u64,
        done: oneshot::Sender<io::Result<()>>,
    },
    Read {
        slot: u64,
        done: oneshot::Sender<io::Result<Bytes>>,
    },
    Close {
        /// The position after the last record.
        end: u64,
        done: oneshot::Sender<io::Result<()>>,
    },
}

/// Starts the thread that syncs a window after a position was written.
pub(super) fn start_syncer(
    file: &Arc<File>,
    window: Duration,
    synced: &Arc<AtomicU64>,
) -> io::Result<mpsc::SyncSender<u64>> {
    // One position may wait while another is synced; later ones are then synced with it.
    let (dirty, positions) = mpsc::sync_channel::<u64>(1);
    let (file, synced) = (Arc::clone(file), Arc::clone(synced));
    thread("journal-sync", move || {
        while let Ok(first) = positions.recv() {
            std::thread::sleep(window);
            let end = positions.try_iter().last().unwrap_or(first);
            // A failure is reported at the end of the run, when everything is synced once more.
            if file.sync_data().is_ok() {
                synced.fetch_max(end, Ordering::AcqRel);
            }
        }
    })?;
    Ok(dirty)
}

/// Starts the thread for operations that wait for the disk.
pub(super) fn start_thread(
    file: &Arc<File>,
    synced: &Arc<AtomicU64>,
    seed: u32,
) -> io::Result<mpsc::Sender<Job>> {
    let (jobs, queue) = mpsc::channel();
    let (file, synced) = (Arc::clone(file), Arc::clone(synced));
    thread("journal", move || work(&file, &queue, &synced, seed))?;
    Ok(jobs)
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let builder = std::thread::Builder::new().name(name.to_owned());
    builder.spawn(work).map(drop)
}

fn work(file: &File, queue: &mpsc::Receiver<Job>, synced: &AtomicU64, seed: u32) {
    for job in queue {
        match job {
            Job::Append { bytes, end, done } => {
                let written = append(file, &bytes, end).and_then(|()| file.sync_data());
                let is_broken = written.is_err();
                if !is_broken {
                    synced.fetch_max(end, Ordering::AcqRel);
                }
                let _ = done.send(written);
                // Nothing may be written after an incomplete record.
                if is_broken {
                    return;
                }
            }
            Job::Read { slot, done } => {
                let _ = done.send(read_line(file, seed, slot));
            }
            Job::Close { end, done } => {
                let cut = file.set_len(end * SLOT as u64);
                let synced = cut.and_then(|()| file.sync_all());
                unlock(file);
                let _ = done.send(synced);
                return;
            }
        }
    }
    unlock(file);
}

/// Reads the data of a result.
fn read_line(file: &File, seed: u32, slot: u64) -> io::Result<Bytes> {
    let changed = || io::Error::new(io::ErrorKind::InvalidData, "a result in it has changed");
    let offset = slot * SLOT as u64;
    let mut head = [0; SLOT];
    read_exact_at(file, &mut head, offset)?;
    let found = decode_head(seed, slot, &head).ok_or_else(changed)?;
    let mut area = vec![0; (found.slots() as usize - 1) * SLOT];
    read_exact_at(file, &mut area, offset + SLOT as u64)?;
    let length = data_of(seed, slot, &found, &area)
        .ok_or_else(changed)?
        .len();
    area.truncate(length);
    Ok(area.into())
}

/// Writes records that end at a position.
pub(super) fn append(file: &File, records: &[u8], end: u64) -> io::Result<()> {
    write_all_at(file, records, end * SLOT as u64 - records.len() as u64)
}

/// Lets another process use the file, although a clone of it may be open for a while.
fn unlock(file: &File) {
    #[cfg(unix)]
    {
        // Otherwise the lock ends when the file is closed.
        let _ = rustix::fs::flock(file, rustix::fs::FlockOperation::Unlock);
    }
    #[cfg(windows)]
    {
        let _ = file;
    }
}
