//! The minimal caller on aws-sdk-lambda: makes one streaming call, and ends at its first byte.
//!
//!     first-sdk URL [CA.pem]

mod client;

fn main() {
    let mut args = std::env::args().skip(1);
    let url = args.next().expect("a URL");
    let ca = args.next();
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async {
            let client = client::new(&url, ca.as_deref());
            assert!(client::first_byte(&client).await);
        });
}
