//! Ctrl-C, a stdout that nobody reads, and the total timeout, wherever the program waits.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod program;
mod scripted;

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use program::{PATIENCE, ended, program, text, tools};
use scripted::{STREAM, Scripted, chunk, frame, response};
use serde_json::Value;

/// How long the program lets a command finish after the first Ctrl-C: `interrupt::PATIENCE`.
const GRACE: Duration = Duration::from_secs(2);

fn spawn(command: &mut Command) -> Child {
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until a condition is true.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether the process handles SIGINT; until it does, SIGINT kills it.
fn catches_interrupts(id: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    caught.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() & 2 != 0)
}

fn interrupt(child: &Child) {
    let id = child.id();
    until("it handles SIGINT", || catches_interrupts(id));
    let sent = Command::new("kill")
        .args(["-s", "INT", &id.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// The JSON error.
fn error(said: &str) -> Value {
    let mut whole: Value = serde_json::from_str(said).unwrap_or_else(|_| panic!("{said:?}"));
    whole["error"].take()
}

/// A named pipe without a writer.
fn fifo(name: &str) -> PathBuf {
    let path =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    path
}

/// Waits until all threads of the process sleep, so that it makes no further progress.
fn settle(child: &Child) {
    let tasks = format!("/proc/{}/task", child.id());
    let mut still = 0;
    until("it waits", || {
        let sleeps = std::fs::read_dir(&tasks).is_ok_and(|tasks| {
            tasks.flatten().all(|task| {
                let status = std::fs::read_to_string(task.path().join("status"));
                status.is_ok_and(|status| status.contains("State:\tS"))
            })
        });
        still = if sleeps { still + 1 } else { 0 };
        still > 40
    });
}

#[test]
fn ctrl_c_ends_every_read_that_waits() {
    let pipe = fifo("nobody-writes");
    let path = pipe.to_str().unwrap();
    let from_file = format!("@{path}");
    for arguments in [
        &["stream", "hello", "--local", "-p", "-"][..],
        &["invoke", "hello", "--local", "-p", "-"],
        &["bench", "hello", "--local", "-p", "-"],
        &["stream", "hello", "--local", "--client-context", "-"],
        &["stream", "hello", "--local", "-p", &from_file],
        &["sign", "hello", "-p", "-"],
        &["decode"],
        &["decode", path],
        // The credentials file is a pipe that is never written to.
        &["stream", "hello", "-p", "1"],
    ] {
        let mut command = program();
        command
            .args(arguments)
            .env("AWS_SHARED_CREDENTIALS_FILE", path)
            .stdin(Stdio::piped());
        let mut child = spawn(&mut command);
        // Stdin is kept open, so that the program waits for input.
        let stdin = child.stdin.take();
        until("it handles SIGINT", || catches_interrupts(child.id()));
        settle(&child);
        interrupt(&child);
        let begun = Instant::now();
        assert_eq!(
            ended(&mut child),
            (Some(130), String::new()),
            "{arguments:?}"
        );
        assert!(begun.elapsed() < GRACE, "{arguments:?}");
        drop(stdin);
    }
    let mut command = program();
    command.args(["stream", "hello", "--local", "--json", "-p", &from_file]);
    let mut child = spawn(&mut command);
    interrupt(&child);
    let (code, said) = ended(&mut child);
    std::fs::remove_file(pipe).unwrap();
    assert_eq!(code, Some(130));
    let error = error(&said);
    assert_eq!(error["kind"], "interrupted");
    assert_eq!(error["execution"], "not_started");
    assert_eq!(error["exit_code"], 130);
}

/// Ctrl-C on a keyboard is a byte, from which the terminal makes a signal.
#[test]
fn ctrl_c_at_a_terminal_ends_the_reading_of_a_payload() {
    if tools::lacks(&["python3"]) {
        return;
    }
    let script = "
import os, pty, signal, sys, time
# Python's own handler would be taken for that of the program.
signal.signal(signal.SIGINT, signal.SIG_DFL)
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
while True:
    with open(f'/proc/{child}/status') as status:
        caught = [line for line in status if line.startswith('SigCgt:')]
    if int(caught[0].split()[1], 16) & 2:
        break
    time.sleep(0.01)
os.write(terminal, b'{\"name\":\\n')
time.sleep(0.3)
os.write(terminal, b'\\x03')
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
";
    let mut child = Command::new("python3")
        .args(["-c", script, env!("CARGO_BIN_EXE_lambda-invoke")])
        .args(["stream", "hello", "--local", "-p", "-"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    assert_eq!(ended(&mut child), (Some(130), String::new()));
}

#[test]
fn ctrl_c_ends_every_wait_for_a_server_and_json_reports_what_is_known() {
    let silent = Scripted::silent();
    let throttled = Scripted::responding(response(
        "429 Too Many Requests",
        &[
            ("x-amzn-requestid", b"a"),
            ("x-amzn-errortype", b"TooManyRequestsException"),
            ("retry-after", b"60"),
        ],
        br#"{"Reason":"CallerRateLimitExceeded","message":"Rate exceeded"}"#,
    ));
    for server in [&silent, &throttled] {
        for command in ["stream", "invoke"] {
            for format in [None, Some("--json")] {
                let before = server.requests();
                let mut child = spawn(server.program(&[command, "f"]).args(format));
                until("it calls", || server.requests() > before);
                interrupt(&child);
                let (code, said) = ended(&mut child);
                assert_eq!(code, Some(130), "{said}");
                match format {
                    // A wait before a retry is announced on stderr.
                    None => assert!(said.is_empty() || said.contains("trying again in 60 s")),
                    Some(_) => assert_eq!(error(&said)["execution"], "unknown"),
                }
            }
        }
    }
}

/// A stream that starts and then stalls.
fn pausing() -> Scripted {
    Scripted::start(|mut socket, _| {
        write!(socket, "{STREAM}content-length: 100000\r\n\r\n").unwrap();
        socket.write_all(&frame(chunk(b"one"))).unwrap();
        // Blocks until the program has exited.
        let _ = socket.read_to_end(&mut Vec::new());
    })
}

#[test]
fn json_is_complete_and_reports_what_is_known_when_a_stream_is_interrupted() {
    let server = pausing();
    let mut child = spawn(&mut server.program(&["stream", "f", "--json"]));
    let mut stdout = child.stdout.take().unwrap();
    let mut shown = Vec::new();
    // Up to the end of the first event.
    while !shown.ends_with(b"\"}}") {
        let mut byte = [0];
        stdout.read_exact(&mut byte).unwrap();
        shown.push(byte[0]);
    }
    interrupt(&child);
    stdout.read_to_end(&mut shown).unwrap();
    let (code, said) = ended(&mut child);
    assert_eq!(code, Some(130));
    let error = error(&said);
    assert_eq!(error["kind"], "interrupted");
    assert_eq!(error["execution"], "started");
    assert_eq!(error["request_id"], "4e0a1f7c-2a5c-4b1e-9d3f-0c1d2e3f4a5b");
    let document: Value = serde_json::from_slice(&shown).unwrap();
    let events = document["EventStream"].as_array().unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["PayloadChunk"]["Payload"], "b25l");
}

/// A function with endless output, for a stdout without a reader.
fn endless() -> Scripted {
    Scripted::start(|mut socket, _| {
        write!(socket, "{STREAM}transfer-encoding: chunked\r\n\r\n").unwrap();
        let frames = frame(chunk(&vec![b'x'; 1 << 20]));
        let head = format!("{:x}\r\n", frames.len());
        let piece = [head.as_bytes(), &frames[..], b"\r\n"].concat();
        while socket.write_all(&piece).is_ok() {}
    })
}

fn settled(command: &mut Command) -> Child {
    let child = spawn(command);
    until("it handles SIGINT", || catches_interrupts(child.id()));
    settle(&child);
    child
}

#[test]
fn ctrl_c_ends_it_without_a_reader_of_stdout_and_a_second_one_immediately() {
    let server = endless();
    for format in [None, Some("--json")] {
        let mut child = settled(server.program(&["stream", "f"]).args(format));
        interrupt(&child);
        let (code, said) = ended(&mut child);
        assert_eq!(code, Some(130), "{said}");
        if format.is_some() {
            assert_eq!(error(&said)["execution"], "started");
        }
    }
    // After the first Ctrl-C, the program tries to finish its JSON, but the pipe is full.
    let mut child = settled(&mut server.program(&["stream", "f", "--json"]));
    interrupt(&child);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(child.try_wait().unwrap(), None);
    let begun = Instant::now();
    interrupt(&child);
    assert_eq!(ended(&mut child).0, Some(130));
    assert!(
        begun.elapsed() < GRACE - Duration::from_millis(300),
        "{:?}",
        begun.elapsed()
    );

    let payload = vec![b'1'; 1 << 20];
    let whole = Scripted::responding(response("200 OK", &[("x-amzn-requestid", b"a")], &payload));
    for arguments in [&["invoke", "f"][..], &["invoke", "f", "--json"]] {
        let mut child = settled(&mut whole.program(arguments));
        interrupt(&child);
        let begun = Instant::now();
        assert_eq!(ended(&mut child).0, Some(130));
        assert!(begun.elapsed() < GRACE);
    }
    // A message of 1 MiB, written to a pipe of 64 KiB.
    let mut command = program();
    let mut child = spawn(command.args(["decode", "--payload"]).stdin(Stdio::piped()));
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&frame(chunk(&payload))).unwrap();
    settle(&child);
    interrupt(&child);
    assert_eq!(ended(&mut child), (Some(130), String::new()));
}

#[test]
fn bench_starts_no_call_after_ctrl_c_in_its_warm_up() {
    let server = Scripted::silent();
    for format in [None, Some("--json")] {
        let before = server.requests();
        let arguments = ["bench", "f", "--warm-up", "1", "-n", "50", "-c", "8"];
        let mut child = spawn(server.program(&arguments).args(format));
        until("it warms up", || server.requests() > before);
        interrupt(&child);
        let (code, said) = ended(&mut child);
        assert_eq!(code, Some(130), "{said}");
        assert_eq!(server.requests(), before + 1, "a billed call after Ctrl-C");
        let mut shown = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut shown)
            .unwrap();
        assert_eq!(shown, "");
        match format {
            None => assert_eq!(said, ""),
            Some(_) => assert_eq!(error(&said)["execution"], "unknown"),
        }
    }
}

#[test]
fn the_total_timeout_expires_without_a_reader_of_stdout() {
    let streaming = endless();
    let payload = vec![b'1'; 1 << 20];
    let whole = Scripted::responding(response("200 OK", &[("x-amzn-requestid", b"a")], &payload));
    for (server, command) in [(&streaming, "stream"), (&whole, "invoke")] {
        for format in [None, Some("--json")] {
            let mut child = spawn(
                server
                    .program(&[command, "f", "--timeout", "700ms"])
                    .args(format),
            );
            let (code, said) = ended(&mut child);
            assert_eq!(code, Some(4), "{said}");
            match format {
                None => assert!(said.contains("total"), "{said}"),
                Some(_) => {
                    let error = error(&said);
                    assert_eq!(error["kind"], "timed_out");
                    assert_eq!(error["timeout"], "total");
                    assert_eq!(error["execution"], "started");
                }
            }
        }
    }
}

#[test]
fn json_reports_what_is_known_when_stdout_cannot_be_written() {
    let streaming = endless();
    let whole = Scripted::responding(response("200 OK", &[("x-amzn-requestid", b"a")], b"1"));
    for (server, command) in [(&streaming, "stream"), (&whole, "invoke")] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = server
            .program(&[command, "f", "--json"])
            .stdout(full)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(4));
        let error = error(text(&output.stderr));
        assert_eq!(error["kind"], "output", "{error}");
        assert_eq!(error["execution"], "started");
        assert!(error["request_id"].is_string());
    }
    let mut child = spawn(&mut streaming.program(&["stream", "f", "--json"]));
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 10]).unwrap();
    drop(stdout);
    let (code, said) = ended(&mut child);
    assert_eq!(code, Some(141));
    let error = error(&said);
    assert_eq!(error["kind"], "closed_pipe");
    assert_eq!(error["execution"], "started");
}
