//! CPU time and memory of processes and their descendants.

use std::collections::BTreeMap;
use std::fs;

use nix::sys::time::TimeValLike;
use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;

use crate::Result;

/// A running process, and how many generations separate it from the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    pub pid: i32,
    pub generation: usize,
}

/// A process and its descendants.
pub fn tree(root: u32) -> Result<Vec<Process>> {
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // The process may have ended in the meantime.
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        if let Some(parent) = parent(&stat) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = vec![Process {
        pid: root.try_into()?,
        generation: 0,
    }];
    let mut next = 0;
    while let Some(&Process { pid, generation }) = found.get(next) {
        next += 1;
        let children = children.remove(&pid).unwrap_or_default().into_iter();
        found.extend(children.map(|pid| Process {
            pid,
            generation: generation + 1,
        }));
    }
    Ok(found)
}

/// Returns the parent in a line of `/proc/PID/stat`: `pid (name) state ppid ..`, where the name may
/// contain anything. Returns `None` for a zombie, which uses no resources.
fn parent(stat: &str) -> Option<i32> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    match fields.next()? {
        "Z" | "X" => None,
        _ => fields.next()?.parse().ok(),
    }
}

/// Returns the CPU time that a process and its running descendants have used so far, in
/// nanoseconds.
pub fn cpu(root: u32) -> Result<f64> {
    let mut sum = 0;
    for process in tree(root)? {
        // A child may have ended in the meantime.
        if let Ok(clock) = clock_getcpuclockid(Pid::from_raw(process.pid)) {
            sum += clock.now().map_or(0, |time| time.num_nanoseconds());
        }
    }
    Ok(sum as f64)
}

/// Returns the memory of a process in bytes. Pages that several processes share are divided among
/// them.
pub fn memory(process: Process) -> Result<f64> {
    let path = format!("/proc/{}/smaps_rollup", process.pid);
    let text = fs::read_to_string(&path)?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    Ok(kib.ok_or_else(|| format!("{path} has no Pss"))? * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_found_with_its_cpu_time_and_memory() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let found = tree(std::process::id()).unwrap();
        let own = Process {
            pid: child.id().try_into().unwrap(),
            generation: 1,
        };
        assert!(found.contains(&own), "{found:?}");
        assert!(memory(found[0]).unwrap() > 100_000.0);
        assert!(cpu(std::process::id()).unwrap() > 0.0);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!tree(std::process::id()).unwrap().contains(&own));
    }

    #[test]
    fn a_name_may_hold_anything() {
        assert_eq!(parent("7 (a) R 1) S 42 7 7 0"), Some(42));
        assert_eq!(parent("7 (gone) Z 42 7 7 0"), None);
        assert_eq!(parent(""), None);
    }
}
