//! The READMEs' example on a terminal: each chunk is shown as soon as the function has written it,
//! and no character is split.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helper may")]

#[path = "support/tools.rs"]
mod tools;

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use lambda_invoke_endpoint::{Endpoint, Function, FunctionError};
use tokio::sync::Notify;

mod shown {
    include!("shown/readme.rs");

    pub(crate) fn run() {
        main().unwrap();
    }
}

/// Runs a program with a pseudo-terminal for its standard streams, and copies what comes out of it.
const ON_A_TERMINAL: &str = r"
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
while True:
    try:
        data = os.read(terminal, 4096)
    except OSError:
        break
    if not data:
        break
    os.write(1, data)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

#[test]
fn the_example_is_the_one_in_the_readmes_with_an_endpoint() {
    let read = |path: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        std::fs::read_to_string(path).unwrap()
    };
    let readme = read("README.md");
    let (_, rest) = readme.split_once("```no_run\n").unwrap();
    let (code, _) = rest.split_once("```").unwrap();
    let region = "        .region(\"eu-central-1\")\n";
    let endpoint = "        .endpoint_url(std::env::var(\"LAMBDA_ENDPOINT\")?)\n";
    let code = code.replacen(region, &format!("{region}{endpoint}"), 1);
    let example = read("tests/shown/readme.rs");
    let (_, example) = example.split_once("\n\n").unwrap();
    assert_eq!(example, code);
}

/// This is not a test but the example, which the test below runs in a process of its own.
#[test]
#[ignore = "is run by another test, on a terminal"]
fn the_example_itself() {
    shown::run();
}

#[test]
fn on_a_terminal_it_streams_and_breaks_no_character() {
    if tools::lacks(&["python3"]) {
        return;
    }
    let seen = Arc::new(Notify::new());
    let waiting = Arc::clone(&seen);
    let function = Function::streaming("hello", move |invocation, mut writer| {
        let waiting = Arc::clone(&waiting);
        async move {
            let payload = String::from_utf8_lossy(invocation.payload()).into_owned();
            assert!(payload.contains("Zoë"), "{payload}");
            writer.write(&b"Gr\xc3\xbc\xc3"[..]).await?;
            // Continues only when the reader has seen the first piece.
            waiting.notified().await;
            writer.write(&b"\x9fe, Zo\xc3"[..]).await?;
            writer.write(&b"\xab!"[..]).await?;
            Ok::<_, FunctionError>(())
        }
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime
        .block_on(
            Endpoint::builder()
                .function(function)
                .region("eu-central-1")
                .credential("AKIDEXAMPLE", "secret")
                .unwrap()
                .bind_local(),
        )
        .unwrap();
    let mut child = Command::new("python3")
        .args(["-c", ON_A_TERMINAL])
        .arg(std::env::current_exe().unwrap())
        .args(["the_example_itself", "--exact", "--ignored", "--nocapture"])
        .env("LAMBDA_ENDPOINT", server.url())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut all = Vec::new();
    let mut piece = [0; 1024];
    while !String::from_utf8_lossy(&all).contains("Grü") {
        let count = stdout.read(&mut piece).unwrap();
        assert_ne!(count, 0, "{}", String::from_utf8_lossy(&all));
        all.extend_from_slice(&piece[..count]);
    }
    seen.notify_one();
    stdout.read_to_end(&mut all).unwrap();
    let all = String::from_utf8(all).unwrap();
    assert!(all.contains("Grüße, Zoë!"), "{all}");
    assert!(child.wait().unwrap().success(), "{all}");
}
