//! `--output-file`: a file appears or changes only when a response is complete.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod program;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use program::{PATIENCE, Serve, calling, local, program, run, text, wait};

/// Creates an empty folder.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn a_complete_response_replaces_the_file_and_keeps_its_permissions() {
    let folder = folder("output-complete");
    let file = folder.join("response");
    fs::write(&file, "old").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("response", folder.join("link")).unwrap();
    for (command, option) in [("invoke", "-o"), ("stream", "--output-file")] {
        for name in ["response", "link", "new"] {
            let path = folder.join(name);
            let payload = format!(r#"["{command} {name}"]"#);
            let output = run(&[
                command,
                "echo",
                "--local",
                "-p",
                &payload,
                option,
                path.to_str().unwrap(),
            ]);
            assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
            assert_eq!((text(&output.stdout), text(&output.stderr)), ("", ""));
            assert_eq!(fs::read_to_string(&path).unwrap(), payload);
        }
    }
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert!(
        fs::symlink_metadata(folder.join("link"))
            .unwrap()
            .is_symlink()
    );
    assert_eq!(names(&folder), ["link", "new", "response"]);
}

/// The name contains the program's process ID, so the links are there before the program can know it:
/// a shell creates them and then becomes the program.
#[test]
fn a_link_in_place_of_the_temporary_file_is_not_followed() {
    let folder = folder("output-link");
    let elsewhere = folder.join("elsewhere");
    fs::write(&elsewhere, "kept").unwrap();
    let mut script = std::process::Command::new("sh");
    script.arg("-c").arg(
        "for number in 0 1 2; do ln -s elsewhere \".response.$$-$number\"; done; exec \"$0\" \"$@\"",
    );
    let program = local();
    script.arg(program.get_program());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    let arguments = ["invoke", "echo", "--local", "-p", "1", "-o", "response"];
    let output = script
        .args(arguments)
        .current_dir(&folder)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(folder.join("response")).unwrap(), "1");
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "kept");
    // Three links, and the two files.
    assert_eq!(names(&folder).len(), 5);
}

