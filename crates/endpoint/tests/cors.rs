//! Cross-origin requests: preflights, exposed headers, and rejected pages.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::{Call, Client, Response, invoke_path, now, signer, signer_of, soon, stream_path};
use http::Request;
use lambda_invoke_endpoint::{BuildError, Endpoint, EndpointBuilder, FunctionUrl, Server, UrlAuth};
use lambda_invoke_sigv4::PayloadHash;
use tokio::io::AsyncWriteExt as _;

const PAGE: &str = "http://localhost:3000";

async fn serve(builder: EndpointBuilder) -> Server {
    builder.builtins().bind_local().await.unwrap()
}

/// Sends a request without a signature.
async fn plain(server: &Server, mut call: Call) -> Response {
    let mut client = Client::to(server).await;
    if !call.headers.iter().any(|(name, _)| name == "host") {
        call = call.header("host", server.local_addr().to_string());
    }
    client.stream.write_all(&call.written()).await.unwrap();
    soon(client.response()).await.unwrap()
}

/// Signs a request with the default access key, in its headers or, as an attacker's page can without
/// a preflight request, in its query.
fn signed(mut call: Call, presigned: bool) -> Call {
    let mut request = Request::builder()
        .method(call.method.as_str())
        .uri(call.path.as_str());
    for (name, value) in &call.headers {
        request = request.header(name, value);
    }
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let payload = PayloadHash::of(&call.body);
    if presigned {
        let expires = Duration::from_secs(60);
        let signature = signer().presign(&mut parts, &payload, now(), expires);
        signature.unwrap();
    } else {
        signer().sign(&mut parts, &payload, now()).unwrap();
    }
    call.path = parts.uri.to_string();
    let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
    let headers = parts.headers.iter();
    call.headers = headers
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect();
    call
}

fn preflight(path: String, origin: &str) -> Call {
    let call = Call {
        method: "OPTIONS".to_owned(),
        ..Call::new(path, "")
    };
    call.header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,x-amz-date")
}

fn exposed(response: &Response) -> Vec<&str> {
    let names = response.header("access-control-expose-headers").unwrap();
    names.split(", ").collect()
}

#[tokio::test]
async fn a_preflight_of_an_allowed_page_needs_no_signature() {
    let server = serve(
        Endpoint::builder()
            .cors(PAGE)
            .cors("https://App.Example:443"),
    )
    .await;
    for path in [invoke_path("echo"), stream_path("hello")] {
        for origin in [PAGE, "https://app.example"] {
            let call = preflight(path.clone(), origin)
                .header("access-control-request-private-network", "true");
            let response = plain(&server, call).await;
            assert_eq!((response.status().as_u16(), response.text()), (204, ""));
            for (name, value) in [
                ("access-control-allow-origin", origin),
                ("access-control-allow-methods", "POST"),
                ("access-control-allow-headers", "authorization,x-amz-date"),
                ("access-control-allow-private-network", "true"),
                ("vary", "Origin"),
            ] {
                assert_eq!(response.header(name), Some(value), "{name}");
            }
        }
        let response = plain(&server, preflight(path, "http://evil.example")).await;
        assert!(response.status().is_client_error());
        assert_eq!(response.header("access-control-allow-origin"), None);
        assert_eq!(response.header("vary"), Some("Origin"));
    }
}

#[tokio::test]
async fn an_allowed_page_reads_every_response_with_its_headers() {
    let fault = "count: throttle=CallerRateLimitExceeded retry-after=7";
    let builder = Endpoint::builder().cors(PAGE).fault(fault.parse().unwrap());
    let server = serve(builder).await;
    let mut client = Client::to(&server).await;
    for (call, status, header) in [
        (Call::invoke("echo", "1"), 200, "x-amz-executed-version"),
        (Call::invoke("echo", "1").tail(), 200, "x-amz-log-result"),
        (Call::invoke("fail", "{}"), 200, "x-amz-function-error"),
        (
            Call::stream("echo", "1"),
            200,
            "x-amzn-remapped-content-type",
        ),
        (Call::invoke("echo", "{"), 400, "x-amzn-errortype"),
        (Call::invoke("nobody", "1"), 404, "x-amzn-errortype"),
        (Call::stream("nobody", "1"), 404, "x-amzn-errortype"),
        (Call::invoke("count", "{}"), 429, "retry-after"),
    ] {
        let response = client.call(&call.header("origin", PAGE)).await;
        assert_eq!(response.status(), status);
        assert_eq!(response.header("access-control-allow-origin"), Some(PAGE));
        assert_eq!(response.header("vary"), Some("Origin"));
        let exposed = exposed(&response);
        assert!(exposed.contains(&header), "{header}: {exposed:?}");
        assert!(exposed.contains(&"x-amzn-requestid"), "{exposed:?}");
        assert!(exposed.contains(&"date"), "{exposed:?}");
        assert!(response.header(header).is_some());
    }
    // A response that says that the signature is missing can be read, too.
    let response = plain(&server, Call::invoke("echo", "1").header("origin", PAGE)).await;
    assert_eq!(response.status(), 403);
    assert_eq!(response.header("access-control-allow-origin"), Some(PAGE));
    // Another page cannot call, although it knows the default access key.
    let call = Call::invoke("echo", "1").header("origin", "http://evil.example");
    let response = client.call(&call).await;
    assert_eq!(response.status(), 403);
    assert_eq!(response.header("access-control-allow-origin"), None);
    // A call without an origin gets no header, either.
    let response = client.call(&Call::invoke("echo", "1")).await;
    assert_eq!(response.header("access-control-allow-origin"), None);
    assert_eq!(response.header("vary"), Some("Origin"));
}

