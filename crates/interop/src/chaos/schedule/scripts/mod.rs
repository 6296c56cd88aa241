//! All kinds of responses that a server, a proxy or a web page can produce.

mod chunked;
mod endless;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::text::{
    EVENTS, HTML, JSON, REQUEST_ID, VERSION, head, payload, sized, success, success_body,
    success_headers, success_of_another, success_status,
};
use crate::chaos::case::{Asked, Waits};

/// What a server does with the first request. It responds correctly to all others.
#[derive(Clone, Debug)]
pub struct Script {
    pub steps: Arc<[Step]>,
    pub expect: Expect,
    /// Whether the server has run the function by then.
    pub runs: bool,
    /// Whether the server responds without waiting for the request, and reads it afterwards.
    pub early: bool,
    /// Whether the request is longer than what the sockets hold that have not been read.
    pub long_request: bool,
    /// Whether the caller makes a second call, which must get its own response.
    pub again: bool,
    /// How many bytes `x` the payload has before the usual one.
    pub before: usize,
}

#[derive(Clone, Debug)]
pub enum Step {
    Write(Bytes),
    /// Writes repeatedly: forever, or this many times.
    Repeat(Bytes, Option<u64>),
    /// Writes byte by byte, with a pause after each.
    Drip(Bytes, Duration),
    Close,
    Reset,
    Hang,
}

/// What the caller must get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    Error,
    Whole,
    /// The whole payload, or an error.
    Either,
    /// The payload that follows from the HTTP framing, or an error: the server has sent less than
    /// it should have, but the response is complete in form.
    AsReceived,
}

pub fn script(expect: Expect, steps: impl Into<Vec<Step>>) -> Script {
    Script {
        steps: steps.into().into(),
        expect,
        runs: true,
        early: false,
        long_request: false,
        again: false,
        before: 0,
    }
}

pub fn write(bytes: impl Into<Vec<u8>>) -> Step {
    Step::Write(Bytes::from(bytes.into()))
}

/// A response, after which the server waits for the next request.
pub fn only(expect: Expect, bytes: impl Into<Vec<u8>>) -> Script {
    script(expect, [write(bytes)])
}

/// A response, after which the connection is closed.
pub fn closing(expect: Expect, bytes: impl Into<Vec<u8>>) -> Script {
    script(expect, [write(bytes), Step::Close])
}

impl Script {
    /// What the caller waits for in vain.
    pub fn waits(&self) -> Waits {
        let has_head = |bytes: &[u8]| bytes.windows(4).any(|part| part == b"\r\n\r\n");
        match self.steps.first() {
            _ if self.expect == Expect::Whole => Waits::Never,
            Some(Step::Write(bytes)) if has_head(bytes) => {
                // Only the timeout of the whole call ends such a body.
                let flows = |step: &Step| matches!(step, Step::Drip(..) | Step::Repeat(_, None));
                // Whether bytes are a response depends on whether the request began before them.
                match self.early || self.steps.iter().any(flows) {
                    true => Waits::ForEither,
                    false => Waits::ForBody,
                }
            }
            _ => Waits::ForHead,
        }
    }
}

pub type Named = (String, Script);

/// All responses that are not about events, with their names.
pub fn scripts(asked: Asked) -> Vec<Named> {
    let mut all = statuses(asked);
    all.extend(not_asked_for(asked));
    all.extend(versions(asked));
    all.extend(early(asked));
    if Asked::OPERATIONS.contains(&asked) {
        all.extend(lengths(asked));
        all.extend(chunked::chunks(asked));
        all.extend(endless::endless(asked));
        all.extend(endless::slow(asked));
    }
    all
}

/// The successful response with a different status, with and without a body.
fn statuses(asked: Asked) -> Vec<Named> {
    let right = success_status(asked);
    let mut all = Vec::new();
    for status in (200..400).chain([600, 999]) {
        if right.starts_with(&status.to_string()) {
            continue;
        }
        let line = format!("{status} Status");
        let headers = [&success_headers(asked)[..], &[("location", "/elsewhere")]].concat();
        let full = sized(&line, &headers, success_body(asked));
        all.push((format!("status-{status}"), closing(Expect::Error, full)));
        let empty = sized(&line, &headers, "");
        all.push((format!("status-{status}-empty"), only(Expect::Error, empty)));
    }
    all
}

