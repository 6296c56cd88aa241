//! JavaScript functions through the embedded client.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // It is a test.

mod support;

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_invoke_runtime::{FailureKind, Mode, Outcome, Pool, Program};
use serde_json::Value;
use support::{Folder, event, function, invoke};

#[tokio::test]
async fn handlers_of_every_kind_return_their_result() {
    if support::tools::lacks(&["node"]) {
        return;
    }
    let folder = Folder::new();
    let program = function(
        &folder,
        "index.mjs",
        "export const handler = async (event, context) => {\n\
         \x20 console.log('hello %s', event.n);\n\
         \x20 return { n: event.n + 1, left: context.getRemainingTimeInMillis(), id: context.awsRequestId,\n\
         \x20   tenant: context.tenantId, custom: context.clientContext?.custom, env: process.env.AWS_EXECUTION_ENV };\n\
         };\n",
    );
    let pool = Pool::new(program);
    let event = event(r#"{"n":1}"#)
        .with_tenant_id("t")
        .with_client_context(r#"{"custom":{"k":1}}"#);
    let id = event.request_id.clone();
    let called = support::call(&pool, event).await;
    assert_eq!(called.report.outcome, Outcome::Succeeded);
    let result: Value = serde_json::from_str(&called.text()).unwrap();
    assert_eq!(
        (&result["n"], &result["tenant"]),
        (&Value::from(2), &Value::from("t"))
    );
    assert_eq!(
        (&result["id"], &result["custom"]["k"]),
        (&Value::from(id.as_str()), &Value::from(1))
    );
    assert!(result["left"].as_u64().unwrap() > 10_000);
    assert!(
        result["env"]
            .as_str()
            .unwrap()
            .starts_with("AWS_Lambda_nodejs")
    );
    assert!(
        called.log().contains(&format!("{id}\tINFO\thello 1")),
        "{}",
        called.log()
    );

    // Before Node.js 24, only a promise or a callback has a result, as in the service.
    let sync = if major() < 24 { "null" } else { "\"sync\"" };
    for (name, text, expected) in [
        ("plain.js", "exports.handler = () => 'sync';", sync),
        ("nothing.cjs", "exports.handler = async () => {};", "null"),
        (
            "esm/index.js",
            "export const handler = async () => 'module';",
            "\"module\"",
        ),
    ] {
        let folder = Folder::new();
        folder.file("esm/package.json", r#"{"type":"module"}"#);
        let pool = Pool::new(function(&folder, name, text));
        let called = invoke(&pool, "{}").await;
        assert_eq!(called.text(), expected, "{name}: {}", called.body());
        assert_eq!(invoke(&pool, "{}").await.text(), expected, "{name}, again");
    }
}

/// `node -e` shows a program names that no function has in the service, and the client has names of its own.
#[tokio::test]
async fn a_function_sees_no_names_but_its_own() {
    if support::tools::lacks(&["node"]) {
        return;
    }
    for (file, text) in [
        (
            "names.mjs",
            "export const handler = async () => ['path', 'fs', 'http', 'sqlite', 'require', 'module', 'exports',\n\
             '__filename', '__dirname', 'request', 'root', 'call', 'log', 'main', 'agent', 'official']\n\
             .filter((name) => { try { return eval(`typeof ${name}`) !== 'undefined'; } catch { return true; } });",
        ),
        (
            "names.cjs",
            "path = require('path'); global.request = 1; global.log = 2; root = 3; call = 4; env = 5;\n\
             exports.handler = async () => [];",
        ),
        (
            "real.mjs",
            "export const handler = async () => ['console', 'process', 'Buffer', 'URL', 'fetch', 'setTimeout']\n\
             .filter((name) => !(name in globalThis));",
        ),
    ] {
        let folder = Folder::new();
        let called = invoke(&Pool::new(function(&folder, file, text)), "{}").await;
        assert_eq!(called.text(), "[]", "{file}: {}", called.body());
    }
}

/// The major version of the installed Node.js.
fn major() -> u32 {
    let output = Command::new("node").arg("--version").output().unwrap();
    let version = String::from_utf8(output.stdout).unwrap();
    let major = version.trim_start_matches('v').split('.').next().unwrap();
    major.parse().unwrap()
}

/// Returns whether there is no Node.js here in which a handler may take a callback.
fn lacks_callbacks() -> bool {
    if support::tools::lacks(&["node"]) {
        return true;
    }
    let is_newer = major() >= 24;
    if is_newer {
        support::tools::inapplicable("this Node.js has no handlers with callbacks");
    }
    is_newer
}

/// Before Node.js 24, a handler may take a callback, whose result is returned when the event loop is
/// empty. Later versions reject such a handler, as in the service.
#[tokio::test]
async fn callbacks_wait_for_the_event_loop_and_are_rejected_by_later_versions() {
    if support::tools::lacks(&["node"]) {
        return;
    }
    let text = "\
exports.handler = (event, context, done) => {
  if (event === 'no wait') context.callbackWaitsForEmptyEventLoop = false;
  if (event === 'succeed') return context.succeed('done');
  if (event === 'fail') return context.fail(new RangeError('no'));
  if (event === 'error') return done(new TypeError('no'));
  if (event === 'nothing') return 'not the result';
  setTimeout(() => done(null, 'done'), 20);
  setTimeout(() => console.log('after the result'), 500);
};
";
    let folder = Folder::new();
    let pool = Pool::new(function(&folder, "callback.cjs", text).concurrency(1));
    if major() >= 24 {
        let called = invoke(&pool, "1").await;
        assert_eq!(called.error_type(), "Runtime.CallbackHandlerDeprecated");
        let failure = called.report.outcome.failure().unwrap();
        assert_eq!(failure.kind, FailureKind::Init);
        return;
    }
    for (event, expected, error_type, logs) in [
        ("wait", "\"done\"", "", true),
        ("succeed", "\"done\"", "", false),
        ("fail", "", "RangeError", false),
        ("error", "", "TypeError", false),
        ("nothing", "null", "", false),
        ("no wait", "\"done\"", "", false),
    ] {
        let called = invoke(&pool, &format!("\"{event}\"")).await;
        assert_eq!(called.text(), expected, "{event}: {}", called.body());
        assert_eq!(called.error_type(), error_type, "{event}");
        let log = called.log();
        assert_eq!(log.contains("after the result"), logs, "{event}: {log}");
    }
}

#[tokio::test]
async fn a_streaming_handler_streams_live_with_its_prelude_and_its_error() {
    if support::tools::lacks(&["node"]) {
        return;
    }
    let folder = Folder::new();
    let program = function(
        &folder,
        "index.mjs",
        "import { existsSync } from 'node:fs';\n\
         const sleep = (ms) => new Promise((done) => setTimeout(done, ms));\n\
         export const handler = awslambda.streamifyResponse(async (event, stream) => {\n\
         \x20 if (event.http) {\n\
         \x20   stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 });\n\
         \x20   stream.write('data'); stream.end(); return;\n\
         \x20 }\n\
         \x20 if (event.early) throw new TypeError('early');\n\
         \x20 stream.setContentType('text/plain');\n\
         \x20 for (const c of 'abc') {\n\
         \x20   stream.write(c);\n\
         \x20   // Until the test has read it.\n\
         \x20   while (event.live && !existsSync(c)) await sleep(10);\n\
         \x20 }\n\
         \x20 if (event.fail) throw new RangeError('late');\n\
         \x20 stream.end();\n\
         });\n",
    );
    let pool = Pool::new(program);
    let live = pool.invoke(event(r#"{"live":true}"#)).await;
    let mut response = live.unwrap();
    assert_eq!(response.head().mode, Mode::Streaming);
    assert_eq!(response.head().content_type.as_deref(), Some("text/plain"));
    let mut read = String::new();
    while let Some(chunk) = response.chunk().await {
        let text = std::str::from_utf8(&chunk).unwrap();
        folder.file(text, "");
        read.push_str(text);
    }
    assert_eq!(read, "abc", "chunks arrive when they are written");
    assert_eq!(response.finish().await.outcome, Outcome::Succeeded);

    let http = invoke(&pool, r#"{"http":true}"#).await;
    assert!(http.head.is_http_integration());
    assert_eq!(
        http.chunks,
        ["{\"statusCode\":201}", "\0\0\0\0\0\0\0\0", "data"]
    );

    let late = invoke(&pool, r#"{"fail":true}"#).await;
    assert_eq!(
        (late.text().as_str(), late.error_type()),
        ("abc", "RangeError")
    );
    assert!(
        late.log()
            .contains("ERROR\tInvoke Error \t{\"errorType\":\"RangeError\""),
        "{}",
        late.log()
    );
    let early = invoke(&pool, r#"{"early":true}"#).await;
    assert_eq!(
        (early.text().as_str(), early.error_type()),
        ("", "TypeError")
    );
    assert!(
        early.body().contains("\"trace\":[\"TypeError: early\""),
        "{}",
        early.body()
    );
}

#[tokio::test]
async fn errors_have_type_message_and_trace() {
    if support::tools::lacks(&["node"]) {
        return;
    }
    let folder = Folder::new();
    let program = function(
        &folder,
        "index.cjs",
        "exports.handler = async (event) => {\n\
         \x20 if (event === 'later') setTimeout(() => { throw new EvalError('uncaught'); }, 10);\n\
         \x20 if (event === 'later') return new Promise(() => {});\n\
         \x20 if (event === 'text') throw 'just text';\n\
         \x20 throw new SyntaxError('thrown');\n\
         };\n",
    );
    let pool = Pool::new(program);
    let thrown = invoke(&pool, "1").await;
    assert_eq!(
        (thrown.error_type(), thrown.message()),
        ("SyntaxError", "thrown")
    );
    let body: Value = serde_json::from_str(&thrown.body()).unwrap();
    assert!(
        body["trace"][1].as_str().unwrap().contains("index.cjs:5"),
        "{body}"
    );
    assert_eq!(invoke(&pool, "\"text\"").await.message(), "just text");
    let uncaught = invoke(&pool, "\"later\"").await;
    assert_eq!(
        (uncaught.error_type(), uncaught.message()),
        ("EvalError", "uncaught")
    );
}

#[tokio::test]
async fn failures_of_the_import_are_reported_once_with_their_type() {
    if support::tools::lacks(&["node"]) {
        return;
    }
    for (text, error_type) in [
        ("import 'nothing-like-it';", "Error"),
        ("export const handler = (;", "Runtime.UserCodeSyntaxError"),
        ("export const other = 1;", "Runtime.HandlerNotFound"),
        ("throw new RangeError('at import');", "RangeError"),
    ] {
        let folder = Folder::new();
        let pool = Pool::new(function(&folder, "index.mjs", text));
        let called = invoke(&pool, "{}").await;
        assert_eq!(called.error_type(), error_type, "{}", called.body());
        if error_type == "Runtime.UserCodeSyntaxError" {
            let body: Value = serde_json::from_str(&called.body()).unwrap();
            let place = body["trace"][0].as_str().unwrap();
            assert!(place.ends_with("/index.mjs:1"), "{body}");
        }
        assert_eq!(
            called.report.outcome.failure().unwrap().kind,
            FailureKind::Init
        );
    }
}

#[tokio::test]
async fn handlers_have_slashes_and_leading_dots() {
    if support::tools::lacks(&["node"]) {
        return;
    }
    let folder = Folder::new();
    folder.file(
        "src/deep/app.js",
        "exports.inner = { run: async () => 'found' };\n",
    );
    for handler in ["src/deep/app.inner.run", "./src/deep/app.inner.run"] {
        let program = Program::node(folder.path(), handler).unwrap();
        let pool = Pool::new(program.timeout(std::time::Duration::from_secs(20)));
        let called = invoke(&pool, "{}").await;
        assert_eq!(called.text(), "\"found\"", "{handler}: {}", called.body());
    }
}

#[tokio::test]
async fn an_invalid_client_context_is_an_error_of_its_invocation() {
    if support::tools::lacks(&["node"]) {
        return;
    }
    let folder = Folder::new();
    let pool = Pool::new(function(
        &folder,
        "index.cjs",
        "exports.handler = async () => 1;",
    ));
    assert_eq!(invoke(&pool, "{}").await.text(), "1");
    let called = support::call(&pool, event("{}").with_client_context("{")).await;
    let expected = "Cannot parse ClientContext as json: SyntaxError";
    assert!(
        called.message().starts_with(expected),
        "{}",
        called.message()
    );
    assert_eq!(called.error_type(), "Error");
    assert_eq!(pool.instances(), 1);
}

/// However a stream is ended, the response ends too.
#[tokio::test]
async fn a_stream_that_is_destroyed_is_a_failure_and_does_not_hang() {
    if support::tools::lacks(&["node"]) {
        return;
    }
    let folder = Folder::new();
    let text = "\
const { Readable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
async function* source(event) {
  yield 'x';
  if (event === 'source') throw new RangeError('no more');
}
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  if (event === 'pipe' || event === 'source') return pipeline(Readable.from(source(event)), stream);
  if (event !== 'early') stream.write('x');
  await new Promise((done) => setTimeout(done, 20));
  if (event === 'destroy' || event === 'early') stream.destroy();
  if (event === 'with an error') stream.destroy(new TypeError('enough'));
  if (event === 'ended') stream.end(() => stream.destroy());
});
";
    let pool = Pool::new(function(&folder, "index.cjs", text).concurrency(1));
    let destroyed = "The response stream was destroyed before its end";
    for (how, text, error_type, message) in [
        ("pipe", "x", "", ""),
        ("ended", "x", "", ""),
        ("source", "x", "RangeError", "no more"),
        ("with an error", "x", "TypeError", "enough"),
        ("destroy", "x", "Error", destroyed),
        ("early", "", "Error", destroyed),
    ] {
        let called = invoke(&pool, &format!("\"{how}\"")).await;
        assert_eq!(called.text(), text, "{how}");
        assert_eq!(called.error_type(), error_type, "{how}");
        assert_eq!(called.message(), message, "{how}");
    }
}

/// A handler may return before its stream has ended, as one that uses `pipe` does.
#[tokio::test]
async fn a_stream_ends_when_it_is_ended_and_not_when_its_handler_returns() {
    if support::tools::lacks(&["node"]) {
        return;
    }
    let text = "\
const { Readable } = require('node:stream');
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
async function* later() { for (const c of 'ab') { await sleep(20); yield c; } }
exports.handler = awslambda.streamifyResponse((event, stream) => {
  if (event === 'no promise') return stream.write('x');
  if (event === 'pipe') Readable.from(later()).pipe(stream);
  if (event === 'timer') setTimeout(() => stream.end('x'), 50);
  if (event === 'never') stream.write('x');
  // Nothing keeps this promise's process alive but its stream.
  if (event === 'unsettled') { stream.end('x'); return new Promise(() => {}); }
  return Promise.resolve();
});
";
    let folder = Folder::new();
    let pool = Pool::new(function(&folder, "index.cjs", text).concurrency(1));
    let no_promise = "Streaming does not support non-async handlers.";
    for (event, text, message) in [
        ("pipe", "ab", ""),
        ("timer", "x", ""),
        ("unsettled", "x", ""),
        ("no promise", "x", no_promise),
    ] {
        let called = invoke(&pool, &format!("\"{event}\"")).await;
        assert_eq!(
            (&*called.text(), called.message()),
            (text, message),
            "{event}"
        );
        let is_new = called.report.init_duration.is_some();
        assert_eq!(is_new, event == "pipe", "{event}");
    }
    let program = function(&folder, "index.cjs", text).timeout(Duration::from_secs(2));
    for event in ["never", "nothing"] {
        let pool = Pool::new(program.clone());
        let called = invoke(&pool, &format!("\"{event}\"")).await;
        assert_eq!(called.error_type(), "Sandbox.Timedout", "{event}");
    }
}

/// Of callback, `succeed`, `fail`, `done` and promise, the first counts.
#[tokio::test]
async fn the_first_result_counts_however_it_is_given() {
    if lacks_callbacks() {
        return;
    }
    for (handler, expected, error_type) in [
        ("async (e, c, cb) => { cb(null, 'x'); }", "\"x\"", ""),
        (
            "async (e, c, cb) => { cb(new RangeError()); }",
            "",
            "RangeError",
        ),
        (
            "async (e, c, cb) => { setTimeout(() => cb(null, 'x'), 20); }",
            "null",
            "",
        ),
        (
            "async (e, c) => { c.fail(new RangeError()); return 'x'; }",
            "",
            "RangeError",
        ),
        (
            "(e, c) => { setTimeout(() => c.succeed('x'), 20); }",
            "\"x\"",
            "",
        ),
        (
            "(e, c) => setTimeout(() => c.done(null, 'x'), 20)",
            "\"x\"",
            "",
        ),
        (
            "(e, c) => { setTimeout(() => c.fail(new RangeError()), 20); }",
            "",
            "RangeError",
        ),
        (
            "(...all) => { setTimeout(() => all[2](null, 'x'), 20); }",
            "\"x\"",
            "",
        ),
        (
            "(e, c, cb) => { c.succeed('x'); cb(new RangeError()); }",
            "\"x\"",
            "",
        ),
        (
            "(e, c, cb) => { cb(null, 'x'); throw new RangeError(); }",
            "\"x\"",
            "",
        ),
        ("(e, c) => { throw new RangeError(); }", "", "RangeError"),
        ("() => {}", "null", ""),
        // Nothing will settle it.
        ("() => new Promise(() => {})", "null", ""),
        (
            "async () => new Promise(() => {})",
            "",
            "Runtime.NodeJsExit",
        ),
        ("async () => { throw undefined; }", "", "string"),
    ] {
        let folder = Folder::new();
        let text = format!("exports.handler = {handler};");
        let pool = Pool::new(function(&folder, "index.cjs", &text).concurrency(1));
        for _ in 0..2 {
            let called = invoke(&pool, "{}").await;
            let found = (called.text(), called.error_type());
            assert_eq!(found, (expected.to_owned(), error_type), "{handler}");
        }
    }
}

/// With several invocations at a time, the event loop is never empty, so nothing waits for that.
#[tokio::test]
async fn concurrent_invocations_do_not_wait_for_the_event_loop() {
    if lacks_callbacks() {
        return;
    }
    for (handler, expected) in [
        ("() => {}", "null"),
        ("(e, c) => 'x'", "\"x\""),
        (
            "(e, c, cb) => { setTimeout(() => cb(null, 'x'), 20); }",
            "\"x\"",
        ),
    ] {
        let folder = Folder::new();
        let text = format!("exports.handler = {handler};");
        let program = function(&folder, "index.cjs", &text).multi_concurrency(2);
        let called = invoke(&Pool::new(program.concurrency(1)), "{}").await;
        assert_eq!(called.text(), expected, "{handler}");
    }
}

/// Only a callback without an error waits for the event loop; nothing else does, and nothing accumulates.
#[tokio::test]
async fn only_a_callback_with_a_result_waits_for_the_event_loop() {
    if lacks_callbacks() {
        return;
    }
    let text = "\
exports.handler = (event, context, done) => {
  if (event === 'count') return context.succeed(process.listenerCount('beforeExit'));
  context.callbackWaitsForEmptyEventLoop = event !== 'no wait';
  setTimeout(() => {}, event === 'result' ? 300 : 60_000);
  if (event === 'no wait') return done(null, 1);
  if (event === 'error') return done(new RangeError('no'));
  if (event === 'fail') return context.fail(new RangeError('no'));
  if (event === 'succeed') return context.succeed(1);
  if (event === 'done') return context.done(null, 1);
  if (event === 'result') return done(null, 1);
};
";
    let folder = Folder::new();
    let pool = Pool::new(function(&folder, "index.cjs", text).concurrency(1));
    let before = invoke(&pool, "\"count\"").await.text();
    for (event, error_type) in [
        ("no wait", ""),
        ("result", ""),
        ("error", "RangeError"),
        ("fail", "RangeError"),
        ("succeed", ""),
        ("done", ""),
    ] {
        // Timers of earlier calls would keep the loop busy.
        let folder = Folder::new();
        let pool = Pool::new(function(&folder, "index.cjs", text).concurrency(1));
        let called = invoke(&pool, &format!("\"{event}\"")).await;
        assert_eq!(called.error_type(), error_type, "{event}");
        // The timer of the others is longer than the timeout.
        let waited = called.report.duration >= Duration::from_millis(280);
        assert!(waited || event != "result", "{:?}", called.report.duration);
    }
    for _ in 0..3 {
        assert_eq!(invoke(&pool, "\"no wait\"").await.text(), "1");
    }
    assert_eq!(invoke(&pool, "\"count\"").await.text(), before);
}

#[tokio::test]
async fn a_stream_takes_objects_and_its_content_type_only_before_its_first_write() {
    if support::tools::lacks(&["node"]) {
        return;
    }
    let text = "\
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  const http = () => awslambda.HttpResponseStream.from(stream, { statusCode: 201 });
  if (event === 'object') stream.write({ a: 1 });
  if (event === 'array') stream.write([1, null]);
  if (event === 'bytes') stream.write(new Uint8Array([120]));
  if (event === 'type') { stream.write('x'); stream.setContentType('text/plain'); }
  if (event === 'head') { stream.write('x'); http(); }
  if (event === 'after the end') { stream.end('x'); http(); }
  if (event === 'own head') stream._onBeforeFirstWrite = (write) => write('head');
  if (event === 'own head') { stream.write('x'); stream.write('y'); }
  stream.end();
});
";
    let folder = Folder::new();
    let pool = Pool::new(function(&folder, "index.cjs", text).concurrency(1));
    let late = "Cannot set content-type, too late.";
    for (event, text, message) in [
        ("object", "{\"a\":1}", ""),
        ("array", "[1,null]", ""),
        ("bytes", "x", ""),
        ("type", "x", late),
        ("head", "x", late),
        ("own head", "headxy", ""),
        // The response is complete before the error.
        ("after the end", "x", ""),
    ] {
        let called = invoke(&pool, &format!("\"{event}\"")).await;
        assert_eq!(
            (&*called.text(), called.message()),
            (text, message),
            "{event}"
        );
        let error_type = if message.is_empty() {
            ""
        } else {
            "Runtime.InvalidStreamingOperation"
        };
        assert_eq!(called.error_type(), error_type, "{event}");
    }
}

/// The stream would never end if it failed to open.
#[tokio::test]
async fn a_head_that_cannot_be_sent_is_an_error_at_once() {
    if support::tools::lacks(&["node"]) {
        return;
    }
    let text = "\
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  const { from } = awslambda.HttpResponseStream;
  if (event === 'no metadata') stream = from(stream);
  if (event === 'no object') stream = from(stream, () => 1);
  if (event === 'no type') stream.setContentType(undefined);
  if (event === 'type') stream.setContentType('text/html\\r\\nx: y');
  if (event === 'caught') try { from(stream); } catch {}
  stream.end('x');
});
";
    let folder = Folder::new();
    let pool = Pool::new(function(&folder, "index.cjs", text).concurrency(1));
    for event in ["no metadata", "no object", "no type", "type"] {
        let called = invoke(&pool, &format!("\"{event}\"")).await;
        let found = (&*called.text(), called.error_type());
        assert_eq!(found, ("", "TypeError"), "{event}");
    }
    assert_eq!(invoke(&pool, "\"caught\"").await.text(), "x");
}

