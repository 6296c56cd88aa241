//! Shows which credentials and which region this machine has, and where they come from; or where they
//! were looked for.
//!
//! ```text
//! cargo run -p lambda-invoke-credentials --example who
//! ```

use std::error::Error;

use lambda_invoke_credentials::Chain;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let chain = Chain::builder().build()?;
    match chain.identity().await {
        Ok(identity) => println!(
            "{} from {}",
            identity.credentials().access_key_id(),
            identity.how()
        ),
        Err(error) => println!("{error}"),
    }
    match chain.region().await {
        Ok(region) => println!("{}", region.value),
        Err(error) => println!("{error}"),
    }
    Ok(())
}
