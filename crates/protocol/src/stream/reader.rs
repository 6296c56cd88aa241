//! The state machine that turns a stream's bytes into events, and knows how it ended.

use std::fmt;

use bytes::Bytes;
use lambda_invoke_event_stream::{DecodeError, Decoder, Limits};

use super::{EventError, InvokeComplete, StreamEvent, StreamException};
use crate::LoggedFailure;
use crate::text::Excerpt;

/// Reads a response stream: push the body's pieces as they come, take events out, and at the end
/// ask [`finish`](Self::finish) whether that was all.
///
/// It does no I/O. Payloads are slices of the pushed bytes; memory is bounded by the decoder's
/// limits and by what was pushed and not yet taken.
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
/// // Half a stream is not taken for a whole one.
/// let mut cut = reader.clone();
/// assert!(matches!(cut.finish(), Err(StreamError::Truncated { payload_bytes: 5, .. })));
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
    /// Of the response's head: what the log's lines are held against.
    request_id: Option<String>,
    payload_bytes: u64,
    /// The event after which nothing may come, and the byte at which it ended.
    end: Option<(End, u64)>,
    failed: Option<StreamError>,
}

#[derive(Clone, Debug)]
enum End {
    Complete,
    Failed(StreamError),
}

impl StreamReader {
    /// A reader with the codec's default limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A reader with these limits for a message and its headers.
    #[must_use]
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            decoder: Decoder::with_limits(limits),
            ..Self::default()
        }
    }

    /// The same for a response with this request id, by which a failure that only the log tells of
    /// is found; without one, the log's own last report names it.
    #[must_use]
    pub fn with_request_id(self, request_id: Option<String>) -> Self {
        Self { request_id, ..self }
    }

    /// Takes the next piece of the body.
    pub fn push(&mut self, piece: Bytes) {
        if self.failed.is_none() {
            self.decoder.push(piece);
        }
    }

    /// The next event; `None` asks for another [`push`](Self::push), or for
    /// [`finish`](Self::finish) if the body has ended.
    ///
    /// # Errors
    ///
    /// If the bytes are no event stream, a message is no event, or something follows the event that
    /// ends the stream. Errors are sticky.
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

    /// Says that the body has ended. Call it after [`next_event`](Self::next_event) has given
    /// `None`.
    ///
    /// # Errors
    ///
    /// Unless the stream ended well: with an `InvokeComplete` in which neither an error code nor the
    /// log tells of a failure ([`LogTail::failure`](crate::LogTail::failure)), and nothing after it.
    pub fn finish(&mut self) -> Result<(), StreamError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
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
                self.failed = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Whether the event that ends the stream has been given out.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// How many bytes of payload have been given out.
    #[must_use]
    pub const fn payload_bytes(&self) -> u64 {
        self.payload_bytes
    }

    fn read(&mut self) -> Result<Option<StreamEvent>, StreamError> {
        if let Some((_, offset)) = self.end {
            // Whole messages, parts of one and rubbish are all the same here.
            let rest = self.decoder.next_message();
            return match rest {
                Ok(None) if self.decoder.position() == offset => Ok(None),
                _ => Err(StreamError::LeftOver { offset }),
            };
        }
        let Some(message) = self.decoder.next_message().map_err(StreamError::Decode)? else {
            return Ok(None);
        };
        let event = StreamEvent::from_message(message).map_err(StreamError::Event)?;
        let end = match &event {
            StreamEvent::PayloadChunk(payload) => {
                self.payload_bytes = self.payload_bytes.saturating_add(payload.len() as u64);
                None
            }
            StreamEvent::InvokeComplete(complete) => {
                let log = complete.log.as_ref();
                let logged = log.and_then(|log| log.failure(self.request_id.as_deref()));
                Some(if complete.has_failed() || logged.is_some() {
                    End::Failed(StreamError::FunctionFailed {
                        complete: Box::new(complete.clone()),
                        logged: logged.map(Box::new),
                    })
                } else {
                    End::Complete
                })
            }
            StreamEvent::Exception(exception) | StreamEvent::Error(exception) => Some(End::Failed(
                StreamError::Exception(Box::new(exception.clone())),
            )),
            StreamEvent::Unknown(_) => None,
        };
        self.end = end.map(|end| (end, self.decoder.position()));
        Ok(Some(event))
    }
}

/// Why a stream did not end well.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamError {
    /// The bytes are no event stream: a wrong checksum, a length over the limit.
    Decode(DecodeError),
    /// A message is no event.
    Event(EventError),
    /// The body ended before the event that ends the stream.
    Truncated {
        /// How many bytes of payload came.
        payload_bytes: u64,
        /// How many bytes of the body came.
        position: u64,
        /// Whether it ended within a message, and not between two.
        in_message: bool,
    },
    /// The function failed after what it had written: `InvokeComplete` has an error code, or the
    /// log tells.
    FunctionFailed {
        /// The event that ended the stream.
        complete: Box<InvokeComplete>,
        /// What the log tells of the failure, if it does.
        logged: Option<Box<LoggedFailure>>,
    },
    /// The service broke the stream off.
    Exception(Box<StreamException>),
    /// Something follows the event that ends the stream.
    LeftOver {
        /// The byte at which the stream should have ended.
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
                "the response stream was cut {} after {payload_bytes} bytes of payload, before \
                 InvokeComplete",
                if *in_message {
                    "within a message"
                } else {
                    "between two messages"
                },
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
                write!(f, "the service broke the response stream off: {exception}")
            }
            Self::LeftOver { offset } => write!(
                f,
                "the service's response stream goes on after its end, from byte {offset} on"
            ),
        }
    }
}

impl std::error::Error for StreamError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Decode(error) => Some(error),
            Self::Event(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use lambda_invoke_event_stream::DecodeErrorKind;

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

    /// All events of a body that comes in these pieces, and how it ended.
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
    fn ends_well_only_after_complete() {
        let events = [chunk("a"), chunk(""), chunk("bc"), complete()];
        let wire = wire(events.clone());
        assert_eq!(read([&wire[..]]), (events.to_vec(), Ok(())));
        assert_eq!(read(wire.chunks(1)), (events.to_vec(), Ok(())));
    }

    #[test]
    fn every_cut_is_truncated_with_the_count_of_payload_bytes() {
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
    fn an_exception_ends_the_stream_badly() {
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
    fn what_follows_the_end_is_an_error_under_every_split() {
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
                assert_eq!(end, Err(StreamError::LeftOver { offset }), "split at {at}");
            }
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
    fn unknown_events_pass_and_do_not_end_the_stream() {
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
