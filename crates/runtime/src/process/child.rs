//! Starts the process of an instance, and reports its end.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::pipe::{self, Receiver};
use tokio::process::{Child, Command};

use super::supervisor::{self, NAME};
use super::{busy, tree};

/// How long a supervisor may take to end everything, for which it gives itself two seconds.
const SUPERVISOR: Duration = Duration::from_secs(4);

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It could not be started.
    NotStarted(String),
    /// It exited without an error.
    Quietly,
    /// It ended with the reason that the service would name: `exit status 1`, `signal: killed`.
    With(String),
}

/// The process of an instance, with its descendants. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    lifeline: Option<BufReader<UnixStream>>,
    /// The function's own process.
    pub(crate) pid: Pid,
    ended: bool,
}

/// A process, and its output to stdout and stderr.
type Spawned = (Process, Receiver);

impl Process {
    /// Starts a command. The environment is complete: nothing is inherited.
    pub(crate) async fn spawn(
        argv: &[String],
        root: &Path,
        env: &BTreeMap<OsString, OsString>,
    ) -> Result<Spawned, String> {
        let [program, args @ ..] = argv else {
            return Err("fork/exec: the command is empty".to_owned());
        };
        let describe = |error: io::Error| match root.is_dir() {
            true => format!("fork/exec {program}: {error}"),
            false => format!("chdir {}: no such directory", root.display()),
        };
        let (output, receiver) = pipe::pipe().map_err(describe)?;
        let stdout = output.into_blocking_fd().map_err(describe)?;
        let stderr = stdout.try_clone().map_err(describe)?;
        let mut command;
        let mut lifeline = None;
        if supervisor::available() {
            let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(describe)?;
            ours.set_nonblocking(true).map_err(describe)?;
            lifeline = Some(BufReader::new(
                UnixStream::from_std(ours).map_err(describe)?,
            ));
            command = Command::new("/proc/self/exe");
            command.arg0(NAME).arg(program).stdin(OwnedFd::from(theirs));
        } else {
            command = Command::new(program);
            command.stdin(Stdio::null());
        }
        command
            .args(args)
            .env_clear()
            .envs(env)
            .current_dir(root)
            .process_group(0)
            .stdout(stdout)
            .stderr(stderr)
            // A supervisor exits when its lifeline ends, after it has ended everything else.
            .kill_on_drop(lifeline.is_none());
        let began = Instant::now();
        let child = loop {
            match command.spawn() {
                Err(error) if busy::may_be_complete_soon(&error, began) => {
                    tokio::time::sleep(busy::PAUSE).await;
                }
                spawned => break spawned.map_err(describe)?,
            }
        };
        // The command holds the process's ends of the pipe and of the lifeline; dropping it closes
        // them here.
        drop(command);
        let pid = match &mut lifeline {
            None => child.id(),
            Some(lifeline) => {
                let starting = Starting(child.id());
                let line = read_line(lifeline).await;
                starting.reported();
                match line.strip_prefix("pid ") {
                    Some(pid) => pid.parse().ok(),
                    None => {
                        let reason = line.strip_prefix("error ").unwrap_or("fork/exec failed");
                        return Err(reason.to_owned());
                    }
                }
            }
        };
        let pid = pid
            .and_then(|pid| i32::try_from(pid).ok())
            .and_then(Pid::from_raw)
            .ok_or_else(|| "fork/exec: the process is gone".to_owned())?;
        let process = Self {
            child,
            lifeline,
            pid,
            ended: false,
        };
        Ok((process, receiver))
    }

    /// Waits for the end of the function's process. With a supervisor, this is the end of its whole
    /// tree.
    pub(crate) async fn wait(&mut self) -> Ended {
        let ended = match &mut self.lifeline {
            Some(lifeline) => {
                let line = read_line(lifeline).await;
                // If the supervisor reported nothing, it was killed itself.
                let status = line.split_once(' ').and_then(|(how, number)| {
                    let number: i32 = number.parse().ok()?;
                    Some(ExitStatus::from_raw(if how == "exit" {
                        number << 8
                    } else {
                        number
                    }))
                });
                let own = self.child.wait().await;
                if status.is_none() {
                    tree::kill_tree(self.pid);
                }
                status.or(own.ok())
            }
            None => self.child.wait().await.ok(),
        };
        if self.lifeline.is_none() {
            let _ = kill_process_group(self.pid, Signal::KILL);
        }
        self.ended = true;
        ended.map_or(Ended::With("exit status 1".to_owned()), reason)
    }

    /// Asks the function's process group to end.
    pub(crate) fn terminate(&self) {
        if !self.ended {
            let _ = kill_process_group(self.pid, Signal::TERM);
        }
    }

    /// Kills the function's processes, and waits until they have ended.
    pub(crate) async fn kill(&mut self) {
        if self.ended {
            return;
        }
        match &mut self.lifeline {
            // The supervisor treats the end of the lifeline as the end of the host.
            Some(lifeline) => {
                let _ = lifeline.get_mut().shutdown().await;
            }
            None => tree::kill_tree(self.pid),
        }
        let waited = tokio::time::timeout(SUPERVISOR, self.child.wait()).await;
        if waited.is_err() {
            // It is suspended, which does not stop SIGKILL.
            tree::kill_tree(self.pid);
            let _ = self.child.kill().await;
        }
        if self.lifeline.is_some() {
            // If the supervisor worked, nothing of the tree is left.
            let _ = kill_process_group(self.pid, Signal::KILL);
        }
        self.ended = true;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.ended && self.lifeline.is_none() {
            tree::kill_tree(self.pid);
        }
    }
}

/// A supervisor that has not reported yet, and ends with everything that it started when this is dropped:
/// the function may have suspended it before.
struct Starting(Option<u32>);

impl Starting {
    fn reported(mut self) {
        self.0 = None;
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        let pid = self.0.and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            tree::kill_tree(pid);
        }
    }
}

async fn read_line(lifeline: &mut BufReader<UnixStream>) -> String {
    let mut line = String::new();
    let _ = lifeline.read_line(&mut line).await;
    line.trim_end().to_owned()
}

fn reason(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(0), _) => Ended::Quietly,
        (Some(code), _) => Ended::With(format!("exit status {code}")),
        (None, signal) => Ended::With(format!("signal: {}", signal_name(signal.unwrap_or(0)))),
    }
}

fn signal_name(signal: i32) -> String {
    match signal {
        2 => "interrupt".to_owned(),
        3 => "quit".to_owned(),
        4 => "illegal instruction".to_owned(),
        6 => "aborted".to_owned(),
        7 => "bus error".to_owned(),
        8 => "floating point exception".to_owned(),
        9 => "killed".to_owned(),
        11 => "segmentation fault".to_owned(),
        13 => "broken pipe".to_owned(),
        15 => "terminated".to_owned(),
        other => format!("signal {other}"),
    }
}
