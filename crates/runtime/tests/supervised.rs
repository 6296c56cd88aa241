//! No process of a function is left when its host has ended, whatever ended it.
//!
//! This test binary is also the host, if its first argument is `host`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // It is a test.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
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

fn main() {
    supervise_if_asked();
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some("host") {
        return host(&args.next().unwrap());
    }
    if std::env::args().any(|arg| arg == "--list") {
        return;
    }
    if !cfg!(target_os = "linux") {
        println!("skipped: only Linux has subreapers");
        return;
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

fn start(folder: &str) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["host", folder])
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
