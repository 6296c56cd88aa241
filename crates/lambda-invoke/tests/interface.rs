//! What the public interface accepts and names: every form of a name, options, closures, and types.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helper may")]

mod support;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use lambda_invoke as li;
use lambda_invoke::{BoxError, Client, Credentials, ErrorKind, ProvideCredentials};
use lambda_invoke_endpoint::{Endpoint, Server};
use support::{Step, response, whole_stream};

async fn echo() -> Server {
    let builder = Endpoint::builder().builtins();
    builder.bind_local().await.unwrap()
}

#[tokio::test]
async fn names_may_be_borrowed_or_owned() {
    let server = support::Server::start(|_, request| {
        assert!(
            request
                .head
                .starts_with("POST /2015-03-31/functions/f/invocations?Qualifier=7 ")
        );
        assert_eq!(request.header("x-amz-tenant-id"), Some("t"));
        assert_eq!(request.header("x-amz-durable-execution-name"), Some("d"));
        assert_eq!(request.header("content-type"), Some("text/plain"));
        assert_eq!(request.header("x-trace"), Some("1"));
        let id = ("x-amzn-requestid", "the-id");
        vec![Step::Write(response("200 OK", &[id], "1"))]
    })
    .await;
    let strings = ["f", "7", "t", "d", "text/plain", "x-trace", "1"].map(String::from);
    let [
        name,
        qualifier,
        tenant,
        durable,
        content_type,
        header,
        value,
    ] = &strings;
    let region = String::from("us-east-1");
    let url = format!("http://{}", server.address);
    let builder = || Client::builder().credentials(support::credentials());
    // Each setting takes a `&String`, a `String` or a `&str`.
    builder()
        .region(region.clone())
        .endpoint_url(url.clone())
        .build()
        .unwrap();
    builder()
        .region("us-east-1")
        .endpoint_url(url.as_str())
        .build()
        .unwrap();
    let client = builder()
        .region(&region)
        .endpoint_url(&url)
        .build()
        .unwrap();
    let borrowed = client
        .invoke(name)
        .qualifier(qualifier)
        .tenant_id(tenant)
        .durable_execution_name(durable)
        .content_type(content_type)
        .header(header, value);
    let owned = client
        .invoke(name.clone())
        .qualifier(qualifier.clone())
        .tenant_id(tenant.clone())
        .durable_execution_name(durable.clone())
        .content_type(content_type.clone())
        .header(header.clone(), value.clone());
    let literal = client
        .invoke("f")
        .qualifier("7")
        .tenant_id("t")
        .durable_execution_name("d")
        .content_type("text/plain")
        .header("X-Trace", "1");
    let cow = client
        .invoke(Cow::from("f"))
        .qualifier(Cow::from("7"))
        .tenant_id(Cow::from("t"))
        .durable_execution_name(Cow::from("d"))
        .content_type("text/plain")
        .header("x-trace", "1");
    assert_eq!(borrowed.await.unwrap().payload(), "1");
    assert_eq!(owned.await.unwrap().payload(), "1");
    assert_eq!(literal.await.unwrap().payload(), "1");
    assert_eq!(cow.await.unwrap().payload(), "1");
    assert_eq!(server.requests(), 4);
}

#[tokio::test]
async fn an_option_sets_a_member_or_changes_nothing() {
    let server = support::Server::start(|number, request| {
        let set = number == 0;
        assert_eq!(request.head.contains("?Qualifier=7 "), set);
        for (name, value) in [
            ("x-amz-tenant-id", "t"),
            ("x-amz-durable-execution-name", "d"),
            ("x-amz-client-context", "e30="),
            ("content-type", "text/plain"),
        ] {
            let default = (name == "content-type").then_some("application/json");
            let expected = if set { Some(value) } else { default };
            assert_eq!(request.header(name), expected, "{name}");
        }
        let id = ("x-amzn-requestid", "the-id");
        vec![Step::Write(response("200 OK", &[id], "1"))]
    })
    .await;
    let url = format!("http://{}", server.address);
    let builder = Client::builder()
        .region("us-east-1")
        .credentials(support::credentials())
        .maybe_endpoint_url(Some(&url))
        .maybe_endpoint_url(None::<String>);
    let client = builder.build().unwrap();
    for set in [true, false] {
        let some = |value| set.then_some(value);
        let call = client
            .invoke("f")
            .maybe_qualifier(some("7"))
            .maybe_tenant_id(some("t"))
            .maybe_durable_execution_name(some("d"))
            .maybe_client_context(some("{}"))
            .maybe_client_context_base64(None::<&str>)
            .maybe_content_type(some("text/plain"))
            .maybe_timeout(set.then_some(Duration::from_secs(10)));
        let _ = call.await.unwrap();
    }
    let call = client.invoke("f").maybe_qualifier(Some(""));
    assert_eq!(call.await.unwrap_err().kind(), ErrorKind::Input);
}