/// What a slow reader has not yet taken is sent before the error.
#[tokio::test]
async fn what_was_written_before_an_error_is_sent() {
    if support::tools::lacks(&["node"]) {
        return;
    }
    let text = "\
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  for (let i = 0; i < 20; i++) stream.write('x'.repeat(1_000_000));
  if (event === 'ended') stream.end();
  throw new RangeError('after it');
});
";
    let folder = Folder::new();
    let pool = Pool::new(function(&folder, "index.cjs", text).concurrency(1));
    for how in ["not ended", "ended"] {
        let mut response = pool.invoke(event(&format!("\"{how}\""))).await.unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut len = 0;
        while let Some(chunk) = response.chunk().await {
            len += chunk.len();
        }
        let report = response.finish().await;
        assert_eq!(len, 20_000_000, "{how}");
        // A stream that has been ended is a complete response.
        let failure = report.outcome.failure().map(|failure| &*failure.error_type);
        assert_eq!(
            failure,
            (how == "not ended").then_some("RangeError"),
            "{how}"
        );
    }
}

/// Trailers are limited in bytes, not in characters; and an error may have any type and message.
#[tokio::test]
async fn errors_of_any_size_and_kind_keep_their_type() {
    if support::tools::lacks(&["node"]) {
        return;
    }
    let text = "\
const made = (name, message) => Object.assign(new Error(message), { name });
const errors = {
  euros: made('Euros', '\u{20ac}'.repeat(8000)),
  controls: made('Controls', '\\u0001'.repeat(100_000)),
  number: made(5, 'm'),
  line: made('a\\nb', 'm'),
  long: made('L'.repeat(20_000), 'm'),
  bare: Object.create(null),
  stack: Object.assign(new Error(), { stack: 5, message: { a: 1 } }),
};
exports.plain = async (event) => { throw errors[event]; };
exports.stream = awslambda.streamifyResponse(async (event) => { throw errors[event]; });
exports.later = async (event) => {
  setTimeout(() => { throw errors[event]; }, 1);
  return new Promise((done) => setTimeout(done, 60_000));
};
";
    let folder = Folder::new();
    let long = "L".repeat(20_000);
    for handler in ["plain", "stream", "later"] {
        let program = function(&folder, "index.cjs", text);
        let program = program.handler(format!("index.{handler}"));
        for (event, error_type) in [
            ("euros", "Euros"),
            ("controls", "Controls"),
            ("number", "5"),
            ("line", "a?b"),
            ("long", &long),
            ("bare", "handled"),
            ("stack", "Error"),
        ] {
            let called = invoke(&Pool::new(program.clone()), &format!("\"{event}\"")).await;
            let found = called.error_type().replace('\n', "?");
            assert_eq!(found, error_type, "{handler} {event}: {}", called.message());
        }
    }
}

