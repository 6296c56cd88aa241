//! The built-in functions of `serve`, with the alias `echo:live=3` and a concurrency of 0 for
//! `count`.

use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_lambda::types::InvocationType;

use crate::client::{client, decoded, invoke, local, read, rejected, stream, text};

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:echo";
const PAYLOAD: &str = r#"{"a":[1,"ä"]}"#;

pub async fn run(url: &str) {
    let ours = local(url);
    let latest = format!("{ARN}:$LATEST");
    let names = [
        "echo",
        "function:echo",
        "123456789012:function:echo",
        ARN,
        &latest,
    ];
    for name in names {
        let output = invoke(&ours, name, PAYLOAD).send().await.unwrap();
        assert_eq!(
            (output.status_code(), text(&output)),
            (200, PAYLOAD.to_owned())
        );
        assert_eq!(output.executed_version(), Some("$LATEST"));
        assert!(decoded(output.log_result()).contains("REPORT RequestId"));
    }
    let live = invoke(&ours, "echo", PAYLOAD).qualifier("live");
    assert_eq!(live.send().await.unwrap().executed_version(), Some("3"));
    for (kind, status) in [(InvocationType::Event, 202), (InvocationType::DryRun, 204)] {
        let output = ours.invoke().function_name("echo").invocation_type(kind);
        assert_eq!(output.send().await.unwrap().status_code(), status);
    }
    let failed = invoke(&ours, "fail", r#"{"type":"Broken","message":"on purpose"}"#);
    let failed = failed.send().await.unwrap();
    assert_eq!(failed.function_error(), Some("Unhandled"));
    let error: serde_json::Value = serde_json::from_str(&text(&failed)).unwrap();
    assert_eq!(
        (&error["errorType"], &error["errorMessage"]),
        (&"Broken".into(), &"on purpose".into())
    );

    // Each word is an event, and arrives when it is written.
    let streamed = read(stream(&ours, "hello", r#"{"name":"Ada"}"#)).await;
    assert!(streamed.text().starts_with("Hello, Ada!"));
    let times: Vec<_> = streamed.chunks.iter().map(|(time, _)| *time).collect();
    assert!(
        times.len() > 3 && times[times.len() - 1] - times[0] > 100,
        "{times:?}"
    );
    let complete = streamed.complete.unwrap();
    assert_eq!(complete.error_code(), None);
    assert!(decoded(complete.log_result()).contains("greeting Ada"));

    let call = |name: &str, payload: &str| invoke(&ours, name, payload);
    rejected(call("nobody", "{}"), 404, "ResourceNotFoundException").await;
    rejected(call("echo!", "{}"), 400, "ValidationException").await;
    rejected(call("echo", "{"), 400, "InvalidRequestContentException").await;
    let qualified = call(&format!("{ARN}:1"), "{}").qualifier("2");
    rejected(qualified, 400, "InvalidParameterValueException").await;
    let large = " ".repeat(6_291_457);
    rejected(call("echo", &large), 413, "RequestEntityTooLargeException").await;
    let wrong = client(url, "local", "wrong", None);
    rejected(
        invoke(&wrong, "echo", "{}"),
        403,
        "InvalidSignatureException",
    )
    .await;
    let unknown = client(url, "who", "local", None);
    rejected(
        invoke(&unknown, "echo", "{}"),
        403,
        "UnrecognizedClientException",
    )
    .await;
    let throttled = rejected(call("count", "{}"), 429, "TooManyRequestsException").await;
    assert_eq!(throttled.message(), Some("Rate Exceeded."));
    println!("aws-sdk-lambda {}: ok", version());
}

/// The version that Cargo.toml names.
pub fn version() -> &'static str {
    aws_sdk_lambda::meta::PKG_VERSION
}
