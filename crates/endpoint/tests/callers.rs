//! Callers that disconnect or stop reading: the function is drained or its writes fail, it ends,
//! and it releases its concurrency. The functions here have a concurrency of 1, so that the next
//! call shows whether it was released.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Call, Client, invoke_path, soon, stream_path};
use lambda_invoke_endpoint::{
    Endpoint, EndpointBuilder, Function, FunctionError, Server, WriteError,
};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{Notify, Semaphore, mpsc};

const MIB: usize = 1 << 20;

/// Reports the progress of a streaming function, and controls its writes.
struct Writing {
    progress: mpsc::UnboundedReceiver<Progress>,
    gate: Arc<Semaphore>,
    /// Notified when the endpoint knows that the caller has disconnected.
    left: Arc<Notify>,
}

#[derive(Debug, PartialEq, Eq)]
enum Progress {
    Started,
    Wrote(Result<(), WriteError>),
    Ended,
}

impl Writing {
    async fn next(&mut self) -> Option<Progress> {
        soon(self.progress.recv()).await
    }

    /// Lets the function write until a write fails because the caller has disconnected.
    async fn fails_to_write(&mut self) {
        let mut progress = None;
        while progress != Some(Progress::Wrote(Err(WriteError::CallerGone))) {
            self.gate.add_permits(1);
            progress = self.next().await;
        }
        self.gate.close();
    }
}

/// Creates a function that writes a chunk for each permit of its gate, and ignores failed writes.
fn writing(chunk: usize) -> (Function, Writing) {
    let (report, progress) = mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(0));
    let left = Arc::new(Notify::new());
    let (held, leave) = (Arc::clone(&gate), Arc::clone(&left));
    let function = Function::streaming("f", move |invocation, mut writer| {
        let (report, gate, leave) = (report.clone(), Arc::clone(&held), Arc::clone(&leave));
        tokio::spawn(async move {
            invocation.caller_gone().await;
            leave.notify_one();
        });
        async move {
            let _ = report.send(Progress::Started);
            while let Ok(permit) = gate.acquire().await {
                permit.forget();
                let _ = report.send(Progress::Wrote(writer.write(vec![b'x'; chunk]).await));
            }
            let _ = report.send(Progress::Ended);
            Ok::<_, FunctionError>(())
        }
    });
    (
        function.concurrency(1),
        Writing {
            progress,
            gate,
            left,
        },
    )
}

async fn serve(builder: EndpointBuilder) -> Server {
    builder.verify(false).bind_local().await.unwrap()
}

async fn send(server: &Server, path: &str, version: &str) -> Client {
    let mut client = Client::to(server).await;
    let (length, host) = ("content-length: 2", server.local_addr());
    let request = format!("POST {path} {version}\r\nhost: {host}\r\n{length}\r\n\r\n{{}}");
    client.stream.write_all(request.as_bytes()).await.unwrap();
    client
}