#[tokio::test]
async fn closures_and_functions_provide_credentials() {
    async fn function() -> Result<Credentials, BoxError> {
        Ok(support::credentials())
    }

    let server = echo().await;
    let fetched = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&fetched);
    let builder = || support::builder().endpoint_url(server.url());
    let boxed: Box<dyn ProvideCredentials> = Box::new(support::credentials());
    for client in [
        builder().credentials(function),
        builder().credentials(boxed),
        builder().credentials(Arc::new(support::credentials())),
        builder().credentials(|| async {
            let expiry = SystemTime::now() + Duration::from_secs(3600);
            Ok(support::credentials().with_expiry_time(expiry))
        }),
        builder().credentials(move || {
            let counted = Arc::clone(&counted);
            async move {
                counted.fetch_add(1, Ordering::SeqCst);
                // `?` converts any error.
                Ok(Credentials::new("local", "local")?)
            }
        }),
    ] {
        let client = client.build().unwrap();
        for _ in 0..3 {
            let _ = client.invoke("echo").payload("1").await.unwrap();
        }
    }
    assert_eq!(fetched.load(Ordering::SeqCst), 1, "it is cached");
}

#[tokio::test]
async fn a_call_is_a_future() {
    let server = echo().await;
    let client = support::builder()
        .endpoint_url(server.url())
        .build()
        .unwrap();
    let reply = client.invoke("echo").payload_json("hi").await.unwrap();
    assert_eq!(reply.json::<String>().unwrap(), "hi");
    assert_eq!(reply.text().unwrap(), "\"hi\"");
    assert_eq!(client.stream("echo").dry_run().await.unwrap().status, 204);
    let stream = client.stream("echo").payload_json(&[1, 2]).await.unwrap();
    let collected = stream.collect_all().await.unwrap();
    assert_eq!(collected.json::<Vec<u8>>().unwrap(), [1, 2]);
    assert_eq!(collected.text().unwrap(), "[1,2]");
    assert_eq!(collected.json::<u8>().unwrap_err().kind(), ErrorKind::Json);
    // A call can be moved into a spawned task.
    let call = client.invoke("echo").payload("1");
    let task = tokio::spawn(async move { call.await.unwrap() });
    assert_eq!(task.await.unwrap().payload(), "1");
}

#[tokio::test]
async fn what_came_before_an_error_is_neither_json_nor_text() {
    let server = echo().await;
    let client = support::builder()
        .endpoint_url(server.url())
        .build()
        .unwrap();
    let stream = client.stream("echo").payload("123456").await.unwrap();
    let error = stream.collect_at_most(1).await.unwrap_err();
    let collected = error.collected().unwrap();
    assert_eq!(collected.text().unwrap_err().kind(), ErrorKind::Truncated);
    let error = collected.json::<u32>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Truncated);
    assert!(error.request_id().is_some());
}

/// Stands in for `futures::StreamExt` and `tokio_stream::StreamExt`.
trait StreamExt: lambda_invoke::futures_core::Stream + Sized {
    fn next(&mut self) -> &'static str {
        "the trait's"
    }

    fn collect(self) -> &'static str {
        "the trait's"
    }
}

impl<S: lambda_invoke::futures_core::Stream> StreamExt for S {}