#[tokio::test]
async fn an_error_that_nothing_catches_during_the_initialization_keeps_its_type() {
    if support::tools::lacks(&["node"]) {
        return;
    }
    let rejection = "Runtime.UnhandledPromiseRejection";
    for (text, error_type, message) in [
        (
            "Promise.reject(new RangeError('no'));",
            rejection,
            "RangeError: no",
        ),
        (
            "(async () => { throw new RangeError('no'); })();",
            rejection,
            "RangeError: no",
        ),
        (
            "process.nextTick(() => { throw new RangeError('no'); });",
            "RangeError",
            "no",
        ),
        (
            "setTimeout(() => { throw new RangeError('no'); }, 5);\n\
             await new Promise((done) => setTimeout(done, 60_000));",
            "RangeError",
            "no",
        ),
    ] {
        let folder = Folder::new();
        let text = format!("{text}\nexport const handler = async () => 1;\n");
        let called = invoke(&Pool::new(function(&folder, "index.mjs", &text)), "{}").await;
        assert_eq!(called.error_type(), error_type, "{text}");
        assert_eq!(called.message(), message, "{text}");
        let kind = called.report.outcome.failure().unwrap().kind;
        assert_eq!(kind, FailureKind::Init, "{text}");
    }
}

/// Libraries that trace or mock requests replace functions of the module `http`.
#[tokio::test]
async fn a_function_that_replaces_http_does_not_see_the_client() {
    if support::tools::lacks(&["node"]) {
        return;
    }
    let text = "\
const http = require('node:http');
http.request = http.get = http.Agent = () => { throw new Error('blocked'); };
exports.plain = async () => 1;
exports.stream = awslambda.streamifyResponse(async (event, stream) => stream.end('1'));
";
    for handler in ["plain", "stream"] {
        let folder = Folder::new();
        let program = function(&folder, "index.cjs", text);
        let pool = Pool::new(
            program
                .handler(format!("index.{handler}"))
                .init_timeout(Duration::from_secs(20)),
        );
        assert_eq!(invoke(&pool, "{}").await.text(), "1", "{handler}");
    }
}

