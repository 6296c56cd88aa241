//! Interpreters that tests of real functions need.

use std::process::{Command, Stdio};

/// Returns whether one of these programs is missing. The test that asks then prints a message and
/// returns, so that all tests pass on a machine with nothing but Rust. With
/// `LAMBDA_INVOKE_INTERPRETERS=required`, a missing program fails the test.
pub(crate) fn lacks(programs: &[&str]) -> bool {
    let is_missing = |program: &&&str| {
        let mut command = Command::new(program);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.arg("--version").status().is_err()
    };
    let Some(missing) = programs.iter().find(is_missing) else {
        return false;
    };
    skip(&format!("{missing} is not installed"));
    true
}

/// Says that a test is skipped, or fails it if nothing may be missing.
pub(crate) fn skip(reason: &str) {
    let is_required = std::env::var_os("LAMBDA_INVOKE_INTERPRETERS").is_some();
    assert!(!is_required, "{reason}");
    println!("skipped: {reason}");
}
