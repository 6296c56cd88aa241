//! Parsing of well-formed, unusual and hostile responses.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, SystemTime};

use lambda_invoke_error::bounds::{MAX_BODY, MAX_MESSAGE, MAX_TEXT, MAX_TOKEN};
use lambda_invoke_error::{
    ErrorType, Execution, Operation, RetryClass, ServiceError, ThrottleReason,
};

fn parse(status: u16, headers: &[(&str, &str)], body: &[u8]) -> ServiceError {
    let find = |name: &str| {
        headers
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, value)| *value)
    };
    ServiceError::parse(status, find, body)
}

fn body(body: &str) -> ServiceError {
    parse(500, &[], body.as_bytes())
}

#[test]
fn takes_the_code_from_the_header_then_code_then_type() {
    let all = br#"{"__type":"C","Code":"D","code":"B"}"#;
    assert_eq!(
        parse(400, &[("x-amzn-errortype", "A")], all).code(),
        Some("A")
    );
    assert_eq!(parse(400, &[], all).code(), Some("B"));
    assert_eq!(body(r#"{"__type":"C","Code":"D"}"#).code(), Some("D"));
    assert_eq!(body(r#"{"__type":"ns#C:http://x/"}"#).code(), Some("C"));
    // A header that contains no code does not hide the code in the body.
    assert_eq!(
        parse(400, &[("x-amzn-errortype", ":")], all).code(),
        Some("B")
    );
    assert_eq!(body(r#"{"code":404,"__type":"C"}"#).code(), Some("C"));
    assert_eq!(body(r#"{"code":"not a code"}"#).code(), None);
}

#[test]
fn keeps_an_unknown_code() {
    let error = parse(
        418,
        &[("x-amzn-errortype", "TeapotException:http://x/")],
        b"{}",
    );
    assert_eq!(error.code(), Some("TeapotException"));
    assert!(error.known_error().is_none());
    assert_eq!(error.to_string(), "service returned 418 TeapotException");
}

#[test]
fn reads_the_message_under_either_case() {
    assert_eq!(body(r#"{"message":"a"}"#).message(), Some("a"));
    assert_eq!(body(r#"{"Message":"b"}"#).message(), Some("b"));
    assert_eq!(
        body(r#"{"Message":"b","message":"a"}"#).message(),
        Some("a")
    );
    assert_eq!(
        body(r#"{"message":null,"Message":"b"}"#).message(),
        Some("b")
    );
    assert_eq!(body(r#"{"message":""}"#).message(), None);
}

#[test]
fn reads_escapes_and_skips_everything_else() {
    let error = body(
        r#" {"x":[1,{"message":"inner"}],"Type":"Service","message":"\u00e9\n\"\ud83d\ude00\"",
            "n":1e9,"t":true,"Reason":null,"EC2ErrorCode":"UnauthorizedOperation","y":{"code":"no"}} "#,
    );
    assert_eq!(error.message(), Some("é\n\"😀\""));
    assert_eq!(error.error_type(), Some(&ErrorType::Service));
    assert_eq!(error.ec2_error_code(), Some("UnauthorizedOperation"));
    assert_eq!((error.reason(), error.code()), (None, None));
}

#[test]
fn values_of_another_type_are_skipped_with_all_they_hold() {
    for value in [
        "null",
        "true",
        "1",
        "-1",
        "1.5",
        "[1,[2]]",
        r#"{"a":{"b":[]}}"#,
    ] {
        let error = body(&format!(r#"{{"message":{value},"Message":"after"}}"#));
        assert_eq!(error.message(), Some("after"), "{value}");
    }
}

#[test]
fn the_last_of_repeated_members_counts() {
    assert_eq!(
        body(r#"{"message":"a","message":"b"}"#).message(),
        Some("b")
    );
}

#[test]
fn a_body_that_is_not_json_is_the_message() {
    let html = "  <html>\r\n<body>502 Bad Gateway</body></html>\n";
    assert_eq!(body(html).message(), Some(html.trim()));
    assert_eq!(body("\"Forbidden\"").message(), Some("\"Forbidden\""));
    assert_eq!(
        body("{\"a\":1} and more").message(),
        Some("{\"a\":1} and more")
    );
    assert_eq!(parse(500, &[], b"caf\xe9").message(), Some("caf\u{fffd}"));
    for empty in ["", " \r\n", "{}", "{\"a\":1}"] {
        assert_eq!(body(empty).message(), None, "{empty:?}");
    }
}

#[test]
fn a_body_that_breaks_off_keeps_what_came_before() {
    let whole = r#"{"Type":"User","message":"Rate Exceeded.","Reason":"CallerRateLimitExceeded"}"#;
    for end in 0..=whole.len() {
        let error = body(&whole[..end]);
        let has = |part: &str| whole[..end].contains(part);
        assert_eq!(error.error_type().is_some(), has(r#""User""#), "{end}");
        assert_eq!(
            error.message() == Some("Rate Exceeded."),
            has(r#"Exceeded.""#),
            "{end}"
        );
        assert_eq!(error.reason().is_some(), has(r#"LimitExceeded""#), "{end}");
    }
    let error = parse(500, &[], b"{\"message\":\"first\",\"x\":\"\xff\"}");
    assert_eq!(error.message(), Some("first"));
}

/// Half a surrogate pair, a byte that is not UTF-8, a number that no `f64` can have: the member with it,
/// and no other, is repaired or left out.
#[test]
fn a_value_that_cannot_be_read_does_not_hide_the_others() {
    let code = r#""code":"RequestAbortedException""#;
    for (written, message) in [
        (&br#""cut \ud83d""#[..], Some("cut \u{fffd}")),
        (
            br#""\ud83d\ud83d\ude00\\ud83d""#,
            Some("\u{fffd}\u{1f600}\\ud83d"),
        ),
        (b"\"caf\xe9\"", Some("caf\u{fffd}")),
        (b"1e400", None),
        (b"[[1e400],\"\\ud83d\"]", None),
    ] {
        let member = |name: &[u8]| [b"\"", name, b"\":", written].concat();
        for name in [
            &b"message"[..],
            b"Reason",
            b"__type",
            b"other",
            b"\\ud83d",
            b"\xe9",
        ] {
            let member = member(name);
            let (first, last) = ([&member[..], b","].concat(), [b",", &member[..]].concat());
            for (before, after) in [(&first[..], &b""[..]), (b"", &last)] {
                let body = [b"{", before, code.as_bytes(), after, b"}"].concat();
                let shown = String::from_utf8_lossy(&body).into_owned();
                let error = parse(400, &[], &body);
                assert_eq!(error.code(), Some("RequestAbortedException"), "{shown}");
                assert_eq!(error.execution(), Execution::Unknown, "{shown}");
                let message = message.filter(|_| name == b"message");
                assert_eq!(error.message(), message, "{shown}");
                // The members before the end count even if the object is not complete.
                let open = &body[..body.len() - 1];
                for broken in [open, &[open, b",\"x\":nul"].concat()] {
                    assert_eq!(parse(400, &[], broken).code(), error.code(), "{shown}");
                }
            }
        }
    }
}

#[test]
fn stays_small_whatever_is_received() {
    let long = "é".repeat(MAX_MESSAGE);
    let error = body(&format!(r#"{{"message":"{long}"}}"#));
    assert_eq!(error.message().unwrap().len(), MAX_MESSAGE);
    // What stands for a session token counts, too.
    let tokens = "x-amz-security-token:\n".repeat(MAX_MESSAGE);
    let message = error.with_message(&tokens).message().unwrap().to_owned();
    assert!(
        message.len() <= MAX_MESSAGE && message.contains("<redacted>"),
        "{}",
        message.len()
    );

    let html = format!("<{}", "é".repeat(1 << 20));
    assert_eq!(body(&html).message().unwrap().len(), MAX_TEXT - 1);

    // A member that begins beyond the limit is not read; one before the limit is.
    let late = format!(
        r#"{{"Type":"User","x":"{}","message":"late"}}"#,
        "x".repeat(MAX_BODY)
    );
    assert_eq!(body(&late).error_type(), Some(&ErrorType::User));
    assert!(body(&late).message().unwrap().len() <= MAX_TEXT);

    let token = "x".repeat(MAX_TOKEN + 1);
    let error = parse(
        500,
        &[("x-amzn-errortype", &token), ("x-amzn-requestid", &token)],
        b"",
    );
    assert_eq!((error.code(), error.request_id()), (None, None));

    let other = format!(r#"{{"Reason":"{token}","Type":"{token}"}}"#);
    assert_eq!(body(&other).reason().unwrap().as_str().len(), MAX_TOKEN);
    assert_eq!(body(&other).error_type().unwrap().as_str().len(), MAX_TOKEN);

    let deep = format!(r#"{{"message":"a","x":{}"#, "[".repeat(50_000));
    assert_eq!(body(&deep).message(), Some("a"));
}

#[test]
fn an_error_is_no_larger_than_a_pointer() {
    assert_eq!(size_of::<ServiceError>(), size_of::<usize>());
    assert_eq!(size_of::<Result<(), ServiceError>>(), size_of::<usize>());
}

#[test]
fn finds_the_request_id_under_each_of_its_names() {
    for name in ["x-amzn-requestid", "x-amz-request-id", "x-amzn-request-id"] {
        assert_eq!(
            parse(500, &[(name, " id-1 ")], b"").request_id(),
            Some("id-1"),
            "{name}"
        );
    }
    let both = [
        ("x-amz-request-id", "second"),
        ("x-amzn-requestid", "first"),
    ];
    assert_eq!(parse(500, &both, b"").request_id(), Some("first"));
    let broken = [("x-amz-request-id", "second"), ("x-amzn-requestid", "a b")];
    assert_eq!(parse(500, &broken, b"").request_id(), Some("second"));
}

#[test]
fn reads_the_delay_from_either_header() {
    let delay = |headers: &[(&str, &str)]| {
        Some(
            parse(429, headers, b"")
                .retry_after()?
                .delay(SystemTime::UNIX_EPOCH),
        )
    };
    assert_eq!(delay(&[("retry-after", "3")]), Some(Duration::from_secs(3)));
    assert_eq!(
        delay(&[("x-amz-retry-after", "1500")]),
        Some(Duration::from_millis(1500))
    );
    let both = [("retry-after", "3"), ("x-amz-retry-after", "1500")];
    assert_eq!(delay(&both), Some(Duration::from_millis(1500)));
    let broken = [("retry-after", "3"), ("x-amz-retry-after", "invalid")];
    assert_eq!(delay(&broken), Some(Duration::from_secs(3)));
    assert_eq!(delay(&[("retry-after", "soon")]), None);
    let date = [("retry-after", "Thu, 01 Jan 1970 00:01:00 GMT")];
    assert_eq!(delay(&date), Some(Duration::from_secs(60)));
}

#[test]
fn display_is_one_line_with_code_message_status_and_request_id() {
    let headers = [
        ("x-amzn-errortype", "InvalidRequestContentException"),
        ("x-amzn-requestid", "7f"),
    ];
    let error = parse(
        400,
        &headers,
        br#"{"message":"Could not parse\n at \u001b[31m line 1"}"#,
    );
    assert_eq!(
        error.to_string(),
        "service returned 400 InvalidRequestContentException: \
         Could not parse\\n at \\u{1b}[31m line 1 (request id 7f)"
    );
    assert_eq!(parse(502, &[], b"").to_string(), "service returned 502");
}

#[test]
fn an_unknown_code_is_judged_by_its_status() {
    let judged = |status| {
        let error = parse(status, &[("x-amzn-errortype", "BrandNewException")], b"{}");
        (error.execution(), error.retry_class())
    };
    for status in [400, 401, 403, 404, 405, 411, 413, 415, 421, 426, 431] {
        assert_eq!(
            judged(status),
            (Execution::NotStarted, RetryClass::Permanent),
            "{status}"
        );
    }
    assert_eq!(judged(429), (Execution::NotStarted, RetryClass::Throttled));
    for status in [408, 500, 502, 503, 504] {
        assert_eq!(
            judged(status),
            (Execution::Unknown, RetryClass::Transient),
            "{status}"
        );
    }
    for status in [
        0, 100, 200, 302, 409, 410, 412, 422, 425, 451, 499, 501, 511, 520, 599, 999,
    ] {
        assert_eq!(
            judged(status),
            (Execution::Unknown, RetryClass::Permanent),
            "{status}"
        );
    }
}

#[test]
fn a_known_code_with_an_unusual_status_is_not_trusted() {
    let judged = |code, status| parse(status, &[("x-amzn-errortype", code)], b"").execution();
    assert_eq!(
        judged("ResourceNotFoundException", 404),
        Execution::NotStarted
    );
    assert_eq!(
        judged("ResourceNotFoundException", 400),
        Execution::NotStarted
    );
    assert_eq!(judged("ResourceNotFoundException", 502), Execution::Unknown);
    assert_eq!(judged("ResourceNotFoundException", 200), Execution::Unknown);
    assert_eq!(judged("KMSDisabledException", 502), Execution::NotStarted);
    assert_eq!(judged("ServiceException", 503), Execution::Unknown);
    // Throttling is a rejection with any status.
    assert_eq!(judged("SlowDown", 503), Execution::NotStarted);
    assert_eq!(judged("ThrottlingException", 429), Execution::NotStarted);
    // EFSIOException is a 410, and its execution stays unknown even under a status that otherwise
    // means a rejection.
    assert_eq!(judged("EFSIOException", 400), Execution::Unknown);
}

#[test]
fn a_signature_out_of_its_time_is_clock_skew() {
    let class = |code, message: &str| {
        let body = format!(r#"{{"message":"{message}"}}"#);
        parse(403, &[("x-amzn-errortype", code)], body.as_bytes()).retry_class()
    };
    let expired = "Signature expired: 20160928T174419Z is now earlier than 20160928T174724Z";
    let early = "Signature not yet current: 20160928T174419Z is still later than 20160928T1730Z";
    let wrong = "The request signature we calculated does not match the signature you provided.";
    assert_eq!(
        class("InvalidSignatureException", expired),
        RetryClass::ClockSkew
    );
    assert_eq!(
        class("InvalidSignatureException", early),
        RetryClass::ClockSkew
    );
    assert_eq!(
        class("InvalidSignatureException", wrong),
        RetryClass::Permanent
    );
    assert_eq!(
        class("SignatureDoesNotMatch", expired),
        RetryClass::ClockSkew
    );
    assert_eq!(
        class("AccessDeniedException", expired),
        RetryClass::Permanent
    );
    assert_eq!(
        class("ExpiredTokenException", "expired"),
        RetryClass::ExpiredCredentials
    );
}

#[test]
fn throttles_are_recognized_with_their_reason() {
    let headers = [
        ("x-amzn-errortype", "TooManyRequestsException"),
        ("retry-after", "1"),
    ];
    let json = br#"{"Reason":"CallerRateLimitExceeded","Type":"User","message":"Rate Exceeded."}"#;
    let error = parse(429, &headers, json);
    assert!(error.is_throttle());
    assert_eq!(
        error.reason(),
        Some(&ThrottleReason::CallerRateLimitExceeded)
    );
    assert!(parse(429, &[], b"").is_throttle());
    assert!(parse(413, &[], b"").is_too_large());
    assert!(!parse(413, &[("x-amzn-errortype", "ServiceException")], b"").is_too_large());
}

#[test]
fn text_is_truncated_after_the_spaces_before_it() {
    // 512 bytes of text, ending with a complete character, after even more spaces.
    let text = "x".repeat(MAX_TEXT - 2) + "é";
    let error = body(&format!("{}{text}{}", " ".repeat(MAX_TEXT), "é".repeat(9)));
    assert_eq!(error.message(), Some(text.as_str()));
}

#[test]
fn names_are_displayed_as_the_service_writes_them() {
    assert_eq!(ErrorType::User.to_string(), "User");
    assert_eq!(format!("{:>8}", ErrorType::Service), " Service");
    assert_eq!(
        ThrottleReason::CallerRateLimitExceeded.to_string(),
        "CallerRateLimitExceeded"
    );
    assert_eq!(Operation::Invoke.to_string(), "Invoke");
    assert_eq!(
        Operation::InvokeWithResponseStream.to_string(),
        "InvokeWithResponseStream"
    );
    assert_eq!(Operation::InvokeAsync.to_string(), "InvokeAsync");
}

#[test]
fn an_error_that_cannot_be_made_says_what_would_be_right() {
    let message = |code, status| {
        ServiceError::unmodelled(code, status)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        message("a#b", 400),
        "invalid error code: expected 1 to 256 visible ASCII characters without '#', ':' and ','"
    );
    assert_eq!(
        message("Code", 399),
        "invalid error status 399: expected 400 to 599"
    );
}

#[test]
fn a_message_is_shown_up_to_its_first_blank_line_and_a_web_page_by_its_title() {
    let shown = |body: &str| ServiceError::parse(502, |_| None, body.as_bytes()).to_string();
    for (body, message) in [
        (r#"{"message":"one\n\nThe Canonical String"}"#, ": one"),
        (r#"{"message":"one\ntwo"}"#, ": one\\ntwo"),
        (r#"{"message":"\n\none"}"#, ": \\n\\none"),
        (
            "<!DOCTYPE html>\n<HTML><TITLE> 502\u{1b} Proxy </TITLE><p>text</p>",
            ": a web page titled '502\\u{1b} Proxy', perhaps from a proxy",
        ),
        (
            "<html><title></title>",
            ": a web page, perhaps from a proxy",
        ),
        (
            "<html>\u{130}<title>\u{130}",
            ": a web page, perhaps from a proxy",
        ),
        ("<xml>text</xml>", ": <xml>text</xml>"),
    ] {
        assert_eq!(
            shown(body),
            format!("service returned 502{message}"),
            "{body}"
        );
    }
    let error = ServiceError::parse(502, |_| None, b"<html>all of it");
    assert_eq!(error.message(), Some("<html>all of it"));
}

#[test]
fn an_error_whose_code_may_not_have_come_is_certain_only_if_all_of_its_status_are() {
    let half = |status| ServiceError::parse(status, |_| None, br#"{"code":"Requ"#);
    for (status, whole, partial) in [
        // `RequestAbortedException` is a 400 after which the function may have run.
        (400, Execution::NotStarted, Execution::Unknown),
        (403, Execution::NotStarted, Execution::NotStarted),
        (404, Execution::NotStarted, Execution::NotStarted),
        (429, Execution::NotStarted, Execution::NotStarted),
        (502, Execution::Unknown, Execution::Unknown),
    ] {
        assert_eq!(half(status).execution(), whole, "{status}");
        let half = half(status).with_partial_body();
        assert_eq!(half.execution(), partial, "{status}");
    }
    // A code in the head is sufficient.
    let code = |name: &str| (name == "x-amzn-errortype").then_some("ValidationException");
    let known = ServiceError::parse(400, code, b"{").with_partial_body();
    assert_eq!(known.execution(), Execution::NotStarted);
}
