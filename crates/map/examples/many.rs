//! Sends 100 payloads to a function of a local endpoint, and writes each result as a line of JSON.
//!
//! ```text
//! cargo run -p lambda-invoke-map --example many
//! ```

use std::error::Error;

use lambda_invoke::Client;
use lambda_invoke_endpoint::Endpoint;
use lambda_invoke_map::{Item, Map, iter};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let server = Endpoint::builder().builtins().bind_local().await?;
    let client = Client::local(server.url())?;
    let items = (0..100).map(|n| Item::new(format!(r#"{{"photo":{n}}}"#)));
    let mut run = Map::new(client, "echo".try_into()?)
        .concurrency(8)
        .run(iter(items));
    let mut results = 0;
    while let Some(event) = run.next().await {
        println!("{}", String::from_utf8_lossy(event?.line()));
        results += 1;
    }
    assert!(results >= 100, "only {results} results");
    Ok(())
}
