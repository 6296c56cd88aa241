//! Python functions through the embedded client.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // It is a test.

mod support;

use lambda_invoke_runtime::{FailureKind, Mode, Outcome, Pool, Program};
use serde_json::Value;
use support::{Folder, call, event, function, invoke};

#[tokio::test]
async fn an_error_is_reported_even_if_stderr_takes_no_text() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let text = "import io, sys\n\
        def handler(event, context):\n\
        \x20   if event == 'strict': sys.stderr = io.TextIOWrapper(io.BytesIO(), 'ascii')\n\
        \x20   else: sys.stderr.close()\n\
        \x20   raise KeyError('\u{fc}')\n";
    let pool = Pool::new(function(&folder, "app.py", text));
    for event in ["\"strict\"", "\"closed\"", "\"closed\""] {
        let called = invoke(&pool, event).await;
        assert_eq!(
            called.error_type(),
            "KeyError",
            "{event}: {}",
            called.text()
        );
    }
}

/// As with the official client, which has imported them before.
#[tokio::test]
async fn a_function_s_modules_do_not_replace_those_of_the_client() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    for name in ["json", "types", "importlib", "_socket"] {
        folder.file(&format!("{name}.py"), "raise RuntimeError(__name__)");
    }
    folder.file("own.py", "NAME = 'own'");
    let text =
        "import json, own\ndef lambda_handler(event, context): return own.NAME + json.dumps(1)\n";
    let pool = Pool::new(function(&folder, "app.py", text));
    assert_eq!(invoke(&pool, "1").await.text(), "\"own1\"");
}

#[tokio::test]
async fn a_handler_is_found_and_gets_its_event_and_context() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let program = function(
        &folder,
        "app.py",
        "import os\n\
         def lambda_handler(event, context):\n\
         \x20   print('hello', event['n'])\n\
         \x20   return {'n': event['n'] + 1, 'id': context.aws_request_id, 'tenant': context.tenant_id,\n\
         \x20           'custom': context.client_context.custom, 'arn': context.invoked_function_arn,\n\
         \x20           'left': context.get_remaining_time_in_millis(), 'cwd': os.getcwd(),\n\
         \x20           'env': dict(os.environ)}\n",
    );
    let pool = Pool::new(
        program
            .env("OWN", "1")
            .memory_mb(256)
            .credentials("k", "s", None),
    );
    let event = event(r#"{"n":1}"#)
        .with_tenant_id("blue green")
        .with_client_context("{\"custom\":\n{\"k\":\"\u{e9}\"}}")
        .with_arn("arn:aws:lambda:us-east-1:123456789012:function:app:live");
    let id = event.request_id.clone();
    let called = call(&pool, event).await;
    assert_eq!(called.report.outcome, Outcome::Succeeded);
    assert_eq!(called.head.mode, Mode::Buffered);
    let result: Value = serde_json::from_str(&called.text()).unwrap();
    assert_eq!(result["n"], 2);
    assert_eq!(result["id"], id.as_str());
    assert_eq!(result["tenant"], "blue green");
    assert_eq!(result["custom"]["k"], "\u{e9}");
    assert!(result["arn"].as_str().unwrap().ends_with(":live"));
    let left = result["left"].as_u64().unwrap();
    assert!((10_000..=20_000).contains(&left), "{left}");
    assert_eq!(result["cwd"], folder.path().to_str().unwrap());
    let env = &result["env"];
    for (name, value) in [
        ("OWN", "1"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("_HANDLER", "app.lambda_handler"),
        ("AWS_ACCESS_KEY_ID", "k"),
    ] {
        assert_eq!(env[name], value, "{name}");
    }
    assert!(
        env["AWS_EXECUTION_ENV"]
            .as_str()
            .unwrap()
            .starts_with("AWS_Lambda_python3.")
    );
    // Nothing from the host's environment is visible except PATH and HOME.
    for name in ["CARGO", "CARGO_MANIFEST_DIR", "AWS_SESSION_TOKEN", "USER"] {
        assert_eq!(env.get(name), None, "{name}");
    }
    assert_eq!(called.log(), "hello 1\n");
    assert!(called.report.init_duration.is_some());
    assert!(
        called.report.max_memory.unwrap() > 4_000_000,
        "{:?}",
        called.report.max_memory
    );
    let again = call(&pool, support::event("{}").with_tenant_id("blue green")).await;
    assert_eq!(again.error_type(), "KeyError");
    assert_eq!(again.report.init_duration, None, "the instance is reused");
    assert_eq!(pool.instances(), 1);
    pool.shutdown().await;
    assert_eq!(pool.instances(), 0);
}

#[tokio::test]
async fn results_of_every_kind_are_returned() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let program = function(
        &folder,
        "app.py",
        "import asyncio\n\
         async def later(event): await asyncio.sleep(0.01); return event\n\
         def handle(event, context):\n\
         \x20   if event == 'async': return later('later')\n\
         \x20   if event == 'set': return {1, 2}\n\
         \x20   if event == 'exit': raise SystemExit(3)\n\
         \x20   return event\n",
    );
    let pool = Pool::new(program.handler("app.handle"));
    for value in ["null", "\"\"", "\"\u{fc}\"", "[]", "0"] {
        assert_eq!(invoke(&pool, value).await.text(), value);
    }
    assert_eq!(invoke(&pool, "\"async\"").await.text(), "\"later\"");
    assert_eq!(
        invoke(&pool, "\"set\"").await.error_type(),
        "Runtime.MarshalError"
    );
    let exited = invoke(&pool, "\"exit\"").await;
    assert_eq!(exited.error_type(), "Runtime.ExitError");
    assert!(
        exited
            .message()
            .ends_with("Error: Runtime exited with error: exit status 3")
    );
    assert_eq!(
        invoke(&pool, "{").await.error_type(),
        "Runtime.UnmarshalError"
    );
}

