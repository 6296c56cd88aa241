//! Recorded responses of the service: every stream decodes to its events, log and report, and the
//! buffered responses recorded with them are classified correctly.

// Test helpers may panic just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::response::Parts;
use lambda_invoke_input::InvocationType;
use lambda_invoke_protocol::{
    EVENT_STREAM_CONTENT_TYPE, InvokeComplete, Outcome, Reply, ReportStatus, ResponseError,
    StreamError, StreamEvent, StreamHead, StreamInvocationType, StreamReader,
};
use lambda_invoke_vectors::{bytes, json, suite};
use serde_json::Value;

#[test]
fn every_recorded_stream_decodes_to_its_events_log_and_report() {
    suite("protocol/rawstreams", |folder| {
        let folders = ["rawstreams/kong-lambda", "rawstreams/stackd-lambda-native"];
        let bodies: Vec<PathBuf> = folders
            .iter()
            .flat_map(|name| fs::read_dir(folder.join(name)).unwrap())
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "bin"))
            .collect();
        for body in &bodies {
            check(body);
        }
        bodies.len()
    });
}

fn check(path: &Path) {
    let name = path.display();
    let body = bytes(path);
    let recorded = json(&path.with_extension("json"));
    let status = recorded["http_status"].as_u64().unwrap_or(200);
    let headers = &recorded["http_response_headers"];
    let asked = StreamInvocationType::RequestResponse;
    let head = StreamHead::from_parts(asked, &parts(status, headers)).unwrap();
    check_head(&head, headers);

    // The messages as recorded by an independent decoder.
    let expected: Vec<StreamEvent> = recorded["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(event)
        .collect();
    let (events, end) = read(&head, [&body[..]]);
    assert_eq!(events, expected, "{name}");
    let (bytewise, end_bytewise) = read(&head, body.chunks(1));
    assert_eq!(bytewise, expected, "{name} in single bytes");
    assert_eq!(end_bytewise, end, "{name} in single bytes");
    for at in 1..body.len() {
        let (left, right) = body.split_at(at);
        let (split, end_split) = read(&head, [left, right]);
        assert_eq!(split, expected, "{name} split at {at}");
        assert_eq!(end_split, end, "{name} split at {at}");
    }

    let mut written = Vec::new();
    let mut payload = Vec::new();
    for event in &expected {
        event.clone().encode(&mut written).unwrap();
        if let StreamEvent::PayloadChunk(chunk) = event {
            payload.extend_from_slice(&chunk.to_bytes());
        }
    }
    assert_eq!(written, body, "{name} written again");
    if let Some(hex) = recorded["concatenated_payload_hex"].as_str() {
        assert_eq!(payload, unhex(hex), "{name}");
    }
    if let Some(text) = recorded["concatenated_payload_utf8"].as_str() {
        assert_eq!(payload, text.as_bytes(), "{name}");
    }

    let Some(StreamEvent::InvokeComplete(complete)) = expected.last() else {
        panic!("{name} has no end")
    };
    // The last event reports no failure even if the function failed: only the log does.
    assert!(!complete.has_failed(), "{name}");
    check_log(complete, recorded["log_tail_utf8"].as_str());
    check_end(path, complete, head.request_id.as_deref(), end);
}

/// Checks that the stream's end agrees with the note about the function in the recording, as far as
/// the recorded stream reports the outcome at all.
fn check_end(
    path: &Path,
    complete: &InvokeComplete,
    request_id: Option<&str>,
    end: Result<(), StreamError>,
) {
    let label = path.file_stem().unwrap().to_str().unwrap();
    // A custom runtime's failure (explicit-trailer) and its error trailers are not reported
    // anywhere.
    let reported = match label {
        "throw-before" => Some("Error: probe-before"),
        "timeout-before" => Some("status timeout"),
        _ if label.starts_with("throw") => Some("Error: probe"),
        _ if label.starts_with("timeout") => Some("status timeout"),
        _ => None,
    };
    let failed = match end {
        Ok(()) => None,
        Err(StreamError::FunctionFailed { logged, .. }) => Some(logged.unwrap().to_string()),
        Err(other) => panic!("{label}: {other}"),
    };
    match reported {
        Some(reported) => assert!(failed.unwrap().starts_with(reported), "{label}"),
        None => assert_eq!(failed, None, "{label}"),
    }
    if let Some(log) = &complete.log {
        let outcome = match reported {
            Some(_) => Outcome::Failed,
            // In the text format the report does not include success.
            None => Outcome::NotReported,
        };
        assert_eq!(log.outcome(request_id), outcome, "{label}");
        assert_eq!(log.outcome(None), outcome, "{label}");
        assert_eq!(log.outcome(Some("another-request")), Outcome::NotReported);
    }
}

fn check_head(head: &StreamHead, recorded: &Value) {
    let header = |name: &str| {
        let mut all = recorded.as_object().unwrap().iter();
        all.find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str().unwrap())
    };
    assert_eq!(
        head.content_type.as_ref().unwrap(),
        EVENT_STREAM_CONTENT_TYPE
    );
    let remapped = head
        .remapped_content_type
        .as_ref()
        .map(|value| value.to_str().unwrap());
    assert_eq!(remapped, header("x-amzn-remapped-content-type"));
    let version = head.executed_version.as_ref();
    assert_eq!(
        version.map(|version| version.as_str()),
        header("x-amz-executed-version")
    );
    assert!(!version.is_some_and(|version| version.is_unrecognized()));
    assert_eq!(head.request_id.as_deref(), header("x-amzn-requestid"));
}

