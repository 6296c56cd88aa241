//! The processes of an instance: starting, reading, measuring and ending them.

pub(crate) mod output;
#[cfg(unix)]
pub(crate) mod supervisor;
pub(crate) mod tree;

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use crate::process::supervisor::{NOT_STARTED, SIGNALED};
use crate::program::Program;

/// How long processes have to end after SIGTERM, as in the service.
pub(crate) const GRACE: Duration = Duration::from_millis(500);

/// A started program with its pipes.
pub(crate) struct Started {
    pub(crate) child: Child,
    pub(crate) process: Process,
    pub(crate) stdout: Option<ChildStdout>,
    pub(crate) stderr: Option<ChildStderr>,
    /// While this pipe is open, the supervisor knows that the host lives.
    pub(crate) alive: Option<ChildStdin>,
}

/// The first process of an instance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    pid: i32,
    supervised: bool,
}

impl Process {
    /// Returns the peak memory of the function's processes, without the supervisor.
    pub(crate) fn peak_memory(self) -> u64 {
        tree::peak_memory(self.pid, self.supervised.then_some(self.pid))
    }

    /// Asks the function's processes to end.
    pub(crate) fn terminate(self) {
        tree::signal(self.pid, !self.supervised, Signal::TERM);
    }

    /// Ends all processes of the function. A supervisor then ends by itself.
    pub(crate) fn kill(self) {
        tree::kill_below(self.pid);
        if !self.supervised {
            tree::signal(self.pid, true, Signal::KILL);
            self.after_exit();
        }
    }

    /// Ends what is left of the process group once its first process was waited for. A supervisor
    /// has ended everything by then.
    pub(crate) fn after_exit(self) {
        if let Some(group) = Pid::from_raw(self.pid) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// Says how the program ended, in the service's words.
    pub(crate) fn describe(self, status: ExitStatus) -> String {
        use std::os::unix::process::ExitStatusExt as _;
        let mut code = status.code();
        let mut signal = status.signal();
        if let (true, Some(relayed)) = (self.supervised, code) {
            let base = i32::from(SIGNALED);
            if relayed == i32::from(NOT_STARTED) {
                return "with error: the program could not be started".to_owned();
            }
            if relayed > base {
                code = None;
                signal = Some(relayed - base);
            }
        }
        match (code, signal) {
            (Some(0), _) => "without providing a reason".to_owned(),
            (Some(code), _) => format!("with error: exit status {code}"),
            (None, Some(signal)) => format!("with error: signal: {}", signal_name(signal)),
            (None, None) => "with error: unknown".to_owned(),
        }
    }
}

fn signal_name(signal: i32) -> String {
    let name = match signal {
        4 => "illegal instruction",
        6 => "aborted",
        8 => "floating point exception",
        9 => "killed",
        11 => "segmentation fault",
        15 => "terminated",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}

/// Starts a program for an instance, in a process group of its own.
pub(crate) fn start(program: &Program, api: &str, instance: u64) -> io::Result<Started> {
    let mut words = program.supervisor.iter().chain(&program.command);
    let Some(first) = words.next() else {
        return Err(io::Error::other("the command is empty"));
    };
    let supervised = !program.supervisor.is_empty();
    let environment = program.environment(api, instance);
    if supervised {
        // Otherwise the supervisor would start and only then fail.
        find(&program.command[0], &environment, &program.root)?;
    }
    let mut command = Command::new(first);
    command
        .args(words)
        .env_clear()
        .envs(environment)
        .current_dir(&program.root)
        .stdin(if supervised {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let mut child = command.spawn()?;
    let pid = child
        .id()
        .and_then(|pid| i32::try_from(pid).ok())
        .ok_or_else(|| io::Error::other("the process ended at once"))?;
    Ok(Started {
        process: Process { pid, supervised },
        stdout: child.stdout.take(),
        stderr: child.stderr.take(),
        alive: child.stdin.take(),
        child,
    })
}

/// Checks that a command exists, as the system will look for it.
fn find(
    command: &std::ffi::OsStr,
    environment: &std::collections::BTreeMap<std::ffi::OsString, std::ffi::OsString>,
    root: &std::path::Path,
) -> io::Result<()> {
    let path = std::path::Path::new(command);
    if path.components().count() > 1 {
        return std::fs::metadata(root.join(path)).map(drop);
    }
    let found = environment
        .get(std::ffi::OsStr::new("PATH"))
        .is_some_and(|all| std::env::split_paths(all).any(|folder| folder.join(path).is_file()));
    if found {
        Ok(())
    } else {
        Err(io::Error::new(
            io::ErrorKind::NotFound,
            "no such program in PATH",
        ))
    }
}