#[tokio::test]
async fn an_error_has_type_message_and_stack() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let text = "def handler(event, context):\n    raise ValueError('no such \u{fc}')\n";
    let pool = Pool::new(function(&folder, "app.py", text));
    let called = invoke(&pool, "{}").await;
    assert_eq!(called.error_type(), "ValueError");
    let body: Value = serde_json::from_str(&called.body()).unwrap();
    assert_eq!(body["errorMessage"], "no such \u{fc}");
    let stack = body["stackTrace"].as_array().unwrap();
    assert_eq!(stack.len(), 1, "{stack:?}");
    assert!(
        stack[0]
            .as_str()
            .unwrap()
            .contains("app.py\", line 2, in handler")
    );
    assert!(
        called.log().starts_with("[ERROR] ValueError: no such"),
        "{}",
        called.log()
    );
}

#[tokio::test]
async fn generators_stream_as_they_yield_and_their_errors_are_trailers() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let program = function(
        &folder,
        "app.py",
        "import asyncio, os, time\n\
         # Each waits until the test has read what it yielded.\n\
         async def numbers():\n\
         \x20   for n in '123':\n\
         \x20       yield n\n\
         \x20       while not os.path.exists(n): await asyncio.sleep(0.01)\n\
         def handler(event, context):\n\
         \x20   if event == 'async': return numbers()\n\
         \x20   return letters(event)\n\
         def letters(event):\n\
         \x20   for c in 'abc':\n\
         \x20       yield c\n\
         \x20       while event == 1 and not os.path.exists(c): time.sleep(0.01)\n\
         \x20   if event == 'fail': raise KeyError('late')\n\
         \x20   if event == 'deep': deep()\n\
         def deep(): deep()\n",
    );
    let pool = Pool::new(program);
    for (payload, expected) in [("\"async\"", "123"), ("1", "abc")] {
        let mut response = pool.invoke(event(payload)).await.unwrap();
        assert_eq!(response.head().mode, Mode::Streaming);
        let mut read = String::new();
        while let Some(chunk) = response.chunk().await {
            let text = std::str::from_utf8(&chunk).unwrap();
            folder.file(text, "");
            read.push_str(text);
        }
        assert_eq!(read, expected, "chunks arrive when they are written");
        assert_eq!(response.finish().await.outcome, Outcome::Succeeded);
    }
    let failed = invoke(&pool, "\"fail\"").await;
    assert_eq!(failed.chunks, ["a", "b", "c"]);
    assert_eq!(failed.error_type(), "KeyError");
    assert!(failed.body().contains("stackTrace"));
    let deep = invoke(&pool, "\"deep\"").await;
    assert_eq!(deep.error_type(), "RecursionError");
}

