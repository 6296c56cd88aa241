//! The client without async.
//!
//! ```text
//! cargo run -p lambda-invoke --features blocking --example blocking
//! ```

use std::error::Error;
use std::io::Write as _;

use lambda_invoke::blocking::Client;
use lambda_invoke_endpoint::Endpoint;

fn main() -> Result<(), Box<dyn Error>> {
    // Only the local endpoint needs a runtime here.
    let runtime = tokio::runtime::Runtime::new()?;
    let server = runtime.block_on(Endpoint::builder().builtins().bind_local())?;

    let client = Client::local(server.url())?;
    let reply = client
        .invoke("echo")
        .payload("[1,2]")
        .send()?
        .into_result()?;
    println!("{}", reply.text()?);
    for piece in client.stream("count").payload(r#"{"n":3}"#).send()? {
        std::io::stdout().write_all(&piece?)?;
    }
    Ok(())
}
