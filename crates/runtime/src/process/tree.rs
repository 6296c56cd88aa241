//! The descendants of a process: finding, measuring and killing them.

use std::collections::{BTreeMap, BTreeSet};

use rustix::process::{Pid, Signal, kill_process};

/// What `/proc` says of one process.
struct Entry {
    parent: i32,
    zombie: bool,
}

/// Returns the living descendants of a process, itself included unless it has ended.
///
/// Empty where there is no `/proc`.
pub(crate) fn descendants(root: i32) -> BTreeSet<i32> {
    let mut all = BTreeMap::new();
    let Ok(folder) = std::fs::read_dir("/proc") else {
        return BTreeSet::new();
    };
    for entry in folder.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        if let Some(entry) = read(pid) {
            all.insert(pid, entry);
        }
    }
    let mut found = BTreeSet::from([root]);
    // A child can have a smaller number than its parent, so that one pass need not be enough.
    loop {
        let before = found.len();
        for (pid, entry) in &all {
            if found.contains(&entry.parent) {
                found.insert(*pid);
            }
        }
        if found.len() == before {
            break;
        }
    }
    found.retain(|pid| all.get(pid).is_some_and(|entry| !entry.zombie));
    found
}

/// Reads `/proc/PID/stat`: `pid (name) state ppid ..`. The name can hold any character, so that
/// the fields are counted from its closing parenthesis.
fn read(pid: i32) -> Option<Entry> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let zombie = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    Some(Entry { parent, zombie })
}

/// Returns the peak memory of a process's descendants in bytes: the sum of their peaks.
pub(crate) fn peak_memory(root: i32, except: Option<i32>) -> u64 {
    let mut sum = 0;
    for pid in descendants(root) {
        if Some(pid) != except {
            sum += peak(pid).unwrap_or(0);
        }
    }
    sum
}

fn peak(pid: i32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Sends a signal to a process's descendants, and to itself if `with_root`.
pub(crate) fn signal(root: i32, with_root: bool, signal: Signal) {
    for pid in descendants(root) {
        if pid != root || with_root {
            send(pid, signal);
        }
    }
}

fn send(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        // It may have ended in the meantime.
        let _ = kill_process(pid, signal);
    }
}

/// Kills all descendants of a process, also those that it starts meanwhile. Returns when none is
/// left, or after a hundred passes.
pub(crate) fn kill_below(root: i32) {
    for _ in 0..100 {
        let mut below = descendants(root);
        below.remove(&root);
        if below.is_empty() {
            return;
        }
        for pid in below {
            send(pid, Signal::KILL);
        }
        std::thread::yield_now();
    }
}
