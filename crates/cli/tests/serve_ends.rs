//! How `lambda-invoke serve` ends: signals, few file descriptors, and readers that stop reading.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod program;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use program::{PATIENCE, Serve, program, text, tools};

/// A connection that needs no signature.
fn connect(serve: &Serve) -> TcpStream {
    let stream = TcpStream::connect(serve.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Calls a function, and returns the status and the body of the response.
fn call(stream: &mut TcpStream, name: &str, payload: &str, headers: &str) -> (u16, String) {
    let host = stream.peer_addr().unwrap();
    let length = payload.len();
    let request = format!(
        "POST /2015-03-31/functions/{name}/invocations HTTP/1.1\r\nhost: {host}\r\n\
         {headers}content-length: {length}\r\n\r\n{payload}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = text(&head).to_ascii_lowercase();
    let status = head[9..12].parse().unwrap();
    let length = head.split_once("content-length: ").map(|(_, rest)| {
        let (digits, _) = rest.split_once("\r\n").unwrap();
        digits.parse().unwrap()
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).unwrap();
    (status, String::from_utf8(body).unwrap())
}

const EVENT: &str = "x-amz-invocation-type: Event\r\n";

fn scratch(name: &str) -> PathBuf {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

/// Whether this process ignores SIGHUP, as under `nohup`.
fn ignores_sighup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 != 0)
}

#[test]
fn sighup_shuts_it_down_gracefully() {
    if ignores_sighup() {
        tools::inapplicable("SIGHUP is ignored here, and so by each process that a test starts");
        return;
    }
    let serve = Serve::start(&[]);
    serve.signal("HUP");
    let ended = serve.ended();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("shutting down"), "{}", ended.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn an_ignored_sighup_stays_ignored() {
    let serve = Serve::start_after("trap '' HUP", &["--no-verify"]);
    serve.signal("HUP");
    // If the signal ended the process, it would do so before this later request.
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(
        call(&mut connect(&serve), "echo", "1", ""),
        (200, "1".to_owned())
    );
    let ended = serve.stop();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
}

#[test]
fn too_few_descriptors_are_an_error_and_not_a_panic() {
    let mut rejected = 0;
    for limit in 8..32 {
        // 192.0.2.1 is not an address of this machine, so `serve` exits because it cannot listen.
        let output = Command::new("sh")
            .args(["-c", &format!("ulimit -n {limit}; exec \"$0\" \"$@\"")])
            .arg(env!("CARGO_BIN_EXE_lambda-invoke"))
            .args(["serve", "--listen", "192.0.2.1:1"])
            .output()
            .unwrap();
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{limit}: {stderr}");
        let is_reported = stderr.contains("(ulimit -n) must leave at least");
        assert!(
            is_reported || stderr.contains("cannot listen on"),
            "{limit}: {stderr}"
        );
        rejected += u32::from(is_reported);
    }
    assert!((8..24).contains(&rejected), "{rejected}");
}

#[test]
fn running_out_of_descriptors_loses_no_event_and_is_reported_once_a_second() {
    let file = scratch("descriptors");
    let path = file.to_str().unwrap();
    let serve = Serve::start_after(
        "ulimit -n 40",
        &[
            "--no-verify",
            "--event-retry-delays",
            "none",
            "--dead-letter",
            path,
        ],
    );
    let mut first = connect(&serve);
    assert_eq!(call(&mut first, "echo", "1", ""), (200, "1".to_owned()));
    let many: Vec<_> = (0..60).map(|_| connect(&serve)).collect();
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(call(&mut first, "fail", "[1]", EVENT).0, 202);
    while !std::fs::read_to_string(&file).unwrap().ends_with('\n') {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(many);
    assert_eq!(
        call(&mut connect(&serve), "echo", "2", ""),
        (200, "2".to_owned())
    );
    drop(first);
    std::fs::remove_file(&file).unwrap();
    let ended = serve.stop();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let notices = ended.stderr.matches("cannot accept").count();
    assert!((2..=8).contains(&notices), "{}", ended.stderr);
    assert!(ended.stderr.contains(" times: "), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("1 dead-lettered, 0 dropped"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_dead_letter_pipe_without_a_reader_delays_neither_calls_nor_the_exit() {
    const EVENTS: usize = 20;
    let pipe = scratch("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let path = pipe.to_str().unwrap();
    let unread = program()
        .args(["serve", "--listen", "127.0.0.1:0", "--dead-letter", path])
        .output()
        .unwrap();
    assert_eq!(unread.status.code(), Some(2));
    assert!(text(&unread.stderr).contains("a named pipe needs a reader"));

    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || std::fs::File::open(pipe).unwrap())
    };
    let arguments = [
        "--no-verify",
        "--event-retry-delays",
        "none",
        "--dead-letter",
        path,
    ];
    let mut serve = Serve::start(&arguments);
    let reader = reader.join().unwrap();
    let mut stream = connect(&serve);
    let payload = format!("{{\"x\":\"{}\"}}", "x".repeat(10_000));
    for _ in 0..EVENTS {
        assert_eq!(call(&mut stream, "fail", &payload, EVENT).0, 202);
    }
    assert_eq!(call(&mut stream, "echo", "1", ""), (200, "1".to_owned()));
    drop(stream);
    serve.signal("TERM");
    serve.line_with("shutting down");
    serve.signal("TERM");
    let ended = serve.ended();
    drop(reader);
    std::fs::remove_file(&pipe).unwrap();
    assert_eq!(ended.status.code(), Some(130), "{}", ended.stderr);
    let lost = ended
        .stderr
        .matches("was dropped: the endpoint shut down")
        .count();
    let written = EVENTS - lost;
    let counted = format!("{written} dead-lettered, {lost} dropped");
    assert!(written > 0 && lost > 0, "{}", ended.stderr);
    assert!(
        ended.stderr.contains(&counted),
        "{counted}: {}",
        ended.stderr
    );
}

#[test]
fn a_log_without_a_reader_delays_neither_calls_nor_the_exit() {
    let mut child = program()
        .args(["serve", "--listen", "127.0.0.1:0", "--no-verify"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = String::new();
    let stdout = child.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut address).unwrap();
    let mut stream = TcpStream::connect(address.trim().strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // The lines are longer, in total, than a pipe and the queue can hold.
    let name = format!("echo/invocations?{}&", "x".repeat(30_000));
    for _ in 0..100 {
        assert_eq!(call(&mut stream, &name, "1", ""), (200, "1".to_owned()));
    }
    assert_eq!(call(&mut stream, "echo", "1", ""), (200, "1".to_owned()));
    drop(stream);
    let id = child.id().to_string();
    assert!(Command::new("kill").arg(id).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut stderr = String::new();
    let mut pipe = child.stderr.take().unwrap();
    pipe.read_to_string(&mut stderr).unwrap();
    assert!(stderr.len() < 200_000, "{}", stderr.len());
}
