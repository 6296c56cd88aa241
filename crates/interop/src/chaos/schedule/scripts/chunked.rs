//! Chunked framing, broken in every way.

use super::super::text::{CHUNKED, LAST_CHUNK, chunk, head, success_body, success_headers};
use super::{Expect, Named, Step, closing, only, script, write};
use crate::chaos::case::Asked;

pub(super) fn chunks(asked: Asked) -> Vec<Named> {
    let body = success_body(asked);
    let (start, rest) = body.split_at(body.len() / 2);
    let with = |fields: &[(&str, &str)], parts: &[&[u8]]| {
        let headers = [&success_headers(asked)[..], fields].concat();
        [head("HTTP/1.1 200 OK", &headers), parts.concat()].concat()
    };
    let chunked = |parts: &[&[u8]]| with(&[CHUNKED], parts);
    let (first, second) = (chunk(start), chunk(rest));
    // For a stream, InvokeComplete is the only proof of its end, and it is present here.
    let unproved = if asked.is_stream() {
        Expect::Either
    } else {
        Expect::Error
    };
    let mut all: Vec<Named> = Vec::new();
    let mut add = |name: &str, script| all.push((name.to_owned(), script));
    add(
        "chunked",
        only(Expect::Whole, chunked(&[&first, &second, LAST_CHUNK])),
    );
    add("chunked-cut", closing(Expect::Error, chunked(&[&first])));
    add(
        "chunked-ends-early",
        only(Expect::AsReceived, chunked(&[&first, LAST_CHUNK])),
    );
    add(
        "chunked-no-last",
        closing(unproved, chunked(&[&first, &second])),
    );
    add(
        "chunked-no-last-hang",
        script(unproved, [write(chunked(&[&first, &second])), Step::Hang]),
    );
    add(
        "chunked-last-cut",
        closing(Expect::Either, chunked(&[&first, &second, b"0\r\n"])),
    );
    add(
        "chunked-last-cut-2",
        closing(unproved, chunked(&[&first, &second, b"0"])),
    );
    for size in [
        "-1",
        "g",
        "",
        "0x5",
        "fffffffffffffffff",
        "1 0",
        "+5",
        "5\n",
        "\u{ff15}",
    ] {
        let line = format!("{size}\r\n");
        let bytes = chunked(&[&first, line.as_bytes(), rest, b"\r\n", LAST_CHUNK]);
        add(
            &format!("chunk-size-{}", size.escape_default()),
            closing(Expect::Error, bytes),
        );
    }
    let longer = format!("{:x}\r\n", rest.len() + 1);
    add(
        "chunk-longer",
        closing(
            Expect::Error,
            chunked(&[&first, longer.as_bytes(), rest, b"\r\n", LAST_CHUNK]),
        ),
    );
    let shorter = format!("{:x}\r\n", rest.len() - 1);
    add(
        "chunk-shorter",
        closing(
            Expect::Error,
            chunked(&[&first, shorter.as_bytes(), rest, b"\r\n", LAST_CHUNK]),
        ),
    );
    add(
        "chunk-garbage",
        closing(Expect::Error, chunked(&[&first, b"\r\n\r\n<html>"])),
    );
    let endless = [
        write(chunked(&[&first])),
        write("5;a="),
        Step::Repeat("x".repeat(4096).into(), None),
    ];
    add("chunk-extension-endless", script(Expect::Error, endless));
    let trailers = [
        write(chunked(&[&first, &second, b"0\r\n"])),
        Step::Repeat("x-a: b\r\n".repeat(512).into(), None),
    ];
    add("trailers-endless", script(unproved, trailers));
    let trailer = b"0\r\nx-amz-function-error: Unhandled\r\n\r\n";
    add(
        "trailer",
        only(Expect::Either, chunked(&[&first, &second, trailer])),
    );
    for coding in [
        "identity",
        "gzip",
        "chunked, gzip",
        "gzip, chunked",
        "xchunked",
        "chunked,",
    ] {
        let bytes = with(
            &[("transfer-encoding", coding)],
            &[&first, &second, LAST_CHUNK],
        );
        add(&format!("coding-{coding}"), closing(Expect::Error, bytes));
    }
    let both = with(
        &[("content-length", "5"), CHUNKED],
        &[&first, &second, LAST_CHUNK],
    );
    add("length-and-chunked", closing(Expect::Either, both));
    let old = [
        head(
            "HTTP/1.0 200 OK",
            &[&success_headers(asked)[..], &[CHUNKED]].concat(),
        ),
        first.clone(),
    ];
    add("chunked-1.0-cut", closing(Expect::Error, old.concat()));
    all
}
