//! Everything that comes from outside the program: HTTP, files, environment, processes and the clock,
//! each behind a trait with a default.

mod clock;
mod environment;
mod files;
mod http;
mod process;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

pub use self::clock::{Clock, SystemClock};
pub use self::environment::{Environment, ProcessEnvironment, Variables};
pub use self::files::{Files, LocalFiles};
pub use self::http::{HttpClient, HttpFuture, TransportClient};
pub(crate) use self::http::{by_environment, direct};
pub use self::process::{CommandLine, LocalProcesses, ProcessFuture, ProcessOutput, Processes};

pub(crate) use self::environment::{
    parse_switch, path as environment_path, text as environment_text,
};
use crate::{Error, ErrorKind};

/// The longest file that is read, in bytes: far above any shared file or token.
pub(crate) const MAX_FILE: usize = 4 << 20;

/// The machine that credentials are searched on. Cheap to clone.
///
/// # Example
///
/// ```
/// use lambda_invoke_credentials::{System, Variables};
///
/// // Everything of this machine, but other environment variables.
/// let system = System::default().with_environment(Variables::of([("AWS_PROFILE", "dev")]));
/// ```
#[derive(Clone)]
pub struct System {
    /// `None` is a [`TransportClient`] by the settings.
    http: Option<Arc<dyn HttpClient>>,
    metadata_http: Arc<dyn HttpClient>,
    files: Arc<dyn Files>,
    environment: Arc<dyn Environment>,
    processes: Arc<dyn Processes>,
    clock: Arc<dyn Clock>,
}

impl Default for System {
    /// This machine. HTTP goes through a [`TransportClient`] with the proxies of the environment and
    /// the certificate authorities of [`Settings::ca_bundle`](crate::Settings::ca_bundle).
    fn default() -> Self {
        Self {
            http: None,
            metadata_http: Arc::new(TransportClient::direct()),
            files: Arc::new(LocalFiles),
            environment: Arc::new(ProcessEnvironment),
            processes: Arc::new(LocalProcesses),
            clock: Arc::new(SystemClock),
        }
    }
}

impl System {
    /// Sends requests to services with this client. Requests to metadata services on the machine
    /// itself keep theirs, which uses no proxy; see [`with_metadata_http`](Self::with_metadata_http).
    #[must_use]
    pub fn with_http(mut self, http: impl HttpClient + 'static) -> Self {
        self.http = Some(Arc::new(http));
        self
    }

    /// Sends requests to instance metadata, and over plain HTTP to the container's endpoint, with this
    /// client.
    #[must_use]
    pub fn with_metadata_http(mut self, http: impl HttpClient + 'static) -> Self {
        self.metadata_http = Arc::new(http);
        self
    }

    /// Reads and writes files through this.
    #[must_use]
    pub fn with_files(mut self, files: impl Files + 'static) -> Self {
        self.files = Arc::new(files);
        self
    }

    /// Reads environment variables from this.
    #[must_use]
    pub fn with_environment(mut self, environment: impl Environment + 'static) -> Self {
        self.environment = Arc::new(environment);
        self
    }

    /// Runs programs through this.
    #[must_use]
    pub fn with_processes(mut self, processes: impl Processes + 'static) -> Self {
        self.processes = Arc::new(processes);
        self
    }

    /// Reads the time from this.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Returns the environment.
    #[must_use]
    pub fn environment(&self) -> &dyn Environment {
        &*self.environment
    }

    /// Returns the clock.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(crate) fn shared_clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    pub(crate) fn http(&self) -> Option<&dyn HttpClient> {
        self.http.as_deref()
    }

    pub(crate) fn metadata_http(&self) -> &dyn HttpClient {
        &*self.metadata_http
    }

    pub(crate) fn files(&self) -> &dyn Files {
        &*self.files
    }

    pub(crate) fn processes(&self) -> &dyn Processes {
        &*self.processes
    }

    /// Reads a file on a thread where blocking is allowed.
    pub(crate) async fn read(&self, path: PathBuf) -> Result<Vec<u8>, std::io::Error> {
        let files = Arc::clone(&self.files);
        let read = tokio::task::spawn_blocking(move || files.read(&path, MAX_FILE));
        match tokio::time::timeout(files::TIMEOUT, read).await {
            Ok(Ok(result)) => result,
            Ok(Err(error)) => Err(std::io::Error::other(error)),
            Err(_) => Err(files::timed_out()),
        }
    }

    /// Writes a private file on a thread where blocking is allowed.
    pub(crate) async fn write(&self, path: PathBuf, data: Vec<u8>) -> Result<(), Error> {
        let files = Arc::clone(&self.files);
        let shown = path.display().to_string();
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::Unavailable, format!("cannot write {shown}")).with_source(error)
        };
        let written = tokio::task::spawn_blocking(move || files.write_private(&path, &data));
        match tokio::time::timeout(files::TIMEOUT, written).await {
            Ok(Ok(result)) => result.map_err(failed),
            Ok(Err(error)) => Err(failed(std::io::Error::other(error))),
            Err(_) => Err(failed(std::io::ErrorKind::TimedOut.into())),
        }
    }
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("System")
            .field("http", &self.http)
            .field("metadata_http", &self.metadata_http)
            .field("files", &self.files)
            .field("environment", &self.environment)
            .field("processes", &self.processes)
            .field("clock", &self.clock)
            .finish()
    }
}
