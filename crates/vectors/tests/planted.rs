//! The faults that `fuzz/planted` and `crates/interop/planted` plant can be planted: the code that each of
//! them replaces is there, and only once. Their tables in the documentation are about these faults.

mod support;

use std::fs;

use support::root;
use toml::{Table, Value};

fn faults(list: &str) -> Vec<Value> {
    let faults = fs::read_to_string(root().join(list)).unwrap();
    let faults: Table = faults.parse().unwrap();
    faults["fault"].as_array().unwrap().clone()
}

/// Checks that the table of a page has a row for each fault in a file.
fn check_rows(list: &str, page: &str) {
    let page = fs::read_to_string(root().join(page)).unwrap();
    let (_, rest) = page.split_once("<!-- planted -->\n").unwrap();
    let (table, _) = rest.split_once("<!-- /planted -->").unwrap();
    let rows: Vec<&str> = table.lines().skip(2).collect();
    let begins: Vec<String> = faults(list)
        .iter()
        .map(|fault| {
            let text = |name: &str| fault.get(name).and_then(Value::as_str).unwrap();
            format!("| {} | {} | ", text("crate"), text("what"))
        })
        .collect();
    assert_eq!(rows.len(), begins.len());
    for (row, begin) in rows.iter().zip(&begins) {
        assert!(row.starts_with(begin), "{row}");
    }
}

#[test]
fn every_planted_fault_has_its_row() {
    check_rows("fuzz/planted.toml", "docs/fuzzing.md");
}

#[test]
fn every_fault_for_the_models_has_its_row() {
    check_rows("crates/interop/planted.toml", "docs/testing.md");
}

/// Checks the faults in a file that has at least this many.
fn check(list: &str, least: usize) {
    let faults = faults(list);
    assert!(faults.len() >= least, "{} faults", faults.len());
    let mut displaced = Vec::new();
    for fault in &faults {
        let text = |name: &str| fault.get(name).and_then(Value::as_str).unwrap();
        let file = root().join("crates").join(text("crate")).join(text("file"));
        let code = fs::read_to_string(&file).unwrap_or_default();
        let count = code.matches(text("find")).count();
        if count != 1 {
            displaced.push(format!(
                "{count} times in {}: {}",
                file.display(),
                text("what")
            ));
        }
    }
    assert!(displaced.is_empty(), "{displaced:#?}");
}

#[test]
fn every_planted_fault_has_its_place() {
    check("fuzz/planted.toml", 31);
}

#[test]
fn every_fault_for_the_models_has_its_place() {
    check("crates/interop/planted.toml", 20);
}
