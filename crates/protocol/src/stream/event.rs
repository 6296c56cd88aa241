//! The events of a response stream: decoding from messages and encoding.

use std::fmt;
use std::sync::LazyLock;

use bytes::{BufMut, Bytes};
use lambda_invoke_error::text::Excerpt;
use lambda_invoke_event_stream::{
    EncodeError, EncodedMessage, HeaderBlock, HeaderValue, Message, Payload, encode_vectored,
};
use serde_json::{Map, Value};

use super::{EventError, InvokeComplete};
use crate::json;

/// One event of a response stream.
///
/// # Example
///
/// ```
/// use lambda_invoke_protocol::{InvokeComplete, StreamEvent};
///
/// let message = StreamEvent::PayloadChunk("hello".into()).to_message()?;
/// let names: Vec<_> = message.headers().iter().map(|(name, _)| name).collect();
/// assert_eq!(names, [":event-type", ":content-type", ":message-type"]);
/// assert_eq!(StreamEvent::try_from(message)?, StreamEvent::PayloadChunk("hello".into()));
///
/// let end = StreamEvent::InvokeComplete(InvokeComplete::default()).to_message()?;
/// assert_eq!(end.payload(), b"{}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamEvent {
    /// A part of what the function wrote, as slices of the pushed bytes. It may be empty.
    PayloadChunk(Payload),
    /// The function has ended. Nothing follows this event.
    InvokeComplete(InvokeComplete),
    /// The service aborted the stream with an error of its model (`:message-type: exception`).
    Exception(StreamException),
    /// The service aborted the stream with another error (`:message-type: error`).
    Error(StreamException),
    /// An event (`:message-type: event`) that this version does not know; a reader should ignore it.
    Unknown(Message),
}

/// An error with which the service aborted a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamException {
    /// The code, such as `ServiceException`.
    pub code: String,
    /// The message; empty if the service sent none.
    pub message: String,
}

impl StreamException {
    /// Creates an error with a code and a message.
    #[must_use]
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for StreamException {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Excerpt(&self.code).fmt(f)?;
        if !self.message.is_empty() {
            write!(f, ": {}", Excerpt(&self.message))?;
        }
        Ok(())
    }
}

const MESSAGE_TYPE: &str = ":message-type";
const EVENT_TYPE: &str = ":event-type";
const EXCEPTION_TYPE: &str = ":exception-type";
const CONTENT_TYPE: &str = ":content-type";
const ERROR_CODE: &str = ":error-code";
const ERROR_MESSAGE: &str = ":error-message";

/// The header block of every `PayloadChunk`, as it is on the wire.
const CHUNK_HEADERS: &[u8] = b"\x0b:event-type\x07\x00\x0cPayloadChunk\
    \x0d:content-type\x07\x00\x18application/octet-stream\x0d:message-type\x07\x00\x05event";

/// The header block of every `InvokeComplete`.
const COMPLETE_HEADERS: &[u8] = b"\x0b:event-type\x07\x00\x0eInvokeComplete\
    \x0d:content-type\x07\x00\x10application/json\x0d:message-type\x07\x00\x05event";

/// [`CHUNK_HEADERS`], parsed once. A test checks that they are well formed.
static CHUNK: LazyLock<HeaderBlock> =
    LazyLock::new(|| HeaderBlock::try_from(Bytes::from_static(CHUNK_HEADERS)).unwrap_or_default());

impl StreamEvent {
    fn complete(message: Message) -> Result<Self, EventError> {
        let payload = message.into_payload().into_bytes();
        InvokeComplete::try_from(&*payload).map(Self::InvokeComplete)
    }

    /// Converts the event into a message, with the headers in the service's order.
    ///
    /// # Errors
    ///
    /// If an error's code or message is longer than a header can be (32,767 bytes).
    pub fn to_message(self) -> Result<Message, EncodeError> {
        match self {
            Self::PayloadChunk(payload) => Ok(Message::new(CHUNK.clone(), payload)),
            Self::InvokeComplete(complete) => {
                let headers = event_headers(EVENT_TYPE, "InvokeComplete", "event")?;
                Ok(Message::new(headers, complete.to_json()))
            }
            Self::Exception(exception) => {
                let headers = event_headers(EXCEPTION_TYPE, &exception.code, "exception")?;
                let mut object = Map::new();
                object.insert("message".to_owned(), exception.message.into());
                Ok(Message::new(
                    headers,
                    Value::Object(object).to_string().into_bytes(),
                ))
            }
            Self::Error(error) => {
                let headers = HeaderBlock::from_headers([
                    (ERROR_CODE, HeaderValue::String(&error.code)),
                    (ERROR_MESSAGE, HeaderValue::String(&error.message)),
                    (MESSAGE_TYPE, HeaderValue::String("error")),
                ])?;
                Ok(Message::new(headers, Payload::new()))
            }
            Self::Unknown(message) => Ok(message),
        }
    }