fn check_log(complete: &InvokeComplete, recorded: Option<&str>) {
    assert_eq!(
        complete
            .log
            .as_ref()
            .map(|log| log.text().into_owned())
            .as_deref(),
        recorded
    );
    let (Some(log), Some(text)) = (&complete.log, recorded) else {
        return;
    };
    assert_eq!(log.fault(), None);
    let line = text
        .lines()
        .find(|line| line.starts_with("REPORT "))
        .unwrap();
    let report = log.report().unwrap();
    assert_eq!(report.to_string(), line);
    // Parses the line independently, by the words around each number.
    let number = |name: &str, unit: &str| {
        let (_, rest) = line.split_once(&format!("\t{name}: "))?;
        let (number, _) = rest.split_once(unit)?;
        number.parse::<f64>().ok()
    };
    let millis = |duration: Option<Duration>| duration.map(|duration| duration.as_secs_f64() * 1e3);
    let close = |left: Option<f64>, right: Option<f64>| match (left, right) {
        (Some(left), Some(right)) => (left - right).abs() < 1e-6,
        (left, right) => left == right,
    };
    assert!(
        close(millis(report.duration), number("Duration", " ms")),
        "{line}"
    );
    assert!(
        close(
            millis(report.billed_duration),
            number("Billed Duration", " ms")
        ),
        "{line}"
    );
    assert!(
        close(millis(report.init_duration), number("Init Duration", " ms")),
        "{line}"
    );
    let megabytes = |size: Option<u64>| size.map(|size| size as f64);
    assert!(
        close(
            megabytes(report.memory_size_mb),
            number("Memory Size", " MB")
        ),
        "{line}"
    );
    assert!(
        close(
            megabytes(report.max_memory_used_mb),
            number("Max Memory Used", " MB")
        ),
        "{line}"
    );
    let status = line
        .split_once("Status: ")
        .map(|(_, status)| ReportStatus::from(status));
    assert_eq!(report.has_failed(), status.is_some());
    assert_eq!(report.status, status);

    let start = log.start().unwrap();
    assert_eq!(text.lines().next(), Some(start.to_string().as_str()));
    assert_eq!(start.request_id, report.request_id);
}

fn read<'a>(
    head: &StreamHead,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<StreamEvent>, Result<(), StreamError>) {
    let mut reader = StreamReader::new().with_request_id(head.request_id.clone());
    let mut events = Vec::new();
    for piece in pieces {
        reader.push(Bytes::copy_from_slice(piece));
        while let Some(event) = reader.next_event().unwrap() {
            events.push(event);
        }
    }
    (events, reader.finish())
}

