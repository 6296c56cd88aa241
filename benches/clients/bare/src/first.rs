//! The minimal bare caller: makes one streaming call, and ends at its first byte.
//!
//!     first-bare URL [CA.pem]

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
            let request = client::unsigned(&url);
            let first = if url.starts_with("https:") {
                client::first_byte(&client::https(ca.as_deref()), request).await
            } else {
                client::first_byte(&client::plain(), request).await
            };
            assert!(first);
        });
}
