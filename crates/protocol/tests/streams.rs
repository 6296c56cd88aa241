//! What a stream reader reports about its position.

// Test helpers may panic just as tests may.
#![allow(clippy::unwrap_used)]

use lambda_invoke_event_stream::{DecodeErrorKind, Limits};
use lambda_invoke_protocol::{InvokeComplete, StreamError, StreamEvent, StreamReader};

fn wire(events: &[StreamEvent]) -> Vec<u8> {
    let mut wire = Vec::new();
    for event in events {
        event.clone().encode(&mut wire).unwrap();
    }
    wire
}

fn chunk(text: &'static str) -> StreamEvent {
    StreamEvent::PayloadChunk(text.into())
}

fn complete() -> StreamEvent {
    StreamEvent::InvokeComplete(InvokeComplete::default())
}

#[test]
fn a_reader_counts_the_payload_and_knows_its_end() {
    let mut reader = StreamReader::new();
    reader.push(wire(&[chunk("abc"), chunk(""), chunk("de"), complete()]).into());
    for (read, is_end) in [(3, false), (3, false), (5, false), (5, true)] {
        assert!(!reader.has_ended());
        let event = reader.next_event().unwrap().unwrap();
        assert_eq!(event.is_end(), is_end, "{event:?}");
        assert_eq!(reader.payload_bytes(), read);
    }
    assert!(reader.has_ended());
    assert_eq!(reader.next_event(), Ok(None));
    assert_eq!(reader.finish(), Ok(()));
}

#[test]
fn the_limits_are_those_of_each_message() {
    let body = wire(&[chunk("a payload of more than a few bytes"), complete()]);
    let smallest = wire(&[complete()])
        .len()
        .max(body.len() - wire(&[complete()]).len());
    let limit = u32::try_from(smallest).unwrap();
    for (limit, fits) in [(limit, true), (limit - 1, false)] {
        let limits = Limits::new().with_max_message_len(limit);
        let mut reader = StreamReader::with_limits(limits);
        reader.push(body.clone().into());
        match reader.next_event() {
            Ok(Some(_)) => assert!(fits),
            Err(StreamError::Decode(error)) => {
                let actual = limit + 1;
                assert!(!fits);
                assert_eq!(
                    error.kind(),
                    DecodeErrorKind::MessageTooLong { limit, actual }
                );
            }
            other => panic!("{other:?}"),
        }
    }
}
