//! The events of a response stream, from messages and back.

use std::fmt;
use std::sync::LazyLock;

use bytes::{BufMut, Bytes};
use lambda_invoke_event_stream::{
    EncodeError, EncodedMessage, HeaderBlock, HeaderValue, Message, Payload, encode_vectored,
};
use serde_json::{Map, Value};

use crate::LogTail;
use crate::text::Excerpt;

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
/// assert_eq!(StreamEvent::from_message(message)?, StreamEvent::PayloadChunk("hello".into()));
///
/// let end = StreamEvent::InvokeComplete(InvokeComplete::default()).to_message()?;
/// assert_eq!(end.payload(), b"{}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamEvent {
    /// A piece of what the function wrote: slices of the pushed bytes. It may be empty.
    PayloadChunk(Payload),
    /// The function is done. Nothing comes after it.
    InvokeComplete(InvokeComplete),
    /// The service broke the stream off with an error of its model (`:message-type: exception`).
    Exception(StreamException),
    /// The service broke the stream off with another error (`:message-type: error`).
    Error(StreamException),
    /// An event that this version does not know; a reader should pass over it.
    Unknown(Message),
}

/// How an execution ended.
///
/// The recorded service leaves `error_code` out even of executions that failed or timed out: see
/// [`LogTail::failure`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvokeComplete {
    /// That the function failed, and how.
    pub error_code: Option<String>,
    /// What the function said about it: text or JSON.
    pub error_details: Option<String>,
    /// The end of the log, if it was asked for.
    pub log: Option<LogTail>,
}

/// An error that broke a stream off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamException {
    /// The code, as `ServiceException`.
    pub code: String,
    /// The message; empty if there was none.
    pub message: String,
}

impl StreamException {
    /// An error with a code and a message.
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

/// [`CHUNK_HEADERS`], checked once. They are well formed, which a test holds.
static CHUNK: LazyLock<HeaderBlock> =
    LazyLock::new(|| HeaderBlock::try_from(Bytes::from_static(CHUNK_HEADERS)).unwrap_or_default());

impl StreamEvent {
    /// Reads a message. A payload is not copied.
    ///
    /// # Errors
    ///
    /// If the message lacks the headers that say what it is, or an `InvokeComplete` is not the JSON
    /// it should be.
    pub fn from_message(message: Message) -> Result<Self, EventError> {
        // What nearly all messages are is told by one comparison or two.
        let headers = message.header_block();
        if headers.as_bytes()[..] == *CHUNK_HEADERS {
            return Ok(Self::PayloadChunk(message.into_payload()));
        }
        if headers.as_bytes()[..] == *COMPLETE_HEADERS {
            return Self::complete(message);
        }
        match text(&message, MESSAGE_TYPE)? {
            "event" => match text(&message, EVENT_TYPE)? {
                "PayloadChunk" => Ok(Self::PayloadChunk(message.into_payload())),
                "InvokeComplete" => Self::complete(message),
                _ => Ok(Self::Unknown(message)),
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
            _ => Ok(Self::Unknown(message)),
        }
    }

    fn complete(message: Message) -> Result<Self, EventError> {
        let payload = message.into_payload().into_bytes();
        InvokeComplete::from_json(&payload).map(Self::InvokeComplete)
    }

    /// The event as a message, its headers in the service's order.
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

    /// The event as it goes on the wire: head, payload and trailer, without copying the payload.
    ///
    /// # Errors
    ///
    /// Those of [`to_message`](Self::to_message), and if the message were longer than 4 GiB.
    pub fn encode_vectored(self) -> Result<EncodedMessage, EncodeError> {
        match self {
            // The hot path: the header block is there already.
            Self::PayloadChunk(payload) => encode_vectored(CHUNK.headers(), payload),
            other => other.to_message()?.into_vectored(),
        }
    }

    /// Writes the event to a buffer.
    ///
    /// # Errors
    ///
    /// Those of [`to_message`](Self::to_message), and if the buffer cannot take it.
    pub fn encode(self, out: &mut impl BufMut) -> Result<(), EncodeError> {
        self.to_message()?.encode(out)
    }

    /// Whether nothing may come after it.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        matches!(
            self,
            Self::InvokeComplete(_) | Self::Exception(_) | Self::Error(_)
        )
    }
}

