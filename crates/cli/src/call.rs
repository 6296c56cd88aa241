//! What `stream` and `invoke` share: the options of a call, and the client that makes it.

use std::ffi::OsString;
use std::time::Duration;

use bytes::Bytes;
use clap::ValueEnum;
use lambda_invoke::{
    Call, Client, ClientContext, Credentials, Error, FunctionName, InvokeOperation, Proxy,
    RetryPolicy, Timeouts, Transport,
};
use lambda_invoke_endpoint::{Endpoint, Server};
use lambda_invoke_protocol::region;

use crate::config::{self, Config};
use crate::exit::{Exit, Failure};
use crate::outcome::failure;
use crate::output::Deadline;
use crate::payload;

/// The options of a call.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Options {
    /// The function: its name, its ARN, or anything between, with or without a version or alias
    pub(crate) function: String,
    #[command(flatten)]
    payload: payload::Options,
    /// The version or alias to run
    #[arg(short, long, value_name = "VERSION|ALIAS")]
    pub(crate) qualifier: Option<String>,
    /// What the function is told about the caller: a JSON object, base64 of one, or @FILE
    #[arg(long, value_name = "JSON")]
    client_context: Option<OsString>,
    /// The tenant, for a function with tenant isolation
    #[arg(long, value_name = "ID")]
    pub(crate) tenant_id: Option<String>,
    /// Show the end of the function's log on stderr, and what it says of time and memory
    #[arg(short, long)]
    pub(crate) log_tail: bool,
    /// Only check the call and the permission; the function does not run
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The whole answer as one JSON object, binary members in base64; errors as JSON on stderr
    #[arg(long)]
    pub(crate) json: bool,
    /// Call the functions hello, echo, count and fail of an endpoint in this process: no account,
    /// credentials or region needed
    #[arg(long, conflicts_with_all = ["profile", "endpoint_url"])]
    local: bool,
    /// What is sent again when it fails
    #[arg(long, value_enum, default_value_t = Retry::Safe, value_name = "WHAT")]
    retry: Retry,
    #[command(flatten)]
    times: Times,
    #[command(flatten)]
    connection: config::Options,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Retry {
    /// Nothing
    None,
    /// Only what certainly did not run
    Safe,
    /// Also what may have run: the function can run twice
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

/// The time limits of a call.
#[derive(Debug, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Time limits (30, 1.5, 500ms, 2m; 0 for none)")]
struct Times {
    /// In all, attempts and waiting included [default: none]
    #[arg(long, value_name = "TIME", value_parser = time)]
    timeout: Option<Duration>,
    /// For connecting [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    connect_timeout: Option<Duration>,
    /// For the first byte of the answer [default: 1860s, since a function may run for 1800]
    #[arg(long, value_name = "TIME", value_parser = time)]
    first_byte_timeout: Option<Duration>,
    /// For the wait between two pieces of the answer [default: none]
    #[arg(long, value_name = "TIME", value_parser = time)]
    idle_timeout: Option<Duration>,
}

impl Times {
    fn timeouts(&self) -> Timeouts {
        let mut limits = Timeouts::default();
        let limit = |time: Duration| (!time.is_zero()).then_some(time);
        if let Some(time) = self.timeout {
            limits = limits.with_total(limit(time));
        }
        if let Some(time) = self.connect_timeout {
            limits = limits.with_connect(limit(time));
        }
        if let Some(time) = self.first_byte_timeout {
            limits = limits.with_first_byte(limit(time));
        }
        if let Some(time) = self.idle_timeout {
            limits = limits.with_idle(limit(time));
        }
        limits
    }
}

/// A number of seconds, or a number with a unit.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let advice = "give seconds, as 30 or 1.5, or a number with a unit, as 500ms or 2m";
    match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string()),
        Err(_) => humantime::parse_duration(text).map_err(|error| error.to_string()),
    }
    .map_err(|error| format!("{error}; {advice}"))
}

/// A call that has been looked over and can be made.
#[derive(Debug)]
pub(crate) struct Prepared<'o> {
    pub(crate) client: Client,
    pub(crate) name: FunctionName<'o>,
    pub(crate) payload: Bytes,
    pub(crate) client_context: Option<ClientContext<'static>>,
    /// Serves as long as it is kept.
    _server: Option<Server>,
}

/// Gives a call of either operation what the options say.
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
    if let Some(tenant) = &options.tenant_id {
        call = call.tenant_id(tenant.as_str());
    }
    call
}

