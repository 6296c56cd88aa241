//! The responses of both operations for every outcome of a function.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::{Call, serve};
use lambda_invoke_endpoint::{Endpoint, EndpointBuilder, Function, FunctionError};
use lambda_invoke_protocol::ReportStatus;
use serde_json::json;

fn with_functions() -> EndpointBuilder {
    let panics = Function::buffered("panics", |invocation| async move {
        assert!(invocation.payload().len() > 2, "out of cheese");
        Ok::<_, FunctionError>("")
    });
    let panics_at_once = Function::streaming("panics-at-once", |invocation, _| {
        assert!(invocation.payload().is_empty(), "before any future");
        async { Ok::<_, FunctionError>(()) }
    });
    let sleeps = Function::streaming("sleeps", |invocation, mut writer| async move {
        if invocation.payload().as_ref() == b"1" {
            writer.content_type("text/plain");
            writer.write("before it slept").await?;
        }
        tokio::time::sleep(Duration::from_secs(600)).await;
        Ok::<_, FunctionError>(())
    });
    let large = Function::buffered("large", |invocation| async move {
        let size: usize = invocation.json()?;
        Ok::<_, FunctionError>(vec![b'x'; size])
    });
    let large_stream = Function::streaming("large-stream", |invocation, mut writer| async move {
        let size: usize = invocation.json()?;
        for _ in 0..size / 10 {
            writer.write("0123456789").await?;
        }
        Ok::<_, FunctionError>(())
    });
    let context = Function::json("context", |_: serde_json::Value, invocation| async move {
        let context = invocation
            .client_context()
            .map(|json| serde_json::from_slice::<serde_json::Value>(json).unwrap());
        Ok::<_, FunctionError>(json!({
            "context": context,
            "tenant": invocation.tenant_id(),
            "durable": invocation.durable_execution_name(),
            "seconds_left": invocation.remaining().as_secs(),
        }))
    });
    Endpoint::builder()
        .builtins()
        .functions([panics, panics_at_once, large, large_stream, context])
        .function(sleeps.timeout(Duration::from_millis(50)))
}

#[tokio::test]
async fn a_panic_is_a_function_error_and_the_endpoint_keeps_serving() {
    let (_server, mut client) = serve(with_functions()).await;
    for (name, message) in [
        ("panics", "out of cheese"),
        ("panics-at-once", "before any future"),
    ] {
        let response = client.call(&Call::invoke(name, "{}").tail()).await;
        assert_eq!(response.header("x-amz-function-error"), Some("Unhandled"));
        assert_eq!(response.json()["errorMessage"], message);
        let log = response.reply().log.unwrap();
        assert!(
            log.text().contains(&format!("[ERROR] Panic: {message}")),
            "{log:?}"
        );
        let (words, complete) = client
            .call(&Call::stream(name, "{}").tail())
            .await
            .streamed();
        assert!(words.is_empty());
        assert!(
            !complete.has_failed(),
            "only the log reports it, as recorded"
        );
        assert!(complete.log.unwrap().text().contains(message));
    }
    assert_eq!(
        client.call(&Call::invoke("panics", "[1]")).await.status(),
        200
    );
}

