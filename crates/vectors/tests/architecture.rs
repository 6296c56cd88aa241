//! `docs/architecture.md` agrees with the workspace: its tables of crates, modules, features and
//! packages, and every path that it names.
//!
//! `UPDATE_DOCS=1` rewrites what can be derived: the users of packages, and the lists of modules. A
//! new module is described by the first sentence of its own documentation.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use support::{cargo, dependencies, folder_of, is_published, metadata, published, root};

/// Held from reading the page until it is written, since tests run in parallel.
static WRITING: Mutex<()> = Mutex::new(());

fn page_path() -> PathBuf {
    root().join("docs/architecture.md")
}

fn page() -> String {
    fs::read_to_string(page_path()).unwrap()
}

/// The text under a heading, up to the next of the same or a higher level.
fn section<'p>(page: &'p str, heading: &str) -> &'p str {
    let (_, rest) = page
        .split_once(&format!("\n{heading}\n"))
        .unwrap_or_else(|| panic!("no heading {heading:?}"));
    let level = heading.split(' ').next().unwrap();
    let ends = (1..=level.len()).filter_map(|n| rest.find(&format!("\n{} ", &level[..n])));
    &rest[..ends.min().unwrap_or(rest.len())]
}

/// The rows of the first table in a text, without its head, as trimmed cells.
fn rows(text: &str) -> Vec<Vec<&str>> {
    text.lines()
        .filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'))
        .skip(2)
        .map(|line| line.split('|').map(str::trim).collect())
        .collect()
}

/// The pieces of a text in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// With `UPDATE_DOCS=1`, writes the correct page; otherwise compares it with the present one.
fn compare_or_update(right: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(page_path(), right).unwrap();
        return;
    }
    let is = page();
    for (is, should) in is.lines().zip(right.lines()) {
        assert_eq!(is, should, "left the page, right the workspace");
    }
    assert_eq!(is, right);
}

#[test]
fn every_path_exists() {
    let page = page();
    // Code blocks contain drawings, not paths.
    let prose: String = page.split("```").step_by(2).collect();
    let mut checked = 0;
    for path in quoted(&prose).filter(|text| text.contains('/') && !text.contains(['<', ' '])) {
        let is_path = ["crates/", "benches/", "docs/", "fuzz/", ".ci/"]
            .iter()
            .any(|folder| path.starts_with(folder));
        if is_path {
            assert!(root().join(path).exists(), "{path} does not exist");
            checked += 1;
        }
    }
    assert!(checked > 10, "only {checked} paths were found");
}

#[test]
fn every_question_is_followed_by_a_path_and_every_named_item_is_in_its_file() {
    let page = page();
    let questions = rows(section(&page, "## Where do I look?"));
    assert!(questions.len() >= 10, "{} questions", questions.len());
    for row in questions {
        let [question, place] = row[..] else {
            panic!("{row:?}");
        };
        let paths: Vec<_> = quoted(place).filter(|text| text.contains('/')).collect();
        assert!(!paths.is_empty(), "{question} has no path");
        for item in quoted(place).filter(|text| !text.contains('/')) {
            let source = fs::read_to_string(root().join(paths[0]))
                .unwrap_or_else(|error| panic!("{}: {error}", paths[0]));
            assert!(
                source.contains(item),
                "{item} is not in {}: {question}",
                paths[0]
            );
        }
    }
}

#[test]
fn the_table_of_crates_shows_their_dependencies() {
    let page = page();
    let documented: BTreeMap<String, BTreeSet<String>> = rows(&page)
        .into_iter()
        .map_while(|row| match row[..] {
            [name, _, _, depends_on] => {
                let names = quoted(depends_on).map(str::to_owned).collect();
                Some((name.trim_matches('`').to_owned(), names))
            }
            _ => None,
        })
        .collect();
    let right: BTreeMap<String, BTreeSet<String>> = published()
        .iter()
        .map(|package| {
            let depends_on = dependencies(package)
                .iter()
                .filter(|(_, kind)| kind != "dev")
                .filter_map(|(name, _)| Some(folder_of(name)?.to_owned()))
                .collect();
            let name = folder_of(package["name"].as_str().unwrap()).unwrap();
            (name.to_owned(), depends_on)
        })
        .collect();
    assert_eq!(documented, right);
}

