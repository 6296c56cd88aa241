//! `lambda-invoke stream`: what it writes, where, and when.
#![allow(clippy::unwrap_used, clippy::panic)]

mod host;
mod program;

use std::io::Read as _;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use host::Host;
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError};
use program::{PATIENCE, ended, program, run, text};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

/// Reads this many bytes of the program's stdout.
fn read(child: &mut Child, bytes: usize) -> String {
    let mut piece = vec![0; bytes];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut piece)
        .unwrap();
    String::from_utf8(piece).unwrap()
}

#[test]
fn a_chunk_is_on_stdout_before_the_function_writes_the_next() {
    let (acknowledge, mut acknowledged) = mpsc::unbounded_channel::<()>();
    let (sender, made) = std::sync::mpsc::channel();
    // With a timeout, so that the test fails instead of hanging if the program holds a chunk back.
    let acknowledged = std::sync::Mutex::new(Some(move || async move {
        let read = tokio::time::timeout(PATIENCE, acknowledged.recv()).await;
        read.map(|_| acknowledged)
    }));
    let steps = Function::streaming("steps", move |_call, mut writer| {
        let wait = acknowledged.lock().unwrap().take();
        let sender = sender.clone();
        async move {
            writer.write("first ").await?;
            // The chunk does not end with a newline, and nothing follows until the test has read
            // it.
            let wait = wait.ok_or(FunctionError::new("Twice", ""))?;
            let unread = |_| FunctionError::new("NobodyRead", "");
            let mut acknowledged = wait().await.map_err(unread)?;
            let _ = sender.send("second");
            writer.write("second ").await?;
            acknowledged.recv().await;
            let _ = sender.send("third");
            writer.write("third").await?;
            Ok::<_, FunctionError>(())
        }
    });
    let host = Host::start(Endpoint::builder().function(steps));
    let mut child = host
        .program(&["stream", "steps"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    assert_eq!(read(&mut child, 6), "first ");
    assert!(
        made.try_recv().is_err(),
        "the second was made before the first was read"
    );
    acknowledge.send(()).unwrap();
    assert_eq!(read(&mut child, 7), "second ");
    assert_eq!(made.recv().unwrap(), "second");
    assert!(
        made.try_recv().is_err(),
        "the third was made before the second was read"
    );
    acknowledge.send(()).unwrap();
    assert_eq!(read(&mut child, 5), "third");
    assert_eq!(ended(&mut child), (Some(0), String::new()));
}

#[test]
fn stdout_has_only_the_payload_byte_for_byte() {
    let every_byte: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let sent = every_byte.clone();
    let bytes = Function::streaming("bytes", move |_call, mut writer| {
        let sent = sent.clone();
        async move {
            for piece in sent.chunks(777) {
                writer.write(piece.to_vec()).await?;
            }
            Ok::<_, FunctionError>(())
        }
    });
    let host = Host::start(Endpoint::builder().function(bytes));
    for arguments in [&["stream", "bytes"][..], &["stream", "bytes", "--log-tail"]] {
        let output = host.program(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(output.stdout == every_byte, "{arguments:?}");
    }
}

#[test]
fn json_has_the_member_names_of_the_model() {
    let output = run(&["stream", "count", "--local", "--json", "-p", r#"{"n":2}"#]);
    let mut response: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.stdout.ends_with(b"}\n"));
    let log = response["EventStream"][2]["InvokeComplete"]["LogResult"].take();
    assert!(log.is_string());
    assert!(response["RequestId"].take().is_string());
    assert_eq!(
        response,
        json!({
            "StatusCode": 200,
            "RequestId": null,
            "ExecutedVersion": "$LATEST",
            "EventStream": [
                {"PayloadChunk": {"Payload": "MQo="}},
                {"PayloadChunk": {"Payload": "Mgo="}},
                {"InvokeComplete": {"LogResult": null}},
            ],
            "ResponseStreamContentType": "application/vnd.amazon.eventstream",
        })
    );
}

#[test]
fn json_has_the_events_of_a_stream_that_failed() {
    let output = run(&[
        "stream",
        "fail",
        "--local",
        "--json",
        "-p",
        r#"{"when":"middle"}"#,
    ]);
    let response: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    let events = response["EventStream"].as_array().unwrap();
    assert!(events[0]["PayloadChunk"].is_object());
    assert_eq!(events[1]["InvokeComplete"]["ErrorCode"], "Error");

    let host = Host::with_fault("*: no-complete");
    let output = host
        .program(&["stream", "count", "--json"])
        .output()
        .unwrap();
    let response: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(5));
    let events = response["EventStream"].as_array().unwrap();
    assert_eq!(events.len(), 10);
    assert!(
        events
            .iter()
            .all(|event| event.get("InvokeComplete").is_none())
    );
}

#[test]
fn a_dry_run_runs_nothing_and_writes_nothing() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let trap = Function::buffered("trap", move |_call| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Ok::<_, FunctionError>("null") }
    });
    let host = Host::start(Endpoint::builder().function(trap));
    for command in ["stream", "invoke"] {
        let output = host
            .program(&[command, "trap", "--dry-run"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(text(&output.stdout), "");
        assert!(text(&output.stderr).contains("did not run"));
        let output = host
            .program(&[command, "trap", "--dry-run", "--json"])
            .output()
            .unwrap();
        let response: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(response["StatusCode"], 204);
        assert_eq!(text(&output.stderr), "");
    }
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    host.program(&["invoke", "trap"]).output().unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

/// A response with a prelude, split inside its JSON and inside the separator.
#[test]
fn http_shows_status_and_headers_on_stderr_and_the_body_on_stdout() {
    let page = Function::streaming("page", |_call, mut writer| async move {
        writer.content_type("application/vnd.awslambda.http-integration-response");
        let prelude = r#"{"statusCode":404,"headers":{"content-type":"text/plain"},"#;
        writer.write(prelude).await?;
        writer
            .write("\"cookies\":[\"a=1; Secure\",\"b=2\"]}\0\0\0")
            .await?;
        writer.write("\0\0\0\0\0the ").await?;
        writer.write("page\n").await?;
        Ok::<_, FunctionError>(())
    });
    let host = Host::start(Endpoint::builder().builtins().function(page));
    let output = host
        .program(&["stream", "page", "--http"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), "the page\n");
    assert_eq!(
        text(&output.stderr),
        "HTTP 404 Not Found\ncontent-type: text/plain\nset-cookie: a=1; Secure\nset-cookie: b=2\n\n"
    );
    // Without a prelude, the whole stream is the body.
    let output = host
        .program(&["stream", "count", "--http", "-p", r#"{"n":2}"#])
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), "1\n2\n");
    assert_eq!(
        text(&output.stderr),
        "HTTP 200 OK\ncontent-type: text/plain\n\n"
    );
}

/// Status, headers and cookies are untrusted text.
#[test]
fn http_escapes_the_head_on_stderr() {
    let page = Function::streaming("page", |_call, mut writer| async move {
        writer.content_type("application/vnd.awslambda.http-integration-response");
        let prelude = r#"{"statusCode":200,"headers":{"x-title":"\u009b2J"},"cookies":["a=\u001b]0;b\u0007"]}"#;
        writer
            .write(format!("{prelude}\0\0\0\0\0\0\0\0body"))
            .await?;
        Ok::<_, FunctionError>(())
    });
    let host = Host::start(Endpoint::builder().function(page));
    let output = host
        .program(&["stream", "page", "--http"])
        .output()
        .unwrap();
    let stderr = text(&output.stderr);
    assert!(!stderr.is_empty());
    let obeyed = |c: char| c.is_control() && c != '\n';
    assert!(!stderr.contains(obeyed), "{stderr:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_with_a_message() {
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = program()
        .args(["stream", "echo", "--local", "-p", "1"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("cannot write to stdout"), "{stderr}");
}

#[test]
fn log_tail_shows_the_log_and_a_summary_on_stderr() {
    for payload in [r#"{"delay_ms":0}"#, r#"{"delay_ms":0,"name":"Ada"}"#] {
        let quiet = run(&["stream", "hello", "--local", "-p", payload]);
        assert_eq!(text(&quiet.stderr), "");
        let output = run(&["stream", "hello", "--local", "-p", payload, "--log-tail"]);
        assert_eq!(output.stdout, quiet.stdout);
        let lines: Vec<&str> = text(&output.stderr).lines().collect();
        assert!(lines[0].starts_with("START RequestId: "), "{lines:?}");
        assert!(lines[1].starts_with("greeting "), "{lines:?}");
        assert!(lines[3].starts_with("REPORT RequestId: "), "{lines:?}");
        assert!(
            lines[4].starts_with("lambda-invoke: the function took "),
            "{lines:?}"
        );
        assert!(
            lines[4].contains(" ms, billed ") && lines[4].contains(" of 128 MB"),
            "{lines:?}"
        );
        assert_eq!(lines.len(), 5);
    }
    let failed = run(&["stream", "fail", "--local", "-l"]);
    let stderr = text(&failed.stderr);
    assert!(
        stderr.contains(
            "[ERROR] Error: failed as it was asked to\nTraceback (most recent call last):\n"
        ),
        "{stderr}"
    );
    assert!(stderr.contains("the function failed: Error"), "{stderr}");
}

#[test]
fn a_closed_pipe_ends_it_silently_and_the_function_notices() {
    let (sender, disconnected) = oneshot::channel();
    let sender = std::sync::Mutex::new(Some(sender));
    let endless = Function::streaming("endless", move |_call, mut writer| {
        let sender = sender.lock().unwrap().take();
        async move {
            while writer.write("a line of an endless stream\n").await.is_ok() {}
            if let Some(sender) = sender {
                let _ = sender.send(());
            }
            Ok::<_, FunctionError>(())
        }
    });
    let host = Host::start(Endpoint::builder().function(endless).max_stream_bytes(None));
    let mut child = host
        .program(&["stream", "endless"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    assert_eq!(read(&mut child, 6), "a line");
    drop(child.stdout.take());
    assert_eq!(ended(&mut child), (Some(141), String::new()));
    disconnected.blocking_recv().unwrap();
}

#[cfg(unix)]
mod interrupted {
    use super::*;

    fn interrupt(child: &Child) {
        let id = child.id().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-s", "INT", &id])
            .status();
        assert!(sent.unwrap().success());
    }

    #[test]
    fn ctrl_c_ends_it_immediately_and_silently() {
        for local in [true, false] {
            let host = Host::start(Endpoint::builder().builtins());
            let pausing = ["stream", "count", "-p", r#"{"n":2,"delay_ms":60000}"#];
            let mut command = match local {
                true => program(),
                false => host.program(&[]),
            };
            command.args(pausing);
            if local {
                command.arg("--local");
            }
            let mut child = command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            assert_eq!(read(&mut child, 2), "1\n");
            interrupt(&child);
            assert_eq!(ended(&mut child), (Some(130), String::new()));
        }
    }

    /// The pipe is full, so a write to it never completes.
    #[test]
    fn ctrl_c_ends_it_without_a_reader_of_stdout() {
        let mut child = program()
            .args([
                "stream",
                "count",
                "--local",
                "-p",
                r#"{"n":100,"bytes":1000000}"#,
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        assert_eq!(read(&mut child, 2), "1.");
        interrupt(&child);
        assert_eq!(ended(&mut child), (Some(130), String::new()));
    }
}