fn text<'m>(message: &'m Message, name: &'static str) -> Result<&'m str, EventError> {
    match message.headers().get(name) {
        Some(HeaderValue::String(text)) => Ok(text),
        Some(_) => Err(EventError::HeaderType { name }),
        None => Err(EventError::HeaderMissing { name }),
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

/// `message` or `Message` of the JSON; the text itself if it is none.
fn exception_message(payload: &[u8]) -> String {
    match serde_json::from_slice(payload) {
        Ok(Value::Object(mut members)) => ["message", "Message"]
            .into_iter()
            .find_map(|name| match members.remove(name) {
                Some(Value::String(text)) => Some(text),
                _ => None,
            })
            .unwrap_or_default(),
        _ => String::from_utf8_lossy(payload).into_owned(),
    }
}

impl InvokeComplete {
    /// The end of an execution that went well, with its log.
    #[must_use]
    pub fn with_log(log: Option<LogTail>) -> Self {
        Self {
            log,
            ..Self::default()
        }
    }

    /// The end of an execution that failed.
    #[must_use]
    pub fn failed(error_code: impl Into<String>, error_details: impl Into<String>) -> Self {
        Self {
            error_code: Some(error_code.into()),
            error_details: Some(error_details.into()),
            log: None,
        }
    }

    /// Whether the service says that the function failed. The log may say so as well: see
    /// [`LogTail::failure`].
    #[must_use]
    pub const fn has_failed(&self) -> bool {
        self.error_code.is_some()
    }

    /// Reads the event's payload: `ErrorCode`, `ErrorDetails` and `LogResult`, each a string, `null`
    /// or absent. An empty payload is an empty object.
    ///
    /// # Errors
    ///
    /// If it is no JSON object, or one of the members is something else.
    pub fn from_json(json: &[u8]) -> Result<Self, EventError> {
        // What it mostly is, told without a parse.
        if json.is_empty() || json == b"{}" {
            return Ok(Self::default());
        }
        let mut members: Map<String, Value> =
            serde_json::from_slice(json).map_err(|error| EventError::CompleteJson {
                line: error.line(),
                column: error.column(),
            })?;
        let mut text = |name: &'static str| match members.remove(name) {
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Null) | None => Ok(None),
            Some(_) => Err(EventError::CompleteMember { name }),
        };
        Ok(Self {
            error_code: text("ErrorCode")?,
            error_details: text("ErrorDetails")?,
            log: text("LogResult")?.map(LogTail::from_base64),
        })
    }

    /// The event's payload; `{}` if there is nothing to say.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut members = Map::new();
        if let Some(code) = &self.error_code {
            members.insert("ErrorCode".to_owned(), code.as_str().into());
        }
        if let Some(details) = &self.error_details {
            members.insert("ErrorDetails".to_owned(), details.as_str().into());
        }
        if let Some(log) = &self.log {
            members.insert("LogResult".to_owned(), log.to_base64().into());
        }
        Value::Object(members).to_string().into_bytes()
    }
}

/// Why a message is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventError {
    /// It lacks a header that says what it is.
    HeaderMissing {
        /// The header.
        name: &'static str,
    },
    /// A header that says what it is is no string.
    HeaderType {
        /// The header.
        name: &'static str,
    },
    /// `InvokeComplete` is no JSON object.
    CompleteJson {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A member of `InvokeComplete` is no string.
    CompleteMember {
        /// The member.
        name: &'static str,
    },
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeaderMissing { name } => {
                write!(f, "the service sent a message without the header {name}")
            }
            Self::HeaderType { name } => {
                write!(
                    f,
                    "the service sent a message whose header {name} is no string"
                )
            }
            Self::CompleteJson { line, column } => write!(
                f,
                "the service's InvokeComplete is no JSON object: line {line}, column {column}"
            ),
            Self::CompleteMember { name } => {
                write!(
                    f,
                    "the service's InvokeComplete has a member {name} that is no string"
                )
            }
        }
    }
}

impl std::error::Error for EventError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(event: StreamEvent) {
        let message = event.clone().to_message().unwrap();
        assert_eq!(StreamEvent::from_message(message).unwrap(), event);
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
        let headers = event_headers(EVENT_TYPE, "Later", "another").unwrap();
        round_trip(StreamEvent::Unknown(Message::new(headers, "x")));
    }

    #[test]
    fn the_written_down_headers_are_those_that_the_codec_writes() {
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
            StreamEvent::from_message(Message::new(headers, "x")),
            Ok(StreamEvent::PayloadChunk("x".into()))
        );
    }

    #[test]
    fn messages_that_are_no_events_say_why() {
        let read = |headers: &[(&str, HeaderValue<'_>)], payload: &'static str| {
            let headers = HeaderBlock::from_headers(headers.iter().copied()).unwrap();
            StreamEvent::from_message(Message::new(headers, payload)).unwrap_err()
        };
        let event = (MESSAGE_TYPE, HeaderValue::String("event"));
        let complete = (EVENT_TYPE, HeaderValue::String("InvokeComplete"));
        assert_eq!(
            read(&[], ""),
            EventError::HeaderMissing { name: MESSAGE_TYPE }
        );
        assert_eq!(
            read(&[event], ""),
            EventError::HeaderMissing { name: EVENT_TYPE }
        );
        assert_eq!(
            read(&[(MESSAGE_TYPE, HeaderValue::Byte(1))], ""),
            EventError::HeaderType { name: MESSAGE_TYPE }
        );
        assert_eq!(
            read(&[event, complete], "[]"),
            EventError::CompleteJson { line: 1, column: 0 }
        );
        assert_eq!(
            read(&[event, complete], "{\"ErrorCode\":1}"),
            EventError::CompleteMember { name: "ErrorCode" }
        );
        let exception = (MESSAGE_TYPE, HeaderValue::String("exception"));
        assert_eq!(
            read(&[exception], ""),
            EventError::HeaderMissing {
                name: EXCEPTION_TYPE
            }
        );
        let error = (MESSAGE_TYPE, HeaderValue::String("error"));
        assert_eq!(
            read(&[error], ""),
            EventError::HeaderMissing { name: ERROR_CODE }
        );
    }

    #[test]
    fn complete_takes_null_empty_and_unknown_members() {
        let read = |json: &str| InvokeComplete::from_json(json.as_bytes()).unwrap();
        assert_eq!(read(""), InvokeComplete::default());
        assert_eq!(
            read("{\"ErrorCode\":null,\"More\":[1]}"),
            InvokeComplete::default()
        );
        // A code that is there counts, whatever it says.
        assert!(read("{\"ErrorCode\":\"\"}").has_failed());
    }
}
