//! Strings that often break programs, as client context, payload, name and qualifier.

// Test helpers may panic just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bytes::Bytes;
use http::Uri;
use lambda_invoke_input::{ClientContext, FunctionName, NameRules};
use lambda_invoke_protocol::path::{Encoded, Route, decode};
use lambda_invoke_protocol::{IncomingRequest, InvokeRequest, StreamRequest, json};
use lambda_invoke_vectors::{bytes, suite};
use serde_json::json;

/// Some strings of the kinds in the big list, for machines without it.
const OWN: [&str; 14] = [
    "",
    "undefined",
    "\\",
    "`~!@#$%^&*()_+-={}[]|:;\"'<>,.?/",
    "\u{0}\u{1}\u{7f}\u{85}",
    "\u{feff}\u{200b}\u{2028}",
    "ÅÍÎÏ˝ÓÔ\u{f8ff}ÒÚÆ☃",
    "田中さんにあげて下さい",
    "😍🏳0️⃣👨‍👩‍👧",
    "\u{202e}test\u{202d}",
    "<script>alert(1)</script>",
    "'; DROP TABLE users; --",
    "%2e%2e%2f+%20%",
    "\r\nset-cookie: a=b",
];

#[test]
fn own_strings_pass_through_unharmed() {
    OWN.into_iter().for_each(check);
}

#[test]
fn the_big_list_passes_through_unharmed() {
    suite("protocol/naughty-strings", |folder| {
        let list = bytes(&folder.join("model/client-context/blns.txt"));
        let lines: Vec<&[u8]> = list.split(|byte| *byte == b'\n').collect();
        for line in &lines {
            check(&String::from_utf8_lossy(line));
        }
        lines.len()
    });
}

fn check(text: &str) {
    let base: Uri = "http://127.0.0.1:9001".parse().unwrap();
    let context = json!({ "custom": { text: text } }).to_string();
    let payload = json!([text]).to_string();
    json::check(payload.as_bytes()).unwrap();

    let name = FunctionName::try_from("hello").unwrap();
    let mut invoke = InvokeRequest::new(name.clone());
    invoke.client_context = ClientContext::from_json(context.as_bytes()).ok();
    assert_eq!(
        invoke.client_context.is_some(),
        context.len() <= 2685,
        "{text:?}"
    );
    invoke.payload = Bytes::from(payload.clone());
    let (parts, body) = invoke.to_http(&base).unwrap().into_parts();
    let call = IncomingRequest::from_parts(&parts, &NameRules::recorded())
        .unwrap()
        .with_payload(body)
        .unwrap();
    assert_eq!(call, invoke.into(), "{text:?}");
    call.check_json().unwrap();
    let json = call
        .members()
        .client_context
        .as_ref()
        .map(ClientContext::to_json);
    assert!(
        json.is_none_or(|json| json == context.as_bytes()),
        "{text:?}"
    );

    let mut stream = StreamRequest::new(name);
    stream.payload = Bytes::from(payload);
    let (parts, body) = stream.to_http(&base).unwrap().into_parts();
    let call = IncomingRequest::from_parts(&parts, &NameRules::recorded())
        .unwrap()
        .with_payload(body)
        .unwrap();
    assert_eq!(call, stream.into(), "{text:?}");

    check_as_name(text);
}

/// As a name or qualifier, most of the strings are rejected, and none is modified.
fn check_as_name(text: &str) {
    let encoded = Encoded(text).to_string();
    assert_eq!(decode(&encoded, false), text);
    let uri = format!("/2015-03-31/functions/{encoded}/invocations?Qualifier={encoded}");
    let route = Route::find(&http::Method::POST, uri.split('?').next().unwrap()).unwrap();
    assert_eq!(route.function_name, text);
    let (parts, ()) = http::Request::post(&uri).body(()).unwrap().into_parts();
    match IncomingRequest::from_parts(&parts, &NameRules::recorded()) {
        Ok(call) => {
            assert_eq!(call.members().target.name().as_str(), text);
            assert_eq!(call.members().target.qualifier().unwrap().as_str(), text);
        }
        Err(rejection) => {
            let error = rejection.to_service_error();
            assert_eq!(error.status(), 400, "{text:?}: {rejection}");
        }
    }
}
