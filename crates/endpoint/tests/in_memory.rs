//! An endpoint in the same process, without a socket.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{Call, events, invoke_path, now, signer, soon, stream_path};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError, InMemory};
use lambda_invoke_sigv4::PayloadHash;
use tower_service::Service as _;

fn signed(path: &str, body: &'static str) -> Request<Full<Bytes>> {
    let request = Request::post(format!("http://lambda.local{path}"));
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    signer()
        .sign(&mut parts, &PayloadHash::of(body.as_bytes()), now())
        .unwrap();
    Request::from_parts(parts, Full::new(body.into()))
}

async fn send(memory: &InMemory, request: Request<Full<Bytes>>) -> (StatusCode, Bytes) {
    let response = soon(memory.clone().call(request)).await.unwrap();
    let status = response.status();
    let body = soon(response.into_body().collect()).await.unwrap();
    (status, body.to_bytes())
}

#[tokio::test]
async fn both_operations_are_served_and_signatures_are_verified() {
    let memory = Endpoint::builder().builtins().build().unwrap().in_memory();
    let (status, body) = send(&memory, signed(&invoke_path("echo"), "42")).await;
    assert_eq!((status.as_u16(), body.as_ref()), (200, b"42".as_ref()));
    let (status, body) = send(&memory, signed(&stream_path("count"), r#"{"n":3}"#)).await;
    assert_eq!(status, 200);
    assert_eq!(events(&body).len(), 4);
    let unsigned = Request::post(format!("http://x{}", invoke_path("echo")));
    let (status, _) = send(&memory, unsigned.body(Full::default()).unwrap()).await;
    assert_eq!(status, 403);
    assert_eq!(memory.endpoint().calls("echo").len(), 1);
}

#[tokio::test]
async fn a_truncated_response_is_an_error_of_the_body() {
    let fault = "echo: cut-at=1".parse().unwrap();
    let builder = Endpoint::builder().builtins().fault(fault);
    let mut memory = builder.build().unwrap().in_memory();
    let response = memory.call(signed(&invoke_path("echo"), "42")).await;
    assert!(response.unwrap().into_body().collect().await.is_err());
}

#[tokio::test]
async fn events_run_after_their_response_and_the_shutdown_waits_for_them() {
    let (report, mut reported) = tokio::sync::mpsc::unbounded_channel();
    let slow = Function::buffered("slow", move |_| {
        let report = report.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            report.send(()).unwrap();
            Ok::<_, FunctionError>("")
        }
    });
    let builder = Endpoint::builder().function(slow).verify(false);
    let memory = builder.build().unwrap().in_memory();
    let call = Call::invoke("slow", "{}").event();
    let mut request = Request::post(format!("http://x{}", call.path));
    for (name, value) in &call.headers {
        request = request.header(name, value);
    }
    let (status, _) = send(&memory, request.body(Full::new("{}".into())).unwrap()).await;
    assert_eq!(status, 202);
    soon(reported.recv()).await.unwrap();
    assert!(soon(memory.shutdown(Duration::from_secs(5))).await);
    let error = memory
        .clone()
        .call(signed(&invoke_path("slow"), "{}"))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "the endpoint has been shut down");
}

#[tokio::test]
async fn what_runs_is_dropped_with_the_last_clone() {
    struct Dropped(tokio::sync::mpsc::UnboundedSender<()>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let (report, mut reported) = tokio::sync::mpsc::unbounded_channel();
    let (started, mut starts) = tokio::sync::mpsc::unbounded_channel();
    let waits = Function::buffered("waits", move |_| {
        let held = Dropped(report.clone());
        started.send(()).unwrap();
        async move {
            let _held = held;
            std::future::pending::<Result<&str, FunctionError>>().await
        }
    });
    let mut memory = Endpoint::builder()
        .function(waits)
        .build()
        .unwrap()
        .in_memory();
    let call = memory.call(signed(&invoke_path("waits"), "{}"));
    let calling = tokio::spawn(call);
    soon(starts.recv()).await.unwrap();
    calling.abort();
    drop(memory);
    soon(reported.recv()).await.unwrap();
}
