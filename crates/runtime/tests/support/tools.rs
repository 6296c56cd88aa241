//! What a test needs of the machine, and what happens where the machine does not have it. The tests of
//! several crates share this file.
#![allow(dead_code)] // Each of them uses a part of it.

use std::io::Write as _;
use std::net::TcpListener;
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

/// Returns whether the loopback address of IPv6 is missing, and prints that what needs it is skipped.
/// No test fails for that: containers often have none, and it cannot be installed.
pub(crate) fn lacks_ipv6() -> bool {
    let is_missing = TcpListener::bind("[::1]:0").is_err();
    if is_missing {
        inapplicable("this machine has no IPv6");
    }
    is_missing
}

/// Says that a test is skipped, or fails it if nothing may be missing.
pub(crate) fn skip(reason: &str) {
    let is_required = std::env::var_os("LAMBDA_INVOKE_INTERPRETERS").is_some();
    assert!(!is_required, "{reason}");
    inapplicable(reason);
}

/// Says that a test is skipped because it does not apply to this machine, whatever is installed.
#[allow(clippy::disallowed_methods)] // In the program's own code, `terminal::say` makes text safe.
pub(crate) fn inapplicable(reason: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    // The test harness would capture `eprintln!` of a passing test.
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {reason}");
}
