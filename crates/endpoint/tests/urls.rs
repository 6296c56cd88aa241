//! Function URLs over a real socket: requests as events, results as responses, and who may call.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Call, Client, Response, now, serve, signer_of, soon};
use lambda_invoke_endpoint::{
    AccessKey, Cors, Endpoint, EndpointBuilder, Function, FunctionError, FunctionUrl, UrlAuth,
};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

/// A function that returns its event.
fn echo() -> Function {
    Function::buffered("echo", |invocation| async move {
        Ok::<_, FunctionError>(invocation.payload().clone())
    })
}

/// A function that returns this JSON.
fn constant(name: &str, response: Value) -> Function {
    let response = response.to_string();
    Function::buffered(name, move |_| {
        let response = response.clone();
        async move { Ok::<_, FunctionError>(response) }
    })
}

fn endpoint() -> EndpointBuilder {
    Endpoint::builder().default_url(FunctionUrl::new())
}

fn request(method: &str, path: &str, host: &str) -> Call {
    let mut call = Call::new(path, "").header("host", host);
    call.method = method.to_owned();
    call
}

async fn send(client: &mut Client, call: &Call) -> Response {
    soon(async {
        client.stream.write_all(&call.written()).await.unwrap();
        client.response().await.unwrap()
    })
    .await
}

#[tokio::test]
async fn any_request_becomes_the_event() {
    let (server, mut client) = serve(endpoint().function(echo())).await;
    let host = server.local_addr().to_string();
    let call = request("DELETE", "/url/echo//a%20b/?x=1&x=%C3%BC&flag", &host)
        .header("Cookie", "a=1; b=2")
        .header("X-One", "1")
        .header("x-one", "2")
        .header("User-Agent", "test");
    let response = send(&mut client, &call).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.header("content-type"), Some("application/json"));
    let event = response.json();
    assert_eq!(event["rawPath"], "//a%20b/");
    assert_eq!(event["rawQueryString"], "x=1&x=%C3%BC&flag");
    assert_eq!(
        event["queryStringParameters"],
        json!({"x": "1,ü", "flag": ""})
    );
    assert_eq!(event["cookies"], json!(["a=1", "b=2"]));
    assert_eq!(event["headers"]["cookie"], "a=1; b=2");
    assert_eq!(event["headers"]["x-one"], "1,2");
    assert_eq!(event["headers"]["host"], host);
    let context = &event["requestContext"];
    assert_eq!(context["accountId"], "anonymous");
    assert_eq!(context["apiId"], "echo");
    assert_eq!(context["domainName"], "127.0.0.1");
    assert_eq!(context["http"]["method"], "DELETE");
    assert_eq!(context["http"]["path"], "//a%20b/");
    assert_eq!(context["http"]["sourceIp"], "127.0.0.1");
    assert_eq!(context["http"]["userAgent"], "test");
    let id = response.header("x-amzn-requestid").unwrap();
    assert_eq!(context["requestId"], id);
    // The trace ID consists of the time and 24 unique digits.
    let trace = event["headers"]["x-amzn-trace-id"].as_str().unwrap();
    let parts: Vec<&str> = trace.split('-').collect();
    let [root, seconds, unique] = parts[..] else {
        panic!("{trace}");
    };
    assert_eq!((root, unique.len()), ("Root=1", 24), "{trace}");
    let seconds = u64::from_str_radix(seconds, 16).unwrap();
    let sent = context["timeEpoch"].as_u64().unwrap() / 1_000;
    assert!(seconds.abs_diff(sent) <= 1, "{seconds} {sent}");
    let traced = request("GET", "/url/echo/", &host).header("X-Amzn-Trace-Id", "Root=1-a-b");
    let event = send(&mut client, &traced).await.json();
    assert_eq!(event["headers"]["x-amzn-trace-id"], "Root=1-a-b");
}

