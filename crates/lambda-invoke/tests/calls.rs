//! Successful calls: what is sent, and how the response is read.

mod support;

use std::sync::Arc;
use std::time::Duration;

use lambda_invoke_endpoint::{Function, FunctionError};
use support::{Server, Step, local, response};
use tokio::io::AsyncReadExt as _;
use tokio::sync::Notify;

#[tokio::test]
async fn a_call_is_signed_and_its_reply_is_read() {
    let server = Server::start(|_, request| {
        assert!(request.head.starts_with(
            "POST /2015-03-31/functions/hello%3Alive/invocations?Qualifier=live HTTP/1.1\r\n"
        ));
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("x-amz-log-type"), Some("Tail"));
        assert_eq!(request.header("content-length"), Some("14"));
        let agent = request.header("user-agent").unwrap();
        assert!(agent.starts_with("lambda-invoke/"), "{agent}");
        assert!(request.header("amz-sdk-request").is_none());
        let authorization = request.header("authorization").unwrap();
        assert!(authorization.contains("/us-east-1/lambda/aws4_request"));
        assert!(
            authorization.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-log-type,"),
            "{authorization}"
        );
        let headers = [
            ("x-amz-executed-version", "7"),
            ("x-amzn-requestid", "the-id"),
            ("x-amz-log-result", "aGk="),
            ("content-type", "application/json"),
        ];
        vec![Step::Write(response("200 OK", &headers, "[1,2]"))]
    })
    .await;
    let client = server.client();
    let call = client.invoke("hello:live").qualifier("live").log_tail();
    let reply = call.payload(r#"{"name":"Ada"}"#).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.executed_version().unwrap().as_str(), "7");
    assert_eq!(reply.request_id(), Some("the-id"));
    assert_eq!(reply.log().unwrap().as_bytes(), b"hi");
    assert_eq!(reply.attempts(), 1);
    assert_eq!(reply.json::<Vec<u8>>().unwrap(), [1, 2]);
}

#[tokio::test]
async fn every_form_of_name_and_every_value_arrives_under_a_signature_that_is_verified() {
    let seen = Function::buffered("hello", |call| async move {
        let context = call.client_context().map(String::from_utf8_lossy);
        let seen = serde_json::json!({
            "version": call.version(),
            "context": context,
            "tenant": call.tenant_id(),
            "durable": call.durable_execution_name(),
        });
        Ok::<_, FunctionError>(seen.to_string())
    })
    .version(7)
    .alias("live", 7);
    let (_server, client) = local(seen).await;
    let call = |name: &str| {
        // Since the call owns its name, it outlives this closure.
        client
            .invoke(name.to_owned())
            .client_context(r#"{"custom":{"a":"ü"}}"#)
            .tenant_id("two  and   three")
            .durable_execution_name("once")
            .send()
    };
    for (name, version) in [
        ("hello", "$LATEST"),
        ("hello:$LATEST", "$LATEST"),
        ("hello:live", "7"),
        ("function:hello:7", "7"),
        ("123456789012:function:hello", "$LATEST"),
        ("us-east-1:123456789012:function:hello:live", "7"),
        (
            "arn:aws:lambda:us-east-1:123456789012:function:hello",
            "$LATEST",
        ),
        (
            "arn:aws:lambda:us-east-1:123456789012:function:hello:live",
            "7",
        ),
    ] {
        let reply = call(name)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let seen: serde_json::Value = reply.json().unwrap();
        assert_eq!(seen["version"], version, "{name}");
        assert_eq!(seen["context"], r#"{"custom":{"a":"ü"}}"#);
        assert_eq!(seen["tenant"], "two  and   three");
        assert_eq!(seen["durable"], "once");
        assert_eq!(reply.executed_version().unwrap().as_str(), version);
        assert!(reply.request_id().is_some());
    }
    let reply = client
        .invoke("hello")
        .qualifier("live")
        .send()
        .await
        .unwrap();
    assert_eq!(reply.executed_version().unwrap().as_str(), "7");
}

#[tokio::test]
async fn an_event_is_queued_and_runs() {
    let ran = Arc::new(Notify::new());
    let notify = Arc::clone(&ran);
    let function = Function::buffered("later", move |call| {
        assert!(call.is_event());
        notify.notify_one();
        async { Ok::<_, FunctionError>("null") }
    });
    let (_server, client) = local(function).await;
    let reply = client
        .invoke("later")
        .payload_json(&[1])
        .event()
        .send()
        .await
        .unwrap();
    assert_eq!((reply.status().as_u16(), reply.payload().len()), (202, 0));
    assert!(reply.into_result().is_ok());
    tokio::time::timeout(Duration::from_secs(10), ran.notified())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_payload_is_sent_unchanged_with_the_content_type_that_is_set() {
    let server = Server::start(|_, request| {
        assert_eq!(
            request.header("content-type"),
            Some("application/octet-stream")
        );
        assert!(
            request
                .head
                .starts_with("POST /gateway/2015-03-31/functions/f/invocations HTTP")
        );
        let id = ("x-amzn-requestid", "the-id");
        vec![Step::Write(response("200 OK", &[id], &request.body))]
    })
    .await;
    let url = format!("http://{}/gateway/", server.address);
    let client = support::builder().endpoint_url(url).build().unwrap();
    let call = client.invoke("f").content_type("application/octet-stream");
    let reply = call.payload(&b"\0\xff not JSON"[..]).send().await.unwrap();
    assert_eq!(&reply.payload()[..], b"\0\xff not JSON");
}

/// The service's model marks payloads as sensitive, and they may have millions of bytes.
#[tokio::test]
async fn debug_shows_no_payload() {
    let function = Function::streaming("secret", |_, mut writer| async move {
        writer.write("{\"statusCode\":200}\0\0\0\0\0\0\0\0").await?;
        writer.write("hunter2").await?;
        Ok::<_, FunctionError>(())
    });
    let (_server, client) = local(function).await;
    let mut shown = Vec::new();
    let call = client.invoke("secret").payload("\"hunter2\"");
    shown.push(format!("{call:?}"));
    let reply = call.send().await.unwrap();
    assert!(reply.payload().ends_with(b"hunter2"));
    shown.push(format!("{reply:?}"));
    let call = || client.stream("secret").payload("\"hunter2\"");
    shown.push(format!("{:?}", call()));
    let collected = call().send().await.unwrap().collect_all().await.unwrap();
    shown.push(format!("{collected:?}"));
    let http = call().send().await.unwrap().into_http().await.unwrap();
    shown.push(format!("{http:?}"));
    let mut reader = http.into_reader();
    reader.read_exact(&mut [0; 1]).await.unwrap();
    shown.push(format!("{reader:?}"));
    for shown in shown {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