/// Checks that the next call is not throttled, and that nothing is still running when the endpoint
/// ends.
async fn is_free(server: Server) {
    soon(async {
        let call = Call::invoke("f", "{}");
        while Client::to(&server).await.call(&call).await.status() == 429 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    assert!(soon(server.shutdown(Duration::from_secs(600))).await);
}

#[tokio::test]
async fn a_streaming_function_is_drained_when_the_caller_of_invoke_disconnects() {
    for version in ["HTTP/1.1", "HTTP/1.0"] {
        let (function, mut writing) = writing(10);
        let server = serve(Endpoint::builder().function(function)).await;
        let client = send(&server, &invoke_path("f"), version).await;
        writing.gate.add_permits(1);
        assert_eq!(writing.next().await, Some(Progress::Started));
        assert_eq!(writing.next().await, Some(Progress::Wrote(Ok(()))));
        drop(client);
        soon(writing.left.notified()).await;
        writing.gate.add_permits(100);
        for _ in 0..100 {
            assert_eq!(writing.next().await, Some(Progress::Wrote(Ok(()))));
        }
        writing.gate.close();
        assert_eq!(writing.next().await, Some(Progress::Ended));
        is_free(server).await;
    }
}

#[tokio::test]
async fn writes_fail_when_the_caller_disconnects_before_the_head() {
    for version in ["HTTP/1.1", "HTTP/1.0"] {
        let (function, mut writing) = writing(10);
        let server = serve(Endpoint::builder().function(function)).await;
        let client = send(&server, &stream_path("f"), version).await;
        let full = Call::invoke("f", "{}");
        soon(async { while Client::to(&server).await.call(&full).await.status() != 429 {} }).await;
        drop(client);
        soon(writing.left.notified()).await;
        writing.fails_to_write().await;
        is_free(server).await;
    }
}

#[tokio::test]
async fn writes_fail_when_the_caller_disconnects_in_mid_stream_or_while_it_reads_nothing() {
    for (chunk, chunks) in [(10, 2), (MIB, 64)] {
        for version in ["HTTP/1.1", "HTTP/1.0"] {
            let (function, mut writing) = writing(chunk);
            let server = serve(Endpoint::builder().function(function)).await;
            let client = send(&server, &stream_path("f"), version).await;
            writing.gate.add_permits(1);
            assert_eq!(writing.next().await, Some(Progress::Started));
            assert_eq!(writing.next().await, Some(Progress::Wrote(Ok(()))));
            writing.gate.add_permits(chunks);
            if chunk == MIB {
                // Write until the operating system's buffers are full.
                let quiet = Duration::from_millis(200);
                while let Ok(progress) = tokio::time::timeout(quiet, writing.progress.recv()).await
                {
                    assert_eq!(progress, Some(Progress::Wrote(Ok(()))));
                }
            }
            drop(client);
            writing.fails_to_write().await;
            is_free(server).await;
        }
    }
}

#[tokio::test]
async fn a_timeout_applies_while_the_caller_reads_nothing() {
    for fault in [
        None,
        Some("f: reset-at=1000000000"),
        Some("f: cut-at=20000000"),
    ] {
        let (function, mut writing) = writing(32 * MIB);
        let function = function.timeout(Duration::from_millis(300));
        let faults = fault.map(|fault| fault.parse().unwrap());
        let server = serve(Endpoint::builder().function(function).faults(faults)).await;
        writing.gate.add_permits(10);
        let client = send(&server, &stream_path("f"), "HTTP/1.1").await;
        assert_eq!(writing.next().await, Some(Progress::Started));
        writing.gate.close();
        // The concurrency is released although the caller is still connected.
        let call = Call::invoke("f", "{}");
        soon(async {
            while Client::to(&server).await.call(&call).await.status() == 429 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
        // The first invocation timed out; the second one returned.
        assert_eq!(writing.next().await, Some(Progress::Started), "{fault:?}");
        assert_eq!(writing.next().await, Some(Progress::Ended));
        drop(client);
        is_free(server).await;
    }
}

#[tokio::test]
async fn a_function_that_only_writes_times_out_and_lets_others_run() {
    let endless = Function::streaming("endless", |_, mut writer| async move {
        loop {
            // Ignores failed writes.
            let _ = writer.write("x").await;
        }
        #[allow(unreachable_code)]
        Ok::<_, FunctionError>(())
    });
    let endless = endless.timeout(Duration::from_millis(300)).concurrency(1);
    let server = serve(Endpoint::builder().builtins().function(endless)).await;
    let mut other = Client::to(&server).await;
    // The same function, called as an event.
    let event = Call::invoke("endless", "{}").event();
    assert_eq!(Client::to(&server).await.call(&event).await.status(), 202);
    soon(async {
        while server.event_counters().failed == 0 {
            assert_eq!(other.call(&Call::invoke("echo", "1")).await.text(), "1");
        }
    })
    .await;
    // The same function, called by a buffered Invoke whose caller disconnects.
    let client = send(&server, &invoke_path("endless"), "HTTP/1.1").await;
    let call = Call::invoke("endless", "{}");
    soon(async { while other.call(&call).await.status() != 429 {} }).await;
    drop(client);
    soon(async { while other.call(&call).await.status() == 429 {} }).await;
    drop(other);
    assert!(soon(server.shutdown(Duration::from_secs(600))).await);
}

#[tokio::test]
async fn writes_fail_in_a_task_that_outlives_its_function() {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let function = Function::streaming("f", move |_, mut writer| {
        let sender = sender.clone();
        async move {
            writer.start();
            tokio::spawn(async move {
                while writer.write("x").await.is_ok() {}
                let _ = sender.send(writer.is_caller_gone());
            });
            Ok::<_, FunctionError>(())
        }
    });
    let server = serve(Endpoint::builder().function(function)).await;
    let mut client = Client::to(&server).await;
    for call in [
        Call::invoke("f", "{}"),
        Call::stream("f", "{}"),
        Call::invoke("f", "{}").event(),
    ] {
        client.call(&call).await;
        assert_eq!(soon(receiver.recv()).await, Some(true), "{call:?}");
    }
}

#[tokio::test]
async fn writes_fail_when_a_fault_ends_the_stream() {
    for fault in [
        "cut-at=20",
        "reset-at=20",
        "end-at=20",
        "exception=E after=1",
    ] {
        let (function, mut writing) = writing(100);
        let fault = format!("f: {fault} times=1").parse().unwrap();
        let builder = Endpoint::builder().function(function).fault(fault);
        let server = serve(builder).await;
        let _client = send(&server, &stream_path("f"), "HTTP/1.1").await;
        writing.fails_to_write().await;
        is_free(server).await;
    }
}

#[tokio::test]
async fn a_function_that_ignores_the_response_limit_runs_to_its_end() {
    for path in [invoke_path("f"), stream_path("f")] {
        let (function, mut writing) = writing(100);
        let builder = Endpoint::builder()
            .function(function)
            .max_buffered_bytes(150)
            .max_stream_bytes(Some(150));
        let server = serve(builder).await;
        let mut client = send(&server, &path, "HTTP/1.1").await;
        writing.gate.add_permits(3);
        assert_eq!(writing.next().await, Some(Progress::Started));
        let too_large = Some(Progress::Wrote(Err(WriteError::TooLarge { limit: 150 })));
        assert_eq!(writing.next().await, Some(Progress::Wrote(Ok(()))));
        for _ in 0..2 {
            assert_eq!(writing.next().await, too_large);
        }
        writing.gate.close();
        assert_eq!(soon(client.response()).await.unwrap().status(), 200);
        drop(client);
        is_free(server).await;
    }
}

#[tokio::test]
async fn a_function_without_caller_is_dropped_when_the_grace_period_is_over() {
    let (function, mut writing) = writing(10);
    let server = serve(Endpoint::builder().function(function)).await;
    let client = send(&server, &invoke_path("f"), "HTTP/1.1").await;
    writing.gate.add_permits(1);
    assert_eq!(writing.next().await, Some(Progress::Started));
    assert_eq!(writing.next().await, Some(Progress::Wrote(Ok(()))));
    drop(client);
    soon(writing.left.notified()).await;
    assert!(!soon(server.shutdown(Duration::from_millis(50))).await);
    assert_eq!(writing.next().await, None, "the function was not dropped");
}

#[tokio::test]
async fn a_dry_run_uses_no_concurrency() {
    let (function, _) = writing(10);
    let server = serve(Endpoint::builder().function(function)).await;
    let mut client = Client::to(&server).await;
    for call in [Call::invoke("f", "{}"), Call::stream("f", "{}")] {
        let call = call.header("x-amz-invocation-type", "DryRun");
        assert!(client.call(&call).await.status().is_success());
    }
    assert!(soon(server.shutdown(Duration::from_secs(600))).await);
}
