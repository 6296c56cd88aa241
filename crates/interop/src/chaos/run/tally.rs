//! The results, and how to repeat each case that failed.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Mutex, PoisonError};

use super::super::case::Case;
use super::super::oracle::{Class, Fault, Observation, Verdict};

/// Panics of tasks that nobody joins, such as those of a connection.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Records every panic, wherever it occurs.
pub fn watch_panics() {
    std::panic::set_hook(Box::new(|panic| {
        // One of the main thread leads to no table.
        eprintln!("{panic}");
        let mut panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
        panics.push(panic.to_string());
    }));
}

/// Prints the panics so far, and returns their number.
pub fn panics() -> usize {
    let panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
    panics.iter().for_each(|panic| println!("PANIC: {panic}"));
    panics.len()
}

/// The number of cases from which the share of faults that occurred says something.
const MANY: u64 = 100;

/// A row of the table of results.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    cases: u64,
    struck: u64,
    whole: u64,
    not_started: u64,
    unknown: u64,
    started: u64,
    altered: u64,
}

/// The results.
#[derive(Debug)]
pub struct Tally {
    rows: BTreeMap<String, Row>,
    /// How many faults of a group occurred, and how many cases it has: those whose names differ only in the
    /// byte offset.
    groups: BTreeMap<String, [u64; 2]>,
    faults: BTreeMap<Fault, u64>,
    errors: u64,
    /// The command line that repeats a case, without the case's name.
    repeat: String,
}

impl Tally {
    pub fn new(repeat: String) -> Self {
        Self {
            rows: BTreeMap::new(),
            groups: BTreeMap::new(),
            faults: BTreeMap::new(),
            errors: 0,
            repeat,
        }
    }

    pub fn add(&mut self, case: &Case, seen: &Observation, verdict: Verdict) {
        let row = self.rows.entry(case.section().to_owned()).or_default();
        row.cases += 1;
        row.struck += u64::from(seen.struck);
        row.altered += u64::from(verdict.altered);
        let group = case.name.split('@').next().unwrap_or_default();
        let [struck, cases] = self.groups.entry(group.to_owned()).or_default();
        *struck += u64::from(seen.struck);
        *cases += 1;
        match verdict.class {
            Class::Whole => row.whole += 1,
            Class::NotStarted => row.not_started += 1,
            Class::Unknown => row.unknown += 1,
            Class::Started => row.started += 1,
            Class::Other => {}
        }
        for (fault, text) in verdict.faults {
            *self.faults.entry(fault).or_default() += 1;
            self.show(&fault, &text, &case.name);
        }
    }

    /// Records a case that could not be set up.
    pub fn failed(&mut self, case: &Case, error: &dyn Display) {
        self.errors += 1;
        self.show(&"NOT RUN", &error.to_string(), &case.name);
    }

    fn show(&self, what: &dyn Display, text: &str, name: &str) {
        println!("{what}: {text}\n    {} --only '{name}'", self.repeat);
    }

    /// Whether most faults of a section have occurred. Some offsets are past the end of what passes, and
    /// some exchanges end before their fault; but if the proxy had stopped damaging anything, nothing
    /// would have been tested.
    fn has_struck(&self) -> bool {
        let mut all = true;
        for (section, row) in &self.rows {
            if row.struck * 10 < row.cases * 9 && row.cases >= MANY {
                println!(
                    "only {} of {} faults of '{section}' occurred",
                    row.struck, row.cases
                );
                all = false;
            }
        }
        for (group, [struck, cases]) in &self.groups {
            if struck * 2 < *cases && *cases >= MANY {
                println!("only {struck} of {cases} faults of '{group}' occurred");
                all = false;
            }
        }
        all
    }

    fn count(&self, fault: Fault) -> u64 {
        self.faults.get(&fault).copied().unwrap_or_default()
    }

    pub fn cases(&self) -> u64 {
        self.rows.values().map(|row| row.cases).sum()
    }

    /// Prints the results, and returns whether everything was right.
    pub fn finish(&self, peak_mib: u64) -> bool {
        println!(
            "{:<12} {:>8} {:>8} {:>8} {:>11} {:>8} {:>8} {:>8}",
            "section", "cases", "struck", "whole", "not started", "unknown", "started", "altered"
        );
        for (section, row) in &self.rows {
            println!(
                "{section:<12} {:>8} {:>8} {:>8} {:>11} {:>8} {:>8} {:>8}",
                row.cases,
                row.struck,
                row.whole,
                row.not_started,
                row.unknown,
                row.started,
                row.altered
            );
        }
        let has_struck = self.has_struck();
        // A panic in another process is a fault of its case only.
        let panics = (panics() as u64).max(self.count(Fault::Panic));
        println!(
            "untrue={} rejected={} not_run={}",
            self.count(Fault::Untrue),
            self.count(Fault::Rejected),
            self.errors
        );
        println!(
            "cases={} twice={} half={} hangs={} panics={} peak_mib={peak_mib}",
            self.cases(),
            self.count(Fault::Twice),
            self.count(Fault::Half),
            self.count(Fault::Hang),
            panics,
        );
        has_struck && self.faults.is_empty() && self.errors == 0 && panics == 0
    }
}

/// The peak memory of this process in MiB.
pub fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or_default().div_ceil(1024)
}
