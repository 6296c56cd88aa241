//! A library that is preloaded into a caller's process, and makes its clock and its lookup of names wrong.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lambda_invoke::BoxError;
use tokio::process::Command;

use super::folder::Folder;

/// The library, compiled once for all cases.
#[derive(Debug)]
pub struct Library(Folder);

impl Library {
    /// Compiles the library.
    ///
    /// # Errors
    ///
    /// If there is no C compiler.
    pub async fn compile() -> Result<Self, BoxError> {
        let library = Self(Folder::create("preloaded")?);
        let source = library.0.path().join("preloaded.c");
        fs::write(&source, include_str!("preloaded.c"))?;
        let mut compiler = Command::new("gcc");
        compiler
            .args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror"])
            .arg("-o")
            .arg(library.path())
            .arg(&source)
            .arg("-ldl");
        let compiled = compiler.output().await;
        let compiled = compiled.map_err(|error| format!("gcc: {error}"))?;
        match compiled.status.success() {
            true => Ok(library),
            false => Err(String::from_utf8_lossy(&compiled.stderr).into()),
        }
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("preloaded.so")
    }

    /// Creates what one process shares with its case: a clock that is wrong by this many seconds.
    pub fn for_process(&self, name: &str, seconds: i64) -> io::Result<Preloaded> {
        let path = self.0.path().join(name);
        let mut open = File::options();
        let file = open.read(true).write(true).create_new(true).open(&path)?;
        let preloaded = Preloaded {
            library: self.path(),
            path,
            file,
            next: Mutex::default(),
        };
        preloaded.write(Field::Seconds, seconds)?;
        preloaded.write(Field::Holds, 0)?;
        preloaded.write(Field::Held, 0)?;
        Ok(preloaded)
    }
}

/// The fields of `struct shared` in preloaded.c.
#[derive(Clone, Copy)]
enum Field {
    Seconds,
    Holds,
    Held,
}

impl Field {
    fn offset(self) -> u64 {
        self as u64 * size_of::<i64>() as u64
    }
}

/// The clock and the lookup of names of one process.
#[derive(Debug)]
pub struct Preloaded {
    library: PathBuf,
    path: PathBuf,
    file: File,
    /// How wrong the clock will be after the next jump, if it is to jump.
    next: Mutex<Option<i64>>,
}

impl Preloaded {
    /// The environment of the process.
    pub fn environment(&self) -> [(&'static str, &OsStr); 2] {
        [
            ("LD_PRELOAD", self.library.as_os_str()),
            ("CHAOS_PRELOADED", self.path.as_os_str()),
        ]
    }

    fn write(&self, field: Field, value: i64) -> io::Result<()> {
        self.file.write_all_at(&value.to_ne_bytes(), field.offset())
    }

    /// Sets how wrong the clock is, in seconds.
    pub fn set_clock(&self, seconds: i64) -> io::Result<()> {
        self.write(Field::Seconds, seconds)
    }

    /// Lets the next [`jump`](Self::jump) set the clock.
    pub fn plan_jump(&self, seconds: i64) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(seconds);
    }

    /// Whether the clock has yet to jump.
    pub fn is_to_jump(&self) -> bool {
        let next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        next.is_some()
    }

    /// Lets the clock jump, if it is to jump. Returns whether it did.
    pub fn jump(&self) -> io::Result<bool> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        match next.take() {
            None => Ok(false),
            Some(seconds) => self.set_clock(seconds).map(|()| true),
        }
    }

    /// Holds every lookup of a name, or lets them continue.
    pub fn hold_lookups(&self, holds: bool) -> io::Result<()> {
        self.write(Field::Holds, holds.into())
    }

    /// Waits until a lookup is held.
    pub async fn held(&self) -> io::Result<()> {
        let mut value = [0; size_of::<i64>()];
        while i64::from_ne_bytes(value) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            self.file.read_exact_at(&mut value, Field::Held.offset())?;
        }
        Ok(())
    }
}

impl Drop for Preloaded {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Python and `date` ask for the time with different functions, as other programs do.
    #[tokio::test]
    async fn the_time_of_day_is_shifted_and_the_monotonic_clock_is_not() {
        let library = Library::compile().await.unwrap();
        let clock = library.for_process("clock", -3600).unwrap();
        let run = async |program: &str, arguments: &[&str]| -> f64 {
            let mut command = Command::new(program);
            command.args(arguments).envs(clock.environment());
            let output = command.output().await.unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            text.trim().parse().expect(&text)
        };
        let here = async |arguments: &[&str]| -> f64 {
            let output = Command::new("python3").args(arguments).output().await;
            let text = String::from_utf8(output.unwrap().stdout).unwrap();
            text.trim().parse().expect(&text)
        };
        let (now, steady) = (
            ["-c", "import time; print(time.time())"],
            ["-c", "import time; print(time.monotonic())"],
        );
        for seconds in [-3600, 0, 3600] {
            clock.set_clock(seconds).unwrap();
            let shift = run("date", &["+%s"]).await - here(&now).await;
            assert!((shift - seconds as f64).abs() < 60.0, "{shift}");
            let shift = run("python3", &now).await - here(&now).await;
            assert!((shift - seconds as f64).abs() < 60.0, "{shift}");
            let shift = run("python3", &steady).await - here(&steady).await;
            assert!(shift.abs() < 60.0, "{shift}");
        }
    }
}