#[tokio::test]
async fn failures_of_the_import_are_reported_once_with_their_type() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    for (text, error_type, message) in [
        (
            "import nothing_like_it\n",
            "Runtime.ImportModuleError",
            "Unable to import module 'app': No module named 'nothing_like_it'",
        ),
        (
            "def handler(:\n",
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module 'app'",
        ),
        (
            "x = 1\n",
            "Runtime.HandlerNotFound",
            "Handler 'lambda_handler' missing on module 'app'",
        ),
        (
            "raise ZeroDivisionError('at import')\n",
            "ZeroDivisionError",
            "at import",
        ),
    ] {
        let folder = Folder::new();
        let pool = Pool::new(function(&folder, "app.py", text));
        let started = std::time::Instant::now();
        let called = invoke(&pool, "{}").await;
        assert_eq!(called.error_type(), error_type);
        assert!(
            called.message().starts_with(message),
            "{}",
            called.message()
        );
        assert_eq!(
            called.report.outcome.failure().unwrap().kind,
            FailureKind::Init
        );
        assert!(called.log().contains("[ERROR]"), "{}", called.log());
        // The import system's frames are left out. The official client reports none for a failed import, and
        // the place of a syntax error; the log has the line in both cases.
        let body: Value = serde_json::from_str(&called.body()).unwrap();
        let stack = body["stackTrace"].as_array().unwrap();
        let (frame, in_log) = match error_type {
            "Runtime.ImportModuleError" => (None, "app.py\", line 1"),
            "Runtime.UserCodeSyntaxError" => (
                Some("app.py\" Line 1\n    def handler(:"),
                "app.py\" Line 1",
            ),
            "ZeroDivisionError" => (Some("app.py\", line 1"), "app.py\", line 1"),
            _ => (None, "Traceback"),
        };
        assert_eq!(stack.len(), usize::from(frame.is_some()), "{body}");
        if let Some(frame) = frame {
            assert!(stack[0].as_str().unwrap().contains(frame), "{body}");
        }
        assert!(called.log().contains(in_log), "{}", called.log());
        assert!(started.elapsed().as_secs() < 20);
    }
}

/// The default counts for every socket of the process that is made later, the client's included.
#[tokio::test]
async fn a_default_timeout_for_sockets_does_not_end_an_idle_instance() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let text = "import os, socket\n\
                socket.setdefaulttimeout(0.3)\n\
                def lambda_handler(event, context):\n    return os.getpid()\n";
    let pool = Pool::new(function(&folder, "app.py", text));
    let first = invoke(&pool, "{}").await.text();
    tokio::time::sleep(std::time::Duration::from_millis(900)).await;
    assert_eq!(invoke(&pool, "{}").await.text(), first);
}

#[tokio::test]
async fn a_handler_in_a_module_of_the_interpreter_is_refused() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    folder.file("time.py", "def run(event, context):\n    return 1\n");
    let program = Program::python(folder.path(), "time.run").unwrap();
    let called = invoke(&Pool::new(program), "{}").await;
    assert_eq!(called.error_type(), "Runtime.BuiltInModuleConflict");
    assert_eq!(
        called.message(),
        "Cannot use built-in module time as a handler module"
    );
}

#[tokio::test]
async fn handlers_have_slashes_dots_and_leading_dots() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    folder.file(
        "src/deep/app.py",
        "def run(event, context): return __name__\n",
    );
    for handler in [
        "src/deep/app.run",
        "./src/deep/app.run",
        "src.deep.app.run",
        "././src/deep/app.run",
    ] {
        let program = Program::python(folder.path(), handler).unwrap();
        let pool = Pool::new(program.init_timeout(std::time::Duration::from_secs(60)));
        let called = invoke(&pool, "{}").await;
        assert_eq!(
            called.text(),
            "\"src.deep.app\"",
            "{handler}: {}",
            called.body()
        );
    }
    for wrong in ["", "app", "./", "src/", "src/app", ".run"] {
        assert!(Program::python(folder.path(), wrong).is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn several_invocations_share_an_instance_up_to_the_limit() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let program = function(
        &folder,
        "app.py",
        "import threading, time\n\
         lock, now = threading.Lock(), 0\n\
         def handler(event, context):\n\
         \x20   global now\n\
         \x20   if event == 'exit': raise SystemExit(7)\n\
         \x20   with lock: now += 1\n\
         \x20   time.sleep(0.3)\n\
         \x20   seen = now\n\
         \x20   with lock: now -= 1\n\
         \x20   return seen\n",
    );
    let pool = Pool::new(program.concurrency(1).multi_concurrency(3).queue(3));
    invoke(&pool, "{}").await;
    let calls: Vec<_> = (0..6)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { invoke(&pool, "{}").await.text() })
        })
        .collect();
    let mut most = 0;
    for call in calls {
        most = most.max(call.await.unwrap().parse::<u32>().unwrap());
    }
    assert_eq!(most, 3);
    assert_eq!(pool.instances(), 1);
    for _ in 0..3 {
        let exited = invoke(&pool, "\"exit\"").await;
        assert!(
            exited.message().ends_with("exit status 7"),
            "{}",
            exited.message()
        );
    }
}

