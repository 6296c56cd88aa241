//! The program that is run: a command, its environment and its limits.

pub(crate) mod environment;
mod source;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::ProgramError;
use crate::limits::MAX_TIMEOUT;

/// The variable that tells a runtime how many invocations its instance may run at the same time.
pub(crate) const MAX_CONCURRENCY: &str = "AWS_LAMBDA_MAX_CONCURRENCY";

/// A program that speaks the Runtime API, or source code that our bootstraps run.
///
/// | setting | default |
/// |---|---|
/// | [`name`](Self::name) | the file's name without its extension |
/// | [`version`](Self::version) | `$LATEST` |
/// | [`memory_mb`](Self::memory_mb) | 128 |
/// | [`limit_memory`](Self::limit_memory) | no |
/// | [`timeout`](Self::timeout) | 3 s |
/// | [`init_timeout`](Self::init_timeout) | 10 s, or the timeout if that is longer |
/// | [`concurrency`](Self::concurrency) | 10 instances |
/// | [`multi_concurrency`](Self::multi_concurrency) | 1 invocation at a time in an instance |
/// | [`queue`](Self::queue) | 0: excess calls are rejected |
/// | [`region`](Self::region) | `us-east-1` |
#[derive(Clone)]
#[must_use]
pub struct Program {
    pub(crate) argv: Vec<String>,
    pub(crate) root: PathBuf,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) arn: Option<String>,
    pub(crate) handler: String,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) memory_mb: u32,
    pub(crate) limits_memory: bool,
    pub(crate) timeout: Duration,
    pub(crate) init_timeout: Option<Duration>,
    pub(crate) concurrency: usize,
    pub(crate) multi_concurrency: usize,
    pub(crate) queue: usize,
    pub(crate) region: String,
    pub(crate) credentials: Option<(String, String, Option<String>)>,
}

