//! Each crate from which a published one is built has a note in `docs/dependencies.md` that says
//! why it is trusted, and there is no note about any other crate.

mod support;

use std::collections::BTreeSet;

use support::{cargo, published, root};

/// The names in the first column of the page's tables.
fn noted() -> BTreeSet<String> {
    let page = std::fs::read_to_string(root().join("docs/dependencies.md")).unwrap();
    let mut noted = BTreeSet::new();
    for row in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let [names, purpose, reason] = cells[..] else {
            panic!("a row has three cells: {row}");
        };
        assert!(purpose.trim().len() > 2 && reason.trim().len() > 5, "{row}");
        for name in names.split(',') {
            let name = name.trim().trim_matches('`');
            assert!(noted.insert(name.to_owned()), "{name} has two notes");
        }
    }
    noted
}

#[test]
fn every_dependency_of_a_published_crate_has_a_note() {
    let mut needed = BTreeSet::new();
    for package in published() {
        let name = package["name"].as_str().unwrap();
        let tree = cargo(&[
            "tree",
            "--locked",
            "--package",
            name,
            "--all-features",
            "--target",
            "all",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ]);
        let names = tree
            .lines()
            .filter_map(|line| line.split_whitespace().next());
        needed.extend(names.map(str::to_owned));
    }
    needed.retain(|name| !name.starts_with("lambda-invoke"));
    assert!(needed.len() > 50, "cargo tree listed only {}", needed.len());
    let noted = noted();
    let missing: Vec<&String> = needed.difference(&noted).collect();
    assert!(
        missing.is_empty(),
        "docs/dependencies.md does not say why these are trusted: {missing:?}"
    );
    let left: Vec<&String> = noted.difference(&needed).collect();
    assert!(
        left.is_empty(),
        "docs/dependencies.md has notes for crates that are no dependency: {left:?}"
    );
}
