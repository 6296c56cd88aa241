//! What is compared: the version, features and compiler flags of each contender, as cargo resolves
//! them.

use std::process::Command;

use serde_json::{Value, json};

use crate::Result;
use crate::programs::{Place, run};

/// The packages that do the measured work, each with the package of this workspace that builds it.
const CONTENDERS: [(&str, &str); 12] = [
    ("lambda-invoke", "bench-client-ours"),
    ("lambda-invoke-sigv4", "lambda-invoke-benches"),
    ("lambda-invoke-event-stream", "lambda-invoke-benches"),
    ("aws-sdk-lambda", "bench-client-sdk"),
    ("aws-sigv4", "lambda-invoke-benches"),
    ("aws-smithy-eventstream", "lambda-invoke-benches"),
    ("reqsign-aws-v4", "lambda-invoke-benches"),
    ("hyper", "bench-client-bare"),
    ("hyper-util", "bench-client-bare"),
    ("rustls", "bench-client-bare"),
    ("crc32fast", "lambda-invoke-benches"),
    ("ring", "lambda-invoke-benches"),
];

/// Returns the version and features of each contender, and the flags with which all are built.
pub fn contenders(place: &Place) -> Result<Value> {
    let mut found = Vec::new();
    for (name, package) in CONTENDERS {
        let mut cargo = Command::new("cargo");
        cargo.args(["tree", "--locked", "--edges", "normal", "--prefix", "none"]);
        cargo.args(["--format", "{p}\t{f}", "--package", package]);
        let tree = run(cargo.current_dir(&place.benches))?;
        let line = tree
            .lines()
            .find(|line| line.split(' ').next() == Some(name))
            .ok_or_else(|| format!("{package} does not depend on {name}"))?;
        let (id, features) = line.split_once('\t').unwrap_or((line, ""));
        let version = id.split(' ').nth(1).unwrap_or_default();
        // cargo marks a package that it lists again.
        let features = features.trim_end_matches(" (*)").trim();
        found.push(json!({ "name": name, "version": version, "features": features }));
    }
    let rustc = run(Command::new("rustc").arg("--version"))?;
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    Ok(json!({
        "packages": found, "rustc": rustc.trim(), "rustflags": flags,
        "profile": "release: opt-level 3, fat LTO, one codegen unit, stripped, panic = \"unwind\"",
    }))
}

/// Returns the same as a section of the page.
pub fn section(contenders: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let flags = match text(&contenders["rustflags"]) {
        none if none.is_empty() => "no RUSTFLAGS".to_owned(),
        flags => format!("RUSTFLAGS `{flags}`"),
    };
    let mut section = format!(
        "### contenders\n\n{}, {flags}; {}.\n\n| package | version | features |\n|---|---|---|\n",
        text(&contenders["rustc"]),
        text(&contenders["profile"])
    );
    for package in contenders["packages"].as_array().into_iter().flatten() {
        section += &format!(
            "| {} | {} | {} |\n",
            text(&package["name"]),
            text(&package["version"]),
            text(&package["features"]).replace(',', ", ")
        );
    }
    section
}
