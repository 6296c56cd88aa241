//! A client and an endpoint in one process, without a socket.

#![allow(clippy::unwrap_used)]

use lambda_invoke::{Client, Credentials};
use lambda_invoke_endpoint::Endpoint;

#[tokio::test]
async fn invokes_and_streams_without_a_socket() {
    let memory = Endpoint::builder().builtins().build().unwrap().in_memory();
    let client = Client::builder()
        .region("us-east-1")
        .endpoint_url("http://lambda.local")
        .credentials(Credentials::new("local", "local").unwrap())
        .transport(memory.clone())
        .build()
        .unwrap();
    let response = client.invoke("echo").payload("42").send().await.unwrap();
    assert_eq!(response.payload(), "42");
    let mut stream = client
        .stream("count")
        .payload(r#"{"n":3}"#)
        .send()
        .await
        .unwrap();
    let mut read = Vec::new();
    while let Some(chunk) = stream.next_chunk().await {
        read.extend_from_slice(&chunk.unwrap());
    }
    assert_eq!(read, b"1\n2\n3\n");
    assert_eq!(memory.endpoint().calls("echo").len(), 1);
}
