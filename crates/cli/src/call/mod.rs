//! The options of a call, and the client that makes it; shared by `stream`, `invoke`, `bench` and `map`.

pub(crate) mod advice;
pub(crate) mod config;
pub(crate) mod header;
pub(crate) mod outcome;
pub(crate) mod payload;
pub(crate) mod verbose;

use std::ffi::OsString;
use std::time::Duration;

use bytes::Bytes;
use clap::ValueEnum;
use lambda_invoke::{
    Call, Client, ClientContext, Credentials, Error, FunctionName, InvokeOperation, RetryPolicy,
    Timeouts, Transport,
};
use lambda_invoke_endpoint::{Endpoint, Function, Server};
use lambda_invoke_sigv4::region;

use self::config::Config;
use self::header::Header;
use self::outcome::failure;
use crate::exit::call_state::call_state;
use crate::exit::{Exit, Failure};
use crate::functions::spec::FunctionSpec;
use crate::functions::{self, program};
use crate::number::{time, whole};
use crate::output::Deadline;
use crate::runtime::{self, Threads};
use crate::terminal::{entry, say};

/// The options of a call.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Options {
    /// The function's name, partial ARN or ARN, optionally followed by :VERSION or :ALIAS
    pub(crate) function: String,
    #[command(flatten)]
    pub(crate) payload: payload::Options,
    /// The version or alias to invoke
    #[arg(short, long, value_name = "VERSION|ALIAS")]
    pub(crate) qualifier: Option<String>,
    /// The client context for the function: a JSON object, its base64 encoding, or @FILE
    #[arg(long, value_name = "JSON")]
    client_context: Option<OsString>,
    /// The tenant ID, for a function with tenant isolation
    #[arg(long, value_name = "ID")]
    pub(crate) tenant_id: Option<String>,
    /// Show the end of the function's log on stderr, with a summary of time and memory
    #[arg(short, long)]
    pub(crate) log_tail: bool,
    /// Validate the request and check permissions without running the function
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write the response as one JSON object, for jq, and errors as JSON on stderr
    #[arg(long)]
    pub(crate) json: bool,
    /// Call an endpoint in this process, without an account, credentials or region: your own
    /// functions, named by --function, or else hello, echo, count and fail
    #[arg(long, conflicts_with_all = ["profile", "endpoint_url", "ca_bundle"])]
    local: bool,
    /// With --local: a file with a handler, such as app.py or app.py:HANDLER, a program, NAME=SOURCE
    /// or NAME='COMMAND'; repeatable
    #[arg(
        long = "function",
        value_name = "NAME=SOURCE|COMMAND",
        requires = "local"
    )]
    own: Vec<String>,
    /// Show each step of the call on stderr: connection, signature, attempts, request ID, sizes and
    /// times; -vv also shows the events of the HTTP library
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Which failed calls to retry
    #[arg(long, value_enum, default_value_t = Retry::Safe, value_name = "POLICY")]
    pub(crate) retry: Retry,
    /// The maximum number of attempts of a call, including the first [default: AWS_MAX_ATTEMPTS, the
    /// profile's max_attempts, or 3]
    #[arg(long, value_name = "N", value_parser = whole(1_u32..=1_000))]
    pub(crate) max_attempts: Option<u32>,
    /// Add a header 'NAME: VALUE' to the request, covered by its signature; can be repeated
    #[arg(short = 'H', long = "header", value_name = "HEADER", value_parser = header::Parser)]
    pub(crate) headers: Vec<Header>,
    #[command(flatten)]
    timeouts: TimeoutOptions,
    #[command(flatten)]
    connection: config::Options,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Retry {
    /// No calls
    None,
    /// Only calls that certainly did not run the function
    Safe,
    /// Also calls that may have run the function, so that it can run twice
    AtLeastOnce,
}

impl From<Retry> for RetryPolicy {
    fn from(retry: Retry) -> Self {
        match retry {
            Retry::None => Self::none(),
            Retry::Safe => Self::default(),
            Retry::AtLeastOnce => Self::at_least_once(),
        }
    }
}

/// The timeouts of a call.
#[derive(Debug, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Timeouts (30, 1.5, 500ms, 2m; 0 for none)")]
struct TimeoutOptions {
    /// For the whole call, including retries and the delays between them; in map, for each attempt
    /// [default: none]
    #[arg(long, value_name = "TIME", value_parser = time)]
    timeout: Option<Duration>,
    /// For connecting [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    connect_timeout: Option<Duration>,
    /// For the first byte of the response [default: 1860s, because a function may run for 1800s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    first_byte_timeout: Option<Duration>,
    /// Between two chunks of the response [default: none]
    #[arg(long, value_name = "TIME", value_parser = time)]
    idle_timeout: Option<Duration>,
}

