//! The rules of the workspace: which crate may depend on which, how large each dependency tree may
//! be, which compiler suffices, and that all published code forbids `unsafe`.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use support::{cargo, dependencies, folder_of, metadata, published};

/// Every dependency that one of the project's crates may have on another. `docs/architecture.md`
/// shows those in use.
const ARROWS: &[(&str, &[&str])] = &[
    ("input", &[]),
    ("error", &[]),
    ("event-stream", &[]),
    ("sigv4", &[]),
    ("transport", &[]),
    ("credentials", &["sigv4", "transport"]),
    ("runtime", &[]),
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
    (
        "endpoint",
        &[
            "protocol",
            "sigv4",
            "input",
            "error",
            "event-stream",
            "runtime",
        ],
    ),
    ("map", &["lambda-invoke"]),
    (
        "cli",
        &[
            "map",
            "input",
            "error",
            "event-stream",
            "sigv4",
            "transport",
            "protocol",
            "lambda-invoke",
            "credentials",
            "endpoint",
            "runtime",
        ],
    ),
    // The feature `project` contains the properties of all these crates.
    (
        "testing",
        &[
            "map",
            "credentials",
            "input",
            "error",
            "event-stream",
            "sigv4",
            "transport",
            "protocol",
            "lambda-invoke",
            "endpoint",
            "runtime",
        ],
    ),
];

/// The most crates that `cargo tree -e normal` may list, including the crate itself.
const BUDGETS: &[(&str, usize)] = &[
    ("lambda-invoke-input", 5),
    ("lambda-invoke-event-stream", 8),
    ("lambda-invoke-sigv4", 16),
    // With TLS, which is a default feature.
    ("lambda-invoke", 60),
];

/// The `rust-version` that the default features need.
const MSRV: (u64, u64) = (1, 85);

#[test]
fn crates_depend_only_on_those_they_may() {
    for package in published() {
        let name = package["name"].as_str().unwrap();
        let folder =
            folder_of(name).unwrap_or_else(|| panic!("{name} does not begin with lambda-invoke"));
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

/// The crates that a package with its default features consists of.
fn tree_of(package: &str) -> BTreeSet<String> {
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
    tree.lines()
        .map(|line| line.trim_end_matches(" (*)").to_owned())
        .collect()
}

/// The most crates that `credentials` adds to the facade with TLS, itself included.
const ADDED_BY_CREDENTIALS: usize = 8;

#[test]
fn the_credentials_add_few_crates_to_the_facade() {
    let facade = tree_of("lambda-invoke");
    let credentials = tree_of("lambda-invoke-credentials");
    let added: Vec<&String> = credentials.difference(&facade).collect();
    assert!(
        added.len() <= ADDED_BY_CREDENTIALS,
        "{} crates, {ADDED_BY_CREDENTIALS} allowed: {added:#?}",
        added.len()
    );
}

#[test]
fn each_crate_stays_within_its_budget_of_dependencies() {
    for (package, budget) in BUDGETS {
        let crates = tree_of(package);
        assert!(crates.len() > 1, "{package}: cargo tree listed nothing");
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
            // A package that declares nothing is older than the field `rust-version`.
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
            "{name} does not inherit the workspace's lints"
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

#[test]
fn every_published_crate_says_what_registries_and_docs_rs_show() {
    for package in published() {
        let name = package["name"].as_str().unwrap();
        for member in [
            "description",
            "documentation",
            "license",
            "readme",
            "rust_version",
        ] {
            assert!(package[member].is_string(), "{name} has no {member}");
        }
        let documentation = format!("https://docs.rs/{name}");
        assert_eq!(package["documentation"], documentation.as_str());
        for member in ["keywords", "categories"] {
            let count = package[member].as_array().unwrap().len();
            assert!((1..=5).contains(&count), "{name} has {count} {member}");
        }
        let docs_rs = &package["metadata"]["docs"]["rs"];
        assert_eq!(docs_rs["all-features"], true, "{name}: {docs_rs}");
    }
}
