//! What two clients in Rust make of each case: this project's client and the AWS SDK.

use std::future::Future;
use std::time::Duration;

use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::{BehaviorVersion, Credentials, Region, StalledStreamProtectionConfig};
use aws_sdk_lambda::types::InvokeWithResponseStreamResponseEvent as Event;
use lambda_invoke::RetryPolicy;

use crate::cases;

/// How long a client may take after the last byte of a response has been sent.
const PATIENCE: Duration = Duration::from_secs(10);

/// Prints what a client makes of each case.
pub async fn read(client: &str, url: &str) {
    for case in cases::streams() {
        match client {
            "lambda-invoke" => report(case.name, ours_streams(url, case.name)).await,
            _ => report(case.name, sdk_streams(url, case.name)).await,
        }
    }
    for case in cases::responses() {
        match client {
            "lambda-invoke" => report(case.name, ours_invokes(url, case.name)).await,
            _ => report(case.name, sdk_invokes(url, case.name)).await,
        }
    }
}

/// Prints the outcome: the number of chunks, or that the response was rejected.
async fn report(name: &str, outcome: impl Future<Output = Option<usize>>) {
    match tokio::time::timeout(PATIENCE, outcome).await {
        Ok(Some(chunks)) => println!("{name}\taccepted {chunks}"),
        Ok(None) => println!("{name}\trejected"),
        Err(_) => println!("{name}\twaits"),
    }
}

fn ours(url: &str) -> lambda_invoke::Client {
    lambda_invoke::Client::builder()
        .region("us-east-1")
        .credentials(lambda_invoke::Credentials::new("local", "local").unwrap())
        .endpoint_url(url)
        .retry(RetryPolicy::none())
        .build()
        .unwrap()
}

async fn ours_streams(url: &str, name: &str) -> Option<usize> {
    let call = ours(url).stream(name.to_owned()).payload("{}");
    let mut stream = call.send().await.ok()?;
    let mut count = 0;
    while let Some(chunk) = stream.next_chunk().await {
        chunk.ok()?;
        count += 1;
    }
    Some(count)
}

async fn ours_invokes(url: &str, name: &str) -> Option<usize> {
    let call = ours(url).invoke(name.to_owned()).payload("{}");
    call.send().await.ok().map(|_| 1)
}

fn sdk(url: &str) -> aws_sdk_lambda::Client {
    let config = aws_sdk_lambda::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(url);
    aws_sdk_lambda::Client::from_conf(config.build())
}

async fn sdk_streams(url: &str, name: &str) -> Option<usize> {
    let call = sdk(url).invoke_with_response_stream().function_name(name);
    let mut response = call.send().await.ok()?;
    let mut count = 0;
    while let Some(event) = response.event_stream.recv().await.ok()? {
        count += usize::from(matches!(event, Event::PayloadChunk(_)));
    }
    Some(count)
}

async fn sdk_invokes(url: &str, name: &str) -> Option<usize> {
    let call = sdk(url).invoke().function_name(name);
    call.send().await.ok().map(|_| 1)
}