#[tokio::test]
async fn every_page_may_call_only_if_configured() {
    let server = serve(Endpoint::builder().verify(false).cors("*")).await;
    for origin in [PAGE, "null", "http://evil.example"] {
        let response = plain(&server, preflight(invoke_path("echo"), origin)).await;
        assert_eq!(response.status(), 204);
        let response = plain(&server, Call::invoke("echo", "1").header("origin", origin)).await;
        assert_eq!((response.status().as_u16(), response.text()), (200, "1"));
        assert_eq!(response.header("access-control-allow-origin"), Some("*"));
    }
}

#[tokio::test]
async fn by_default_responses_have_no_cors_headers() {
    let own = Endpoint::builder().credential("AKIDEXAMPLE", "hush-hush");
    let own = serve(own.unwrap()).await;
    let default = serve(Endpoint::builder()).await;
    let response = plain(&own, preflight(invoke_path("echo"), PAGE)).await;
    assert_eq!(response.status(), 404);
    let response = plain(&default, preflight(invoke_path("echo"), PAGE)).await;
    assert_eq!(response.status(), 403);
    // A signed call of a page that is not allowed runs, but the browser does not let that page read
    // the response.
    let call = Call::invoke("echo", "1").header("origin", PAGE);
    let signer = signer_of("AKIDEXAMPLE", "hush-hush", "us-east-1");
    let mut client = Client::to(&own).await;
    let bytes = call.signed(own.local_addr(), &signer, now());
    client.stream.write_all(&bytes).await.unwrap();
    let signed = soon(client.response()).await.unwrap();
    let without_page = Client::to(&default)
        .await
        .call(&Call::invoke("echo", "1"))
        .await;
    for response in [signed, without_page] {
        assert_eq!(response.status(), 200);
        for name in [
            "vary",
            "access-control-allow-origin",
            "access-control-expose-headers",
        ] {
            assert_eq!(response.header(name), None);
        }
    }
}

/// Everybody knows the default access key, so its signatures prove nothing about a page.
#[tokio::test]
async fn with_the_default_key_a_foreign_page_is_rejected() {
    let limited = "local:local:e*".parse().unwrap();
    for builder in [Endpoint::builder(), Endpoint::builder().access_key(limited)] {
        let url = FunctionUrl::new().auth(UrlAuth::AwsIam);
        let server = serve(builder.default_url(url)).await;
        let address = server.local_addr().to_string();
        for (origin, host) in [
            ("http://evil.example", &*address),
            ("null", &address),
            // DNS rebinding: the page's own host name resolves to this machine.
            ("http://evil.example", "evil.example"),
        ] {
            for path in [
                invoke_path("echo"),
                stream_path("echo"),
                "/url/echo/".to_owned(),
            ] {
                for presigned in [false, true] {
                    let call = Call::new(path.clone(), "1").header("host", host);
                    let call = signed(call, presigned).header("origin", origin);
                    assert_eq!(plain(&server, call).await.status(), 403, "{path}");
                }
            }
        }
        assert!(server.calls("echo").is_empty());
        // The endpoint's own pages, and clients that are no page, under any name.
        let own = format!("http://{address}");
        for (origin, host) in [
            (Some(&*own), &*address),
            (None, "lambda:9001"),
            (None, "lambda.example:9001"),
        ] {
            let call = Call::invoke("echo", "1").header("host", host);
            let mut call = signed(call, false);
            if let Some(origin) = origin {
                call = call.header("origin", origin);
            }
            assert_eq!(plain(&server, call).await.status(), 200, "{host}");
        }
    }
}

