//! What a pool reports to `tracing`: a span for each invocation, events for its instances, and what
//! must never be in them.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../lambda-invoke/tests/support/log.rs"]
mod log;
mod support;

use lambda_invoke_runtime::{Event, Pool};
use log::{Log, contains};
use support::{Folder, function, tools};

const SOURCE: &str = r#"
import sys
def handler(event, context):
    print("TheLine", file=sys.stderr)
    if event == "fail":
        raise ValueError("TheMessage")
    return "TheResponse"
"#;

/// This is a single test, since the log is that of the whole process: instances run in tasks of
/// their own.
#[tokio::test]
async fn an_invocation_is_a_span_with_its_start_and_its_end_and_nothing_secret() {
    if tools::lacks(&["python3"]) {
        return;
    }
    let log = Log::of_process();
    let folder = Folder::new();
    let program = function(&folder, "app.py", SOURCE)
        .name("orders")
        .env("SECRET", "TheVariable");
    let pool = Pool::new(program);
    for payload in ["\"ThePayload\"", "\"fail\""] {
        let event = Event::new("the-id", payload);
        let response = pool.invoke(event).await.unwrap();
        response.finish().await;
    }
    pool.shutdown().await;

    let lines = log.lines();
    contains(
        &lines,
        &[
            "OPEN lambda_invoke_runtime invocation function=\"orders\" request_id=\"the-id\" payload_bytes=12",
        ],
    );
    let instance = "function=\"orders\" instance=1";
    contains(
        &log.events("instance starting"),
        &["DEBUG lambda_invoke_runtime", instance],
    );
    contains(
        &log.events("instance ended"),
        &[instance, "why=\"it was stopped\""],
    );
    let delivered = log.events("event delivered");
    assert_eq!(delivered.len(), 2, "{delivered:#?}");
    contains(&delivered, &["[invocation]", "instance=1"]);
    let ended = log.events("invocation ended");
    assert_eq!(ended.len(), 2, "{ended:#?}");
    contains(&ended[..1], &["duration=", "init_duration=", "max_memory="]);
    assert!(!ended[0].contains("failure="), "{}", ended[0]);
    contains(&ended[1..], &["failure=Function"]);
    for line in &lines {
        for secret in [
            "ThePayload",
            "TheResponse",
            "TheMessage",
            "TheLine",
            "TheVariable",
        ] {
            assert!(!line.contains(secret), "{secret} in {line}");
        }
    }
}
