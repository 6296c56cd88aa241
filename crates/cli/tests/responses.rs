//! Responses that are not Lambda's, not the requested ones or not provably complete; and failures
//! that only the log shows.
#![allow(clippy::unwrap_used, clippy::panic)]

mod host;
mod program;
mod scripted;

use std::process::Output;

use host::Host;
use lambda_invoke_endpoint::Endpoint;
use program::{run, text};
use scripted::Scripted;
use serde_json::Value;

/// Calls an HTTP server that sends this response.
fn call(arguments: &[&str], response: &'static str) -> Output {
    let server = Scripted::responding(response);
    server.program(arguments).output().unwrap()
}

#[test]
fn a_payload_ended_by_the_connection_is_incomplete() {
    // Without one of Lambda's headers, it may come from anyone.
    let half = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"half\":";
    let output = call(&["invoke", "f"], half);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "");
    let output = call(&["invoke", "f", "--json"], half);
    assert_eq!(output.status.code(), Some(5));
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    let error = &error["error"];
    assert_eq!(
        (
            &error["kind"],
            &error["execution"],
            &error["received_bytes"]
        ),
        (&"truncated".into(), &"unknown".into(), &8.into())
    );
}

#[test]
fn another_servers_response_is_unexpected_and_named() {
    let page =
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 14\r\n\r\n<h1>Hello</h1>";
    let ran = "HTTP/1.1 200 OK\r\nx-amzn-requestid: 1\r\ncontent-length: 4\r\n\r\ntrue";
    let partial =
        "HTTP/1.1 206 Partial Content\r\nx-amzn-requestid: 1\r\ncontent-length: 4\r\n\r\ntrue";
    let gzip = "HTTP/1.1 200 OK\r\nx-amzn-requestid: 1\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x08\x01\x01";
    for (arguments, response, part) in [
        (&["invoke", "f"][..], page, "<h1>Hello</h1>"),
        (&["invoke", "f", "--event"], page, "<h1>Hello</h1>"),
        (&["invoke", "f", "--event"], ran, "200 OK"),
        (&["invoke", "f", "--dry-run"], ran, "must be 204, not 200"),
        (&["invoke", "f"], partial, "must be 200, not 206"),
        (&["invoke", "f"], gzip, "Content-Encoding"),
        (&["stream", "f"], page, "text/html"),
        (&["stream", "f", "--dry-run"], ran, "must be 204, not 200"),
    ] {
        let output = call(arguments, response);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{arguments:?}: {stderr}");
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
        assert!(
            stderr.contains("unexpected response from http://127.0.0.1:"),
            "{stderr}"
        );
        assert!(stderr.contains(part), "{arguments:?}: {stderr}");
        assert!(stderr.contains("the function may have run"), "{stderr}");
    }
}

#[test]
fn a_failure_in_mid_stream_is_found_in_the_log() {
    let arguments = ["stream", "fail", "-p", r#"{"when":"middle","type":"Oops"}"#];
    let host = Host::start(Endpoint::builder().builtins());
    let outputs = [
        run(&[&arguments[..], &["--local"]].concat()),
        host.program(&arguments).output().unwrap(),
    ];
    for output in outputs {
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert_eq!(text(&output.stdout), "the first half, ");
        assert!(stderr.contains("Oops: "), "{stderr}");
    }
    let output = host
        .program(&[&arguments[..], &["--json"]].concat())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    let error = &error["error"];
    assert_eq!(
        (&error["kind"], &error["error_type"], &error["execution"]),
        (&"function_failed".into(), &"Oops".into(), &"started".into())
    );
}
