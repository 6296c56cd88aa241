//! Completion in a real Bash. `completions/run` also tests zsh and fish.
#![allow(clippy::unwrap_used, clippy::panic)]

mod program;

use std::path::Path;
use std::process::Command;

use program::{text, tools};

#[test]
fn bash_completes_commands_options_and_values() {
    if tools::lacks(&["bash"]) {
        return;
    }
    let folder = Path::new(env!("CARGO_BIN_EXE_lambda-invoke"))
        .parent()
        .unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(
        std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path)),
    );
    let path = path.unwrap();
    let config = Path::new(env!("CARGO_TARGET_TMPDIR")).join("completed-profiles");
    std::fs::write(
        &config,
        "[profile my-dev]\n[profile 'my $(exit)']\n[default]\n",
    )
    .unwrap();
    for (line, expected) in [
        ("lambda-invoke str", "stream"),
        ("lambda-invoke stream --first", "--first-byte-timeout"),
        ("lambda-invoke invoke --durable", "--durable-execution-name"),
        ("lambda-invoke serve --event-max", "--event-max-age"),
        ("lambda-invoke stream hello --retry s", "safe"),
        ("lambda-invoke completions z", "zsh"),
        ("lambda-invoke stream --profile my", "my-dev"),
        ("lambda-invoke completions --list", ""),
    ] {
        let output = Command::new("bash")
            .args(["--norc", "--noprofile", "tests/completions/complete.bash"])
            .arg(line)
            .env("PATH", &path)
            .env("AWS_CONFIG_FILE", &config)
            .env("AWS_SHARED_CREDENTIALS_FILE", "no-such-file")
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert_eq!(text(&output.stdout).trim_end(), expected, "{line}");
    }
}