/// An exception whose `__str__` fails is still reported, and the process continues.
#[tokio::test]
async fn an_error_without_a_text_is_reported() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let text = "\
import os
class Mute(Exception):
    def __str__(self):
        raise RuntimeError('no text')
def handler(event, context):
    if event:
        raise Mute()
    return os.getpid()
";
    let pool = Pool::new(function(&folder, "app.py", text));
    let before = call(&pool, event("0")).await.text();
    let failed = call(&pool, event("1")).await;
    let failure = failed.report.outcome.failure().unwrap();
    assert_eq!(failure.kind, FailureKind::Function);
    assert_eq!(failure.error_type, "Mute");
    assert_eq!(failure.message, "<exception str() failed>");
    assert_eq!(call(&pool, event("0")).await.text(), before);
}

/// What a function prints without a line end is in the log of its own invocation, not of the next.
#[tokio::test]
async fn a_line_without_its_end_belongs_to_its_invocation() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let text = "\
import sys
def handler(event, context):
    print('out', event, end='')
    if event == 1: raise ValueError('no')
    if event == 2: return stream()
    if event == 3: context.log('logged')
def stream():
    sys.stderr.write('in the stream')
    yield 'x'
";
    let pool = Pool::new(function(&folder, "app.py", text).concurrency(1));
    for (payload, part) in [
        ("0", "out 0\n"),
        ("1", "out 1"),
        ("2", "in the stream"),
        ("3", "out 3logged\n"),
    ] {
        let log = invoke(&pool, payload).await.log();
        assert!(log.contains(part), "{payload}: {log:?}");
        assert_eq!(log.matches("out ").count(), 1, "{payload}: {log:?}");
    }
}

/// The root logger has a handler, as in the service, from the moment that `logging` is imported.
#[tokio::test]
async fn records_of_the_logging_module_are_lines_with_the_request_id() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    for text in [
        "import logging\n\
         logger = logging.getLogger('own')\n\
         logger.setLevel(logging.INFO)\n\
         def handler(event, context): logger.info('n is %d', event)\n",
        // In a thread, and imported by the first call only.
        "def handler(event, context):\n\
         \x20   import logging, threading\n\
         \x20   logging.getLogger().setLevel(logging.INFO)\n\
         \x20   thread = threading.Thread(target=logging.info, args=('n is %d', event))\n\
         \x20   thread.start(); thread.join()\n",
    ] {
        let folder = Folder::new();
        let pool = Pool::new(function(&folder, "app.py", text).concurrency(1));
        for payload in ["1", "2"] {
            let event = event(payload);
            let end = format!("Z\t{}\tn is {payload}\n", event.request_id);
            let log = call(&pool, event).await.log();
            assert!(
                log.starts_with("[INFO]\t20") && log.ends_with(&end),
                "{log:?}"
            );
            assert_eq!(log.lines().count(), 1, "{log:?}");
        }
    }
    // A module of the function with this name is left alone.
    let folder = Folder::new();
    folder.file("logging.py", "text = 'own'\n");
    let text = "import logging\ndef handler(event, context): return logging.text\n";
    let pool = Pool::new(function(&folder, "app.py", text));
    assert_eq!(invoke(&pool, "{}").await.text(), "\"own\"");
}

/// The variable that the runtime obeys and the number that the pool enforces are the same.
#[tokio::test]
async fn the_variable_for_concurrent_invocations_sets_their_number() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let text = "\
import os, time
def handler(event, context):
    time.sleep(event)
    return [os.getpid(), os.environ['AWS_LAMBDA_MAX_CONCURRENCY']]
";
    let program = function(&folder, "app.py", text).concurrency(1);
    let pool = Pool::new(program.env("AWS_LAMBDA_MAX_CONCURRENCY", "3").queue(30));
    let first = invoke(&pool, "0").await.text();
    assert!(first.ends_with(", \"3\"]"), "{first}");
    let calls: Vec<_> = (0..30)
        .map(|number| {
            let pool = pool.clone();
            let seconds = format!("0.0{}", number % 4);
            tokio::spawn(async move { invoke(&pool, &seconds).await.text() })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), first, "no process has ended");
    }
}