/// Stands for version 3 of the official client, whose `run` rejects if the handler cannot be loaded.
const OFFICIAL: &str = "\
const { request } = require('node:http');
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const post = (errorType) => request({ host, port, method: 'POST', path: '/2018-06-01/runtime/init/error',
  headers: { 'Lambda-Runtime-Function-Error-Type': errorType } }, (response) => {
    response.resume().on('end', () => process.exit(1));
  }).end(JSON.stringify({ errorType, errorMessage: 'of the official client', trace: [] }));
exports.run = async () => {
  process.on('uncaughtException', (error) => post(error.name));
  process.on('unhandledRejection', () => post('Runtime.UnhandledPromiseRejection'));
  throw Object.assign(new Error('no'), { name: 'Runtime.ImportModuleError' });
};
";

/// Where the official client is the main module, its rejection is an uncaught error.
#[tokio::test]
async fn a_failed_import_keeps_its_type_with_the_official_client() {
    if support::tools::lacks(&["node"]) {
        return;
    }
    let folder = Folder::new();
    folder.file("node_modules/aws-lambda-ric/index.js", OFFICIAL);
    let pool = Pool::new(function(
        &folder,
        "index.cjs",
        "require('nothing-like-it');",
    ));
    let called = invoke(&pool, "{}").await;
    assert_eq!(called.message(), "of the official client");
    assert_eq!(called.error_type(), "Runtime.ImportModuleError");
}

