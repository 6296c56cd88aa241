//! Shared by the tests: functions in folders of their own, and calls that are read to their end.
#![allow(dead_code)]

pub(crate) mod tools;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lambda_invoke_runtime::{Event, Head, Pool, Program, Report};

static NEXT: AtomicU64 = AtomicU64::new(0);

/// A folder that is removed when it is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("lambda-invoke-runtime-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path.canonicalize().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.file(name, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A function that consists of one file. The pyenv shim of `python3` takes long to start, so
/// timeouts are long.
pub(crate) fn function(folder: &Folder, name: &str, text: &str) -> Program {
    let path = folder.file(name, text);
    Program::source(path)
        .unwrap()
        .timeout(Duration::from_secs(20))
        .init_timeout(Duration::from_secs(60))
}

pub(crate) struct Called {
    pub(crate) head: Head,
    pub(crate) chunks: Vec<String>,
    pub(crate) report: Report,
}

impl Called {
    pub(crate) fn text(&self) -> String {
        self.chunks.concat()
    }

    pub(crate) fn error_type(&self) -> &str {
        self.report
            .outcome
            .failure()
            .map_or("", |failure| &failure.error_type)
    }

    pub(crate) fn message(&self) -> &str {
        self.report
            .outcome
            .failure()
            .map_or("", |failure| &failure.message)
    }

    pub(crate) fn body(&self) -> String {
        let failure = self.report.outcome.failure();
        failure.map_or(String::new(), |failure| {
            String::from_utf8_lossy(&failure.body).into_owned()
        })
    }

    pub(crate) fn log(&self) -> String {
        self.report
            .log
            .iter()
            .map(|line| format!("{}\n", line.text))
            .collect()
    }
}

pub(crate) fn event(payload: &str) -> Event {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Event::new(format!("request-{number}"), payload.to_owned())
}

pub(crate) async fn call(pool: &Pool, event: Event) -> Called {
    let mut response = tokio::time::timeout(Duration::from_secs(90), pool.invoke(event))
        .await
        .expect("the invocation hangs")
        .unwrap();
    let head = response.head().clone();
    let mut chunks = Vec::new();
    while let Some(chunk) = response.chunk().await {
        chunks.push(String::from_utf8_lossy(&chunk).into_owned());
    }
    Called {
        head,
        chunks,
        report: response.finish().await,
    }
}

pub(crate) async fn invoke(pool: &Pool, payload: &str) -> Called {
    call(pool, event(payload)).await
}

/// Sends requests to the host's APIs.
const ASK: &str = r#"#!/usr/bin/env python3
import http.client, json, os, threading
def ask(method, path, body=None, headers={}):
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    api.request(method, path, body, headers)
    response = api.getresponse()
    return response, response.read()
def respond_with(result):
    while True:
        head, _ = ask("GET", "/2018-06-01/runtime/invocation/next")
        request = head.getheader("Lambda-Runtime-Aws-Request-Id")
        ask("POST", f"/2018-06-01/runtime/invocation/{request}/response", result(head))
"#;

/// A runtime in Python that sends its requests with `ask`, which returns the response and its body, or
/// responds to each event with `respond_with`, by the head of the event.
pub(crate) fn bootstrap(folder: &Folder, text: &str) -> Program {
    let script = folder.script("bootstrap", &format!("{ASK}{text}"));
    let program = Program::source(script).unwrap();
    program
        .timeout(Duration::from_secs(20))
        .init_timeout(Duration::from_secs(60))
        .concurrency(1)
}
