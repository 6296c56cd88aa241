//! Builds, starts, controls and times the measured programs.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::Result;

/// The three callers, by the suffix of their packages' and programs' names.
pub const CLIENTS: [&str; 3] = ["ours", "bare", "sdk"];

/// The folders of this package and of its programs.
#[derive(Debug)]
pub struct Place {
    pub benches: PathBuf,
    pub target: PathBuf,
}

impl Place {
    pub fn new() -> Self {
        let benches = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let target = std::env::var_os("CARGO_TARGET_DIR");
        let target = target.map_or_else(|| benches.join("target"), PathBuf::from);
        Self { benches, target }
    }

    /// The root of the repository.
    pub fn project(&self) -> &Path {
        self.benches.parent().unwrap_or(&self.benches)
    }

    /// Builds in this workspace, with this target folder.
    pub fn cargo(&self, args: &[&str]) -> Result<()> {
        let mut cargo = Command::new("cargo");
        cargo.args(args).arg("--locked").current_dir(&self.benches);
        run(cargo.env("CARGO_TARGET_DIR", &self.target))?;
        Ok(())
    }

    pub fn program(&self, name: &str) -> PathBuf {
        self.target.join("release").join(name)
    }

    /// Builds the programs of the parts that use sockets.
    pub fn build_programs(&self) -> Result<()> {
        self.cargo(&["build", "--release", "--package", "bench-servers"])?;
        for client in CLIENTS {
            let package = format!("bench-client-{client}");
            self.cargo(&[
                "build",
                "--release",
                "--package",
                &package,
                "--features",
                "load",
            ])?;
        }
        Ok(())
    }

    /// Runs a program to its end, and parses the line of JSON that it prints.
    pub fn measure(&self, name: &str, args: &[&str], env: &[(&str, &str)]) -> Result<Value> {
        let mut command = Command::new(self.program(name));
        let output = run(command.args(args).envs(env.iter().copied()))?;
        Ok(serde_json::from_str(&output)?)
    }
}

/// Runs a command to its end, and returns its standard output.
pub fn run(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{command:?} ended with {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// A server process, which is killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    pub url: String,
}

impl Server {
    pub fn start(place: &Place, name: &str, args: &[&str]) -> Result<Self> {
        let mut command = Command::new(place.program(name));
        let mut child = command
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (Some(input), Some(output)) = (input, output) else {
            return Err("a process without pipes".into());
        };
        let mut server = Self {
            child,
            input,
            output: BufReader::new(output),
            url: String::new(),
        };
        server.url = server.line()?;
        Ok(server)
    }

    /// Its CPU time so far, in nanoseconds.
    pub fn cpu_ns(&mut self) -> Result<f64> {
        writeln!(self.input, "cpu")?;
        Ok(self.line()?.parse()?)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        if line.is_empty() {
            return Err("the server has ended".into());
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error means that it has already exited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
