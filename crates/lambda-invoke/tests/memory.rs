//! Collecting a stream of very many small pieces takes little more memory than its payload, however
//! large the stream was on the wire.
//!
//! This test has a file of its own, since it measures the whole process.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helper may")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use bytes::Bytes;
use lambda_invoke_protocol::StreamEvent;

/// 100 MB on the wire for 1.7 MiB of payload.
const PIECES: usize = 900_000;
const PIECE: &[u8] = b"ab";

/// A line of /proc/self/status, in bytes.
fn status(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap();
    let kilobytes = line.trim_matches([':', '\t', ' ']).trim_end_matches(" kB");
    kilobytes.parse::<usize>().unwrap() * 1024
}

/// A server that streams the pieces, a hundred per HTTP chunk, without keeping any of them in
/// memory.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.windows(4).any(|four| four == b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        socket.write_all(&support::stream_head(&[])).unwrap();
        let piece = support::event_bytes([StreamEvent::PayloadChunk(PIECE.into())]);
        let chunk = support::http_chunk(&piece.repeat(100));
        for _ in 0..PIECES / 100 {
            socket.write_all(&chunk).unwrap();
        }
        let end = [
            support::events([support::complete()]),
            support::LAST_CHUNK.to_vec(),
        ];
        socket.write_all(&end.concat()).unwrap();
    });
    url
}

#[tokio::test]
async fn a_collected_stream_takes_little_more_than_its_payload() {
    let client = support::builder().endpoint_url(serve()).build().unwrap();
    let stream = client.stream("f").send().await.unwrap();
    let before = status("VmRSS");
    let collected = stream.collect_all().await.unwrap();
    let grown = status("VmHWM").saturating_sub(before);
    let payload = PIECES * PIECE.len();
    assert_eq!(collected.to_bytes().len(), payload);
    assert_eq!(collected.chunks().count(), PIECES);
    // The documented bound, and what the client itself needs.
    let bound = 4 * payload + (6 << 20);
    println!("{payload} bytes of payload took {grown} bytes, at most {bound}");
    assert!(
        grown <= bound,
        "{grown} bytes for {payload}, at most {bound}"
    );

    // A small payload does not keep the buffer in which it arrived in memory, either.
    let replies = {
        let text = support::response("200 OK", &[("x-amzn-requestid", "the-id")], "42");
        support::Server::start(move |_, _| vec![support::Step::Write(text.clone())]).await
    };
    let client = replies.client();
    let before = status("VmRSS");
    let mut kept: Vec<Bytes> = Vec::new();
    for _ in 0..2_000 {
        kept.push(client.invoke("f").send().await.unwrap().into_payload());
    }
    let grown = status("VmRSS").saturating_sub(before);
    assert!(grown < 4 << 20, "{grown} bytes for {} replies", kept.len());
}
