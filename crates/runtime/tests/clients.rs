//! Other runtime clients: the official Python client, a shell script, and extensions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // It is a test.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_invoke_runtime::{Mode, Outcome, Pool, Program};
use support::{Folder, event, function, invoke};

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// A virtual environment with the official client, created once. `None` if pip cannot install it.
fn official() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("awslambdaric");
    if !folder.join("done").exists() {
        let python = folder.join("bin/python");
        let made = succeeds(Command::new("python3").args(["-m", "venv"]).arg(&folder))
            && succeeds(Command::new(python).args([
                "-m",
                "pip",
                "install",
                "-q",
                "awslambdaric==4.2.2",
            ]));
        if !made {
            return None;
        }
        std::fs::write(folder.join("done"), "").unwrap();
    }
    Some(folder)
}

#[tokio::test]
async fn the_official_python_client_is_used_where_it_is_installed() {
    if support::tools::lacks(&["python3", "bash", "curl"]) {
        return;
    }
    let Some(environment) = official() else {
        return support::tools::skip("awslambdaric cannot be installed here");
    };
    let folder = Folder::new();
    std::os::unix::fs::symlink(&environment, folder.path().join(".venv")).unwrap();
    let program = function(
        &folder,
        "app.py",
        "import sys\n\
         def handler(event, context):\n\
         \x20   print('a line')\n\
         \x20   if event == 'fail': raise ValueError('no')\n\
         \x20   if event == 'deep': deep(10)\n\
         \x20   return ['awslambdaric' in sys.modules, context.tenant_id, event]\n\
         sys.setrecursionlimit(4000)\n\
         def deep(n): other(n)\n\
         def other(n): deep(n)\n",
    );
    let pool = Pool::new(program.concurrency(1));
    let called = support::call(&pool, event("{\"n\": 1}")).await;
    assert_eq!(
        called.text(),
        "[true, null, {\"n\": 1}]",
        "{}",
        called.body()
    );
    assert!(called.log().contains("a line"), "{}", called.log());
    let failed = invoke(&pool, "\"fail\"").await;
    assert_eq!(
        (failed.error_type(), failed.message()),
        ("ValueError", "no")
    );
    assert!(failed.body().contains("stackTrace"));
    // The error's X-Ray header is long.
    let deep = invoke(&pool, "\"deep\"").await;
    assert_eq!(deep.error_type(), "RecursionError", "{}", deep.message());
    assert_eq!(pool.instances(), 1);
    let missing = Folder::new();
    std::os::unix::fs::symlink(&environment, missing.path().join(".venv")).unwrap();
    let pool = Pool::new(function(&missing, "app.py", "import nothing_like_it\n"));
    assert_eq!(
        invoke(&pool, "{}").await.error_type(),
        "Runtime.ImportModuleError"
    );
}

#[tokio::test]
async fn a_shell_script_with_curl_responds_and_streams() {
    if support::tools::lacks(&["python3", "bash", "curl"]) {
        return;
    }
    let folder = Folder::new();
    let path = folder.script(
        "bootstrap",
        r#"#!/bin/bash
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
# A busy machine starts a second instance in the same folder.
head=head-$$
while true; do
  event=$(curl -sS -D $head "$api/next") || exit 1
  id=$(grep -i '^lambda-runtime-aws-request-id:' $head | tr -d '\r' | cut -d' ' -f2)
  echo "got $event" >&2
  if [ "$event" = '"stream"' ]; then
    (echo one; while [ ! -e go ]; do sleep 0.02; done; echo two) | curl -sSN -o /dev/null -T - -X POST \
      -H 'Lambda-Runtime-Function-Response-Mode: streaming' -H 'Content-Type: text/plain' "$api/$id/response"
  else
    curl -sS -o /dev/null -d "$event" "$api/$id/response"
  fi
done
"#,
    );
    let program = Program::source(path)
        .unwrap()
        .timeout(Duration::from_secs(20));
    let pool = Pool::new(program.init_timeout(Duration::from_secs(20)));
    let called = invoke(&pool, "{\"a\": 1}").await;
    assert_eq!(called.text(), "{\"a\": 1}");
    assert_eq!(called.log(), "got {\"a\": 1}\n");
    let mut response = pool.invoke(event("\"stream\"")).await.unwrap();
    assert_eq!(response.head().mode, Mode::Streaming);
    assert_eq!(response.chunk().await.unwrap(), "one\n");
    folder.file("go", "");
    assert_eq!(response.chunk().await.unwrap(), "two\n");
    assert_eq!(response.finish().await.outcome, Outcome::Succeeded);
}

