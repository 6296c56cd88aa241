//! Runs `shared_state`, which is a program because the files that it includes have unit tests of
//! their own.

use std::process::Command;

#[test]
fn shared_state_holds_in_every_interleaving() {
    let run = Command::new(env!("CARGO_BIN_EXE_shared_state"))
        .output()
        .expect("it starts");
    let stderr = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{stderr}");
}