#[test]
fn a_truncated_stream_and_a_rejected_call_leave_the_file_as_it_was() {
    let folder = folder("output-failed");
    let serve = Serve::start(&["--fault", "count: no-complete"]);
    let existing = folder.join("existing");
    fs::write(&existing, "old").unwrap();
    for arguments in [&["count", "-p", r#"{"n":3}"#][..], &["missing"], &["fail"]] {
        for format in [None, Some("--json")] {
            for path in [&existing, &folder.join("new")] {
                let output = calling(&serve.url, &["stream"])
                    .args(arguments)
                    .args(format)
                    .arg("-o")
                    .arg(path)
                    .output()
                    .unwrap();
                assert_ne!(output.status.code(), Some(0), "{arguments:?}");
                assert_eq!(text(&output.stdout), "");
            }
        }
    }
    assert_eq!(fs::read_to_string(&existing).unwrap(), "old");
    assert_eq!(names(&folder), ["existing"]);
}

#[test]
fn ctrl_c_and_sigterm_leave_no_file_behind() {
    let folder = folder("output-interrupted");
    let serve = Serve::start(&["--fault", "echo: delay=60s"]);
    let path = folder.join("new");
    // In the middle of a response, and before its head.
    let count = ("count", r#"{"n":2,"delay_ms":60000}"#, "< status 200", 1);
    let echo = ("echo", "1", "* connected to", 0);
    for (signal, (function, payload, reached, files)) in [
        ("-INT", count),
        ("-INT", echo),
        ("-TERM", count),
        ("-TERM", echo),
    ] {
        let mut child = calling(&serve.url, &["stream", function, "-v", "-p", payload, "-o"])
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let found = lines.find(|line| line.as_ref().unwrap().starts_with(reached));
        assert!(found.is_some(), "{function}");
        // With a temporary name.
        let deadline = Instant::now() + PATIENCE;
        while names(&folder).len() < files {
            assert!(Instant::now() < deadline);
            std::thread::sleep(Duration::from_millis(5));
        }
        let id = child.id().to_string();
        assert!(
            std::process::Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(wait(&mut child).code(), Some(130), "{function} {signal}");
        assert_eq!(names(&folder), Vec::<String>::new());
    }
}

#[test]
fn what_cannot_be_written_is_reported_before_anything_is_sent() {
    let folder = folder("output-unwritable");
    let serve = Serve::start(&[]);
    for path in [folder.join("no/such"), folder.clone(), folder.join("..")] {
        let output = calling(&serve.url, &["invoke", "echo", "-o"])
            .arg(&path)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", path.display());
        let message = text(&output.stderr);
        assert!(message.contains("cannot write to "), "{message}");
        assert!(
            message.contains("hint: --output-file takes a file"),
            "{message}"
        );
    }
    assert!(!serve.stop().stderr.contains("POST"));
}

#[test]
fn a_pipe_receives_the_response_of_the_call_that_was_made() {
    let folder = folder("output-pipe");
    let pipe = folder.join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for command in ["invoke", "stream", "map"] {
        let path = pipe.clone();
        let reader = std::thread::spawn(move || fs::read_to_string(path).unwrap());
        let mut called = program();
        called.args([command, "echo", "--local", "-o"]).arg(&pipe);
        if command != "map" {
            called.args(["-p", "[1]"]);
        }
        let called = called.stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = called.spawn().unwrap();
        // Ends the input of map.
        let mut stdin = child.stdin.take().unwrap();
        let _ = std::io::Write::write_all(&mut stdin, b"[1]\n");
        drop(stdin);
        let (code, said) = program::ended(&mut child);
        assert_eq!(code, Some(0), "{command}: {said}");
        let read = reader.join().unwrap();
        assert!(read.contains("[1]"), "{command}: {read}");
    }
}

#[test]
fn a_response_without_a_payload_leaves_the_file_as_it_was() {
    let folder = folder("output-none");
    let file = folder.join("response");
    fs::write(&file, "old").unwrap();
    let new = folder.join("new");
    for kind in ["--dry-run", "--event"] {
        for path in [&file, &new] {
            let output = program()
                .args(["invoke", "echo", "--local", "-p", "1", kind, "-o"])
                .arg(path)
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "old", "{kind}");
        assert!(!new.exists(), "{kind}");
    }
}

/// Where stdout is a file, it may have more than the response.
#[test]
#[cfg(target_os = "linux")]
fn the_name_of_a_stream_is_the_stream_and_its_file_is_not_replaced() {
    let folder = folder("output-streams");
    let program = program();
    let program = program.get_program().to_str().unwrap();
    for (name, redirected) in [
        ("/dev/stdout", ">"),
        ("/dev/fd/1", ">>"),
        ("/proc/self/fd/1", ">"),
        ("/dev/stderr", "2>"),
        ("/dev/fd/3", "3>>"),
    ] {
        let file = folder.join("log");
        fs::write(&file, "").unwrap();
        let to = redirected.trim_end_matches('>');
        let to = if to.is_empty() { "1" } else { to };
        let call = format!("'{program}' invoke echo --local -p '[3]' -o {name}");
        let script = format!("(echo head >&{to}; {call}; echo tail >&{to}) {redirected} log");
        let mut shell = std::process::Command::new("sh");
        let output = shell
            .args(["-c", &script])
            .current_dir(&folder)
            .output()
            .unwrap();
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        assert_eq!(
            fs::read_to_string(&file).unwrap(),
            "head\n[3]tail\n",
            "{name}"
        );
        assert_eq!(names(&folder), ["log"]);
    }
}

#[test]
fn a_link_to_a_file_that_does_not_exist_yet_is_kept() {
    let folder = folder("output-dangling");
    fs::create_dir(folder.join("inner")).unwrap();
    symlink("second", folder.join("first")).unwrap();
    symlink("inner/new", folder.join("second")).unwrap();
    let path = folder.join("first");
    let write = |path: &Path| {
        let path = path.to_str().unwrap();
        run(&["invoke", "echo", "--local", "-p", "[1]", "-o", path])
    };
    let output = write(&path);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(folder.join("inner/new")).unwrap(), "[1]");
    assert_eq!(names(&folder), ["first", "inner", "second"]);
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    symlink("circle", folder.join("circle")).unwrap();
    let output = write(&folder.join("circle"));
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("circle: too many symbolic links"), "{said}");
}

#[test]
fn a_device_is_written_to_and_a_dash_is_stdout() {
    let output = program()
        .args([
            "invoke",
            "echo",
            "--local",
            "-p",
            "[1]",
            "-o",
            "/dev/stdout",
        ])
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), "[1]");
    let output = run(&["invoke", "echo", "--local", "-p", "[1]", "-o", "-"]);
    assert_eq!(text(&output.stdout), "[1]");
    let output = run(&["invoke", "echo", "--local", "-p", "[1]", "-o", "/dev/full"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stderr).contains("cannot write to /dev/full: No space left"));
}
