#![forbid(unsafe_code)]
//! The official test data, where the machine has it.
//!
//! The data is not part of the repository. Tests read it from the folder that the environment
//! variable `LAMBDA_INVOKE_VECTORS` names; without the variable a test says on standard error that
//! its official suite was skipped, and its own cases are what it runs.
//!
//! `.ci/run` sets the variable, and has every suite's count of cases written to the file that
//! `LAMBDA_INVOKE_SUITE_REPORT` names; it then counts the cases in the folder by itself and fails
//! if one was left out.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The folder with the official test data, if the machine has it.
///
/// # Panics
///
/// If `LAMBDA_INVOKE_VECTORS` names something that is not a folder: a typing error there must not
/// pass for "no data".
pub fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("LAMBDA_INVOKE_VECTORS")?);
    assert!(
        folder.is_dir(),
        "LAMBDA_INVOKE_VECTORS names no folder: {}",
        folder.display()
    );
    // Tests run in their own package's folder: a relative path would mean another place in each.
    assert!(
        folder.is_absolute(),
        "LAMBDA_INVOKE_VECTORS must be absolute: {}",
        folder.display()
    );
    Some(folder)
}

/// Runs an official suite and reports how many cases it ran.
///
/// `name` is `<crate>/<suite>`; `run` gets the data's folder and returns the count of cases that
/// it checked. Says so and returns if the machine has no data.
///
/// # Panics
///
/// If the suite ran no case at all, or the report cannot be written.
pub fn suite(name: &str, run: impl FnOnce(&Path) -> usize) {
    // Written to the stream itself: the test harness would swallow `eprintln!` of a passing test.
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

/// The text of one file of the data.
///
/// # Panics
///
/// If it cannot be read.
pub fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The bytes of one file of the data.
///
/// # Panics
///
/// If it cannot be read.
pub fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// One JSON file of the data.
///
/// # Panics
///
/// If it cannot be read or is not JSON.
pub fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&text(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