#[tokio::test]
async fn an_extension_that_never_asks_is_an_init_error_and_a_page_gets_no_event() {
    if support::tools::lacks(&["python3", "bash", "curl"]) {
        return;
    }
    let folder = Folder::new();
    let text = "import http.client, os\n\
        api = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'])\n\
        api.request('GET', '/2018-06-01/runtime/invocation/next', None, {'Origin': 'http://x'})\n\
        print(api.getresponse().status)\n\
        api = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'])\n\
        body = '{\"events\":[\"INVOKE\"]}'\n\
        api.request('POST', '/2020-01-01/extension/register', body, {'Lambda-Extension-Name': 'x'})\n\
        api.getresponse().read()\n\
        def handler(event, context): return 1\n";
    let program = function(&folder, "app.py", text).init_timeout(Duration::from_secs(10));
    let called = invoke(&Pool::new(program), "{}").await;
    assert_eq!(called.error_type(), "Sandbox.Timedout", "{}", called.text());
    assert_eq!(called.log(), "404\n");
}

const EXTENSION: &str = r#"
import http.client, json, os, signal, sys, threading, time
API = os.environ["AWS_LAMBDA_RUNTIME_API"]
def note(text):
    with open("notes", "a") as f: f.write(text + "\n")
def extension():
    conn = http.client.HTTPConnection(API)
    base = "/2020-01-01/extension/"
    conn.request("POST", base + "register", json.dumps({"events": ["INVOKE", "SHUTDOWN"]}), {"Lambda-Extension-Name": "own"})
    r = conn.getresponse()
    id = r.headers["Lambda-Extension-Identifier"]
    note("registered " + json.loads(r.read())["functionName"])
    started.set()
    while True:
        conn.request("GET", base + "event/next", None, {"Lambda-Extension-Identifier": id})
        event = json.loads(conn.getresponse().read())
        note(event["eventType"] + " " + event.get("requestId", event.get("shutdownReason", "")))
started = threading.Event()
if os.environ.get("EXTENSION"):
    threading.Thread(target=extension, daemon=True).start()
    started.wait()
def ended(*_):
    note("SIGTERM")
    time.sleep(0.3)
    sys.exit(0)
signal.signal(signal.SIGTERM, ended)
def handler(event, context): return 1
"#;

#[tokio::test]
async fn an_extension_hears_of_invocations_and_of_the_end() {
    if support::tools::lacks(&["python3", "bash", "curl"]) {
        return;
    }
    // On a busy machine, the extension may get too little of the time that both have to end.
    let mut notes = String::new();
    for _ in 0..10 {
        let folder = Folder::new();
        let program = function(&folder, "app.py", EXTENSION)
            .name("fn")
            .env("EXTENSION", "1");
        let pool = Pool::new(program);
        let event = event("{}");
        let id = event.request_id.clone();
        assert_eq!(support::call(&pool, event).await.text(), "1");
        assert_eq!(invoke(&pool, "{}").await.text(), "1");
        // Shut down immediately, while the extension may still be busy with the invocation.
        pool.shutdown().await;
        notes = std::fs::read_to_string(folder.path().join("notes")).unwrap();
        assert!(
            notes.starts_with(&format!("registered fn\nINVOKE {id}\n")),
            "{notes}"
        );
        if notes.contains("\nSHUTDOWN spindown\n") {
            break;
        }
    }
    let lines: Vec<_> = notes.lines().collect();
    assert!(
        lines.contains(&"SHUTDOWN spindown") && lines.contains(&"SIGTERM"),
        "{notes}"
    );

    // Without an extension, the runtime gets no SIGTERM.
    let folder = Folder::new();
    let pool = Pool::new(function(&folder, "app.py", EXTENSION));
    assert_eq!(invoke(&pool, "{}").await.text(), "1");
    pool.shutdown().await;
    assert!(!folder.path().join("notes").exists());
}