#[tokio::test]
async fn a_line_without_its_end_belongs_to_its_invocation() {
    if support::tools::lacks(&["node"]) {
        return;
    }
    let folder = Folder::new();
    let text = "exports.handler = async (event) => { process.stdout.write(`n is ${event}`); };";
    let pool = Pool::new(function(&folder, "index.cjs", text).concurrency(1));
    for payload in ["1", "2"] {
        let log = invoke(&pool, payload).await.log();
        assert_eq!(log, format!("n is {payload}\n"));
    }
}

#[tokio::test]
async fn every_method_of_the_console_writes_the_request_id_and_the_level() {
    if support::tools::lacks(&["node"]) {
        return;
    }
    let folder = Folder::new();
    let text = "\
exports.handler = async () => {
  for (const name of ['log', 'info', 'trace', 'debug', 'warn', 'error', 'fatal'])
    console[name]('%s: %d', name, 1);
};
";
    let pool = Pool::new(function(&folder, "index.cjs", text));
    let event = event("{}");
    let id = event.request_id.clone();
    let log = support::call(&pool, event).await.log();
    let lines: Vec<_> = log
        .lines()
        .map(|line| line.split_once('\t').unwrap().1)
        .collect();
    let expected = [
        ("INFO", "log"),
        ("INFO", "info"),
        ("TRACE", "trace"),
        ("DEBUG", "debug"),
        ("WARN", "warn"),
        ("ERROR", "error"),
        ("FATAL", "fatal"),
    ];
    assert_eq!(
        lines,
        expected.map(|(level, name)| format!("{id}\t{level}\t{name}: 1"))
    );
}

