//! Unmodified programs behind their URLs and in the console, in real processes.

#![cfg(feature = "runtime")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::{Call, Client, serve, soon};
use lambda_invoke_endpoint::runtime::Program;
use lambda_invoke_endpoint::{Endpoint, Function, FunctionUrl, UrlAuth};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

/// A source file, removed when dropped.
struct Source(PathBuf);

impl Source {
    fn function(name: &str, file: &str, text: &str) -> (Self, Function) {
        let folder = format!("lambda-invoke-urls-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(file);
        std::fs::write(&path, text).unwrap();
        let function = Function::program(name, Program::source(path).unwrap());
        (Self(folder), function.timeout(Duration::from_secs(20)))
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const NODE: &str = r#"
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  stream = awslambda.HttpResponseStream.from(stream, {
    statusCode: 201,
    headers: { "content-type": "text/event-stream" },
    cookies: ["a=1", "b=2"],
  });
  for (let i = 1; i <= 4; i++) {
    console.log(`tick ${i} of ${event.rawPath}`);
    stream.write(`data: tick ${i}\n\n`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  stream.end();
});
"#;

const PYTHON: &str = r#"
import base64, json

def handler(event, context):
    if event["rawPath"] == "/fail":
        raise ValueError("hush")
    body = event.get("body", "")
    if event["isBase64Encoded"]:
        body = base64.b64decode(body).decode()
    return {
        "statusCode": 418,
        "headers": {"content-type": "text/plain"},
        "cookies": ["seen=1"],
        "body": event["requestContext"]["http"]["method"] + " " + body,
    }
"#;

const GENERATOR: &str = r#"
import time

def handler(event, context):
    yield {"statusCode": 202, "headers": {"content-type": "text/event-stream"}, "cookies": ["a=1"]}
    for tick in range(1, 4):
        yield f"data: {tick}\n\n"
        time.sleep(0.25)
"#;

fn request(method: &str, path: &str, body: &'static str) -> Vec<u8> {
    let mut call = Call::new(path, body)
        .header("host", "localhost")
        .header("content-type", "application/x-www-form-urlencoded");
    call.method = method.to_owned();
    call.written()
}

#[tokio::test]
async fn a_node_stream_arrives_live_with_its_own_head() {
    if common::tools::lacks(&["python3", "node"]) {
        return;
    }
    let (_source, function) = Source::function("clock", "clock.mjs", NODE);
    let builder = Endpoint::builder().function(function.url(FunctionUrl::new()));
    let (_server, mut client) = serve(builder).await;
    soon(async {
        let bytes = request("GET", "/url/clock/now", "");
        client.stream.write_all(&bytes).await.unwrap();
        let head = client.head().await.unwrap();
        assert_eq!(head.parts.status, 201);
        assert_eq!(head.parts.headers["content-type"], "text/event-stream");
        assert_eq!(head.parts.headers.get_all("set-cookie").iter().count(), 2);
        let mut times = Vec::new();
        for tick in 1..=4 {
            let chunk = client.chunk().await.unwrap().unwrap();
            assert_eq!(chunk, format!("data: tick {tick}\n\n"));
            times.push(Instant::now());
        }
        assert_eq!(client.chunk().await.unwrap(), None);
        // The chunks were written 750 ms apart; a buffer would deliver them together.
        let apart = times[3].duration_since(times[0]);
        assert!(apart > Duration::from_millis(400), "{apart:?}");
    })
    .await;
}

#[tokio::test]
async fn a_python_result_is_converted_and_its_failure_is_hidden() {
    if common::tools::lacks(&["python3", "node"]) {
        return;
    }
    let (_source, function) = Source::function("teapot", "app.py", PYTHON);
    let builder = Endpoint::builder().function(function.url(FunctionUrl::new()));
    let (_server, mut client) = serve(builder).await;
    soon(async {
        let bytes = request("POST", "/url/teapot/", "a=1");
        client.stream.write_all(&bytes).await.unwrap();
        let response = client.response().await.unwrap();
        assert_eq!(response.status(), 418);
        assert_eq!(response.header("content-type"), Some("text/plain"));
        assert_eq!(response.header("set-cookie"), Some("seen=1"));
        assert_eq!(response.text(), "POST a=1");
        let bytes = request("GET", "/url/teapot/fail", "");
        client.stream.write_all(&bytes).await.unwrap();
        let response = client.response().await.unwrap();
        assert_eq!(response.status(), 502);
        assert_eq!(response.text(), "Internal Server Error");
    })
    .await;
}

const TRACE: &str = "\
import os
def handler(event, context):
    return [os.environ.get('_X_AMZN_TRACE_ID'), event.get('headers', {}).get('x-amzn-trace-id')]
";

/// The trace header in the event is also in the runtime's environment, and a caller's own header
/// reaches both.
#[tokio::test]
async fn a_trace_reaches_the_program() {
    if common::tools::lacks(&["python3"]) {
        return;
    }
    let (_source, function) = Source::function("trace", "app.py", TRACE);
    let builder = Endpoint::builder().function(function.url(FunctionUrl::new()));
    let (_server, mut client) = serve(builder).await;
    soon(async {
        let get = request("GET", "/url/trace/", "");
        client.stream.write_all(&get).await.unwrap();
        let traces = client.response().await.unwrap().json();
        let (own, in_event) = (traces[0].as_str().unwrap(), traces[1].as_str().unwrap());
        assert!(own.starts_with(&format!("{in_event};Parent=")), "{traces}");
        assert!(own.ends_with(";Sampled=0"), "{traces}");

        let sent = "Root=1-5e6722a7-cc5600000000000000000001;Parent=1234567890abcdef;Sampled=1";
        let call = Call::invoke("trace", "{}").header("x-amzn-trace-id", sent);
        let traces = client.call(&call).await.json();
        assert_eq!(traces, json!([sent, null]));
        let traces = client.call(&Call::invoke("trace", "{}")).await.json();
        assert!(traces[0].as_str().unwrap().starts_with("Root=1-"));
    })
    .await;
}

#[tokio::test]
async fn a_python_generator_sends_events_with_its_own_head() {
    if common::tools::lacks(&["python3", "node"]) {
        return;
    }
    let (_source, function) = Source::function("ticks", "ticks.py", GENERATOR);
    let builder = Endpoint::builder().function(function.url(FunctionUrl::new()));
    let (_server, mut client) = serve(builder).await;
    soon(async {
        let bytes = request("GET", "/url/ticks/", "");
        client.stream.write_all(&bytes).await.unwrap();
        let head = client.head().await.unwrap();
        assert_eq!(head.parts.status, 202);
        assert_eq!(head.parts.headers["content-type"], "text/event-stream");
        assert_eq!(head.parts.headers["set-cookie"], "a=1");
        let mut times = Vec::new();
        for tick in 1..=3 {
            let chunk = client.chunk().await.unwrap().unwrap();
            assert_eq!(chunk, format!("data: {tick}\n\n"));
            times.push(Instant::now());
        }
        assert_eq!(client.chunk().await.unwrap(), None);
        let apart = times[2].duration_since(times[0]);
        assert!(apart > Duration::from_millis(250), "{apart:?}");
    })
    .await;
}

#[tokio::test]
async fn the_console_shows_a_program_s_chunks_and_log_while_it_runs() {
    if common::tools::lacks(&["python3", "node"]) {
        return;
    }
    let (_source, function) = Source::function("clock", "live.mjs", NODE);
    let builder = Endpoint::builder()
        .function(function.url(FunctionUrl::new()))
        .console(true);
    let (server, mut client) = serve(builder).await;
    let host = server.local_addr().to_string();
    let mut feed = Client::to(&server).await;
    soon(async {
        let link = server.console_url().unwrap();
        let token = link.split_once('#').unwrap().1.to_owned();
        let open = Call::new("/console/session", token).header("host", host.clone());
        feed.stream.write_all(&open.written()).await.unwrap();
        let key = feed.response().await.unwrap().text().to_owned();
        let mut calls = Call::new("/console/calls", "")
            .header("host", host)
            .header("x-console-session", key);
        calls.method = "GET".to_owned();
        feed.stream.write_all(&calls.written()).await.unwrap();
        feed.head().await.unwrap();

        let bytes = request("GET", "/url/clock/now", "");
        client.stream.write_all(&bytes).await.unwrap();
        let mut text = Vec::new();
        let mut live = None;
        let last = loop {
            text.extend_from_slice(&feed.chunk().await.unwrap().unwrap());
            let Some(end) = text.iter().rposition(|byte| *byte == b'\n') else {
                continue;
            };
            let rest = text.split_off(end + 1);
            let lines = std::mem::replace(&mut text, rest);
            let calls: Vec<Value> = lines
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
                .map(|line| serde_json::from_slice(line).unwrap())
                .collect();
            let Some(call) = calls.last() else { continue };
            let log = call["log"].as_str().unwrap();
            if call["end"].is_null() && log.contains("tick 2 of /now") {
                live = Some(call["count"].as_u64().unwrap());
            }
            if log.contains("REPORT RequestId: ") {
                break call.clone();
            }
        };
        assert!(live.is_some_and(|count| count >= 2), "{live:?}");
        // Each line appears once, although the log tail repeats it.
        let log = last["log"].as_str().unwrap();
        assert_eq!(log.matches("tick 4 of /now").count(), 1, "{log}");
        assert_eq!(last["end"]["error"], json!(null));
    })
    .await;
}

/// A function that streams and fails before its first byte has no response: that is a 502 without the
/// stack, and not a truncated response.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_fails_before_its_first_byte_is_502() {
    if common::tools::lacks(&["python3", "node"]) {
        return;
    }
    const GENERATOR: &str = "\
def handler(event, context):
    if event['rawPath'] == '/fail':
        raise ValueError('hush')
    yield 'ok'
";
    const STREAM: &str = r#"
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  if (event.rawPath === "/fail") throw new Error("hush");
  stream.end("ok");
});
"#;
    let (_python, python) = Source::function("generator", "app.py", GENERATOR);
    let (_node, node) = Source::function("stream", "index.mjs", STREAM);
    let endpoint = Endpoint::builder()
        .functions([python, node])
        .default_url(FunctionUrl::new().auth(UrlAuth::None));
    let (_server, mut client) = serve(endpoint).await;
    for name in ["generator", "stream"] {
        for _ in 0..5 {
            let mut call = Call::new(format!("/url/{name}/fail"), "").header("host", "localhost");
            call.method = "GET".to_owned();
            let response = soon(client.call(&call)).await;
            assert_eq!(response.status(), 502, "{name}");
            assert_eq!(response.text(), "Internal Server Error", "{name}");
        }
        let mut call = Call::new(format!("/url/{name}/"), "").header("host", "localhost");
        call.method = "GET".to_owned();
        let response = soon(client.call(&call)).await;
        assert_eq!(response.status(), 200, "{name}");
        assert_eq!(response.text(), "ok", "{name}");
    }
}
