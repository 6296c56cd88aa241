//! The blocking client.

#![cfg(feature = "blocking")]
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

mod support;

use std::io::{BufRead as _, Read as _};
use std::thread;

use lambda_invoke::{ErrorKind, blocking};
use lambda_invoke_endpoint::{Endpoint, Fault, Function, FunctionError, Server};
use tokio::runtime::Runtime;

/// Starts an endpoint on a separate runtime.
fn endpoint(fault: Option<&str>) -> (Runtime, Server) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let lines = Function::streaming("lines", |_, mut writer| async move {
        writer.content_type("application/vnd.awslambda.http-integration-response");
        writer
            .write("{\"statusCode\":201}\0\0\0\0\0\0\0\0one\ntw")
            .await?;
        writer.write("o\nthree").await?;
        Ok::<_, FunctionError>(())
    });
    let mut builder = Endpoint::builder().builtins().function(lines);
    if let Some(fault) = fault {
        builder = builder.fault(fault.parse::<Fault>().unwrap());
    }
    let server = runtime.block_on(builder.bind_local()).unwrap();
    (runtime, server)
}

fn client_of(server: &Server) -> blocking::Client {
    blocking::Client::builder()
        .region("us-east-1")
        .credentials(support::credentials())
        .endpoint_url(server.url())
        .build()
        .unwrap()
}

#[test]
fn invokes_streams_and_reads() {
    let (_runtime, server) = endpoint(None);
    let client = client_of(&server);
    let reply = client.invoke("echo").payload_json("hi").send().unwrap();
    assert_eq!(reply.json::<String>().unwrap(), "hi");
    assert_eq!(client.stream("lines").dry_run().send().unwrap().status, 204);

    let mut stream = client.stream("lines").send().unwrap();
    let mut all = Vec::new();
    for piece in stream.by_ref() {
        all.extend_from_slice(&piece.unwrap());
    }
    assert!(all.ends_with(b"one\ntwo\nthree"));
    assert!(stream.completion().unwrap().outcome() == lambda_invoke::Outcome::NotReported);

    let http = client.stream("lines").send().unwrap().into_http().unwrap();
    assert_eq!(http.status(), 201);
    let lines: Vec<String> = http.into_reader().lines().map(Result::unwrap).collect();
    assert_eq!(lines, ["one", "two", "three"]);

    let collected = client
        .stream("lines")
        .send()
        .unwrap()
        .collect_all()
        .unwrap();
    assert_eq!(collected.chunks().count(), 2);
}

#[test]
fn a_truncated_stream_is_an_error_of_the_reader_and_stays_one() {
    let (_runtime, server) = endpoint(Some("*: no-complete"));
    let mut reader = client_of(&server)
        .stream("lines")
        .send()
        .unwrap()
        .into_reader();
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    assert!(reader.read(&mut [0; 1]).is_err());
    let error = client_of(&server)
        .stream("lines")
        .send()
        .unwrap()
        .collect_all()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Truncated);
}

#[test]
fn many_threads_share_a_client() {
    let (_runtime, server) = endpoint(None);
    let client = client_of(&server);
    thread::scope(|scope| {
        for number in 0..8 {
            let client = client.clone();
            scope.spawn(move || {
                for _ in 0..10 {
                    let reply = client.invoke("echo").payload_json(&number).send().unwrap();
                    assert_eq!(reply.json::<i32>().unwrap(), number);
                }
            });
        }
    });
}

#[test]
fn does_not_panic_within_a_runtime() {
    let (_runtime, server) = endpoint(None);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let client = client_of(&server);
        // More calls than a task has units of its budget.
        for _ in 0..300 {
            let reply = client.invoke("echo").payload("1").send().unwrap();
            assert_eq!(reply.payload(), "1");
        }
        let stream = client.stream("lines").send().unwrap();
        drop(client);
        // The stream keeps alive what it needs.
        assert!(stream.collect_all().is_ok());
    });
}

#[test]
fn a_connection_that_the_server_has_closed_is_not_used() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let server = runtime.block_on(support::Server::start(|_, _| {
        let response = support::response("200 OK", &[], "{}");
        vec![support::Step::Write(response), support::Step::Close]
    }));
    let client = blocking::Client::new(server.client()).unwrap();
    for _ in 0..5 {
        // A request on the closed connection could be lost, and could then not be sent again.
        assert_eq!(client.invoke("f").send().unwrap().attempts(), 1);
        thread::sleep(std::time::Duration::from_millis(30));
    }
    assert_eq!(server.connections(), 5);
}