#[tokio::test]
async fn lines_and_errors_of_concurrent_invocations_have_their_own_request_id() {
    if support::tools::lacks(&["node"]) {
        return;
    }
    let folder = Folder::new();
    let text = "\
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
exports.handler = async (event, context) => {
  await sleep(event.sleep);
  console.log('mine is', context.awsRequestId);
  if (event.fail) setTimeout(() => { throw new RangeError('of ' + context.awsRequestId); }, 1);
  await sleep(event.sleep);
};
";
    let lines = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&lines);
    let program = function(&folder, "index.cjs", text).concurrency(1);
    let pool = Pool::new(program.multi_concurrency(3))
        .on_log(move |line| seen.lock().unwrap().push(line.text.clone()));
    let calls = |payloads: [&'static str; 3]| {
        let mut calls = tokio::task::JoinSet::new();
        for payload in payloads {
            let (pool, event) = (pool.clone(), event(payload));
            calls.spawn(
                async move { (event.request_id.clone(), support::call(&pool, event).await) },
            );
        }
        calls.join_all()
    };
    let wait = [r#"{"sleep":300}"#, r#"{"sleep":150}"#, r#"{"sleep":50}"#];
    for (_, called) in calls(wait).await {
        assert_eq!(called.text(), "null", "{}", called.body());
    }
    let shown = lines.lock().unwrap().clone();
    assert_eq!(shown.len(), 3, "{shown:?}");
    for line in shown {
        let (head, id) = line.split_once("\tINFO\tmine is ").unwrap();
        assert!(head.ends_with(&format!("\t{id}")), "{line}");
    }
    // An uncaught error ends the instance; it is reported for the invocation that has thrown it.
    let fail = [
        r#"{"sleep":500}"#,
        r#"{"sleep":200,"fail":true}"#,
        r#"{"sleep":1500}"#,
    ];
    let called = calls(fail).await;
    let thrown: Vec<_> = called
        .iter()
        .filter(|(_, called)| called.error_type() == "RangeError")
        .collect();
    assert_eq!(thrown.len(), 1);
    assert_eq!(thrown[0].1.message(), format!("of {}", thrown[0].0));
}

#[tokio::test]
async fn a_result_that_is_not_json_has_the_error_of_the_official_client() {
    if support::tools::lacks(&["node"]) {
        return;
    }
    let folder = Folder::new();
    let text = "exports.handler = async (event) => event === 'big' ? 1n : process.versions.node;";
    let pool = Pool::new(function(&folder, "index.cjs", text));
    let version = invoke(&pool, "1").await.text();
    let major: u32 = version
        .trim_matches('"')
        .split('.')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let failed = invoke(&pool, "\"big\"").await;
    let expected = match major {
        24.. => "Runtime.JSONStringifyError",
        _ => "Error",
    };
    assert_eq!(
        (failed.error_type(), failed.message()),
        (expected, "Unable to stringify response body")
    );
}
