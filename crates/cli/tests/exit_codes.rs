//! Every exit code, for both commands that make calls.
#![allow(clippy::unwrap_used, clippy::panic)]

mod host;
mod program;
mod scripted;

use std::net::TcpListener;
use std::process::Output;
use std::time::Duration;

use host::Host;
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError};
use program::{local, program, run, text};
use scripted::Scripted;
use serde_json::Value;

/// Returns the message of a program that exits with this code.
fn said(output: &Output, code: i32) -> &str {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    stderr
}

#[test]
fn zero_and_silent_on_success() {
    for command in ["stream", "invoke"] {
        let output = run(&[command, "hello", "--local", "-p", r#"{"delay_ms":0}"#]);
        assert_eq!(said(&output, 0), "", "{command}");
        assert!(
            text(&output.stdout).starts_with("Hello, world! "),
            "{command}"
        );
    }
}

#[test]
fn one_when_the_function_failed() {
    let output = run(&[
        "stream",
        "fail",
        "--local",
        "-p",
        r#"{"when":"middle","type":"Oops"}"#,
    ]);
    assert_eq!(text(&output.stdout), "the first half, ");
    let stderr = said(&output, 1);
    assert!(stderr.contains("the function failed: Oops"), "{stderr}");
    assert!(stderr.contains("after 16 bytes"), "{stderr}");
    assert!(stderr.contains("request id "), "{stderr}");

    let output = run(&[
        "invoke",
        "fail",
        "--local",
        "-p",
        r#"{"type":"Oops","message":"no"}"#,
    ]);
    let payload: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(payload["errorType"], "Oops");
    let stderr = said(&output, 1);
    assert!(
        stderr.contains("the function failed: Unhandled: Oops: no"),
        "{stderr}"
    );
}

/// As the real service does, the stream ends with an `InvokeComplete` without an `ErrorCode`; only
/// the report in the log has a status.
#[test]
fn one_when_only_the_log_shows_that_the_function_timed_out() {
    let slow = Function::streaming("slow", |_call, mut writer| async move {
        writer.write("begun").await?;
        std::future::pending::<()>().await;
        Ok::<_, FunctionError>(())
    });
    let slow = slow.timeout(Duration::from_millis(100));
    let host = Host::start(Endpoint::builder().function(slow));
    for arguments in [&["stream", "slow"][..], &["stream", "slow", "--json"]] {
        let output = host.program(arguments).output().unwrap();
        let stderr = said(&output, 1);
        assert!(
            stderr.contains("as its log reports: status timeout"),
            "{stderr}"
        );
    }
    let output = host.program(&["stream", "slow"]).output().unwrap();
    assert_eq!(text(&output.stdout), "begun");
}

#[test]
fn two_when_the_call_is_invalid() {
    for (arguments, what) in [
        (&["stream"][..], "required arguments"),
        (
            &["stream", "hello", "--no-such-option"],
            "unexpected argument",
        ),
        (&["stream", "hello", "--local", "-p", "{"], "not JSON"),
        (&["stream", "a b", "--local"], "' ' at byte 1"),
        (&["stream", "hello", "--local", "-q", "a b"], "qualifier"),
        (&["stream", "hello:1", "--local", "-q", "2"], "qualifier"),
        (&["stream", "hello", "--local", "--tenant-id", ""], "tenant"),
        (
            &["stream", "hello", "--local", "--timeout", "soon"],
            "500ms",
        ),
        (
            &["stream", "hello", "--local", "--client-context", "[1]"],
            "client context",
        ),
        (
            &["stream", "hello", "--local", "--client-context", "{\"a\":"],
            "client context",
        ),
        (
            // Valid base64, but not of a JSON object.
            &["stream", "hello", "--local", "--client-context", "nope"],
            "client context",
        ),
        (
            &["stream", "hello", "--local", "--region", "us east 1"],
            "region",
        ),
        (
            &["stream", "hello", "--local", "--profile", "x"],
            "cannot be used with",
        ),
        (
            &["stream", "hello", "--http", "--json"],
            "cannot be used with",
        ),
        (
            &["invoke", "hello", "--event", "--dry-run"],
            "cannot be used with",
        ),
        (
            &["invoke", "hello", "--event", "--log-tail"],
            "cannot be used with",
        ),
        (&["stream", "hello", "--region", "us east 1"], "region"),
        (
            &["stream", "hello", "--endpoint-url", "ftp://host"],
            "http://",
        ),
        (
            &["stream", "hello", "--endpoint-url", "http://[", "--json"],
            "not a URL",
        ),
    ] {
        let output = local().args(arguments).output().unwrap();
        let stderr = said(&output, 2);
        assert!(stderr.contains(what), "{arguments:?}: {stderr}");
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
    }
}

#[test]
fn three_when_the_service_rejects_the_request() {
    for command in ["stream", "invoke"] {
        let output = run(&[command, "nobody", "--local"]);
        let stderr = said(&output, 3);
        assert!(stderr.contains("404 ResourceNotFoundException"), "{stderr}");
        assert!(stderr.contains("the function was not run"), "{stderr}");
        assert!(stderr.contains("request id "), "{stderr}");
        let layer = "arn:aws:lambda:us-east-1:123456789012:layer:tools";
        let output = run(&[command, layer, "--local"]);
        let hint = "\n  hint: this is the ARN of a layer; ";
        assert!(said(&output, 3).contains(hint), "{}", said(&output, 3));
    }
    let host = Host::start(Endpoint::builder().builtins());
    let output = host
        .program(&["stream", "hello"])
        .env("AWS_SECRET_ACCESS_KEY", "wrong")
        .output()
        .unwrap();
    assert!(said(&output, 3).contains("403 InvalidSignatureException"));
}

#[test]
fn retries_follow_the_option() {
    let throttled = || Host::with_fault("*: throttle=CallerRateLimitExceeded times=1");
    let host = throttled();
    let output = host
        .program(&["invoke", "echo", "-p", "1", "--retry", "none"])
        .output()
        .unwrap();
    let stderr = said(&output, 3);
    assert!(stderr.contains("429 TooManyRequestsException"), "{stderr}");
    assert_eq!(host.strikes(), [1]);

    let output = throttled()
        .program(&["invoke", "echo", "-p", "1"])
        .output()
        .unwrap();
    said(&output, 0);

    // A status of 500 does not say whether the function ran.
    let failing = || Host::with_fault("*: error=ServiceException times=1");
    let output = failing()
        .program(&["invoke", "echo", "-p", "1"])
        .output()
        .unwrap();
    let stderr = said(&output, 3);
    assert!(stderr.contains("the function may have run"), "{stderr}");
    let twice = ["invoke", "echo", "-p", "1", "--retry", "at-least-once"];
    said(&failing().program(&twice).output().unwrap(), 0);
    let durable = [
        "invoke",
        "echo",
        "-p",
        "1",
        "--durable-execution-name",
        "once",
    ];
    said(&failing().program(&durable).output().unwrap(), 0);
}

#[test]
fn four_when_there_is_no_response_or_one_of_another_server() {
    // Bound and dropped, so that nothing listens on this port.
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let nobody = format!("http://{nobody}");
    let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi";
    let (silent, other) = (Scripted::responding(""), Scripted::responding(page));
    for (url, what) in [
        (&nobody, "the function was not run"),
        (&silent.url, "the function may have run"),
        (&other.url, "any proxy in between"),
    ] {
        let output = local()
            .args(["stream", "hello", "--retry", "none", "--endpoint-url", url])
            .output()
            .unwrap();
        let stderr = said(&output, 4);
        assert!(stderr.contains(what), "{stderr}");
        assert_eq!(text(&output.stdout), "");
    }
}

#[test]
fn four_when_a_timeout_expires() {
    let delayed = Host::with_fault("*: delay=30s");
    for (option, timeout) in [
        ("--timeout", "total"),
        ("--first-byte-timeout", "first byte"),
    ] {
        let arguments = [
            "stream", "hello", "--retry", "none", option, "200ms", "--json",
        ];
        let output = delayed.program(&arguments).output().unwrap();
        let error: Value = serde_json::from_str(said(&output, 4)).unwrap();
        assert_eq!(error["error"]["timeout"], timeout);
        assert_eq!(error["error"]["execution"], "unknown");
    }
    let pausing = Host::start(Endpoint::builder().builtins());
    let arguments = ["stream", "count", "-p", r#"{"n":2,"delay_ms":60000}"#];
    let output = pausing
        .program(&arguments)
        .args(["--idle-timeout", "0.3"])
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), "1\n");
    let stderr = said(&output, 4);
    assert!(stderr.contains("idle"), "{stderr}");
    assert!(
        stderr.contains("the function ran or started to run"),
        "{stderr}"
    );
}

#[test]
fn five_when_the_stream_is_truncated_or_corrupt_after_writing_what_arrived() {
    for (fault, what) in [
        ("*: no-complete", "after 4 bytes"),
        ("*: end-at=150", "incomplete"),
        ("*: cut-at=150", "incomplete"),
        ("*: reset-at=150", "incomplete"),
        ("*: wrong-crc=1", "corrupt"),
        (
            "*: exception=ServiceException message=unavailable after=1",
            "ServiceException",
        ),
    ] {
        let host = Host::with_fault(fault);
        let output = host
            .program(&["stream", "count", "-p", r#"{"n":2}"#])
            .output()
            .unwrap();
        let stderr = said(&output, 5);
        assert!(stderr.contains(what), "{fault}: {stderr}");
        assert!(
            stderr.contains("the function ran or started to run"),
            "{fault}: {stderr}"
        );
        assert!("1\n2\n".starts_with(text(&output.stdout)), "{fault}");
    }
    let host = Host::with_fault("*: cut-at=1");
    let output = host
        .program(&["invoke", "echo", "-p", "[1,2,3]"])
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), "");
    said(&output, 5);
}

#[test]
fn json_errors_are_one_object() {
    let error = |output: &Output, code: i32| -> Value {
        let stderr = said(output, code);
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        let mut whole: Value = serde_json::from_str(stderr).unwrap();
        assert_eq!(whole.as_object().unwrap().len(), 1);
        let error = whole["error"].take();
        assert_eq!(error["exit_code"], code);
        assert!(error["message"].is_string());
        error
    };
    let failed = error(&run(&["invoke", "fail", "--local", "--json"]), 1);
    assert_eq!(failed["kind"], "function_failed");
    assert_eq!(failed["code"], "Unhandled");
    assert_eq!(failed["error_type"], "Error");
    assert_eq!(failed["execution"], "started");

    let broken = error(
        &run(&["invoke", "x", "--local", "--json", "-p", "{\n \"a\" 1}"]),
        2,
    );
    assert_eq!(broken["kind"], "usage");
    assert_eq!(broken["execution"], "not_started");
    assert_eq!(
        (&broken["offset"], &broken["line"], &broken["column"]),
        (&7.into(), &2.into(), &6.into())
    );

    let unset = error(
        &program().args(["invoke", "x", "--json"]).output().unwrap(),
        2,
    );
    assert!(
        unset["message"]
            .as_str()
            .unwrap()
            .contains("AWS_ACCESS_KEY_ID")
    );

    let rejected = error(&run(&["stream", "nobody", "--local", "--json"]), 3);
    assert_eq!(rejected["kind"], "service");
    assert_eq!(rejected["code"], "ResourceNotFoundException");
    assert_eq!(rejected["status"], 404);
    assert_eq!(rejected["execution"], "not_started");
    assert_eq!(rejected["request_id"].as_str().unwrap().len(), 36);

    let host = Host::with_fault("*: no-complete");
    let arguments = ["stream", "count", "-p", r#"{"n":2}"#, "--json"];
    let truncated = error(&host.program(&arguments).output().unwrap(), 5);
    assert_eq!(truncated["kind"], "truncated");
    assert_eq!(truncated["received_bytes"], 4);
}
