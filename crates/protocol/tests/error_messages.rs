//! Each error says what is wrong, where, and what would be right.

// Test helpers may panic just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::error::Error as _;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use lambda_invoke_event_stream::DecodeError;
use lambda_invoke_input::{FunctionName, InvocationType, NameRules};
use lambda_invoke_protocol::path::RouteError;
use lambda_invoke_protocol::prelude::PreludeError;
use lambda_invoke_protocol::{
    EncodeResponseError, EventError, Framing, IncomingRequest, InvokeComplete, LogTail, Rejection,
    RequestError, StreamError, StreamEvent, StreamException, StreamReader,
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
            RequestError::DurableStream.to_string(),
            "a response stream has no durable execution name, only Invoke has",
        ),
        (
            RequestError::ClientContextWithEvent.to_string(),
            "a client context reaches the function in synchronous calls only, not with Event",
        ),
        (
            RequestError::TailWithEvent.to_string(),
            "the tail of the log comes with synchronous calls only, not with Event",
        ),
        (
            RequestError::TenantIdSpace.to_string(),
            "the tenant id begins or ends with a space, which HTTP removes from a header",
        ),
        (
            RequestError::BaseNotAbsolute.to_string(),
            "the endpoint's URI is not absolute, expected the form https://host:port",
        ),
        (
            RequestError::BaseQuery.to_string(),
            "the endpoint's URI has a query, expected a URI without one",
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

/// Why an endpoint rejects a request to `path` with these headers and this payload.
fn rejection(path: &str, headers: &[(&str, &str)], payload: &'static [u8]) -> Rejection {
    let mut request = http::Request::post(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let incoming = match IncomingRequest::from_parts(&parts, &NameRules::default()) {
        Ok(incoming) => incoming,
        Err(rejection) => return rejection,
    };
    let incoming = incoming.with_payload(Bytes::from_static(payload)).unwrap();
    let rejected = incoming.check_content_type().and(incoming.check_json());
    rejected.unwrap_err()
}

#[test]
fn of_rejections() {
    const PATH: &str = "/2015-03-31/functions/f/invocations";
    let seven = "/2015-03-31/functions/f:7/invocations?Qualifier=8";
    check([
        (
            rejection(PATH, &[("x-amz-invocation-type", "Later")], b"").to_string(),
            "the request is invalid: 1 validation error detected: Value 'Later' at 'invocationType' \
             failed to satisfy constraint: Member must satisfy enum value set: [RequestResponse, \
             Event, DryRun]",
        ),
        (
            rejection(seven, &[], b"").to_string(),
            "the qualifier in the function name, at byte 2, differs from the qualifier parameter",
        ),
        (
            rejection(PATH, &[("x-amz-client-context", "W10=")], b"").to_string(),
            "the client context is not a JSON object in at most 3583 bytes of base64",
        ),
        (
            rejection(PATH, &[], b"{").to_string(),
            "the payload is not JSON: unexpected end of input at byte 1 (line 1, column 2)",
        ),
        (
            rejection(PATH, &[("content-type", "text/html")], b"").to_string(),
            "the content type is \"text/html\", expected none, application/json or \
             application/octet-stream",
        ),
        (
            Rejection::Value(FunctionName::try_from("").unwrap_err()).to_string(),
            "invalid function name: empty, expected at least 1 character",
        ),
    ]);
}

#[test]
fn of_preludes() {
    let of = |error: PreludeError| {
        let message = error.to_string();
        message
            .strip_prefix("the function's HTTP prelude ")
            .unwrap()
            .to_owned()
    };
    check([
        (
            of(PreludeError::TooLong { limit: 9 }),
            "does not end within 9 bytes",
        ),
        (
            of(PreludeError::Truncated { length: 1 }),
            "is truncated: the stream ended after 1 byte",
        ),
        (
            of(PreludeError::Truncated { length: 3 }),
            "is truncated: the stream ended after 3 bytes",
        ),
        (
            of(PreludeError::NotObject { line: 1, column: 2 }),
            "is not a JSON object: line 1, column 2",
        ),
        (
            of(PreludeError::StatusCode),
            "has a statusCode that is not a number from 100 to 999",
        ),
        (
            of(PreludeError::Headers),
            "has headers that are not a JSON object",
        ),
        (
            of(PreludeError::MultiValueHeaders),
            "has multiValueHeaders that are not a JSON object of arrays",
        ),
        (
            of(PreludeError::Header {
                name: "a b".to_owned(),
            }),
            "has a header that is not valid in HTTP: \"a b\"",
        ),
        (
            of(PreludeError::Cookies),
            "has cookies that are not a JSON array of strings",
        ),
    ]);
}

/// The error of a reader that receives these bytes, and then the end of the body.
fn stream_error(wire: &[u8]) -> StreamError {
    let mut reader = StreamReader::new();
    reader.push(Bytes::copy_from_slice(wire));
    loop {
        match reader.next_event() {
            Ok(Some(_)) => {}
            Ok(None) => return reader.finish().unwrap_err(),
            Err(error) => return error,
        }
    }
}

#[test]
fn of_streams_that_end_in_the_wrong_place() {
    let mut wire = Vec::new();
    let chunk = StreamEvent::PayloadChunk(Bytes::from_static(b"four").into());
    chunk.encode(&mut wire).unwrap();
    let between = wire.len();
    StreamEvent::InvokeComplete(InvokeComplete::default())
        .encode(&mut wire)
        .unwrap();
    let end = wire.len();
    wire.push(0);
    let trailing = format!("the service's response stream has data after its end, from byte {end}");
    check([
        (
            stream_error(&wire[..between]).to_string(),
            "the response stream was truncated between two messages after 4 bytes of payload, \
             before InvokeComplete",
        ),
        (
            stream_error(&wire[..end - 1]).to_string(),
            "the response stream was truncated within a message after 4 bytes of payload, before \
             InvokeComplete",
        ),
        (stream_error(&wire).to_string(), &trailing),
        (
            EventError::HeaderNotString {
                name: ":event-type",
            }
            .to_string(),
            "the service sent a message whose header :event-type is not a string",
        ),
        (
            EventError::InvokeCompleteNotObject { line: 1, column: 2 }.to_string(),
            "the service's InvokeComplete is not a JSON object: line 1, column 2",
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
            "the body ended after 1 byte, but 2 were announced",
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
