//! Connections: keep-alive, pipelining and shutdown; and settings that are rejected when the
//! endpoint is built.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Call, Client, events, invoke_path, now, serve, signer, soon};
use lambda_invoke_endpoint::{
    AccessKey, BuildError, DeadLetter, Endpoint, EventSettings, Fault, FaultKind, Function,
    FunctionError,
};
use lambda_invoke_protocol::StreamEvent;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};

/// Creates a function that streams a chunk for each permit of its gate.
fn gated(chunks: usize) -> (Function, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let function = Function::streaming("gated", move |_, mut writer| {
        let gate = Arc::clone(&held);
        async move {
            for _ in 0..chunks {
                gate.acquire().await?.forget();
                writer.write("chunk").await?;
            }
            Ok::<_, FunctionError>(())
        }
    });
    (function, gate)
}

#[tokio::test]
async fn one_connection_serves_many_requests_of_every_kind() {
    let (_server, mut client) = serve(Endpoint::builder().builtins()).await;
    for n in 0..20 {
        assert_eq!(
            client
                .call(&Call::invoke("echo", n.to_string()))
                .await
                .text(),
            n.to_string()
        );
        let (words, _) = client
            .call(&Call::stream("count", r#"{"n":2}"#))
            .await
            .streamed();
        assert_eq!(words, ["1\n", "2\n"]);
        assert_eq!(
            client.call(&Call::invoke("nobody", "1")).await.status(),
            404
        );
    }
}

#[tokio::test]
async fn pipelined_requests_get_responses_in_order() {
    let (_server, mut client) = serve(Endpoint::builder().builtins()).await;
    client.send(&Call::invoke("echo", "1")).await;
    client.send(&Call::stream("echo", "2")).await;
    client.send(&Call::invoke("echo", "3")).await;
    assert_eq!(soon(client.response()).await.unwrap().text(), "1");
    assert_eq!(soon(client.response()).await.unwrap().streamed().0, ["2"]);
    assert_eq!(soon(client.response()).await.unwrap().text(), "3");
}

#[tokio::test]
async fn a_graceful_shutdown_waits_for_a_running_stream_and_accepts_no_more() {
    let (function, gate) = gated(2);
    let server = Endpoint::builder()
        .function(function)
        .bind_local()
        .await
        .unwrap();
    let address = server.local_addr();
    let (mut streaming, mut idle) = (Client::to(&server).await, Client::to(&server).await);
    assert_eq!(idle.call(&Call::invoke("nobody", "1")).await.status(), 404);
    gate.add_permits(1);
    streaming.send(&Call::stream("gated", "{}")).await;
    soon(streaming.head()).await.unwrap();
    soon(streaming.chunk()).await.unwrap();

    let ended = tokio::spawn(server.shutdown(Duration::from_secs(60)));
    // An idle connection is closed at once, and new ones are not accepted.
    assert!(soon(idle.is_closed()).await);
    soon(async { while TcpStream::connect(address).await.is_ok() {} }).await;
    assert!(!ended.is_finished());
    gate.add_permits(1);
    let mut rest = Vec::new();
    while let Some(chunk) = soon(streaming.chunk()).await.unwrap() {
        rest.extend_from_slice(&chunk);
    }
    assert!(matches!(
        events(&rest)[..],
        [StreamEvent::PayloadChunk(_), StreamEvent::InvokeComplete(_)]
    ));
    assert!(soon(streaming.is_closed()).await);
    assert!(soon(ended).await.unwrap());
}

#[tokio::test]
async fn a_graceful_shutdown_closes_connections_without_a_request_in_flight_at_once() {
    let server = Endpoint::builder().builtins().bind_local().await.unwrap();
    let request = Call::invoke("echo", "1").written();
    let head = request.len() - 1;
    let mut clients = Vec::new();
    for sent in [0, 1, 20, head - 2] {
        // As the first request of its connection, and after another one.
        for before in [false, true] {
            let mut client = Client::to(&server).await;
            if before {
                assert_eq!(client.call(&Call::invoke("echo", "1")).await.status(), 200);
            }
            client.stream.write_all(&request[..sent]).await.unwrap();
            clients.push(client);
        }
    }
    // The bytes have arrived by the time a later connection is served.
    let mut later = Client::to(&server).await;
    assert_eq!(later.call(&Call::invoke("echo", "1")).await.status(), 200);
    assert!(soon(server.shutdown(Duration::from_secs(600))).await);
    for mut client in clients {
        assert!(soon(client.is_closed()).await);
    }
}

#[tokio::test]
async fn a_graceful_shutdown_waits_for_a_body_that_is_still_arriving() {
    let (server, mut client) = serve(Endpoint::builder().builtins()).await;
    let request = Call::invoke("echo", "[1,2,3]").signed(client.address, &signer(), now());
    let (first, rest) = request.split_at(request.len() - 3);
    client.stream.write_all(first).await.unwrap();
    let mut later = Client::to(&server).await;
    assert_eq!(later.call(&Call::invoke("echo", "1")).await.status(), 200);
    let ended = tokio::spawn(server.shutdown(Duration::from_secs(600)));
    assert!(soon(later.is_closed()).await);
    client.stream.write_all(rest).await.unwrap();
    assert_eq!(soon(client.response()).await.unwrap().text(), "[1,2,3]");
    assert!(soon(ended).await.unwrap());
}

#[tokio::test]
async fn a_graceful_shutdown_waits_until_the_last_byte_of_a_response_is_read() {
    const SIZE: usize = 6_000_000;
    let large = Function::buffered("large", |_| async {
        Ok::<_, FunctionError>(vec![b'1'; SIZE])
    });
    let (server, mut client) = serve(Endpoint::builder().function(large)).await;
    client.send(&Call::invoke("large", "1")).await;
    let head = soon(client.head()).await.unwrap();
    let mut idle = Client::to(&server).await;
    assert_eq!(idle.call(&Call::invoke("nobody", "1")).await.status(), 404);
    let ended = tokio::spawn(server.shutdown(Duration::from_secs(600)));
    assert!(soon(idle.is_closed()).await);
    assert_eq!(soon(client.body(&head)).await.unwrap().len(), SIZE);
    assert!(soon(ended).await.unwrap());
}

#[tokio::test]
async fn a_graceful_shutdown_has_a_grace_period() {
    let (function, gate) = gated(2);
    let (server, mut client) = serve(Endpoint::builder().function(function)).await;
    gate.add_permits(1);
    client.send(&Call::stream("gated", "{}")).await;
    soon(client.head()).await.unwrap();
    assert!(!soon(server.shutdown(Duration::from_millis(10))).await);
    let (_, _) = soon(client.rest()).await;
}

#[tokio::test]
async fn the_shutdown_waits_for_a_function_without_caller() {
    let (sender, mut receiver) = mpsc::channel(1);
    let function = Function::buffered("f", move |invocation| {
        let sender = sender.clone();
        async move {
            sender.send(()).await?;
            invocation.caller_gone().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            sender.send(()).await?;
            Ok::<_, FunctionError>("")
        }
    });
    let (server, mut client) = serve(Endpoint::builder().function(function)).await;
    client.send(&Call::invoke("f", "1")).await;
    soon(receiver.recv()).await.unwrap();
    drop(client);
    assert!(soon(server.shutdown(Duration::from_secs(10))).await);
    assert!(
        receiver.try_recv().is_ok(),
        "the function has ended before the endpoint"
    );
}

#[tokio::test]
async fn a_dropped_server_serves_nobody() {
    let (server, mut client) = serve(Endpoint::builder().builtins()).await;
    assert_eq!(client.call(&Call::invoke("echo", "1")).await.status(), 200);
    drop(server);
    assert!(soon(client.is_closed()).await);
}

#[tokio::test]
async fn rejects_invalid_settings() {
    let function = || Function::buffered("f", |_| async { Ok::<_, FunctionError>("") });
    let named = |name: &str| Function::buffered(name, |_| async { Ok::<_, FunctionError>("") });
    let builder = Endpoint::builder;
    let letters = || EventSettings::default().dead_letter(DeadLetter::Function("g".to_owned()));
    let key = |text: &str| text.parse::<AccessKey>().unwrap();
    for (built, says) in [
        (
            builder().functions([function(), function()]),
            "two functions called 'f'",
        ),
        (
            builder().function(named("a b")),
            "'a b' is not a function name",
        ),
        (
            builder().function(named("f:live")),
            "'f:live' is not a function name",
        ),
        (
            builder().function(named(&"x".repeat(65))),
            "is not a function name",
        ),
        (
            builder().function(function().alias("7", 1)),
            "'7' is not an alias",
        ),
        (
            builder().alias("g", "live", 1),
            "no function 'g' for the alias",
        ),
        (
            builder().function(function()).events(letters()),
            "no function 'g' for the dead letters",
        ),
        (
            builder().function(function().alias("live", 1).alias("live", 2)),
            "'live' of the function 'f' is defined twice",
        ),
        (
            builder()
                .function(function().alias("live", 1))
                .alias("f", "live", 2),
            "'live' of the function 'f' is defined twice",
        ),
        (
            builder().function(
                function()
                    .version_of(1, named("g"))
                    .version_of(1, named("h")),
            ),
            "'1' of the function 'f' is defined twice",
        ),
        (
            builder().function(function().version(0)),
            "versions start at 1",
        ),
        (
            builder()
                .function(named("g").concurrency(0))
                .events(letters()),
            "the dead-letter function 'g' can never run",
        ),
        (
            builder().access_key(key("a:one")).access_key(key("a:two")),
            "the access key 'a' has different secrets",
        ),
        (
            builder()
                .access_key(key("a:one:f"))
                .access_key(key("b:x"))
                .access_key(key("a:two:g")),
            "the access key 'a' has different secrets",
        ),
        (
            builder().verify(false).access_key(key("a:one")),
            "access keys have no effect if signatures are not verified",
        ),
        (
            builder().builtins().fault("helo: twice".parse().unwrap()),
            "the fault rule 'helo: twice' matches none of the functions, which are count, echo,",
        ),
        (
            builder().fault("h*: twice".parse().unwrap()),
            "the fault rule 'h*: twice' matches no function: the endpoint has none",
        ),
        (
            builder().builtins().fault(Fault::new(FaultKind::Exception {
                code: "E".repeat(70_000),
                message: String::new(),
                after: None,
            })),
            "a fault rule for '*' is invalid: it cannot be sent",
        ),
        (
            builder()
                .builtins()
                .fault(Fault::new(FaultKind::FlipAt { byte: 0, bit: 8 })),
            "bit must be from 0 to 7",
        ),
        (builder().region("over here"), "'over here' is not a region"),
        (builder().account("12"), "'12' is not an account"),
    ] {
        let error = built.build().expect_err(says).to_string();
        assert!(error.contains(says), "{says}: {error}");
    }
    let taken = builder().bind_local().await.unwrap();
    let again = builder().bind(taken.local_addr()).await;
    assert!(matches!(again, Err(BuildError::Bind(_))));
}

#[tokio::test]
async fn localhost_is_served_on_both_loopback_addresses_until_the_shutdown() {
    let server = Endpoint::builder()
        .builtins()
        .bind_localhost(0)
        .await
        .unwrap();
    let addresses = server.local_addrs().to_vec();
    assert_eq!(addresses[0], server.local_addr());
    assert_eq!(server.url(), format!("http://{}", addresses[0]));
    for address in &addresses {
        let mut client = Client::connect(*address).await;
        let response = client.call(&Call::invoke("echo", "42")).await;
        assert_eq!(response.text(), "42");
    }
    assert!(soon(server.shutdown(Duration::from_secs(5))).await);
    for address in addresses {
        assert!(TcpStream::connect(address).await.is_err());
    }
}

/// A caller that writes its whole request before it reads would see a broken connection instead.
#[tokio::test]
async fn a_rejection_is_read_after_a_large_body_was_written() {
    let builder = Endpoint::builder().builtins().console(true);
    let server = builder.bind_local().await.unwrap();
    let zip = vec![b'z'; 16 << 20];
    for (path, origin, status) in [
        ("/2015-03-31/functions", None, 501),
        ("/nowhere", None, 404),
        ("/health", None, 404),
        ("/url/nobody/", None, 404),
        (&invoke_path("echo"), Some("http://evil.example"), 403),
        ("/console/call?function=echo", None, 401),
        ("/console/session", None, 403),
    ] {
        let mut client = Client::to(&server).await;
        let host = server.local_addr().to_string();
        let mut call = Call::new(path, zip.clone()).header("host", host);
        if let Some(origin) = origin {
            call = call.header("origin", origin);
        }
        for _ in 0..2 {
            soon(client.stream.write_all(&call.written()))
                .await
                .unwrap();
            let response = soon(client.response()).await.unwrap();
            assert_eq!(response.status(), status, "{path}");
        }
        if path == "/console/session" {
            // It reads the start of the body.
            continue;
        }
        // The body is sent only if the endpoint asks for it.
        let head = call.header("expect", "100-continue").written();
        let head = &head[..head.len() - zip.len()];
        let mut client = Client::to(&server).await;
        client.stream.write_all(head).await.unwrap();
        let head = soon(client.head()).await.unwrap();
        assert_eq!(head.parts.status, status, "{path}");
    }
}
