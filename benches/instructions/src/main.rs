//! Compares callgrind's counts with the committed baseline, with cryptography listed separately.
//!
//!     bench-instructions OUTPUT-FOLDER BASELINE.json [--write]
//!
//! Reads the names of the contenders and the file that callgrind wrote for each. Fails if one of
//! the project's takes over 2 % more instructions, or calls a function like `memcmp` more often,
//! whose cost on a real processor does not show in instructions. Instructions of cryptography,
//! identified by the names of functions, are not counted: hashes differ by processor, and valgrind
//! lacks SHA-NI.

mod callgrind;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use callgrind::Count;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The largest permitted rise.
const TOLERANCE: f64 = 0.02;

/// What the baseline records about a contender.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Known {
    instructions: u64,
    library_calls: u64,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (folder, baseline, write) = match args.as_slice() {
        [folder, baseline] => (folder, baseline, false),
        [folder, baseline, flag] if flag == "--write" => (folder, baseline, true),
        _ => {
            eprintln!("usage: bench-instructions OUTPUT-FOLDER BASELINE.json [--write]");
            return ExitCode::FAILURE;
        }
    };
    match compare(Path::new(folder), Path::new(baseline), write) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(folder: &Path, baseline: &Path, write: bool) -> Result<bool> {
    let counts = read_all(folder)?;
    if write {
        let known: BTreeMap<&str, Known> = counts
            .iter()
            .filter(|(name, _)| is_ours(name))
            .map(|(name, count)| (name.as_str(), Known::of(count)))
            .collect();
        std::fs::write(baseline, serde_json::to_string_pretty(&known)? + "\n")?;
    }
    let known: BTreeMap<String, Known> = serde_json::from_str(&std::fs::read_to_string(baseline)?)?;
    let (lines, ok) = judge(&counts, &known);
    for line in lines {
        println!("{line}");
    }
    Ok(ok)
}

/// Whether a contender is the project's: peers and limits are counted, but not judged.
fn is_ours(name: &str) -> bool {
    name.split(", ")
        .nth(1)
        .is_some_and(|contender| contender == "ours")
}

impl Known {
    fn of(count: &Count) -> Self {
        Self {
            instructions: count.other,
            library_calls: count.library_calls,
        }
    }

    /// Returns the verdict about a count, and whether the count is acceptable.
    fn judge(self, count: &Count) -> (&'static str, bool) {
        let (is, was) = (count.other as f64, self.instructions as f64);
        match () {
            () if is > was * (1.0 + TOLERANCE) => ("more", false),
            () if count.library_calls > self.library_calls => ("more library calls", false),
            () if is < was * (1.0 - TOLERANCE) || count.library_calls < self.library_calls => {
                ("fewer: the baseline can be lowered", true)
            }
            () => ("ok", true),
        }
    }
}

/// Returns a line of JSON for each contender, and whether all of the project's are within the
/// tolerance.
fn judge(counts: &BTreeMap<String, Count>, known: &BTreeMap<String, Known>) -> (Vec<Value>, bool) {
    let mut ok = counts.keys().any(|name| is_ours(name));
    let mut lines = Vec::new();
    for (name, count) in counts {
        let (verdict, accepted) = match known.get(name) {
            // Zero instructions mean that callgrind did not find the function that it collects in.
            _ if count.other == 0 => ("nothing was counted", false),
            _ if !is_ours(name) => ("not ours", true),
            None => ("not in the baseline", false),
            Some(known) => known.judge(count),
        };
        ok &= accepted;
        lines.push(json!({
            "name": name, "instructions": count.other, "crypto": count.crypto,
            "library_calls": count.library_calls, "baseline": known.get(name), "verdict": verdict,
        }));
    }
    for name in known.keys().filter(|name| !counts.contains_key(*name)) {
        ok = false;
        lines.push(json!({ "name": name, "verdict": "in the baseline, but not measured" }));
    }
    (lines, ok)
}

/// The counts by "GROUP, CONTENDER". The nth line of `names` belongs to the file `counts.n`, whose
/// count is that of all items of a run.
fn read_all(folder: &Path) -> Result<BTreeMap<String, Count>> {
    let names = std::fs::read_to_string(folder.join("names"))?;
    let mut counts = BTreeMap::new();
    for (index, line) in names.lines().enumerate() {
        let path = folder.join(format!("counts.{}", index + 1));
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let fields: Vec<&str> = line.split('\t').collect();
        let [group, contender, each] = fields[..] else {
            return Err(format!("not a name: {line:?}").into());
        };
        let count = callgrind::count(&text)?.divided(each.parse()?);
        counts.insert(format!("{group}, {contender}"), count);
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(other: u64, library_calls: u64) -> BTreeMap<String, Count> {
        let count = Count {
            crypto: 9,
            other,
            library_calls,
        };
        BTreeMap::from([("sign, ours".to_owned(), count)])
    }

    fn known(names: &[&str]) -> BTreeMap<String, Known> {
        let known = Known {
            instructions: 1000,
            library_calls: 3,
        };
        names
            .iter()
            .map(|name| ((*name).to_owned(), known))
            .collect()
    }

    #[test]
    fn a_rise_of_more_than_two_per_cent_fails() {
        let known = known(&["sign, ours"]);
        assert!(judge(&counts(1020, 3), &known).1);
        assert!(!judge(&counts(1021, 3), &known).1);
        assert!(judge(&counts(500, 3), &known).1);
    }

    #[test]
    fn one_more_library_call_fails() {
        let known = known(&["sign, ours"]);
        assert!(!judge(&counts(1000, 4), &known).1);
        assert!(judge(&counts(1000, 2), &known).1);
    }

    #[test]
    fn what_is_only_on_one_side_fails() {
        assert!(!judge(&counts(1000, 3), &known(&["sign, ours", "verify, ours"])).1);
        assert!(!judge(&counts(1000, 3), &BTreeMap::new()).1);
        assert!(!judge(&BTreeMap::new(), &BTreeMap::new()).1);
    }

    #[test]
    fn a_count_of_nothing_fails() {
        assert!(!judge(&counts(0, 0), &known(&["sign, ours"])).1);
    }

    #[test]
    fn a_peer_is_not_judged() {
        let peer = BTreeMap::from([("sign, aws-sigv4".to_owned(), counts(5, 5)["sign, ours"])]);
        let mut all = counts(1000, 3);
        all.extend(peer);
        assert!(judge(&all, &known(&["sign, ours"])).1);
    }
}
