//! The state machine that decodes a stream's bytes into events and reports how the stream ended.

use std::fmt;

use bytes::Bytes;
use lambda_invoke_error::text::Excerpt;
use lambda_invoke_event_stream::{DecodeError, DecodeErrorKind, Decoder, Limits};

use super::{EventError, InvokeComplete, StreamEvent, StreamException};
use crate::LoggedFailure;
use crate::text::ByteCount;

/// Decodes a response stream. Push the body's pieces as they arrive, take the events, and at the
/// end call [`finish`](Self::finish) to learn whether the stream is complete.
///
/// It does no I/O. Payloads are slices of the pushed bytes. Memory is bounded by the decoder's
/// limits and by the pushed bytes that have not been taken.
///
/// # Example
///
/// ```
/// use bytes::Bytes;
/// use lambda_invoke_protocol::{InvokeComplete, StreamError, StreamEvent, StreamReader};
///
/// let mut wire = Vec::new();
/// StreamEvent::PayloadChunk("hello".into()).encode(&mut wire)?;
///
/// let mut reader = StreamReader::new();
/// reader.push(Bytes::copy_from_slice(&wire));
/// assert_eq!(reader.next_event()?, Some(StreamEvent::PayloadChunk("hello".into())));
/// assert_eq!(reader.next_event()?, None);
/// // A stream without its end is truncated.
/// let mut truncated = reader.clone();
/// assert!(matches!(truncated.finish(), Err(StreamError::Truncated { payload_bytes: 5, .. })));
///
/// let mut end = Vec::new();
/// StreamEvent::InvokeComplete(InvokeComplete::default()).encode(&mut end)?;
/// reader.push(end.into());
/// assert!(matches!(reader.next_event()?, Some(StreamEvent::InvokeComplete(_))));
/// reader.finish()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct StreamReader {
    decoder: Decoder,
    /// The request id in the response's head, which the log's lines are compared with.
    request_id: Option<String>,
    payload_bytes: u64,
    /// How the stream ended, and the offset of the end.
    end: Option<(End, u64)>,
    failed: Option<StreamError>,
}

#[derive(Clone, Debug)]
enum End {
    Complete,
    Failed(StreamError),
}