#[tokio::test]
async fn the_time_of_an_event_has_milliseconds() {
    let (_server, mut client) = serve(endpoint().function(echo()).clock_offset(-3_600)).await;
    let mut fractions = 0;
    for _ in 0..5 {
        let event = send(&mut client, &request("GET", "/url/echo/", "localhost")).await;
        let epoch = event.json()["requestContext"]["timeEpoch"]
            .as_u64()
            .unwrap();
        let now = std::time::SystemTime::UNIX_EPOCH
            .elapsed()
            .unwrap()
            .as_millis();
        let behind = now - u128::from(epoch);
        assert!((3_600_000..3_660_000).contains(&behind), "{behind} ms");
        fractions += epoch % 1_000;
        tokio::time::sleep(std::time::Duration::from_millis(7)).await;
    }
    assert!(fractions > 0);
}

#[tokio::test]
async fn a_function_is_found_by_host_and_its_path_is_its_own() {
    let named = constant("CamelCase", json!("found"));
    let (_server, mut client) = serve(endpoint().function(echo()).function(named)).await;
    let event = send(
        &mut client,
        &request("GET", "/url/x", "echo.localhost:9001"),
    )
    .await;
    assert_eq!(event.json()["rawPath"], "/url/x");
    // Browsers send host names in lower case.
    let found = send(&mut client, &request("GET", "/", "camelcase.localhost")).await;
    assert_eq!(found.text(), "\"found\"");
    let path = "/2015-03-31/functions/echo/invocations";
    let event = send(&mut client, &request("GET", path, "echo.localhost")).await;
    assert_eq!(event.json()["rawPath"], path);
}

#[tokio::test]
async fn bodies_are_text_or_base64_by_their_type() {
    let (_server, mut client) = serve(endpoint().function(echo())).await;
    for (content_type, body, expected, is_base64) in [
        ("application/json", &b"{\"a\": 1}"[..], "{\"a\": 1}", false),
        ("application/x-www-form-urlencoded", b"a=1", "YT0x", true),
        ("image/png", b"\x89PNG", "iVBORw==", true),
        ("text/plain", b"\xff", "/w==", true),
    ] {
        let mut call =
            request("POST", "/url/echo", "localhost").header("content-type", content_type);
        call.body = bytes::Bytes::copy_from_slice(body);
        let event = send(&mut client, &call).await.json();
        assert_eq!(event["body"], expected, "{content_type}");
        assert_eq!(event["isBase64Encoded"], is_base64, "{content_type}");
    }
}

#[tokio::test]
async fn an_event_larger_than_a_payload_is_413() {
    let limited = endpoint().function(echo()).max_request_bytes(4_000);
    let (_server, mut client) = serve(limited).await;
    // Base64 makes the first body too large; the second is too large by itself.
    for length in [3_200, 5_000] {
        let mut call = request("POST", "/url/echo", "localhost");
        call.body = vec![0; length].into();
        let response = send(&mut client, &call).await;
        assert_eq!(response.status(), 413, "{length}");
        assert_eq!(
            response.error().code(),
            Some("RequestEntityTooLargeException")
        );
    }
    let mut call = request("POST", "/url/echo", "localhost");
    call.body = vec![0; 1_000].into();
    assert_eq!(send(&mut client, &call).await.status(), 200);
}

#[tokio::test]
async fn a_result_with_a_status_is_the_response() {
    let custom = constant(
        "custom",
        json!({
            "statusCode": 201,
            "headers": {
                "Content-Type": "image/png",
                "X-Mine": "1",
                "Connection": "close",
                "Content-Length": "99",
                "Service-Worker-Allowed": "/",
            },
            "cookies": ["a=1; Path=/", "b=2"],
            "body": "iVBORw==",
            "isBase64Encoded": true,
        }),
    );
    let (_server, mut client) = serve(endpoint().function(custom)).await;
    // The second request shows that the connection is still usable.
    for host in ["localhost", "custom.localhost"] {
        let response = send(&mut client, &request("GET", "/url/custom/", host)).await;
        assert_eq!(response.status(), 201);
        assert_eq!(&*response.body, b"\x89PNG");
        assert_eq!(response.header("content-type"), Some("image/png"));
        assert_eq!(response.header("x-mine"), Some("1"));
        let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a=1; Path=/", "b=2"]);
        assert_eq!(response.header("connection"), None);
        let by_host = host.starts_with("custom");
        assert_eq!(response.header("service-worker-allowed").is_some(), by_host);
    }
}

