//! Small pieces of work in which the crates with the feature `tracing` report something, for
//! counting their instructions with and without the feature.
//!
//!     bench-tracing call|credentials N
//!
//! `call` calls a function that returns its payload, with the client and the endpoint in one
//! process, over a pipe in memory. `credentials` fetches credentials from the environment through
//! the whole chain.

use std::error::Error;
use std::sync::Arc;

use lambda_invoke::{Client, Credentials, Transport};
use lambda_invoke_credentials::Chain;
use lambda_invoke_endpoint::Endpoint;
use tokio::io::duplex;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [work, count] = args.as_slice() else {
        return Err("usage: bench-tracing call|credentials N".into());
    };
    let count: usize = count.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match work.as_str() {
            "call" => calls(count).await,
            "credentials" => fetches(count).await,
            _ => Err(format!("unknown work: {work}").into()),
        }
    })
}

async fn calls(count: usize) -> Result<()> {
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
        .endpoint_url("http://in.memory")
        .transport(transport)
        .build()?;
    for _ in 0..count {
        let response = client.invoke("echo").payload("[1,2,3]").send().await?;
        assert_eq!(response.payload().as_ref(), b"[1,2,3]");
    }
    Ok(())
}

async fn fetches(count: usize) -> Result<()> {
    for _ in 0..count {
        let chain = Chain::builder().build()?;
        assert_eq!(
            chain.identity().await?.credentials().access_key_id(),
            "AKIDEXAMPLE"
        );
    }
    Ok(())
}