impl Options {
    /// Reads and looks up all that the call needs; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// If something is missing, cannot be read or is not what it should be.
    pub(crate) async fn prepare(&self) -> Result<Prepared<'_>, Failure> {
        let name = FunctionName::parse(&self.function)
            .map_err(|error| Failure::usage(format!("'{}': {error}", self.function)))?;
        let payload = self.payload.read()?;
        let context = self.client_context.as_ref().map(payload::client_context);
        let client_context = context.transpose()?;
        let (client, server) = match self.local {
            true => {
                let (client, server) = self.local(&name).await?;
                (client, Some(server))
            }
            false => (self.remote(&name)?, None),
        };
        Ok(Prepared {
            client,
            name,
            payload,
            client_context,
            _server: server,
        })
    }

    /// When the call is to be over, if it begins now.
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::of(&self.times.timeouts())
    }

    async fn local(&self, name: &FunctionName<'_>) -> Result<(Client, Server), Failure> {
        let given = self.connection.region.as_deref().or(name.region());
        let region = given.unwrap_or("us-east-1");
        region::check(region).map_err(Failure::usage)?;
        let server = Endpoint::builder()
            .builtins()
            .region(region)
            // The service has been seen not to tell that a function failed; this one tells.
            .error_code_in_stream(true)
            .bind_local()
            .await;
        let server = server.map_err(|error| Failure::new(Exit::Transport, error))?;
        let keys = Credentials::new("local", "local").map_err(Failure::usage)?;
        let limits = self.times.timeouts();
        let client = Client::builder()
            .region(region)
            .credentials(keys)
            .endpoint_url(server.url())
            .retry(self.retry.into())
            .timeouts(limits)
            .transport(Transport::builder().timeouts(limits).build())
            .build();
        Ok((client.map_err(|error| failure(&error))?, server))
    }

    fn remote(&self, name: &FunctionName<'_>) -> Result<Client, Failure> {
        let config = Config::new(&self.connection)?;
        let (region, credentials) = config.signing(Some(name))?;
        let endpoint = config.endpoint(&region)?;
        let proxy = Proxy::from_env();
        // Found before anything is sent: it would be so once for every attempt.
        let via = proxy.via(endpoint.uri()).map_err(Failure::usage)?;
        let limits = self.times.timeouts();
        let mut transport = Transport::builder().timeouts(limits).proxy(proxy);
        let is_https = [Some(endpoint.uri()), via.as_ref()]
            .into_iter()
            .flatten()
            .any(|uri| uri.scheme_str() == Some("https"));
        if let Some(path) = config.ca_bundle()?.filter(|_| is_https) {
            let unusable = |error: &dyn std::fmt::Display| {
                Failure::usage(format!("the CA bundle {path}: {error}"))
            };
            let pem = std::fs::read(&path).map_err(|error| unusable(&error))?;
            transport = transport
                .bundled_roots(false)
                .ca_pem(&pem)
                .map_err(|error| unusable(&error))?;
        }
        Client::builder()
            .region(region)
            .credentials(credentials)
            .endpoint_url(endpoint.uri().to_string())
            .retry(self.retry.into())
            .timeouts(limits)
            .transport(transport.build())
            .build()
            .map_err(|error: Error| failure(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_with_and_without_a_unit() {
        for (text, milliseconds) in [
            ("30", 30_000),
            ("1.5", 1_500),
            ("0", 0),
            ("500ms", 500),
            ("2m", 120_000),
            ("1m 30s", 90_000),
        ] {
            assert_eq!(
                time(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
        for text in ["", "-1", "soon", "5 parsecs", "inf", "nan", "1e300"] {
            assert!(time(text).unwrap_err().contains("as 500ms or 2m"), "{text}");
        }
    }

    #[test]
    fn the_default_first_byte_timeout_outlasts_the_longest_function() {
        let first_byte = Timeouts::default().first_byte().unwrap();
        assert_eq!(first_byte, Duration::from_secs(1_860));
        assert!(first_byte > lambda_invoke_endpoint::Function::LONGEST);
    }

    #[test]
    fn no_time_is_no_limit() {
        let times = Times {
            timeout: Some(Duration::from_secs(5)),
            connect_timeout: None,
            first_byte_timeout: Some(Duration::ZERO),
            idle_timeout: None,
        };
        let limits = times.timeouts();
        assert_eq!(limits.total(), Some(Duration::from_secs(5)));
        assert_eq!(limits.connect(), Timeouts::default().connect());
        assert_eq!(limits.first_byte(), None);
    }
}
