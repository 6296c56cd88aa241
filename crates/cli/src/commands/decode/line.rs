//! Renders a message as a line of JSON, with its meaning to Lambda.

use std::fmt::Write as _;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_invoke_event_stream::{HeaderType, HeaderValue, Message};
use lambda_invoke_protocol::StreamEvent;
use serde::Serialize;
use serde_json::Value;

use crate::terminal::write_json;

/// The parts of a function's response that have been seen.
#[derive(Debug, Default)]
pub(super) struct Lambda {
    /// Where the last message ended.
    end: u64,
    messages: u64,
    /// The number of messages that are not Lambda's.
    others: u64,
    chunks: u64,
    is_complete: bool,
    has_ended: bool,
    /// The failure that a message reported.
    failure: Option<String>,
}

/// A message, with the members that matter most first.
#[derive(Debug, Default, Serialize)]
struct Line<'m> {
    offset: u64,
    length: u64,
    #[serde(flatten)]
    meaning: Meaning,
    headers: Vec<Header<'m>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'m str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_base64: Option<String>,
}

#[derive(Debug, Serialize)]
struct Header<'m> {
    name: &'m str,
    #[serde(rename = "type")]
    kind: &'static str,
    value: Value,
}

/// The meaning of a message to Lambda; empty if it is not Lambda's.
#[derive(Debug, Default, Serialize)]
struct Meaning {
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    complete: Option<Complete>,
    /// Why a message with the headers of an event is not a valid event.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_error: Option<String>,
}

/// The content of an `InvokeComplete`.
#[derive(Debug, Serialize)]
struct Complete {
    #[serde(rename = "ErrorCode", skip_serializing_if = "Option::is_none")]
    error_code: Option<String>,
    #[serde(rename = "ErrorDetails", skip_serializing_if = "Option::is_none")]
    error_details: Option<String>,
    /// The decoded log.
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<String>,
}

impl Lambda {
    /// The number of chunks so far, if the message that ends a response is missing.
    pub(super) fn unfinished(&self) -> Option<u64> {
        (self.chunks > 0 && !self.has_ended).then_some(self.chunks)
    }

    /// Whether there was a chunk or an `InvokeComplete`.
    pub(super) fn is_response(&self) -> bool {
        self.chunks > 0 || self.is_complete
    }

    /// The number of messages.
    pub(super) fn messages(&self) -> u64 {
        self.messages
    }

    /// The number of messages that are not Lambda's.
    pub(super) fn others(&self) -> u64 {
        self.others
    }

    /// How the function or the service failed, if a message reported it.
    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Writes a message as a line; `end` is the offset at which it ends in the stream.
    pub(super) fn write_line(
        &mut self,
        message: &Message,
        end: u64,
        out: &mut impl io::Write,
    ) -> io::Result<()> {
        let offset = std::mem::replace(&mut self.end, end);
        let payload = message.payload().to_bytes();
        let text = std::str::from_utf8(&payload).ok();
        let line = Line {
            offset,
            length: end.saturating_sub(offset),
            meaning: self.meaning(message).0,
            headers: message.headers().iter().map(header).collect(),
            payload: text,
            payload_base64: text.is_none().then(|| STANDARD.encode(&payload)),
        };
        write_json(&mut *out, &line)?;
        out.write_all(b"\n")
    }

    /// Writes the payload of a chunk, and nothing for other messages.
    pub(super) fn write_payload(
        &mut self,
        message: &Message,
        out: &mut impl io::Write,
    ) -> io::Result<()> {
        if let (_, Some(StreamEvent::PayloadChunk(payload))) = self.meaning(message) {
            for slice in payload.slices() {
                out.write_all(slice)?;
            }
        }
        Ok(())
    }