impl Program {
    /// Describes a command, such as `["node", "bootstrap.mjs"]`. It runs in the current directory
    /// unless [`root`](Self::root) says otherwise.
    ///
    /// # Errors
    ///
    /// [`ProgramError::EmptyCommand`].
    pub fn command<I, S>(argv: I) -> Result<Self, ProgramError>
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        let argv: Vec<String> = argv.into_iter().map(Into::into).collect();
        let Some(first) = argv.first().filter(|first| !first.is_empty()) else {
            return Err(ProgramError::EmptyCommand);
        };
        let name = source::name_of(Path::new(first));
        Ok(Self {
            root: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            argv,
            name,
            version: "$LATEST".to_owned(),
            arn: None,
            handler: "bootstrap".to_owned(),
            env: Vec::new(),
            memory_mb: 128,
            limits_memory: false,
            timeout: Duration::from_secs(3),
            init_timeout: None,
            concurrency: 10,
            multi_concurrency: 1,
            queue: 0,
            region: "us-east-1".to_owned(),
            credentials: None,
        })
    }

    /// Describes a file: `app.py`, `index.mjs`, `app.py:handle` or an executable. It runs in the
    /// folder of the file, and it is this file that runs, even if another one has its name without the
    /// extension.
    ///
    /// Without `:handler`, the handler is `lambda_handler` or `handler`, the first of these words that
    /// the source contains.
    ///
    /// # Errors
    ///
    /// There is no such file, or it is neither source code nor executable.
    pub fn source(path: impl AsRef<Path>) -> Result<Self, ProgramError> {
        source::from_path(path.as_ref())
    }

    /// Describes Python code by its root and a handler as templates write it: `app.handler`,
    /// `src/app.handler`, `./app.handler`, `package.module.handler`.
    ///
    /// # Errors
    ///
    /// [`ProgramError::Handler`] if the handler is not of that form.
    pub fn python(root: impl Into<PathBuf>, handler: &str) -> Result<Self, ProgramError> {
        source::python(root.into(), handler)
    }

    /// Describes JavaScript code by its root and a handler as templates write it.
    ///
    /// # Errors
    ///
    /// [`ProgramError::Handler`] if the handler is not of that form.
    pub fn node(root: impl Into<PathBuf>, handler: &str) -> Result<Self, ProgramError> {
        source::node(root.into(), handler)
    }

    /// Sets the function's name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the function's version.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Sets the ARN of invocations that do not set one.
    pub fn arn(mut self, arn: impl Into<String>) -> Self {
        self.arn = Some(arn.into());
        self
    }

    /// Sets `_HANDLER`.
    pub fn handler(mut self, handler: impl Into<String>) -> Self {
        self.handler = handler.into();
        self
    }

    /// Adds a variable of the function's own. It replaces what the service would set, except for
    /// the address of the Runtime API.
    ///
    /// A number in `AWS_LAMBDA_MAX_CONCURRENCY` sets
    /// [`multi_concurrency`](Self::multi_concurrency), because the runtime asks for as many events.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        let number = (name == MAX_CONCURRENCY).then(|| value.trim().parse().ok());
        self.env.push((name, value));
        match number.flatten() {
            Some(invocations) => self.multi_concurrency(invocations),
            None => self,
        }
    }

    /// Sets the folder that the function runs in, which is also `LAMBDA_TASK_ROOT`.
    pub fn root(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = root.into();
        self
    }

    /// Sets the function's memory in MB. It is passed to the function, and enforced only with
    /// [`limit_memory`](Self::limit_memory).
    pub const fn memory_mb(mut self, memory: u32) -> Self {
        self.memory_mb = memory;
        self
    }

    /// Sets whether an instance is killed when its processes together use more than the function's
    /// memory. It is checked every 50 ms.
    pub const fn limit_memory(mut self, limit: bool) -> Self {
        self.limits_memory = limit;
        self
    }

    /// Sets the timeout of an invocation: at most 1,800 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.clamp(Duration::from_millis(1), MAX_TIMEOUT);
        self
    }

    /// Sets how long a process may take to ask for its first event.
    pub fn init_timeout(mut self, timeout: Duration) -> Self {
        self.init_timeout = Some(timeout.clamp(Duration::from_millis(1), MAX_TIMEOUT));
        self
    }

    /// Sets the maximum number of instances that run at the same time, for all tenants together: at
    /// least 1.
    pub fn concurrency(mut self, instances: usize) -> Self {
        self.concurrency = instances.max(1);
        self
    }

    /// Sets how many invocations may run in one instance at the same time. Above 1,
    /// `AWS_LAMBDA_MAX_CONCURRENCY` tells the runtime. The pool enforces the number, however many
    /// events the runtime asks for.
    pub fn multi_concurrency(mut self, invocations: usize) -> Self {
        self.multi_concurrency = invocations.clamp(1, 1_000);
        self
    }

    /// Sets how many calls may wait beyond those that can run. Further ones are rejected.
    pub const fn queue(mut self, calls: usize) -> Self {
        self.queue = calls;
        self
    }

    /// Sets the region.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// Sets the credentials of the function. All three variables are taken from here: without a
    /// session token, the function has none.
    pub fn credentials(
        mut self,
        key: impl Into<String>,
        secret: impl Into<String>,
        token: Option<String>,
    ) -> Self {
        self.credentials = Some((key.into(), secret.into(), token));
        self
    }

    /// The function's name.
    #[must_use]
    pub fn function_name(&self) -> &str {
        &self.name
    }

    /// The folder that the function runs in.
    #[must_use]
    pub fn task_root(&self) -> &Path {
        &self.root
    }

    /// The function's memory in MB.
    #[must_use]
    pub const fn memory_size_mb(&self) -> u32 {
        self.memory_mb
    }

    /// The timeout of an invocation.
    #[must_use]
    pub const fn timeout_limit(&self) -> Duration {
        self.timeout
    }

    pub(crate) fn init_limit(&self) -> Duration {
        self.init_timeout
            .unwrap_or_else(|| self.timeout.max(Duration::from_secs(10)))
    }

    /// How many calls may wait beyond those that can run.
    #[must_use]
    pub const fn queue_limit(&self) -> usize {
        self.queue
    }

    /// How many calls may be in progress, running or waiting.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.concurrency
            .saturating_mul(self.multi_concurrency)
            .saturating_add(self.queue)
    }

    /// The ARN of invocations without one of their own. By default, it is made of the region, the account
    /// `000000000000` and the name.
    #[must_use]
    pub fn function_arn(&self) -> String {
        self.arn.clone().unwrap_or_else(|| {
            let (region, name) = (&self.region, &self.name);
            let partition = partition_of(region);
            format!("arn:{partition}:lambda:{region}:000000000000:function:{name}")
        })
    }
}

/// The partition that a region belongs to, from the partition list that the AWS SDKs share.
fn partition_of(region: &str) -> &'static str {
    const PARTITIONS: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("eu-isoe-", "aws-iso-e"),
        ("eusc-", "aws-eusc"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
    ];
    let found = PARTITIONS
        .iter()
        .find(|(start, _)| region.starts_with(start));
    found.map_or("aws", |(_, partition)| partition)
}

/// Shows neither the secrets nor the values of the environment, which often are secrets as well.
impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variables: Vec<_> = self.env.iter().map(|(name, _)| name).collect();
        let access_key_id = self.credentials.as_ref().map(|(id, _, _)| id);
        f.debug_struct("Program")
            .field("argv", &self.argv)
            .field("root", &self.root)
            .field("name", &self.name)
            .field("version", &self.version)
            .field("handler", &self.handler)
            .field("env", &variables)
            .field("memory_mb", &self.memory_mb)
            .field("timeout", &self.timeout)
            .field("concurrency", &self.concurrency)
            .field("multi_concurrency", &self.multi_concurrency)
            .field("queue", &self.queue)
            .field("region", &self.region)
            .field("access_key_id", &access_key_id)
            .finish_non_exhaustive()
    }
}
