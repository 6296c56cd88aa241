//! Headers that the caller adds: which are signed, which replace others, and which are rejected.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helper may")]

mod support;

use std::error::Error as _;

use lambda_invoke::{Client, ErrorKind};
use lambda_invoke_endpoint::Endpoint;
use support::{Server, Step, response};

fn signed_headers(authorization: &str) -> Vec<&str> {
    let (_, rest) = authorization.split_once("SignedHeaders=").unwrap();
    rest.split(',').next().unwrap().split(';').collect()
}

#[tokio::test]
async fn headers_of_client_and_call_are_sent_and_signed_by_choice() {
    let server = Server::start(|number, request| {
        let signed = signed_headers(request.header("authorization").unwrap());
        let is = |name: &str| (request.header(name), signed.contains(&name));
        assert_eq!(is("x-gateway"), (Some("client"), true));
        assert_eq!(is("x-rewritten"), (Some("r"), false));
        // Proxies rewrite this header, so it is never signed.
        assert_eq!(is("x-amzn-trace-id"), (Some("Root=1"), false));
        assert_eq!(is("user-agent"), (Some("mine/1"), false));
        match number {
            0 => assert_eq!(is("x-both"), (Some("client"), true)),
            // The call's header replaces the client's, and so does the choice whether it is signed.
            1 => assert_eq!(is("x-both"), (Some("call"), false)),
            _ => assert_eq!(is("x-both"), (Some("last"), true)),
        }
        assert_eq!(request.head.to_lowercase().matches("\nx-both:").count(), 1);
        let id = ("x-amzn-requestid", "the-id");
        vec![Step::Write(response("200 OK", &[id], "1"))]
    })
    .await;
    let client = server
        .client_builder()
        .header("X-Gateway", "client")
        .header("x-both", "client")
        .header("user-agent", "mine/1")
        .unsigned_header("x-rewritten", "r")
        .build()
        .unwrap();
    let call = || client.invoke("f").header("X-Amzn-Trace-Id", "Root=1");
    let _ = call().await.unwrap();
    let _ = call().unsigned_header("X-Both", "call").await.unwrap();
    let call = call().unsigned_header("x-both", "call");
    let _ = call.header("x-both", "last").await.unwrap();
}

#[tokio::test]
async fn a_verifying_endpoint_accepts_them_on_every_attempt() {
    let fault = "*: throttle=CallerRateLimitExceeded retry-after=0 times=1";
    let builder = Endpoint::builder().builtins().fault(fault.parse().unwrap());
    let server = builder.bind_local().await.unwrap();
    let client = support::builder()
        .endpoint_url(server.url())
        .header("x-spaces", "  a   b ")
        .build()
        .unwrap();
    let call = client.invoke("echo").payload("1");
    let call = call
        .header("x-api-key", "k")
        .unsigned_header("via-proxy", "1");
    assert_eq!(call.await.unwrap().attempts(), 2);
    let call = client.stream("echo").payload("1").header("x-api-key", "k");
    call.await.unwrap().collect_all().await.unwrap();
}

#[tokio::test]
async fn the_clients_own_headers_are_rejected_and_nothing_is_sent() {
    let server = Server::start(|_, _| vec![Step::Close]).await;
    for name in [
        "authorization",
        "Host",
        "content-length",
        "transfer-encoding",
        "connection",
        "X-Amz-Date",
        "x-amz-security-token",
        "x-amz-tenant-id",
        "x-amz-log-type",
        "content-type",
        "no name",
        "",
    ] {
        let client = server.client();
        for call in [
            client.invoke("f").header(name, "x"),
            client.invoke("f").unsigned_header(name, "x"),
        ] {
            let error = call.await.unwrap_err();
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::Input, 0));
            let source = error.source().unwrap().to_string();
            assert!(source.contains("header"), "{source}");
        }
        let error = server
            .client_builder()
            .header(name, "x")
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{name}");
        assert!(error.to_string().starts_with("a header cannot be set: "));
    }
    assert_eq!(server.requests(), 0);
}

#[test]
fn their_values_are_never_shown() {
    let builder = support::builder().header("x-api-key", "hunter2");
    assert!(!format!("{builder:?}").contains("hunter2"));
    let client: Client = builder.build().unwrap();
    let call = client.invoke("f").header("x-api-key", "hunter2");
    let shown = format!("{client:?} {call:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
}
