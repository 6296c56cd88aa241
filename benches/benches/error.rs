//! `lambda-invoke-error`, compared with the obvious implementation: parse the body into a
//! `serde_json::Value`, and look the code up in a hash map.

use std::collections::HashMap;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lambda_invoke_error::{
    KnownError, RetryAfter, ServiceError, ThrottleReason, known_errors, lookup,
};
use serde_json::Value;

const HEADERS: [(&str, &str); 4] = [
    ("content-type", "application/json"),
    ("x-amzn-requestid", "7f1b6d0c-7a0e-4d1b-8f0e-2f3f7f0c9a11"),
    ("x-amzn-errortype", "TooManyRequestsException"),
    ("retry-after", "2"),
];

fn header(name: &str) -> Option<&'static str> {
    HEADERS
        .iter()
        .find(|(n, _)| *n == name)
        .map(|(_, value)| *value)
}

/// Typical bodies: an ordinary one, a long message, many other members, and a proxy's page.
fn bodies() -> [(&'static str, Vec<u8>); 4] {
    let throttled = r#"{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}"#;
    let long = serde_json::json!({ "Type": "User", "message": "a \"quoted\" word ".repeat(250) });
    let other: Vec<u64> = (0..4000).collect();
    let wide = serde_json::json!({ "message": "after it all", "a": other });
    let page = format!(
        "<html><body>{}</body></html>",
        "<p>502 Bad Gateway</p>".repeat(200)
    );
    [
        ("throttled", throttled.into()),
        ("long message", long.to_string().into()),
        ("other members", wide.to_string().into()),
        ("html", page.into()),
    ]
}

/// What both implementations read from a response.
struct Read {
    code: String,
    message: Option<String>,
    reason: Option<String>,
    kind: Option<String>,
    request_id: Option<String>,
    retry_after: Option<u64>,
}

fn naive(body: &[u8]) -> Read {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let code = header("x-amzn-errortype").map(str::to_owned);
    Read {
        code: code
            .or_else(|| text("code"))
            .or_else(|| text("__type"))
            .unwrap_or_default(),
        message: text("message").or_else(|| text("Message")),
        reason: text("Reason"),
        kind: text("Type"),
        request_id: header("x-amzn-requestid").map(str::to_owned),
        retry_after: header("retry-after").and_then(|value| value.parse().ok()),
    }
}

fn parse(c: &mut Criterion) {
    for (name, body) in bodies() {
        let ours = ServiceError::parse(429, header, &body);
        let read = naive(&body);
        // Both have to read the same values, but only the project's takes a message from a page.
        assert_eq!(ours.code(), Some(read.code.as_str()));
        assert!(name == "html" || ours.message() == read.message.as_deref());
        assert_eq!(
            ours.reason().map(ThrottleReason::as_str),
            read.reason.as_deref()
        );
        assert_eq!(
            ours.error_type().map(|kind| kind.as_str()),
            read.kind.as_deref()
        );
        assert_eq!(ours.request_id(), read.request_id.as_deref());
        assert_eq!(
            ours.retry_after(),
            read.retry_after.map(RetryAfter::seconds)
        );

        let mut group = c.benchmark_group(format!("error/parse/{name}"));
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function("ours", |b| {
            b.iter(|| ServiceError::parse(429, header, black_box(&body)));
        });
        group.bench_function("serde_json::Value", |b| b.iter(|| naive(black_box(&body))));
        group.finish();
    }
}

fn find(c: &mut Criterion) {
    let map: HashMap<&str, &KnownError> = known_errors()
        .iter()
        .flat_map(|row| {
            row.aliases
                .iter()
                .chain([&row.code])
                .map(move |code| (*code, row))
        })
        .collect();
    let mut group = c.benchmark_group("error/lookup");
    for code in [
        "InvalidParameterValueException",
        "ServiceException",
        "TeapotException",
    ] {
        assert_eq!(
            lookup(code).map(|row| row.code),
            map.get(code).map(|row| row.code)
        );
        group.bench_function(format!("ours/{code}"), |b| {
            b.iter(|| lookup(black_box(code)))
        });
        group.bench_function(format!("HashMap/{code}"), |b| {
            b.iter(|| map.get(black_box(code)))
        });
    }
    group.finish();
}

fn render(c: &mut Criterion) {
    let error = lookup("TooManyRequestsException")
        .unwrap()
        .error("Rate Exceeded.")
        .with_reason(ThrottleReason::ConcurrentInvocationLimitExceeded)
        .with_retry_after(RetryAfter::seconds(2))
        .with_request_id("7f1b6d0c-7a0e-4d1b-8f0e-2f3f7f0c9a11");
    let naive = |message: &str| {
        serde_json::json!({
            "Reason": "ConcurrentInvocationLimitExceeded",
            "Type": "User",
            "message": message,
        })
        .to_string()
        .into_bytes()
    };
    assert_eq!(error.render().body, naive("Rate Exceeded."));
    let mut group = c.benchmark_group("error/render");
    group.bench_function("ours, with headers", |b| {
        b.iter(|| black_box(&error).render())
    });
    group.bench_function("serde_json::json, body only", |b| {
        b.iter(|| naive(black_box("Rate Exceeded.")));
    });
    group.finish();
}

criterion_group!(benches, parse, find, render);
criterion_main!(benches);
