//! What the endpoint reports to `tracing`: a span for each request, its events, and what must never
//! be in them.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;
#[path = "../../lambda-invoke/tests/support/log.rs"]
mod log;

use common::{Call, PATIENCE, serve, soon};
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError, FunctionUrl, UrlAuth, UrlMode};
use log::{Log, contains};
use tokio::io::AsyncWriteExt as _;

const SECRETS: [&str; 7] = [
    "ThePayload",
    "TheResponse",
    "TheMessage",
    "TheContext",
    "ThePath",
    "Signature=",
    "TheHeader",
];

/// This is a single test, since the log is that of the whole process: functions run in tasks that
/// the endpoint spawns.
#[tokio::test]
async fn a_request_is_a_span_with_its_call_and_its_end_and_nothing_secret() {
    let log = Log::of_process();
    let url = FunctionUrl::new()
        .auth(UrlAuth::None)
        .mode(UrlMode::ResponseStream);
    let buffered = Function::buffered("orders", |_| async {
        Ok::<_, FunctionError>("\"TheResponse\"")
    });
    let failing = Function::buffered("failing", |_| async {
        Err::<String, _>(FunctionError::new("TheMessage", "TheMessage"))
    });
    let streaming = Function::streaming("page", |_, mut writer| async move {
        tracing::info!(target: "own", "the function's own event");
        writer.write("TheResponse").await?;
        Ok::<_, FunctionError>(())
    });
    let builder = Endpoint::builder()
        .function(buffered)
        .function(failing)
        .function(streaming.url(url));
    let (server, mut client) = serve(builder).await;
    for name in ["orders", "failing"] {
        let call = Call::invoke(name, "\"ThePayload\"").header("x-own", "TheHeader");
        client.call(&call).await;
    }
    client.call(&Call::stream("page", "\"ThePayload\"")).await;
    client.call(&Call::invoke("nobody", "\"ThePayload\"")).await;
    let mut call = Call::new("/url/page/ThePath?a=ThePayload", "")
        .header("host", client.address.to_string())
        .header("x-own", "TheHeader");
    call.method = "GET".to_owned();
    client.stream.write_all(&call.written()).await.unwrap();
    soon(client.response()).await.unwrap();
    assert!(server.shutdown(PATIENCE).await);

    let served = log.events("request served");
    assert_eq!(served.len(), 5, "{served:#?}");
    assert!(served[0].starts_with("DEBUG lambda_invoke_endpoint [request]"));
    contains(&served[..1], &["status=200", "bytes=13", "ending=Whole"]);
    contains(&served[1..2], &["status=200", "error=\"Unhandled\""]);
    contains(&served[2..3], &["status=200", "ending=Whole"]);
    contains(
        &served[3..4],
        &["status=404", "error=\"ResourceNotFoundException\""],
    );
    contains(&served[4..], &["status=200", "ending=Whole"]);
    let called = log.events("function called");
    assert_eq!(called.len(), 4, "{called:#?}");
    contains(
        &called[..1],
        &[
            "[request]",
            "function=\"orders\"",
            "via=\"Invoke\"",
            "payload_bytes=12",
        ],
    );
    let lines = log.lines();
    let opened = lines
        .iter()
        .filter(|line| line.starts_with("OPEN lambda_invoke_endpoint request method="));
    assert_eq!(opened.count(), 5);
    // What a function itself reports belongs to the span of its request.
    let own = lines
        .iter()
        .filter(|line| line.contains("INFO own [request]"));
    assert_eq!(own.count(), 2, "{lines:#?}");
    for line in &lines {
        for secret in SECRETS {
            assert!(!line.contains(secret), "{secret} in {line}");
        }
    }
}
