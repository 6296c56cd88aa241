//! Arbitrary responses.

use bytes::Bytes;
use http::StatusCode;
use lambda_invoke_input::InvocationType;
use lambda_invoke_protocol::{
    Expected, Framing, Reply, ResponseError, StreamHead, StreamInvocationType,
};

/// A response with any status, headers and body is read without a panic; if it can be encoded
/// again, it decodes to the same value.
pub fn http_response(data: &[u8]) {
    // Text as for a request, with only the status in the first line.
    let (head, body) = super::head_and_body(data);
    let Some((status, headers)) = head.split_first() else {
        return;
    };
    let Ok(status) = StatusCode::from_bytes(status) else {
        return;
    };
    let mut response = http::Response::new(Bytes::copy_from_slice(body));
    *response.status_mut() = status;
    for (name, value) in headers.iter().filter_map(|line| super::header(line)) {
        response.headers_mut().append(name, value);
    }
    let (parts, body) = response.into_parts();
    for requested in [
        InvocationType::RequestResponse,
        InvocationType::Event,
        InvocationType::DryRun,
    ] {
        let expected = Expected::from(requested);
        match Reply::from_http(requested, &parts, body.clone()) {
            Ok(reply) => {
                assert_eq!(parts.status, expected.status());
                assert!(expected.check_head(&parts).is_ok());
                let _ = reply.failure().map(|failure| failure.to_string());
                // A log that is not base64 may not be text either, and is then not encoded
                // unchanged.
                let faulty = reply.log.as_ref().is_some_and(|log| log.fault().is_some());
                if let (false, Ok(http)) = (faulty, reply.to_http()) {
                    let (parts, body) = http.into_parts();
                    assert_eq!(Reply::from_http(requested, &parts, body), Ok(reply));
                }
            }
            Err(ResponseError::Service(error)) => {
                assert!(StreamHead::is_service_error(&parts) && error.status() >= 400);
            }
            Err(error) => {
                assert!(!StreamHead::is_service_error(&parts) && !error.to_string().is_empty());
            }
        }
    }
    for requested in [
        StreamInvocationType::RequestResponse,
        StreamInvocationType::DryRun,
    ] {
        if let Ok(head) = StreamHead::from_parts(requested, &parts) {
            assert_eq!(parts.status, Expected::from(requested).status());
            if let Ok(http) = head.to_http() {
                let (parts, ()) = http.into_parts();
                assert_eq!(StreamHead::from_parts(requested, &parts), Ok(head));
            }
        }
    }
    // Exactly one length is complete, and none if only the connection marks the end.
    let framing = Framing::of(&parts);
    let ends = (0..=64u64).filter(|end| framing.check_end(*end).is_ok());
    match framing {
        Framing::Connection => assert_eq!(ends.count(), 0),
        Framing::Length(length) => assert!(ends.eq((0..=64).filter(|end| *end == length))),
        Framing::Delimited => assert_eq!(ends.count(), 65),
    }
}
