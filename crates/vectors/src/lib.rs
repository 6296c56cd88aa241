#![forbid(unsafe_code)]
//! Access to the official test data, if the machine has it.
//!
//! The data is not part of the repository. Tests read it from the folder in the environment variable
//! `LAMBDA_INVOKE_VECTORS`. Without the variable, a test reports on standard error that its official
//! suite was skipped, and runs only its own cases.
//!
//! `.ci/run` sets the variable, and `LAMBDA_INVOKE_SUITE_REPORT` to a file to which every suite
//! appends its number of cases. It then counts the cases in the folder independently, and fails if a
//! suite ran fewer.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Returns the folder with the official test data, or `None` if the variable is not set.
///
/// # Panics
///
/// If `LAMBDA_INVOKE_VECTORS` is not the absolute path of a folder: a mistyped path must not be taken
/// for missing data.
pub fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("LAMBDA_INVOKE_VECTORS")?);
    assert!(
        folder.is_dir(),
        "LAMBDA_INVOKE_VECTORS is not a folder: {}",
        folder.display()
    );
    // Each test runs in its package's folder, to which a relative path would refer.
    assert!(
        folder.is_absolute(),
        "LAMBDA_INVOKE_VECTORS must be absolute: {}",
        folder.display()
    );
    Some(folder)
}

/// Runs an official suite and reports its number of cases, or that it was skipped.
///
/// `name` is `<crate>/<suite>`. `run` is called with the data's folder and returns the number of cases
/// that it checked.
///
/// # Panics
///
/// If the suite ran no case, or the report cannot be written.
pub fn suite(name: &str, run: impl FnOnce(&Path) -> usize) {
    // The test harness would capture `eprintln!` of a passing test.
    let say = |line: &str| {
        let _ = writeln!(std::io::stderr(), "{line}");
    };
    let Some(folder) = folder() else {
        say(&format!(
            "official suite {name}: skipped (LAMBDA_INVOKE_VECTORS is not set)"
        ));
        return;
    };
    let cases = run(&folder);
    assert!(cases > 0, "official suite {name} ran no case");
    say(&format!("official suite {name}: {cases} cases"));
    if let Some(report) = std::env::var_os("LAMBDA_INVOKE_SUITE_REPORT") {
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&report)
            .and_then(|mut file| file.write_all(format!("{name} {cases}\n").as_bytes()))
            .unwrap_or_else(|error| panic!("{}: {error}", report.to_string_lossy()));
    }
}

/// Reads a text file.
///
/// # Panics
///
/// If it cannot be read.
pub fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Reads a file.
///
/// # Panics
///
/// If it cannot be read.
pub fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Reads a JSON file.
///
/// # Panics
///
/// If it cannot be read or is not JSON.
pub fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&text(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
