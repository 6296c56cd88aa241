//! Clients, their calls, and streams that are read to their end.

use std::time::Instant;

use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::{BehaviorVersion, Credentials, Region, StalledStreamProtectionConfig};
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::operation::RequestId;
use aws_sdk_lambda::operation::invoke::builders::InvokeFluentBuilder;
use aws_sdk_lambda::operation::invoke::{InvokeError, InvokeOutput};
use aws_sdk_lambda::operation::invoke_with_response_stream::builders::InvokeWithResponseStreamFluentBuilder;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    InvokeWithResponseStreamCompleteEvent as Complete,
    InvokeWithResponseStreamResponseEvent as Event, LogType,
};
use aws_sdk_lambda::{Client, Config};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// A client that does not retry.
pub fn client(url: &str, id: &str, secret: &str, token: Option<&str>) -> Client {
    let credentials = Credentials::new(id, secret, token.map(str::to_owned), None, "test");
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials)
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(url);
    Client::from_conf(config.build())
}

pub fn local(url: &str) -> Client {
    client(url, "local", "local", None)
}

/// An invocation of a function, with a payload and the log tail requested.
pub fn invoke(client: &Client, name: &str, payload: impl Into<String>) -> InvokeFluentBuilder {
    let payload: String = payload.into();
    client
        .invoke()
        .function_name(name)
        .log_type(LogType::Tail)
        .payload(Blob::new(payload))
}

/// The payload of a response as text.
pub fn text(output: &InvokeOutput) -> String {
    let payload = output.payload().map(|payload| payload.as_ref().to_vec());
    String::from_utf8(payload.unwrap_or_default()).unwrap()
}

pub fn decoded(base64: Option<&str>) -> String {
    let bytes = BASE64_STANDARD.decode(base64.unwrap_or_default()).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Checks that a call is rejected with this status and error code.
pub async fn rejected(call: InvokeFluentBuilder, status: u16, code: &str) -> SdkError<InvokeError> {
    let error = call.send().await.expect_err(code);
    assert_eq!(error.code(), Some(code), "{error:?}");
    let response = error.raw_response().unwrap();
    assert_eq!(response.status().as_u16(), status, "{error:?}");
    assert!(error.request_id().is_some(), "{error:?}");
    error
}

/// A stream that was read to its end.
pub struct Streamed {
    /// Each chunk with its time in milliseconds since the head of the response.
    pub chunks: Vec<(u128, String)>,
    pub complete: Option<Complete>,
}

impl Streamed {
    pub fn text(&self) -> String {
        self.chunks
            .iter()
            .map(|(_, chunk)| chunk.as_str())
            .collect()
    }
}

pub async fn read(call: InvokeWithResponseStreamFluentBuilder) -> Streamed {
    let mut response = call.send().await.unwrap();
    let begin = Instant::now();
    let (mut chunks, mut complete) = (Vec::new(), None);
    while let Some(event) = response.event_stream.recv().await.unwrap() {
        match event {
            Event::PayloadChunk(chunk) => {
                let bytes = chunk.payload.unwrap().into_inner();
                let chunk = String::from_utf8_lossy(&bytes).into_owned();
                chunks.push((begin.elapsed().as_millis(), chunk));
            }
            Event::InvokeComplete(event) => complete = Some(event),
            other => panic!("an event of another kind: {other:?}"),
        }
    }
    Streamed { chunks, complete }
}

/// A streaming invocation of a function, with the log tail requested.
pub fn stream(
    client: &Client,
    name: &str,
    payload: impl Into<String>,
) -> InvokeWithResponseStreamFluentBuilder {
    let payload: String = payload.into();
    client
        .invoke_with_response_stream()
        .function_name(name)
        .log_type(LogType::Tail)
        .payload(Blob::new(payload))
}