#[test]
fn the_table_of_features_is_complete() {
    let page = page();
    let documented: BTreeSet<(String, String, bool)> = rows(section(&page, "## Features"))
        .into_iter()
        .map(|row| {
            let name = |cell: &str| cell.trim_matches('`').to_owned();
            (name(row[0]), name(row[1]), row[2] == "yes")
        })
        .collect();
    let mut right = BTreeSet::new();
    for package in published() {
        let name = folder_of(package["name"].as_str().unwrap()).unwrap();
        let features = package["features"].as_object().unwrap();
        let default: Vec<&str> = features
            .get("default")
            .and_then(Value::as_array)
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        for feature in features.keys().filter(|feature| *feature != "default") {
            let is_default = default.contains(&feature.as_str());
            right.insert((name.to_owned(), feature.clone(), is_default));
        }
    }
    assert_eq!(documented, right);
}

/// The top-level modules of a crate, each with its file.
fn modules(folder: &str) -> BTreeMap<String, PathBuf> {
    fs::read_dir(root().join("crates").join(folder).join("src"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir() || path.extension().is_some_and(|end| end == "rs"))
        .filter_map(|path| {
            let name = path.file_stem()?.to_str()?.to_owned();
            let file = if path.is_dir() {
                path.join("mod.rs")
            } else {
                path
            };
            (!["lib", "main"].contains(&name.as_str())).then_some((name, file))
        })
        .collect()
}

/// The modules that a source file declares as public.
fn public_modules(file: &Path) -> BTreeSet<String> {
    let source = fs::read_to_string(file).unwrap_or_default();
    let declared = source
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    declared.map(str::to_owned).collect()
}

#[test]
fn the_tables_of_modules_in_readmes_are_complete() {
    let mut checked = 0;
    for package in published() {
        let folder = folder_of(package["name"].as_str().unwrap()).unwrap();
        let krate = root().join("crates").join(folder);
        let readme = fs::read_to_string(krate.join("README.md")).unwrap();
        if !readme.contains("\n## The modules\n") {
            continue;
        }
        let documented: BTreeSet<String> = rows(section(&readme, "## The modules"))
            .iter()
            .filter(|row| row[0] != "the root")
            .map(|row| row[0].trim_matches('`').to_owned())
            .collect();
        let lib = krate.join("src/lib.rs");
        let source = fs::read_to_string(&lib).unwrap();
        let (_, exports) = source.split_once("\npub use ").unwrap();
        let exports: BTreeSet<&str> = exports
            .split(|byte: char| !byte.is_alphanumeric() && byte != '_')
            .collect();
        let mut public = public_modules(&lib);
        for file in modules(folder).values() {
            let inner = public_modules(file);
            public.extend(inner.into_iter().filter(|name| exports.contains(&**name)));
        }
        assert_eq!(
            documented, public,
            "left {folder}/README.md, right the crate"
        );
        checked += 1;
    }
    assert!(checked > 0, "no README has the heading");
}

/// The first sentence of a file's documentation, as an entry of the table.
fn first_sentence(file: &Path) -> String {
    let source = fs::read_to_string(file).unwrap_or_default();
    let text: Vec<&str> = source
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map_while(|line| Some(line.trim()).filter(|line| !line.is_empty()))
        .collect();
    let text = text.join(" ");
    let sentence = text.split(". ").next().unwrap_or_default();
    sentence.trim_end_matches('.').to_owned()
}

#[test]
fn the_tables_of_modules_are_complete() {
    let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut right = page();
    for package in published() {
        let folder = folder_of(package["name"].as_str().unwrap()).unwrap();
        let present = modules(folder);
        let heading = format!("### `{folder}`");
        let old = section(&right, &heading).to_owned();
        let (head, _) = old.split_once("|---|---|\n").unwrap();
        let mut table = format!("{head}|---|---|\n");
        let mut listed = BTreeSet::new();
        for row in rows(&old) {
            let name = row[0].trim_matches('`');
            if present.contains_key(name) {
                table.push_str(&format!("| `{name}` | {} |\n", row[1]));
                listed.insert(name);
            }
        }
        for (name, file) in &present {
            if !listed.contains(name.as_str()) {
                table.push_str(&format!("| `{name}` | {} |\n", first_sentence(file)));
            }
        }
        let place = right.find(&format!("\n{heading}\n")).unwrap() + heading.len() + 2;
        right.replace_range(place..place + old.len(), &table);
    }
    compare_or_update(&right);
}

/// The crates that use a package: those that ship code with it, and the others.
type Users = (BTreeSet<String>, BTreeSet<String>);

/// Returns the users of each package, from the manifests of all workspaces.
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

#[test]
fn the_table_of_chosen_packages_says_where_each_is_used() {
    let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let text = page();
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
        .expect("no such section");
    let (section, after) = section.split_once("\n## ").expect("no section after it");
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
            // The design requires the use of these two in shipped code.
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
        assert!(documented.contains(name), "{name} is missing in the table");
    }
    let right = format!(
        "{before}## The chosen packages{}\n## {after}",
        right.join("\n")
    );
    compare_or_update(&right);
}
