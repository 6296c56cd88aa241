// The READMEs' example, for any endpoint.

use std::io::Write;

use lambda_invoke::{Client, Credentials};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::builder()
        .region("eu-central-1")
        .endpoint_url(std::env::var("LAMBDA_ENDPOINT")?)
        .credentials(Credentials::new("AKIDEXAMPLE", "secret")?)
        .build()?;
    let call = client.stream("hello").payload(r#"{"name":"Zoë"}"#);
    let mut text = call.send().await?.into_text();
    while let Some(piece) = text.next_chunk().await {
        print!("{}", piece?);
        std::io::stdout().flush()?;
    }
    Ok(())
}
