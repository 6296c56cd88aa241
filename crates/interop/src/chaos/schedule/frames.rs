//! Event streams that are broken, or that end in every possible way.

use bytes::Bytes;
use lambda_invoke_event_stream::{HeaderBlock, HeaderValue, Message};
use lambda_invoke_protocol::{InvokeComplete, LogTail, StreamEvent, StreamException};

use super::scripts::{Expect, Named, Script, Step, closing, script, write};
use super::text::{
    CHUNKED, ID, LAST_CHUNK, REQUEST_ID, chunk, complete, events, frames, head, part,
    payload as whole_payload, success_headers,
};
use crate::chaos::case::Asked;
use crate::chaos::run::caller::MAX_RESPONSE;
use crate::chaos::run::site::pieces;

/// The number of one-byte frames in a full run; a quick run uses fewer.
pub const MILLION: u64 = 1_000_000;

/// A response with these bytes as its body.
fn streamed(body: &[u8]) -> Vec<u8> {
    let headers = [&success_headers(Asked::Stream)[..], &[CHUNKED]].concat();
    [
        head("HTTP/1.1 200 OK", &headers),
        chunk(body),
        LAST_CHUNK.to_vec(),
    ]
    .concat()
}

fn message(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let headers = headers
        .iter()
        .map(|(name, value)| (*name, HeaderValue::String(value)));
    let headers = HeaderBlock::from_headers(headers).expect("few and short headers");
    let mut bytes = Vec::new();
    let message = Message::new(headers, Bytes::copy_from_slice(payload));
    message.encode(&mut bytes).expect("a small message");
    bytes
}

/// All streams, with their names.
pub fn scripts(million: u64) -> Vec<Named> {
    let mut all = endings();
    all.extend(foreign());
    all.extend(damaged());
    all.extend(sizes(million));
    all.extend(after_complete());
    all
}

fn named(name: impl Into<String>, expect: Expect, body: impl AsRef<[u8]>) -> Named {
    (name.into(), closing(expect, streamed(body.as_ref())))
}

/// The stream up to this event, followed by these bytes.
fn up_to(count: usize, rest: impl AsRef<[u8]>) -> Vec<u8> {
    let mut body = frames(events().into_iter().take(count));
    body.extend_from_slice(rest.as_ref());
    body
}

/// Exceptions, errors and failures after every number of chunks; and every end that proves nothing.
fn endings() -> Vec<Named> {
    let mut all = Vec::new();
    for count in 0..=4 {
        let mut add = |name: &str, event: StreamEvent| {
            let body = up_to(count, frames([event]));
            all.push(named(format!("{name}-after-{count}"), Expect::Error, body));
        };
        let exception = StreamException::new("ServiceException", "down");
        add("exception", StreamEvent::Exception(exception.clone()));
        add(
            "unknown-exception",
            StreamEvent::Exception(StreamException::new("Teapot", "")),
        );
        add("error", StreamEvent::Error(exception));
        add(
            "failed",
            StreamEvent::InvokeComplete(InvokeComplete::failed("Unhandled", "no")),
        );
        add("logged", StreamEvent::InvokeComplete(logged("error")));
        add("timed-out", StreamEvent::InvokeComplete(logged("timeout")));
        all.push(named(
            format!("ends-after-{count}"),
            Expect::Error,
            up_to(count, ""),
        ));
    }
    all
}

/// The end of a stream whose function failed, which only the log reports.
fn logged(status: &str) -> InvokeComplete {
    let id = REQUEST_ID.1;
    let log = format!(
        "START RequestId: {id} Version: $LATEST\nEND RequestId: {id}\nREPORT RequestId: {id}\t\
         Duration: 2.90 ms\tBilled Duration: 3 ms\tMemory Size: 128 MB\tMax Memory Used: 38 MB\t\
         Status: {status}\n"
    );
    InvokeComplete::with_log(Some(LogTail::last_of(log.as_bytes())))
}

/// Events and messages of other kinds.
fn foreign() -> Vec<Named> {
    let event = |kind: &str| message(&[(":event-type", kind), (":message-type", "event")], b"{}");
    let mut all = Vec::new();
    for count in 0..=4 {
        // An unknown event is skipped.
        let body = [
            up_to(count, event("Heartbeat")),
            frames(events().into_iter().skip(count)),
        ];
        all.push(named(
            format!("unknown-event-at-{count}"),
            Expect::Whole,
            body.concat(),
        ));
        let mut add = |name: &str, bytes: Vec<u8>| {
            let body = [
                up_to(count, bytes),
                frames(events().into_iter().skip(count)),
            ]
            .concat();
            all.push(named(format!("{name}-at-{count}"), Expect::Error, body));
        };
        add("no-headers", message(&[], b"{}"));
        add(
            "no-event-type",
            message(&[(":message-type", "event")], b"{}"),
        );
        add(
            "no-message-type",
            message(&[(":event-type", "InvokeComplete")], b"{}"),
        );
        // Only events may be skipped.
        let other = [
            (":message-type", "request"),
            (":event-type", "InvokeComplete"),
        ];
        add("other-message-type", message(&other, b"{}"));
    }
    for payload in [
        "",
        "{",
        "[]",
        "null",
        "{\"ErrorCode\":7}",
        "{\"LogResult\":\"?\"}",
        "{}{}",
    ] {
        let headers = [
            (":event-type", "InvokeComplete"),
            (":content-type", "application/json"),
            (":message-type", "event"),
        ];
        let body = up_to(4, message(&headers, payload.as_bytes()));
        all.push(named(
            format!("complete-of-{payload:?}"),
            Expect::Either,
            body,
        ));
    }
    all
}

