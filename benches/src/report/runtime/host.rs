//! Hosts of functions: processes that take calls over HTTP.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::processes::{self, Process};
use crate::Result;

/// How long a host may take before it listens.
const PATIENCE: Duration = Duration::from_secs(60);

/// A host, which is killed with its process group when this is dropped.
#[derive(Debug)]
pub struct Host {
    child: Child,
    /// The servers of this workspace end when their input ends.
    _input: Option<ChildStdin>,
    pub url: String,
}

impl Host {
    /// Starts a host that writes its URL to stdout once it listens.
    pub fn announced(command: &mut Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.process_group(0).spawn()?;
        let output = child.stdout.take();
        let mut host = Self {
            _input: child.stdin.take(),
            child,
            url: String::new(),
        };
        if let Some(output) = output {
            BufReader::new(output).read_line(&mut host.url)?;
        }
        host.url.truncate(host.url.trim_end().len());
        match host.url.as_str() {
            "" => Err(format!("{command:?} did not start").into()),
            _ => Ok(host),
        }
    }

    /// Starts a host that listens at this port, with its output in a file.
    pub fn at(port: u16, command: &mut Command, log: &Path) -> Result<Self> {
        let output = File::create(log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?);
        let child = command.stderr(output).process_group(0).spawn()?;
        let mut host = Self {
            _input: None,
            child,
            url: format!("http://127.0.0.1:{port}"),
        };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = host.child.try_wait()?.is_some();
            if ended || start.elapsed() > PATIENCE {
                return Err(format!("{command:?} does not listen: see {}", log.display()).into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(host)
    }

    /// Returns the CPU time of all processes of the host, in nanoseconds.
    pub fn cpu(&self) -> Result<f64> {
        processes::cpu(self.child.id())
    }

    /// Returns all processes of the host.
    pub fn processes(&self) -> Result<Vec<Process>> {
        processes::tree(self.child.id())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // An error means that the process has already exited.
        if let Ok(group) = self.child.id().try_into() {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        let _ = self.child.wait();
    }
}

/// Finds free ports outside of the range for outgoing connections. In that range, an attempt to
/// connect to a port before anything listens may connect to itself, and occupy the port.
pub fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let first = 20_000 + u16::try_from(std::process::id() % 10_000)?;
    let mut ports = [0; N];
    let mut free = (first..32_000).filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    for port in &mut ports {
        *port = free.next().ok_or("no port is free")?;
    }
    Ok(ports)
}

/// A single unsigned call on a connection of its own.
#[derive(Debug)]
pub struct Call {
    stream: TcpStream,
}

impl Call {
    /// Sends the request.
    pub fn send(url: &str, function: &str, payload: &str) -> Result<Self> {
        let address = url.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let request = format!(
            "POST /2015-03-31/functions/{function}/invocations HTTP/1.1\r\nhost: {address}\r\n\
             content-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{payload}",
            payload.len()
        );
        stream.write_all(request.as_bytes())?;
        Ok(Self { stream })
    }

    /// Reads the response to its end, and returns the time of its first byte.
    pub fn first_byte(mut self) -> Result<Instant> {
        let mut response = vec![0; 1];
        self.stream.read_exact(&mut response)?;
        let first = Instant::now();
        self.stream.read_to_end(&mut response)?;
        let text = String::from_utf8_lossy(&response);
        match text.starts_with("HTTP/1.1 200 ") && text.ends_with(super::GREETING) {
            true => Ok(first),
            false => Err(format!("an unexpected response: {text}").into()),
        }
    }
}
