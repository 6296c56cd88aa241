//! A client on lambda-invoke without retries, so that failed requests are noticed.
#![allow(dead_code)] // Each program uses a part of it.

use lambda_invoke::{Client, Credentials, ProvideCredentials, RetryPolicy, Transport};

const PAYLOAD: &[u8] = br#"{"name":"Ada"}"#;

/// A client with static credentials.
pub fn new(url: &str, ca: Option<&str>) -> Client {
    let keys = Credentials::new("local", "local").unwrap();
    with(url, ca, "us-east-1", keys)
}

/// A client with the default transport, or one that trusts only the given certificate authority.
pub fn with(
    url: &str,
    ca: Option<&str>,
    region: &str,
    credentials: impl ProvideCredentials + 'static,
) -> Client {
    let client = Client::builder()
        .region(region)
        .credentials(credentials)
        .retry(RetryPolicy::none())
        .endpoint_url(url);
    let client = match ca {
        None => client,
        Some(path) => {
            let pem = std::fs::read(path).unwrap();
            let transport = Transport::builder()
                .bundled_roots(false)
                .ca_pem(&pem)
                .unwrap();
            client.transport(transport.build())
        }
    };
    client.build().unwrap()
}

pub async fn first_byte(client: &Client) -> bool {
    let mut stream = client
        .stream("small")
        .payload(PAYLOAD)
        .send()
        .await
        .unwrap();
    !stream.next_chunk().await.unwrap().unwrap().is_empty()
}

/// Reads a stream, passes each chunk to `seen`, and returns the number of payload bytes.
pub async fn stream(client: &Client, function: &str, mut seen: impl FnMut(&[u8])) -> u64 {
    let mut stream = client
        .stream(function)
        .payload(PAYLOAD)
        .send()
        .await
        .unwrap();
    while let Some(chunk) = stream.next_chunk().await {
        seen(&chunk.unwrap());
    }
    assert!(stream.completion().is_some(), "the stream is incomplete");
    stream.received()
}

pub async fn invoke(client: &Client) -> u64 {
    let reply = client
        .invoke("small")
        .payload(PAYLOAD)
        .send()
        .await
        .unwrap();
    reply.payload().len() as u64
}
