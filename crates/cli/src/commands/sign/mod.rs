//! `lambda-invoke sign`: signs the request of a call without sending it.

mod curl;
mod request;

use std::ffi::OsString;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::request::Parts;
use lambda_invoke_sigv4::{PayloadHash, Signer, SigningSettings, Timestamp};
use serde_json::{Map, json};

use crate::call::config;
use crate::call::header::{self, Header};
use crate::call::payload;
use crate::exit::Failure;
use crate::number::time;
use crate::output;
use crate::runtime::{self, Threads};
use crate::terminal::{self, say};

const EXAMPLES: &str = "\
The signature covers the payload. Signed headers are valid for five minutes, a presigned URL for \
the time given. The secret key is never shown; a session token is, because it is part of the \
request.

Examples:
  lambda-invoke sign hello -p '{\"name\":\"Ada\"}'
  eval \"$(lambda-invoke sign hello --stream --curl)\" | lambda-invoke decode
  lambda-invoke sign hello --endpoint-url http://127.0.0.1:9001 --curl
  lambda-invoke sign hello --presign 15m
  lambda-invoke sign hello --time 20150830T123600Z --region us-east-1

To sign a request to any other service, which is not validated:
  lambda-invoke sign --service s3 -X GET --curl \\
      --url https://bucket.s3.amazonaws.com/key
  lambda-invoke sign --service sts -X GET --region us-east-1 --curl \\
    --url 'https://sts.amazonaws.com/?Action=GetSessionToken&Version=2011-06-15'";

/// Sign a request and show it without sending it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The function's name, partial ARN or ARN, optionally followed by :VERSION or :ALIAS
    #[arg(required_unless_present = "url")]
    function: Option<String>,
    #[command(flatten)]
    payload: payload::Options,
    /// Sign InvokeWithResponseStream instead of Invoke
    #[arg(long)]
    stream: bool,
    /// The version or alias to invoke
    #[arg(short, long, value_name = "VERSION|ALIAS", conflicts_with = "url")]
    qualifier: Option<String>,
    /// The client context for the function: a JSON object, its base64 encoding, or @FILE
    #[arg(long, value_name = "JSON", conflicts_with = "url")]
    client_context: Option<OsString>,
    /// The tenant ID, for a function with tenant isolation
    #[arg(long, value_name = "ID", conflicts_with = "url")]
    tenant_id: Option<String>,
    /// Request the end of the function's log
    #[arg(short, long, conflicts_with = "url")]
    log_tail: bool,
    /// Sign a dry run, which does not run the function
    #[arg(long, conflicts_with_all = ["url", "event"])]
    dry_run: bool,
    /// Sign an event invocation, which queues the payload
    #[arg(long, conflicts_with_all = ["url", "stream"])]
    event: bool,

    /// Show a curl command for a POSIX shell
    #[arg(long, help_heading = "Output", conflicts_with = "json")]
    curl: bool,
    /// Show one JSON object with method, url and headers
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// Show a presigned URL that is valid for this time (1s to 7 days)
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "Output")]
    presign: Option<Duration>,
    /// The signing time, such as 20150830T123600Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = timestamp, help_heading = "Output")]
    time: Option<Timestamp>,

    /// The URL of a request to any service
    #[arg(
        long,
        help_heading = "Other services",
        requires = "service",
        conflicts_with_all = ["function", "stream", "endpoint_url"]
    )]
    url: Option<String>,
    /// The service name in the signature, such as s3, sts or execute-api
    #[arg(long, help_heading = "Other services", requires = "url")]
    service: Option<String>,
    /// The HTTP method [default: POST]
    #[arg(short = 'X', long, help_heading = "Other services", requires = "url")]
    method: Option<http::Method>,
    /// Add a header 'NAME: VALUE', covered by the signature; can be repeated
    #[arg(
        short = 'H',
        long,
        value_name = "HEADER", value_parser = header::Parser,
        help_heading = "Other services",
        requires = "url"
    )]
    header: Vec<Header>,

    #[command(flatten)]
    connection: config::Options,
}

/// A signed request.
#[derive(Debug)]
struct Signed {
    parts: Parts,
    body: Bytes,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let is_presigned = arguments.presign.is_some();
    let (signed, needed) = runtime::run(Threads::Current, sign(&arguments))?;
    let Signed { parts, body } = &signed;
    let text = if arguments.curl {
        curl::command(parts, body)
    } else if arguments.json {
        let mut headers = Map::new();
        for (name, value) in sorted(parts) {
            headers.insert(name.to_owned(), value.into());
        }
        terminal::json(&json!({
            "method": parts.method.as_str(),
            "url": parts.uri.to_string(),
            "headers": headers,
        }))
    } else if is_presigned {
        parts.uri.to_string()
    } else {
        let target = parts
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str());
        let mut text = format!("{} {target} HTTP/1.1", parts.method);
        for (name, value) in sorted(parts) {
            text.push_str(&format!("\n{name}: {value}"));
        }
        text
    };
    output::print(format!("{text}\n").as_bytes())?;
    if is_presigned && !arguments.curl && !arguments.json {
        if parts.method != http::Method::GET {
            say(format_args!("send it with the method {}", parts.method));
        }
        for (name, value) in needed {
            say(format_args!("send it with the header {name}: {value}"));
        }
    }
    Ok(())
}

type Headers = Vec<(String, String)>;

/// Signs the request. Also returns the headers besides `host` that a presigned URL covers, which must
/// be sent with it.
async fn sign(arguments: &Arguments) -> Result<(Signed, Headers), Failure> {
    let request::Unsigned {
        mut parts,
        body,
        region,
        credentials,
    } = request::build(arguments).await?;
    let service = arguments.service.as_deref().unwrap_or("lambda");
    let is_s3 = service == "s3";
    let settings = match is_s3 {
        true => SigningSettings::s3(),
        false => SigningSettings::default(),
    };
    let signer = Signer::new(credentials, region, service)
        .map_err(Failure::usage)?
        .with_settings(settings);
    let time = match arguments.time {
        Some(time) => time,
        None => Timestamp::try_from(SystemTime::now()).map_err(|error| {
            Failure::usage(format!("the clock of this machine is wrong: {error}"))
        })?,
    };
    let Some(expires) = arguments.presign else {
        signer
            .sign(&mut parts, &PayloadHash::of(&body), time)
            .map_err(Failure::usage)?;
        return Ok((Signed { parts, body }, Vec::new()));
    };
    // Presigned URLs of S3 do not cover the payload. For Lambda, the content type is not covered,
    // so that the caller need not know it.
    let hash = match is_s3 {
        true => PayloadHash::Unsigned,
        false => PayloadHash::of(&body),
    };
    if arguments.url.is_none() {
        parts.headers.remove(http::header::CONTENT_TYPE);
    }
    signer
        .presign(&mut parts, &hash, time, expires)
        .map_err(|error| Failure::usage(format!("--presign: {error}")))?;
    let needed = sorted(&parts)
        .into_iter()
        .filter(|(name, _)| *name != "host")
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Ok((Signed { parts, body }, needed))
}

/// The headers sorted by name, so that equal requests are shown equally.
fn sorted(parts: &Parts) -> Vec<(&str, String)> {
    let mut headers: Vec<_> = parts
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.as_str(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    headers.sort();
    headers
}

fn timestamp(text: &str) -> Result<Timestamp, String> {
    text.parse()
        .map_err(|_| "expected a UTC time such as 20150830T123600Z".to_owned())
}