/// A browser sends no `Origin` with a GET, so that only the host shows where it comes from.
#[tokio::test]
async fn a_rebound_name_cannot_read_what_the_endpoint_serves() {
    for (builder, expected) in [
        (Endpoint::builder(), 403),
        (Endpoint::builder().verify(false), 403),
        (Endpoint::builder().cors("http://name.example"), 200),
    ] {
        let server = serve(builder).await;
        for path in [
            "/2015-03-31/functions",
            "/2015-03-31/functions/",
            "/2015-03-31/functions/echo",
            "/2015-03-31/functions/echo/configuration",
        ] {
            let get = |host: &str| Call {
                method: "GET".to_owned(),
                ..Call::new(path, "").header("host", host)
            };
            for presigned in [false, true] {
                let response = plain(&server, signed(get("name.example"), presigned)).await;
                assert_eq!(response.status(), expected, "{path}");
            }
            for host in ["127.0.0.1:9001", "localhost:9001", "lambda:9001"] {
                let response = plain(&server, signed(get(host), false)).await;
                assert_eq!(response.status(), 200, "{host}");
            }
        }
    }
}

#[tokio::test]
async fn without_signatures_a_foreign_page_is_rejected() {
    for builder in [Endpoint::builder(), Endpoint::builder().cors(PAGE)] {
        let server = serve(builder.verify(false)).await;
        let address = server.local_addr().to_string();
        let local = format!("localhost:{}", server.local_addr().port());
        let call = |origin: &str, host: &str| {
            // A request that a form, or a script without a preflight, can send.
            Call::invoke("echo", "1")
                .header("origin", origin)
                .header("host", host)
                .header("content-type", "text/plain")
        };
        let other = format!("http://evil.example:{}", server.local_addr().port());
        for (origin, host) in [
            ("http://evil.example", &*address),
            ("null", &address),
            ("http://localhost", &address),
            ("http://localhost:3000.evil.example", &address),
            ("http://LOCALHOST:3000", &address),
            // DNS rebinding: the page's own host name resolves to this machine.
            (&other, other.strip_prefix("http://").unwrap()),
        ] {
            for stream in [false, true] {
                let mut call = call(origin, host);
                if stream {
                    call.path = stream_path("echo");
                }
                let response = plain(&server, call).await;
                assert_eq!(
                    response.rejection(),
                    (403, "AccessDeniedException".to_owned())
                );
                let error = response.error();
                let advice = format!("serve with --cors {origin}.");
                assert!(error.message().unwrap().ends_with(&advice), "{error}");
            }
        }
        let mut twice = call(PAGE, &address);
        twice = twice.header("origin", "http://evil.example");
        assert_eq!(plain(&server, twice).await.status(), 403);
        // The endpoint's own pages, and requests that come from no page.
        let own = call(&format!("http://{address}"), &address);
        assert_eq!(plain(&server, own).await.status(), 200);
        let own = call(&format!("http://{local}"), &local);
        assert_eq!(plain(&server, own).await.status(), 200);
        let named = Call::invoke("echo", "1").header("host", "lambda:9001");
        assert_eq!(plain(&server, named).await.status(), 200);
    }
    let server = serve(Endpoint::builder().verify(false).cors(PAGE).cors("null")).await;
    for origin in [PAGE, "null"] {
        let response = plain(&server, Call::invoke("echo", "1").header("origin", origin)).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.header("access-control-allow-origin"), Some(origin));
    }
}

/// Where no signatures are verified, a function URL that requires one is not protected by it.
#[tokio::test]
async fn without_verification_no_url_can_be_called_by_another_page() {
    for auth in [UrlAuth::None, UrlAuth::AwsIam] {
        let builder = Endpoint::builder()
            .verify(false)
            .default_url(FunctionUrl::new().auth(auth));
        let server = serve(builder).await;
        let get = || Call {
            method: "GET".to_owned(),
            ..Call::new("/url/echo/", "")
        };
        assert_eq!(plain(&server, get()).await.status(), 200);
        for (name, value) in [
            ("host", "evil.example"),
            ("origin", "http://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ] {
            let response = plain(&server, get().header(name, value)).await;
            assert_eq!(response.status(), 403, "{auth:?} {name}");
        }
        assert_eq!(server.calls("echo").len(), 1);
    }
}

#[tokio::test]
async fn rejects_an_origin_that_no_browser_sends() {
    for text in ["localhost:3000", "http://localhost:3000/", "http://*", ""] {
        let error = Endpoint::builder().cors(text).build().unwrap_err();
        assert!(matches!(&error, BuildError::Origin(origin) if origin == text));
        assert!(error.to_string().contains("such as http://localhost:3000"));
    }
}
