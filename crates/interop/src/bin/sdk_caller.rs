//! Makes the calls that it reads from standard input with `aws-sdk-lambda`, and prints their
//! outcomes. Retries and everything else except the timeouts are the SDK's defaults.

use std::io::BufRead as _;
use std::time::Duration;

use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_lambda::error::DisplayErrorContext;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{InvokeWithResponseStreamResponseEvent as Event, LogType};
use aws_sdk_lambda::{Client, Config};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);

/// Trusts this authority, if the server is behind TLS.
fn http_client(ca: Option<&str>) -> Result<SharedHttpClient, String> {
    let Some(ca) = ca else {
        return Ok(Builder::new().build_http());
    };
    let trusted = TrustStore::empty().with_pem_certificate(ca);
    let context = TlsContext::builder().with_trust_store(trusted).build();
    Ok(Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context.map_err(|error| DisplayErrorContext(&error).to_string())?)
        .build_https())
}

fn client(url: &str, ca: Option<&str>) -> Result<Client, String> {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(SECOND)
        .read_timeout(SECOND)
        .build();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "static"))
        .timeout_config(timeouts)
        .retry_config(aws_sdk_lambda::config::retry::RetryConfig::standard())
        .endpoint_url(url)
        .http_client(http_client(ca)?);
    Ok(Client::from_conf(config.build()))
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| *byte as char).collect()
}

async fn call(asked: &Value) -> Result<Value, String> {
    let url = asked["url"].as_str().unwrap_or_default();
    let client = client(url, asked["ca"].as_str())?;
    let function = asked["function"].as_str().unwrap_or_default();
    let payload = Blob::new(asked["payload"].as_str().unwrap_or_default());
    if asked["stream"] != true {
        let call = client.invoke().function_name(function).payload(payload);
        let sent = call.log_type(LogType::Tail).send().await;
        let response = sent.map_err(|error| DisplayErrorContext(&error).to_string())?;
        let payload = response.payload().map(|blob| text(blob.as_ref()));
        return Ok(json!({
            "payload": payload.unwrap_or_default(),
            "failed": response.function_error(),
            "complete": true,
        }));
    }
    let call = client.invoke_with_response_stream().function_name(function);
    let sent = call.payload(payload).log_type(LogType::Tail).send().await;
    let mut response = sent.map_err(|error| DisplayErrorContext(&error).to_string())?;
    let (mut payload, mut failed, mut complete) = (String::new(), None, false);
    loop {
        let event = response.event_stream.recv().await;
        match event.map_err(|error| DisplayErrorContext(&error).to_string())? {
            None => break,
            Some(Event::PayloadChunk(chunk)) => {
                payload += &text(chunk.payload().map_or(b"", |blob| blob.as_ref()));
                if payload.len() > 8 << 20 {
                    return Err("larger than the caller allows".to_owned());
                }
            }
            Some(Event::InvokeComplete(end)) => {
                complete = true;
                failed = end.error_code().map(str::to_owned);
            }
            Some(_) => {}
        }
    }
    Ok(json!({ "payload": payload, "failed": failed, "complete": complete }))
}

#[tokio::main]
async fn main() {
    let (ask, mut asked) = tokio::sync::mpsc::unbounded_channel::<Value>();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let value = line.ok().and_then(|line| serde_json::from_str(&line).ok());
            if value.is_none_or(|value| ask.send(value).is_err()) {
                return;
            }
        }
    });
    while let Some(asked) = asked.recv().await {
        tokio::spawn(async move {
            let outcome = call(&asked).await;
            let mut outcome = outcome.unwrap_or_else(|error| json!({ "error": error }));
            outcome["number"] = asked["number"].clone();
            println!("{outcome}");
        });
    }
}
