//! A client on the SDK, used as its guide says, with static credentials and without retries, so
//! that failed requests are noticed.
#![allow(dead_code)] // Each program uses a part of it.

use aws_sdk_lambda::config::{
    BehaviorVersion, Credentials, Region, StalledStreamProtectionConfig, retry::RetryConfig,
};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{InvokeWithResponseStreamResponseEvent as Event, LogType};
use aws_sdk_lambda::{Client, Config};
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};

const PAYLOAD: &[u8] = br#"{"name":"Ada"}"#;

/// A client with the SDK's own HTTP client, or one that trusts only the given certificate authority.
pub fn new(url: &str, ca: Option<&str>) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "static"))
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .endpoint_url(url);
    let config = match ca {
        None => config,
        Some(path) => {
            let trusted = TrustStore::empty().with_pem_certificate(std::fs::read(path).unwrap());
            let context = TlsContext::builder()
                .with_trust_store(trusted)
                .build()
                .unwrap();
            config.http_client(
                aws_smithy_http_client::Builder::new()
                    .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                    .tls_context(context)
                    .build_https(),
            )
        }
    };
    Client::from_conf(config.build())
}

pub async fn first_byte(client: &Client) -> bool {
    let call = client.invoke_with_response_stream().function_name("small");
    let mut response = call.payload(Blob::new(PAYLOAD)).send().await.unwrap();
    matches!(
        response.event_stream.recv().await.unwrap(),
        Some(Event::PayloadChunk(_))
    )
}

/// Reads a stream, passes each chunk to `seen`, and returns the number of payload bytes.
pub async fn stream(client: &Client, function: &str, mut seen: impl FnMut(&[u8])) -> u64 {
    let call = client.invoke_with_response_stream().function_name(function);
    let call = call.log_type(LogType::None).payload(Blob::new(PAYLOAD));
    let mut response = call.send().await.unwrap();
    let (mut count, mut ended) = (0, false);
    while let Some(event) = response.event_stream.recv().await.unwrap() {
        match event {
            Event::PayloadChunk(chunk) => {
                let bytes = chunk.payload.unwrap().into_inner();
                count += bytes.len() as u64;
                seen(&bytes);
            }
            Event::InvokeComplete(_) => ended = true,
            _ => panic!("an event of another kind"),
        }
    }
    assert!(ended, "the stream is incomplete");
    count
}

pub async fn invoke(client: &Client) -> u64 {
    let call = client
        .invoke()
        .function_name("small")
        .payload(Blob::new(PAYLOAD));
    call.send()
        .await
        .unwrap()
        .payload
        .unwrap()
        .into_inner()
        .len() as u64
}
