//! Where a response is written: stdout, or a file that is replaced atomically when the response is
//! complete.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::stdout::stdout;
use crate::exit::Failure;

/// How many names are tried for the temporary file.
const MOST_NAMES: u32 = 16;

/// How many symbolic links are followed, as many as Linux follows.
const MOST_LINKS: u32 = 40;

/// The option for the destination.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Options {
    /// Write the response to FILE instead of stdout; FILE is replaced only by a complete response
    #[arg(short, long = "output-file", value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Options {
    /// The path, if one was given.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.output.as_deref()
    }

    /// Finds the destination, and checks before anything is sent that it can be written to.
    ///
    /// # Errors
    ///
    /// If it cannot.
    pub(crate) fn check(&self) -> Result<Destination, Failure> {
        match self.output.as_deref() {
            Some(path) if !is_stdout(path) => Destination::checked("--output-file", path),
            _ => Ok(Destination::Stdout),
        }
    }
}

/// Where a response is written.
#[derive(Clone, Debug)]
pub(crate) enum Destination {
    Stdout,
    /// A device, a pipe or one of this process's descriptors, which is written to directly. It stays
    /// open: the reader of a pipe that is closed takes that for the end, and nobody would read what is
    /// written after reopening the pipe.
    Special(PathBuf, Arc<File>),
    /// A regular file, with its permissions if it exists.
    File(PathBuf, Option<Permissions>),
}

impl Destination {
    /// Checks before anything is sent that the path of an option can be written to.
    ///
    /// # Errors
    ///
    /// If it cannot.
    pub(crate) fn checked(option: &str, path: &Path) -> Result<Self, Failure> {
        Self::of(path)
            .and_then(|destination| destination.start().map(|_| destination))
            .map_err(|error| {
                Failure::usage(format!(
                    "cannot write to {}: {error}\n  hint: {option} takes a file in a folder that \
                     exists and that you may write to",
                    path.display()
                ))
            })
    }

    fn of(path: &Path) -> io::Result<Self> {
        if let Some(number) = descriptor(path) {
            if number == STDOUT {
                return Ok(Self::Stdout);
            }
            // The file behind it belongs to the caller, who also writes to it.
            let file = match number {
                STDERR => stderr()?,
                _ => OpenOptions::new().append(true).open(path)?,
            };
            return Ok(Self::Special(path.to_owned(), Arc::new(file)));
        }
        // Renaming over a symbolic link would replace the link instead of its target.
        let target = target(path)?;
        Ok(match fs::metadata(&target) {
            Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(found) if !found.is_file() => {
                let file = OpenOptions::new().write(true).open(&target)?;
                Self::Special(target, Arc::new(file))
            }
            Ok(found) => Self::File(target, Some(found.permissions())),
            Err(_) => Self::File(target, None),
        })
    }

    /// Opens the destination. A file is first written under a temporary name.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub(crate) fn start(&self) -> io::Result<(Sink, Option<Temporary>)> {
        match self {
            Self::Stdout => Ok((Sink::Stdout, None)),
            Self::Special(_, file) => Ok((Sink::Special(Arc::clone(file)), None)),
            Self::File(target, permissions) => {
                let (temporary, file) = Temporary::beside(target)?;
                if let Some(permissions) = permissions {
                    file.set_permissions(permissions.clone())?;
                }
                Ok((Sink::File(file), Some(temporary)))
            }
        }
    }

    /// Its name in messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdout => "stdout".to_owned(),
            Self::Special(path, _) | Self::File(path, _) => path.display().to_string(),
        }
    }
}

const STDOUT: u32 = 1;
const STDERR: u32 = 2;

/// Stderr as a file, with the position that the caller's descriptor has.
#[expect(
    clippy::disallowed_methods,
    reason = "a response is written as it is, wherever the user wants it"
)]
fn stderr() -> io::Result<File> {
    #[cfg(unix)]
    let owned = std::os::fd::AsFd::as_fd(&io::stderr()).try_clone_to_owned()?;
    #[cfg(windows)]
    let owned = std::os::windows::io::AsHandle::as_handle(&io::stderr()).try_clone_to_owned()?;
    Ok(owned.into())
}

/// Whether a path stands for stdout: `-`, or a name of its descriptor.
pub(crate) fn is_stdout(path: &Path) -> bool {
    path == Path::new("-") || descriptor(path) == Some(STDOUT)
}

/// The number of the descriptor of this process that a path names, such as `/dev/fd/3`.
fn descriptor(path: &Path) -> Option<u32> {
    let path = path.to_str()?;
    if !cfg!(unix) {
        return None;
    }
    match path {
        "/dev/stdout" => Some(STDOUT),
        "/dev/stderr" => Some(STDERR),
        _ => {
            let number = path.strip_prefix("/dev/fd/");
            let number = number.or_else(|| path.strip_prefix("/proc/self/fd/"))?;
            number.parse().ok()
        }
    }
}

/// Follows symbolic links to the file that a path names, whether that exists or not.
///
/// # Errors
///
/// Those of the file system, and an error if the links lead in a circle.
pub(crate) fn target(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..MOST_LINKS {
        if let Ok(found) = fs::canonicalize(&target) {
            return Ok(found);
        }
        let Ok(next) = fs::read_link(&target) else {
            return Ok(target);
        };
        // A relative link begins at its own folder.
        target = match target.parent() {
            Some(folder) => folder.join(next),
            None => next,
        };
    }
    Err(io::Error::other("too many symbolic links"))
}

/// The stream or file that the bytes of a response are written to.
#[derive(Debug)]
pub(crate) enum Sink {
    Stdout,
    Special(Arc<File>),
    File(File),
}

impl Sink {
    /// Writes bytes, and passes them on without waiting for more.
    ///
    /// # Errors
    ///
    /// Those of the file or of stdout.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => {
                let mut stdout = stdout();
                stdout.write_all(bytes)?;
                stdout.flush()
            }
            Self::Special(file) => file.write_all(bytes),
            Self::File(file) => file.write_all(bytes),
        }
    }

    /// Makes sure that the content of a file is stored before the file gets its name, since a crash
    /// of the machine could otherwise leave an empty file.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Self::File(file) => file.sync_all(),
            Self::Stdout | Self::Special(_) => Ok(()),
        }
    }
}

/// A file beside its target, which takes the target's place when it is complete, and is removed
/// otherwise.
#[derive(Debug)]
pub(crate) struct Temporary {
    path: PathBuf,
    target: PathBuf,
}

impl Temporary {
    fn beside(target: &Path) -> io::Result<(Self, File)> {
        let invalid = || io::Error::new(io::ErrorKind::InvalidInput, "it names no file");
        let name = target.file_name().ok_or_else(invalid)?;
        let mut number = 0;
        loop {
            let mut hidden = OsString::from(".");
            hidden.push(name);
            hidden.push(format!(".{}-{number}", std::process::id()));
            let path = target.with_file_name(hidden);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    let target = target.to_owned();
                    return Ok((Self { path, target }, file));
                }
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists && number < MOST_NAMES =>
                {
                    number += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives the file its name.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub(crate) fn commit(self) -> io::Result<()> {
        fs::rename(&self.path, &self.target)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After `commit` there is no such file.
        let _ = fs::remove_file(&self.path);
    }
}
