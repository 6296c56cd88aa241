//! `lambda-invoke whoami`.

use serde_json::{Map, Value, json};

use crate::call::config::{self, Config};
use crate::exit::Failure;
use crate::output;
use crate::runtime::{self, Threads};
use crate::terminal;

const EXAMPLES: &str = "\
The secret key and the session token are never shown. Credentials are fetched as for a call: \
roles are assumed and programs run, but Lambda itself is not called.

Examples:
  lambda-invoke whoami
  lambda-invoke whoami --profile dev --json";

/// Show which credentials, region and endpoint a call would use, and where each comes from
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Write one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: config::Options,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let as_json = arguments.json;
    runtime::run(Threads::Current, whoami(&arguments)).map_err(|failure| failure.in_json(as_json))
}

async fn whoami(arguments: &Arguments) -> Result<(), Failure> {
    let config = Config::new(&arguments.connection, None)?;
    let (region, identity) = config.signing().await?;
    let (endpoint, endpoint_by) = config.endpoint(&region.value)?;
    let credentials = identity.credentials();
    let expiry = identity.expiry().map(|expiry| expiry.to_string());
    let endpoint = endpoint.uri().to_string();
    let rows = [
        ("provider", identity.provider().to_string(), identity.how()),
        ("key", credentials.access_key_id().to_owned(), ""),
        (
            "expires",
            expiry.clone().unwrap_or_else(|| "never".to_owned()),
            "",
        ),
        ("region", region.value.clone(), region.by.as_str()),
        ("endpoint", endpoint.clone(), endpoint_by.as_str()),
    ];
    let text = match arguments.json {
        true => {
            let mut object = Map::new();
            let mut insert = |name: &str, value: Value| object.insert(name.to_owned(), value);
            insert("provider", identity.provider().to_string().into());
            insert("provider_detail", identity.how().into());
            insert("access_key_id", credentials.access_key_id().into());
            insert("expires", json!(expiry));
            insert("region", region.value.into());
            insert("region_by", region.by.into());
            insert("endpoint", endpoint.into());
            insert("endpoint_by", endpoint_by.into());
            terminal::json(&Value::Object(object))
        }
        false => {
            let lines = rows.map(|(name, value, by)| match by {
                "" => format!("{name:<9} {value}"),
                by => format!("{name:<9} {value} ({by})"),
            });
            terminal::safe(&lines.join("\n"))
        }
    };
    output::print(format!("{text}\n").as_bytes())
}
