//! `lambda-invoke map` with unusable inputs, journals and outputs: the messages, and that nothing
//! is lost.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod program;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use program::{calling, fed, program, text};

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("map-misuse-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("payloads.jsonl"), "1\n2\n3\n").unwrap();
    path
}

/// Runs the program in a folder, with the payloads in a file.
fn map(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = program();
    command
        .current_dir(folder)
        .args(["map", "echo", "--local", "--input", "payloads.jsonl"])
        .args(arguments)
        .stdin(Stdio::null());
    fed(&mut command, b"")
}

/// Checks that the command line was rejected as a usage error, with nothing sent.
fn rejected(output: &Output, part: &str) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{part}: {said}");
    assert!(said.contains(part), "{part:?}: {said}");
    assert_eq!(text(&output.stdout), "", "{part}");
}

#[test]
fn a_journal_that_is_no_file_is_rejected_and_nothing_waits_for_it() {
    let folder = folder("no-file");
    let made = Command::new("mkfifo").arg(folder.join("pipe")).status();
    assert!(made.unwrap().success());
    for (path, part) in [
        ("pipe", "pipe: the journal is not a regular file"),
        (".", "the journal is not a regular file"),
        ("/dev/null", "the journal is not a regular file"),
        (
            "missing/run.journal",
            "--journal takes a file in a folder that exists",
        ),
    ] {
        rejected(&map(&folder, &["--journal", path]), part);
    }
}

