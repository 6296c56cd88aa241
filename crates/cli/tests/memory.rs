//! The memory that the program uses for a long stream, as the operating system reports it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod program;
mod scripted;

use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Stdio};
use std::time::Duration;

use lambda_invoke_protocol::{InvokeComplete, StreamEvent};
use program::program;
use scripted::{STREAM, Scripted, chunk, frame};
use serde_json::Value;

/// The number of chunks of one byte each; a chunk takes about 120 bytes on the wire.
const CHUNKS: usize = 400_000;

/// The most memory that the program may use. Without optimization it uses about 10 MiB by itself.
const MOST: u64 = 24 << 20;

/// The peak resident memory of the process in bytes, or 0 if it has ended.
fn peak(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    let status = status.unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or_default()
        * 1024
}

/// Reads the program's stdout to its end, and returns it with the peak memory. The reader pauses
/// after the first byte, so any output that the program holds back accumulates.
fn watched(mut child: Child, pause: Duration) -> (Vec<u8>, u64) {
    let mut stdout = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut all = vec![0];
        stdout.read_exact(&mut all).unwrap();
        std::thread::sleep(pause);
        stdout.read_to_end(&mut all).unwrap();
        all
    });
    let mut most = 0;
    while !reader.is_finished() {
        most = peak(&child).max(most);
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(child.wait().unwrap().success());
    (reader.join().unwrap(), most)
}

/// 400 KB of payload in 46 MiB of frames.
#[test]
fn stream_json_holds_one_event_and_not_the_stream() {
    let server = Scripted::start(|mut socket, _| {
        let block: Vec<u8> = (0..1_000).flat_map(|_| frame(chunk(b"x"))).collect();
        let end = frame(StreamEvent::InvokeComplete(InvokeComplete::default()));
        let length = block.len() * (CHUNKS / 1_000) + end.len();
        write!(socket, "{STREAM}content-length: {length}\r\n\r\n").unwrap();
        for _ in 0..CHUNKS / 1_000 {
            socket.write_all(&block).unwrap();
        }
        socket.write_all(&end).unwrap();
    });
    let child = server
        .program(&["stream", "f", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (text, most) = watched(child, Duration::ZERO);
    let document: Value = serde_json::from_slice(&text).unwrap();
    let events = document["EventStream"].as_array().unwrap();
    assert_eq!(events.len(), CHUNKS + 1);
    assert_eq!(events[0]["PayloadChunk"]["Payload"], "eA==");
    assert!(most > 0 && most < MOST, "{} MiB", most >> 20);
}

/// 1 MB of payload in 56 MB of frames and 18 MB of JSON.
#[test]
fn stream_json_takes_little_memory_with_a_slow_reader() {
    const BLOCKS: usize = 5_000;
    let server = Scripted::start(|mut socket, _| {
        let http_chunk =
            |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
        write!(socket, "{STREAM}transfer-encoding: chunked\r\n\r\n").unwrap();
        let block = http_chunk(&frame(chunk(b"ab")).repeat(100));
        for _ in 0..BLOCKS {
            socket.write_all(&block).unwrap();
        }
        let end = frame(StreamEvent::InvokeComplete(InvokeComplete::default()));
        socket.write_all(&http_chunk(&end)).unwrap();
        socket.write_all(b"0\r\n\r\n").unwrap();
    });
    let child = server
        .program(&["stream", "f", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (text, most) = watched(child, Duration::from_secs(2));
    let document: Value = serde_json::from_slice(&text).unwrap();
    let events = document["EventStream"].as_array().unwrap();
    assert_eq!(events.len(), BLOCKS * 100 + 1);
    assert!(most > 0 && most < MOST, "{} MiB", most >> 20);
}

/// One message of 4 MiB, read eight bytes at a time.
#[test]
fn decode_holds_a_message_and_not_a_buffer_for_each_read() {
    let message = frame(chunk(&vec![b'x'; 4 << 20]));
    // Each read of a datagram socket returns one datagram, so the test controls the size of each
    // read.
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    let child = program()
        .args(["decode", "--payload"])
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let writer = std::thread::spawn(move || {
        for piece in message.chunks(8) {
            ours.send(piece).unwrap();
        }
        let end = frame(StreamEvent::InvokeComplete(InvokeComplete::default()));
        ours.send(&end).unwrap();
        // An empty datagram is the end of the input.
        ours.send(b"").unwrap();
    });
    let (text, most) = watched(child, Duration::ZERO);
    writer.join().unwrap();
    assert_eq!(text.len(), 4 << 20);
    assert!(most > 0 && most < MOST, "{} MiB", most >> 20);
}

/// An event is one member, even if it arrives in many chunks.
#[test]
fn stream_json_has_one_member_for_each_event_however_it_arrives() {
    let large = vec![b'x'; 600_000];
    let server = Scripted::responding(scripted::stream([
        chunk(&large),
        chunk(b"y"),
        StreamEvent::InvokeComplete(InvokeComplete::default()),
    ]));
    let output = server.program(&["stream", "f", "--json"]).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let events = document["EventStream"].as_array().unwrap();
    assert_eq!(events.len(), 3);
    assert_eq!(
        events[0]["PayloadChunk"]["Payload"].as_str().unwrap().len(),
        800_000
    );
    assert_eq!(events[1]["PayloadChunk"]["Payload"], "eQ==");
}
