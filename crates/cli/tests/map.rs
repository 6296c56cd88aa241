//! `lambda-invoke map`, as a process: results, inputs, exit codes.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod program;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use program::{calling, fed, program, text};
use serde_json::Value;

/// Creates a folder of its own for each test.
fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("map-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn map(arguments: &[&str], input: &str) -> Output {
    let mut command = program();
    command.arg("map").args(arguments).stdin(Stdio::piped());
    fed(&mut command, input.as_bytes())
}

fn lines(stdout: &[u8]) -> Vec<Value> {
    let lines = text(stdout).lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn payloads(count: u64) -> String {
    (0..count).map(|n| format!("{{\"n\":{n}}}\n")).collect()
}

#[test]
fn each_payload_has_a_line_and_the_summary_is_on_stderr() {
    let output = map(
        &["echo", "--local", "--ordered", "--key", "n"],
        &payloads(50),
    );
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for (at, line) in lines(&output.stdout).iter().enumerate() {
        assert_eq!(line["index"], at);
        assert_eq!(line["key"], at.to_string());
        assert_eq!(line["outcome"], "done");
        assert_eq!(line["payload"]["n"], at);
        assert_eq!(line["execution"], "started");
        assert_eq!(line["attempts"], 1);
        assert!(line["duration_ms"].is_number());
        assert!(line["request_id"].is_string(), "{line}");
    }
    let said = text(&output.stderr);
    assert!(said.contains("50 items of echo in "), "{said}");
    assert!(said.contains("50 done, 0 failed, 0 unknown"), "{said}");
    assert!(said.contains("p50 ") && said.contains("billed "), "{said}");
}

#[test]
fn a_failed_function_is_exit_code_1_and_has_its_lines_in_the_failures_file() {
    let folder = folder("failures");
    let failures = folder.join("failures.jsonl");
    let output = map(
        &[
            "fail",
            "--local",
            "--json",
            "--failures",
            failures.to_str().unwrap(),
        ],
        &payloads(7),
    );
    assert_eq!(output.status.code(), Some(1));
    let all = lines(&output.stdout);
    assert_eq!(all.len(), 7);
    assert!(
        all.iter().all(
            |line| line["error"]["kind"] == "function_failed" && line["request_id"].is_string()
        )
    );
    assert_eq!(fs::read(&failures).unwrap(), output.stdout);
    let summary: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(summary["summary"]["failed"], 7);
    assert_eq!(summary["summary"]["failures"]["function_failed"], 7);
}

#[test]
fn payloads_come_from_files_tables_and_folders() {
    let folder = folder("inputs");
    let table = folder.join("table.csv");
    fs::write(&table, "name,n\n\"Ada, Countess\",1\nGrace,2\n").unwrap();
    let template = r#"{"who":"{name}","n":"{n:json}"}"#;
    let arguments = [
        "echo",
        "--local",
        "--ordered",
        "--input",
        table.to_str().unwrap(),
    ];
    let output = map(&[&arguments[..], &["--template", template]].concat(), "");
    assert_eq!(lines(&output.stdout)[0]["payload"]["who"], "Ada, Countess");
    assert_eq!(lines(&output.stdout)[1]["payload"]["n"], 2);
    let files = folder.join("files");
    fs::create_dir(&files).unwrap();
    fs::write(files.join("b.json"), "{\n  \"b\": 1\n}\n").unwrap();
    fs::write(files.join("a.json"), "[1]").unwrap();
    let out = folder.join("out");
    let output = map(
        &[
            "echo",
            "--local",
            "--ordered",
            "--input",
            files.to_str().unwrap(),
            "--output-dir",
            out.to_str().unwrap(),
        ],
        "",
    );
    let all = lines(&output.stdout);
    assert_eq!(
        (&all[0]["key"], &all[1]["key"]),
        (&"a.json".into(), &"b.json".into())
    );
    assert_eq!(all[0]["file"], "00000000-a.json.json");
    assert_eq!(fs::read(out.join("00000000-a.json.json")).unwrap(), b"[1]");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 2);
    let output = map(&["echo", "--local", "--format", "nul"], "{\n\"a\":1}\0[2]");
    assert_eq!(lines(&output.stdout).len(), 2);
}

