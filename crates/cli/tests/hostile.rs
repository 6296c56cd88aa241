//! Untrusted text on a terminal: control characters are escaped, and long texts are shortened.
#![allow(clippy::unwrap_used, clippy::panic)]

mod program;
mod scripted;

use std::process::Output;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_invoke_event_stream::{HeaderBlock, HeaderValue, Message};
use lambda_invoke_protocol::{InvokeComplete, LogTail, StreamEvent, StreamException};
use program::{fed, program, run, text};
use scripted::{Scripted, chunk, failed, response, stream};
use serde_json::Value;

/// Clears the screen, rings the bell, changes colors with a C1 control, reorders text, and uses other
/// line separators.
const HOSTILE: &str = "\u{1b}[2J\u{7}\u{9b}31m\u{202e}txt\u{2066}\u{7f}\rover\u{2028}";

fn is_interpreted(character: char) -> bool {
    (character.is_control() && character != '\n' && character != '\t')
        || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Checks that stderr has no characters that a terminal interprets, and returns it.
fn safe<'o>(output: &'o Output, what: &str) -> &'o str {
    let stderr = text(&output.stderr);
    assert!(!stderr.is_empty(), "{what}");
    assert!(!stderr.contains(is_interpreted), "{what}: {stderr:?}");
    stderr
}

#[test]
fn a_log_is_shown_escaped() {
    let mut log = format!("begin {HOSTILE} end\r\n").into_bytes();
    log.extend_from_slice(b"raw \x9b2J \xff\n");
    log.extend_from_slice(
        format!("REPORT RequestId: a\tDuration: 1.00 ms\tStatus: {HOSTILE}\t").as_bytes(),
    );
    let mut complete = InvokeComplete::default();
    complete.log = Some(LogTail::last_of(&log));
    let streamed =
        Scripted::responding(stream([chunk(b"1"), StreamEvent::InvokeComplete(complete)]));
    let encoded = STANDARD.encode(&log);
    let buffered = Scripted::responding(response(
        "200 OK",
        &[
            ("x-amzn-requestid", b"a"),
            ("x-amz-log-result", encoded.as_bytes()),
            ("content-type", b"application/json"),
        ],
        b"1",
    ));
    for (server, command) in [(streamed, "stream"), (buffered, "invoke")] {
        let output = server
            .program(&[command, "f", "--log-tail"])
            .output()
            .unwrap();
        let stderr = safe(&output, command);
        assert!(
            stderr.contains("begin \\u{1b}[2J\\u{7}\\u{9b}31m"),
            "{stderr}"
        );
        assert!(stderr.contains(" end\nraw "), "{stderr}");
        assert_eq!(text(&output.stdout), "1");
    }
}

/// Every text in a response that the program shows, both as text and as JSON.
#[test]
fn every_text_of_a_response_is_escaped() {
    let exception =
        |code: &str, message: &str| StreamEvent::Exception(StreamException::new(code, message));
    let id: &[u8] = b"id-\x9b2J-\xc2\x9b2J";
    let json = format!(
        r#"{{"errorMessage":{0},"errorType":{0}}}"#,
        Value::from(HOSTILE)
    );
    let message = format!(r#"{{"Message":{0},"message":{0}}}"#, Value::from(HOSTILE));
    let kind: &[u8] = "text/\u{9b}2J".as_bytes();
    for (what, bytes) in [
        ("error code", stream([failed(HOSTILE, "")])),
        ("error details", stream([failed("Unhandled", &json)])),
        (
            "details of no shape",
            stream([failed("Unhandled", HOSTILE)]),
        ),
        (
            "exception",
            stream([chunk(b"1"), exception(HOSTILE, HOSTILE)]),
        ),
        (
            "service error",
            response(
                "400 Bad",
                &[("x-amzn-requestid", id), ("x-amzn-errortype", kind)],
                message.as_bytes(),
            ),
        ),
        (
            "content type",
            response(
                "200 OK",
                &[("content-type", kind), ("x-amzn-requestid", id)],
                b"hi",
            ),
        ),
        (
            "function error",
            response(
                "200 OK",
                &[("x-amz-function-error", kind), ("x-amzn-requestid", id)],
                json.as_bytes(),
            ),
        ),
        (
            "page",
            response(
                "502 Bad",
                &[("content-type", b"text/html")],
                HOSTILE.as_bytes(),
            ),
        ),
    ] {
        let server = Scripted::responding(bytes);
        for command in ["stream", "invoke"] {
            for format in [&[][..], &["--json"]] {
                let output = server
                    .program(&[command, "f", "--retry", "none", "--log-tail"])
                    .args(format)
                    .output()
                    .unwrap();
                if output.status.code() == Some(0) {
                    // Some of the responses are valid for one of the commands.
                    assert!(
                        !text(&output.stderr).contains(is_interpreted),
                        "{what} {command}"
                    );
                    continue;
                }
                let stderr = safe(&output, what);
                if !format.is_empty() {
                    let error: Value = serde_json::from_str(stderr).unwrap();
                    assert!(error["error"]["execution"].is_string(), "{what}: {stderr}");
                }
            }
        }
    }
}

#[test]
fn every_argument_is_escaped() {
    let file = format!("@/nowhere/{HOSTILE}");
    for arguments in [
        &["stream", "f", "--no-such-\u{1b}[2J\u{9b}\u{202e}"][..],
        &[HOSTILE],
        &["stream", "f", "--timeout", HOSTILE],
        &["stream", "f", "--retry", HOSTILE],
        &["stream", HOSTILE, "--local"],
        &["stream", "f", "--local", "-q", HOSTILE],
        &["stream", "f", "--local", "-p", HOSTILE],
        &["stream", "f", "--local", "-p", &file],
        &["stream", "f", "--profile", HOSTILE],
        &["stream", "f", "--local", "--region", HOSTILE],
        &["check", HOSTILE],
        &["check", "f", "--qualifier", HOSTILE],
        &["sign", "f", "--time", HOSTILE],
        &["bench", "f", "--rate", HOSTILE],
        &["decode", HOSTILE],
        &["serve", "--listen", HOSTILE],
        &["serve", "--dead-letter", HOSTILE],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        safe(&output, &format!("{arguments:?}"));
    }
    let output = run(&["check", HOSTILE, "--json"]);
    assert!(!text(&output.stdout).contains(is_interpreted));
}

#[test]
fn the_lines_of_decode_are_escaped_and_keep_their_values() {
    let name = "na\u{9b}me";
    let headers = [
        (name, HeaderValue::String(HOSTILE)),
        (":event-type", HeaderValue::String("x")),
    ];
    let message = Message::new(HeaderBlock::from_headers(headers).unwrap(), HOSTILE);
    let output = fed(program().arg("decode"), &message.to_bytes().unwrap());
    let line = text(&output.stdout);
    assert!(!line.contains(is_interpreted), "{line:?}");
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["payload"], HOSTILE);
    assert_eq!(
        (&line["headers"][0]["name"], &line["headers"][0]["value"]),
        (&name.into(), &HOSTILE.into())
    );
    // Input that is not a stream is quoted.
    let output = fed(program().arg("decode"), format!("{{{HOSTILE}").as_bytes());
    safe(&output, "not a stream");
}

