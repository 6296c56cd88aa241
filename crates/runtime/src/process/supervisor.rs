//! The process between the host and a function. When the host has ended, however that happened, it
//! ends the function's whole process tree.
//!
//! It is a copy of the host program. Orphans of the function become its children, whichever process
//! group or session they are in (`PR_SET_CHILD_SUBREAPER`), so that it finds them all. Its standard
//! input is a socket. The end of file there means the end of the host. On the same socket, the
//! supervisor tells the host the function's process id, and later how the function ended.

use std::ffi::OsString;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, WaitOptions, WaitStatus, getpid, set_child_subreaper, wait};

use super::busy;
use super::tree::kill_descendants;
use crate::program::MAX_CONCURRENCY;

/// The name that a supervisor is started under. No file has this name.
pub(super) const NAME: &str = "(lambda-invoke supervisor)";

/// The variable that names the descriptor for records.
const RECORDS: &str = "_LAMBDA_TELEMETRY_LOG_FD";

static ASKED: AtomicBool = AtomicBool::new(false);

/// Whether instances of this process can be started through a supervisor.
pub(super) fn available() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// Becomes the supervisor of one instance if this process was started as one; in that case this
/// does not return.
///
/// A program that runs functions calls this first in `main`, before it starts a thread or reads its
/// arguments. Its instances are then started through a copy of the program itself, which ends all
/// processes of the instance, including children in process groups of their own, as soon as the program
/// is gone, even by `kill -9`. Without this call, instances end only with the pool.
pub fn supervise_if_asked() {
    let mut args = std::env::args_os();
    if args.next().is_some_and(|name| name == NAME) {
        supervise(args.collect());
        std::process::exit(0);
    }
    ASKED.store(cfg!(target_os = "linux"), Ordering::Relaxed);
}

fn tell(text: &str) {
    let _ = rustix::io::write(rustix::stdio::stdin(), text.as_bytes());
}

fn supervise(mut argv: Vec<OsString>) {
    let me = getpid();
    if argv.is_empty() || set_child_subreaper(Some(me)).is_err() {
        tell("error the supervisor could not be set up\n");
        return;
    }
    let program = argv.remove(0);
    let mut command = Command::new(&program);
    command.args(argv).stdin(Stdio::null()).process_group(0);
    let records = open_for_records();
    if let Some(records) = &records {
        command.env(RECORDS, records.as_raw_fd().to_string());
    }
    let began = Instant::now();
    let function = loop {
        match command.spawn() {
            Ok(child) => break child.id(),
            Err(error) if busy::may_be_complete_soon(&error, began) => thread::sleep(busy::PAUSE),
            Err(error) => {
                let program = program.to_string_lossy();
                return tell(&format!("error fork/exec {program}: {error}\n"));
            }
        }
    };
    drop(records);
    tell(&format!("pid {function}\n"));
    thread::spawn(move || {
        let mut byte = [0; 1];
        while matches!(rustix::io::read(rustix::stdio::stdin(), &mut byte), Ok(1)) {}
        clear(me);
        std::process::exit(0);
    });
    let function = i32::try_from(function).ok().and_then(Pid::from_raw);
    let status = loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if Some(pid) == function => break Some(status),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => break None,
        }
    };
    clear(me);
    tell(&describe(status));
}

/// Opens the output a second time, with a descriptor that the function inherits. The official
/// runtime clients write their records to it, which then stay in one piece. It leads to the same
/// pipe, so that the records keep their place among the lines. It is a separate file description,
/// since Node.js makes stdout non-blocking.
fn open_for_records() -> Option<OwnedFd> {
    // Python's client opens the descriptor in each of its processes, and would fail: only the first
    // process inherits it.
    if std::env::var_os(MAX_CONCURRENCY).is_some() {
        return None;
    }
    // Without NONBLOCK, opening would wait for a reader if the host were gone.
    let flags = OFlags::WRONLY | OFlags::NONBLOCK;
    let output = rustix::fs::open("/proc/self/fd/1", flags, Mode::empty()).ok()?;
    let flags = fcntl_getfl(&output).ok()?;
    fcntl_setfl(&output, flags - OFlags::NONBLOCK).ok()?;
    Some(output)
}

fn describe(status: Option<WaitStatus>) -> String {
    let exit = status.and_then(WaitStatus::exit_status);
    let signal = status.and_then(WaitStatus::terminating_signal);
    match (exit, signal) {
        (Some(code), _) => format!("exit {code}\n"),
        (_, Some(signal)) => format!("signal {signal}\n"),
        _ => "exit 1\n".to_owned(),
    }
}

/// Kills and reaps all remaining processes, for at most two seconds: a process in the kernel may
/// take long.
fn clear(me: Pid) {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(2) {
        let killed = kill_descendants(me);
        let none_left = loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some(_)) => {}
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        if killed == 0 && none_left {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
}