impl StreamReader {
    /// Creates a reader with the codec's default limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a reader with these limits for a message and its headers.
    #[must_use]
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            decoder: Decoder::with_limits(limits),
            ..Self::default()
        }
    }

    /// Sets the response's request id, by which a failure that only the log reports is found.
    /// Without it, or if no report in the log has that id, the id in the log's last report is used.
    #[must_use]
    pub fn with_request_id(self, request_id: Option<String>) -> Self {
        Self { request_id, ..self }
    }

    /// Adds the next piece of the body.
    pub fn push(&mut self, piece: Bytes) {
        if self.failed.is_none() {
            self.decoder.push(piece);
        }
    }

    /// Returns the next event. `None` means that more bytes are needed: call [`push`](Self::push),
    /// or [`finish`](Self::finish) if the body has ended.
    ///
    /// # Errors
    ///
    /// If the bytes are not an event stream, a message is not an event, or anything follows the
    /// event that ends the stream. Errors are sticky.
    pub fn next_event(&mut self) -> Result<Option<StreamEvent>, StreamError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        match self.read() {
            Ok(event) => Ok(event),
            Err(error) => {
                self.failed = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Marks the end of the body. Call this after [`next_event`](Self::next_event) has returned
    /// `None`.
    ///
    /// # Errors
    ///
    /// Unless the stream succeeded: it must end with an `InvokeComplete` in which neither an error
    /// code nor details nor the log ([`LogTail::failure`](crate::LogTail::failure)) reports a failure. Before all
    /// events have been taken, [`StreamError::UnreadInput`], which is not sticky.
    pub fn finish(&mut self) -> Result<(), StreamError> {
        // What follows the end is an error even if nobody has read it.
        if self.failed.is_some() || self.end.is_some() {
            self.next_event()?;
        }
        match &self.end {
            Some((End::Complete, _)) => Ok(()),
            Some((End::Failed(error), _)) => Err(error.clone()),
            None => {
                let error = StreamError::Truncated {
                    payload_bytes: self.payload_bytes,
                    position: self.decoder.position(),
                    in_message: self.decoder.missing().is_some(),
                };
                let unread = self.decoder.finish().map_err(|error| error.kind());
                if let Err(DecodeErrorKind::UnreadInput { remaining }) = unread {
                    return Err(StreamError::UnreadInput { remaining });
                }
                self.failed = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Returns whether the event that ends the stream has been returned.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Returns the number of payload bytes returned so far.
    #[must_use]
    pub const fn payload_bytes(&self) -> u64 {
        self.payload_bytes
    }

    fn read(&mut self) -> Result<Option<StreamEvent>, StreamError> {
        if let Some((_, offset)) = self.end {
            // Complete messages, incomplete ones and invalid bytes are all trailing data.
            let rest = self.decoder.next_message();
            return match rest {
                Ok(None) if self.decoder.position() == offset => Ok(None),
                _ => Err(StreamError::TrailingData { offset }),
            };
        }
        let Some(message) = self.decoder.next_message().map_err(StreamError::Decode)? else {
            return Ok(None);
        };
        let event = StreamEvent::try_from(message).map_err(StreamError::Event)?;
        match &event {
            StreamEvent::PayloadChunk(payload) => {
                self.payload_bytes = self.payload_bytes.saturating_add(payload.len() as u64);
            }
            StreamEvent::Unknown(_) => {}
            StreamEvent::InvokeComplete(complete) => self.end_with(self.completion(complete)),
            StreamEvent::Exception(exception) | StreamEvent::Error(exception) => {
                let error = StreamError::Exception(Box::new(exception.clone()));
                self.end_with(End::Failed(error));
            }
        }
        Ok(Some(event))
    }

    fn end_with(&mut self, end: End) {
        self.end = Some((end, self.decoder.position()));
    }

    fn completion(&self, complete: &InvokeComplete) -> End {
        let log = complete.log.as_ref();
        let logged = log.and_then(|log| log.failure(log.own_id(self.request_id.as_deref())));
        if complete.has_failed() || logged.is_some() {
            End::Failed(StreamError::FunctionFailed {
                complete: Box::new(complete.clone()),
                logged: logged.map(Box::new),
            })
        } else {
            End::Complete
        }
    }
}

/// Why a stream did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamError {
    /// The bytes are not an event stream: a checksum is wrong, or a length exceeds the limit.
    Decode(DecodeError),
    /// A message is not an event.
    Event(EventError),
    /// The body ended before the event that ends the stream.
    Truncated {
        /// The number of payload bytes received.
        payload_bytes: u64,
        /// The number of body bytes received.
        position: u64,
        /// Whether the body ended within a message, not between two.
        in_message: bool,
    },
    /// The function failed after it had written its chunks: `InvokeComplete` has an error code or
    /// details, or the log reports a failure.
    FunctionFailed {
        /// The event that ended the stream.
        complete: Box<InvokeComplete>,
        /// The failure that the log reports, if it reports one.
        logged: Option<Box<LoggedFailure>>,
    },
    /// The service aborted the stream.
    Exception(Box<StreamException>),
    /// [`StreamReader::finish`] was called before [`StreamReader::next_event`] had returned `None`. This is
    /// a mistake of the caller, not of the peer.
    UnreadInput {
        /// The number of pushed bytes that have not been read.
        remaining: u64,
    },
    /// Data follows the event that ends the stream.
    TrailingData {
        /// The offset at which the stream should have ended.
        offset: u64,
    },
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decode(_) => f.write_str("the service's response stream is corrupt"),
            Self::Event(_) => f.write_str("the service's response stream has a malformed event"),
            Self::Truncated {
                payload_bytes,
                in_message,
                ..
            } => write!(
                f,
                "the response stream was truncated {} after {} of payload, before InvokeComplete",
                if *in_message {
                    "within a message"
                } else {
                    "between two messages"
                },
                ByteCount(*payload_bytes),
            ),
            Self::FunctionFailed { complete, logged } => {
                f.write_str("the function failed while streaming")?;
                let code = complete.error_code.as_deref();
                if let Some(code) = code.filter(|code| !code.is_empty()) {
                    write!(f, ": {}", Excerpt(code))?;
                }
                match (&complete.error_details, logged) {
                    (Some(details), _) => write!(f, ": {}", Excerpt(details)),
                    (None, Some(logged)) => write!(f, ", as its log reports: {logged}"),
                    (None, None) => Ok(()),
                }
            }
            Self::Exception(exception) => {
                write!(f, "the service aborted the response stream: {exception}")
            }
            Self::UnreadInput { remaining: 1 } => {
                f.write_str("1 byte of the response stream has not been read")
            }
            Self::UnreadInput { remaining } => write!(
                f,
                "{remaining} bytes of the response stream have not been read"
            ),
            Self::TrailingData { offset } => write!(
                f,
                "the service's response stream has data after its end, from byte {offset}"
            ),
        }
    }
}

impl std::error::Error for StreamError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Decode(error) => Some(error),
            Self::Event(error) => Some(error),
            Self::Truncated { .. }
            | Self::FunctionFailed { .. }
            | Self::Exception(_)
            | Self::UnreadInput { .. }
            | Self::TrailingData { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(events: impl IntoIterator<Item = StreamEvent>) -> Vec<u8> {
        let mut wire = Vec::new();
        for event in events {
            event.encode(&mut wire).unwrap();
        }
        wire
    }

    fn chunk(text: &'static str) -> StreamEvent {
        StreamEvent::PayloadChunk(text.into())
    }

    fn complete() -> StreamEvent {
        StreamEvent::InvokeComplete(InvokeComplete::default())
    }

    /// Returns all events of a body that arrives in these pieces, and how it ended.
    fn read<'a>(
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> (Vec<StreamEvent>, Result<(), StreamError>) {
        let mut reader = StreamReader::new();
        let mut events = Vec::new();
        for piece in pieces {
            reader.push(Bytes::copy_from_slice(piece));
            while let Ok(Some(event)) = reader.next_event() {
                events.push(event);
            }
        }
        let end = reader.finish();
        assert_eq!(reader.finish(), end);
        (events, end)
    }

    #[test]
    fn succeeds_only_after_complete() {
        let events = [chunk("a"), chunk(""), chunk("bc"), complete()];
        let wire = wire(events.clone());
        assert_eq!(read([&wire[..]]), (events.to_vec(), Ok(())));
        assert_eq!(read(wire.chunks(1)), (events.to_vec(), Ok(())));
    }

    #[test]
    fn every_prefix_is_truncated_with_the_count_of_payload_bytes() {
        let first = wire([chunk("abc")]).len();
        let wire = wire([chunk("abc"), complete()]);
        for at in 0..wire.len() {
            let payload_bytes = if at >= first { 3 } else { 0 };
            let in_message = at != 0 && at != first;
            let position = at as u64;
            let (_, end) = read([&wire[..at]]);
            assert_eq!(
                end,
                Err(StreamError::Truncated {
                    payload_bytes,
                    position,
                    in_message
                })
            );
        }
    }

    #[test]
    fn an_error_code_is_a_failure_after_the_chunks() {
        let failed = InvokeComplete::failed("Unhandled", "it broke");
        let events = vec![chunk("a"), StreamEvent::InvokeComplete(failed.clone())];
        let (read, end) = read([&wire(events.clone())[..]]);
        assert_eq!(read, events);
        let error = end.unwrap_err();
        let complete = Box::new(failed);
        let logged = None;
        assert_eq!(error, StreamError::FunctionFailed { complete, logged });
        assert_eq!(
            error.to_string(),
            "the function failed while streaming: Unhandled: it broke"
        );
    }

    #[test]
    fn an_exception_fails_the_stream() {
        let exception = StreamException::new("ServiceException", "sorry");
        for event in [
            StreamEvent::Exception(exception.clone()),
            StreamEvent::Error(exception.clone()),
        ] {
            let (events, end) = read([&wire([chunk("a"), event])[..]]);
            assert_eq!(events.len(), 2);
            assert_eq!(
                end,
                Err(StreamError::Exception(Box::new(exception.clone())))
            );
        }
    }

    #[test]
    fn rejects_trailing_data_under_every_split() {
        let whole = wire([chunk("a"), complete()]);
        let offset = whole.len() as u64;
        for rest in [
            &b"\0"[..],
            &[0xff; 40],
            &wire([chunk("more")]),
            &wire([complete()]),
        ] {
            let body = [&whole[..], rest].concat();
            for at in 0..=body.len() {
                let (events, end) = read([&body[..at], &body[at..]]);
                assert_eq!(events, [chunk("a"), complete()]);
                assert_eq!(
                    end,
                    Err(StreamError::TrailingData { offset }),
                    "split at {at}"
                );
            }
        }
    }

    #[test]
    fn finishing_with_unread_events_says_so_and_can_be_repeated() {
        let whole = wire([chunk("a"), complete()]);
        let mut reader = StreamReader::new();
        let mut remaining = whole.len() as u64;
        reader.push(Bytes::from(whole.clone()));
        for event in [chunk("a"), complete()] {
            let unread = StreamError::UnreadInput { remaining };
            assert_eq!(reader.finish(), Err(unread.clone()));
            assert_eq!(
                unread.to_string(),
                format!("{remaining} bytes of the response stream have not been read")
            );
            assert_eq!(reader.next_event(), Ok(Some(event.clone())));
            remaining -= wire([event]).len() as u64;
        }
        assert_eq!(reader.finish(), Ok(()));
        let remaining = 1;
        assert_eq!(
            StreamError::UnreadInput { remaining }.to_string(),
            "1 byte of the response stream has not been read"
        );
    }

    #[test]
    fn finishing_finds_unread_data_after_the_end() {
        let whole = wire([chunk("a"), complete()]);
        let offset = whole.len() as u64;
        for rest in [&b"\0"[..], &[0xff; 40], &wire([chunk("more")])] {
            let mut reader = StreamReader::new();
            reader.push(Bytes::from([&whole[..], rest].concat()));
            assert_eq!(reader.next_event(), Ok(Some(chunk("a"))));
            assert_eq!(reader.next_event(), Ok(Some(complete())));
            let error = StreamError::TrailingData { offset };
            assert_eq!(reader.finish(), Err(error.clone()));
            assert_eq!(reader.next_event(), Err(error.clone()));
            assert_eq!(reader.finish(), Err(error));
        }
    }

    #[test]
    fn corruption_is_sticky_and_keeps_what_came_before() {
        let mut body = wire([chunk("a"), chunk("b"), complete()]);
        let second = wire([chunk("a")]).len() + 4;
        body[second] ^= 1;
        let (events, end) = read([&body[..]]);
        assert_eq!(events, [chunk("a")]);
        let Err(StreamError::Decode(error)) = end else {
            panic!("{end:?}")
        };
        assert!(matches!(
            error.kind(),
            DecodeErrorKind::PreludeChecksumMismatch { .. }
        ));
    }

    #[test]
    fn a_payload_is_a_slice_of_what_was_pushed() {
        let piece = Bytes::from(wire([chunk("hello")]));
        let mut reader = StreamReader::new();
        reader.push(piece.clone());
        let Ok(Some(StreamEvent::PayloadChunk(payload))) = reader.next_event() else {
            panic!("no chunk")
        };
        let slice = payload.slices().next().unwrap();
        assert_eq!(slice.as_ptr(), piece[piece.len() - 9..].as_ptr());
    }

    #[test]
    fn unknown_events_are_returned_and_do_not_end_the_stream() {
        let headers = lambda_invoke_event_stream::HeaderBlock::from_headers([
            (
                ":message-type",
                lambda_invoke_event_stream::HeaderValue::String("event"),
            ),
            (
                ":event-type",
                lambda_invoke_event_stream::HeaderValue::String("Later"),
            ),
        ])
        .unwrap();
        let unknown = StreamEvent::Unknown(lambda_invoke_event_stream::Message::new(headers, "x"));
        let events = vec![unknown, complete()];
        assert_eq!(read([&wire(events.clone())[..]]), (events, Ok(())));
    }
}
