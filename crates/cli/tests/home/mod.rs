//! Home directories with shared files, and an endpoint whose credentials are not the default ones.

// Each test file uses only a part of this module.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

use lambda_invoke_endpoint::{Endpoint, EndpointBuilder};

use crate::host::Host;
use crate::program::{program, text};

/// A home directory for a test, with these files in `.aws`.
pub fn home(test: &str, config: Option<&str>, credentials: Option<&str>) -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("home")
        .join(test);
    let _ = std::fs::remove_dir_all(&home);
    std::fs::create_dir_all(home.join(".aws")).unwrap();
    for (name, content) in [("config", config), ("credentials", credentials)] {
        if let Some(content) = content {
            std::fs::write(home.join(".aws").join(name), content).unwrap();
        }
    }
    home
}

pub fn at_home(home: &Path) -> Command {
    let mut command = program();
    command
        .env("HOME", home)
        .env("USERPROFILE", home)
        .env_remove("AWS_CONFIG_FILE")
        .env_remove("AWS_SHARED_CREDENTIALS_FILE");
    command
}

/// An endpoint with a region and an access key that are not the default of anything.
pub fn host() -> Host {
    Host::start(builder())
}

pub fn builder() -> EndpointBuilder {
    let builder = Endpoint::builder().builtins().region("eu-west-3");
    builder
        .credential("AKIDTEST", "a/secret+of=its:own")
        .unwrap()
}

pub const KEYS: &str =
    "aws_access_key_id = AKIDTEST\naws_secret_access_key = a/secret+of=its:own\n";

/// Calls `echo`, and returns the exit code and the message.
pub fn call(command: &mut Command, host: &Host) -> (Option<i32>, String) {
    let output = command
        .args(["invoke", "echo", "-p", "[1]", "--endpoint-url", &host.url])
        .output()
        .unwrap();
    (output.status.code(), text(&output.stderr).to_owned())
}
