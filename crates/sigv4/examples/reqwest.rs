//! Signs a call of a Lambda function and sends it with reqwest.
//!
//! ```text
//! lambda-invoke serve &
//! cargo run -p lambda-invoke-sigv4 --example reqwest -- http://127.0.0.1:9001
//! ```
//!
//! Without an address, it only prints the request.

use std::error::Error;
use std::time::SystemTime;

use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer, Timestamp};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let base = address.as_deref().unwrap_or("http://127.0.0.1:9001");
    let signer = Signer::new(Credentials::new("local", "local")?, "us-east-1", "lambda")?;
    let url = format!("{base}/2015-03-31/functions/hello/invocations");
    let mut request = http::Request::post(url)
        .header("content-type", "application/json")
        .body(r#"{"name":"Ada"}"#)?;
    let now = Timestamp::try_from(SystemTime::now())?;
    let hash = PayloadHash::of(request.body());
    signer.sign_request(&mut request, &hash, now)?;
    if address.is_none() {
        println!("{request:#?}");
        return Ok(());
    }
    // reqwest takes requests of the crate `http`.
    let request = reqwest::Request::try_from(request)?;
    let response = reqwest::Client::new().execute(request).await?;
    println!("{}", response.error_for_status()?.text().await?);
    Ok(())
}
