//! Runs the program as its users do: as a process, with threads that read its output.

// Each test file uses only a part of this module.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

#[path = "../../../runtime/tests/support/tools.rs"]
pub mod tools;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use lambda_invoke::{Client, Credentials, RetryPolicy};

/// How long a test waits for anything before it fails. No test passes because this time has
/// elapsed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The program, isolated from the configuration of the machine.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lambda-invoke"));
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_ascii_uppercase();
        if upper.starts_with("AWS_") || upper.ends_with("_PROXY") {
            command.env_remove(name);
        }
    }
    command
        .env("AWS_CONFIG_FILE", "no-such-file")
        .env("AWS_SHARED_CREDENTIALS_FILE", "no-such-file")
        // The tests may run on an EC2 instance.
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null());
    command
}

/// The program with the default credentials of `serve`.
pub fn local() -> Command {
    let mut command = program();
    command
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_REGION", "us-east-1");
    command
}

pub fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

/// Runs a command with this input on stdin.
pub fn fed(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // The program may exit before it has read everything.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Waits for a process to exit.
pub fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match child.try_wait().unwrap() {
            Some(status) => return status,
            None if Instant::now() > deadline => {
                child.kill().unwrap();
                panic!("it did not end");
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// Waits for a process to exit without reading its stdout, and returns its exit code and message.
pub fn ended(child: &mut Child) -> (Option<i32>, String) {
    let status = wait(child);
    let mut said = String::new();
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    (status.code(), said)
}

/// The program with the default credentials of `serve`, configured to call a server.
pub fn calling(url: &str, arguments: &[&str]) -> Command {
    let mut command = local();
    command.args(arguments).env("AWS_ENDPOINT_URL_LAMBDA", url);
    command
}

/// `lambda-invoke serve` on a free port.
pub struct Serve {
    child: Option<Child>,
    pub url: String,
    stdout: Option<JoinHandle<String>>,
    stderr: Receiver<String>,
    seen: Vec<String>,
}

/// The exit status and the output of `serve`.
pub struct Ended {
    pub status: ExitStatus,
    /// The output after the URL.
    pub stdout: String,
    pub stderr: String,
}

impl Serve {
    pub fn start(arguments: &[&str]) -> Self {
        let mut command = program();
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments);
        Self::started(command)
    }

    /// Starts it in a shell, after another command.
    pub fn start_after(shell: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{shell}; exec \"$0\" \"$@\"")])
            .arg(env!("CARGO_BIN_EXE_lambda-invoke"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments);
        Self::started(command)
    }

    /// Starts `serve` with this command, which must listen on a free port.
    pub fn of(command: Command) -> Self {
        Self::started(command)
    }

    /// Starts `serve` with this command, whose port may be in use: then, it ends.
    pub fn attempt(command: Command) -> Result<Self, Ended> {
        let serve = Self::spawned(command);
        if serve.url.is_empty() {
            return Err(serve.ended());
        }
        Ok(serve)
    }

    fn started(command: Command) -> Self {
        let serve = Self::spawned(command);
        let url = &serve.url;
        assert!(
            ["http://127.0.0.1:", "http://[::1]:"]
                .iter()
                .any(|local| url.starts_with(local)),
            "{url:?}: {:?}",
            serve.stderr.recv()
        );
        serve
    }

    /// Waits until it has printed its URL or closed its stdout.
    fn spawned(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, stderr) = channel();
        let errors = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                // The test may have dropped the receiver.
                let _ = sender.send(line);
            }
        });
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut address = String::new();
        stdout.read_line(&mut address).unwrap();
        let stdout = std::thread::spawn(move || {
            let mut rest = String::new();
            stdout.read_to_string(&mut rest).unwrap();
            rest
        });
        Self {
            child: Some(child),
            url: address.trim_end().to_owned(),
            stdout: Some(stdout),
            stderr,
            seen: Vec::new(),
        }
    }

    pub fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    pub fn client(&self) -> Client {
        self.client_of("local", "local")
    }

    /// A client that does not retry.
    pub fn client_of(&self, id: &str, secret: &str) -> Client {
        Client::builder()
            .region("us-east-1")
            .credentials(Credentials::new(id, secret).unwrap())
            .endpoint_url(&self.url)
            .retry(RetryPolicy::none())
            .build()
            .unwrap()
    }

    pub fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Sends a signal to the process.
    pub fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let sent = Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Waits for a line on stderr that contains this.
    pub fn line_with(&mut self, part: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        if let Some(line) = self.seen.iter().find(|line| line.contains(part)) {
            return line.clone();
        }
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.stderr.recv_timeout(left);
            let line = line.unwrap_or_else(|_| panic!("no line with {part:?} in {:?}", self.seen));
            self.seen.push(line.clone());
            if line.contains(part) {
                return line;
            }
        }
    }

    /// Waits for the process to exit.
    pub fn ended(mut self) -> Ended {
        let mut child = self.child.take().unwrap();
        let status = wait(&mut child);
        let stdout = self.stdout.take().unwrap().join().unwrap();
        let mut lines = std::mem::take(&mut self.seen);
        lines.extend(self.stderr.iter());
        Ended {
            status,
            stdout,
            stderr: lines.join("\n"),
        }
    }

    /// Shuts it down gracefully.
    pub fn stop(self) -> Ended {
        self.signal("TERM");
        self.ended()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // A failed test must not leave the process running.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
