//! Streams a function's response to standard output.
//!
//! ```text
//! cargo run -p lambda-invoke --example stream -- http://127.0.0.1:9001 hello '{"name":"Ada"}'
//! ```

use std::error::Error;
use std::io::Write as _;

use lambda_invoke::{Client, Credentials};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments
        .next()
        .ok_or("the first argument is the endpoint's address")?;
    let name = arguments
        .next()
        .ok_or("the second argument is the function's name")?;
    let payload = arguments.next().unwrap_or_else(|| "{}".to_owned());

    let client = Client::builder()
        .region("us-east-1")
        .credentials(Credentials::new("local", "local")?)
        .endpoint_url(url)
        .build()?;
    let mut stream = client
        .stream(name)
        .payload_validated(payload)
        .send()
        .await?;
    let mut out = std::io::stdout();
    while let Some(piece) = stream.next_chunk().await {
        out.write_all(&piece?)?;
        out.flush()?;
    }
    Ok(())
}