/// Converts a recorded message into an event, without this crate's decoder.
fn event(message: &Value) -> StreamEvent {
    let header = |name: &str| {
        let headers = message["headers"].as_array().unwrap();
        headers
            .iter()
            .find(|header| header["name"] == name)
            .unwrap()["value"]
            .as_str()
            .unwrap()
    };
    let payload = unhex(message["payload_hex"].as_str().unwrap());
    assert_eq!(header(":message-type"), "event");
    match header(":event-type") {
        "PayloadChunk" => StreamEvent::PayloadChunk(payload.into()),
        "InvokeComplete" => {
            let members: Value = serde_json::from_slice(&payload).unwrap();
            let mut complete = InvokeComplete::default();
            complete.error_code = members["ErrorCode"].as_str().map(str::to_owned);
            complete.error_details = members["ErrorDetails"].as_str().map(str::to_owned);
            complete.log = members["LogResult"]
                .as_str()
                .map(lambda_invoke_protocol::LogTail::from_base64);
            StreamEvent::InvokeComplete(complete)
        }
        other => panic!("{other}"),
    }
}

fn unhex(hex: &str) -> Vec<u8> {
    let digit = |digit: u8| u8::try_from(char::from(digit).to_digit(16).unwrap()).unwrap();
    hex.as_bytes()
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

fn parts(status: u64, headers: &Value) -> Parts {
    let mut response = http::Response::builder().status(u16::try_from(status).unwrap());
    for (name, value) in headers.as_object().unwrap() {
        response = response.header(name, value.as_str().unwrap());
    }
    response.body(()).unwrap().into_parts().0
}

#[test]
fn the_buffered_responses_recorded_beside_the_streams() {
    suite("protocol/buffered", |folder| {
        let path = "rawstreams/stackd-lambda-native/related-buffered-invocations.json";
        let recorded = json(&folder.join(path));
        let observations = recorded["observations"].as_array().unwrap();
        for observation in observations {
            check_observation(observation);
        }
        observations.len()
    });
}

fn check_observation(recorded: &Value) {
    let label = recorded["label"].as_str().unwrap();
    let status = recorded["http_status"].as_u64().unwrap();
    let headers = &recorded["headers"];
    let parts = parts(status, headers);
    let payload = recorded["payload_utf8"].as_str().unwrap_or_default();
    let body = match &recorded["body"] {
        Value::Null => payload.to_owned(),
        body => body.to_string(),
    };
    // The recorder kept a selection of the headers, without the request id.
    let mut parts = parts;
    parts
        .headers
        .insert("x-amzn-requestid", http::HeaderValue::from_static("4d34"));
    let asked = match status {
        202 => InvocationType::Event,
        204 => InvocationType::DryRun,
        _ => InvocationType::RequestResponse,
    };
    match Reply::from_http(asked, &parts, Bytes::from(body)) {
        Ok(reply) => {
            assert!(status < 300, "{label}");
            assert_eq!(u64::from(reply.status.as_u16()), status, "{label}");
            assert_eq!(reply.payload, payload, "{label}");
            let function_error = headers["x-amz-function-error"].as_str();
            assert_eq!(reply.function_error.as_deref(), function_error, "{label}");
            let version = reply
                .executed_version
                .as_ref()
                .map(|version| version.as_str());
            assert_eq!(
                version,
                headers["x-amz-executed-version"].as_str(),
                "{label}"
            );
            assert_eq!(
                reply.log.is_some(),
                !headers["x-amz-log-result"].is_null(),
                "{label}"
            );
            // A response reports a failure if, and only if, the header does, whatever the payload
            // looks like.
            let failure = reply.failure().and_then(|failure| failure.error_type);
            let expected = function_error.map(|_| {
                serde_json::from_str::<Value>(payload).unwrap()["errorType"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            });
            assert_eq!(failure, expected, "{label}");
        }
        Err(ResponseError::Service(error)) => {
            assert!(status >= 400, "{label}");
            assert_eq!(u64::from(error.status()), status, "{label}");
            assert_eq!(
                error.code(),
                headers["x-amzn-errortype"].as_str(),
                "{label}"
            );
            assert_eq!(
                error.message(),
                recorded["body"]["Message"].as_str(),
                "{label}"
            );
        }
        Err(other) => panic!("{label}: {other}"),
    }
}