/// The expected status, without the properties that make the response one of the operation.
fn not_asked_for(asked: Asked) -> Vec<Named> {
    let status = success_status(asked);
    let body = success_body(asked);
    let named = |name: &str, expect, headers: &[(&str, &str)], body: &[u8]| {
        let script = only(expect, sized(status, headers, body));
        (name.to_owned(), script)
    };
    let page = b"<html><body>It works!</body></html>";
    let mut all = vec![
        named("page", Expect::Error, &[HTML], page),
        named("page-as-json", Expect::Error, &[JSON], page),
    ];
    match asked {
        Asked::Invoke => {
            // AWS's emulator sends no request ID, so JSON is accepted.
            all.push(named("no-id", Expect::Either, &[JSON], &body));
            all.push(named("no-id-html", Expect::Error, &[HTML], &body));
            all.push(named("no-id-empty", Expect::Error, &[JSON], b""));
            all.push(named(
                "no-id-broken",
                Expect::Error,
                &[JSON],
                &body[..body.len() - 1],
            ));
            all.push(named(
                "html-with-id",
                Expect::Error,
                &[HTML, REQUEST_ID],
                &body,
            ));
        }
        Asked::Stream => {
            all.push(named("no-id", Expect::Either, &[EVENTS], &body));
            all.push(named(
                "json",
                Expect::Error,
                &[JSON, REQUEST_ID, VERSION],
                &payload(),
            ));
            all.push(named(
                "no-type",
                Expect::Error,
                &[REQUEST_ID, VERSION],
                &body,
            ));
        }
        _ => {
            all.push(named(
                "no-id",
                Expect::Error,
                &[("server", "nginx")],
                b"queued?",
            ));
        }
    }
    if Asked::OPERATIONS.contains(&asked) {
        for coding in ["gzip", "br", "zstd", "gzip, identity", "aws-chunked", "?"] {
            let headers = [&success_headers(asked)[..], &[("content-encoding", coding)]].concat();
            all.push(named(
                &format!("coded-{coding}"),
                Expect::Error,
                &headers,
                &body,
            ));
        }
    }
    all
}

/// Other versions of HTTP, interim responses, and invalid start lines.
fn versions(asked: Asked) -> Vec<Named> {
    let (status, headers) = (success_status(asked), success_headers(asked));
    let body = success_body(asked);
    let length = body.len().to_string();
    let sized = [&headers[..], &[("content-length", &length[..])]].concat();
    let of = |line: &str, headers: &[(&str, &str)]| {
        let line = format!("{line} {status}");
        [head(&line, headers), body.clone()].concat()
    };
    let mut all: Vec<Named> = Vec::new();
    let mut add = |name: &str, script| all.push((name.to_owned(), script));
    add("http-1.0", closing(Expect::Either, of("HTTP/1.0", &sized)));
    // A stream contains its own proof, and a dry run has no body to prove.
    let unproved = match asked {
        Asked::Stream | Asked::DryRun | Asked::StreamDryRun => Expect::Either,
        _ => Expect::Error,
    };
    add(
        "http-1.0-no-length",
        closing(unproved, of("HTTP/1.0", &headers)),
    );
    add(
        "http-1.1-no-length",
        closing(unproved, of("HTTP/1.1", &headers)),
    );
    add(
        "http-1.1-no-length-reset",
        script(unproved, [write(of("HTTP/1.1", &headers)), Step::Reset]),
    );
    for line in [
        "HTTP/2.0", "HTTP/0.9", "HTTP/1.2", "ICY", "SSH-2.0", "{", "\0\0", "HTTP/1.1",
    ] {
        let expect = if line == "HTTP/1.1" {
            Expect::Whole
        } else {
            Expect::Error
        };
        add(
            &format!("line-{}", line.escape_default()),
            closing(expect, of(line, &sized)),
        );
    }
    add("nothing", script(Expect::Error, [Step::Close]));
    add("nothing-reset", script(Expect::Error, [Step::Reset]));
    add("nothing-ever", script(Expect::Error, [Step::Hang]));
    add("half-a-line", closing(Expect::Error, "HTTP/1.1 20"));
    let interim = |line: &str| head(line, &[("link", "</style.css>")]);
    let early = |count: usize, line: &str| [interim(line).repeat(count), success(asked)].concat();
    add(
        "continue",
        only(Expect::Whole, early(1, "HTTP/1.1 100 Continue")),
    );
    add(
        "continue-100",
        only(Expect::Either, early(100, "HTTP/1.1 100 Continue")),
    );
    add(
        "early-hints",
        only(Expect::Whole, early(2, "HTTP/1.1 103 Early Hints")),
    );
    add(
        "switching",
        closing(Expect::Error, early(1, "HTTP/1.1 101 Switching Protocols")),
    );
    let endless = Step::Repeat(interim("HTTP/1.1 103 Early Hints").into(), None);
    add("interim-endless", script(Expect::Error, [endless]));
    all
}