#[test]
fn a_journal_of_another_version_is_named_as_such_and_left_alone() {
    let folder = folder("version");
    let done = map(&folder, &["--journal", "run.journal"]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let file = folder.join("run.journal");
    let mut bytes = fs::read(&file).unwrap();
    bytes[30] = b'2';
    fs::write(&file, &bytes).unwrap();
    let output = map(&folder, &["--journal", "run.journal"]);
    rejected(
        &output,
        "has version 2 of the format; this program reads version 1",
    );
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

#[test]
fn a_journal_belongs_to_a_region_an_endpoint_a_context_and_headers() {
    let folder = folder("place");
    let done = map(&folder, &["--journal", "run.journal"]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let mut elsewhere = calling("http://127.0.0.1:9", &["map", "echo"]);
    elsewhere
        .current_dir(&folder)
        .args(["--input", "payloads.jsonl", "--journal", "run.journal"]);
    let elsewhere = fed(elsewhere.stdin(Stdio::null()), b"");
    rejected(
        &elsewhere,
        "the option endpoint-url was that of --local, and is http://127.0.0.1:9",
    );
    for (arguments, part) in [
        (
            &["--region", "eu-west-1"][..],
            "the option region was us-east-1, and is eu-west-1",
        ),
        (
            &["--client-context", "{\"custom\":{}}"],
            "the option client-context was not given, and is one with the checksum ",
        ),
        (
            &["--header", "x-secret: hush"],
            "the option header x-secret was not given, and is one with the checksum ",
        ),
        (
            &["--qualifier", "live"],
            "the option qualifier was not given, and is live",
        ),
    ] {
        let output = map(
            &folder,
            &[arguments, &["--journal", "run.journal"]].concat(),
        );
        rejected(&output, part);
        assert!(!text(&output.stderr).contains("hush"));
    }
}

#[test]
fn no_file_has_two_uses() {
    let folder = folder("two-uses");
    fs::create_dir(folder.join("files")).unwrap();
    let input = fs::read(folder.join("payloads.jsonl")).unwrap();
    for arguments in [
        ["--journal", "run.journal", "--output-file", "run.journal"],
        [
            "--journal",
            "run.journal",
            "--failures",
            "files/../run.journal",
        ],
        ["--output-file", "out.jsonl", "--failures", "./out.jsonl"],
        ["--output-file", "payloads.jsonl", "--failures", "f"],
        ["--journal", "payloads.jsonl", "--failures", "f"],
    ] {
        rejected(&map(&folder, &arguments), "are the same file");
    }
    assert_eq!(fs::read(folder.join("payloads.jsonl")).unwrap(), input);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    // What is written to the folder that is read would be an item of the next run.
    fs::write(folder.join("files/a.json"), "1").unwrap();
    for written in [
        ["--journal", "files/run.journal"],
        ["--output-file", "files/out.jsonl"],
        ["--failures", "files/f.jsonl"],
    ] {
        let mut command = program();
        command.current_dir(&folder);
        command.args(["map", "echo", "--local", "--input", "files"]);
        let output = command.args(written).stdin(Stdio::null()).output().unwrap();
        rejected(&output, "would be an item");
    }
    assert_eq!(fs::read_dir(folder.join("files")).unwrap().count(), 1);
    // A device may be used more than once.
    let null = map(
        &folder,
        &["--output-file", "/dev/null", "--failures", "/dev/null"],
    );
    assert_eq!(null.status.code(), Some(0), "{}", text(&null.stderr));
    let mut redirected = program();
    redirected
        .current_dir(&folder)
        .args(["map", "echo", "--local", "--journal", "run.journal"])
        .stdin(fs::File::open(folder.join("payloads.jsonl")).unwrap())
        .stdout(fs::File::create(folder.join("run.journal")).unwrap())
        .stderr(Stdio::piped());
    let output = redirected.spawn().unwrap().wait_with_output().unwrap();
    rejected(&output, "--journal and stdout are the same file");
}

#[test]
fn an_output_that_fails_leaves_the_other_one_complete() {
    let folder = folder("one-output");
    fs::write(
        folder.join("payloads.jsonl"),
        "{\"when\":\"before\"}\n".repeat(30),
    )
    .unwrap();
    let run = |arguments: &[&str], stdout: Stdio| {
        let mut command = program();
        command.current_dir(&folder);
        command.args([
            "map",
            "fail",
            "--local",
            "--input",
            "payloads.jsonl",
            "--rate",
            "30",
        ]);
        command.args(arguments).stdin(Stdio::null()).stdout(stdout);
        command.stderr(Stdio::null()).spawn().unwrap()
    };
    let fails = |arguments: &[&str], stdout: Stdio| run(arguments, stdout).wait().unwrap().code();
    let has_lines = |name: &str| {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        text.lines().count() > 0
    };
    let code = fails(&["--failures", "/dev/full", "-o", "results"], Stdio::null());
    assert_eq!((code, has_lines("results")), (Some(4), true));
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let code = fails(&["--failures", "failures"], full.into());
    assert_eq!((code, has_lines("failures")), (Some(4), true));
    // Such as `map .. | head -1`.
    let mut child = run(&["--failures", "closed"], Stdio::piped());
    drop(child.stdout.take());
    let code = child.wait().unwrap().code();
    assert_eq!((code, has_lines("closed")), (Some(141), true));
}

#[test]
fn results_may_go_to_stdout_by_its_name() {
    let folder = folder("stdout");
    let file = fs::File::create(folder.join("results")).unwrap();
    let mut command = program();
    command
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(file);
    command.args([
        "map",
        "echo",
        "--local",
        "--input",
        "payloads.jsonl",
        "-o",
        "/dev/stdout",
    ]);
    assert!(command.stderr(Stdio::null()).status().unwrap().success());
    let text = fs::read_to_string(folder.join("results")).unwrap();
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn a_link_to_nothing_in_a_folder_is_a_missing_item() {
    let folder = folder("links");
    let files = folder.join("files");
    fs::create_dir_all(files.join("inner")).unwrap();
    fs::write(files.join("a.json"), "1").unwrap();
    fs::write(files.join("inner/b.json"), "2").unwrap();
    symlink("a.json", files.join("b")).unwrap();
    let mut command = program();
    command.current_dir(&folder);
    command.args(["map", "echo", "--local", "--input", "files"]);
    let output = fed(command.stdin(Stdio::null()), b"");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout).lines().count(), 2);
    symlink("nothing", files.join("c")).unwrap();
    rejected(&fed(command.stdin(Stdio::null()), b""), "files/c: ");
}

#[test]
fn options_that_contradict_each_other_are_rejected() {
    let folder = folder("contradictions");
    for arguments in [
        &["--event", "--stream"][..],
        &["--event", "--log-tail"],
        &["--event", "--output-dir", "out"],
        &["--batch", "2", "--stream"],
        &["--stream", "--idempotency-key", "id"],
    ] {
        rejected(&map(&folder, arguments), "cannot be used with");
    }
    assert!(!folder.join("out").exists());
}

#[test]
fn a_low_limit_of_open_files_lowers_the_concurrency() {
    let folder = folder("limit");
    let line = format!(
        "ulimit -n 128; exec {} map echo --local --input payloads.jsonl -c 100000",
        env!("CARGO_BIN_EXE_lambda-invoke")
    );
    let mut command = Command::new("sh");
    command.current_dir(&folder).args(["-c", &line]);
    let output = fed(command.stdin(Stdio::null()), b"");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("at most 32 calls at once"), "{said}");
    assert_eq!(text(&output.stdout).lines().count(), 3);
    // With --json, stderr consists of JSON values, one per line.
    let mut command = Command::new("sh");
    command
        .current_dir(&folder)
        .args(["-c", &(line + " --json")]);
    let output = fed(command.stdin(Stdio::null()), b"");
    let said = text(&output.stderr).lines();
    let said: Vec<serde_json::Value> = said
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        said[0]["note"]
            .as_str()
            .unwrap()
            .starts_with("at most 32 calls")
    );
    assert_eq!(said[1]["summary"]["done"], 3);
}
