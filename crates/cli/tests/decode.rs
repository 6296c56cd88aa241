//! `lambda-invoke decode`.

#![allow(clippy::unwrap_used, clippy::panic)]

mod program;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Output, Stdio};

use bytes::Bytes;
use lambda_invoke_event_stream::{HeaderBlock, HeaderValue, Message};
use lambda_invoke_protocol::{InvokeComplete, LogTail, StreamEvent, StreamException};
use program::{fed, program, text};
use serde_json::{Value, json};

fn chunk(payload: &'static [u8]) -> Bytes {
    StreamEvent::PayloadChunk(payload.into())
        .to_message()
        .unwrap()
        .to_bytes()
        .unwrap()
}

fn complete() -> Bytes {
    let mut complete = InvokeComplete::default();
    complete.error_code = Some("Unhandled".to_owned());
    complete.log = Some(LogTail::last_of(b"a line\n"));
    StreamEvent::InvokeComplete(complete)
        .to_message()
        .unwrap()
        .to_bytes()
        .unwrap()
}

fn decode(arguments: &[&str], input: &[u8]) -> Output {
    fed(program().arg("decode").args(arguments), input)
}

fn lines(output: &Output) -> Vec<Value> {
    text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn writes_a_line_per_message_with_its_meaning_to_lambda() {
    let input = [chunk(b"Zo\xc3\xab"), chunk(b"\xff\x00"), complete()].concat();
    let output = decode(&[], &input);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let lines = lines(&output);
    assert_eq!(lines.len(), 3);
    let length = chunk(b"Zo\xc3\xab").len();
    assert_eq!(
        (&lines[0]["offset"], &lines[0]["length"]),
        (&json!(0), &json!(length))
    );
    assert_eq!(lines[1]["offset"], length);
    assert_eq!(lines[0]["event"], "PayloadChunk");
    assert_eq!(lines[0]["payload"], "Zoë");
    assert_eq!(
        lines[0]["headers"][0],
        json!({"name": ":event-type", "type": "string", "value": "PayloadChunk"})
    );
    assert_eq!(lines[1]["payload_base64"], "/wA=");
    assert_eq!(lines[1].get("payload"), None);
    assert_eq!(lines[2]["event"], "InvokeComplete");
    assert_eq!(
        lines[2]["complete"],
        json!({"ErrorCode": "Unhandled", "log": "a line\n"})
    );
}

#[test]
fn shows_exceptions_and_messages_of_other_services() {
    let exception = StreamEvent::Exception(StreamException::new("ServiceException", "unavailable"));
    let headers = [
        ("attempt", HeaderValue::Byte(-3)),
        ("id", HeaderValue::Uuid([0xab; 16])),
    ];
    let foreign = Message::new(HeaderBlock::from_headers(headers).unwrap(), "x");
    let input = [
        chunk(b"1"),
        exception.to_message().unwrap().to_bytes().unwrap(),
        foreign.to_bytes().unwrap(),
    ];
    let output = decode(&[], &input.concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let lines = lines(&output);
    assert_eq!(
        (&lines[1]["exception"], &lines[1]["message"]),
        (&json!("ServiceException"), &json!("unavailable"))
    );
    assert_eq!(lines[2].get("event"), None);
    assert_eq!(lines[2].get("event_error"), None);
    assert_eq!(
        lines[2]["headers"][0],
        json!({"name": "attempt", "type": "byte", "value": -3})
    );
    assert_eq!(
        lines[2]["headers"][1]["value"],
        "abababab-abab-abab-abab-abababababab"
    );
}

#[test]
fn every_truncation_is_exit_code_5_with_its_offset() {
    let whole = [chunk(b"one"), complete()].concat();
    let first = chunk(b"one").len();
    for end in [1, 11, 12, first - 1, first, first + 1, whole.len() - 1] {
        let output = decode(&[], &whole[..end]);
        assert_eq!(output.status.code(), Some(5), "{end}");
        assert_eq!(lines(&output).len(), usize::from(end >= first), "{end}");
        let stderr = text(&output.stderr);
        match end == first {
            true => assert!(stderr.contains("without InvokeComplete"), "{stderr}"),
            false => assert!(
                stderr.contains(&format!("stdin: at byte {end}: ")),
                "{stderr}"
            ),
        }
    }
    assert_eq!(
        decode(&[], b"").status.code(),
        Some(0),
        "empty input is not truncated"
    );
}

#[test]
fn damage_is_exit_code_2_with_its_place_and_what_came_before_is_shown() {
    let first = chunk(b"one");
    let mut input = [first.clone(), complete()].concat();
    let last = input.len() - 1;
    input[last] ^= 1;
    let output = decode(&[], &input);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(lines(&output).len(), 1);
    let stderr = text(&output.stderr);
    let at = format!("at byte {}: message checksum mismatch: ", last - 3);
    assert!(stderr.contains(&at), "{stderr}");

    let output = decode(&["--max-message", "20"], &first);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("the limit is 20"));
    assert_eq!(
        decode(&[], b"{\"message\":\"no stream\"}").status.code(),
        Some(2)
    );
}

#[test]
fn writes_only_the_payload() {
    let output = decode(
        &["--payload"],
        &[chunk(b"\xffone "), chunk(b"two"), complete()].concat(),
    );
    assert_eq!(output.stdout, b"\xffone two");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn reads_files() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("frames-{}.bin", std::process::id()));
    std::fs::write(&file, complete()).unwrap();
    let output = decode(&[file.to_str().unwrap()], b"");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(lines(&output).len(), 1);
    let output = decode(&["no-such-file"], b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("cannot read no-such-file"));
}

