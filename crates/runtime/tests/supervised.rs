//! No process of a function is left when its host has ended, whatever ended it, and a host knows how a
//! function ended.
//!
//! This test binary is also the host, if its first argument is `host` or `ends`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // It is a test.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lambda_invoke_runtime::{Event, Pool, Program, supervise_if_asked};
use support::Folder;

/// Starts a daemon that loses its parent and has a session and an environment of its own.
const RUNTIME: &str = r#"#!/bin/bash
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
(setsid env -i /bin/sleep 98766 </dev/null >/dev/null 2>&1 &)
/bin/sleep 98766 &
while true; do
  head=$(mktemp)
  event=$(curl -sS -D "$head" "$api/next") || exit 1
  id=$(grep -i '^lambda-runtime-aws-request-id:' "$head" | tr -d '\r' | cut -d' ' -f2)
  rm "$head"
  curl -sS -o /dev/null -d "$event" "$api/$id/response"
done
"#;

/// A function whose supervisor is suspended before it can report anything.
const SUSPENDED: &str = "/suspended";

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args.get(1).is_some_and(|program| program == SUSPENDED) {
        let own = rustix::process::getpid();
        rustix::process::kill_process(own, rustix::process::Signal::STOP).unwrap();
    }
    // Not in the test itself, which would pass if this took it for a supervisor.
    let is_test = std::env::current_exe().is_ok_and(|own| own.ends_with(&args[0]));
    if !is_test || args.len() == 3 {
        supervise_if_asked();
    }
    match &args[1..] {
        [mode, folder] if mode == "host" => return host(folder),
        [mode, folder] if mode == "ends" => return ends(folder),
        _ => {}
    }
    if std::env::args().any(|arg| arg == "--list") {
        return;
    }
    if !cfg!(target_os = "linux") {
        return support::tools::inapplicable("only Linux has subreapers");
    }
    if support::tools::lacks(&["bash", "curl"]) {
        return;
    }
    let folder = Folder::new();
    folder.script("bootstrap", RUNTIME);
    let path = folder.path().to_str().unwrap();
    // At first, the program is still being written.
    let bootstrap = folder.path().join("bootstrap");
    let writer = fs::File::options().append(true).open(bootstrap).unwrap();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        drop(writer);
    });
    for round in 0..10 {
        killed_host_leaves_no_process(path);
        println!("round {round}: nothing is left after kill -9");
    }
    closed_pool_leaves_no_process(path);
    println!("nothing is left after the end of the pool");
    let status = command("ends", path).status().unwrap();
    assert!(status.success());
    println!("the host knows how a function ended");
}

