//! Programs that print credentials.

use std::fmt;
use std::future::Future;
use std::io::IsTerminal as _;
use std::pin::Pin;
use std::process::Stdio;
use std::time::Duration;

use lambda_invoke_sigv4::BoxError;
use tokio::io::AsyncReadExt as _;
use zeroize::Zeroizing;

/// The longest output that is read, in bytes.
const MAX_OUTPUT: u64 = 1 << 20;

/// How long output may arrive after the program has ended.
const AFTER_EXIT: Duration = Duration::from_secs(2);

/// A program and its arguments. `Debug` shows the program only, since arguments may be secrets.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandLine {
    /// The program: a path, or a name that is searched in `PATH`.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
}

impl CommandLine {
    pub(crate) fn new(program: String, arguments: Vec<String>) -> Self {
        Self { program, arguments }
    }
}

impl fmt::Debug for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandLine")
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}

/// The result of a program. `Debug` does not show its output.
#[non_exhaustive]
pub struct ProcessOutput {
    /// How it ended, such as `exit status: 1`; `None` if it succeeded.
    pub failure: Option<String>,
    /// The bytes that it wrote to standard output.
    pub stdout: Zeroizing<Vec<u8>>,
}

impl ProcessOutput {
    /// Makes an output, for implementations of [`Processes`].
    #[must_use]
    pub fn new(failure: Option<String>, stdout: Vec<u8>) -> Self {
        Self {
            failure,
            stdout: Zeroizing::new(stdout),
        }
    }
}

impl fmt::Debug for ProcessOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessOutput")
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

/// The future that [`Processes::run`] returns.
pub type ProcessFuture<'a> =
    Pin<Box<dyn Future<Output = Result<ProcessOutput, BoxError>> + Send + 'a>>;

/// Runs programs.
pub trait Processes: fmt::Debug + Send + Sync {
    /// Runs a program, not through a shell, until it ends. Dropping the future ends the program.
    ///
    /// # Errors
    ///
    /// If it cannot be started. The error must not show its output.
    fn run(&self, command: CommandLine) -> ProcessFuture<'_>;
}

/// The programs of this machine.
///
/// A program inherits this process's standard error, so that a prompt for a code or a device is
/// seen. It also inherits standard input if that is a terminal; otherwise its standard input is
/// empty.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct LocalProcesses;

impl Processes for LocalProcesses {
    fn run(&self, command: CommandLine) -> ProcessFuture<'_> {
        Box::pin(async move {
            let stdin = match std::io::stdin().is_terminal() {
                true => Stdio::inherit(),
                false => Stdio::null(),
            };
            let mut child = tokio::process::Command::new(&command.program)
                .args(&command.arguments)
                .stdin(stdin)
                .stdout(Stdio::piped())
                .stderr(Stdio::inherit())
                .kill_on_drop(true)
                .spawn()?;
            let stdout = child.stdout.take();
            let reading = tokio::spawn(async move {
                let mut data = Zeroizing::new(Vec::new());
                if let Some(stdout) = stdout {
                    stdout.take(MAX_OUTPUT + 1).read_to_end(&mut data).await?;
                }
                Ok::<_, std::io::Error>(data)
            });
            let abort = AbortOnDrop(reading.abort_handle());
            let status = child.wait().await?;
            // A helper that the program left in the background may keep its output open.
            let data = tokio::time::timeout(AFTER_EXIT, reading).await.map_err(
                |_| "it ended, but left a program running that keeps its output open",
            )???;
            drop(abort);
            if data.len() as u64 > MAX_OUTPUT {
                return Err(format!("it wrote more than {MAX_OUTPUT} bytes").into());
            }
            Ok(ProcessOutput {
                failure: (!status.success()).then(|| status.to_string()),
                stdout: data,
            })
        })
    }
}

/// Ends the reading task when nobody waits for the program any more.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
