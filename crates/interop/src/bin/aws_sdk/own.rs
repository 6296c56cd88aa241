//! A user's own function, `clients/own/app.py`, with an alias, and with an access key that has a
//! session token.

use aws_sdk_lambda::types::InvocationType;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::builtins::version;
use crate::client::{client, decoded, invoke, local, read, rejected, stream, text};

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:app";
const ECHO: &str = r#"{"kind":"echo"}"#;

pub async fn run(url: &str) {
    let ours = local(url);
    let latest = format!("{ARN}:$LATEST");
    let context = BASE64_STANDARD.encode(r#"{"custom":{"a":"b"}}"#);
    for name in [
        "app",
        "function:app",
        "123456789012:function:app",
        ARN,
        &latest,
    ] {
        let call = invoke(&ours, name, ECHO).client_context(&context);
        let output = call.send().await.unwrap();
        let result: Value = serde_json::from_str(&text(&output)).unwrap();
        assert_eq!(
            (&result["custom"], &result["function"]),
            (&json!({"a": "b"}), &json!("app"))
        );
        let tail = decoded(output.log_result());
        assert!(
            tail.contains("REPORT RequestId") && tail.contains("Max Memory Used"),
            "{tail}"
        );
    }
    let live = invoke(&ours, "app", ECHO)
        .qualifier("live")
        .send()
        .await
        .unwrap();
    assert_eq!(live.executed_version(), Some("3"));
    let result: Value = serde_json::from_str(&text(&live)).unwrap();
    assert_eq!(result["arn"], format!("{ARN}:live"));
    for (kind, status) in [(InvocationType::Event, 202), (InvocationType::DryRun, 204)] {
        let output = ours.invoke().function_name("app").invocation_type(kind);
        assert_eq!(output.send().await.unwrap().status_code(), status);
    }
    let failed = invoke(&ours, "app", r#"{"kind":"fail"}"#)
        .send()
        .await
        .unwrap();
    assert_eq!(failed.function_error(), Some("Unhandled"));
    assert!(text(&failed).contains("ValueError"), "{}", text(&failed));
    let large = json!({"kind": "echo", "x": "x".repeat(5_000_000)}).to_string();
    let output = invoke(&ours, "app", large).send().await.unwrap();
    let result: Value = serde_json::from_str(&text(&output)).unwrap();
    assert_eq!(result["event"]["x"].as_str().unwrap().len(), 5_000_000);

    rejected(
        invoke(&ours, "nobody", "{}"),
        404,
        "ResourceNotFoundException",
    )
    .await;
    let wrong = client(url, "local", "wrong", None);
    rejected(
        invoke(&wrong, "app", "{}"),
        403,
        "InvalidSignatureException",
    )
    .await;
    let token = Some("a/session=token");
    let tokened = client(url, "AKIDTOKEN", "secret", token);
    assert_eq!(
        invoke(&tokened, "app", ECHO)
            .send()
            .await
            .unwrap()
            .status_code(),
        200
    );
    let unknown = "UnrecognizedClientException";
    for (id, secret, token) in [
        ("AKIDTOKEN", "secret", None),
        ("AKIDTOKEN", "secret", Some("another")),
        // This key has no session token.
        ("local", "local", token),
    ] {
        let call = invoke(&client(url, id, secret, token), "app", "{}");
        rejected(call, 403, unknown).await;
    }

    let times = crate::runtimes::chunk_times(&ours, "app").await;
    println!("  chunks at the client, in ms: {times}");
    let late = read(stream(&ours, "app", r#"{"kind":"fail-late","chunks":2}"#)).await;
    assert_eq!(late.chunks.len(), 2);
    let tail = decoded(late.complete.unwrap().log_result());
    assert!(tail.contains("in mid-stream"), "{tail}");

    let all: Vec<_> = (0..100)
        .map(|_| tokio::spawn(read(stream(&ours, "app", r#"{"chunks":3,"seconds":0.3}"#))))
        .collect();
    for one in all {
        let one = one.await.unwrap();
        assert_eq!(one.text(), "chunk 0\nchunk 1\nchunk 2\n");
        assert_eq!(one.complete.unwrap().error_code(), None);
    }
    println!("aws-sdk-lambda {}, own function: ok", version());
}
