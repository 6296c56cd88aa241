//! What to run: a command or a source file, its environment and its limits.

mod environment;
mod source;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::ProgramError;

/// A program that speaks the Lambda Runtime API, with its environment and limits.
///
/// The process starts with an empty environment. It receives what the service sets
/// (`AWS_LAMBDA_RUNTIME_API`, `AWS_LAMBDA_FUNCTION_NAME`, `_HANDLER`, `LAMBDA_TASK_ROOT`,
/// `AWS_REGION`, credentials and so on), then [`env`](Self::env), and `PATH` and `HOME` of the
/// host. It runs in the function's [`root`](Self::root).
#[derive(Clone)]
pub struct Program {
    pub(crate) command: Vec<OsString>,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) arn: Option<String>,
    pub(crate) handler: Option<String>,
    pub(crate) env: BTreeMap<OsString, OsString>,
    pub(crate) root: PathBuf,
    pub(crate) memory_mb: u32,
    pub(crate) timeout: Duration,
    pub(crate) init_timeout: Duration,
    pub(crate) concurrency: usize,
    pub(crate) multi_concurrency: usize,
    pub(crate) region: String,
    pub(crate) credentials: Option<(String, String, Option<String>)>,
    pub(crate) response_limit: usize,
    pub(crate) supervisor: Vec<OsString>,
    pub(crate) bootstrap: Option<source::Bootstrap>,
}

impl fmt::Debug for Program {
    /// Shows neither the environment nor the credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("name", &self.name)
            .field("command", &self.command)
            .field("root", &self.root)
            .field("handler", &self.handler)
            .finish_non_exhaustive()
    }
}

impl Program {
    /// The service's limit on a buffered response, in bytes.
    pub const RESPONSE_LIMIT: usize = 6_291_556;

    /// Runs a command that speaks the Runtime API, such as a compiled function or a `bootstrap`.
    ///
    /// A command with a path is found from the current directory, a bare name in `PATH`.
    ///
    /// # Errors
    ///
    /// [`ProgramError::NoCommand`] if there is no word in the command.
    pub fn command<I, S>(command: I) -> Result<Self, ProgramError>
    where
        I: IntoIterator<Item = S>,
        S: Into<OsString>,
    {
        let mut command: Vec<OsString> = command.into_iter().map(Into::into).collect();
        let Some(first) = command.first_mut() else {
            return Err(ProgramError::NoCommand);
        };
        // The process starts in the function's root, from where a relative path means another file.
        let path = Path::new(&*first);
        if path.components().count() > 1 && path.is_relative() {
            if let Ok(absolute) = std::path::absolute(path) {
                *first = absolute.into_os_string();
            }
        }
        Ok(Self {
            command,
            name: "function".to_owned(),
            version: "$LATEST".to_owned(),
            arn: None,
            handler: None,
            env: BTreeMap::new(),
            root: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            memory_mb: 128,
            timeout: Duration::from_secs(1800),
            init_timeout: Duration::from_secs(10),
            concurrency: 10,
            multi_concurrency: 1,
            region: "us-east-1".to_owned(),
            credentials: None,
            response_limit: Self::RESPONSE_LIMIT,
            supervisor: Vec::new(),
            bootstrap: None,
        })
    }

    /// Runs a source file (`.py`, `.js`, `.mjs`, `.cjs`) with its interpreter, or an executable.
    ///
    /// A handler may be named: `app.py:main`. Otherwise the file is searched for `lambda_handler`,
    /// then `handler`. The function's own installation of the official runtime client
    /// (`awslambdaric`, `aws-lambda-ric`) is used if there is one, and this crate's small one
    /// otherwise. The folder of the file becomes the [`root`](Self::root), and the file's name
    /// without its extension the function's [`name`](Self::name).
    ///
    /// # Errors
    ///
    /// The file is missing, of an unknown kind, or has no handler.
    pub fn source(path: impl AsRef<Path>) -> Result<Self, ProgramError> {
        source::program(path.as_ref())
    }

    /// Sets the function's name, `AWS_LAMBDA_FUNCTION_NAME`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the function's version, `$LATEST` by default.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Sets the ARN of events that have none. The default is made of region, account
    /// `123456789012` and name.
    #[must_use]
    pub fn arn(mut self, arn: impl Into<String>) -> Self {
        self.arn = Some(arn.into());
        self
    }

