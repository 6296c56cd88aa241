//! Compares gungraun's counts with the committed baseline, with cryptography listed separately.
//!
//!     bench-instructions OUTPUT-FOLDER BASELINE.json [--write]
//!
//! Reads the callgrind files of a run, adds up each one's instructions in the functions of the
//! crypto library (by their names: hashes differ by processor, and valgrind lacks SHA-NI) and in
//! all others, and fails if the others have grown by more than 2 %.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Map, Value, json};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The largest permitted rise.
const TOLERANCE: f64 = 0.02;

/// Parts of the names of functions that do cryptography and nothing else: ring's assembler, and
/// the Rust around it that pads, splits into blocks and chains them; and what the peer uses.
const CRYPTO: [&str; 6] = [
    "ring_core_",
    "ring::digest",
    "ring::hmac",
    "sha2::",
    "_block_data_order",
    "crypto_mac",
];

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Count {
    crypto: u64,
    other: u64,
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
        let map: Map<String, Value> = counts
            .iter()
            .map(|(name, count)| (name.clone(), count.other.into()))
            .collect();
        std::fs::write(baseline, serde_json::to_string_pretty(&map)? + "\n")?;
    }
    let known: BTreeMap<String, u64> = serde_json::from_str(&std::fs::read_to_string(baseline)?)?;
    let (lines, ok) = judge(&counts, &known);
    for line in lines {
        println!("{line}");
    }
    Ok(ok)
}

/// Prints a line of JSON for each benchmark, and returns whether all are within the tolerance.
fn judge(counts: &BTreeMap<String, Count>, known: &BTreeMap<String, u64>) -> (Vec<Value>, bool) {
    let mut ok = !counts.is_empty();
    let mut lines = Vec::new();
    for (name, count) in counts {
        let baseline = known.get(name).copied();
        let verdict = match baseline {
            // Zero instructions mean that the begin or end of the count was not found.
            _ if count.other == 0 => "nothing was counted",
            None => "not in the baseline",
            Some(known) if count.other as f64 > known as f64 * (1.0 + TOLERANCE) => "more",
            Some(known) if (count.other as f64) < known as f64 * (1.0 - TOLERANCE) => {
                "fewer: the baseline can be lowered"
            }
            Some(_) => "ok",
        };
        ok &= !matches!(
            verdict,
            "more" | "not in the baseline" | "nothing was counted"
        );
        lines.push(json!({
            "name": name, "instructions": count.other, "crypto": count.crypto,
            "baseline": baseline, "verdict": verdict,
        }));
    }
    for name in known.keys().filter(|name| !counts.contains_key(*name)) {
        ok = false;
        lines.push(json!({ "name": name, "verdict": "in the baseline, but not measured" }));
    }
    (lines, ok)
}

/// Every `callgrind.NAME.out` in the folder, where NAME is the benchmark's.
fn read_all(folder: &Path) -> Result<BTreeMap<String, Count>> {
    let mut counts = BTreeMap::new();
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in
            std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?
        {
            let path = entry?.path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if path.is_dir() {
                folders.push(path);
            } else if let Some(name) = name
                .strip_prefix("callgrind.")
                .and_then(|name| name.strip_suffix(".out"))
            {
                counts.insert(name.to_owned(), count(&std::fs::read_to_string(&path)?)?);
            }
        }
    }
    Ok(counts)
}

/// Adds up the own cost of each function in a callgrind file.
///
/// The format is valgrind's "Callgrind Format Specification": `fn=name` begins a function, or
/// `fn=(number) name` the first time and `fn=(number)` after that; lines that begin with a digit,
/// `+`, `-` or `*` are a position and a cost; the one after `calls=` is what the callee cost, which
/// is counted there.
fn count(text: &str) -> Result<Count> {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    let (mut count, mut crypto, mut is_call) = (Count::default(), false, false);
    for line in text.lines() {
        let callee = line.strip_prefix("cfn=");
        if let Some(field) = line.strip_prefix("fn=").or(callee) {
            let name = match field.split_once(' ') {
                Some((number, name)) if number.starts_with('(') => {
                    names.insert(number, name);
                    name
                }
                None if field.starts_with('(') => {
                    names.get(field).ok_or("a function without a name")?
                }
                _ => field,
            };
            if callee.is_none() {
                crypto = CRYPTO.iter().any(|part| name.contains(part));
            }
        } else if line.starts_with("calls=") {
            is_call = true;
        } else if line.starts_with(|c: char| c.is_ascii_digit() || "+-*".contains(c)) {
            let cost = line.split(' ').nth(1).ok_or("a line without a cost")?;
            let cost: u64 = cost.parse()?;
            match (is_call, crypto) {
                (true, _) => {}
                (false, true) => count.crypto += cost,
                (false, false) => count.other += cost,
            }
            is_call = false;
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "version: 1\npositions: line\nevents: Ir\n\nfl=(1) a.rs\nfn=(1) sign\n10 100\n\
        cfn=(2) ring_core_0_17_sha256_block_data_order\ncalls=2 0\n12 5000\n+1 7\n\n\
        fn=(2)\n0 5000\n\ntotals: 5107\n";

    fn counts(other: u64) -> BTreeMap<String, Count> {
        BTreeMap::from([("sign".to_owned(), Count { crypto: 9, other })])
    }

    #[test]
    fn own_costs_are_added_and_calls_are_not() {
        let plain = FILE.replace("(1) ", "").replace("(2) ", "");
        let plain = plain.replace("fn=(2)", "fn=ring_core_0_17_sha256_block_data_order");
        let expected = Count {
            crypto: 5000,
            other: 107,
        };
        assert_eq!(count(&plain).unwrap(), expected);
        assert_eq!(
            count(FILE).unwrap(),
            Count {
                crypto: 5000,
                other: 107
            }
        );
    }

    #[test]
    fn a_rise_of_more_than_two_per_cent_fails() {
        let known = BTreeMap::from([("sign".to_owned(), 1000)]);
        assert!(judge(&counts(1020), &known).1);
        assert!(!judge(&counts(1021), &known).1);
        assert!(judge(&counts(500), &known).1);
    }

    #[test]
    fn what_is_only_on_one_side_fails() {
        let known = BTreeMap::from([("sign".to_owned(), 1000), ("verify".to_owned(), 1)]);
        assert!(!judge(&counts(1000), &known).1);
        assert!(!judge(&counts(1000), &BTreeMap::new()).1);
        assert!(!judge(&BTreeMap::new(), &BTreeMap::new()).1);
    }

    #[test]
    fn a_count_of_nothing_fails() {
        assert!(!judge(&counts(0), &BTreeMap::from([("sign".to_owned(), 0)])).1);
    }
}