/// Asks for its next event when it hears that the instance ends.
const LATE: &str = r#"import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
base = "/2020-01-01/extension/"
own = ask("POST", base + "register", '{"events":["SHUTDOWN"]}', {"Lambda-Extension-Name": "own"})[0]
own = {"Lambda-Extension-Identifier": own.headers["Lambda-Extension-Identifier"]}
ends = threading.Event()
def extension():
    ask("GET", base + "event/next", None, own)
    ends.set()
threading.Thread(target=extension, daemon=True).start()
base = "/2018-06-01/runtime/invocation/"
id = ask("GET", base + "next")[0].headers["Lambda-Runtime-Aws-Request-Id"]
ask("POST", base + id + "/response", "1")
ends.wait()
print("asks", flush=True)
print("status", ask("GET", base + "next")[0].status, flush=True)
"#;

#[tokio::test]
async fn a_runtime_that_asks_while_it_is_ended_is_not_rejected() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    // On a busy machine, it may be killed before it asks.
    let mut last = Vec::new();
    for _ in 0..10 {
        let folder = Folder::new();
        let program = support::bootstrap(&folder, LATE);
        let lines = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&lines);
        let pool =
            Pool::new(program).on_log(move |line| seen.lock().unwrap().push(line.text.clone()));
        assert_eq!(invoke(&pool, "{}").await.text(), "1");
        pool.shutdown().await;
        last = std::mem::take(&mut *lines.lock().unwrap());
        assert!(
            last.iter().all(|line| !line.starts_with("status")),
            "{last:?}"
        );
        if !last.is_empty() {
            break;
        }
    }
    assert_eq!(last, ["asks"]);
}

/// Sends small pieces with Nagle's algorithm, as `lambda_runtime` does, and uses one connection for
/// all calls.
const NAGLE: &str = r#"#!/usr/bin/env python3
import os, socket, time
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
api = socket.create_connection((host, int(port)))
base = "/2018-06-01/runtime/invocation/"
def receive():
    data = b""
    while b"\r\n\r\n" not in data:
        data += api.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
    missing = int(headers["content-length"]) - len(body)
    while missing > 0:
        missing -= len(api.recv(missing))
    return headers
def chunk(text):
    return b"%x\r\n%b\r\n" % (len(text), text.encode())
while True:
    api.sendall(("GET %snext HTTP/1.1\r\nHost: x\r\n\r\n" % base).encode())
    id = receive()["lambda-runtime-aws-request-id"]
    head = "POST %s%s/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" % (base, id)
    head += "Lambda-Runtime-Function-Response-Mode: streaming\r\n\r\n"
    api.sendall(head.encode())
    api.sendall(chunk("first"))
    api.sendall(chunk(str(time.time_ns())))
    time.sleep(0.1)
    api.sendall(b"0\r\n\r\n")
    receive()
"#;

/// The kernel would delay its acknowledgment by 40 ms, and the runtime would hold its chunk back
/// until then.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_chunk_does_not_wait_for_a_delayed_acknowledgment() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let program = Program::source(folder.script("bootstrap", NAGLE)).unwrap();
    let program = program.timeout(Duration::from_secs(20));
    let pool = Pool::new(program.init_timeout(Duration::from_secs(60)));
    let mut delays = Vec::new();
    for _ in 0..10 {
        let mut response = pool.invoke(event("{}")).await.unwrap();
        assert_eq!(response.chunk().await.unwrap(), "first");
        let written = response.chunk().await.unwrap();
        let now = std::time::SystemTime::now();
        let now = now.duration_since(std::time::UNIX_EPOCH).unwrap();
        let written: u64 = std::str::from_utf8(&written).unwrap().parse().unwrap();
        delays.push(now.saturating_sub(Duration::from_nanos(written)));
        assert_eq!(response.finish().await.outcome, Outcome::Succeeded);
    }
    // On a busy machine, some chunks are late, and others are read after the delay anyway.
    delays.sort();
    assert!(delays[4] < Duration::from_millis(20), "{delays:?}");
}