/// The official client writes JSON with `simplejson`.
#[tokio::test]
async fn results_are_written_as_by_the_official_client() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let text = "\
import collections, decimal, enum
D, P = decimal.Decimal, collections.namedtuple('P', 'x y')
class Color(str, enum.Enum): RED = 'red'
class Level(enum.IntEnum): HIGH = 2
circle = []
circle.append((circle, D(1)))
def handler(event, context): return eval(event)
";
    let pool = Pool::new(function(&folder, "app.py", text));
    for (result, expected) in [
        ("D(10)", "10"),
        ("{'a': D('1.10')}", r#"{"a": 1.10}"#),
        (
            "[D('0.12345678901234567890123456789')]",
            "[0.12345678901234567890123456789]",
        ),
        ("D('1E400')", "1E+400"),
        (
            "[D('NaN'), D('-sNaN'), D('-Infinity')]",
            "[NaN, NaN, -Infinity]",
        ),
        ("P(1, [P(2, D(3))])", r#"{"x": 1, "y": [{"x": 2, "y": 3}]}"#),
        ("[(P(1, 2),)]", r#"[[{"x": 1, "y": 2}]]"#),
        (
            "{'a': b'\\xc3\\xa9', b'b': [b'c']}",
            r#"{"a": "é", "b": ["c"]}"#,
        ),
        (
            "{1: D(1), None: 2, True: 1.5, 2.5: False}",
            r#"{"1": 1.5, "null": 2, "2.5": false}"#,
        ),
        (
            "[Color.RED, Level.HIGH, {Color.RED: D(1)}]",
            r#"["red", 2, {"red": 1}]"#,
        ),
        ("'\"\\\\\\n\u{fc}'", r#""\"\\\nü""#),
        (
            "{'a': (1, 2), 'b': {}, 'c': []}",
            r#"{"a": [1, 2], "b": {}, "c": []}"#,
        ),
        (
            "collections.OrderedDict(b=D(1), a=2)",
            r#"{"b": 1, "a": 2}"#,
        ),
        // As they are.
        ("b'{\"a\":1}'", r#"{"a":1}"#),
    ] {
        let called = invoke(&pool, &Value::from(result).to_string()).await;
        assert_eq!(called.text(), expected, "{result}: {}", called.message());
    }
    for (result, message) in [
        ("{1, 2}", "Object of type set is not JSON serializable"),
        ("[P(1, {3})]", "Object of type set is not JSON serializable"),
        (
            "{(1, 2): 3}",
            "keys must be str, int, float, bool or None, not tuple",
        ),
        (
            "bytearray(b'x')",
            "Object of type bytearray is not JSON serializable",
        ),
        ("circle", "Circular reference detected"),
        (
            "[b'\\xff']",
            "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        ),
    ] {
        let called = invoke(&pool, &Value::from(result).to_string()).await;
        assert_eq!(called.error_type(), "Runtime.MarshalError", "{result}");
        let expected = format!("Unable to marshal response: {message}");
        assert_eq!(called.message(), expected, "{result}");
    }
}

/// The type of an error is the name of its class, whatever its attributes are.
#[tokio::test]
async fn an_error_keeps_the_name_of_its_class() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let text = "\
class Own(Exception):
    def __init__(self, error_type): self.error_type = error_type
Odd = type('O\\r\\nd \u{e9}', (Exception,), {})
if EARLY: raise Odd()
def handler(event, context):
    if event == 'odd': raise Odd()
    if event == 'stream': return stream()
    raise Own(event)
def stream():
    raise Odd()
    yield
";
    let pool = Pool::new(function(&folder, "app.py", &text.replace("EARLY", "False")));
    for event in ["\"Other\"", "5", "[1]", "null"] {
        assert_eq!(invoke(&pool, event).await.error_type(), "Own", "{event}");
    }
    let odd = "O\r\nd \u{e9}";
    for event in ["\"odd\"", "\"stream\""] {
        let called = invoke(&pool, event).await;
        assert_eq!(called.error_type(), odd, "{event}: {}", called.message());
    }
    let early = Folder::new();
    let pool = Pool::new(function(&early, "app.py", &text.replace("EARLY", "True")));
    assert_eq!(invoke(&pool, "1").await.error_type(), odd);
}

/// One task runs an asynchronous generator from its beginning to its end.
#[tokio::test]
async fn an_asynchronous_generator_keeps_its_task_and_its_context() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let text = "\
import asyncio, contextvars
variable = contextvars.ContextVar('variable', default='lost')
async def handler(event, context):
    try:
        token = variable.set('kept')
        task = asyncio.current_task()
        asyncio.get_running_loop().call_later(0.05, task.cancel)
        yield variable.get()
        yield str(task is asyncio.current_task())
        variable.reset(token)
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            yield 'canceled'
    finally:
        await asyncio.sleep(0)
        print('closed')
";
    let pool = Pool::new(function(&folder, "app.py", text).concurrency(1));
    let called = invoke(&pool, "1").await;
    assert_eq!(
        called.chunks.concat(),
        "keptTruecanceled",
        "{}",
        called.message()
    );
    assert_eq!(called.error_type(), "");
    assert_eq!(called.log(), "closed\n");
}

/// What a generator does at its end belongs to its invocation, even if a value of it cannot be written.
#[tokio::test]
async fn a_generator_is_closed_before_its_response_ends() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    for def in ["def", "async def"] {
        let folder = Folder::new();
        let text = "\
def handler(event, context):
    try:
        yield {event}
    finally:
        print('closed')
";
        let text = text.replacen("def", def, 1);
        let called = invoke(&Pool::new(function(&folder, "app.py", &text)), "1").await;
        assert_eq!(called.error_type(), "Runtime.MarshalError", "{def}");
        assert!(called.log().contains("closed\n"), "{def}: {}", called.log());
    }
}

/// Trailers are limited in bytes: a character can be twelve.
#[tokio::test]
async fn errors_of_any_size_keep_their_type() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let text = "\
Long = type('L' * 20_000, (Exception,), {})
def handler(event, context):
    raise {'wide': ValueError('\u{1f600}' * 5000), 'long': Long('m')}[event]
    yield
";
    let pool = Pool::new(function(&folder, "app.py", text).concurrency(1));
    let wide = invoke(&pool, "\"wide\"").await;
    assert_eq!(wide.error_type(), "ValueError");
    assert!(wide.message().starts_with('\u{1f600}'));
    assert_eq!(invoke(&pool, "\"long\"").await.error_type().len(), 20_000);
    assert_eq!(pool.instances(), 1);
}

/// Later versions of Python mark the failed part of a line; the official client leaves that out.
#[tokio::test]
async fn frames_have_no_marks() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let text = "def handler(event, context):\n    return 1 + {}[event]\n";
    let called = invoke(&Pool::new(function(&folder, "app.py", text)), "1").await;
    let body: Value = serde_json::from_str(&called.body()).unwrap();
    let path = folder.path().join("app.py");
    let frame = format!(
        "  File \"{}\", line 2, in handler\n    return 1 + {{}}[event]\n",
        path.display()
    );
    assert_eq!(body["stackTrace"], Value::from([frame]));
    assert!(!called.log().contains('^'), "{}", called.log());
}