impl TimeoutOptions {
    fn timeouts(&self) -> Timeouts {
        let mut timeouts = Timeouts::default();
        let unless_zero = |time: Duration| (!time.is_zero()).then_some(time);
        if let Some(time) = self.timeout {
            timeouts = timeouts.with_total(unless_zero(time));
        }
        if let Some(time) = self.connect_timeout {
            timeouts = timeouts.with_connect(unless_zero(time));
        }
        if let Some(time) = self.first_byte_timeout {
            timeouts = timeouts.with_first_byte(unless_zero(time));
        }
        if let Some(time) = self.idle_timeout {
            timeouts = timeouts.with_idle(unless_zero(time));
        }
        timeouts
    }
}

/// The report of a successful dry run.
pub(crate) const DRY_RUN_SUCCEEDED: &str =
    "lambda-invoke: the dry run succeeded: the call is permitted; the function did not run";

/// A call that is ready to be made: everything it needs has been read and validated.
#[derive(Debug)]
pub(crate) struct Prepared<'o> {
    pub(crate) client: Client,
    pub(crate) name: FunctionName<'o>,
    pub(crate) payload: Bytes,
    pub(crate) client_context: Option<ClientContext<'static>>,
    /// The maximum number of attempts that an option, the environment or a profile sets.
    pub(crate) max_attempts: Option<u32>,
    /// The endpoint of `--local`, which serves until this is dropped.
    _server: Option<Server>,
}

/// Runs a command that makes calls: shows on stderr what the client reports, and a failure as
/// `--json` wants it.
pub(crate) fn run(
    options: &Options,
    threads: Threads,
    work: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    call_state().as_json = options.json;
    // A line for each wait of many calls would help nobody.
    if options.verbose > 0 || matches!(threads, Threads::Current) {
        verbose::start(options.verbose, options.json);
    }
    runtime::run(threads, work).map_err(|failure| failure.in_json(options.json))
}

/// Applies the options to a call of either operation.
pub(crate) fn with_options<'o, Op: InvokeOperation>(
    mut call: Call<'o, Op>,
    options: &'o Options,
    payload: Bytes,
    client_context: Option<ClientContext<'static>>,
) -> Call<'o, Op> {
    call = call.payload(payload);
    if let Some(qualifier) = &options.qualifier {
        call = call.qualifier(qualifier.as_str());
    }
    if let Some(context) = client_context {
        call = call.client_context_base64(context);
    }
    for Header { name, value } in &options.headers {
        call = call.header(name, value);
    }
    if let Some(tenant) = &options.tenant_id {
        call = call.tenant_id(tenant.as_str());
    }
    call
}

