//! Every error that can be rendered is parsed again as the same error.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, SystemTime};

use lambda_invoke_error::{
    ErrorType, Rendered, RetryAfter, ServiceError, ThrottleReason, known_errors, lookup,
};
use proptest::prelude::*;

fn read(response: &Rendered) -> ServiceError {
    let find = |name: &str| {
        response
            .headers
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, value)| value.as_str())
    };
    ServiceError::parse(response.status, find, &response.body)
}

/// Parses the body with an independent JSON reader.
fn json(response: &Rendered) -> serde_json::Value {
    serde_json::from_slice(&response.body).unwrap()
}

const UNUSUAL: [&str; 7] = [
    "a plain message",
    "\"quoted\" \\ back / slash",
    "line\nline\r\n\ttab \u{0} \u{1b}[31m \u{7f}",
    "é 日本 😀 \u{2028}\u{feff}",
    "{\"message\":\"a message in a message\"}",
    " ",
    "</script>",
];

#[test]
fn every_known_error_is_the_same_after_rendering_and_parsing() {
    for known in known_errors() {
        for spelling in known.aliases.iter().chain([&known.code]) {
            for message in UNUSUAL.into_iter().chain([""]) {
                let named = ServiceError::unmodelled(spelling, known.status).unwrap();
                for error in [known.error(message), named.with_message(message)] {
                    let error = error.with_request_id("7f1b6d0c-7a0e-4d1b-8f0e-2f3f7f0c9a11");
                    let response = error.render();
                    let again = read(&response);
                    assert_eq!(again, error, "{spelling} {message:?}");
                    assert_eq!(again.known_error().unwrap().code, known.code);
                    let member = &json(&response)[known.message_member];
                    assert_eq!(member.as_str().unwrap_or_default(), message);
                }
            }
        }
    }
}

#[test]
fn throttles_keep_reason_and_delay() {
    let known = lookup("TooManyRequestsException").unwrap();
    let date = RetryAfter::try_from(("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")).unwrap();
    for reason in ThrottleReason::KNOWN
        .into_iter()
        .chain([ThrottleReason::from("New")])
    {
        for delay in [RetryAfter::seconds(3), RetryAfter::millis(1500), date] {
            let error = known
                .error("Rate Exceeded.")
                .with_reason(reason.clone())
                .with_retry_after(delay);
            let response = error.render();
            assert_eq!(read(&response), error);
            assert_eq!(json(&response)["Reason"], reason.as_str());
        }
    }
}

#[test]
fn the_body_has_a_type_exactly_where_the_service_sends_one() {
    for known in known_errors() {
        let body = json(&known.error("x").render());
        let expected = match (known.has_type, known.status >= 500) {
            (false, _) => serde_json::Value::Null,
            (true, false) => "User".into(),
            (true, true) => "Service".into(),
        };
        assert_eq!(body["Type"], expected, "{}", known.code);
    }
}

#[test]
fn a_hidden_known_value_is_shown() {
    let known = lookup("TooManyRequestsException").unwrap();
    let error = known
        .error("x")
        .with_reason(ThrottleReason::Other("CallerRateLimitExceeded".into()))
        .with_type(ErrorType::Other("User".into()));
    assert_eq!(
        error.reason(),
        Some(&ThrottleReason::CallerRateLimitExceeded)
    );
    assert_eq!(read(&error.render()), error);
}

#[test]
fn what_no_header_can_hold_is_rejected_or_left_out() {
    for code in [
        "",
        "a b",
        "a:b",
        "a#b",
        "a,b",
        "é",
        "a\r\nx: y",
        &"x".repeat(257),
    ] {
        assert!(ServiceError::unmodelled(code, 400).is_err(), "{code:?}");
    }
    for status in [0, 99, 200, 399, 600, 1000] {
        assert!(
            ServiceError::unmodelled("Code", status).is_err(),
            "{status}"
        );
    }
    let known = lookup("ServiceException").unwrap();
    assert_eq!(
        known.error("x").with_request_id("a\r\nx: y").request_id(),
        None
    );
}

fn delay() -> impl Strategy<Value = Option<RetryAfter>> {
    let date = |seconds| {
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        RetryAfter::try_from(("retry-after", &*httpdate::fmt_http_date(date))).unwrap()
    };
    prop_oneof![
        Just(None),
        any::<u64>().prop_map(|n| Some(RetryAfter::seconds(n))),
        any::<u64>().prop_map(|n| Some(RetryAfter::millis(n))),
        // Up to the end of the year 9999, the last that an HTTP date can name.
        (0..253_402_300_800u64).prop_map(move |n| Some(date(n))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_error_is_the_same_after_rendering_and_parsing(
        code in "[!-~&&[^#:,]]{1,256}",
        status in 400u16..600,
        message in ".{0,300}",
        kind in proptest::option::of(".{0,100}"),
        reason in proptest::option::of(".{0,100}"),
        ec2 in proptest::option::of("[!-~]{1,64}"),
        id in proptest::option::of("[!-~]{1,256}"),
        delay in delay(),
    ) {
        let mut error = ServiceError::unmodelled(&code, status).unwrap().with_message(&message);
        if let Some(kind) = &kind {
            error = error.with_type(ErrorType::from(kind.as_str()));
        }
        if let Some(reason) = &reason {
            error = error.with_reason(ThrottleReason::from(reason.as_str()));
        }
        if let Some(ec2) = &ec2 {
            error = error.with_ec2_error_code(ec2);
        }
        if let Some(id) = &id {
            error = error.with_request_id(id);
        }
        if let Some(delay) = delay {
            error = error.with_retry_after(delay);
        }
        prop_assert_eq!(read(&error.render()), error);
    }

    #[test]
    fn whatever_was_read_is_the_same_after_rendering_and_parsing(
        status in any::<u16>(),
        header in proptest::option::of("[ -~]{0,40}"),
        body in prop_oneof![
            any::<Vec<u8>>(),
            ".{0,700}".prop_map(String::into_bytes),
            r#"\{("message":"[a-z]{0,9}"|"Type":"[a-z]{0,9}"|"code":"[a-z#:]{0,9}"|[a-z,:"]{0,9}),?\}?"#
                .prop_map(String::into_bytes),
        ],
    ) {
        let find = |name: &str| header.as_deref().filter(|_| name == "x-amzn-errortype");
        let error = ServiceError::parse(status, find, &body);
        prop_assert_eq!(read(&error.render()), error);
    }
}