#[tokio::test]
async fn a_client_context_has_what_was_sent() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let text = "\
def handler(event, context):
    sent = context.client_context
    if sent is None: return None
    return [sent.custom, sent.env, sent.client and [sent.client.app_title, sent.client.installation_id]]
";
    let pool = Pool::new(function(&folder, "app.py", text));
    for (sent, expected) in [
        (None, "null"),
        (Some("null"), "null"),
        (Some("{}"), "[null, null, null]"),
        (
            Some(r#"{"client":{"app_title":"t"},"env":{"a":1}}"#),
            r#"[null, {"a": 1}, ["t", null]]"#,
        ),
    ] {
        let event = match sent {
            Some(sent) => event("1").with_client_context(sent),
            None => event("1"),
        };
        assert_eq!(call(&pool, event).await.text(), expected, "{sent:?}");
    }
    let called = call(&pool, event("1").with_client_context("{")).await;
    assert_eq!(called.error_type(), "Runtime.LambdaContextUnmarshalError");
    let expected = "Unable to parse Client Context JSON: ";
    assert!(
        called.message().starts_with(expected),
        "{}",
        called.message()
    );
}

#[tokio::test]
async fn a_cancelled_task_fails_its_invocation_and_no_other() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let text = "\
import asyncio
async def handler(event, context):
    raise asyncio.CancelledError('no')
";
    let program = function(&folder, "app.py", text).concurrency(1);
    let pool = Pool::new(program.multi_concurrency(2));
    for _ in 0..5 {
        let failed = invoke(&pool, "1").await;
        assert_eq!(failed.error_type(), "CancelledError");
    }
}
