//! Each error says what is wrong, where, and what would be right.

// Test helpers may panic just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::error::Error as _;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use lambda_invoke_event_stream::DecodeError;
use lambda_invoke_input::InvocationType;
use lambda_invoke_protocol::path::RouteError;
use lambda_invoke_protocol::prelude::PreludeError;
use lambda_invoke_protocol::{
    EncodeResponseError, EventError, Framing, InvokeComplete, LogTail, Rejection, RequestError,
    StreamError, StreamEvent, StreamException, StreamReader,
};

fn check<const N: usize>(messages: [(String, &str); N]) {
    for (message, expected) in messages {
        assert_eq!(message, expected);
    }
}

#[test]
fn of_requests() {
    let invocation_type = InvocationType::Event;
    check([
        (
            RequestError::NotForStream { invocation_type }.to_string(),
            "a response stream cannot be invoked as Event, only as RequestResponse or DryRun",
        ),
        (
            RequestError::PayloadTooLarge {
                length: 9,
                limit: 8,
                invocation_type,
            }
            .to_string(),
            "the payload has 9 bytes, but Event accepts at most 8",
        ),
        (
            RequestError::HeaderValue { name: CONTENT_TYPE }.to_string(),
            "the value for content-type is not a valid HTTP header value",
        ),
        (
            RequestError::DotSegment.to_string(),
            "a function with the name '.' or '..' cannot be invoked, since a URI with it means another \
             path",
        ),
        (
            RequestError::UriTooLong.to_string(),
            "the request's URI is too long",
        ),
        (
            RouteError::Method.to_string(),
            "the invoke operations accept only POST",
        ),
        (
            RouteError::Path.to_string(),
            "the request's path does not belong to any invoke operation",
        ),
        (
            Rejection::Route(RouteError::Method).to_string(),
            "the invoke operations accept only POST",
        ),
    ]);
}

#[test]
fn of_responses() {
    check([
        (
            EncodeResponseError::HeaderValue { name: CONTENT_TYPE }.to_string(),
            "the value for content-type is not a valid HTTP header value",
        ),
        (
            EncodeResponseError::UnrecognizedVersion.to_string(),
            "the executed version is neither $LATEST nor a number",
        ),
        (
            LogTail::from_base64("YW*j").fault().unwrap().to_string(),
            "the service's tail log has byte 0x2a at 2, which is not base64",
        ),
        (
            LogTail::from_base64("YWJjZ").fault().unwrap().to_string(),
            "the service's tail log ends within a base64 group, after 5 bytes",
        ),
        (
            PreludeError::Missing.to_string(),
            "the function's HTTP prelude is missing: the stream does not begin with a JSON object",
        ),
        (
            PreludeError::Separator {
                offset: 3,
                found: 2,
            }
            .to_string(),
            "the function's HTTP prelude has a separator of 2 NUL bytes at byte 3, expected eight",
        ),
        (
            EventError::MissingHeader {
                name: ":event-type",
            }
            .to_string(),
            "the service sent a message without the header :event-type",
        ),
        (
            EventError::InvokeCompleteMember { name: "ErrorCode" }.to_string(),
            "the service's InvokeComplete has a member ErrorCode that is not a string",
        ),
        (
            Framing::Length(2).check_end(1).unwrap_err().to_string(),
            "the body ended after 1 bytes, but 2 were announced",
        ),
    ]);
}

#[test]
fn of_streams_with_their_causes() {
    let mut corrupt = StreamReader::new();
    corrupt.push(Bytes::from_static(&[0; 16]));
    let error = corrupt.next_event().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the service's response stream is corrupt"
    );
    assert!(error.source().unwrap().is::<DecodeError>());

    let event = StreamError::Event(EventError::MissingHeader {
        name: ":event-type",
    });
    assert_eq!(
        event.to_string(),
        "the service's response stream has a malformed event"
    );
    assert!(event.source().is_some());

    let exception = StreamException::new("ServiceException", "no");
    let exception = StreamError::Exception(exception.into());
    assert_eq!(
        exception.to_string(),
        "the service aborted the response stream: ServiceException: no"
    );
    assert!(exception.source().is_none());

    let mut wire = Vec::new();
    let failed = InvokeComplete::failed("Unhandled", "why");
    StreamEvent::InvokeComplete(failed)
        .encode(&mut wire)
        .unwrap();
    let mut reader = StreamReader::new();
    reader.push(wire.into());
    while let Ok(Some(_)) = reader.next_event() {}
    assert_eq!(
        reader.finish().unwrap_err().to_string(),
        "the function failed while streaming: Unhandled: why"
    );
}
