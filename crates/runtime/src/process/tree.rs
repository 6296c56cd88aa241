//! The processes of an instance, found in `/proc`: their memory, and their end.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// The running descendants of a process, without the process itself. Empty if there is no `/proc`.
fn descendants(root: Pid) -> Vec<Pid> {
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        // `pid (name) state ppid ..`, where the name may contain anything.
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
            continue;
        };
        let Some((_, rest)) = stat.rsplit_once(") ") else {
            continue;
        };
        let mut fields = rest.split(' ');
        if matches!(fields.next(), Some("Z" | "X")) {
            continue;
        }
        if let Some(parent) = fields.next().and_then(|field| field.parse().ok()) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = Vec::new();
    let mut next = vec![root.as_raw_pid()];
    while let Some(pid) = next.pop() {
        for child in children.remove(&pid).unwrap_or_default() {
            next.push(child);
            found.extend(Pid::from_raw(child));
        }
    }
    found
}

/// Kills the descendants of a process. Stops them first, so that none can fork in between. Returns
/// how many there were.
pub(super) fn kill_descendants(root: Pid) -> usize {
    let mut stopped: Vec<Pid> = Vec::new();
    loop {
        let new: Vec<Pid> = descendants(root)
            .into_iter()
            .filter(|pid| !stopped.contains(pid))
            .collect();
        if new.is_empty() {
            break;
        }
        for pid in &new {
            let _ = kill_process(*pid, Signal::STOP);
        }
        stopped.extend(new);
    }
    for pid in &stopped {
        let _ = kill_process(*pid, Signal::KILL);
    }
    stopped.len()
}

/// Kills a process, its descendants and its process group.
pub(super) fn kill_tree(root: Pid) {
    let _ = kill_process(root, Signal::STOP);
    kill_descendants(root);
    let _ = kill_process_group(root, Signal::KILL);
    let _ = kill_process(root, Signal::KILL);
}

/// How often the function's child processes are searched for, which reads all of `/proc`.
pub(crate) const SURVEY: Duration = Duration::from_millis(250);

/// The peak memory of a process and its descendants.
#[derive(Debug)]
pub(crate) struct Memory {
    root: Pid,
    surveyed: Option<Instant>,
    children: Vec<Pid>,
    peak: u64,
}

impl Memory {
    pub(crate) const fn new(root: Pid) -> Self {
        Self {
            root,
            surveyed: None,
            children: Vec::new(),
            peak: 0,
        }
    }

    /// The peak so far, in bytes: of the process now, and of its children as of the last survey.
    pub(crate) fn peak(&mut self) -> u64 {
        self.survey();
        self.peak = self.peak.max(self.sum("VmHWM:"));
        self.peak
    }

    /// Notes the peak so far, unless that was done a moment ago: a child process may end before the
    /// invocation does.
    pub(crate) fn sample(&mut self) {
        if self.surveyed.is_none_or(|at| at.elapsed() >= SURVEY) {
            self.peak();
        }
    }

    /// The memory in use now, in bytes.
    pub(crate) fn now(&mut self) -> u64 {
        self.survey();
        self.sum("VmRSS:")
    }

    fn survey(&mut self) {
        if self.surveyed.is_none_or(|at| at.elapsed() >= SURVEY) {
            self.children = match has_children(self.root) {
                true => descendants(self.root),
                false => Vec::new(),
            };
            self.surveyed = Some(Instant::now());
        }
    }

    fn sum(&self, field: &str) -> u64 {
        [self.root]
            .iter()
            .chain(&self.children)
            .filter_map(|pid| status(*pid, field))
            .sum()
    }
}

/// Whether any thread of a process has a child. True if the kernel does not provide this.
fn has_children(pid: Pid) -> bool {
    let tasks = format!("/proc/{}/task", pid.as_raw_pid());
    let Ok(tasks) = fs::read_dir(tasks) else {
        return false;
    };
    tasks.flatten().any(|task| {
        fs::read(task.path().join("children")).map_or(true, |children| !children.is_empty())
    })
}

/// A field of a process's status that is given in kB, in bytes.
fn status(pid: Pid, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_pid())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io;
    use std::process::{Child, Command};

    use super::*;

    /// Starts a shell with two children, and waits until it has them.
    fn shell() -> io::Result<(Child, Pid)> {
        let child = Command::new("sh")
            .args(["-c", "sleep 60 & sleep 60 & wait"])
            .spawn()?;
        let root = Pid::from_child(&child);
        let start = Instant::now();
        while descendants(root).len() < 2 {
            assert!(start.elapsed() < Duration::from_secs(30), "no children");
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok((child, root))
    }

    #[test]
    fn all_descendants_are_killed_and_counted() {
        let (mut shell, root) = shell().unwrap();
        let children = descendants(root);
        assert!(has_children(root));
        assert_eq!(kill_descendants(root), 2);
        // Its `wait` ends when both children have ended.
        assert!(shell.wait().is_ok());
        for child in children {
            let state = fs::read_to_string(format!("/proc/{}/status", child.as_raw_pid()));
            assert!(state.is_err() || state.is_ok_and(|state| state.contains("State:\tZ")));
        }
    }

    #[test]
    fn children_of_a_later_survey_count_for_the_memory() {
        let (mut shell, root) = shell().unwrap();
        let mut memory = Memory::new(root);
        let all = memory.now();
        assert_eq!(memory.children.len(), 2);
        assert!(all > status(root, "VmRSS:").unwrap());
        memory.children.clear();
        std::thread::sleep(SURVEY);
        memory.now();
        assert_eq!(memory.children.len(), 2, "surveyed again");
        kill_tree(root);
        let _ = shell.wait();
    }
}
