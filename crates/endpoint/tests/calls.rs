//! The recorded calls, which tests can read.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Call, serve};
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError, FunctionUrl, Via};
use lambda_invoke_error::Operation;
use serde_json::{Value, json};

#[tokio::test]
async fn each_accepted_call_is_recorded_with_its_payload() {
    let full = Function::buffered("full", |_| async { Ok::<_, FunctionError>("1") });
    let builder = Endpoint::builder()
        .builtins()
        .alias("echo", "live", 1)
        .function(full.concurrency(0));
    let (server, mut client) = serve(builder).await;
    let context = "eyJjdXN0b20iOnsiYSI6MX19";
    let first = Call::invoke("echo", r#"{"order":1}"#)
        .qualifier("live")
        .header("x-amz-client-context", context)
        .header("x-amz-tenant-id", "seven");
    let first = client.call(&first).await;
    client.call(&Call::stream("echo", "")).await;
    client.call(&Call::invoke("echo", "3").event()).await;
    client.call(&Call::invoke("count", "{}")).await;
    // Neither a rejected call nor a dry run is recorded.
    client.call(&Call::invoke("echo", "{")).await;
    let dry = Call::invoke("echo", "{}").header("x-amz-invocation-type", "DryRun");
    assert_eq!(client.call(&dry).await.status(), 204);
    assert_eq!(client.call(&Call::invoke("full", "1")).await.status(), 429);

    let calls = server.calls("echo");
    let payloads: Vec<Value> = calls.iter().map(|call| call.json().unwrap()).collect();
    assert_eq!(payloads, [json!({"order": 1}), json!({}), json!(3)]);
    let events: Vec<bool> = calls.iter().map(|call| call.is_event).collect();
    assert_eq!(events, [false, false, true]);
    assert_eq!(calls[0].via, Via::Api(Operation::Invoke));
    let stream = Operation::InvokeWithResponseStream;
    assert_eq!(calls[1].via, Via::Api(stream));
    assert_eq!(calls[0].qualifier.as_deref(), Some("live"));
    assert_eq!(calls[0].tenant_id.as_deref(), Some("seven"));
    let context = calls[0].client_context.as_deref().unwrap();
    assert_eq!(context, br#"{"custom":{"a":1}}"#);
    let id = first.header("x-amzn-requestid");
    assert_eq!(Some(calls[0].request_id.as_str()), id);
    assert_eq!(server.calls("count").len(), 1);
    assert!(server.calls("full").is_empty() && server.calls("nobody").is_empty());
}

#[tokio::test]
async fn a_request_to_a_url_is_a_call_with_its_event() {
    let full = Function::buffered("full", |_| async { Ok::<_, FunctionError>("1") });
    let builder = Endpoint::builder()
        .builtins()
        .alias("echo", "live", 1)
        .function(full.concurrency(0))
        .default_url(FunctionUrl::new());
    let (server, mut client) = serve(builder).await;
    let get = |path: &str| {
        let mut call = Call::new(path, "").header("host", "localhost");
        call.method = "GET".to_owned();
        call
    };
    let response = client.call(&get("/url/echo:live/a?b=c")).await;
    assert_eq!(response.status(), 200);
    // These requests run nothing, so they are not recorded.
    assert_eq!(client.call(&get("/url/full/")).await.status(), 429);
    let foreign = get("/url/echo/").header("origin", "https://evil.example");
    assert_eq!(client.call(&foreign).await.status(), 403);
    let calls = server.calls("echo");
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].via, Via::Url);
    assert_eq!(calls[0].qualifier.as_deref(), Some("live"));
    let event: Value = calls[0].json().unwrap();
    assert_eq!(event["rawPath"], "/a");
    assert_eq!(event, response.json());
    assert!(server.calls("full").is_empty());
}

#[tokio::test]
async fn the_oldest_calls_make_room_for_the_latest() {
    let builder = Endpoint::builder().builtins().recorded_bytes(20_000);
    let (server, mut client) = serve(builder).await;
    for number in 0..10 {
        let payload = format!("\"{number}{}\"", ".".repeat(4_000));
        client.call(&Call::invoke("echo", payload)).await;
    }
    let calls = server.calls("echo");
    assert_eq!(calls.len(), 4);
    assert!(calls[3].payload.starts_with(b"\"9"));
    // A call that is larger than the bound by itself is not kept.
    let large = format!("\"{}\"", ".".repeat(30_000));
    client.call(&Call::invoke("echo", large)).await;
    assert!(server.calls("echo").is_empty());
}

#[tokio::test]
async fn nothing_is_recorded_if_configured() {
    let (server, mut client) = serve(Endpoint::builder().builtins().recorded_bytes(0)).await;
    client.call(&Call::invoke("echo", "1")).await;
    assert!(server.calls("echo").is_empty());
}