impl Options {
    /// Reads and resolves everything that the call needs. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// If something is missing, unreadable or invalid.
    pub(crate) async fn prepare(&self) -> Result<Prepared<'_>, Failure> {
        let name = FunctionName::try_from(&self.function)
            .map_err(|error| Failure::usage(format!("'{}': {error}", self.function)))?;
        if let (Some(name), None) = (
            functions::source::name_of(&self.function),
            &self.connection.endpoint_url,
        ) {
            return Err(Failure::usage(format!(
                "'{file}' is a source file here, not the name of a function\n  hint: use {name} \
                 --local --function {file}",
                file = self.function
            )));
        }
        let payload = self.payload.read()?;
        let context = self.client_context.as_ref().map(payload::client_context);
        let client_context = context.transpose()?;
        let (client, server, max_attempts) = match self.local {
            true => {
                let (client, server) = self.local(&name).await?;
                (client, Some(server), self.max_attempts)
            }
            false => {
                let config = Config::new(&self.connection, Some(&name))?;
                let client = self.remote(&config).await?;
                let max_attempts = match self.max_attempts {
                    Some(most) => Some(most),
                    None => config.max_attempts()?,
                };
                (client, None, max_attempts)
            }
        };
        Ok(Prepared {
            client,
            name,
            payload,
            client_context,
            max_attempts,
            _server: server,
        })
    }

    /// The threads for this many concurrent calls. An endpoint in this process needs
    /// additional threads.
    pub(crate) fn threads(&self, calls: usize) -> Threads {
        match self.local {
            true => Threads::Many,
            false => Threads::Calls(calls),
        }
    }

    /// Whether the call goes to an endpoint in this process.
    pub(crate) fn is_local(&self) -> bool {
        self.local
    }

    /// The retry policy that the options describe.
    ///
    /// # Errors
    ///
    /// If the options contradict each other.
    fn policy(&self) -> Result<RetryPolicy, Failure> {
        let policy = RetryPolicy::from(self.retry);
        match (self.retry, self.max_attempts) {
            (Retry::None, Some(2..)) => Err(Failure::usage(
                "--max-attempts has no effect with --retry none\n  hint: use --retry safe, which \
                 retries only calls that did not run the function",
            )),
            (_, Some(most)) => Ok(policy.with_max_attempts(most)),
            (_, None) => Ok(policy),
        }
    }

    /// The deadline of a call that starts now.
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::new(&self.timeouts.timeouts())
    }

    async fn local(&self, name: &FunctionName<'_>) -> Result<(Client, Server), Failure> {
        let given = self.connection.region.as_deref().or(name.region());
        let region = given.unwrap_or("us-east-1");
        region::check(region).map_err(Failure::usage)?;
        let mut builder = Endpoint::builder();
        builder = match self.own.is_empty() {
            true => builder.builtins(),
            false => builder
                .functions(self.own_functions()?)
                // The lines of the function's own processes go to stderr, because stdout is for the
                // response.
                .on_log(|line| say(entry(line.text))),
        };
        let server = builder
            .region(region)
            // The service itself, in recordings, does not report a failed function in the stream.
            .error_code_in_stream(true)
            .bind_local()
            .await;
        let server = server.map_err(|error| Failure::new(Exit::Transport, error))?;
        let keys = Credentials::new("local", "local").map_err(Failure::usage)?;
        let timeouts = self.timeouts.timeouts();
        let client = Client::builder()
            .region(region)
            .credentials(keys)
            .endpoint_url(server.url())
            .retry(self.policy()?)
            .transport(Transport::builder().timeouts(timeouts).build())
            .build();
        Ok((client.map_err(|error| failure(&error))?, server))
    }

    fn own_specs(&self) -> Result<Vec<FunctionSpec>, Failure> {
        let folder = std::env::current_dir()
            .map_err(|error| Failure::usage(format!("the current directory: {error}")))?;
        functions::named(&self.own, &folder).map_err(Failure::usage)
    }

    /// The names of the functions of `--local`.
    pub(crate) fn local_functions(&self) -> Vec<String> {
        match self.own.is_empty() {
            true => advice::BUILT_IN.map(str::to_owned).into(),
            // They have been read before.
            false => {
                let specs = self.own_specs().unwrap_or_default().into_iter();
                specs.map(|spec| spec.name).collect()
            }
        }
    }

    fn own_functions(&self) -> Result<Vec<Function>, Failure> {
        let specs = self.own_specs()?;
        let functions = specs.iter().map(program::function);
        let functions: Result<Vec<_>, _> = functions.collect();
        functions.map_err(Failure::usage)
    }

    async fn remote(&self, config: &Config) -> Result<Client, Failure> {
        // Fetched before the call, since the call's timeouts do not apply to this.
        let (region, _) = config.signing().await?;
        let (endpoint, _) = config.endpoint(&region.value)?;
        let timeouts = self.timeouts.timeouts();
        let mut client = Client::builder()
            .region(region.value)
            .credentials(config.chain().clone())
            .endpoint_url(endpoint.uri().to_string())
            .retry(match self.max_attempts {
                Some(_) => self.policy()?,
                None => config.retry(self.policy()?)?,
            })
            .transport(config.transport(&endpoint, timeouts)?);
        for (name, value) in config.headers()? {
            client = client.header(name, value);
        }
        client.build().map_err(|error: Error| failure(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_first_byte_timeout_outlasts_the_longest_function() {
        let first_byte = Timeouts::default().first_byte().unwrap();
        assert_eq!(first_byte, Duration::from_secs(1_860));
        assert!(first_byte > lambda_invoke_endpoint::Function::LONGEST);
    }

    #[test]
    fn a_timeout_of_zero_is_no_timeout() {
        let options = TimeoutOptions {
            timeout: Some(Duration::from_secs(5)),
            connect_timeout: None,
            first_byte_timeout: Some(Duration::ZERO),
            idle_timeout: None,
        };
        let timeouts = options.timeouts();
        assert_eq!(timeouts.total(), Some(Duration::from_secs(5)));
        assert_eq!(timeouts.connect(), Timeouts::default().connect());
        assert_eq!(timeouts.first_byte(), None);
    }
}
