//! Runs the models, which are programs because the files that they include have unit tests of their own.

use std::process::Command;

fn run(program: &str) {
    let run = Command::new(program).output().expect("it starts");
    let stdout = String::from_utf8_lossy(&run.stdout);
    let stderr = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{stdout}\n{stderr}");
}

#[test]
fn connections() {
    run(env!("CARGO_BIN_EXE_connections"));
}

#[test]
fn events() {
    run(env!("CARGO_BIN_EXE_events"));
}

#[test]
fn instances() {
    run(env!("CARGO_BIN_EXE_instances"));
}

#[test]
fn shared_state() {
    run(env!("CARGO_BIN_EXE_shared_state"));
}
