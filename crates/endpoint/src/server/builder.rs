//! The builder of an endpoint.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use lambda_invoke_sigv4::region;
use lambda_invoke_sigv4::{Credentials, CredentialsError};
use tokio::net::ToSocketAddrs;

use super::build_error::BuildError;
use super::checks::{check_faults, with_aliases};
use super::site::Site;
use super::{Endpoint, Server};
use crate::console::{Console, NoRandomness};
use crate::event::{DeadLetter, EventSettings, Notice, Queue};
use crate::fault::{Fault, Rules};
use crate::function::Function;
use crate::function::builtins;
use crate::function::log::{LogLine, OnLog};
use crate::function::url::FunctionUrl;
use crate::journal::Journal;
use crate::request_id::RequestIds;
use crate::run::registry::Registry;
use crate::service::Service;
use crate::service::auth::{Access, AccessKey};
use crate::service::calls::Calls;
use crate::service::request_log::{OnResponse, RequestRecord};
use crate::service::settings::{Settings, TooLargeStyle};
use crate::wire::bandwidth::Bandwidth;

impl Endpoint {
    /// Starts building an endpoint.
    pub fn builder() -> EndpointBuilder {
        EndpointBuilder::default()
    }
}

/// Builds an [`Endpoint`]; see [`Endpoint::builder`].
#[must_use]
pub struct EndpointBuilder {
    settings: Settings,
    functions: Vec<Function>,
    aliases: Vec<(String, String, u64)>,
    keys: Vec<AccessKey>,
    verify: bool,
    cors: Vec<String>,
    default_url: Option<FunctionUrl>,
    console: bool,
    account_concurrency: Option<usize>,
    events: EventSettings,
    faults: Vec<Fault>,
    seed: Option<u64>,
    notice: Arc<dyn Fn(Notice) + Send + Sync>,
    on_response: Option<OnResponse>,
    on_log: Option<OnLog>,
    recorded_bytes: usize,
}

impl Default for EndpointBuilder {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            functions: Vec::new(),
            aliases: Vec::new(),
            keys: Vec::new(),
            verify: true,
            cors: Vec::new(),
            default_url: None,
            console: false,
            account_concurrency: None,
            events: EventSettings::default(),
            faults: Vec::new(),
            seed: None,
            notice: Arc::new(|_| {}),
            on_response: None,
            on_log: None,
            recorded_bytes: Calls::DEFAULT,
        }
    }
}

