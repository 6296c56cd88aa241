//! Unmodified programs behind the endpoint: Python and Node.js in real processes, over real sockets.

#![cfg(feature = "runtime")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::path::Path;
use std::time::Duration;

use common::sources::Sources;
use common::{Call, Client, Response, chunks, serve, soon};
use lambda_invoke_endpoint::runtime::Program;
use lambda_invoke_endpoint::{Endpoint, EndpointBuilder, Function};
use lambda_invoke_protocol::{ReportStatus, StreamEvent};
use lambda_invoke_sigv4::region::Partition;
use serde_json::json;

const PYTHON: &str = r#"
import os, sys, time

print("loaded")

def handler(event, context):
    what = event.get("do")
    print("doing", what)
    if what == "fail":
        raise ValueError("no such order")
    if what == "exit":
        sys.stdout.flush()
        os._exit(7)
    if what == "sleep":
        time.sleep(30)
    if what == "large":
        return "x" * 6291556
    context_of_client = context.client_context
    return {
        "name": context.function_name,
        "version": context.function_version,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "region": os.environ["AWS_REGION"],
        "custom": context_of_client.custom if context_of_client else None,
        "tenant": getattr(context, "tenant_id", None),
        "id": context.aws_request_id,
        "left": context.get_remaining_time_in_millis(),
    }
"#;

/// Writes each word when the one before has been read, if `live` is set.
const NODE: &str = r#"
import { existsSync } from "node:fs";
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  if (event.page) {
    stream = awslambda.HttpResponseStream.from(stream, {
      statusCode: 201, headers: { "content-type": "text/html" } });
  }
  for (const [number, word] of event.words.entries()) {
    stream.write(word);
    while (event.live && !existsSync(`read-${number}`)) await pause(10);
    if (!event.live) await pause(100);
  }
  if (event.fail) throw new RangeError("out of words");
  stream.end();
});
"#;

fn python(sources: &Sources) -> Function {
    Function::program("orders", sources.program("app.py", PYTHON))
        .timeout(Duration::from_secs(20))
        .memory_mb(256)
}

fn node(sources: &Sources) -> Function {
    Function::program("words", sources.program("words.mjs", NODE)).timeout(Duration::from_secs(20))
}

fn tail(response: &Response) -> lambda_invoke_protocol::LogTail {
    response.reply().log.unwrap()
}