#[tokio::test]
async fn no_method_shadows_those_of_stream_libraries() {
    let server = support::Server::start(|_, _| vec![Step::Write(whole_stream())]).await;
    let client = server.client();
    let mut stream = client.stream("f").await.unwrap();
    assert_eq!(stream.next(), "the trait's");
    let mut text = stream.into_text();
    assert_eq!(
        (text.next(), text.collect()),
        ("the trait's", "the trait's")
    );
    let stream = client.stream("f").await.unwrap();
    assert_eq!(stream.collect(), "the trait's");
    let mut http = client.stream("f").await.unwrap().into_http().await.unwrap();
    assert_eq!(
        (http.next(), http.collect()),
        ("the trait's", "the trait's")
    );
}

#[test]
fn everything_in_a_signature_has_a_name() {
    fn named<T: ?Sized>() {}
    named::<(
        li::Client,
        li::ClientBuilder,
        li::Call<'_, li::operation::Invoke>,
    )>();
    named::<(li::InvokeCall<'_>, li::StreamCall<'_>, li::StreamDryRun<'_>)>();
    named::<(li::CallFuture<'_, li::Reply>, li::Collected, li::Completion)>();
    named::<(
        li::ResponseStream,
        li::HttpStream,
        li::HttpPrelude,
        li::StreamHead,
    )>();
    named::<(
        li::Reader<li::ResponseStream>,
        li::TextStream<li::HttpStream>,
    )>();
    named::<(
        li::Error,
        li::ErrorKind,
        li::FunctionFailure,
        li::StreamException,
    )>();
    named::<(
        li::Execution,
        li::RetryClass,
        li::ServiceError,
        li::ThrottleReason,
    )>();
    named::<(li::error_model::KnownError, li::error_model::RetryAfter)>();
    named::<(
        li::error_model::ErrorType,
        li::protocol::StreamInvocationType,
    )>();
    named::<(
        li::EndpointUrl,
        li::EndpointVariant,
        li::RetryPolicy,
        li::GiveUpReason,
    )>();
    named::<(
        li::FunctionName<'_>,
        li::Qualifier<'_>,
        li::ClientContext<'_>,
    )>();
    named::<(
        li::TenantId<'_>,
        li::DurableExecutionName<'_>,
        li::InvocationType,
    )>();
    named::<(
        li::LogType,
        li::input::InputError,
        li::protocol::RequestError,
    )>();
    named::<(
        li::FunctionError,
        li::LogTail,
        li::LoggedFailure,
        li::Outcome,
    )>();
    named::<(li::Report, li::ReportStatus, li::ReportedVersion)>();
    named::<(
        li::Credentials,
        li::CredentialsError,
        li::CredentialsFuture<'_>,
    )>();
    named::<(
        li::Timestamp,
        li::BoxError,
        li::sigv4::Signer,
        li::event_stream::Payload,
    )>();
    named::<dyn li::ProvideCredentials>();
    named::<dyn li::IntoProvider<li::provider::Provider>>();
    named::<dyn li::IntoProvider<li::provider::Closure>>();
    named::<(li::Transport, li::transport::TransportBuilder, li::Timeouts)>();
    named::<(
        li::TimeoutKind,
        li::Proxy,
        li::InvalidPort,
        li::transport::Sent,
    )>();
    named::<(li::bytes::Bytes, li::http::HeaderValue, li::http::Uri)>();
    named::<li::http_body_util::Full<li::bytes::Bytes>>();
    named::<dyn li::http_body::Body<Data = li::bytes::Bytes, Error = li::Error>>();
    named::<dyn li::tower_service::Service<(), Response = (), Error = (), Future = ()>>();
    #[cfg(feature = "blocking")]
    {
        use lambda_invoke::blocking;

        named::<(blocking::Client, li::ClientBuilder<blocking::Client>)>();
        named::<(blocking::ResponseStream, blocking::HttpStream)>();
        named::<blocking::Reader<blocking::ResponseStream>>();
        named::<blocking::TextStream<blocking::ResponseStream>>();
    }
}

/// A call with longer borrows can be used where shorter ones are expected.
#[test]
fn calls_and_requests_are_covariant() {
    fn call<'short>(call: li::InvokeCall<'static>, _: &'short str) -> li::InvokeCall<'short> {
        call
    }
    fn request<'short>(
        request: li::protocol::StreamRequest<'static>,
        _: &'short str,
    ) -> li::protocol::StreamRequest<'short> {
        request
    }
    let _ = (call, request);
}