    /// Sets the handler, `_HANDLER`, such as `app.lambda_handler`.
    #[must_use]
    pub fn handler(mut self, handler: impl Into<String>) -> Self {
        self.handler = Some(handler.into());
        self
    }

    /// Sets an environment variable of the function. It wins over what the service sets, except
    /// for `AWS_LAMBDA_RUNTIME_API`, without which no function would run.
    #[must_use]
    pub fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.insert(key.into(), value.into());
        self
    }

    /// Sets the folder in which the function runs, `LAMBDA_TASK_ROOT`.
    #[must_use]
    pub fn root(mut self, root: impl AsRef<Path>) -> Self {
        let root = root.as_ref();
        self.root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        self
    }

    /// Sets the memory size in MB that the function is told, 128 by default. It is not enforced.
    #[must_use]
    pub fn memory_mb(mut self, memory_mb: u32) -> Self {
        self.memory_mb = memory_mb;
        self
    }

    /// Sets the timeout of an event, 1,800 s by default. An instance whose event times out is
    /// killed.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the time within which a new instance must ask for its first event, 10 s by default.
    #[must_use]
    pub fn init_timeout(mut self, timeout: Duration) -> Self {
        self.init_timeout = timeout;
        self
    }

    /// Sets the most instances that run at once, 10 by default and at least 1. With tenants, the
    /// number counts the instances of all of them.
    #[must_use]
    pub fn concurrency(mut self, instances: usize) -> Self {
        self.concurrency = instances.max(1);
        self
    }

    /// Sets the number of events that one instance runs at once, 1 by default. A larger one is
    /// given to the runtime as `AWS_LAMBDA_MAX_CONCURRENCY`; the pool enforces it whether or not
    /// the runtime does.
    #[must_use]
    pub fn multi_concurrency(mut self, events: usize) -> Self {
        self.multi_concurrency = events.max(1);
        self
    }

    /// Sets the region, `AWS_REGION` and `AWS_DEFAULT_REGION`; `us-east-1` by default.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// Sets the credentials that the function's own AWS clients find. Without them, the function
    /// has none.
    #[must_use]
    pub fn credentials(
        mut self,
        key_id: impl Into<String>,
        secret: impl Into<String>,
        session_token: Option<String>,
    ) -> Self {
        self.credentials = Some((key_id.into(), secret.into(), session_token));
        self
    }

    /// Sets the most bytes of a buffered response; 6,291,556 by default, as in the service.
    #[must_use]
    pub fn response_limit(mut self, bytes: usize) -> Self {
        self.response_limit = bytes;
        self
    }

    /// Sets the command that calls [`supervise`](crate::supervise) with the words after it, which
    /// is usually the host program itself with a word of its own, as in
    /// `[std::env::current_exe()?.into(), "supervise".into()]`.
    ///
    /// With it, all processes of the function end with the host, also when the host is killed.
    /// Without it, they end when the pool is shut down or dropped.
    #[must_use]
    pub fn supervisor<I, S>(mut self, command: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<OsString>,
    {
        self.supervisor = command.into_iter().map(Into::into).collect();
        self
    }

    /// Returns the function's name.
    #[must_use]
    pub fn function_name(&self) -> &str {
        &self.name
    }

    /// Returns the folder in which the function runs.
    #[must_use]
    pub fn function_root(&self) -> &Path {
        &self.root
    }

    /// Returns the timeout of an event.
    #[must_use]
    pub fn event_timeout(&self) -> Duration {
        self.timeout
    }

    /// Returns the memory size in MB.
    #[must_use]
    pub fn memory_size_mb(&self) -> u32 {
        self.memory_mb
    }

    /// Returns the most events that may run at once.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.concurrency.saturating_mul(self.multi_concurrency)
    }

    /// Returns the ARN of events that have none.
    #[must_use]
    pub fn function_arn(&self) -> String {
        self.arn.clone().unwrap_or_else(|| {
            format!(
                "arn:aws:lambda:{}:123456789012:function:{}",
                self.region, self.name
            )
        })
    }
}