/// Responses that are sent before the request has arrived, and in the middle of a long request.
fn early(asked: Asked) -> Vec<Named> {
    let mut all = before_the_request(asked);
    if Asked::OPERATIONS.contains(&asked) {
        all.extend(before_the_request(asked).into_iter().map(|(name, script)| {
            let script = Script {
                long_request: true,
                ..script
            };
            (format!("{name}-long"), script)
        }));
    }
    all
}

fn before_the_request(asked: Asked) -> Vec<Named> {
    let busy = sized(
        "429 Busy",
        &[("x-amzn-errortype", "TooManyRequestsException")],
        "{}",
    );
    let rejected = sized("413 Too Large", &[], "");
    let of = |bytes: Vec<u8>, expect, runs, last| Script {
        early: true,
        runs,
        ..script(expect, [write(bytes), last])
    };
    vec![
        // A client may take a response that was sent before its request for the response to it, since it
        // arrives after the request has been sent; or it sees it first, and rejects the connection.
        (
            "early-success".to_owned(),
            of(success(asked), Expect::Either, true, Step::Hang),
        ),
        (
            "early-success-close".to_owned(),
            of(success(asked), Expect::Either, true, Step::Close),
        ),
        (
            "early-busy".to_owned(),
            of(busy, Expect::Either, false, Step::Close),
        ),
        (
            "early-too-large".to_owned(),
            of(rejected, Expect::Either, false, Step::Close),
        ),
        (
            "early-close".to_owned(),
            of(Vec::new(), Expect::Either, true, Step::Close),
        ),
        (
            "early-reset".to_owned(),
            of(Vec::new(), Expect::Either, true, Step::Reset),
        ),
        (
            "early-garbage".to_owned(),
            of(b"\x16\x03\x01".to_vec(), Expect::Either, true, Step::Hang),
        ),
    ]
}

/// A Content-Length that is too small or too large.
fn lengths(asked: Asked) -> Vec<Named> {
    let body = success_body(asked);
    let whole = body.len();
    let with = |fields: &[(&str, &str)], body: &[u8]| {
        let headers = [&success_headers(asked)[..], fields].concat();
        [head("HTTP/1.1 200 OK", &headers), body.to_vec()].concat()
    };
    let length = |text: &str| with(&[("content-length", text)], &body);
    // A stream without its last event is truncated, whatever the framing of its body.
    let cut = if asked.is_stream() {
        Expect::Error
    } else {
        Expect::AsReceived
    };
    let mut all: Vec<Named> = Vec::new();
    let mut add = |name: &str, script| all.push((name.to_owned(), script));
    for (name, last) in [
        ("close", Step::Close),
        ("hang", Step::Hang),
        ("reset", Step::Reset),
    ] {
        let longer = length(&(whole + 1).to_string());
        // InvokeComplete ends a stream, whatever the connection does.
        let expect = if asked.is_stream() {
            Expect::Either
        } else {
            Expect::Error
        };
        add(
            &format!("longer-{name}"),
            script(expect, [write(longer), last.clone()]),
        );
        let much = length("99999999999");
        add(
            &format!("much-longer-{name}"),
            script(expect, [write(much), last]),
        );
    }
    add("shorter", only(cut, length(&(whole - 3).to_string())));
    add("zero", only(cut, length("0")));
    for text in [
        "-1",
        "+5",
        "0x10",
        "",
        "5, 6",
        "18446744073709551616",
        "1e3",
        "5 5",
        "1_0",
    ] {
        add(
            &format!("length-{text:?}"),
            closing(Expect::Error, length(text)),
        );
    }
    let (right, wrong) = (whole.to_string(), (whole - 1).to_string());
    add(
        "length-list",
        closing(Expect::Either, length(&format!("{right}, {right}"))),
    );
    let two = |first: &str, second: &str| {
        with(
            &[("content-length", first), ("content-length", second)],
            &body,
        )
    };
    add("length-twice", closing(Expect::Either, two(&right, &right)));
    add(
        "length-contradicts",
        closing(Expect::Error, two(&right, &wrong)),
    );
    add(
        "length-contradicts-2",
        closing(Expect::Error, two(&wrong, &right)),
    );
    // If a body is longer than announced, the rest looks like the next response.
    let poisoned = [success(asked), success_of_another(asked)].concat();
    let again = Script {
        again: true,
        ..only(Expect::Either, poisoned)
    };
    add("another-response-behind", again);
    all
}