#[test]
fn an_input_that_can_be_read_only_once_is_sent_whole() {
    let pipe = folder("pipe").join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for plan in [&[][..], &["--dry-run", "--json"]] {
        let input = ["echo", "--local", "--input", "/dev/stdin"];
        check_30(&map(&[&input, plan].concat(), &payloads(30)), plan);
        let writing = pipe.clone();
        let writer = std::thread::spawn(move || fs::write(writing, payloads(30)));
        let input = ["echo", "--local", "--input", pipe.to_str().unwrap()];
        let output = map(&[&input, plan].concat(), "");
        writer.join().unwrap().unwrap();
        check_30(&output, plan);
    }
}

/// Checks that 30 payloads were sent, or counted.
fn check_30(output: &Output, plan: &[&str]) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    match plan {
        [] => assert_eq!(lines(&output.stdout).len(), 30, "{said}"),
        _ => assert_eq!(lines(&output.stderr)[0]["plan"]["items"], 30),
    }
}

#[test]
fn a_payload_that_is_not_json_is_found_before_anything_is_sent() {
    let folder = folder("not-json");
    let input = folder.join("payloads.jsonl");
    fs::write(&input, payloads(30) + "{\"n\":}\n").unwrap();
    let output = map(&["echo", "--local", "--input", input.to_str().unwrap()], "");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), "");
    assert!(
        text(&output.stderr).contains("payloads.jsonl: line 31: "),
        "{}",
        text(&output.stderr)
    );
    // Stdin is a pipe here, so the invalid line is found only when it is read.
    let output = map(&["echo", "--local"], &(payloads(30) + "{\"n\":}\n"));
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("stdin: line 31: "));
}

#[test]
fn a_journal_resumes_its_run_and_is_rejected_for_any_other() {
    let folder = folder("journal");
    let journal = folder.join("run.journal");
    let journal = journal.to_str().unwrap();
    let first = map(
        &["echo", "--local", "--ordered", "--journal", journal],
        &payloads(40),
    );
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    let again = map(
        &["echo", "--local", "--ordered", "--journal", journal],
        &payloads(40),
    );
    assert_eq!(again.status.code(), Some(0));
    assert_eq!(text(&again.stdout), text(&first.stdout));
    assert!(text(&again.stderr).contains("40 of them in earlier runs"));
    for (arguments, input, part) in [
        (
            vec!["fail"],
            payloads(40),
            "the function was echo, and is fail",
        ),
        (
            vec!["echo", "--batch", "2"],
            payloads(40),
            "the option batch was 1, and is 2",
        ),
        (
            vec!["echo"],
            payloads(41),
            "belongs to 40 items, and there are 41",
        ),
        (
            vec!["echo"],
            payloads(39),
            "belongs to 40 items, and there are 39",
        ),
        (
            vec!["echo"],
            payloads(40).replace("39", "93"),
            "item 39 has another payload",
        ),
    ] {
        let arguments = [&arguments[..], &["--local", "--journal", journal]].concat();
        let output = map(&arguments, &input);
        assert_eq!(output.status.code(), Some(2), "{part}");
        assert!(
            text(&output.stderr).contains(part),
            "{}",
            text(&output.stderr)
        );
    }
    let other = folder.join("results.jsonl");
    fs::write(&other, "{\"index\":0}\n").unwrap();
    let output = map(
        &["echo", "--local", "--journal", other.to_str().unwrap()],
        &payloads(1),
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("is not a journal"));
    assert_eq!(fs::read(&other).unwrap(), b"{\"index\":0}\n");
}

