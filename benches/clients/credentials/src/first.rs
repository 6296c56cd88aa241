//! The minimal caller on lambda-invoke, with the credentials and the region of the selected
//! profile: makes one streaming call, and ends at its first byte.
//!
//!     first-credentials URL [CA.pem]

#[path = "../../ours/src/client.rs"]
mod client;

use lambda_invoke_credentials::Chain;

fn main() {
    let mut args = std::env::args().skip(1);
    let url = args.next().expect("a URL");
    let ca = args.next();
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async {
            let chain = Chain::builder().build().unwrap();
            let region = chain.region().await.unwrap().value;
            let client = client::with(&url, ca.as_deref(), &region, chain);
            assert!(client::first_byte(&client).await);
        });
}