#[tokio::test]
async fn a_failure_is_502_without_its_details() {
    let fails = Function::buffered("fails", |_| async {
        Err::<&str, _>(FunctionError::new("Secret", "hush").with_stack_trace(["app.py line 7"]))
    });
    let broken = Function::buffered("broken", |_| async { Ok::<_, FunctionError>("<html>hush") });
    let status = constant("status", json!({"statusCode": 101, "body": "hush"}));
    let builder = endpoint().function(fails).function(broken).function(status);
    let (_server, mut client) = serve(builder).await;
    for name in ["fails", "broken", "status"] {
        let path = format!("/url/{name}/");
        let response = send(&mut client, &request("GET", &path, "localhost")).await;
        assert_eq!(response.status(), 502, "{name}");
        assert_eq!(response.text(), "Internal Server Error", "{name}");
        let head = format!("{:?}", response.headers());
        assert!(!head.contains("Secret") && !head.contains("hush"), "{head}");
    }
}

#[tokio::test]
async fn a_function_without_a_url_or_an_unknown_one_is_404() {
    let (_server, mut client) = serve(Endpoint::builder().function(echo())).await;
    for (path, expected) in [
        ("/url/echo/", "The function has no function URL: "),
        ("/url/nobody/", "Function not found: "),
        ("/url/echo:nine/", "Function not found: "),
        ("/url", "A function URL has the name of its function"),
        ("/url/", "A function URL has the name of its function"),
        ("/url//echo", "A function URL has the name of its function"),
        ("/urls/echo", "does not belong to any invoke operation"),
    ] {
        let response = send(&mut client, &request("GET", path, "localhost")).await;
        assert_eq!(response.status(), 404, "{path}");
        assert!(response.text().contains(expected), "{}", response.text());
    }
}

