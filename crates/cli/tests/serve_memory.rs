//! The memory that `lambda-invoke serve` uses, as the operating system reports it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod program;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use program::{PATIENCE, Serve};

/// The resident memory of the process, in KiB.
fn resident(serve: &Serve) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", serve.id())).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

/// Queues an event, and returns the start of the response.
fn queue(stream: &mut TcpStream, payload: &str) -> String {
    let host = stream.peer_addr().unwrap();
    let length = payload.len();
    // The headers have the size of those that an SDK sends.
    let padding = "x".repeat(1_000);
    let request = format!(
        "POST /2015-03-31/functions/hello/invocations HTTP/1.1\r\nhost: {host}\r\n\
         x-padding: {padding}\r\nx-amz-invocation-type: Event\r\n\
         content-length: {length}\r\n\r\n{payload}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    String::from_utf8(head.to_vec()).unwrap()
}

/// Reads the rest of a head without a body.
fn response(stream: &mut TcpStream) {
    let mut last = [0; 4];
    while &last != b"\r\n\r\n" {
        last.rotate_left(1);
        stream.read_exact(&mut last[3..]).unwrap();
    }
}

fn connect(serve: &Serve) -> TcpStream {
    let stream = TcpStream::connect(serve.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Starts and warms up an endpoint that queues all events without running them.
fn waiting(arguments: &[&str]) -> Serve {
    let mut all = vec!["--no-verify", "--quiet", "--concurrency", "hello=0"];
    all.extend(arguments);
    let serve = Serve::start(&all);
    for _ in 0..10 {
        assert_eq!(queue(&mut connect(&serve), "{}"), "HTTP/1.1 202");
    }
    serve
}

#[test]
fn a_thousand_small_events_use_little_more_than_their_size() {
    let serve = waiting(&["--event-queue-length", "2000"]);
    // Some events arrive on a connection of their own, the others on one whose read buffer has
    // grown.
    let mut busy = connect(&serve);
    let large = format!("\"{}\"", "x".repeat(1_000_000));
    for _ in 0..3 {
        assert_eq!(queue(&mut busy, &large), "HTTP/1.1 202");
        response(&mut busy);
    }
    let before = resident(&serve);
    for _ in 0..1_000 {
        assert_eq!(queue(&mut connect(&serve), "{}"), "HTTP/1.1 202");
    }
    for _ in 0..500 {
        assert_eq!(queue(&mut busy, "{}"), "HTTP/1.1 202");
        response(&mut busy);
    }
    let grown = resident(&serve).saturating_sub(before);
    // The events take about 600 KiB; the rest is the allocator's.
    assert!(grown < 4 * 1024, "{grown} KiB");
}

#[test]
fn the_queue_uses_no_more_memory_than_its_limit() {
    const BOUND: usize = 32 << 20;
    for size in [2, 70_000] {
        let bound = BOUND.to_string();
        let arguments = [
            "--event-queue-bytes",
            &bound,
            "--event-queue-length",
            "100000",
        ];
        let serve = waiting(&arguments);
        let before = resident(&serve);
        let payload = format!("\"{}\"", "x".repeat(size - 2));
        let mut accepted = 0_u64;
        // Stop when the queue is full, or holds so many events that each one must use less than its
        // share.
        while accepted < 5_000 && queue(&mut connect(&serve), &payload) == "HTTP/1.1 202" {
            accepted += 1;
        }
        let full = accepted < 5_000;
        assert_eq!(full, size == 70_000, "{accepted}");
        let grown = resident(&serve).saturating_sub(before) * 1024;
        // Allow for the allocator's overhead: an eighth, and 4 MiB.
        let most = (BOUND / 8 * 9 + (4 << 20)) as u64;
        assert!(
            grown < most,
            "{grown} bytes for {accepted} events of {size}"
        );
    }
}
