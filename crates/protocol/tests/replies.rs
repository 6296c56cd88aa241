//! Replies: converted from `http` and back.

// Test helpers may panic just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderValue, StatusCode};
use lambda_invoke_error::bounds::MAX_BODY;
use lambda_invoke_error::{Execution, lookup};
use lambda_invoke_input::InvocationType;
use lambda_invoke_protocol::{
    EncodeResponseError, LogTail, Mismatch, Reply, ResponseError, StreamHead, error_to_http,
    service_error,
};
use proptest::prelude::*;

prop_compose! {
    fn reply()(
        status in prop_oneof![Just(200u16), Just(202), Just(204)],
        version in proptest::option::of("[$]LATEST|[0-9]{1,10}"),
        function_error in proptest::option::of("Unhandled|Handled"),
        log in proptest::option::of(prop::collection::vec(any::<u8>(), 0..100)),
        arn in proptest::option::of("arn:aws:lambda:[a-z0-9:/-]{1,50}"),
        request_id in "[0-9a-f-]{36}",
        content_type in proptest::option::of("application/(json|octet-stream)"),
        payload in prop::collection::vec(any::<u8>(), 0..100),
    ) -> Reply {
        let mut reply = Reply::new(StatusCode::from_u16(status).unwrap(), payload);
        reply.executed_version = version.map(Into::into);
        reply.function_error = function_error;
        reply.log = log.map(|log| LogTail::last_of(&log));
        reply.durable_execution_arn = arn;
        // The service always sends this header.
        reply.request_id = Some(request_id);
        reply.content_type = content_type.map(|text| HeaderValue::try_from(text).unwrap());
        reply
    }
}

proptest! {
    #[test]
    fn a_reply_arrives_as_it_was_sent(reply in reply()) {
        let (parts, body) = reply.to_http().unwrap().into_parts();
        prop_assert_eq!(Reply::from_http(type_of(&parts), &parts, body), Ok(reply));
    }
}

#[test]
fn every_error_of_the_table_arrives_as_it_was_sent() {
    for row in lambda_invoke_error::known_errors() {
        let error = row.error("because").with_request_id("4d34");
        let (parts, body) = error_to_http(&error).into_parts();
        assert_eq!(parts.status, row.status);
        assert_eq!(parts.headers["content-type"], "application/json");
        assert_eq!(service_error(&parts, &body), error);
        assert_eq!(
            Reply::from_http(type_of(&parts), &parts, body),
            Err(ResponseError::Service(error))
        );
    }
}

/// The invocation type whose successful response has this status.
fn type_of(parts: &Parts) -> InvocationType {
    match parts.status.as_u16() {
        202 => InvocationType::Event,
        204 => InvocationType::DryRun,
        _ => InvocationType::RequestResponse,
    }
}

fn parts(status: u16, headers: &[(&str, &str)]) -> Parts {
    let mut response = http::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(()).unwrap().into_parts().0
}

fn read(status: u16, headers: &[(&str, &str)], body: &'static str) -> Result<Reply, ResponseError> {
    let parts = parts(status, headers);
    Reply::from_http(type_of(&parts), &parts, Bytes::from_static(body.as_bytes()))
}

#[test]
fn a_function_error_is_not_success() {
    let reply = read(
        200,
        &[("x-amz-function-error", "Unhandled")],
        "{\"errorMessage\":\"no\"}",
    );
    let failure = reply.unwrap().failure().unwrap();
    assert_eq!(failure.error_message.as_deref(), Some("no"));
    // A payload that resembles an error is not one without the header.
    assert_eq!(
        read(200, &[], "{\"errorMessage\":\"no\"}")
            .unwrap()
            .failure(),
        None
    );
}

