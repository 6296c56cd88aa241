//! Names, options, files and numbers in the documentation and the help match the code.
#![allow(clippy::unwrap_used, clippy::panic)]

mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use lambda_invoke::{RetryPolicy, Timeouts};
use program::{run, text};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files below a folder with this extension, except build output.
fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let is_built =
            ["target", "tools", "node_modules", ".git"].contains(&name.to_str().unwrap());
        if path.is_dir() && !is_built {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

/// Every documentation page, by its path from the root.
fn pages() -> BTreeMap<String, String> {
    let mut found = Vec::new();
    files(&root(), "md", &mut found);
    let pages: BTreeMap<String, String> = found
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let path = path.strip_prefix(root()).unwrap().to_owned();
            (path.to_str().unwrap().to_owned(), text)
        })
        .collect();
    assert!(pages.len() > 15, "{:?}", pages.keys());
    pages
}

/// The words of a text that consist only of these characters.
fn words(text: &str, is_part: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
    text.split(move |c| !is_part(c))
        .filter(|word| !word.is_empty())
}

#[test]
fn every_crate_that_is_named_exists() {
    let mut manifests = Vec::new();
    files(&root(), "toml", &mut manifests);
    let packages: BTreeSet<String> = manifests
        .iter()
        .filter(|path| path.ends_with("Cargo.toml"))
        .filter_map(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            let line = text.lines().find(|line| line.starts_with("name = "))?;
            Some(line.split('"').nth(1)?.to_owned())
        })
        .collect();
    let mut sources = Vec::new();
    for folder in ["crates", "docs"] {
        for extension in ["md", "rs"] {
            files(&root().join(folder), extension, &mut sources);
        }
    }
    sources.push(root().join("README.md"));
    sources.push(root().join("CHANGELOG.md"));
    let mut seen = 0;
    for path in sources {
        // This file itself contains names that are not crates.
        if path.ends_with("cli/tests/statements.rs") {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        for part in source.split('`').skip(1).step_by(2) {
            let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if part.starts_with("lambda-invoke-") && part.chars().all(is_name) {
                seen += 1;
                assert!(packages.contains(part), "{}: `{part}`", path.display());
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut seen = 0;
    for (page, text) in pages() {
        let folder = root().join(&page);
        let folder = folder.parent().unwrap();
        for link in text.split("](").skip(1) {
            let target = link.split(')').next().unwrap();
            let path = target.split('#').next().unwrap();
            let is_relative = !path.is_empty() && !path.contains(':') && !path.contains(' ');
            // Links that rustdoc resolves are not paths.
            if is_relative && (path.contains('/') || path.contains('.')) {
                seen += 1;
                assert!(folder.join(path).exists(), "{page}: {target}");
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

/// Paths in backticks, such as `docs/errors.md` and `benches/instructions/run`.
#[test]
fn every_file_that_is_named_exists() {
    let mut seen = 0;
    for (page, text) in pages() {
        for part in text.split('`').skip(1).step_by(2) {
            let word = part.split_whitespace().next().unwrap_or_default();
            let folder = word.split('/').next().unwrap();
            let is_path = ["crates", "docs", "benches", "fuzz", ".ci"].contains(&folder)
                && word.contains('/')
                && !word.contains(['<', '*', '{', '$'])
                // A fresh clone has no build output.
                && !word.contains("/target/");
            if is_path {
                seen += 1;
                assert!(root().join(word).exists(), "{page}: {word}");
            }
        }
    }
    assert!(seen > 10, "{seen}");
}

/// The cells in the last column of the comparison: a path, or a path and a test in that file.
#[test]
fn every_test_that_the_comparison_names_exists() {
    let page = read("docs/comparison.md");
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with('|') && line.split(" | ").count() == 4)
        .filter(|line| line[2..].starts_with(|c: char| c.is_ascii_digit()))
        .collect();
    assert_eq!(rows.len(), 28);
    let mut tests = 0;
    for row in rows {
        let shown = row.split(" | ").nth(3).unwrap();
        let mut names = shown.split('`').skip(1).step_by(2);
        let path = names.next().unwrap();
        assert!(root().join(path).exists(), "{row}");
        if let Some(test) = names.next() {
            let name = format!("fn {test}()");
            assert!(read(path).contains(&name), "{path} has no {name}");
            tests += 1;
        }
    }
    assert!(tests > 15, "{tests}");
}

#[test]
fn every_line_of_the_threat_model_names_a_test_that_exists_or_says_that_there_is_none() {
    let page = read("docs/threat-model.md");
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let rows: Vec<&str> = rows.filter(|line| !line.starts_with("| tries ")).collect();
    assert!(rows.len() > 40, "{}", rows.len());
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let [_, _, shown] = cells[..] else {
            panic!("a line has three cells: {row}");
        };
        let mut names = shown.split('`').skip(1).step_by(2).peekable();
        if names.peek().is_none() {
            assert!(shown.trim().starts_with("none"), "{row}");
        }
        let mut path = "";
        while let Some(name) = names.next() {
            if name.contains('/') {
                path = name;
                assert!(root().join(path).exists(), "{row}");
                let is_followed = names.peek().is_some_and(|next| !next.contains('/'));
                assert!(
                    is_followed || !path.ends_with(".rs"),
                    "{path} has many tests: {row}"
                );
            } else {
                let test = format!("fn {name}(");
                assert!(read(path).contains(&test), "{path} has no {test}");
            }
        }
    }
}

/// The commands, each with its help.
fn commands() -> BTreeMap<String, String> {
    let help = run(&["--help"]);
    let help = text(&help.stdout);
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let (list, _) = list.split_once("\n\n").unwrap();
    list.lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(|name| {
            let help = run(&[name, "--help"]);
            (name.to_owned(), text(&help.stdout).to_owned())
        })
        .collect()
}

/// The long options that begin a line of a help text.
fn listed(help: &str) -> BTreeSet<&str> {
    help.lines()
        .filter_map(|line| {
            let line = line.trim_start();
            let line = match line.strip_prefix('-') {
                Some(short) if !short.starts_with('-') => short.split_once(", ")?.1,
                _ => line,
            };
            line.starts_with("--").then(|| options(line).next())?
        })
        .collect()
}

/// The long options in a text.
fn options(text: &str) -> impl Iterator<Item = &str> {
    words(text, |c| {
        c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
    })
    .filter(|word| word.starts_with("--") && word.len() > 3)
}

#[test]
fn every_option_that_is_named_exists() {
    let commands = commands();
    let all: BTreeSet<&str> = commands.values().flat_map(|help| listed(help)).collect();
    assert!(all.len() > 50, "{all:?}");
    let mut seen = 0;
    // In examples, each option must be one of the command in the line.
    let mut example = |place: &str, line: &str| {
        let Some((_, line)) = line.split_once("lambda-invoke ") else {
            return;
        };
        let line = line.split(" | ").next().unwrap();
        let Some(help) = commands.get(line.split_whitespace().next().unwrap_or_default()) else {
            return;
        };
        for option in options(line) {
            seen += 1;
            assert!(listed(help).contains(option), "{place}: {option} in {line}");
        }
    };
    for (command, help) in &commands {
        // Other tools have options of their own.
        let ours = help.lines().filter(|line| !line.contains("aws lambda "));
        for option in ours.flat_map(options) {
            assert!(all.contains(option), "{command} --help: {option}");
        }
        help.lines().for_each(|line| example(command, line));
    }
    for page in [
        "README.md",
        "crates/cli/README.md",
        "crates/endpoint/README.md",
        "docs/endpoint.md",
    ] {
        let text = read(page);
        text.lines().for_each(|line| example(page, line));
        // In prose, an option that stands alone in backticks is one of this program.
        for part in text
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|part| part.starts_with("--"))
        {
            let option = options(part).next().unwrap();
            assert!(all.contains(option), "{page}: {option}");
        }
    }
    assert!(seen > 40, "{seen}");
}

/// The value of a constant in the source: a number, a product or a shift.
fn constant(path: &str, name: &str) -> u64 {
    let source = read(path);
    let line = source
        .lines()
        .find(|line| line.contains(&format!("const {name}: ")))
        .unwrap_or_else(|| panic!("{name} in {path}"));
    let value = line.split_once('=').unwrap().1.trim().trim_end_matches(';');
    let number = |text: &str| text.trim().replace('_', "").parse::<u64>().unwrap();
    match value.split_once("<<") {
        Some((base, shift)) => number(base) << number(shift),
        None => value.split('*').map(number).product(),
    }
}

/// Whether a paragraph or list item of the page contains all of these, wherever its lines break and
/// with or without commas in numbers.
fn states(page: &str, parts: &[&str]) -> bool {
    page.split("\n\n")
        .flat_map(|paragraph| paragraph.split("\n- "))
        .map(|item| {
            item.split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .replace(',', "")
        })
        .any(|item| parts.iter().all(|part| item.contains(part)))
}

#[test]
fn stated_numbers_are_those_of_the_code() {
    let kib = |name| {
        format!(
            "{} KiB",
            constant("crates/transport/src/pool.rs", name) >> 10
        )
    };
    let plain = constant("crates/transport/src/connector/socket.rs", "READ_FLOODED") >> 10;
    let plain = format!("{plain} KiB");
    let transport = read("crates/transport/README.md");
    assert!(states(&transport, &["100 headers", &kib("MAX_HEAD")]));
    assert!(states(
        &transport,
        &["one read", &kib("READ_SECURE"), &plain]
    ));

    let shown = constant("crates/cli/src/terminal.rs", "MOST_TEXT") >> 10;
    let readme = read("crates/cli/README.md");
    assert!(states(
        &readme,
        &["untrusted text", &format!("{shown} KiB")]
    ));

    let limits = Timeouts::default();
    let first_byte = limits.first_byte().unwrap().as_secs();
    let connect = limits.connect().unwrap().as_secs();
    assert_eq!((limits.idle(), limits.total()), (None, None));
    for command in ["stream", "invoke", "bench"] {
        // Help is wrapped to the width of the terminal.
        let help = run(&[command, "--help"]);
        let help: Vec<&str> = text(&help.stdout).split_whitespace().collect();
        let help = help.join(" ");
        for stated in [
            format!("[default: {first_byte}s"),
            format!("For connecting [default: {connect}s]"),
            "including retries and the delays between them; in map, for each attempt [default: none]".to_owned(),
        ] {
            assert!(help.contains(&stated), "{command}: {stated}");
        }
    }
    assert!(states(&transport, &[&format!("{first_byte} seconds")]));

    assert_eq!(RetryPolicy::default().max_attempts(), 3);
    assert!(states(&readme, &["--retry safe", "up to three attempts"]));
    let reply = constant("crates/lambda-invoke/src/builder.rs", "MAX_REPLY") >> 20;
    let builder = read("crates/lambda-invoke/src/builder.rs");
    assert!(builder.contains(&format!("| {reply} MiB |")));
}
