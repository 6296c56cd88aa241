//! Answers of any shape.

use bytes::Bytes;
use http::StatusCode;
use lambda_invoke_protocol::{AnswerError, Reply, StreamHead};

/// An answer of any status, headers and body is read without a panic, and written again if it can
/// be.
pub fn http_response(data: &[u8]) {
    // Text as of a request, with the status alone in the first line.
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
    match Reply::from_http(&parts, body) {
        Ok(reply) => {
            assert!(parts.status.is_success());
            let _ = reply.failure().map(|failure| failure.to_string());
            // A log that is not base64 may not be text either, and is then not written as it came.
            let faulty = reply.log.as_ref().is_some_and(|log| log.fault().is_some());
            if let (false, Ok(http)) = (faulty, reply.to_http()) {
                let (parts, body) = http.into_parts();
                assert_eq!(Reply::from_http(&parts, body), Ok(reply));
            }
        }
        Err(AnswerError::Service(error)) => {
            assert!(StreamHead::is_refused(&parts) && error.status() >= 400);
        }
        Err(_) => assert!(!parts.status.is_success()),
    }
    if let Ok(head) = StreamHead::from_parts(&parts) {
        assert!(parts.status.is_success());
        if let Ok(http) = head.to_http() {
            assert_eq!(StreamHead::from_parts(&http.into_parts().0), Ok(head));
        }
    }
}
