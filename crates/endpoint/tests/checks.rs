//! Requests that the endpoint rejects before anything runs, and the service's words for each
//! rejection.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Call, Client, now, serve, signer, signer_of, soon};
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError, TooLargeStyle};
use tokio::io::AsyncWriteExt;

/// Creates a function that counts its runs.
fn counted(name: &str) -> (Function, Arc<AtomicUsize>) {
    let runs = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&runs);
    let function = Function::buffered(name, move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        async { Ok::<_, FunctionError>("1") }
    });
    (function, runs)
}

#[tokio::test]
async fn signatures_are_verified_with_the_services_messages() {
    let (function, runs) = counted("f");
    let (server, mut client) = serve(Endpoint::builder().function(function)).await;
    let call = Call::invoke("f", "{}");
    let at = server.local_addr();
    let minutes = Duration::from_secs(60);

    let unsigned = Call {
        headers: vec![("host".into(), at.to_string())],
        ..call.clone()
    };
    let incomplete = unsigned
        .clone()
        .header("authorization", "AWS4-HMAC-SHA256 Credential=x");
    let mut tampered = call.signed(at, &signer(), now());
    *tampered.last_mut().unwrap() = b'!';
    for (bytes, code, message) in [
        (
            unsigned.written(),
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ),
        (
            incomplete.written(),
            "IncompleteSignatureException",
            "Authorization header requires 'Signature' parameter.",
        ),
        (
            call.signed(at, &signer_of("nobody", "local", "us-east-1"), now()),
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        (
            call.signed(at, &signer_of("local", "wrong", "us-east-1"), now()),
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided.",
        ),
        (
            tampered,
            "InvalidSignatureException",
            "The request signature we calculated",
        ),
        (
            call.signed(at, &signer(), now().saturating_sub(6 * minutes)),
            "InvalidSignatureException",
            "Signature expired: ",
        ),
        (
            call.signed(at, &signer(), now().saturating_add(6 * minutes)),
            "InvalidSignatureException",
            "Signature not yet current: ",
        ),
        (
            call.signed(at, &signer_of("local", "local", "eu-west-1"), now()),
            "InvalidSignatureException",
            "Credential should be scoped to a valid region.",
        ),
    ] {
        client.stream.write_all(&bytes).await.unwrap();
        let response = soon(client.response()).await.unwrap();
        assert_eq!(response.rejection(), (403, code.to_owned()));
        let error = response.error();
        assert!(error.message().unwrap().starts_with(message), "{error}");
    }
    // Times within the window are accepted, and on the same connection.
    for time in [
        now().saturating_sub(4 * minutes),
        now().saturating_add(4 * minutes),
    ] {
        client
            .stream
            .write_all(&call.signed(at, &signer(), time))
            .await
            .unwrap();
        assert_eq!(soon(client.response()).await.unwrap().text(), "1");
    }
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_clock_offset_affects_the_date_and_the_verification_of_signatures() {
    let builder = Endpoint::builder().builtins().clock_offset(3600);
    let server = builder.bind_local().await.unwrap();
    let mut client = Client::to(&server).await;
    let response = client.call(&Call::invoke("echo", "{}")).await;
    assert!(
        response
            .error()
            .message()
            .unwrap()
            .starts_with("Signature expired")
    );
    let date = httpdate(response.header("date").unwrap());
    assert!((3590..3660).contains(&(date - now().as_secs())), "{date}");
    let bytes = Call::invoke("echo", "{}").signed(
        server.local_addr(),
        &signer(),
        now().saturating_add(Duration::from_secs(3600)),
    );
    client.stream.write_all(&bytes).await.unwrap();
    assert_eq!(soon(client.response()).await.unwrap().status(), 200);
}

fn httpdate(text: &str) -> u64 {
    let date: lambda_invoke_sigv4::HttpDate = text.parse().unwrap();
    lambda_invoke_sigv4::Timestamp::from(date).as_secs()
}

#[tokio::test]
async fn a_limited_key_invokes_only_matching_functions_even_for_a_dry_run() {
    let (orders, _) = counted("orders-new");
    let (customers, runs) = counted("customers");
    let (server, mut client) = serve(
        Endpoint::builder()
            .functions([orders, customers])
            .access_key("AKID:secret:orders-*".parse().unwrap())
            .access_key("AKID:secret:bills".parse().unwrap()),
    )
    .await;
    let dry = Call::invoke("customers", "{}").header("x-amz-invocation-type", "DryRun");
    for (call, status) in [
        (Call::invoke("orders-new", "{}"), 200),
        (Call::stream("orders-new", "{}"), 200),
        (Call::invoke("customers", "{}"), 403),
        (Call::stream("customers", "{}"), 403),
        (dry, 403),
        // A caller who may not invoke a function does not learn whether it exists.
        (Call::invoke("unknown", "{}"), 403),
        (Call::invoke("bills", "{}"), 404),
    ] {
        let signer = signer_of("AKID", "secret", "us-east-1");
        let bytes = call.signed(server.local_addr(), &signer, now());
        client.stream.write_all(&bytes).await.unwrap();
        let response = soon(client.response()).await.unwrap();
        assert_eq!(response.status(), status, "{}", call.path);
        if status == 403 {
            assert_eq!(response.rejection().1, "AccessDeniedException");
            let error = response.error();
            let message = error.message().unwrap();
            assert!(message.contains("is not authorized to perform: lambda:InvokeFunction"));
        }
    }
    assert_eq!(runs.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn without_verification_anybody_may_invoke() {
    let (_server, mut client) = serve(Endpoint::builder().builtins().verify(false)).await;
    let call = Call::invoke("echo", "[1]").header("host", "x");
    client.stream.write_all(&call.written()).await.unwrap();
    assert_eq!(soon(client.response()).await.unwrap().text(), "[1]");
}

#[tokio::test]
async fn versions_and_aliases_report_the_executed_version() {
    let other = Function::buffered("x", |_| async { Ok::<_, FunctionError>("\"old\"") });
    let function = Function::buffered("f", |invocation| async move {
        Ok::<_, FunctionError>(format!("{:?}", invocation.function_arn()))
    });
    let (_server, mut client) = serve(
        Endpoint::builder()
            .function(function.version_of(1, other))
            .alias("f", "live", 3),
    )
    .await;
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:f";
    for (call, version, payload) in [
        (Call::invoke("f", ""), "$LATEST", format!("\"{arn}\"")),
        (
            Call::invoke("f", "").qualifier("$LATEST"),
            "$LATEST",
            format!("\"{arn}:$LATEST\""),
        ),
        (Call::invoke("f:live", ""), "3", format!("\"{arn}:live\"")),
        (
            Call::invoke(arn, "").qualifier("live"),
            "3",
            format!("\"{arn}:live\""),
        ),
        (
            Call::invoke("123456789012:function:f:1", ""),
            "1",
            "\"old\"".to_owned(),
        ),
        (
            Call::invoke("f", "").qualifier("$LATEST.PUBLISHED"),
            "3",
            format!("\"{arn}:$LATEST.PUBLISHED\""),
        ),
    ] {
        let response = client.call(&call).await;
        assert_eq!(
            response.header("x-amz-executed-version"),
            Some(version),
            "{}",
            call.path
        );
        assert_eq!(response.text(), payload, "{}", call.path);
    }
    let response = client.call(&Call::invoke("f", "").qualifier("dead")).await;
    assert_eq!(
        response.rejection(),
        (404, "ResourceNotFoundException".to_owned())
    );
    assert_eq!(
        response.error().message(),
        Some(&*format!("Function not found: {arn}:dead"))
    );
}

#[tokio::test]
async fn a_function_of_another_account_is_denied() {
    let (_server, mut client) = serve(Endpoint::builder().builtins()).await;
    let response = client
        .call(&Call::invoke("999999999999:function:echo", "{}"))
        .await;
    assert_eq!(
        response.rejection(),
        (403, "AccessDeniedException".to_owned())
    );
    let error = response.error();
    assert!(
        error
            .message()
            .unwrap()
            .contains("no resource-based policy allows"),
        "{error}"
    );
}

#[tokio::test]
async fn accepts_the_content_types_of_sdks_and_others_only_if_configured() {
    const SENT: [&str; 8] = [
        "",
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/octet-stream",
        "binary/octet-stream",
        "BINARY/octet-stream; charset=utf-8",
        "application/x-amz-json-1.0",
        "application/x-amz-json-1.1",
    ];
    const OTHER: [&str; 2] = ["text/plain", "application/x-www-form-urlencoded"];
    for any in [false, true] {
        let builder = Endpoint::builder().builtins().any_content_type(any);
        let server = builder.bind_local().await.unwrap();
        let mut client = Client::to(&server).await;
        for (content_type, taken) in SENT
            .map(|sent| (sent, true))
            .into_iter()
            .chain(OTHER.map(|other| (other, any)))
        {
            for call in [Call::invoke("echo", "{}"), Call::stream("echo", "{}")] {
                let response = client
                    .call(&call.header("content-type", content_type))
                    .await;
                assert_eq!(response.status() == 200, taken, "{content_type}");
                if !taken {
                    assert_eq!(response.status(), 415);
                    let error = response.error();
                    assert_eq!(error.code(), Some("UnsupportedMediaTypeException"));
                    let message = error.message().unwrap();
                    assert!(message.contains("Send application/json"), "{message}");
                }
            }
        }
    }
}

#[tokio::test]
async fn accepts_the_content_type_of_curl_if_no_signature_is_needed() {
    let builder = Endpoint::builder().builtins().verify(false);
    let server = builder.bind_local().await.unwrap();
    let mut client = Client::to(&server).await;
    let call = Call::invoke("echo", "{}")
        .header("host", server.local_addr().to_string())
        .header("content-type", "application/x-www-form-urlencoded");
    client.stream.write_all(&call.written()).await.unwrap();
    let response = soon(client.response()).await.unwrap();
    assert_eq!((response.status().as_u16(), response.text()), (200, "{}"));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_unknown_operations() {
    let (_server, mut client) = serve(Endpoint::builder().builtins()).await;
    let get = Call {
        method: "GET".to_owned(),
        ..Call::invoke("echo", "")
    };
    for call in [
        Call::new("/", ""),
        Call::new("/2015-03-31/functions/echo", ""),
        get,
    ] {
        let response = client.call(&call).await;
        assert_eq!(
            response.rejection(),
            (404, "UnknownOperationException".to_owned())
        );
    }
}

#[tokio::test]
async fn a_too_large_payload_is_rejected_with_its_size_and_the_connection_serves_on() {
    let (function, runs) = counted("f");
    let (_server, mut client) = serve(Endpoint::builder().function(function)).await;
    let payload = format!("\"{}\"", "x".repeat(1_048_575));
    let response = client
        .call(&Call::invoke("f", payload.clone()).event())
        .await;
    assert_eq!(
        response.rejection(),
        (413, "RequestEntityTooLargeException".to_owned())
    );
    assert_eq!(
        response.error().message(),
        Some(
            "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)"
        )
    );
    // The same payload is small enough for a synchronous call.
    assert_eq!(client.call(&Call::invoke("f", payload)).await.text(), "1");
    let payload = format!("\"{}\"", "x".repeat(262_143));
    let old = Call::new("/2014-11-13/functions/f/invoke-async/", payload);
    assert_eq!(client.call(&old).await.rejection().0, 413);
    let largest = format!("\"{}\"", "x".repeat(6_291_454));
    assert_eq!(client.call(&Call::invoke("f", largest)).await.text(), "1");
    let larger = format!("\"{}\"", "x".repeat(6_291_455));
    assert_eq!(
        client.call(&Call::invoke("f", larger)).await.rejection().0,
        413
    );
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_too_large_payload_has_the_documented_code_and_a_lower_limit_if_configured() {
    let builder = Endpoint::builder()
        .builtins()
        .too_large_style(TooLargeStyle::Documented);
    let server = builder.max_request_bytes(4).bind_local().await.unwrap();
    let mut client = Client::to(&server).await;
    assert_eq!(
        client.call(&Call::invoke("echo", "1234")).await.status(),
        200
    );
    let response = client.call(&Call::invoke("echo", "12345")).await;
    assert_eq!(
        response.rejection(),
        (413, "RequestTooLargeException".to_owned())
    );
}

#[tokio::test]
async fn several_validation_errors_are_counted_in_one_message() {
    let (_server, mut client) = serve(Endpoint::builder()).await;
    let response = client
        .call(&Call::invoke("he!!o", "{}").qualifier("!"))
        .await;
    assert_eq!(
        response.rejection(),
        (400, "ValidationException".to_owned())
    );
    let error = response.error();
    assert!(
        error
            .message()
            .unwrap()
            .starts_with("2 validation errors detected: "),
        "{error}"
    );
}

#[tokio::test]
async fn each_concurrency_limit_has_its_own_reason() {
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let waits = |name: &str| {
        let gate = Arc::clone(&gate);
        Function::buffered(name, move |_| {
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await?.forget();
                Ok::<_, FunctionError>("1")
            }
        })
    };
    let server = Endpoint::builder()
        .functions([
            waits("one").concurrency(1),
            waits("two"),
            waits("none").concurrency(0),
        ])
        .account_concurrency(2)
        .bind_local()
        .await
        .unwrap();
    let (mut first, mut second) = (Client::to(&server).await, Client::to(&server).await);
    let mut third = Client::to(&server).await;
    let reason = |response: common::Response| {
        assert_eq!(
            response.rejection(),
            (429, "TooManyRequestsException".to_owned())
        );
        assert_eq!(response.error().message(), Some("Rate Exceeded."));
        assert_eq!(response.header("retry-after"), Some("1"));
        response.json()["Reason"].as_str().unwrap().to_owned()
    };
    let reserved = "ReservedFunctionConcurrentInvocationLimitExceeded";
    assert_eq!(
        reason(third.call(&Call::invoke("none", "1")).await),
        reserved
    );
    first.send(&Call::invoke("one", "1")).await;
    // The call is running as soon as another call of the same function is rejected.
    soon(async { while third.call(&Call::stream("one", "1")).await.status() != 429 {} }).await;
    assert_eq!(
        reason(third.call(&Call::invoke("one", "1")).await),
        reserved
    );
    second.send(&Call::invoke("two", "1")).await;
    let other = soon(async {
        loop {
            let mut fourth = Client::to(&server).await;
            fourth.send(&Call::invoke("two", "1")).await;
            match tokio::time::timeout(Duration::from_millis(200), fourth.response()).await {
                Ok(response) => break response.unwrap(),
                Err(_) => gate.add_permits(1),
            }
        }
    })
    .await;
    assert_eq!(reason(other), "ConcurrentInvocationLimitExceeded");
    gate.add_permits(4);
    assert_eq!(soon(first.response()).await.unwrap().text(), "1");
    assert_eq!(soon(second.response()).await.unwrap().text(), "1");
    // Completed invocations release their concurrency, even without a caller.
    soon(async {
        while third.call(&Call::invoke("one", "1")).await.status() != 200 {
            gate.add_permits(1);
        }
    })
    .await;
}
