//! A client and an endpoint in one process, without a socket: for tests that may not use the network.
//!
//! ```text
//! cargo run -p lambda-invoke --example in_memory
//! ```

use std::error::Error;
use std::sync::Arc;

use lambda_invoke::{Client, Credentials, Transport};
use lambda_invoke_endpoint::Endpoint;
use tokio::io::duplex;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let endpoint = Arc::new(Endpoint::builder().builtins().build()?);
    let transport = Transport::builder()
        .connect_with(move |_| {
            let endpoint = Arc::clone(&endpoint);
            async move {
                let (ours, theirs) = duplex(64 * 1024);
                tokio::spawn(async move { endpoint.serve_connection(theirs).await });
                Ok(ours)
            }
        })
        .build();
    let client = Client::builder()
        .region("us-east-1")
        .credentials(Credentials::new("local", "local")?)
        // The host name is signed, but nothing resolves it.
        .endpoint_url("http://in.memory")
        .transport(transport)
        .build()?;
    let stream = client.stream("count").payload(r#"{"n":3}"#).send().await?;
    let collected = stream.collect_all().await?;
    println!("{:?}", collected.text()?);
    Ok(())
}