#[test]
fn a_long_text_is_shortened() {
    let long = "x\u{9b}".repeat(1 << 20);
    let details = format!(r#"{{"errorType":"E","errorMessage":"{long}"}}"#);
    let mut complete = InvokeComplete::default();
    complete.log = Some(LogTail::from_base64(STANDARD.encode(&long)));
    complete.error_code = Some("Unhandled".to_owned());
    for (what, bytes) in [
        ("details", stream([failed("Unhandled", &details)])),
        ("shapeless details", stream([failed("Unhandled", &long)])),
        ("code", stream([failed(&long, "")])),
        ("log", stream([StreamEvent::InvokeComplete(complete)])),
    ] {
        let server = Scripted::responding(bytes);
        for format in [&["--log-tail"][..], &["--json"]] {
            let output = server
                .program(&["stream", "f"])
                .args(format)
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(1), "{what}");
            let stderr = safe(&output, what);
            assert!(
                stderr.len() < 256 << 10,
                "{what} {format:?}: {}",
                stderr.len()
            );
        }
    }
    // The error of a buffered response is its payload, which is written unchanged.
    let server = Scripted::responding(response(
        "200 OK",
        &[
            ("x-amz-function-error", b"Unhandled"),
            ("x-amzn-requestid", b"a"),
        ],
        format!("{{\"errorMessage\":\"{}\"}}", "y".repeat(3 << 20)).as_bytes(),
    ));
    let output = server.program(&["invoke", "f"]).output().unwrap();
    assert!(safe(&output, "payload").len() < 64 << 10);
}

#[test]
fn a_report_of_many_long_codes_stays_readable() {
    let server = Scripted::start(|mut socket, number| {
        let code = format!("{number}-{}", "\u{1b}x".repeat(5_000));
        // The program may close the connection early.
        let _ = std::io::Write::write_all(&mut socket, &stream([failed(&code, "")]));
    });
    for format in [&[][..], &["--json"]] {
        let output = server
            .program(&["bench", "f", "-n", "300", "-c", "4"])
            .args(format)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        let stdout = text(&output.stdout);
        assert!(stdout.len() < 64 << 10, "{}", stdout.len());
        assert!(!stdout.contains(is_interpreted));
        assert!(stdout.contains("further codes"), "{stdout}");
        if !format.is_empty() {
            let result: Value = serde_json::from_str(stdout).unwrap();
            assert_eq!(result["failed"], 300);
        }
    }
}

#[test]
fn json_shows_the_payload_with_any_status() {
    let id: (&str, &[u8]) = ("x-amzn-requestid", b"a");
    for (status, arguments) in [
        ("202 Accepted", &["--event"][..]),
        ("202 Accepted", &[]),
        ("201 Created", &[]),
        ("206 Partial Content", &[]),
    ] {
        let server = Scripted::responding(response(status, &[id], b"\xff{}"));
        let output = server
            .program(&["invoke", "f", "--json", "--retry", "none"])
            .args(arguments)
            .output()
            .unwrap();
        match output.status.code() {
            Some(0) => {
                let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
                assert_eq!(shown["PayloadBase64"], "/3t9", "{status} {arguments:?}");
            }
            // A response with a status other than the requested one is an error.
            _ => assert!(!text(&output.stderr).is_empty(), "{status}"),
        }
    }
}
