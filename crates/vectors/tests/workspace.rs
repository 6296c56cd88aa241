//! What the workspace promises about itself: who may depend on whom, how heavy each crate is, which
//! compiler it needs, and that the documentation's table of packages is true.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The arrows between the crates, all of them: `docs/architecture.md` draws the same.
const ARROWS: &[(&str, &[&str])] = &[
    ("input", &[]),
    ("error", &[]),
    ("event-stream", &[]),
    ("sigv4", &[]),
    ("transport", &[]),
    ("protocol", &["input", "error", "event-stream"]),
    (
        "lambda-invoke",
        &[
            "input",
            "error",
            "event-stream",
            "sigv4",
            "transport",
            "protocol",
        ],
    ),
    ("credentials", &["lambda-invoke", "sigv4"]),
    (
        "endpoint",
        &["protocol", "sigv4", "input", "error", "event-stream"],
    ),
    (
        "cli",
        &[
            "input",
            "error",
            "event-stream",
            "sigv4",
            "transport",
            "protocol",
            "lambda-invoke",
            "credentials",
            "endpoint",
        ],
    ),
];

/// How many crates `cargo tree -e normal` may show, the crate itself counted.
const BUDGETS: &[(&str, usize)] = &[
    ("lambda-invoke-input", 5),
    ("lambda-invoke-event-stream", 8),
    ("lambda-invoke-sigv4", 16),
    // With TLS, which is a default feature.
    ("lambda-invoke", 60),
];

