//! The bytes of responses, valid and invalid.

use lambda_invoke_protocol::{InvokeComplete, StreamEvent};

use crate::chaos::case::Asked;
use crate::chaos::run::site::{pieces, whole};

/// The id with which scripted servers are called.
pub const ID: &str = "scripted";

pub const REQUEST_ID: (&str, &str) = ("x-amzn-requestid", "8f507cfc-aaaa-4697-b07a-ac58fc914c95");
pub const VERSION: (&str, &str) = ("x-amz-executed-version", "$LATEST");
pub const JSON: (&str, &str) = ("content-type", "application/json");
pub const HTML: (&str, &str) = ("content-type", "text/html");
pub const EVENTS: (&str, &str) = ("content-type", "application/vnd.amazon.eventstream");
pub const CHUNKED: (&str, &str) = ("transfer-encoding", "chunked");
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// A head with only these headers.
pub fn head(line: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut text = format!("{line}\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// A response with a `Content-Length`.
pub fn sized(status: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len().to_string();
    let length = [("content-length", &length[..])];
    let head = head(&format!("HTTP/1.1 {status}"), &[headers, &length].concat());
    [head, body.to_vec()].concat()
}

/// One chunk of a chunked body.
pub fn chunk(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// The payload of a success.
pub fn payload() -> Vec<u8> {
    whole(Asked::Invoke, ID).to_vec()
}

/// The headers of a successful response of the operation.
pub fn success_headers(asked: Asked) -> Vec<(&'static str, &'static str)> {
    match asked {
        _ if asked.is_stream() => vec![REQUEST_ID, VERSION, EVENTS],
        _ => vec![REQUEST_ID, VERSION, JSON],
    }
}

/// The body of a successful response of the operation, before HTTP framing.
pub fn success_body(asked: Asked) -> Vec<u8> {
    body_of(asked, ID)
}

fn body_of(asked: Asked, id: &str) -> Vec<u8> {
    match asked {
        Asked::Event | Asked::DryRun | Asked::StreamDryRun => Vec::new(),
        _ if asked.is_stream() => frames(events_of(id)),
        _ => whole(Asked::Invoke, id).to_vec(),
    }
}

/// The status of a successful response of the operation.
pub fn success_status(asked: Asked) -> &'static str {
    match asked {
        Asked::Event => "202 Accepted",
        Asked::DryRun | Asked::StreamDryRun => "204 No Content",
        _ => "200 OK",
    }
}

/// A complete, successful response: with a length, or in chunks for a stream.
pub fn success(asked: Asked) -> Vec<u8> {
    success_of(asked, ID)
}

/// The successful response to a call with another id.
pub fn success_of_another(asked: Asked) -> Vec<u8> {
    success_of(asked, "another!")
}

fn success_of(asked: Asked, id: &str) -> Vec<u8> {
    let (status, headers) = (success_status(asked), success_headers(asked));
    let body = body_of(asked, id);
    match asked {
        Asked::DryRun | Asked::StreamDryRun => head(&format!("HTTP/1.1 {status}"), &headers),
        _ if asked.is_stream() => {
            let head = head(
                &format!("HTTP/1.1 {status}"),
                &[&headers[..], &[CHUNKED]].concat(),
            );
            [head, chunk(body), LAST_CHUNK.to_vec()].concat()
        }
        _ => sized(status, &headers, body),
    }
}

/// The events of a complete stream.
pub fn events() -> Vec<StreamEvent> {
    events_of(ID)
}

fn events_of(id: &str) -> Vec<StreamEvent> {
    let mut events: Vec<_> = pieces(id).into_iter().map(part).collect();
    events.push(complete());
    events
}

pub fn part(text: impl Into<Vec<u8>>) -> StreamEvent {
    StreamEvent::PayloadChunk(bytes::Bytes::from(text.into()).into())
}

pub fn complete() -> StreamEvent {
    StreamEvent::InvokeComplete(InvokeComplete::default())
}

/// Encodes events.
pub fn frames(events: impl IntoIterator<Item = StreamEvent>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for event in events {
        event
            .encode(&mut bytes)
            .expect("the event is of a size that can be sent");
    }
    bytes
}