/// Runs functions that end in different ways before they ask for an event.
fn ends(folder: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (script, expected) in [
        ("exit 0", "Runtime exited without providing a reason"),
        ("exit 3", "Runtime exited with error: exit status 3"),
        (
            "echo a record >&$_LAMBDA_TELEMETRY_LOG_FD; exit 3",
            "Runtime exited with error: exit status 3",
        ),
        ("kill -9 $$", "Runtime exited with error: signal: killed"),
        // The end of a child that has lost its parent is not that of the function.
        (
            "(setsid /bin/sh -c 'sleep 0.1; exit 5' &); sleep 0.5; exit 4",
            "Runtime exited with error: exit status 4",
        ),
    ] {
        let began = Instant::now();
        let (failure, lines) = failure(&runtime, script_in(folder, script));
        assert_eq!(failure.0, "Runtime.ExitError", "{script}");
        assert!(failure.1.ends_with(expected), "{script}: {}", failure.1);
        // As long as it would look for processes of which none are left.
        assert!(began.elapsed() < Duration::from_secs(2), "{script}");
        let is_record = script.contains("LOG_FD");
        assert_eq!(lines, vec!["a record"; usize::from(is_record)], "{script}");
    }
    let began = Instant::now();
    let (missing, _) = failure(&runtime, Program::command(["/no/such/program"]).unwrap());
    assert_eq!(missing.0, "Runtime.InvalidEntrypoint");
    assert!(
        missing.1.contains("No such file or directory"),
        "{}",
        missing.1
    );
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "it was tried again"
    );
    let began = Instant::now();
    let suspended = Program::command([SUSPENDED]).unwrap();
    let suspended = suspended.init_timeout(Duration::from_secs(1));
    let (timeout, _) = failure(&runtime, suspended);
    assert_eq!(timeout.0, "Sandbox.Timedout");
    assert!(began.elapsed() < Duration::from_secs(30));
    // A supervisor that is suspended does not keep a function alive that has timed out.
    let suspends = script_in(
        folder,
        "echo $$; kill -STOP $PPID; while true; do sleep 0.1; done",
    );
    let (timeout, lines) = failure(&runtime, suspends.init_timeout(Duration::from_secs(1)));
    assert_eq!(timeout.0, "Sandbox.Timedout");
    let function = std::path::Path::new("/proc").join(&lines[0]);
    let began = Instant::now();
    while function.exists() {
        assert!(began.elapsed() < Duration::from_secs(60), "it still runs");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn script_in(folder: &str, script: &str) -> Program {
    let program = Program::command(["/bin/bash", "-c", script]).unwrap();
    program.root(folder).init_timeout(Duration::from_secs(60))
}

/// The type and the message of a call's failure, and what the function wrote.
fn failure(runtime: &tokio::runtime::Runtime, program: Program) -> ((String, String), Vec<String>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let written = Arc::clone(&lines);
    let pool =
        Pool::new(program).on_log(move |line| written.lock().unwrap().push(line.text.clone()));
    let report = runtime.block_on(async {
        let response = pool.invoke(Event::new("call", "{}")).await.unwrap();
        response.finish().await
    });
    let failure = report.outcome.failure().unwrap();
    let failure = (failure.error_type.clone(), failure.message.clone());
    (failure, lines.lock().unwrap().clone())
}

/// Runs functions until it is killed, or until its standard input ends.
fn host(folder: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let program = Program::source(format!("{folder}/bootstrap")).unwrap();
        let program = program.concurrency(3).timeout(Duration::from_secs(60));
        let pool = Pool::new(program.init_timeout(Duration::from_secs(60)));
        let calls: Vec<_> = (0..3)
            .map(|n| {
                let pool = pool.clone();
                tokio::spawn(async move {
                    let event = Event::new(format!("call-{n}"), "{}");
                    let mut response = pool.invoke(event).await.unwrap();
                    response.chunk().await.unwrap();
                    response.finish().await
                })
            })
            .collect();
        for call in calls {
            let report = call.await.unwrap();
            assert_eq!(report.outcome.failure(), None);
        }
        println!("running");
        std::io::stdout().flush().unwrap();
        let mut line = String::new();
        let _ = tokio::task::spawn_blocking(move || std::io::stdin().read_line(&mut line)).await;
        pool.shutdown().await;
        assert_eq!(processes(folder), BTreeSet::new(), "after shutdown");
    });
}

/// The processes whose working directory is the folder, which includes all processes of the
/// function.
fn processes(folder: &str) -> BTreeSet<i32> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|entry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let stands = fs::read_link(entry.path().join("cwd")).ok()?;
        (stands.to_str()? == folder).then_some(pid)
    })
    .collect()
}

fn command(mode: &str, folder: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([mode, folder]);
    command
}

fn start(folder: &str) -> Child {
    let mut child = command("host", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "running\n");
    child
}

fn killed_host_leaves_no_process(folder: &str) {
    let mut child = start(folder);
    let running = processes(folder);
    // Three instances, each with a supervisor, a shell and two sleeping children, and often a curl.
    assert!(running.len() >= 12, "{running:?}");
    child.kill().unwrap();
    child.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !processes(folder).is_empty() {
        assert!(Instant::now() < deadline, "left: {:?}", processes(folder));
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn closed_pool_leaves_no_process(folder: &str) {
    let mut child = start(folder);
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    assert_eq!(processes(folder), BTreeSet::new());
}
