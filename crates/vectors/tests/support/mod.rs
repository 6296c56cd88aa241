//! Shared by the tests of the workspace: what cargo reports about it.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The standard output of a cargo command.
pub(crate) fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "cargo {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// What `cargo metadata` reports about the main workspace.
pub(crate) fn metadata(arguments: &[&str]) -> Value {
    let mut all = vec!["metadata", "--format-version", "1", "--locked"];
    all.extend(arguments);
    serde_json::from_str(&cargo(&all)).unwrap()
}

/// The folder of one of our packages: `lambda-invoke-<folder>`, except for the facade.
pub(crate) fn folder_of(package: &str) -> Option<&str> {
    match package.strip_prefix("lambda-invoke") {
        Some("") => Some("lambda-invoke"),
        Some(rest) => rest.strip_prefix('-'),
        None => None,
    }
}

/// Whether a package may be published.
pub(crate) fn is_published(package: &Value) -> bool {
    // `publish = false` is an empty list of registries.
    package["publish"]
        .as_array()
        .is_none_or(|registries| !registries.is_empty())
}

/// The published packages of the main workspace.
pub(crate) fn published() -> Vec<Value> {
    let all = metadata(&["--no-deps"]);
    let packages = all["packages"].as_array().unwrap();
    let published: Vec<_> = packages
        .iter()
        .filter(|package| is_published(package))
        .cloned()
        .collect();
    assert!(
        published.len() >= 5,
        "only {} published crates found",
        published.len()
    );
    published
}

/// `(dependency, kind)` pairs of a package, the kind being `normal`, `dev` or `build`.
pub(crate) fn dependencies(package: &Value) -> Vec<(String, String)> {
    let dependencies = package["dependencies"].as_array().unwrap();
    dependencies
        .iter()
        .map(|dependency| {
            let kind = dependency["kind"].as_str().unwrap_or("normal");
            (
                dependency["name"].as_str().unwrap().to_owned(),
                kind.to_owned(),
            )
        })
        .collect()
}

/// The Rust files of a folder and those below it, in the order of their paths.
pub(crate) fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort_unstable();
    found
}