/// Frames whose lengths, checksums or headers are wrong.
fn damaged() -> Vec<Named> {
    let whole = frames(events());
    let first = frames(events().into_iter().take(1)).len();
    let mut all = Vec::new();
    for (name, at) in [("first", 0), ("second", first)] {
        let mut add = |what: &str, range: std::ops::Range<usize>, bytes: &[u8]| {
            let mut body = whole.clone();
            body.splice(at + range.start..at + range.end, bytes.iter().copied());
            all.push(named(format!("{what}-of-{name}"), Expect::Error, body));
        };
        for length in [0_u32, 1, 15, 16, 17, 1 << 20, (24 << 20) + 1, u32::MAX] {
            add(&format!("length-{length}"), 0..4, &length.to_be_bytes());
            add(&format!("headers-{length}"), 4..8, &length.to_be_bytes());
        }
        add("prelude-checksum", 8..12, &[0; 4]);
        add("byte-missing", 0..1, &[]);
        add("byte-more", 0..0, &[0]);
        add("header-name", 12..13, &[0]);
        add("html", 0..0, b"<html>502 Bad Gateway</html>");
    }
    let last = whole.len() - 1;
    let mut body = whole.clone();
    body[last] ^= 1;
    all.push(named("checksum-of-last", Expect::Error, body));
    all
}

/// Empty and maximal chunks, and streams of very many chunks.
fn sizes(million: u64) -> Vec<Named> {
    let empty = || part("");
    let mut with_empty = vec![empty(), empty()];
    for event in events() {
        let ends = matches!(event, StreamEvent::InvokeComplete(_));
        with_empty.extend([event].into_iter().chain((!ends).then(empty)));
    }
    let mut all = vec![named("empty-chunks", Expect::Whole, frames(with_empty))];
    let headers = [&success_headers(Asked::Stream)[..], &[CHUNKED]].concat();
    let start = || write(head("HTTP/1.1 200 OK", &headers));
    let many = |name: &str, expect, frame: Vec<u8>, count, rest: Vec<u8>| {
        // Many frames per HTTP chunk, as a server writes them.
        let together = 1000.min(count);
        let block = Bytes::from(chunk(frame.repeat(together as usize)));
        let end = [chunk(rest), LAST_CHUNK.to_vec()].concat();
        let steps = vec![
            start(),
            Step::Repeat(block, Some(count / together)),
            write(end),
        ];
        (name.to_owned(), script(expect, steps))
    };
    let none = frames([empty()]);
    let whole = frames(events());
    all.push(many(
        "million-empty-frames",
        Expect::Whole,
        none.clone(),
        million,
        whole.clone(),
    ));
    let one = frames([part("x")]);
    let (name, script) = many(
        "million-frames",
        Expect::Whole,
        one.clone(),
        million,
        whole.clone(),
    );
    let before = million as usize;
    all.push((name, Script { before, ..script }));
    all.push(many(
        "million-frames-cut",
        Expect::Error,
        one,
        million,
        none,
    ));
    // The largest payload of a message has 16 MiB; the caller accepts 8 MiB.
    let largest = frames([part(vec![b'x'; 16 << 20])]);
    all.push(many(
        "largest-chunk",
        Expect::Error,
        largest.clone(),
        1,
        largest,
    ));
    // The largest chunk that the caller accepts.
    let before = MAX_RESPONSE as usize - whole_payload().len();
    let accepted = frames([part(vec![b'x'; before])]);
    let (name, script) = many(
        "largest-accepted-chunk",
        Expect::Whole,
        accepted,
        1,
        whole.clone(),
    );
    all.push((name, Script { before, ..script }));
    // Each byte of the body is an HTTP chunk.
    let bytes: Vec<u8> = whole.iter().flat_map(|byte| chunk([*byte])).collect();
    let bytes = [
        head("HTTP/1.1 200 OK", &headers),
        bytes,
        LAST_CHUNK.to_vec(),
    ]
    .concat();
    all.push(("byte-by-byte".to_owned(), closing(Expect::Whole, bytes)));
    all
}

/// Streams with something after their end.
fn after_complete() -> Vec<Named> {
    let whole = frames(events());
    let more = |bytes: Vec<u8>| [whole.clone(), bytes].concat();
    let unknown = message(
        &[(":event-type", "Later"), (":message-type", "event")],
        b"{}",
    );
    let exception = StreamEvent::Exception(StreamException::new("ServiceException", "late"));
    let id = &pieces(ID)[0];
    let mut all = vec![
        named("complete-twice", Expect::Error, more(frames([complete()]))),
        named(
            "chunk-after-complete",
            Expect::Error,
            more(frames([part(id.clone())])),
        ),
        named(
            "empty-chunk-after-complete",
            Expect::Error,
            more(frames([part("")])),
        ),
        named("unknown-after-complete", Expect::Error, more(unknown)),
        named(
            "exception-after-complete",
            Expect::Error,
            more(frames([exception])),
        ),
        named("byte-after-complete", Expect::Error, more(vec![0])),
    ];
    let headers = [&success_headers(Asked::Stream)[..], &[CHUNKED]].concat();
    let unfinished = [head("HTTP/1.1 200 OK", &headers), chunk(&whole)].concat();
    // The stream is complete, whatever the connection does afterwards.
    for (name, last) in [
        ("close", Step::Close),
        ("reset", Step::Reset),
        ("hang", Step::Hang),
    ] {
        // A reset may overtake data that was sent before it.
        let expect = if name == "reset" {
            Expect::Either
        } else {
            Expect::Whole
        };
        let steps = [write(unfinished.clone()), last];
        all.push((format!("complete-then-{name}"), script(expect, steps)));
    }
    all
}
