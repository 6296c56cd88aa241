//! The faults that `fuzz/planted` plants can be planted: the code that each of them replaces is there, and
//! only once. The table in the documentation is about these faults.

mod support;

use std::fs;

use support::root;
use toml::{Table, Value};

fn faults() -> Vec<Value> {
    let faults = fs::read_to_string(root().join("fuzz/planted.toml")).unwrap();
    let faults: Table = faults.parse().unwrap();
    faults["fault"].as_array().unwrap().clone()
}

#[test]
fn every_planted_fault_has_its_row() {
    let page = fs::read_to_string(root().join("docs/fuzzing.md")).unwrap();
    let (_, rest) = page.split_once("<!-- planted -->\n").unwrap();
    let (table, _) = rest.split_once("<!-- /planted -->").unwrap();
    let rows: Vec<&str> = table.lines().skip(2).collect();
    let begins: Vec<String> = faults()
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
fn every_planted_fault_has_its_place() {
    let faults = faults();
    assert!(faults.len() > 30, "{} faults", faults.len());
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
