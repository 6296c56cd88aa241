//! A process between the host and a function, which ends all of the function's processes when the
//! host is gone.

use std::ffi::OsString;
use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitCode, Stdio};

use rustix::process::{Signal, getpid, set_child_subreaper};

use crate::process::tree;

/// The exit code that stands for a program that could not be started.
pub(crate) const NOT_STARTED: u8 = 127;
/// Added to the number of the signal that ended the program, as a shell does.
pub(crate) const SIGNALED: u8 = 128;

/// Runs a command until it ends or the host is gone, and then ends every process that it started.
///
/// To be called by the program that [`Program::supervisor`](crate::Program::supervisor) names, with
/// the words after it, before it starts threads. Standard input is a pipe that only the host holds:
/// its end means that the host is gone, however it ended. As a *subreaper*, this process becomes
/// the parent of descendants whose parents have ended, so that children in process groups or
/// sessions of their own are found, too.
#[must_use]
pub fn supervise(command: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut words = command.into_iter();
    let Some(program) = words.next() else {
        return ExitCode::from(NOT_STARTED);
    };
    let own = getpid();
    // Not every system has it. Then only descendants whose parents live are found.
    let _ = set_child_subreaper(Some(own));
    let mut child = match Command::new(&program)
        .args(words)
        .stdin(Stdio::null())
        .spawn()
    {
        Ok(child) => child,
        Err(error) => {
            // The host passes standard error on, as it does for the function.
            report(&format!(
                "cannot start {}: {error}",
                program.to_string_lossy()
            ));
            return ExitCode::from(NOT_STARTED);
        }
    };
    let own = own.as_raw_nonzero().get();
    std::thread::spawn(move || {
        let mut byte = [0];
        // Nothing is ever written to the pipe; an interrupted read is repeated.
        while matches!(std::io::stdin().read(&mut byte), Ok(1..)) {}
        tree::kill_below(own);
        std::process::exit(i32::from(SIGNALED) + Signal::KILL.as_raw());
    });
    let code = match child.wait() {
        Ok(status) => status
            .code()
            .or_else(|| status.signal().map(|signal| i32::from(SIGNALED) + signal))
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1),
        Err(_) => 1,
    };
    tree::kill_below(own);
    ExitCode::from(code)
}

#[allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "its stderr is a pipe"
)]
fn report(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{text}");
}