    /// Encodes the event as head, payload and trailer, without copying the payload.
    ///
    /// # Errors
    ///
    /// As [`to_message`](Self::to_message), and if the message is longer than 4 GiB.
    pub fn encode_vectored(self) -> Result<EncodedMessage, EncodeError> {
        match self {
            // The hot path reuses the parsed header block.
            Self::PayloadChunk(payload) => encode_vectored(CHUNK.headers(), payload),
            other => other.to_message()?.into_vectored(),
        }
    }

    /// Encodes the event into a buffer.
    ///
    /// # Errors
    ///
    /// As [`to_message`](Self::to_message), and if the message does not fit into the buffer.
    pub fn encode(self, out: &mut impl BufMut) -> Result<(), EncodeError> {
        self.to_message()?.encode(out)
    }

    /// Returns whether the event ends the stream.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        matches!(
            self,
            Self::InvokeComplete(_) | Self::Exception(_) | Self::Error(_)
        )
    }
}

/// Reads a message. A payload is not copied. Fails if the message lacks the headers that identify an
/// event, or the payload of an `InvokeComplete` is invalid.
impl TryFrom<Message> for StreamEvent {
    type Error = EventError;

    fn try_from(message: Message) -> Result<Self, EventError> {
        // Nearly all messages have one of these two header blocks.
        let headers = message.headers().as_bytes();
        if headers == CHUNK_HEADERS {
            return Ok(Self::PayloadChunk(message.into_payload()));
        }
        if headers == COMPLETE_HEADERS {
            return Self::complete(message);
        }
        match text(&message, MESSAGE_TYPE)? {
            "event" => match text(&message, EVENT_TYPE)? {
                "PayloadChunk" => Ok(Self::PayloadChunk(message.into_payload())),
                "InvokeComplete" => Self::complete(message),
                other => match is_known_but_for_case(other) {
                    true => Err(EventError::EventTypeCase),
                    false => Ok(Self::Unknown(message)),
                },
            },
            "exception" => {
                let code = text(&message, EXCEPTION_TYPE)?.to_owned();
                let message = exception_message(&message.into_payload().into_bytes());
                Ok(Self::Exception(StreamException { code, message }))
            }
            "error" => {
                let code = text(&message, ERROR_CODE)?;
                let text = match message.headers().get(ERROR_MESSAGE) {
                    Some(HeaderValue::String(text)) => text,
                    _ => "",
                };
                Ok(Self::Error(StreamException::new(code, text)))
            }
            _ => Err(EventError::UnknownMessageType),
        }
    }
}

fn is_known_but_for_case(event_type: &str) -> bool {
    ["PayloadChunk", "InvokeComplete"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(event_type))
}

/// Returns the only value of a header.
fn text<'m>(message: &'m Message, name: &'static str) -> Result<&'m str, EventError> {
    let mut values = message.headers().get_all(name);
    match values.next() {
        Some(_) if values.next().is_some() => Err(EventError::RepeatedHeader { name }),
        Some(HeaderValue::String(text)) => Ok(text),
        Some(_) => Err(EventError::HeaderNotString { name }),
        None => Err(EventError::MissingHeader { name }),
    }
}

fn event_headers(
    name: &'static str,
    value: &str,
    message_type: &str,
) -> Result<HeaderBlock, EncodeError> {
    HeaderBlock::from_headers([
        (name, HeaderValue::String(value)),
        (CONTENT_TYPE, HeaderValue::String("application/json")),
        (MESSAGE_TYPE, HeaderValue::String(message_type)),
    ])
}