/// The compiler that the default features need, as `rust-version` has it.
const MSRV: (u64, u64) = (1, 85);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn cargo(arguments: &[&str]) -> String {
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

fn metadata(arguments: &[&str]) -> Value {
    let mut all = vec!["metadata", "--format-version", "1", "--locked"];
    all.extend(arguments);
    serde_json::from_str(&cargo(&all)).unwrap()
}

/// The folder's name of a crate of ours: the package is `lambda-invoke-<folder>`, but for the facade.
fn folder_of(package: &str) -> Option<&str> {
    match package.strip_prefix("lambda-invoke") {
        Some("") => Some("lambda-invoke"),
        Some(rest) => rest.strip_prefix('-'),
        None => None,
    }
}

fn is_published(package: &Value) -> bool {
    // `publish = false` is an empty list of registries.
    package["publish"]
        .as_array()
        .is_none_or(|registries| !registries.is_empty())
}

fn published() -> Vec<Value> {
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
fn dependencies(package: &Value) -> Vec<(String, String)> {
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

#[test]
fn the_arrows_between_the_crates_are_the_documented_ones() {
    for package in published() {
        let name = package["name"].as_str().unwrap();
        let folder = folder_of(name).unwrap_or_else(|| panic!("{name} is not named after us"));
        let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == folder) else {
            panic!("{name} has no row in ARROWS");
        };
        for (dependency, kind) in dependencies(&package) {
            let Some(to) = folder_of(&dependency) else {
                continue;
            };
            assert!(
                kind == "dev" || allowed.contains(&to),
                "{name} must not depend on {dependency} ({kind})"
            );
        }
    }
}

#[test]
fn each_crate_stays_within_its_budget_of_dependencies() {
    for (package, budget) in BUDGETS {
        let tree = cargo(&[
            "tree",
            "--locked",
            "--package",
            package,
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ]);
        let crates: BTreeSet<&str> = tree
            .lines()
            .map(|line| line.trim_end_matches(" (*)"))
            .collect();
        assert!(crates.len() > 1, "{package}: nothing was counted");
        assert!(
            crates.len() <= *budget,
            "{package}: {} crates, {budget} allowed: {crates:#?}",
            crates.len()
        );
    }
}

#[test]
fn no_dependency_of_the_default_features_needs_a_newer_compiler() {
    let all = metadata(&[]);
    let declared: BTreeMap<&str, &str> = all["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|package| Some((package["id"].as_str()?, package["rust_version"].as_str()?)))
        .collect();
    let mut checked = 0;
    for package in published() {
        let name = package["name"].as_str().unwrap();
        let tree = cargo(&[
            "tree",
            "--locked",
            "--package",
            name,
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ]);
        for line in tree.lines() {
            let mut words = line.split_whitespace();
            let (dependency, version) = (words.next().unwrap(), words.next().unwrap());
            let version = version.trim_start_matches('v');
            let needed = declared.iter().find(|(id, _)| {
                id.ends_with(&format!("#{dependency}@{version}"))
                    || id.ends_with(&format!("{dependency}#{version}"))
            });
            // A package that declares nothing was written before `rust-version` existed.
            let Some((_, needed)) = needed else { continue };
            let mut numbers = needed
                .split('.')
                .map(|number| number.parse::<u64>().unwrap());
            let needed = (numbers.next().unwrap(), numbers.next().unwrap_or(0));
            assert!(
                needed <= MSRV,
                "{name}: {dependency} {version} needs Rust {needed:?}"
            );
            checked += 1;
        }
    }
    assert!(checked > 10, "only {checked} declared versions were found");
}

#[test]
fn every_published_crate_forbids_unsafe_code_and_inherits_the_lints() {
    for package in published() {
        let name = package["name"].as_str().unwrap();
        let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
        let text = std::fs::read_to_string(&manifest).unwrap();
        assert!(
            text.contains("[lints]\nworkspace = true"),
            "{name} has lints of its own"
        );
        for target in package["targets"].as_array().unwrap() {
            let kinds = target["kind"].as_array().unwrap();
            if !kinds.iter().any(|kind| kind == "lib" || kind == "bin") {
                continue;
            }
            let source = target["src_path"].as_str().unwrap();
            let source_text = std::fs::read_to_string(source).unwrap();
            assert!(
                source_text.contains("#![forbid(unsafe_code)]"),
                "{source} does not forbid unsafe code"
            );
        }
    }
}

/// Who uses a package: in a published crate's shipped code, and elsewhere.
type Users = (BTreeSet<String>, BTreeSet<String>);

/// The table's users of each package, from the manifests of all workspaces.
fn users_of_packages() -> BTreeMap<String, Users> {
    let mut packages = Vec::new();
    for package in metadata(&["--no-deps"])["packages"].as_array().unwrap() {
        let folder = folder_of(package["name"].as_str().unwrap()).unwrap();
        packages.push((folder.to_owned(), package.clone()));
    }
    for beside in ["benches", "fuzz", "crates/interop"] {
        let manifest = root().join(beside).join("Cargo.toml");
        let text = cargo(&[
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--manifest-path",
            manifest.to_str().unwrap(),
        ]);
        let other: Value = serde_json::from_str(&text).unwrap();
        let name = Path::new(beside).file_name().unwrap().to_str().unwrap();
        for package in other["packages"].as_array().unwrap() {
            packages.push((name.to_owned(), package.clone()));
        }
    }
    let mut users: BTreeMap<String, Users> = BTreeMap::new();
    for (folder, package) in &packages {
        for (dependency, kind) in dependencies(package) {
            let (shipped, tests) = users.entry(dependency).or_default();
            let place = if kind == "normal" && is_published(package) {
                shipped
            } else {
                tests
            };
            place.insert(folder.clone());
        }
    }
    users
}

/// `UPDATE_DOCS=1` writes the two columns of users anew instead of comparing them.
#[test]
fn the_table_of_chosen_packages_says_where_each_is_used() {
    let path = root().join("docs/architecture.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let users = users_of_packages();
    let cell = |names: &BTreeSet<String>| match names.is_empty() {
        true => "-".to_owned(),
        false => names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", "),
    };
    let (before, section) = text
        .split_once("## The chosen packages")
        .expect("the section is there");
    let (section, after) = section.split_once("\n## ").expect("another follows");
    let mut documented = BTreeSet::new();
    let right: Vec<String> = section
        .split('\n')
        .map(|line| {
            let Some(rest) = line.strip_prefix("| `") else {
                return line.to_owned();
            };
            let (name, rest) = rest.split_once("` | ").unwrap();
            let (what_for, _) = rest.split_once(" | ").unwrap();
            let (shipped, tests) = users.get(name).cloned().unwrap_or_default();
            // Two of them are part of what the project promises to build on.
            assert!(
                !["nom", "hex"].contains(&name) || !shipped.is_empty(),
                "{name} is not shipped"
            );
            documented.insert(name.to_owned());
            format!(
                "| `{name}` | {what_for} | {} | {} |",
                cell(&shipped),
                cell(&tests)
            )
        })
        .collect();
    for name in [
        "bytes",
        "nom",
        "crc32fast",
        "http",
        "tokio",
        "hyper",
        "ring",
        "hex",
        "proptest",
        "criterion",
    ] {
        assert!(
            documented.contains(name),
            "{name} is a chosen package and not in the table"
        );
    }
    let right = format!(
        "{before}## The chosen packages{}\n## {after}",
        right.join("\n")
    );
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &right).unwrap();
    } else {
        for (is, should) in text.lines().zip(right.lines()) {
            assert_eq!(is, should, "left the table, right the manifests");
        }
        assert_eq!(text, right);
    }
}