#[tokio::test]
async fn with_aws_iam_only_a_valid_signature_passes() {
    let function = echo().url(FunctionUrl::new().auth(UrlAuth::AwsIam));
    let limited: AccessKey = "AKLIMITED:secret:other-*".parse().unwrap();
    let builder = Endpoint::builder()
        .function(function)
        .credential("local", "local")
        .unwrap()
        .access_key(limited);
    let (server, mut client) = serve(builder).await;
    let address = server.local_addr();

    let unsigned = send(
        &mut client,
        &request("GET", "/url/echo/", &address.to_string()),
    )
    .await;
    assert_eq!(unsigned.status(), 403);
    assert_eq!(
        unsigned.header("x-amzn-errortype"),
        Some("AccessDeniedException")
    );
    let message = unsigned.json()["Message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("Forbidden."), "{message}");

    for (id, secret, status, code) in [
        ("local", "local", 200, None),
        ("local", "wrong", 403, Some("InvalidSignatureException")),
        ("unknown", "local", 403, Some("UnrecognizedClientException")),
        ("AKLIMITED", "secret", 403, Some("AccessDeniedException")),
    ] {
        let mut call =
            Call::new("/url/echo/a%20b?x=1", "hello").header("content-type", "text/plain");
        call.method = "PUT".to_owned();
        let bytes = call.signed(address, &signer_of(id, secret, "us-east-1"), now());
        client.stream.write_all(&bytes).await.unwrap();
        let response = soon(client.response()).await.unwrap();
        assert_eq!(response.status(), status, "{id} {}", response.text());
        assert_eq!(response.header("x-amzn-errortype"), code, "{id}");
        if status == 200 {
            let event = response.json();
            let iam = &event["requestContext"]["authorizer"]["iam"];
            assert_eq!(iam["accessKey"], "local");
            assert_eq!(iam["userArn"], "arn:aws:iam::123456789012:user/local");
            assert_eq!(event["requestContext"]["accountId"], "123456789012");
            assert_eq!(event["body"], "hello");
            assert_eq!(event["headers"].get("authorization"), None);
        }
    }
}

#[tokio::test]
async fn every_arn_has_the_partition_of_the_region() {
    let keys = ["local:secret:echo", "local:secret:none"].map(|key| key.parse().unwrap());
    let [one, two]: [AccessKey; 2] = keys;
    let builder = Endpoint::builder()
        .region("cn-north-1")
        .function(echo().url(FunctionUrl::new().auth(UrlAuth::AwsIam)))
        .access_key(one)
        .access_key(two);
    let (server, mut client) = serve(builder).await;
    for (path, expected) in [
        ("/url/echo/", "arn:aws-cn:iam::123456789012:user/local"),
        (
            "/2015-03-31/functions/other/invocations",
            "User: arn:aws-cn:iam::123456789012:user/local is not",
        ),
        (
            "/2015-03-31/functions/999999999999:function:echo/invocations",
            "User: arn:aws-cn:iam::123456789012:root is not",
        ),
    ] {
        let signer = signer_of("local", "secret", "cn-north-1");
        let bytes = Call::new(path, "1").signed(server.local_addr(), &signer, now());
        client.stream.write_all(&bytes).await.unwrap();
        let response = soon(client.response()).await.unwrap();
        let text = response.text();
        assert!(
            text.contains(expected) && !text.contains("arn:aws:"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn configured_cors_responds_to_the_preflight_without_a_call_and_replaces_the_function_s_headers()
 {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let function = Function::buffered("app", move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        async {
            Ok::<_, FunctionError>(
                r#"{"statusCode":200,"headers":{"Access-Control-Allow-Origin":"*"},"body":"hi"}"#,
            )
        }
    })
    .url(
        FunctionUrl::new().cors(
            Cors::new()
                .allow_origin("https://app.example")
                .unwrap()
                .allow_method("PUT")
                .unwrap(),
        ),
    );
    let (_server, mut client) = serve(Endpoint::builder().function(function)).await;
    let from = |method: &str, origin: &str| {
        request(method, "/url/app/", "localhost").header("origin", origin)
    };
    let preflight =
        from("OPTIONS", "https://app.example").header("access-control-request-method", "PUT");
    let response = send(&mut client, &preflight).await;
    assert_eq!(response.status(), 200);
    let allowed = Some("https://app.example");
    assert_eq!(response.header("access-control-allow-origin"), allowed);
    assert_eq!(response.header("access-control-allow-methods"), Some("PUT"));
    assert_eq!(calls.load(Ordering::Relaxed), 0);

    let response = send(&mut client, &from("PUT", "https://app.example")).await;
    assert_eq!(response.text(), "hi");
    assert_eq!(response.header("access-control-allow-origin"), allowed);
    assert_eq!(calls.load(Ordering::Relaxed), 1);

    let response = send(&mut client, &from("PUT", "https://other.example")).await;
    assert_eq!(response.status(), 403);
    assert_eq!(response.header("access-control-allow-origin"), None);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn without_cors_the_function_itself_responds_to_a_local_page_and_a_foreign_one_cannot_call() {
    let (_server, mut client) = serve(endpoint().function(echo())).await;
    let preflight = request("OPTIONS", "/url/echo/", "localhost")
        .header("origin", "http://localhost:3000")
        .header("access-control-request-method", "PUT");
    let event = send(&mut client, &preflight).await.json();
    assert_eq!(event["requestContext"]["http"]["method"], "OPTIONS");

    let foreign =
        request("POST", "/url/echo/", "localhost").header("origin", "https://evil.example");
    assert_eq!(send(&mut client, &foreign).await.status(), 403);
    let rebound = request("GET", "/url/echo/", "evil.example:9001");
    assert_eq!(send(&mut client, &rebound).await.status(), 403);
}

#[tokio::test]
async fn a_page_that_the_endpoint_allows_calls_a_url_without_settings_and_reads_the_response() {
    let page = "https://app.example";
    let own = json!({
        "statusCode": 200,
        "headers": {"Access-Control-Allow-Origin": "https://own.example"},
    });
    let builder = endpoint()
        .functions([echo(), constant("own", own)])
        .cors(page);
    let (server, mut client) = serve(builder).await;
    let from = |method: &str, path: &str, origin: &str| {
        request(method, path, "localhost").header("origin", origin)
    };
    let asks = |origin: &str| {
        from("OPTIONS", "/url/echo/", origin)
            .header("access-control-request-method", "DELETE")
            .header("access-control-request-headers", "x-mine")
    };
    let preflight = send(&mut client, &asks(page)).await;
    assert_eq!(preflight.status(), 204);
    for (name, value) in [
        ("access-control-allow-origin", page),
        ("access-control-allow-methods", "DELETE"),
        ("access-control-allow-headers", "x-mine"),
        ("vary", "Origin"),
    ] {
        assert_eq!(preflight.header(name), Some(value), "{name}");
    }
    assert!(server.calls("echo").is_empty());

    for (path, origin, status, allowed) in [
        ("/url/echo/", page, 200, Some(page)),
        ("/url/nobody/", page, 404, Some(page)),
        ("/url/own/", page, 200, Some("https://own.example")),
        ("/url/echo/", "http://localhost:3000", 200, None),
        ("/url/echo/", "https://evil.example", 403, None),
    ] {
        let response = send(&mut client, &from("DELETE", path, origin)).await;
        assert_eq!(response.status(), status, "{path} {origin}");
        let header = response.header("access-control-allow-origin");
        assert_eq!(header, allowed, "{path} {origin}");
    }
    let other = send(&mut client, &asks("https://evil.example")).await;
    assert_eq!(other.status(), 403);
    assert_eq!(other.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn a_head_request_has_no_body() {
    let (_server, mut client) = serve(endpoint().function(constant("page", json!("text")))).await;
    let call = request("HEAD", "/url/page/", "localhost");
    client.stream.write_all(&call.written()).await.unwrap();
    let head = soon(client.head()).await.unwrap();
    assert_eq!(head.parts.status, 200);
    let next = send(&mut client, &request("GET", "/url/page/", "localhost")).await;
    assert_eq!(next.text(), "\"text\"");
}

#[tokio::test]
async fn a_body_that_its_status_forbids_does_not_disturb_the_next_response() {
    let functions = [204, 304].map(|status| {
        let response = json!({"statusCode": status, "body": "not allowed here"});
        constant(&format!("status{status}"), response)
    });
    let (_server, mut client) = serve(endpoint().functions(functions).function(echo())).await;
    for status in [204, 304] {
        let call = request("GET", &format!("/url/status{status}/"), "localhost");
        client.stream.write_all(&call.written()).await.unwrap();
        // Only the head is read, since a 304 may announce the length of a body that it does not
        // send.
        let head = soon(client.head()).await.unwrap();
        assert_eq!(head.parts.status, status);
        let next = send(&mut client, &request("GET", "/url/echo/", "localhost")).await;
        assert_eq!(next.json()["rawPath"], "/");
    }
}

#[tokio::test]
async fn concurrency_limits_and_fault_rules_apply() {
    let full = constant("full", json!("never")).concurrency(0);
    let faulty = constant("faulty", json!("sometimes"));
    let cut = constant("cut", json!("a long text"));
    let builder = endpoint()
        .functions([full, faulty, cut])
        .fault("faulty: error=KMSDisabledException".parse().unwrap())
        .fault("cut: cut-at=4".parse().unwrap());
    let (_server, mut client) = serve(builder).await;
    let throttled = send(&mut client, &request("GET", "/url/full/", "localhost")).await;
    assert_eq!(throttled.status(), 429);
    assert_eq!(throttled.error().code(), Some("TooManyRequestsException"));
    let struck = send(&mut client, &request("GET", "/url/faulty/", "localhost")).await;
    assert_eq!(struck.error().code(), Some("KMSDisabledException"));
    let call = request("GET", "/url/cut/", "localhost");
    client.stream.write_all(&call.written()).await.unwrap();
    let (rest, _) = soon(client.rest()).await;
    assert!(
        rest.ends_with(b"\r\n\r\n\"a l"),
        "{}",
        String::from_utf8_lossy(&rest)
    );
}
