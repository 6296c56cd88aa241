//! Functions in folders of their own, and calls of them.

#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "test support")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use lambda_invoke_runtime::{Event, Failure, Outcome, Pool, Program, Report};

/// A folder that is removed at the end of a test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("lambda-invoke-runtime-{}-{number}", std::process::id());
        let path = std::env::temp_dir().canonicalize().unwrap().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a source file and makes its program, which uses the embedded runtime client.
    pub(crate) fn source(&self, name: &str, text: &str) -> Program {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        Program::source(&path)
            .unwrap()
            .env("LAMBDA_INVOKE_BOOTSTRAP", "embedded")
    }

    /// Writes a Python program that speaks the Runtime API by itself, with helpers.
    pub(crate) fn custom(&self, text: &str) -> Program {
        let path = self.0.join("bootstrap.py");
        std::fs::write(&path, format!("{CLIENT}\n{text}")).unwrap();
        Program::command(["python3".into(), "-u".into(), path.into_os_string()])
            .unwrap()
            .root(&self.0)
            .name("custom")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What custom runtimes of tests share.
const CLIENT: &str = r#"
import http.client, json, os, socket, subprocess, sys, time
host = os.environ["AWS_LAMBDA_RUNTIME_API"]
def call(method, path, body=None, headers={}):
    connection = http.client.HTTPConnection(host)
    connection.request(method, "/2018-06-01/runtime" + path, body, headers)
    response = connection.getresponse()
    return response.status, response.headers, response.read()
def next():
    status, headers, body = call("GET", "/invocation/next")
    return headers["Lambda-Runtime-Aws-Request-Id"], body, headers
def respond(id, body, headers={}):
    return call("POST", "/invocation/%s/response" % id, body, headers)
def raw(text):
    name, port = host.split(":")
    connection = socket.create_connection((name, int(port)))
    connection.sendall(text if isinstance(text, bytes) else text.encode())
    return connection
def loop(handler):
    while True:
        id, body, headers = next()
        respond(id, handler(body))
"#;

pub(crate) fn event(id: &str, payload: &str) -> Event {
    Event::new(id, payload.to_owned())
}

/// Calls a function and receives its whole response.
pub(crate) async fn call(pool: &Pool, event: Event) -> (Vec<u8>, Report) {
    let mut response = match pool.invoke(event).await {
        Ok(response) => response,
        Err(error) => panic!("{error}"),
    };
    let mut all = Vec::new();
    while let Some(chunk) = response.chunk().await {
        all.extend_from_slice(&chunk);
    }
    (all, response.finish().await)
}

/// Calls a function that must fail, before its response or in it.
pub(crate) async fn failure(pool: &Pool, event: Event) -> Failure {
    let report = match pool.invoke(event).await {
        Ok(response) => response.finish().await,
        Err(lambda_invoke_runtime::InvokeError::Failed(report)) => *report,
        Err(error) => panic!("{error}"),
    };
    match report.outcome {
        Outcome::Failed(failure) => failure,
        Outcome::Succeeded => panic!("succeeded"),
    }
}

pub(crate) fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}