impl EndpointBuilder {
    /// Sets the region that callers must sign for, `us-east-1` by default.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.settings.region = region.into();
        self
    }

    /// Sets the account that the functions belong to, `123456789012` by default.
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.settings.account = account.into();
        self
    }

    /// Adds a function.
    pub fn function(mut self, function: Function) -> Self {
        self.functions.push(function);
        self
    }

    /// Adds functions.
    pub fn functions(mut self, functions: impl IntoIterator<Item = Function>) -> Self {
        self.functions.extend(functions);
        self
    }

    /// Adds the [built-in functions](crate::builtins).
    pub fn builtins(self) -> Self {
        self.functions(builtins::all())
    }

    /// Adds an alias for a version of a function. A version that was not published yet is published
    /// with the code of `$LATEST`. The function may be added later.
    pub fn alias(
        mut self,
        function: impl Into<String>,
        alias: impl Into<String>,
        version: u64,
    ) -> Self {
        self.aliases.push((function.into(), alias.into(), version));
        self
    }

    /// Adds an access key. The default is one key, `local` with the secret `local`. Everybody
    /// knows this secret, so while it is accepted, web pages are rejected as they are without
    /// [`verify`](Self::verify).
    pub fn access_key(mut self, key: AccessKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Adds an access key by its id and secret.
    ///
    /// # Errors
    ///
    /// If the id or the secret is invalid.
    pub fn credential(self, id: &str, secret: &str) -> Result<Self, CredentialsError> {
        Ok(self.access_key(AccessKey::new(Credentials::new(id, secret)?)))
    }

    /// Sets whether signatures are verified, `true` by default. Without verification anybody may
    /// invoke any function, with any content type.
    pub fn verify(mut self, verify: bool) -> Self {
        self.verify = verify;
        self
    }

    /// Allows the web pages of an origin to call the endpoint and to read its responses with their
    /// `x-amz*` headers: `http://localhost:3000`, `null` for pages without an origin such as files,
    /// or `*` for every page. May be called several times; by default no page is allowed.
    ///
    /// Without [`verify`](Self::verify), and with the default access key, this is the only
    /// protection against web pages: a request with any other `Origin` is rejected.
    pub fn cors(mut self, origin: impl Into<String>) -> Self {
        self.cors.push(origin.into());
        self
    }

    /// Gives a URL with these settings to every function without one. By default such a
    /// function has no URL.
    pub fn default_url(mut self, url: FunctionUrl) -> Self {
        self.default_url = Some(url);
        self
    }

    /// Sets whether the endpoint has a console, `false` by default: a page that calls the functions
    /// and shows the most recent calls live. [`Server::console_url`] opens it.
    pub fn console(mut self, console: bool) -> Self {
        self.console = console;
        self
    }

    /// Limits how many invocations of all functions may run at once. Further calls are rejected
    /// with 429 and the reason `ConcurrentInvocationLimitExceeded`. There is no limit by default.
    pub fn account_concurrency(mut self, limit: usize) -> Self {
        self.account_concurrency = Some(limit);
        self
    }

    /// Lowers the limit for a request's payload, which is the service's 6 MiB (less for events) by
    /// default.
    pub fn max_request_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_request_bytes = bytes;
        self
    }

    /// Limits the size of a buffered response, the service's 6,291,556 bytes by default. A larger
    /// response becomes the function error `Function.ResponseSizeTooLarge`.
    pub fn max_buffered_bytes(mut self, bytes: u64) -> Self {
        self.settings.max_buffered_bytes = bytes;
        self
    }

    /// Limits the size of a streamed response, the service's 200 MiB by default; `None` means no
    /// limit.
    pub fn max_stream_bytes(mut self, bytes: Option<u64>) -> Self {
        self.settings.max_stream_bytes = bytes;
        self
    }

    /// Limits the bandwidth of each streamed response, for example to the service's
    /// ([`Bandwidth::SERVICE`]). By default there is no limit. Buffered responses are never
    /// limited.
    pub fn stream_bandwidth(mut self, bandwidth: impl Into<Option<Bandwidth>>) -> Self {
        self.settings.stream_bandwidth = bandwidth.into();
        self
    }

    /// Sets whether any content type is accepted. By default it must be one that a released AWS SDK
    /// sends: no content type, `application/json`, `application/octet-stream`,
    /// `binary/octet-stream` or `application/x-amz-json-*`; others are rejected with 415. Without
    /// [`verify`](Self::verify) any content type is accepted.
    pub fn any_content_type(mut self, any: bool) -> Self {
        self.settings.any_content_type = any;
        self
    }

    /// Sets the error for a payload that is too large.
    pub fn too_large_style(mut self, style: TooLargeStyle) -> Self {
        self.settings.too_large = style;
        self
    }

    /// Sets whether the `InvokeComplete` of a failed function has `ErrorCode` and `ErrorDetails`,
    /// as in the published reference. Off by default: every recording of the service lacks them and
    /// reports the failure only in the tail log.
    pub fn error_code_in_stream(mut self, on: bool) -> Self {
        self.settings.error_code_in_stream = on;
        self
    }

    /// Sets how events are queued, retried and dead-lettered.
    pub fn events(mut self, settings: EventSettings) -> Self {
        self.events = settings;
        self
    }

    /// Adds a fault rule.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Adds fault rules.
    pub fn faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.faults.extend(faults);
        self
    }

    /// Seeds the random choices (faults with a probability, request ids), which makes them
    /// reproducible.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Shifts the endpoint's clock by this many seconds, for the verification of signatures and for
    /// the `Date` header.
    pub fn clock_offset(mut self, seconds: i64) -> Self {
        self.settings.clock_offset = seconds;
        self
    }

    /// Sets a callback for notices about things that no response reports, such as a lost event. It
    /// must not block.
    pub fn on_notice(mut self, notice: impl Fn(Notice) + Send + Sync + 'static) -> Self {
        self.notice = Arc::new(notice);
        self
    }

    /// Sets a callback for each request, called when its response has been sent or abandoned: for a
    /// request log. It must not block.
    pub fn on_response(
        mut self,
        callback: impl Fn(&RequestRecord) + Send + Sync + 'static,
    ) -> Self {
        self.on_response = Some(OnResponse(Arc::new(callback)));
        self
    }

    /// Sets a callback for each line that a function writes to its log, called at once. It must not
    /// block.
    pub fn on_log(mut self, callback: impl Fn(LogLine<'_>) + Send + Sync + 'static) -> Self {
        self.on_log = Some(OnLog(Arc::new(callback)));
        self
    }

    /// Limits the memory of the recorded calls (see [`Server::calls`]), 16 MiB by default; 0 records
    /// none.
    pub fn recorded_bytes(mut self, bytes: usize) -> Self {
        self.recorded_bytes = bytes;
        self
    }

    /// Builds the endpoint.
    ///
    /// # Errors
    ///
    /// If a name, an alias, the region or the account is invalid, if settings contradict each other
    /// or refer to an unknown function, or if the dead-letter file cannot be opened.
    pub fn build(self) -> Result<Endpoint, BuildError> {
        let mut settings = self.settings;
        for origin in self.cors {
            settings.origins.add(origin).map_err(BuildError::Origin)?;
        }
        region::check(&settings.region).map_err(|_| BuildError::Region(settings.region.clone()))?;
        let digits = settings.account.bytes().all(|byte| byte.is_ascii_digit());
        if settings.account.len() != 12 || !digits {
            return Err(BuildError::Account(settings.account));
        }
        let mut functions = with_aliases(self.functions, self.aliases)?;
        for function in &mut functions {
            function.url = function.url.take().or_else(|| self.default_url.clone());
        }
        if let Some(DeadLetter::Function(name)) = &self.events.dead_letter {
            let Some(function) = functions.iter().find(|function| function.name == *name) else {
                return Err(BuildError::DeadLetterUnknown(name.clone()));
            };
            if function.concurrency == Some(0) {
                return Err(BuildError::DeadLetterNever(name.clone()));
            }
        }
        check_faults(&self.faults, &functions)?;
        if !self.verify && !self.keys.is_empty() {
            return Err(BuildError::KeysUnused);
        }
        let access = match self.verify {
            true => Some(access(&settings.region, self.keys)?),
            false => None,
        };
        let queue = Queue::new(self.events, Arc::clone(&self.notice))
            .map_err(BuildError::DeadLetterFile)?;
        let seed = self.seed.unwrap_or(0);
        let journal = self.console.then(Journal::new);
        let on_log = match &journal {
            Some(journal) => Some(also_for_console(Arc::clone(journal), self.on_log)),
            None => self.on_log,
        };
        let registry = Registry::new(
            functions,
            &settings.arn_prefix(),
            self.account_concurrency,
            on_log.as_ref(),
        );
        let console = match &journal {
            Some(journal) => {
                let console = Console::new(Arc::clone(journal));
                Some(console.map_err(|NoRandomness| BuildError::NoRandomness)?)
            }
            None => None,
        };
        Ok(Endpoint::new(
            Site::new(
                Service {
                    settings,
                    registry: Arc::new(registry),
                    access,
                    queue: Arc::new(queue),
                    faults: Rules::new(self.faults, seed),
                    ids: Arc::new(RequestIds::new(self.seed)),
                    on_response: self.on_response,
                    calls: Calls::new(self.recorded_bytes),
                    journal,
                },
                console,
                Arc::clone(&self.notice),
            ),
            self.notice,
        ))
    }

    /// Builds the endpoint and serves it on an address. Port 0 selects a free port.
    ///
    /// # Errors
    ///
    /// As for [`build`](Self::build), and if the endpoint cannot listen on the address.
    pub async fn bind(self, address: impl ToSocketAddrs) -> Result<Server, BuildError> {
        self.build()?.bind(address).await.map_err(BuildError::Bind)
    }

    /// Builds the endpoint and serves it on the loopback addresses of both IP versions; see
    /// [`Endpoint::bind_localhost`].
    ///
    /// # Errors
    ///
    /// As for [`build`](Self::build), and if the port is taken on one of the addresses.
    pub async fn bind_localhost(self, port: u16) -> Result<Server, BuildError> {
        self.build()?
            .bind_localhost(port)
            .await
            .map_err(BuildError::Bind)
    }

    /// Builds the endpoint and serves it on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// As for [`bind`](Self::bind).
    pub async fn bind_local(self) -> Result<Server, BuildError> {
        self.bind(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }
}

/// Returns an observer that also passes each line to the console.
fn also_for_console(journal: Arc<Journal>, on_log: Option<OnLog>) -> OnLog {
    OnLog(Arc::new(move |line| {
        if let Some(id) = line.request_id {
            journal.log(id, line.text);
        }
        if let Some(OnLog(on_log)) = &on_log {
            on_log(line);
        }
    }))
}

fn access(region: &str, mut keys: Vec<AccessKey>) -> Result<Access, BuildError> {
    for (place, key) in keys.iter().enumerate() {
        if keys[..place].iter().any(|other| key.contradicts(other)) {
            return Err(BuildError::KeyTwice(key.id().to_owned()));
        }
    }
    if keys.is_empty() {
        keys.push(AccessKey::published().map_err(|_| BuildError::NoKeys)?);
    }
    Access::new(region, keys).map_err(|_| BuildError::Region(region.to_owned()))
}

impl fmt::Debug for EndpointBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointBuilder")
            .field("settings", &self.settings)
            .field("functions", &self.functions)
            .field("verify", &self.verify)
            .field("events", &self.events)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}
