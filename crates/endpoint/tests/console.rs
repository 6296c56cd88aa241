//! The console over a real socket: who may use it, and what it shows.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::sync::{Arc, Mutex};

use common::{Call, Client, Response, serve, soon};
use lambda_invoke_endpoint::{
    Endpoint, EndpointBuilder, Function, FunctionError, FunctionUrl, Server, Via,
};
use lambda_invoke_error::Operation;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn endpoint() -> EndpointBuilder {
    let words = Function::streaming("words", |invocation, mut writer| async move {
        invocation.log("a line of the log");
        for word in ["one ", "two ", "three"] {
            writer.write(word).await?;
        }
        Ok::<_, FunctionError>(())
    });
    let fails = Function::buffered("fails", |_| async {
        Err::<&str, _>(FunctionError::new("Broken", "on purpose"))
    });
    Endpoint::builder()
        .functions([words, fails])
        .default_url(FunctionUrl::new())
        .console(true)
}

fn request(server: &Server, method: &str, path: &str, body: &str) -> Call {
    let host = server.local_addr().to_string();
    let mut call = Call::new(format!("/console/{path}"), body.to_owned()).header("host", host);
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

fn token(server: &Server) -> String {
    server
        .console_url()
        .unwrap()
        .split_once('#')
        .unwrap()
        .1
        .to_owned()
}

async fn session(server: &Server, client: &mut Client) -> String {
    let response = send(client, &request(server, "POST", "session", &token(server))).await;
    assert_eq!(response.status(), 200);
    response.text().to_owned()
}

/// Reads lines of the feed until one satisfies the predicate.
async fn line(client: &mut Client, wanted: impl Fn(&Value) -> bool) -> Value {
    soon(async {
        let mut text = Vec::new();
        loop {
            text.extend_from_slice(&client.chunk().await.unwrap().unwrap());
            while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                let rest = text.split_off(end + 1);
                let line = std::mem::replace(&mut text, rest);
                if line != b"\n" {
                    let value: Value = serde_json::from_slice(&line).unwrap();
                    if wanted(&value) {
                        return value;
                    }
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn the_page_is_protected_from_other_pages() {
    let (server, mut client) = serve(endpoint()).await;
    let page = send(&mut client, &request(&server, "GET", "", "")).await;
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let policy = page.header("content-security-policy").unwrap();
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(
        page.header("cross-origin-resource-policy"),
        Some("same-origin")
    );
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("set-cookie"), None);
    // The page has no inline styles or scripts, which the policy would block.
    assert!(!page.text().contains("<style") && !page.text().contains(" style="));
    assert!(!page.text().contains("onclick") && !page.text().contains("<script>"));
    let mut head = Client::to(&server).await;
    let call = request(&server, "HEAD", "", "");
    head.stream.write_all(&call.written()).await.unwrap();
    assert_eq!(soon(head.head()).await.unwrap().parts.status, 200);
    for file in ["console.css", "console.js"] {
        assert_eq!(
            send(&mut client, &request(&server, "GET", file, ""))
                .await
                .status(),
            200
        );
    }
}

#[tokio::test]
async fn nothing_works_without_a_session_and_the_token_opens_one() {
    let notices = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&notices);
    let builder = endpoint().on_notice(move |notice| sink.lock().unwrap().push(notice.to_string()));
    let (server, mut client) = serve(builder).await;
    let token = token(&server);
    for (method, path) in [
        ("GET", "functions"),
        ("GET", "calls"),
        ("POST", "call?function=words"),
    ] {
        let without = request(&server, method, path, "{}");
        assert_eq!(send(&mut client, &without).await.status(), 401, "{path}");
        // The token in the link is not a session key.
        let wrong = without.header("x-console-session", token.clone());
        assert_eq!(send(&mut client, &wrong).await.status(), 401, "{path}");
    }
    for wrong in ["", "0000", &token[1..], &format!("{token}0")] {
        let response = send(&mut client, &request(&server, "POST", "session", wrong)).await;
        assert_eq!(response.status(), 403, "{wrong}");
    }
    let key = session(&server, &mut client).await;
    let again = send(&mut client, &request(&server, "POST", "session", &token)).await;
    assert_eq!(again.status(), 403);
    // The link for the next tab is announced.
    let notices = notices.lock().unwrap().clone();
    let next = server.console_url().unwrap();
    assert_ne!(next.split_once('#').unwrap().1, token);
    assert_eq!(
        notices,
        [format!("the console was opened; to open it again: {next}")]
    );

    let with = request(&server, "GET", "functions", "").header("x-console-session", key);
    let functions = send(&mut client, &with).await.json();
    assert_eq!(functions[0]["name"], "fails");
    assert_eq!(functions[1]["kind"], "streaming");
}

#[tokio::test]
async fn another_origin_or_host_cannot_use_it_even_with_the_token() {
    let (server, mut client) = serve(endpoint().cors("https://app.example")).await;
    let port = server.local_addr().port();
    let token = token(&server);
    let own = server.local_addr().to_string();
    let key = {
        let mut other = Client::to(&server).await;
        session(&server, &mut other).await
    };
    let (evil_host, next_host) = (format!("evil.example:{port}"), format!("localhost:{port}"));
    for (host, header, value) in [
        (&own, "origin", "https://evil.example"),
        // This origin may call the API, but not use the console.
        (&own, "origin", "https://app.example"),
        (&own, "origin", "http://localhost:3000"),
        (&own, "origin", "null"),
        (&own, "sec-fetch-site", "cross-site"),
        (&own, "sec-fetch-site", "same-site"),
        (&evil_host, "x-nothing", ""),
        (&evil_host, "sec-fetch-site", "same-origin"),
        (&next_host, "origin", own.as_str()),
    ] {
        for (method, path, body) in [
            ("POST", "session", &*token),
            ("GET", "functions", ""),
            ("GET", "calls", ""),
            ("POST", "call?function=words", "{}"),
            ("OPTIONS", "call?function=words", ""),
        ] {
            let mut call = Call::new(format!("/console/{path}"), body.to_owned())
                .header("host", host.clone())
                .header("x-console-session", key.clone())
                .header(header, value);
            call.method = method.to_owned();
            let response = send(&mut client, &call).await;
            assert_eq!(
                response.status(),
                403,
                "{method} {path} {host} {header}: {value}"
            );
            assert_eq!(response.header("access-control-allow-origin"), None);
        }
    }
}

#[tokio::test]
async fn a_call_streams_its_chunks_and_the_feed_shows_them_with_times() {
    let (server, mut client) = serve(endpoint()).await;
    let key = session(&server, &mut client).await;
    let mut feed = Client::to(&server).await;
    let calls = request(&server, "GET", "calls", "").header("x-console-session", key.clone());
    feed.stream.write_all(&calls.written()).await.unwrap();
    soon(feed.head()).await.unwrap();

    let call = request(&server, "POST", "call?function=words", r#"{"a": 1}"#)
        .header("x-console-session", key.clone());
    client.stream.write_all(&call.written()).await.unwrap();
    let head = soon(client.head()).await.unwrap();
    let id = head.parts.headers["x-amzn-requestid"]
        .to_str()
        .unwrap()
        .to_owned();
    for word in ["one ", "two ", "three"] {
        assert_eq!(soon(client.chunk()).await.unwrap().unwrap(), word);
    }
    assert_eq!(soon(client.chunk()).await.unwrap(), None);

    let shown = line(&mut feed, |line| !line["end"].is_null()).await;
    assert_eq!(shown["id"], id.as_str());
    assert_eq!(shown["function"], "words");
    assert_eq!(shown["via"], "Console");
    assert_eq!(shown["payload"], r#"{"a": 1}"#);
    assert_eq!(shown["output"], "one two three");
    assert!(
        shown["log"]
            .as_str()
            .unwrap()
            .contains("a line of the log\n")
    );
    let chunks = shown["chunks"].as_array().unwrap();
    let times: Vec<f64> = chunks
        .iter()
        .map(|chunk| chunk["at"].as_f64().unwrap())
        .collect();
    assert_eq!(times.len(), 3);
    assert!(times.is_sorted() && times[2] <= shown["end"]["at"].as_f64().unwrap());
    assert_eq!(shown["end"]["error"], Value::Null);

    // Calls through the URL and through the API appear, too.
    let mut url = Call::new("/url/words/", "").header("host", "localhost");
    url.method = "GET".to_owned();
    assert_eq!(send(&mut client, &url).await.text(), "one two three");
    line(&mut feed, |line| line["via"] == "URL" && line["count"] == 3).await;
    let response = client.call(&Call::invoke("fails", "{}")).await;
    assert_eq!(response.status(), 200);
    let failed = line(&mut feed, |line| {
        line["function"] == "fails" && !line["end"].is_null()
    })
    .await;
    assert_eq!(failed["via"], "Invoke");
    assert_eq!(failed["end"]["error"], "Broken: on purpose");
    client.call(&Call::invoke("words", "{}").event()).await;
    line(&mut feed, |line| {
        line["via"] == "Event" && !line["end"].is_null()
    })
    .await;
    // Tests that read the recorded calls see those from the console and through the URL, too.
    let calls = server.calls("words");
    let via: Vec<_> = calls.iter().map(|call| call.via).collect();
    let invoke = Via::Api(Operation::Invoke);
    assert_eq!(via, [Via::Console, Via::Url, invoke]);
    assert_eq!(calls[0].payload, r#"{"a": 1}"#);
    assert_eq!(calls[0].request_id, id);
}

/// Opens a session and its feed.
async fn feed(server: &Server) -> Client {
    let mut feed = Client::to(server).await;
    let key = session(server, &mut feed).await;
    let calls = request(server, "GET", "calls", "").header("x-console-session", key);
    feed.stream.write_all(&calls.written()).await.unwrap();
    soon(feed.head()).await.unwrap();
    feed
}

#[tokio::test]
async fn the_feed_says_why_a_result_was_rejected() {
    let streams = |name: &str, prelude: &'static str, ends: bool| {
        Function::streaming(name, move |_, mut writer| async move {
            writer.content_type("application/vnd.awslambda.http-integration-response");
            writer.write(prelude).await?;
            if !ends {
                std::future::pending::<()>().await;
            }
            Ok::<_, FunctionError>(())
        })
    };
    let returns = |name: &str, result: &'static str| {
        Function::buffered(name, move |_| async move { Ok::<_, FunctionError>(result) })
    };
    let builder = endpoint().functions([
        streams("invalid", "{\"statusCode\":99}\0\0\0\0\0\0\0\0", false),
        streams("incomplete", "{}\0\0", true),
        returns("status", r#"{"statusCode":101}"#),
        returns(
            "base64",
            r#"{"statusCode":200,"body":"?","isBase64Encoded":true}"#,
        ),
        returns("html", "<html>"),
    ]);
    let (server, mut client) = serve(builder).await;
    let mut feed = feed(&server).await;
    for (name, part) in [
        ("invalid", "99"),
        ("incomplete", "prelude"),
        ("status", "101"),
        ("base64", "base64"),
        ("html", "JSON"),
        ("fails", "Broken: on purpose"),
    ] {
        let call = Call::new(format!("/url/{name}/"), "").header("host", "localhost");
        assert_eq!(send(&mut client, &call).await.status(), 502, "{name}");
        let ended = |line: &Value| line["function"] == name && !line["end"].is_null();
        let shown = line(&mut feed, ended).await;
        let error = shown["end"]["error"].as_str().unwrap_or_default();
        assert!(error.contains(part), "{name}: {shown}");
    }
}

#[tokio::test]
async fn a_stream_whose_response_has_no_body_runs_to_its_end() {
    let prelude = |name: &str, prelude: &'static str, fails: bool| {
        Function::streaming(name, move |_, mut writer| async move {
            writer.content_type("application/vnd.awslambda.http-integration-response");
            writer.write(prelude).await?;
            for _ in 0..3 {
                writer.write("x".repeat(100_000)).await?;
                tokio::task::yield_now().await;
            }
            match fails {
                true => Err(FunctionError::new("Broken", "at the end")),
                false => Ok::<_, FunctionError>(()),
            }
        })
    };
    let builder = endpoint().functions([
        prelude("page", "{}\0\0\0\0\0\0\0\0", false),
        prelude("empty", "{\"statusCode\":204}\0\0\0\0\0\0\0\0", false),
        prelude("same", "{\"statusCode\":304}\0\0\0\0\0\0\0\0", false),
        prelude("late", "{\"statusCode\":204}\0\0\0\0\0\0\0\0", true),
    ]);
    let (server, mut client) = serve(builder).await;
    let mut feed = feed(&server).await;
    for (method, name, status, error) in [
        ("HEAD", "words", 200, Value::Null),
        ("HEAD", "page", 200, Value::Null),
        ("GET", "empty", 204, Value::Null),
        ("GET", "same", 304, Value::Null),
        ("GET", "late", 204, Value::from("Broken: at the end")),
    ] {
        let mut call = Call::new(format!("/url/{name}/"), "").header("host", "localhost");
        call.method = method.to_owned();
        client.stream.write_all(&call.written()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            soon(client.stream.read_buf(&mut head)).await.unwrap();
        }
        let expected = format!("HTTP/1.1 {status} ");
        assert!(head.starts_with(expected.as_bytes()), "{name}");
        let ended = |line: &Value| line["function"] == name && !line["end"].is_null();
        let shown = line(&mut feed, ended).await;
        assert_eq!(shown["end"]["error"], error, "{name}");
    }
}

#[tokio::test]
async fn a_failure_and_an_invalid_payload_are_shown_to_the_developer() {
    let (server, mut client) = serve(endpoint()).await;
    let key = session(&server, &mut client).await;
    for (path, body, status, text) in [
        ("call?function=fails", "{}", 502, "on purpose"),
        ("call?function=words", "{", 400, "the payload is not JSON"),
        ("call?function=nobody", "{}", 404, "There is no function"),
        ("call", "{}", 404, "There is no function"),
        ("nothing", "", 404, "no such resource"),
    ] {
        let call = request(&server, "POST", path, body).header("x-console-session", key.clone());
        let response = send(&mut client, &call).await;
        assert_eq!(response.status(), status, "{path}");
        assert!(
            response.text().contains(text),
            "{path}: {}",
            response.text()
        );
        // The browser must not interpret any other response as a page.
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
        assert_ne!(
            response.header("content-type"),
            Some("text/html; charset=utf-8")
        );
    }
}

#[tokio::test]
async fn an_open_feed_does_not_delay_the_shutdown() {
    let (server, mut client) = serve(endpoint()).await;
    let key = session(&server, &mut client).await;
    let calls = request(&server, "GET", "calls", "").header("x-console-session", key);
    client.stream.write_all(&calls.written()).await.unwrap();
    soon(client.head()).await.unwrap();
    assert!(soon(server.shutdown(std::time::Duration::from_secs(600))).await);
}

#[tokio::test]
async fn there_is_no_console_unless_it_is_asked_for() {
    let (server, mut client) = serve(Endpoint::builder().builtins()).await;
    assert_eq!(server.console_url(), None);
    let response = send(&mut client, &request(&server, "GET", "", "")).await;
    assert!(response.status().is_client_error() || response.status().is_server_error());
}
