//! `lambda-invoke invoke`, and what both commands pass to the function.
#![allow(clippy::unwrap_used, clippy::panic)]

mod host;
mod program;

use std::sync::mpsc::channel;

use host::Host;
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError};
use program::{PATIENCE, run, text};
use serde_json::{Value, json};

/// A function that returns what it knows about its invocation.
fn describe() -> Function {
    Function::buffered("describe", |call| async move {
        let context: Option<Value> = call
            .client_context()
            .and_then(|context| serde_json::from_slice(context).ok());
        let description = json!({
            "version": call.version(),
            "context": context,
            "tenant": call.tenant_id(),
            "durable": call.durable_execution_name(),
        });
        Ok::<_, FunctionError>(description.to_string())
    })
    .alias("live", 7)
}

#[test]
fn the_options_of_a_call_reach_the_function() {
    let host = Host::start(Endpoint::builder().function(describe()));
    let folder = env!("CARGO_TARGET_TMPDIR");
    let context = format!("{folder}/context.json");
    std::fs::write(&context, r#"{"custom":{"a":"b"}}"#).unwrap();
    let from_file = format!("@{context}");
    for command in ["invoke", "stream"] {
        for context in [
            r#"{"custom":{"a":"b"}}"#,
            "eyJjdXN0b20iOnsiYSI6ImIifX0=",
            &from_file,
        ] {
            let arguments = [command, "describe", "--client-context", context];
            let output = host
                .program(&arguments)
                .args(["--qualifier", "live", "--tenant-id", "a tenant"])
                .output()
                .unwrap();
            let response: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(
                response,
                json!({
                    "version": "7",
                    "context": {"custom": {"a": "b"}},
                    "tenant": "a tenant",
                    "durable": null,
                })
            );
        }
        let output = host.program(&[command, "describe:live"]).output().unwrap();
        let response: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(response["version"], "7");
    }
    let arguments = ["invoke", "describe", "--durable-execution-name", "order-1"];
    let output = host.program(&arguments).output().unwrap();
    let response: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(response["durable"], "order-1");
}

#[test]
fn json_has_the_member_names_of_the_model() {
    let output = run(&[
        "invoke",
        "echo",
        "--local",
        "--json",
        "-p",
        "[1]",
        "--log-tail",
    ]);
    let mut response: Value = serde_json::from_slice(&output.stdout).unwrap();
    // The log is part of the object, and not on stderr.
    assert_eq!(text(&output.stderr), "");
    assert!(response["LogResult"].take().as_str().unwrap().len() > 100);
    assert!(response["RequestId"].take().as_str().unwrap().len() > 30);
    assert_eq!(
        response,
        json!({
            "StatusCode": 200,
            "RequestId": null,
            "ExecutedVersion": "$LATEST",
            "LogResult": null,
            "Payload": [1],
        })
    );
    let failed = run(&["invoke", "fail", "--local", "--json"]);
    let response: Value = serde_json::from_slice(&failed.stdout).unwrap();
    assert_eq!(failed.status.code(), Some(1));
    assert_eq!(response["FunctionError"], "Unhandled");
}

#[test]
fn json_has_the_payload_as_it_is_if_it_is_json_and_else_in_base64() {
    for (payload, shown) in [
        ("\"WzFd\"", r#""Payload":"WzFd""#),
        (
            "12345678901234567890.10",
            r#""Payload":12345678901234567890.10"#,
        ),
        (
            "{\"b\":1,\n\"a\":1,\"b\":2}",
            r#""Payload":{"b":1, "a":1,"b":2}"#,
        ),
        ("null", r#""Payload":null"#),
        ("[1] x", r#""PayloadBase64":"WzFdIHg=""#),
        ("WzFd", r#""PayloadBase64":"V3pGZA==""#),
        ("\u{feff}1", r#""PayloadBase64":"77u/MQ==""#),
        ("", r#""PayloadBase64":"""#),
    ] {
        let echo = Function::buffered(
            "raw",
            move |_| async move { Ok::<_, FunctionError>(payload) },
        );
        let host = Host::start(Endpoint::builder().function(echo));
        let output = host.program(&["invoke", "raw", "--json"]).output().unwrap();
        assert!(
            text(&output.stdout).contains(shown),
            "{}",
            text(&output.stdout)
        );
        assert!(serde_json::from_slice::<Value>(&output.stdout).is_ok());
    }
}

#[test]
fn an_event_is_queued_and_run() {
    let (sender, received) = channel();
    let note = Function::buffered("note", move |call| {
        let _ = sender.send((call.is_event(), call.payload().clone()));
        async { Ok::<_, FunctionError>("null") }
    });
    let host = Host::start(Endpoint::builder().function(note));
    let output = host
        .program(&["invoke", "note", "--event", "-p", "[1]"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), "");
    assert!(text(&output.stderr).contains("the event was queued (request ID "));
    assert_eq!(
        received.recv_timeout(PATIENCE).unwrap(),
        (true, "[1]".into())
    );

    let output = host
        .program(&["invoke", "note", "--event", "--json"])
        .output()
        .unwrap();
    let mut response: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(response["RequestId"].take().is_string());
    assert_eq!(response, json!({"StatusCode": 202, "RequestId": null}));
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn log_tail_shows_the_log_and_a_summary_on_stderr() {
    let output = run(&[
        "invoke",
        "hello",
        "--local",
        "-l",
        "-p",
        r#"{"delay_ms":0}"#,
    ]);
    let stderr = text(&output.stderr);
    assert!(stderr.contains("greeting world\n"), "{stderr}");
    assert!(
        stderr.contains("lambda-invoke: the function took "),
        "{stderr}"
    );
    assert!(text(&output.stdout).starts_with("Hello, world!"));
}

#[test]
fn help_shows_examples_and_completions_are_written() {
    for command in ["stream", "invoke", "completions"] {
        let help = run(&[command, "--help"]);
        assert_eq!(help.status.code(), Some(0));
        assert!(text(&help.stdout).contains("Examples:\n  "), "{command}");
    }
    assert!(text(&run(&["--help"]).stdout).contains("141  the reader of stdout closed it"));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&["completions", shell]);
        assert_eq!(script.status.code(), Some(0));
        assert!(
            text(&script.stdout).contains("first-byte-timeout"),
            "{shell}"
        );
    }
}