#[tokio::test]
async fn a_python_function_is_invoked_and_streamed_with_its_context() {
    if common::tools::lacks(&["python3", "node"]) {
        return;
    }
    let sources = Sources::new("context");
    let builder = Endpoint::builder().function(python(&sources).alias("live", 1));
    let (server, mut client) = serve(builder).await;
    let call = Call::invoke("orders", r#"{"do":"show"}"#)
        .qualifier("live")
        .header("x-amz-client-context", "eyJjdXN0b20iOnsiYSI6IkIifX0=")
        .header("x-amz-tenant-id", "seven")
        .tail();
    let response = client.call(&call).await;
    assert_eq!(response.header("x-amz-function-error"), None);
    assert_eq!(response.header("content-type"), Some("application/json"));
    let mut shown = response.json();
    let left = shown["left"].take().as_u64().unwrap();
    assert!((10_000..=20_000).contains(&left), "{left}");
    assert_eq!(
        shown,
        json!({
            "name": "orders", "version": "1", "memory": "256", "region": "us-east-1",
            "arn": "arn:aws:lambda:us-east-1:123456789012:function:orders:live",
            "custom": {"a": "B"}, "tenant": "seven", "left": null,
            "id": response.header("x-amzn-requestid").unwrap(),
        })
    );
    let log = tail(&response);
    assert!(log.text().starts_with("START RequestId: "), "{log:?}");
    assert!(
        log.text().contains("\ndoing show\nEND RequestId: "),
        "{log:?}"
    );
    let report = log.report().unwrap();
    assert!(report.init_duration.unwrap() > Duration::ZERO);
    assert!(report.max_memory_used_mb.unwrap() >= 3, "{log:?}");
    assert_eq!(report.memory_size_mb, Some(256));

    // The instance is reused: no second initialization.
    let again = Call::invoke("orders", r#"{"do":"more"}"#)
        .qualifier("live")
        .header("x-amz-tenant-id", "seven")
        .tail();
    let report = tail(&client.call(&again).await).report().unwrap();
    assert_eq!(report.init_duration, None);
    let (read, complete) = client
        .call(&Call::stream("orders", "{}").tail())
        .await
        .streamed();
    assert_eq!(read.len(), 1, "a buffered function is one chunk");
    assert!(complete.log.unwrap().text().contains("doing None"));
    assert!(soon(server.shutdown(Duration::from_secs(5))).await);
}

#[tokio::test]
async fn failures_of_a_python_function_are_reported_as_the_service_does() {
    if common::tools::lacks(&["python3", "node"]) {
        return;
    }
    let sources = Sources::new("failures");
    let orders = python(&sources).timeout(Duration::from_millis(1_500));
    let (_server, mut client) = serve(Endpoint::builder().function(orders)).await;
    for (what, error, message) in [
        ("fail", "ValueError", "no such order"),
        (
            "exit",
            "Runtime.ExitError",
            "Error: Runtime exited with error: exit status 7",
        ),
        (
            "sleep",
            "Sandbox.Timedout",
            "Error: Task timed out after 1.50 seconds",
        ),
        (
            "large",
            "Function.ResponseSizeTooLarge",
            "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        ),
    ] {
        let payload = json!({ "do": what }).to_string();
        let call = Call::invoke("orders", payload.clone()).tail();
        let response = client.call(&call).await;
        assert_eq!(response.status(), 200, "{what}");
        assert_eq!(response.header("x-amz-function-error"), Some("Unhandled"));
        let json = response.json();
        assert_eq!(json["errorType"], error);
        let shown = json["errorMessage"].as_str().unwrap();
        assert!(shown.ends_with(message), "{what}: {shown}");
        if what == "fail" {
            let trace = json["stackTrace"].to_string();
            assert!(trace.contains("handler"), "{trace}");
        }
        let log = tail(&response);
        let report = log.report().unwrap();
        let status = match what {
            "fail" => None,
            "sleep" => Some(ReportStatus::Timeout),
            _ => Some(ReportStatus::Error),
        };
        assert_eq!(report.status, status, "{what}: {log:?}");

        let (read, complete) = client
            .call(&Call::stream("orders", payload).tail())
            .await
            .streamed();
        assert!(read.is_empty(), "{what}");
        assert!(!complete.has_failed(), "only the log reports it");
        let failure = complete.log.unwrap();
        assert!(failure.failure(None).is_some(), "{what}: {failure:?}");
    }
}

#[tokio::test]
async fn a_function_that_cannot_be_loaded_is_an_init_error() {
    if common::tools::lacks(&["python3", "node"]) {
        return;
    }
    let sources = Sources::new("init");
    let broken = sources.program("broken.py", "import nowhere\ndef handler(e, c): pass\n");
    let builder = Endpoint::builder().function(Function::program("broken", broken));
    let (_server, mut client) = serve(builder).await;
    for _ in 0..2 {
        let response = client.call(&Call::invoke("broken", "{}")).await;
        assert_eq!(response.header("x-amz-function-error"), Some("Unhandled"));
        let json = response.json();
        assert_eq!(json["errorType"], "Runtime.ImportModuleError", "{json}");
        assert!(json["errorMessage"].as_str().unwrap().contains("nowhere"));
    }
}

/// Reads a stream, and returns each chunk's text. Marks each as read by a file in the folder.
async fn live(client: &mut Client, call: &Call, folder: &Path) -> Vec<String> {
    client.send(call).await;
    let head = soon(client.head()).await.unwrap();
    assert_eq!(head.parts.status, 200);
    let mut read = Vec::new();
    while let Some(chunk) = soon(client.chunk()).await.unwrap() {
        for event in common::events(&chunk) {
            if let StreamEvent::PayloadChunk(_) = &event {
                std::fs::write(folder.join(format!("read-{}", read.len())), "").unwrap();
                read.push(chunks(vec![event]).remove(0));
            }
        }
    }
    read
}

#[tokio::test]
async fn a_node_function_streams_live_and_is_collected_for_invoke() {
    if common::tools::lacks(&["python3", "node"]) {
        return;
    }
    let sources = Sources::new("stream");
    let (_server, mut client) = serve(Endpoint::builder().function(node(&sources))).await;
    let words = r#"{"words":["one ","two ","three"],"live":true}"#;
    let call = Call::stream("words", words);
    let read = live(&mut client, &call, &sources.0).await;
    assert_eq!(read, ["one ", "two ", "three"]);
    let words = r#"{"words":["one ","two ","three"]}"#;
    let response = client.call(&Call::invoke("words", words)).await;
    assert_eq!(response.text(), "one two three");
    let content_type = response.header("content-type");
    assert_eq!(content_type, Some("application/octet-stream"));

    // The content type of an HTTP response is passed on, as is its prelude.
    let page = r#"{"page":true,"words":["<p>"]}"#;
    let response = client.call(&Call::stream("words", page)).await;
    assert_eq!(
        response.header("x-amzn-remapped-content-type"),
        Some("application/vnd.awslambda.http-integration-response")
    );
    let (read, _) = response.streamed();
    let whole = read.concat();
    let (prelude, body) = whole.split_once("\0\0\0\0\0\0\0\0").unwrap();
    assert!(prelude.contains("\"statusCode\":201"), "{prelude}");
    assert_eq!(body, "<p>");
}

#[tokio::test]
async fn a_node_stream_that_fails_is_no_function_error_for_invoke() {
    if common::tools::lacks(&["python3", "node"]) {
        return;
    }
    let sources = Sources::new("trailers");
    let (_server, mut client) = serve(Endpoint::builder().function(node(&sources))).await;
    for words in [&["one"][..], &[]] {
        let payload = json!({ "words": words, "fail": true }).to_string();
        let response = client.call(&Call::invoke("words", payload.clone())).await;
        assert_eq!(response.header("x-amz-function-error"), None);
        assert_eq!(response.text(), words.concat());
        let content_type = response.header("content-type");
        assert_eq!(content_type, Some("application/octet-stream"));
        let response = client.call(&Call::stream("words", payload).tail()).await;
        let (read, complete) = response.streamed();
        assert_eq!(read, words);
        let log = complete.log.unwrap();
        assert!(log.text().contains("out of words"), "{log:?}");
    }
}

fn processes_in(folder: &Path) -> usize {
    let folder = folder.canonicalize().unwrap();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter(|process| {
            std::fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd == folder)
        })
        .count()
}

#[tokio::test]
async fn processes_end_with_the_server_and_are_replaced_by_a_restart() {
    if common::tools::lacks(&["python3", "node"]) {
        return;
    }
    let sources = Sources::new("processes");
    let text = "import os\ndef handler(event, context):\n    return os.getpid()\n";
    let function = Function::program("pid", sources.program("pid.py", text));
    let (server, mut client) = serve(Endpoint::builder().function(function)).await;
    let pid = client.call(&Call::invoke("pid", "1")).await.json();
    assert_eq!(client.call(&Call::invoke("pid", "1")).await.json(), pid);
    assert!(processes_in(&sources.0) > 0);
    server.endpoint().restart("pid");
    assert_ne!(client.call(&Call::invoke("pid", "1")).await.json(), pid);
    assert!(soon(server.shutdown(Duration::from_secs(5))).await);
    assert_eq!(processes_in(&sources.0), 0);
}

#[tokio::test]
async fn programs_run_until_the_last_server_of_their_endpoint_is_shut_down() {
    if common::tools::lacks(&["python3", "node"]) {
        return;
    }
    let sources = Sources::new("two");
    let function = Function::program("slow", sources.slow("slow.py"));
    let endpoint = Endpoint::builder().function(function).build().unwrap();
    let first = endpoint.clone().bind("127.0.0.1:0").await.unwrap();
    let second = endpoint.bind("127.0.0.1:0").await.unwrap();
    let mut client = Client::to(&second).await;
    assert_eq!(client.call(&Call::invoke("slow", "0")).await.text(), "0");
    assert!(soon(first.shutdown(Duration::from_secs(5))).await);
    assert_eq!(client.call(&Call::invoke("slow", "0")).await.text(), "0");
    assert!(soon(second.shutdown(Duration::from_secs(5))).await);
    assert_eq!(processes_in(&sources.0), 0);
}

#[tokio::test]
async fn processes_end_with_a_dropped_server() {
    if common::tools::lacks(&["python3", "node"]) {
        return;
    }
    let sources = Sources::new("dropped");
    let function = Function::program("slow", sources.slow("slow.py"));
    let (server, mut client) = serve(Endpoint::builder().function(function)).await;
    client.send(&Call::invoke("slow", "60")).await;
    while processes_in(&sources.0) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(server);
    soon(async {
        while processes_in(&sources.0) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_caller_who_disconnects_does_not_stop_the_program() {
    if common::tools::lacks(&["python3", "node"]) {
        return;
    }
    let sources = Sources::new("gone");
    let (report, mut reported) = tokio::sync::mpsc::unbounded_channel();
    let builder: EndpointBuilder = Endpoint::builder()
        .function(node(&sources))
        .function(Function::program("after", sources.program(
            "after.py",
            "import time\ndef handler(event, context):\n    time.sleep(0.5)\n    print('still here')\n",
        )))
        .on_log(move |line| {
            let id = line.request_id.is_some();
            report.send((line.function.to_owned(), id, line.text.to_owned())).unwrap();
        });
    let (server, mut client) = serve(builder).await;
    client.send(&Call::invoke("after", "1")).await;
    while server.calls("after").is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(client);
    let line = soon(reported.recv()).await.unwrap();
    assert_eq!(line, ("after".to_owned(), true, "still here".to_owned()));
    // A stream whose caller disconnects is drained, and its instance takes the next call.
    let mut client = Client::to(&server).await;
    let many: Vec<String> = (0..10).map(|n| n.to_string()).collect();
    client
        .send(&Call::stream("words", json!({ "words": many }).to_string()))
        .await;
    soon(client.head()).await.unwrap();
    drop(client);
    let mut client = Client::to(&server).await;
    let again = client
        .call(&Call::invoke("words", r#"{"words":["x"]}"#))
        .await;
    assert_eq!(again.text(), "x");
    assert!(soon(server.shutdown(Duration::from_secs(10))).await);
}

/// The crates of programs and of regions do not depend on each other.
#[test]
fn a_program_by_itself_has_the_arn_that_it_has_behind_an_endpoint() {
    for region in [
        "us-east-1",
        "eu-central-1",
        "ap-southeast-7",
        "mx-central-1",
        "cn-north-1",
        "cn-northwest-1",
        "eu-isoe-west-1",
        "eusc-de-east-1",
        "us-gov-east-1",
        "us-gov-west-1",
        "us-iso-east-1",
        "us-iso-west-1",
        "us-isob-east-1",
        "us-isof-east-1",
        "us-isof-south-1",
    ] {
        let program = Program::command(["true"]).unwrap().region(region);
        let partition = Partition::of(region).id();
        let expected = format!("arn:{partition}:lambda:{region}:000000000000:function:true");
        assert_eq!(program.function_arn(), expected);
    }
}
