//! The seed corpora: small inputs for each property, committed with the package.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// The folder with the seeds of a target, for a fuzzer's command line.
///
/// It is inside this package's sources, even if cargo downloaded them.
#[must_use]
pub fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target)
}

/// The seeds of a target, each with the path of its file, in the order of their names.
///
/// # Errors
///
/// The folder or a file cannot be read, or there is no target with this name.
pub fn seeds(target: &str) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut paths = fs::read_dir(folder(target))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    paths
        .into_iter()
        .map(|path| fs::read(&path).map(|seed| (path, seed)))
        .collect()
}
