//! Responses that never end, and slow ones.

use std::time::Duration;

use bytes::Bytes;

use super::super::text::{CHUNKED, HTML, JSON, chunk, head, success, success_headers};
use super::{Expect, Named, Step, script, write};
use crate::chaos::case::Asked;

/// Responses that never end.
pub(super) fn endless(asked: Asked) -> Vec<Named> {
    let line = "HTTP/1.1 200 OK\r\n";
    let forever = |bytes: Vec<u8>| Step::Repeat(bytes.into(), None);
    let headers = success_headers(asked);
    let chunked = head("HTTP/1.1 200 OK", &[&headers[..], &[CHUNKED]].concat());
    let error = head("HTTP/1.1 500 Error", &[JSON, CHUNKED]);
    let page = head("HTTP/1.1 200 OK", &[HTML, CHUNKED]);
    let body =
        match asked.is_stream() {
            true => crate::chaos::schedule::text::frames([crate::chaos::schedule::text::part(
                vec![b'x'; 60_000],
            )]),
            false => vec![b'x'; 60_000],
        };
    let unframed = head("HTTP/1.1 200 OK", &headers);
    let named = |name: &str, steps: Vec<Step>| (name.to_owned(), script(Expect::Error, steps));
    vec![
        named(
            "endless-headers",
            vec![write(line), forever("x-a: b\r\n".repeat(512).into_bytes())],
        ),
        named(
            "endless-header",
            vec![write(line), write("x-a: "), forever(vec![b'x'; 4096])],
        ),
        named(
            "endless-line",
            vec![write("HTTP/1.1 200 "), forever(vec![b'x'; 4096])],
        ),
        named("endless-blank", vec![forever(b"\r\n".repeat(2048))]),
        named("endless-zeros", vec![forever(vec![0; 4096])]),
        named("endless-body", vec![write(chunked), forever(chunk(&body))]),
        named("endless-unframed", vec![write(unframed), forever(body)]),
        named(
            "endless-error",
            vec![write(error), forever(chunk(vec![b'x'; 60_000]))],
        ),
        named(
            "endless-page",
            vec![write(page), forever(chunk(vec![b'x'; 60_000]))],
        ),
    ]
}

/// One byte at a time.
pub(super) fn slow(asked: Asked) -> Vec<Named> {
    let bytes = Bytes::from(success(asked));
    let end = bytes
        .windows(4)
        .position(|part| part == b"\r\n\r\n")
        .unwrap_or(0)
        + 4;
    let mut all = Vec::new();
    for (name, pause) in [("second", 1000), ("200-ms", 200)] {
        let pause = Duration::from_millis(pause);
        let head = [Step::Drip(bytes.clone(), pause)];
        all.push((format!("slow-head-{name}"), script(Expect::Error, head)));
        let (head, body) = (bytes.slice(..end), bytes.slice(end..));
        let body = [Step::Write(head), Step::Drip(body, pause)];
        all.push((format!("slow-body-{name}"), script(Expect::Error, body)));
    }
    all
}
