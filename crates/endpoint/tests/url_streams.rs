//! Streaming functions through their URLs, over a real socket.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::io::ErrorKind;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{Call, serve, soon};
use lambda_invoke_endpoint::{
    Ending, Endpoint, EndpointBuilder, Function, FunctionError, FunctionUrl, RequestRecord, UrlMode,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

const INTEGRATION: &str = "application/vnd.awslambda.http-integration-response";

/// A function that writes what the test sends it; the test sends a chunk once it has received the
/// one before.
fn driven(name: &str, content_type: &'static str) -> (Function, mpsc::Sender<&'static [u8]>) {
    let (sender, receiver) = mpsc::channel::<&'static [u8]>(1);
    let receiver = Arc::new(tokio::sync::Mutex::new(receiver));
    let function = Function::streaming(name, move |_, mut writer| {
        let receiver = Arc::clone(&receiver);
        async move {
            writer.content_type(content_type);
            writer.start();
            while let Some(chunk) = receiver.lock().await.recv().await {
                if chunk == b"FAIL" {
                    return Err(FunctionError::new("Broken", "in mid-stream"));
                }
                if chunk == b"END" {
                    break;
                }
                writer.write(chunk).await?;
            }
            Ok::<_, FunctionError>(())
        }
    });
    (function, sender)
}

fn endpoint(function: Function) -> EndpointBuilder {
    Endpoint::builder()
        .function(function)
        .default_url(FunctionUrl::new())
}

fn get(path: &str) -> Vec<u8> {
    let mut call = Call::new(path, "").header("host", "localhost");
    call.method = "GET".to_owned();
    call.written()
}

#[tokio::test]
async fn the_head_and_every_chunk_arrive_before_the_next_is_written() {
    let (function, write) = driven("events", "text/event-stream");
    let (_server, mut client) = serve(endpoint(function)).await;
    soon(async {
        client.stream.write_all(&get("/url/events/")).await.unwrap();
        let head = client.head().await.unwrap();
        assert_eq!(head.parts.status, 200);
        assert_eq!(head.parts.headers["content-type"], "text/event-stream");
        assert!(!head.parts.headers.contains_key("content-encoding"));
        for chunk in ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"] {
            write.send(chunk.as_bytes()).await.unwrap();
            assert_eq!(client.chunk().await.unwrap().unwrap(), chunk);
        }
        write.send(b"END").await.unwrap();
        assert_eq!(client.chunk().await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_fault_rule_delays_each_chunk_of_a_url() {
    let three = Function::streaming("three", |_, mut writer| async move {
        for word in ["one", "two", "three"] {
            writer.write(word).await?;
        }
        Ok::<_, FunctionError>(())
    });
    let builder = endpoint(three).fault("*: delay-chunks=30ms".parse().unwrap());
    let (_server, mut client) = serve(builder).await;
    let started = Instant::now();
    client.stream.write_all(&get("/url/three/")).await.unwrap();
    client.head().await.unwrap();
    let mut words = String::new();
    while let Some(chunk) = client.chunk().await.unwrap() {
        words.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert_eq!(words, "onetwothree");
    assert!(started.elapsed() >= Duration::from_millis(90));
}

#[tokio::test]
async fn the_prelude_is_the_head_and_is_sent_at_once() {
    let (function, write) = driven("page", INTEGRATION);
    let (_server, mut client) = serve(endpoint(function)).await;
    soon(async {
        client.stream.write_all(&get("/url/page/")).await.unwrap();
        // The prelude comes in pieces, as the official runtimes write it.
        write
            .send(br#"{"statusCode":201,"headers":{"content-type":"text/html","connection":"x"},"#)
            .await
            .unwrap();
        write.send(br#""cookies":["a=1","b=2"]}"#).await.unwrap();
        write.send(b"\0\0\0\0\0\0\0\0").await.unwrap();
        let head = client.head().await.unwrap();
        assert_eq!(head.parts.status, 201);
        assert_eq!(head.parts.headers["content-type"], "text/html");
        assert_eq!(head.parts.headers.get_all("set-cookie").iter().count(), 2);
        assert!(!head.parts.headers.contains_key("connection"));
        for chunk in ["<p>", "</p>"] {
            write.send(chunk.as_bytes()).await.unwrap();
            assert_eq!(client.chunk().await.unwrap().unwrap(), chunk);
        }
        write.send(b"END").await.unwrap();
        assert_eq!(client.chunk().await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_failure_in_mid_stream_truncates_the_response_and_one_before_it_is_502() {
    let records: Arc<Mutex<Vec<RequestRecord>>> = Arc::default();
    let sink = Arc::clone(&records);
    let (function, write) = driven("page", INTEGRATION);
    let builder = endpoint(function).on_response(move |record| {
        sink.lock().unwrap().push(record.clone());
    });
    let (_server, mut client) = serve(builder).await;
    soon(async {
        client.stream.write_all(&get("/url/page/")).await.unwrap();
        write.send(b"{\"status").await.unwrap();
        write.send(b"FAIL").await.unwrap();
        let response = client.response().await.unwrap();
        assert_eq!(response.status(), 502);
        assert_eq!(response.text(), "Internal Server Error");

        client.stream.write_all(&get("/url/page/")).await.unwrap();
        write.send(b"{}\0\0\0\0\0\0\0\0half").await.unwrap();
        client.head().await.unwrap();
        assert_eq!(client.chunk().await.unwrap().unwrap(), "half");
        write.send(b"FAIL").await.unwrap();
        let (rest, _) = client.rest().await;
        // The last HTTP chunk, which would make the response look complete, is missing.
        assert_eq!(rest, b"");
        while records.lock().unwrap().len() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let records = records.lock().unwrap();
    for record in &*records {
        assert_eq!(record.failure.as_deref(), Some("Broken: in mid-stream"));
    }
    assert_eq!(records[1].ending, Ending::Failed);
}

#[tokio::test]
async fn a_byte_fault_does_not_make_a_failed_stream_look_complete() {
    let (function, write) = driven("page", "text/plain");
    let builder = endpoint(function).fault("page: flip-at=1000".parse().unwrap());
    let (_server, mut client) = serve(builder).await;
    soon(async {
        client.stream.write_all(&get("/url/page/")).await.unwrap();
        write.send(b"half").await.unwrap();
        client.head().await.unwrap();
        assert_eq!(client.chunk().await.unwrap().unwrap(), "half");
        write.send(b"FAIL").await.unwrap();
        assert!(client.chunk().await.is_err());
    })
    .await;
}

/// In HTTP/1.0, a body of unknown length ends with the connection.
#[tokio::test]
async fn a_truncated_stream_resets_a_connection_of_http_1_0() {
    let reset = Err(ErrorKind::ConnectionReset);
    for (last, expected) in [("FAIL", reset), ("END", Ok(0)), ("shutdown", reset)] {
        let (function, write) = driven("page", "text/plain");
        let (server, mut client) = serve(endpoint(function)).await;
        soon(async {
            let request = b"GET /url/page/ HTTP/1.0\r\nhost: localhost\r\n\r\n";
            client.stream.write_all(request).await.unwrap();
            write.send(b"half").await.unwrap();
            let mut received = Vec::new();
            while !received.ends_with(b"half") {
                assert!(client.stream.read_buf(&mut received).await.unwrap() > 0);
            }
            if last == "shutdown" {
                server.shutdown(Duration::ZERO).await;
            } else {
                write.send(last.as_bytes()).await.unwrap();
            }
            let end = client.stream.read(&mut [0]).await;
            assert_eq!(end.map_err(|error| error.kind()), expected, "{last}");
        })
        .await;
    }
}

#[tokio::test]
async fn an_invalid_prelude_is_502() {
    for prelude in [
        &b"hello"[..],
        b"{\"statusCode\":99}\0\0\0\0\0\0\0\0",
        b"{\"statusCode\":150}\0\0\0\0\0\0\0\0",
        b"{}\0\0",
    ] {
        let (function, write) = driven("page", INTEGRATION);
        let (_server, mut client) = serve(endpoint(function)).await;
        soon(async {
            client.stream.write_all(&get("/url/page/")).await.unwrap();
            write.send(prelude).await.unwrap();
            let _ = write.send(b"END").await;
            assert_eq!(client.response().await.unwrap().status(), 502);
        })
        .await;
    }
}

#[tokio::test]
async fn buffered_mode_collects_a_stream_and_response_stream_mode_sends_json_unconverted() {
    let streaming = Function::streaming("page", |_, mut writer| async move {
        writer.content_type(INTEGRATION);
        writer
            .write("{\"statusCode\":202}\0\0\0\0\0\0\0\0on")
            .await?;
        writer.write("e").await?;
        Ok::<_, FunctionError>(())
    })
    .url(FunctionUrl::new().mode(UrlMode::Buffered));
    let plain = Function::streaming("plain", |_, mut writer| async move {
        writer.content_type("text/plain");
        writer.write("one").await?;
        Ok::<_, FunctionError>(())
    })
    .url(FunctionUrl::new().mode(UrlMode::Buffered));
    let json = |name: &str, content_type: Option<&'static str>| {
        let function = Function::streaming(name, move |_, mut writer| async move {
            if let Some(content_type) = content_type {
                writer.content_type(content_type);
            }
            writer.write("17").await?;
            Ok::<_, FunctionError>(())
        });
        function.url(FunctionUrl::new().mode(UrlMode::Buffered))
    };
    let json = [json("number", Some("text/plain")), json("untyped", None)];
    let buffered = Function::buffered("raw", |_| async {
        Ok::<_, FunctionError>(r#"{"statusCode":404}"#)
    })
    .url(FunctionUrl::new().mode(UrlMode::ResponseStream));
    let builder = Endpoint::builder().functions([streaming, plain, buffered]);
    let builder = builder.functions(json);
    let (_server, mut client) = serve(builder).await;
    for (path, status, length, content_type, body) in [
        (
            "/url/page/",
            202,
            Some("3"),
            "application/octet-stream",
            "one",
        ),
        ("/url/plain/", 200, Some("3"), "text/plain", "one"),
        ("/url/number/", 200, Some("2"), "text/plain", "17"),
        ("/url/untyped/", 200, Some("2"), "application/json", "17"),
        (
            "/url/raw/",
            200,
            None,
            "application/json",
            "{\"statusCode\":404}",
        ),
    ] {
        client.stream.write_all(&get(path)).await.unwrap();
        let response = soon(client.response()).await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.header("content-length"), length, "{path}");
        assert_eq!(
            response.header("content-type"),
            Some(content_type),
            "{path}"
        );
        assert_eq!(response.text(), body, "{path}");
    }
}

#[tokio::test]
async fn a_function_s_write_fails_when_the_client_disconnects() {
    let (gone, mut was_gone) = mpsc::channel(1);
    let function = Function::streaming("endless", move |_, mut writer| {
        let gone = gone.clone();
        async move {
            while writer.write("tick").await.is_ok() {
                tokio::task::yield_now().await;
            }
            gone.send(()).await.unwrap();
            Ok::<_, FunctionError>(())
        }
    });
    let (_server, mut client) = serve(endpoint(function)).await;
    soon(async {
        client
            .stream
            .write_all(&get("/url/endless/"))
            .await
            .unwrap();
        client.head().await.unwrap();
        assert_eq!(client.chunk().await.unwrap().unwrap(), "tick");
        drop(client);
        was_gone.recv().await.unwrap();
    })
    .await;
}