#[test]
fn failed_items_are_sent_again_on_request_only() {
    let folder = folder("retry");
    let journal = folder.join("run.journal");
    let arguments = [
        "fail",
        "--local",
        "--journal",
        journal.to_str().unwrap(),
        "--json",
    ];
    let attempts = |more: &[&str]| {
        let output = map(&[&arguments[..], more].concat(), &payloads(5));
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(lines(&output.stdout).len(), 5);
        let summary: Value = serde_json::from_slice(&output.stderr).unwrap();
        summary["summary"]["attempts"].as_u64().unwrap()
    };
    assert_eq!(
        [attempts(&[]), attempts(&[]), attempts(&["--retry-failed"])],
        [5, 0, 5]
    );
}

#[test]
fn a_dry_run_runs_nothing_but_the_sample() {
    let output = map(&["fail", "--local", "--dry-run", "--json"], &payloads(10));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let plan: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(plan["plan"]["items"], 10);
    assert_eq!(plan["plan"]["bytes"], 70);
    let output = map(
        &["echo", "--local", "--dry-run", "--sample", "3"],
        &payloads(10),
    );
    assert!(text(&output.stderr).contains("after 3 items that ran: about "));
    let failed = ["fail", "--local", "--dry-run", "--sample", "3"];
    let output = map(&failed, &payloads(10));
    assert!(text(&output.stderr).contains("3 items of the sample failed"));
    let missing = map(&["missing", "--local", "--dry-run"], &payloads(1));
    assert_eq!(missing.status.code(), Some(3));
}

#[test]
fn rejections_and_lost_services_have_the_exit_codes_of_single_calls() {
    let missing = map(&["missing", "--local"], &payloads(5_000));
    assert_eq!(missing.status.code(), Some(3));
    assert!(lines(&missing.stdout).len() < 500);
    let arguments = ["map", "echo", "--max-attempts", "1", "--max-failures", "0"];
    let mut command = calling("http://127.0.0.1:9", &arguments);
    let lost = fed(command.stdin(Stdio::piped()), payloads(50).as_bytes());
    assert_eq!(lost.status.code(), Some(4));
    let all = lines(&lost.stdout);
    assert!(!all.is_empty());
    assert!(all.iter().all(|line| line["execution"] == "not_started"));
    let closed = program()
        .args(["map", "echo", "--local"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut closed = closed.unwrap();
    drop(closed.stdout.take());
    std::io::Write::write_all(&mut closed.stdin.take().unwrap(), payloads(50).as_bytes()).unwrap();
    assert_eq!(program::wait(&mut closed).code(), Some(141));
}

#[test]
fn the_number_of_attempts_comes_from_the_option_or_the_environment() {
    for (configured, option, attempts) in [
        ("", None, 5),
        ("2", None, 2),
        ("2", Some("3"), 3),
        ("1", None, 1),
    ] {
        let mut command = calling("http://127.0.0.1:9", &["map", "echo"]);
        if let Some(most) = option {
            command.args(["--max-attempts", most]);
        }
        if !configured.is_empty() {
            command.env("AWS_MAX_ATTEMPTS", configured);
        }
        let output = fed(command.stdin(Stdio::piped()), b"1\n");
        let found = &lines(&output.stdout)[0]["attempts"];
        assert_eq!(*found, attempts, "{configured} {option:?}");
    }
}

#[test]
fn mistakes_of_usage_say_what_would_be_right() {
    for (arguments, part) in [
        (&["echo", "-p", "{}"][..], "use invoke for one payload"),
        (&["echo", "--template", "{}"], "--format csv"),
        (&["echo", "--format", "folder"], "needs a folder as --input"),
        (&["echo", "--input", "no-such-file"], "no-such-file: "),
        (&["echo", "--max-failures", "few"], "a share such as 5%"),
        (&["echo", "--retry-failed"], "--journal"),
        (
            &["echo", "--batch", "2", "--idempotency-key", "id"],
            "cannot be used with",
        ),
        (&["echo", "--key", "id"], "line 1: the field id is missing"),
    ] {
        let output = map(&[arguments, &["--local"]].concat(), "{\"n\":1}\n");
        assert_eq!(output.status.code(), Some(2), "{part}");
        assert!(
            text(&output.stderr).contains(part),
            "{part:?}: {}",
            text(&output.stderr)
        );
    }
}