    fn meaning(&mut self, message: &Message) -> (Meaning, Option<StreamEvent>) {
        let mut meaning = Meaning::default();
        self.messages += 1;
        let event = match StreamEvent::try_from(message.clone()) {
            Ok(event) => event,
            Err(error) => {
                // The messages of other services have other headers, which is not an error.
                if message.headers().get(":message-type").is_some() {
                    meaning.event_error = Some(error.to_string());
                }
                self.others += 1;
                return (meaning, None);
            }
        };
        self.has_ended |= event.is_end();
        match &event {
            StreamEvent::PayloadChunk(_) => {
                self.chunks += 1;
                meaning.event = Some("PayloadChunk");
            }
            StreamEvent::InvokeComplete(complete) => {
                meaning.event = Some("InvokeComplete");
                self.is_complete = true;
                let failure = complete
                    .error_code
                    .as_ref()
                    .or(complete.error_details.as_ref());
                self.failure = failure.cloned();
                meaning.complete = Some(Complete {
                    error_code: complete.error_code.clone(),
                    error_details: complete.error_details.clone(),
                    log: complete.log.as_ref().map(|log| log.text().into_owned()),
                });
            }
            StreamEvent::Exception(exception) => {
                self.failure = Some(format!("{}: {}", exception.code, exception.message));
                meaning.exception = Some(exception.code.clone());
                meaning.message = Some(exception.message.clone());
            }
            StreamEvent::Error(error) => {
                self.failure = Some(format!("{}: {}", error.code, error.message));
                meaning.error = Some(error.code.clone());
                meaning.message = Some(error.message.clone());
            }
            // `StreamEvent` is non_exhaustive: this program does not know events that are added
            // later.
            StreamEvent::Unknown(_) | _ => self.others += 1,
        }
        (meaning, Some(event))
    }
}

/// Converts a header, with its type as the specification names it.
fn header<'m>((name, value): (&'m str, HeaderValue<'m>)) -> Header<'m> {
    let kind = match value.header_type() {
        HeaderType::BoolTrue | HeaderType::BoolFalse => "boolean",
        HeaderType::Byte => "byte",
        HeaderType::Short => "short",
        HeaderType::Integer => "integer",
        HeaderType::Long => "long",
        HeaderType::ByteArray => "byte_array",
        HeaderType::String => "string",
        HeaderType::Timestamp => "timestamp",
        HeaderType::Uuid => "uuid",
        // `HeaderType` is non_exhaustive.
        _ => "unknown",
    };
    let value = match value {
        HeaderValue::Bool(value) => value.into(),
        HeaderValue::ByteArray(bytes) => STANDARD.encode(bytes).into(),
        HeaderValue::String(text) => text.into(),
        HeaderValue::Timestamp(milliseconds) => milliseconds.into(),
        HeaderValue::Uuid(bytes) => uuid(bytes).into(),
        number => number.as_integer().into(),
    };
    Header { name, kind, value }
}

/// Formats a UUID in groups of 8, 4, 4, 4 and 12 digits.
fn uuid(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (place, byte) in bytes.into_iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_type_of_header_has_its_name_and_value() {
        for (value, kind, shown) in [
            (HeaderValue::Bool(true), "boolean", json!(true)),
            (HeaderValue::Bool(false), "boolean", json!(false)),
            (HeaderValue::Byte(-1), "byte", json!(-1)),
            (HeaderValue::Short(-2), "short", json!(-2)),
            (HeaderValue::Integer(3), "integer", json!(3)),
            (HeaderValue::Long(i64::MIN), "long", json!(i64::MIN)),
            (HeaderValue::ByteArray(b"\xff"), "byte_array", json!("/w==")),
            (HeaderValue::String("é"), "string", json!("é")),
            (HeaderValue::Timestamp(1_000), "timestamp", json!(1_000)),
            (
                HeaderValue::Uuid(
                    *b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff",
                ),
                "uuid",
                json!("00112233-4455-6677-8899-aabbccddeeff"),
            ),
        ] {
            let header = header(("a", value));
            assert_eq!((header.kind, header.value), (kind, shown));
        }
    }
}
