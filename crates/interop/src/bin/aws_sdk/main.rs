//! The AWS SDK for Rust against `lambda-invoke serve`.
//!
//! ```text
//! aws_sdk ENDPOINT_URL builtins
//! aws_sdk ENDPOINT_URL own
//! aws_sdk ENDPOINT_URL runtimes NAME[:buffered]...
//! ```

mod builtins;
mod client;
mod own;
mod runtimes;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [url, "builtins"] => builtins::run(url).await,
        [url, "own"] => own::run(url).await,
        [url, "runtimes", ref names @ ..] => runtimes::run(url, names).await,
        _ => panic!("expected: ENDPOINT_URL builtins|own|runtimes [NAME...]"),
    }
}
