//! Credentials from a source of one's own, renewed before they expire.
//!
//! ```text
//! cargo run -p lambda-invoke --example credentials_provider
//! ```

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use lambda_invoke::{Client, Credentials, CredentialsFuture, ProvideCredentials};
use lambda_invoke_endpoint::Endpoint;

/// A vault that issues keys for an hour.
#[derive(Clone, Debug, Default)]
struct Vault {
    visits: Arc<AtomicU32>,
}

impl ProvideCredentials for Vault {
    fn provide(&self) -> CredentialsFuture<'_> {
        Box::pin(async {
            self.visits.fetch_add(1, Ordering::Relaxed);
            // Here the vault would be asked, over the network or by a command.
            let expiry = SystemTime::now() + Duration::from_secs(3600);
            Ok(Credentials::new("local", "local")?.with_expiry_time(expiry))
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Endpoint::builder().builtins().bind_local().await?;
    let vault = Vault::default();
    let client = Client::builder()
        .region("us-east-1")
        .credentials(vault.clone())
        .endpoint_url(server.url())
        .build()?;
    for number in 0..3 {
        let reply = client
            .invoke("echo")
            .payload(number.to_string())
            .send()
            .await?;
        println!("{}", reply.into_result()?.text()?);
    }
    // The client keeps the keys until five minutes before they expire.
    match vault.visits.load(Ordering::Relaxed) {
        1 => Ok(()),
        visits => Err(format!("{visits} visits").into()),
    }
}
