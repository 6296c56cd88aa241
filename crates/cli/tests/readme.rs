//! The examples in the READMEs produce the output that is shown.
#![allow(clippy::unwrap_used, clippy::panic)]

mod program;

use std::path::Path;

use program::{run, text};

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The first code block with this info string.
fn block<'t>(text: &'t str, fence: &str) -> &'t str {
    let (_, rest) = text.split_once(&format!("```{fence}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
fn the_first_command_prints_what_is_shown() {
    let output = run(&["stream", "hello", "--local", "-p", r#"{"name":"Ada"}"#]);
    let printed = text(&output.stdout);
    let command = r#"stream hello --local -p '{"name":"Ada"}'"#;
    assert_eq!(
        block(&read("../../README.md"), "console"),
        format!("$ cargo run --release -- {command}\n{printed}")
    );
    assert_eq!(
        block(&read("README.md"), "console"),
        format!("$ lambda-invoke {command}\n{printed}")
    );
}

/// A function of the user's own, as in the repository's README: the file and the command that it
/// shows.
#[cfg(unix)]
#[test]
fn a_function_of_your_own_prints_what_is_shown() {
    if program::tools::lacks(&["python3"]) {
        return;
    }
    let readme = read("../../README.md");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("app.py"), block(&readme, "python")).unwrap();
    let arguments = [
        "stream",
        "app",
        "--local",
        "--function",
        "app.py",
        "-p",
        r#"{"name":"Ada"}"#,
    ];
    let output = program::program()
        .current_dir(&folder)
        .args(arguments)
        .output()
        .unwrap();
    let printed = text(&output.stdout);
    let command = r#"stream app --local --function app.py -p '{"name":"Ada"}'"#;
    let shown = format!("$ lambda-invoke {command}\n{printed}\n```");
    assert!(readme.contains(&shown), "{shown}: {}", text(&output.stderr));
}

#[test]
fn an_invalid_payload_is_reported_as_shown() {
    let output = run(&["invoke", "echo", "--local", "-p", r#"{"name": Ada}"#]);
    let shown = format!(
        "$ lambda-invoke invoke echo --local -p '{{\"name\": Ada}}'\n{}",
        text(&output.stderr)
    );
    assert!(read("README.md").contains(&shown), "{shown}");
}

/// The output of the second command names a test, which must exist.
#[test]
fn the_tests_that_are_shown_exist() {
    let tests = read("tests/stream.rs");
    let readme = read("../../README.md");
    let shown: Vec<&str> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... ok"))
        .collect();
    assert!(!shown.is_empty());
    for name in shown {
        assert!(tests.contains(&format!("\nfn {name}()")), "{name}");
    }
}

/// The example in the facade's README is compiled as a doctest.
#[test]
fn the_call_from_rust_is_the_one_that_is_compiled() {
    let readme = read("../../README.md");
    let shown = block(&readme, "rust");
    assert_eq!(shown, block(&read("../lambda-invoke/README.md"), "no_run"));
    assert!(shown.lines().count() < 20);
}

#[test]
fn every_command_and_every_exit_code_is_in_the_readme() {
    let help = run(&["--help"]);
    let help = text(&help.stdout);
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    let (_, codes) = help.split_once("Exit codes:\n").unwrap();
    let readme = read("README.md");
    let mut seen = 0;
    for line in commands.lines() {
        let name = line.split_whitespace().next().unwrap();
        if name != "help" && line.starts_with("  ") && !line.starts_with("   ") {
            assert!(readme.contains(&format!("| `{name}")), "{name}");
            seen += 1;
        }
    }
    for line in codes.lines() {
        let code = line.split_whitespace().next().unwrap();
        assert!(readme.contains(&format!("\n| {code} | ")), "{code}");
        seen += 1;
    }
    assert!(seen >= 15, "{seen}");
}