#[test]
fn invalid_headers_do_not_invalidate_the_reply() {
    let headers = [
        ("x-amz-executed-version", "live"),
        ("x-amz-log-result", "<base64>"),
    ];
    let reply = read(200, &headers, "42").unwrap();
    assert!(reply.executed_version.as_ref().unwrap().is_unrecognized());
    assert!(reply.log.as_ref().unwrap().fault().is_some());
    assert_eq!(reply.payload, "42");
    assert_eq!(
        reply.to_http().unwrap_err(),
        EncodeResponseError::UnrecognizedVersion
    );
}

#[test]
fn a_redirect_is_unexpected_and_an_error_page_is_a_service_error() {
    let status = StatusCode::TEMPORARY_REDIRECT;
    let Err(ResponseError::Unexpected(unexpected)) = read(307, &[], "") else {
        panic!("a redirect is a reply")
    };
    assert_eq!(unexpected.mismatch(), Mismatch::Status);
    assert_eq!(unexpected.status(), status);
    assert_eq!(unexpected.content_type(), None);
    let Err(ResponseError::Service(error)) = read(502, &[], "<html>") else {
        panic!("not an error")
    };
    assert_eq!((error.status(), error.code()), (502, None));
    assert!(StreamHead::is_service_error(&parts(502, &[])));
    assert!(!StreamHead::is_service_error(&parts(307, &[])));
}

/// Only the beginning is parsed; the code may be after it.
#[test]
fn an_error_with_a_longer_body_than_is_parsed_proves_nothing() {
    for (length, execution) in [
        (MAX_BODY, Execution::NotStarted),
        (MAX_BODY + 1, Execution::Unknown),
    ] {
        let body = format!("{{{}", " ".repeat(length - 1));
        let error = service_error(&parts(400, &[]), body.as_bytes());
        assert_eq!(error.execution(), execution, "{length}");
    }
}

#[test]
fn an_error_says_that_the_response_is_unexpected_or_what_the_service_says() {
    let html = [("content-type", "text/html")];
    let error = read(200, &html, "<html>").unwrap_err();
    assert_eq!(
        error.to_string(),
        "unexpected response: the response is a web page, which Lambda never sends"
    );
    let ResponseError::Unexpected(unexpected) = error else {
        panic!("{error:?}")
    };
    assert_eq!(unexpected.content_type().unwrap(), "text/html");
    let error = read(
        404,
        &[("x-amzn-errortype", "ResourceNotFoundException")],
        "{}",
    );
    assert_eq!(
        error.unwrap_err().to_string(),
        "service returned 404 ResourceNotFoundException"
    );
}

#[test]
fn a_failure_that_only_the_log_reports_is_found() {
    let log = "START RequestId: 4d34 Version: 1\nEND RequestId: 4d34\n\
               REPORT RequestId: 4d34\tDuration: 1.00 ms\tStatus: timeout\n";
    let mut reply = Reply::new(StatusCode::OK, "1");
    reply.request_id = Some("4d34".to_owned());
    assert!(reply.logged_failure().is_none() && reply.failure().is_none());
    reply.log = Some(LogTail::last_of(log.as_bytes()));
    let failure = reply.logged_failure().unwrap();
    assert_eq!(failure.to_string(), "status timeout");
    assert_eq!(reply.failure(), Some(failure.error));
}

#[test]
fn rejects_values_that_a_header_cannot_hold() {
    let mut reply = Reply::new(StatusCode::OK, "");
    reply.function_error = Some("a\r\nset-cookie: b".to_owned());
    assert!(matches!(
        reply.to_http(),
        Err(EncodeResponseError::HeaderValue { .. })
    ));
}

/// The error table contains the codes of all rejections, with their statuses.
#[test]
fn every_code_of_a_rejection_is_in_the_table() {
    for (code, status) in [
        ("UnknownOperationException", 404),
        ("ValidationException", 400),
        ("InvalidParameterValueException", 400),
        ("InvalidRequestContentException", 400),
        ("RequestEntityTooLargeException", 413),
        ("RequestTooLargeException", 413),
        ("UnsupportedMediaTypeException", 415),
    ] {
        assert_eq!(lookup(code).map(|row| row.status), Some(status), "{code}");
    }
}
