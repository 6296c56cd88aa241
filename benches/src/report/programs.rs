//! Builds, starts, controls and times the measured programs.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use serde_json::Value;

use crate::Result;

/// The three callers, by the suffix in the names of their packages and programs.
pub const CLIENTS: [&str; 3] = ["ours", "bare", "sdk"];

/// The caller on the project's client with the credentials of a profile, named in the same way.
pub const WITH_PROFILE: &str = "credentials";

/// The folders of this package and of the programs.
#[derive(Debug)]
pub struct Place {
    pub benches: PathBuf,
    pub target: PathBuf,
    /// The `PATH` of all programs. In it, `python3` is the interpreter itself, since a wrapper,
    /// such as pyenv's, may take longer to start than everything that is measured.
    pub path: OsString,
}

impl Place {
    pub fn new() -> Self {
        let benches = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let target = std::env::var_os("CARGO_TARGET_DIR");
        let target = target.map_or_else(|| benches.join("target"), PathBuf::from);
        Self {
            benches,
            target,
            path: path(),
        }
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

    /// Builds the program with the settings of the project's releases.
    pub fn build_cli(&self) -> Result<()> {
        let mut cargo = Command::new("cargo");
        cargo.args(["build", "--release", "--locked"]);
        cargo.args(["--package", "lambda-invoke-cli"]);
        cargo.current_dir(self.project());
        run(cargo.env("CARGO_TARGET_DIR", &self.target))?;
        Ok(())
    }

    pub fn program(&self, name: &str) -> PathBuf {
        self.target.join("release").join(name)
    }

    /// Builds the programs of the parts that use sockets: servers, and these clients.
    pub fn build_programs(&self, clients: &[&str]) -> Result<()> {
        self.cargo(&["build", "--release", "--package", "bench-servers"])?;
        let package = format!("bench-client-{WITH_PROFILE}");
        self.cargo(&["build", "--release", "--package", &package])?;
        self.cargo(&["build", "--release", "--package", "bench-function"])?;
        for client in clients {
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

    /// Runs a program to its end, pinned to a processor if one is given, and parses the line of
    /// JSON that it prints.
    pub fn measure_on(
        &self,
        cpu: Option<&str>,
        name: &str,
        args: &[&str],
        env: &[(&str, &str)],
    ) -> Result<Value> {
        let mut command = self.command_on(cpu, name);
        let output = run(command.args(args).envs(env.iter().copied()))?;
        Ok(serde_json::from_str(&output)?)
    }

    /// A command for a program, pinned to a processor if one is given.
    fn command_on(&self, cpu: Option<&str>, name: &str) -> Command {
        let program = self.program(name);
        let mut command = match cpu {
            None => Command::new(program),
            Some(cpu) => {
                let mut command = Command::new("taskset");
                command.args(["--cpu-list", cpu]).arg(program);
                command
            }
        };
        command.env("PATH", &self.path);
        command
    }

    /// The file for the certificate of a server's own authority.
    pub fn ca(&self) -> Result<String> {
        let path = self.target.join("report").join("ca.pem");
        let path = path.into_os_string().into_string();
        path.map_err(|_| "the target folder's name is not UTF-8".into())
    }

    /// Writes shared files with the profile for [`WITH_PROFILE`], and returns the variables that
    /// point to them.
    pub fn profile(&self) -> Result<Vec<(&'static str, String)>> {
        let folder = self.target.join("report");
        let file = |name: &str, text: &str| -> Result<String> {
            let path = folder.join(name);
            std::fs::write(&path, text)?;
            let path = path.into_os_string().into_string();
            path.map_err(|_| "the target folder's name is not UTF-8".into())
        };
        let keys = "[bench]\naws_access_key_id = local\naws_secret_access_key = local\n";
        Ok(vec![
            (
                "AWS_CONFIG_FILE",
                file("config", "[profile bench]\nregion = us-east-1\n")?,
            ),
            ("AWS_SHARED_CREDENTIALS_FILE", file("credentials", keys)?),
            ("AWS_PROFILE", "bench".to_owned()),
        ])
    }

    /// How many files a program may have open.
    pub fn descriptors(&self) -> Result<u64> {
        let (soft, _) = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE)?;
        Ok(soft)
    }
}

/// `PATH` with the folder of the Python interpreter in front.
fn path() -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut python = Command::new("python3");
    python.args(["-c", "import sys; print(sys.executable, end='')"]);
    let found = python
        .output()
        .ok()
        .filter(|output| output.status.success());
    let interpreter = found.and_then(|output| String::from_utf8(output.stdout).ok());
    let folder = interpreter.and_then(|path| Some(Path::new(&path).parent()?.to_owned()));
    let folders = folder.into_iter().chain(std::env::split_paths(&path));
    std::env::join_paths(folders).unwrap_or(path)
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
        Self::start_on(place, None, name, args)
    }

    /// Starts a server, pinned to a processor if one is given.
    pub fn start_on(place: &Place, cpu: Option<&str>, name: &str, args: &[&str]) -> Result<Self> {
        let mut command = place.command_on(cpu, name);
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

    /// Returns the server's CPU time so far in nanoseconds (`cpu`), or its resident memory in bytes
    /// (`memory`).
    pub fn number(&mut self, word: &str) -> Result<f64> {
        writeln!(self.input, "{word}")?;
        Ok(self.line()?.parse()?)
    }

    /// Moves the threads of this process, but not its children, to a processor.
    pub fn move_to(&self, cpu: usize) -> Result<()> {
        let mut only = CpuSet::new();
        only.set(cpu)?;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            if let Some(id) = thread?.file_name().to_str() {
                sched_setaffinity(Pid::from_raw(id.parse()?), &only)?;
            }
        }
        Ok(())
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
        // An error means that the process has already exited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