#[test]
fn shows_a_message_before_the_next_one_arrives() {
    let mut child = program()
        .arg("decode")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for piece in [&b"one"[..], b"two"] {
        // The next message is sent only after this one has been shown.
        stdin.write_all(&chunk(Box::leak(piece.into()))).unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["payload"], text(piece));
    }
    stdin.write_all(&complete()).unwrap();
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
#[cfg(unix)]
fn a_closed_stdout_ends_it_silently() {
    let mut child = program()
        .arg("decode")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    // A process that another test is starting may have inherited the reading end of the pipe and
    // hold it a moment longer, so keep writing until the program notices.
    let mut stdin = child.stdin.take().unwrap();
    assert!((0..1_000_000).any(|_| stdin.write_all(&complete()).is_err()));
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(141));
    assert_eq!(text(&output.stderr), "");
}

/// Input that is not an event stream, and the message about each.
#[test]
fn identifies_input_that_is_not_an_event_stream() {
    let frames = [chunk(b"one"), complete()].concat();
    let with_head = [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &frames].concat();
    let utf_16: Vec<u8> = std::iter::once(0xfeff)
        .chain("{\"a\":1}".encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    for (input, what) in [
        (
            &b"{\"message\":\"Internal Server Error\"}"[..],
            "it begins with JSON",
        ),
        (b"{}", "it begins with JSON"),
        (b"<!DOCTYPE html><html>", "it begins with HTML"),
        (b"<html>\n<head><title>502", "it begins with HTML"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03ab", "it begins with gzip"),
        (&with_head, "it begins with the head of an HTTP response"),
        (&utf_16, "it begins with UTF-16 text"),
        (b"AAAA", "it begins with text"),
        (b"Hello", "it begins with text"),
    ] {
        for arguments in [&[][..], &["--payload"]] {
            let output = decode(arguments, input);
            let stderr = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{what}: {stderr}");
            assert!(stderr.contains(what), "{what}: {stderr}");
            assert!(stderr.contains("decode expects"), "{stderr}");
            assert_eq!(text(&output.stdout), "");
        }
    }
}

#[test]
fn payload_of_input_without_a_response_is_an_error() {
    let foreign = |name, value| {
        let headers = [(":message-type", "event"), (name, value)];
        let headers = headers.map(|(name, value)| (name, HeaderValue::String(value)));
        Message::new(HeaderBlock::from_headers(headers).unwrap(), "row")
            .to_bytes()
            .unwrap()
    };
    // Messages such as those of S3 Select, Bedrock and Kinesis.
    let others = [
        foreign(":event-type", "Records"),
        foreign(":event-type", "chunk"),
    ]
    .concat();
    let output = decode(&["--payload"], &others);
    let stderr = text(&output.stderr);
    assert_eq!(
        (output.status.code(), text(&output.stdout)),
        (Some(2), ""),
        "{stderr}"
    );
    assert!(stderr.contains("(messages: 2)"), "{stderr}");
    assert!(stderr.contains("without --payload"), "{stderr}");

    for (options, code) in [(&["--payload"][..], 2), (&[], 0)] {
        let output = decode(options, b"");
        assert_eq!(output.status.code(), Some(code));
        assert!(text(&output.stderr).contains("the input is empty"));
    }

    // Next to the messages of a function, they are skipped and counted.
    let mixed = [chunk(b"one"), others.into(), complete()].concat();
    let output = decode(&["--payload"], &mixed);
    let stderr = text(&output.stderr);
    assert_eq!(
        (output.status.code(), text(&output.stdout)),
        (Some(0), "one"),
        "{stderr}"
    );
    assert!(stderr.contains("skipped 2 of 4 messages"), "{stderr}");
    assert!(
        stderr.contains("the function failed: Unhandled"),
        "{stderr}"
    );

    // A function that wrote nothing has an empty response, which is not an error.
    let output = decode(&["--payload"], &complete());
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), ""));

    let exception = StreamEvent::Exception(StreamException::new("ServiceException", "unavailable"));
    let exception = exception.to_message().unwrap().to_bytes().unwrap();
    let output = decode(&["--payload"], &exception);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("ServiceException: unavailable"));

    // The last message is truncated: the complete ones before it are written.
    let whole = [chunk(b"one"), chunk(b"two")].concat();
    let output = decode(&["--payload"], &whole[..whole.len() - 1]);
    assert_eq!(
        (output.status.code(), text(&output.stdout)),
        (Some(5), "one")
    );
}
