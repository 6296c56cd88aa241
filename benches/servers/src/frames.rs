//! The messages that the bare servers send.

use bytes::Bytes;
use lambda_invoke_event_stream::{HeaderBlock, HeaderValue, Message};

/// The response of the function `small`.
pub const SMALL: &[u8] = br#""Hello, Ada. What a fine day it is.""#;

fn message(event: &str, content_type: &str, payload: &[u8]) -> Bytes {
    let header = |(name, value)| (name, HeaderValue::String(value));
    let headers = [
        (":event-type", event),
        (":content-type", content_type),
        (":message-type", "event"),
    ];
    let headers = HeaderBlock::from_headers(headers.map(header)).unwrap();
    Message::new(headers, Bytes::copy_from_slice(payload))
        .to_bytes()
        .unwrap()
}

pub fn chunk(payload: &[u8]) -> Bytes {
    message("PayloadChunk", "application/octet-stream", payload)
}

pub fn complete() -> Bytes {
    message("InvokeComplete", "application/json", b"{}")
}
