//! Which responses are expected, and when a body is complete.

// Test helpers may panic just as tests may.
#![allow(clippy::unwrap_used)]

use http::response::Parts;
use http::{StatusCode, Version};
use lambda_invoke_protocol::{Expected, Framing, Mismatch};

const ID: (&str, &str) = ("x-amzn-requestid", "4d34");
const VERSION: (&str, &str) = ("x-amz-executed-version", "$LATEST");
const STREAM: (&str, &str) = ("content-type", "application/vnd.amazon.eventstream");

fn parts(status: u16, headers: &[(&str, &str)]) -> Parts {
    let mut response = http::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(()).unwrap().into_parts().0
}

fn check(
    expected: Expected,
    status: u16,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<Mismatch> {
    let checked = expected.check(&parts(status, headers), body.as_bytes());
    checked.err().map(|unexpected| {
        assert!(!unexpected.to_string().is_empty());
        assert_eq!(unexpected.expected(), expected);
        unexpected.mismatch()
    })
}

#[test]
fn each_invocation_type_has_exactly_one_status() {
    for (expected, right) in [
        (Expected::Payload, 200),
        (Expected::Queued, 202),
        (Expected::DryRun, 204),
        (Expected::Stream, 200),
    ] {
        for status in (100..600).filter_map(|status| StatusCode::from_u16(status).ok()) {
            let found = check(expected, status.as_u16(), &[ID, STREAM], "");
            let wanted = (status != right).then_some(Mismatch::Status);
            assert_eq!(found, wanted, "{expected:?} {status}");
        }
    }
}

#[test]
fn a_200_is_recognized_by_its_head_or_as_json() {
    let payload =
        |headers: &[(&str, &str)], body: &str| check(Expected::Payload, 200, headers, body);
    let text = ("content-type", "text/plain; charset=utf-8");
    for sign in [ID, VERSION] {
        for body in ["", "not JSON", "\0\u{1}"] {
            assert_eq!(payload(&[sign], body), None, "{body:?}");
        }
    }
    let empty = ("x-amzn-requestid", "");
    assert_eq!(payload(&[empty], "not JSON"), Some(Mismatch::NoSign));
    for json in ["null", "\"a\"", "-1.5e3", "true", "[]", "{\"a\":1}", " 7\n"] {
        assert_eq!(payload(&[text], json), None, "{json}");
        assert_eq!(payload(&[], json), None, "{json}");
    }
    for other in ["", " ", "It works!", "{\"a\":", "1 2", "nul"] {
        assert_eq!(payload(&[text], other), Some(Mismatch::NoSign), "{other:?}");
    }
    for html in [
        "text/html",
        "Text/HTML;charset=utf-8",
        "application/xhtml+xml",
    ] {
        let html = ("content-type", html);
        assert_eq!(payload(&[html], "{}"), Some(Mismatch::Html));
        assert_eq!(payload(&[html, ID], "{}"), Some(Mismatch::Html));
    }
}

#[test]
fn an_event_is_queued_only_if_lambda_or_a_known_emulator_says_so() {
    let queued = |headers: &[(&str, &str)], body: &str| check(Expected::Queued, 202, headers, body);
    assert_eq!(queued(&[ID], ""), None);
    // moto returns a 202 with a body.
    assert_eq!(
        queued(&[ID, ("content-type", "application/json")], "{}"),
        None
    );
    // AWS SAM 1.170 and serverless-offline 14.8, according to their sources.
    assert_eq!(queued(&[("content-type", "application/json")], ""), None);
    assert_eq!(queued(&[], ""), None);
    // Servers that are not known to emulate Lambda.
    assert_eq!(queued(&[], "accepted"), Some(Mismatch::NoSign));
    assert_eq!(
        queued(&[("content-type", "application/json")], "{}"),
        Some(Mismatch::NoSign)
    );
    assert_eq!(
        queued(&[("content-type", "text/plain")], ""),
        Some(Mismatch::NoSign)
    );
    assert_eq!(
        queued(&[("content-type", "text/html")], ""),
        Some(Mismatch::Html)
    );
}

#[test]
fn a_dry_run_needs_a_header_of_lambda_and_a_stream_its_content_type() {
    assert_eq!(check(Expected::DryRun, 204, &[ID], ""), None);
    assert_eq!(check(Expected::DryRun, 204, &[VERSION], ""), None);
    assert_eq!(
        check(Expected::DryRun, 204, &[], ""),
        Some(Mismatch::NoSign)
    );
    assert_eq!(check(Expected::Stream, 200, &[STREAM], ""), None);
    assert_eq!(
        check(Expected::Stream, 200, &[ID], ""),
        Some(Mismatch::NotEventStream)
    );
    let json = ("content-type", "application/json");
    assert_eq!(
        check(Expected::Stream, 200, &[ID, json], ""),
        Some(Mismatch::NotEventStream)
    );
}

#[test]
fn codings_are_not_passed_through_as_payload() {
    for expected in [
        Expected::Payload,
        Expected::Queued,
        Expected::DryRun,
        Expected::Stream,
    ] {
        let status = expected.status().as_u16();
        for coding in ["gzip", "br", "identity, gzip", "x"] {
            let headers = [ID, STREAM, ("content-encoding", coding)];
            assert_eq!(
                check(expected, status, &headers, ""),
                Some(Mismatch::ContentEncoding)
            );
        }
        for coding in ["identity", "Identity", ""] {
            let headers = [ID, STREAM, ("content-encoding", coding)];
            assert_eq!(check(expected, status, &headers, ""), None, "{coding}");
        }
    }
    for (coding, wanted) in [
        ("chunked", None),
        ("Chunked", None),
        ("identity, chunked", None),
        ("gzip, chunked", Some(Mismatch::TransferEncoding)),
        // If `chunked` is not the last coding, the end of the body cannot be proved: see `Framing`.
        ("gzip", None),
        ("chunked, chunked", Some(Mismatch::TransferEncoding)),
    ] {
        let headers = [ID, ("transfer-encoding", coding)];
        assert_eq!(
            check(Expected::Payload, 200, &headers, "1"),
            wanted,
            "{coding}"
        );
    }
    let twice = [
        ID,
        ("transfer-encoding", "chunked"),
        ("transfer-encoding", "chunked"),
    ];
    assert_eq!(
        check(Expected::Payload, 200, &twice, "1"),
        Some(Mismatch::TransferEncoding)
    );
}

#[test]
fn only_a_length_or_a_last_chunk_proves_an_end() {
    let of = |headers: &[(&str, &str)]| Framing::of(&parts(200, headers));
    let length = |value| ("content-length", value);
    let coding = |value| ("transfer-encoding", value);
    assert_eq!(of(&[]), Framing::Connection);
    assert_eq!(of(&[("connection", "close")]), Framing::Connection);
    assert_eq!(of(&[length("5")]), Framing::Length(5));
    assert_eq!(of(&[length("5, 5")]), Framing::Length(5));
    assert_eq!(of(&[length("5"), length("5")]), Framing::Length(5));
    for conflict in ["5, 6", "+5", "-5", "five", "", "18446744073709551616"] {
        assert_eq!(of(&[length(conflict)]), Framing::Connection, "{conflict}");
    }
    assert_eq!(of(&[length("5"), length("6")]), Framing::Connection);
    assert_eq!(of(&[coding("chunked")]), Framing::Delimited);
    assert_eq!(of(&[coding("gzip"), coding("chunked")]), Framing::Delimited);
    assert_eq!(of(&[coding("gzip, Chunked")]), Framing::Delimited);
    assert_eq!(of(&[coding("chunked"), coding("")]), Framing::Connection);
    assert_eq!(
        of(&[coding("chunked"), coding("gzip")]),
        Framing::Connection
    );
    // A transfer coding overrides the length.
    for other in [
        "identity",
        "gzip",
        "chunked, gzip",
        "chunked;x=y",
        "",
        "chunked,",
        "chunked, ",
        "chunked,,",
        "gzip\u{ff}, chunked",
    ] {
        assert_eq!(
            of(&[coding(other), length("5")]),
            Framing::Connection,
            "{other}"
        );
    }
    assert_eq!(Framing::of(&parts(204, &[])), Framing::Length(0));
    assert_eq!(Framing::of(&parts(204, &[length("5")])), Framing::Length(0));

    let mut old = parts(200, &[]);
    old.version = Version::HTTP_10;
    assert_eq!(Framing::of(&old), Framing::Connection);
    for version in [Version::HTTP_2, Version::HTTP_3] {
        let mut framed = parts(200, &[]);
        framed.version = version;
        assert_eq!(Framing::of(&framed), Framing::Delimited);
        let mut sized = parts(200, &[length("5")]);
        sized.version = version;
        assert_eq!(Framing::of(&sized), Framing::Length(5));
    }
}

#[test]
fn a_body_is_complete_only_at_its_proved_end() {
    assert!(Framing::Delimited.check_end(7).is_ok());
    assert!(Framing::Length(7).check_end(7).is_ok());
    for (framing, announced) in [
        (Framing::Length(8), Some(8)),
        (Framing::Length(6), Some(6)),
        (Framing::Connection, None),
    ] {
        let incomplete = framing.check_end(7).unwrap_err();
        assert_eq!((incomplete.received, incomplete.announced), (7, announced));
        assert!(incomplete.to_string().contains("after 7 bytes"));
    }
    assert!(Framing::Connection.check_end(0).is_err());
}
