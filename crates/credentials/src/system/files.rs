//! Files.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

/// Reads and writes files. The methods may block: they are called on threads for that.
pub trait Files: fmt::Debug + Send + Sync {
    /// Reads a file of at most `max` bytes.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is longer.
    fn read(&self, path: &Path, max: usize) -> io::Result<Vec<u8>>;

    /// Replaces a file as a whole, so that other programs see the old content or the new one. Only
    /// the user may read the new file.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    fn write_private(&self, path: &Path, data: &[u8]) -> io::Result<()>;
}

/// The files of this machine.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct LocalFiles;

impl Files for LocalFiles {
    fn read(&self, path: &Path, max: usize) -> io::Result<Vec<u8>> {
        let mut data = Vec::new();
        File::open(path)?
            .take(max as u64 + 1)
            .read_to_end(&mut data)?;
        if data.len() > max {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("it is longer than {max} bytes"),
            ));
        }
        Ok(data)
    }

    fn write_private(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        // In the same directory, so that renaming it replaces the old file in one step.
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.tmp", std::process::id()));
        let temporary = path.with_file_name(name);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let written = options
            .open(&temporary)
            .and_then(|mut file| file.write_all(data))
            .and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            // The error that matters is the first one.
            let _ = fs::remove_file(&temporary);
        }
        written
    }
}