/// Returns `message` or `Message` of a JSON object; otherwise the payload as text.
fn exception_message(payload: &[u8]) -> String {
    match json::members(&json::whole(payload), ["message", "Message"]) {
        Ok(members) => members
            .into_iter()
            .flatten()
            .find_map(json::text)
            .unwrap_or_default(),
        Err(_) => String::from_utf8_lossy(payload).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LogTail;

    fn round_trip(event: StreamEvent) {
        let message = event.clone().to_message().unwrap();
        assert_eq!(StreamEvent::try_from(message).unwrap(), event);
    }

    #[test]
    fn every_event_is_read_as_it_was_written() {
        round_trip(StreamEvent::PayloadChunk(Payload::new()));
        round_trip(StreamEvent::PayloadChunk(b"\0\xff"[..].to_vec().into()));
        round_trip(StreamEvent::InvokeComplete(InvokeComplete::default()));
        round_trip(StreamEvent::InvokeComplete(InvokeComplete {
            error_code: Some("Error\"1".to_owned()),
            error_details: Some("{}".to_owned()),
            log: Some(LogTail::last_of(b"\xffREPORT")),
        }));
        round_trip(StreamEvent::Exception(StreamException::new(
            "ServiceException",
            "é",
        )));
        round_trip(StreamEvent::Error(StreamException::new("Internal", "")));
        let headers = event_headers(EVENT_TYPE, "Later", "event").unwrap();
        round_trip(StreamEvent::Unknown(Message::new(headers, "x")));
    }

    #[test]
    fn the_constant_headers_are_those_that_the_codec_writes() {
        let block = HeaderBlock::from_headers([
            (EVENT_TYPE, HeaderValue::String("PayloadChunk")),
            (
                CONTENT_TYPE,
                HeaderValue::String("application/octet-stream"),
            ),
            (MESSAGE_TYPE, HeaderValue::String("event")),
        ])
        .unwrap();
        assert_eq!(&block.as_bytes()[..], CHUNK_HEADERS);
        assert_eq!(*CHUNK, block);
        let block = event_headers(EVENT_TYPE, "InvokeComplete", "event").unwrap();
        assert_eq!(&block.as_bytes()[..], COMPLETE_HEADERS);
    }

    #[test]
    fn header_order_does_not_matter_to_the_reader() {
        let headers = HeaderBlock::from_headers([
            (MESSAGE_TYPE, HeaderValue::String("event")),
            (EVENT_TYPE, HeaderValue::String("PayloadChunk")),
        ])
        .unwrap();
        assert_eq!(
            StreamEvent::try_from(Message::new(headers, "x")),
            Ok(StreamEvent::PayloadChunk("x".into()))
        );
    }

    #[test]
    fn rejects_messages_that_are_not_events_with_the_reason() {
        let read = |headers: &[(&str, HeaderValue<'_>)], payload: &'static str| {
            let headers = HeaderBlock::from_headers(headers.iter().copied()).unwrap();
            StreamEvent::try_from(Message::new(headers, payload)).unwrap_err()
        };
        let event = (MESSAGE_TYPE, HeaderValue::String("event"));
        let complete = (EVENT_TYPE, HeaderValue::String("InvokeComplete"));
        assert_eq!(
            read(&[], ""),
            EventError::MissingHeader { name: MESSAGE_TYPE }
        );
        assert_eq!(
            read(&[event], ""),
            EventError::MissingHeader { name: EVENT_TYPE }
        );
        assert_eq!(
            read(&[(MESSAGE_TYPE, HeaderValue::Byte(1))], ""),
            EventError::HeaderNotString { name: MESSAGE_TYPE }
        );
        // Neither may be skipped: it may be a part of the payload.
        for other in ["Event", "EVENT", "", "request"] {
            let other = (MESSAGE_TYPE, HeaderValue::String(other));
            assert_eq!(
                read(&[other, complete], "{}"),
                EventError::UnknownMessageType
            );
        }
        for kind in ["payloadChunk", "PAYLOADCHUNK", "invokecomplete"] {
            let kind = (EVENT_TYPE, HeaderValue::String(kind));
            assert_eq!(read(&[event, kind], "{}"), EventError::EventTypeCase);
        }
        let later = (EVENT_TYPE, HeaderValue::String("Later"));
        assert_eq!(
            read(&[event, later, complete], "{}"),
            EventError::RepeatedHeader { name: EVENT_TYPE }
        );
        let exception = (MESSAGE_TYPE, HeaderValue::String("exception"));
        assert_eq!(
            read(&[event, exception, complete], "{}"),
            EventError::RepeatedHeader { name: MESSAGE_TYPE }
        );
        assert_eq!(
            read(&[event, complete], "[]"),
            EventError::InvokeCompleteNotObject { line: 1, column: 0 }
        );
        assert_eq!(
            read(&[event, complete], "{\"ErrorCode\":1}"),
            EventError::InvokeCompleteMember { name: "ErrorCode" }
        );
        let exception = (MESSAGE_TYPE, HeaderValue::String("exception"));
        assert_eq!(
            read(&[exception], ""),
            EventError::MissingHeader {
                name: EXCEPTION_TYPE
            }
        );
        let headers = event_headers(EXCEPTION_TYPE, "ServiceException", "exception").unwrap();
        let cut = StreamEvent::try_from(Message::new(headers, r#"{"message":"hi \ud83d"}"#));
        let expected = StreamException::new("ServiceException", "hi \u{fffd}");
        assert_eq!(cut, Ok(StreamEvent::Exception(expected)));
        let error = (MESSAGE_TYPE, HeaderValue::String("error"));
        assert_eq!(
            read(&[error], ""),
            EventError::MissingHeader { name: ERROR_CODE }
        );
    }
}
