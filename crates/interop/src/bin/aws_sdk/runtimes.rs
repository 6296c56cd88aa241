//! Functions on several runtimes: a buffered and a streaming call of each.

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
        assert!(text(&output).contains("ä"), "{name}: {}", text(&output));
        if !buffered {
            let streamed = read(stream(&ours, name, r#"{"chunks":5,"seconds":0.2}"#)).await;
            let times = check_times(&streamed);
            println!("  aws-sdk-lambda, {name}: chunks at the client, in ms: {times}");
        }
    }
}

/// Checks five chunks, each of which was written 0.2 s after the one before: had one been held back,
/// two would come together. The Rust runtime sends the head of an HTTP response before them.
pub fn check_times(streamed: &Streamed) -> String {
    let chunks = &streamed.chunks;
    let own: Vec<_> = chunks
        .iter()
        .filter(|(_, chunk)| chunk.starts_with("chunk "))
        .collect();
    let text: String = own.iter().map(|(_, chunk)| chunk.as_str()).collect();
    assert_eq!(
        text, "chunk 0\nchunk 1\nchunk 2\nchunk 3\nchunk 4\n",
        "{chunks:?}"
    );
    let times: Vec<_> = own.iter().map(|(time, _)| *time).collect();
    assert!(
        times.windows(2).all(|pair| pair[1] - pair[0] > 100),
        "{times:?}"
    );
    let times: Vec<_> = times.iter().map(u128::to_string).collect();
    times.join(" ")
}