#[tokio::test]
async fn invoke_collects_the_chunks_of_a_streaming_function() {
    let (_server, mut client) = serve(with_functions()).await;
    let response = client.call(&Call::invoke("count", r#"{"n":3}"#)).await;
    assert_eq!(
        response.header("content-type"),
        Some("application/octet-stream")
    );
    assert_eq!(response.header("x-amzn-remapped-content-type"), None);
    assert_eq!(response.text(), "1\n2\n3\n");
    // The function failed in the middle: its bytes are returned and, as recorded, the failure is
    // not reported.
    let response = client
        .call(&Call::invoke("fail", r#"{"when":"middle"}"#))
        .await;
    assert_eq!(response.header("x-amz-function-error"), None);
    assert_eq!(response.text(), "the first half, ");
    // The function failed before its first byte.
    let response = client
        .call(&Call::invoke("fail", r#"{"type":"T","message":"M"}"#))
        .await;
    assert_eq!(response.header("x-amz-function-error"), Some("Unhandled"));
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.json()["errorType"], "T");
    // The function timed out before its first byte: the recorded response is empty.
    let response = client.call(&Call::invoke("sleeps", "0")).await;
    assert_eq!((response.status().as_u16(), response.text()), (200, ""));
    assert_eq!(response.header("x-amz-function-error"), None);
}

#[tokio::test]
async fn a_buffered_function_is_streamed_as_one_chunk() {
    let (_server, mut client) = serve(with_functions()).await;
    let (words, complete) = client
        .call(&Call::stream("echo", "[1, 2]"))
        .await
        .streamed();
    assert_eq!(words, ["[1, 2]"]);
    assert_eq!(complete.to_json(), b"{}");
}

#[tokio::test]
async fn a_failed_stream_reports_it_only_in_its_log_unless_configured() {
    for (asked, when, words) in [
        (false, "before", 0),
        (false, "middle", 1),
        (true, "middle", 1),
        (true, "end", 2),
    ] {
        let (_server, mut client) = serve(with_functions().error_code_in_stream(asked)).await;
        let payload = json!({"when": when, "type": "T", "message": "M"}).to_string();
        let response = client.call(&Call::stream("fail", payload).tail()).await;
        let (read, complete) = response.streamed();
        assert_eq!(read.len(), words);
        assert_eq!(complete.error_code.as_deref(), asked.then_some("T"));
        if asked {
            let details: serde_json::Value =
                serde_json::from_str(&complete.error_details.unwrap()).unwrap();
            assert_eq!(details["errorMessage"], "M");
        }
        // The log has the format of an official runtime, which clients recognize as a failure.
        let log = complete.log.unwrap();
        assert!(log.text().contains("[ERROR] T: M\nTraceback"), "{log:?}");
        assert_eq!(log.failure(None).unwrap().to_string(), "T: M");
    }
}

#[tokio::test]
async fn a_timeout_in_mid_stream_is_in_the_report_line() {
    let (_server, mut client) = serve(with_functions()).await;
    for (payload, words) in [("0", 0), ("1", 1)] {
        let response = client.call(&Call::stream("sleeps", payload).tail()).await;
        // As recorded, the head for a function that wrote nothing has no content type of the
        // function's.
        let remapped = response.header("x-amzn-remapped-content-type");
        assert_eq!(remapped, (words > 0).then_some("text/plain"));
        let (read, complete) = response.streamed();
        assert_eq!(read.len(), words);
        assert!(!complete.has_failed());
        let report = complete.log.unwrap().report().unwrap();
        assert_eq!(report.status, Some(ReportStatus::Timeout));
        assert_eq!(report.duration, Some(Duration::from_millis(50)));
    }
}

#[tokio::test]
async fn a_buffered_response_has_a_size_limit() {
    let (_server, mut client) = serve(with_functions()).await;
    let response = client.call(&Call::invoke("large", "6291556")).await;
    assert_eq!(response.body.len(), 6_291_556);
    for name in ["large", "large-stream"] {
        let response = client.call(&Call::invoke(name, "6291570")).await;
        assert_eq!(response.header("x-amz-function-error"), Some("Unhandled"));
        assert_eq!(
            response.json(),
            json!({"errorType": "Function.ResponseSizeTooLarge",
                   "errorMessage": "Response payload size exceeded maximum allowed payload size \
                                    (6291556 bytes)."})
        );
    }
}

#[tokio::test]
async fn a_stream_ends_at_its_limit() {
    let builder = with_functions()
        .max_stream_bytes(Some(25))
        .error_code_in_stream(true);
    let (_server, mut client) = serve(builder).await;
    let (words, complete) = client
        .call(&Call::stream("large-stream", "30"))
        .await
        .streamed();
    assert_eq!(words.len(), 2);
    assert_eq!(
        complete.error_code.as_deref(),
        Some("Function.ResponseSizeTooLarge")
    );
    let (words, complete) = client
        .call(&Call::stream("large-stream", "20"))
        .await
        .streamed();
    assert_eq!((words.len(), complete.has_failed()), (2, false));
}

#[tokio::test]
async fn the_function_sees_client_context_tenant_and_durable_execution() {
    let (_server, mut client) = serve(with_functions()).await;
    // {"custom":{"a":1}}
    let call = Call::invoke("context", "")
        .header("x-amz-client-context", "eyJjdXN0b20iOnsiYSI6MX19")
        .header("x-amz-tenant-id", "tenant  7")
        .header("x-amz-durable-execution-name", "once");
    let response = client.call(&call).await.json();
    assert_eq!(response["context"], json!({"custom": {"a": 1}}));
    assert_eq!(response["tenant"], "tenant  7");
    assert_eq!(response["durable"], "once");
    assert_eq!(response["seconds_left"], 1799);
}

#[tokio::test]
async fn a_dry_run_runs_nothing() {
    let (_server, mut client) = serve(with_functions()).await;
    for call in [Call::invoke("panics", "{}"), Call::stream("panics", "{}")] {
        let response = client
            .call(&call.header("x-amz-invocation-type", "DryRun"))
            .await;
        assert_eq!((response.status().as_u16(), response.text()), (204, ""));
        assert_eq!(response.header("x-amz-executed-version"), None);
    }
    let unknown = Call::invoke("nobody", "{}").header("x-amz-invocation-type", "DryRun");
    assert_eq!(client.call(&unknown).await.status(), 404);
}

#[tokio::test]
async fn the_log_tail_is_the_last_4_kb_and_only_on_request() {
    let function = Function::buffered("chatty", |invocation| async move {
        for n in 0..1_000 {
            invocation.log(format!("line {n}"));
        }
        Ok::<_, FunctionError>("")
    });
    let (_server, mut client) = serve(Endpoint::builder().function(function)).await;
    assert_eq!(
        client.call(&Call::invoke("chatty", "")).await.reply().log,
        None
    );
    let log = client
        .call(&Call::invoke("chatty", "").tail())
        .await
        .reply()
        .log
        .unwrap();
    assert_eq!(log.as_bytes().len(), 4096);
    assert!(log.text().contains("line 999\nEND RequestId: "));
    assert_eq!(log.report().unwrap().status, None);
}
