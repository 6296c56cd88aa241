//! Functions on several runtimes: a buffered and a streaming call of each.

use aws_sdk_lambda::Client;
use serde_json::Value;

use crate::client::{Streamed, invoke, local, read, stream, text};

pub async fn run(url: &str, names: &[&str]) {
    let ours = local(url);
    for name in names {
        let (name, buffered) = match name.strip_suffix(":buffered") {
            Some(name) => (name, true),
            None => (*name, false),
        };
        let output = invoke(&ours, name, r#"{"kind":"echo","x":"ä"}"#);
        let output = output.send().await.unwrap();
        assert_eq!(output.function_error(), None, "{name}: {}", text(&output));
        let result: Value = serde_json::from_str(&text(&output)).unwrap();
        let event = result.get("event").unwrap_or(&result);
        assert_eq!(event["x"], "ä", "{name}: {result}");
        if !buffered {
            let times = chunk_times(&ours, name).await;
            println!("  aws-sdk-lambda, {name}: chunks at the client, in ms: {times}");
        }
    }
}

/// The times at which the client gets five chunks, each of which is written 0.2 s after the one
/// before. If one had been held back, two would arrive together; that also happens on a busy
/// machine, but not three times in a row.
pub async fn chunk_times(client: &Client, name: &str) -> String {
    let mut times = Vec::new();
    for _ in 0..3 {
        let streamed = read(stream(client, name, r#"{"chunks":5,"seconds":0.2}"#)).await;
        assert_eq!(streamed.complete.as_ref().unwrap().error_code(), None);
        times = times_of(&streamed);
        if times.windows(2).all(|pair| pair[1] - pair[0] > 100) {
            let times: Vec<_> = times.iter().map(u128::to_string).collect();
            return times.join(" ");
        }
    }
    panic!("{name}: chunks at {times:?}");
}

fn times_of(streamed: &Streamed) -> Vec<u128> {
    // The Rust runtime sends the head of an HTTP response first.
    let is_own = |(_, chunk): &&(u128, String)| chunk.starts_with("chunk ");
    let (times, chunks): (Vec<_>, Vec<_>) = streamed.chunks.iter().filter(is_own).cloned().unzip();
    let expected = "chunk 0\nchunk 1\nchunk 2\nchunk 3\nchunk 4\n";
    assert_eq!(chunks.concat(), expected, "{:?}", streamed.chunks);
    times
}
