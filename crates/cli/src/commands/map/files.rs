//! Checks that the files of a run are different ones: writing results over the journal or the
//! payloads would destroy what the next run needs.

use std::path::{Path, PathBuf};

use super::options::Arguments;
use crate::exit::Failure;
use crate::output::destination::{is_stdout, target};

/// Checks that no file is used for two purposes.
///
/// # Errors
///
/// If a file is used twice, or if one that is written would be an item of the folder that is read.
pub(super) fn check(arguments: &Arguments) -> Result<(), Failure> {
    let given = [
        ("--input", arguments.input.as_deref()),
        ("--journal", arguments.journal.as_deref()),
        ("--output-file", arguments.destination.path()),
        ("--failures", arguments.failures.as_deref()),
        ("--output-dir", arguments.output_dir.as_deref()),
    ];
    let given = given.into_iter().filter_map(|(option, path)| {
        let path = path.filter(|path| !is_stdout(path))?;
        Some((option, identity(path)?))
    });
    let mut files: Vec<(&str, PathBuf)> = given.collect();
    if !files.iter().any(|(option, _)| *option == "--input") {
        files.extend(redirected("stdin", 0));
    }
    files.extend(redirected("stdout", 1));
    for (at, (option, path)) in files.iter().enumerate() {
        let same = files[..at].iter().find(|(_, other)| other == path);
        if let Some((first, _)) = same {
            return Err(Failure::usage(format!(
                "{first} and {option} are the same file, {}\n  hint: each needs its own file",
                path.display()
            )));
        }
    }
    let folder = files.iter().find(|(option, _)| *option == "--input");
    let Some((_, folder)) = folder.filter(|(_, path)| path.is_dir()) else {
        return Ok(());
    };
    let is_item = |path: &Path| {
        let name = path.file_name().unwrap_or_default();
        let is_hidden = name.as_encoded_bytes().starts_with(b".");
        path.parent() == Some(folder.as_path()) && !path.is_dir() && !is_hidden
    };
    match files.iter().find(|(_, path)| is_item(path)) {
        None => Ok(()),
        Some((option, path)) => Err(Failure::usage(format!(
            "{option} is in the folder of --input, so that {} would be an item\n  hint: use another \
             folder, or a name that begins with a dot",
            path.display()
        ))),
    }
}

/// The absolute path of a file, whether it exists or not; `None` for devices and pipes, which may be
/// used twice.
fn identity(path: &Path) -> Option<PathBuf> {
    if let Ok(found) = path.metadata() {
        let is_one = found.is_file() || found.is_dir();
        return is_one.then(|| path.canonicalize().ok())?;
    }
    let path = target(path).ok()?;
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
    Some(folder.join(path.file_name()?))
}

/// The file that a standard stream is redirected to or from.
#[cfg(target_os = "linux")]
fn redirected(name: &'static str, descriptor: u8) -> Option<(&'static str, PathBuf)> {
    let path = std::fs::read_link(format!("/proc/self/fd/{descriptor}")).ok()?;
    let is_file = path.metadata().is_ok_and(|found| found.is_file());
    is_file.then_some((name, path))
}

/// Other operating systems do not report which file it is.
#[cfg(not(target_os = "linux"))]
fn redirected(_: &'static str, _: u8) -> Option<(&'static str, PathBuf)> {
    None
}
