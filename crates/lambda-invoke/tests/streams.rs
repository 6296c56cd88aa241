//! Response streams over real sockets, from the local endpoint and from a server that misbehaves.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helper may")]

mod support;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream as _;
use http::HeaderName;
use lambda_invoke::{ErrorKind, Execution};
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError};
use lambda_invoke_event_stream::{HeaderBlock, HeaderValue, Message};
use lambda_invoke_protocol::{InvokeComplete, StreamEvent};
use support::{
    LAST_CHUNK, Server, Step, chunk, client_of, complete, drain, event_bytes, events, http_chunk,
    local, responding, stream_head, whole_stream,
};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _};
use tokio::sync::{Notify, oneshot};

#[tokio::test]
async fn the_first_chunk_arrives_before_the_function_makes_the_second() {
    let acknowledged = Arc::new(Notify::new());
    let waiting = Arc::clone(&acknowledged);
    let function = Function::streaming("two", move |_, mut writer| {
        let waiting = Arc::clone(&waiting);
        async move {
            writer.write("first").await?;
            // Continues only when the client has read the first chunk.
            waiting.notified().await;
            writer.write("second").await?;
            Ok::<_, FunctionError>(())
        }
    });
    let (_server, client) = local(function).await;
    let mut stream = client.stream("two").send().await.unwrap();
    assert_eq!(stream.next_chunk().await.unwrap().unwrap(), "first");
    acknowledged.notify_one();
    assert_eq!(stream.next_chunk().await.unwrap().unwrap(), "second");
    assert!(stream.next_chunk().await.is_none());
    assert!(stream.completion().unwrap().outcome() == lambda_invoke::Outcome::NotReported);
}

#[tokio::test]
async fn a_stream_truncated_at_any_byte_is_an_error_with_the_count_of_bytes() {
    let first = event_bytes([chunk("abc")]).len();
    let second = first + event_bytes([chunk("defgh")]).len();
    let whole = event_bytes([chunk("abc"), chunk("defgh"), complete()]);
    for at in 0..whole.len() {
        let received = if at >= second {
            8
        } else if at >= first {
            3
        } else {
            0
        };
        for ends_cleanly in [true, false] {
            let mut bytes = stream_head(&[]);
            if at > 0 {
                bytes.extend(http_chunk(&whole[..at]));
            }
            if ends_cleanly {
                bytes.extend(LAST_CHUNK);
            }
            let server = responding(bytes).await;
            let mut stream = server.client().stream("f").send().await.unwrap();
            let (all, end) = drain(&mut stream).await;
            let error =
                end.unwrap_or_else(|| panic!("truncated at {at}, it ended without an error"));
            assert_eq!(error.kind(), ErrorKind::Truncated, "{error}");
            assert_eq!(error.received(), Some(received));
            assert_eq!(all, &b"abcdefgh"[..received as usize]);
            assert_eq!(error.execution(), Execution::Started);
            assert_eq!(error.request_id(), Some("the-id"));
            assert!(
                error
                    .to_string()
                    .contains(&format!("after {received} bytes")),
                "{error}"
            );
            assert!(stream.completion().is_none());
        }
    }
}

#[tokio::test]
async fn any_split_of_the_body_yields_the_same() {
    let whole = event_bytes([chunk("abc"), chunk(""), chunk("defgh"), complete()]);
    for at in 1..whole.len() {
        let mut bytes = stream_head(&[]);
        bytes.extend(http_chunk(&whole[..at]));
        bytes.extend(http_chunk(&whole[at..]));
        bytes.extend(LAST_CHUNK);
        let server = responding(bytes).await;
        let mut stream = server.client().stream("f").send().await.unwrap();
        let (all, end) = drain(&mut stream).await;
        assert!(end.is_none(), "{end:?}");
        assert_eq!(all, b"abcdefgh");
    }
}

#[tokio::test]
async fn a_function_that_fails_is_an_error_after_what_it_wrote() {
    let function = Function::streaming("fails", |call, mut writer| async move {
        call.log("about to fail");
        writer.write("some").await?;
        Err::<(), _>(FunctionError::new("Broken", "it broke"))
    });
    let builder = Endpoint::builder()
        .function(function)
        .error_code_in_stream(true);
    let server = builder.bind_local().await.unwrap();
    let call = client_of(&server).stream("fails").log_tail();
    let mut stream = call.send().await.unwrap();
    let (all, end) = drain(&mut stream).await;
    assert_eq!(all, b"some");
    let error = end.unwrap();
    assert_eq!(error.kind(), ErrorKind::FunctionFailed);
    assert_eq!(error.execution(), Execution::Started);
    assert_eq!(error.received(), Some(4));
    let failure = error.function_failure().unwrap();
    assert!(!failure.code.as_deref().unwrap().is_empty());
    assert!(
        failure.details.as_ref().unwrap().contains("it broke"),
        "{failure:?}"
    );
    assert!(
        failure
            .log
            .as_ref()
            .unwrap()
            .text()
            .contains("about to fail")
    );
    // The code appears once, although code and type are the same.
    let code = failure.code.as_deref().unwrap();
    assert!(
        error
            .to_string()
            .starts_with(&format!("the function failed: {code}: it broke")),
        "{error}"
    );
}

#[tokio::test]
async fn dropping_next_midway_loses_nothing() {
    // Every byte of the body arrives on its own, and the client gives up after each poll.
    let whole = event_bytes([chunk("abc"), chunk("defgh"), complete()]);
    let go = Arc::new(Notify::new());
    let told = Arc::clone(&go);
    let server = Server::start(move |_, _| {
        let mut steps = vec![Step::Write(stream_head(&[]))];
        for byte in &whole {
            steps.push(Step::Wait(Arc::clone(&told)));
            steps.push(Step::Write(http_chunk(&[*byte])));
        }
        steps.push(Step::Write(LAST_CHUNK.to_vec()));
        steps
    })
    .await;
    let mut stream = server.client().stream("f").send().await.unwrap();
    let mut all = Vec::new();
    let mut dropped = 0;
    loop {
        go.notify_one();
        // The future is dropped after a millisecond, wherever it is at that time.
        match tokio::time::timeout(Duration::from_millis(1), stream.next_chunk()).await {
            Ok(Some(piece)) => all.extend_from_slice(&piece.unwrap()),
            Ok(None) => break,
            Err(_) => dropped += 1,
        }
    }
    assert_eq!(all, b"abcdefgh");
    assert!(dropped > 20, "only {dropped} futures were dropped midway");
}

#[tokio::test]
async fn is_a_futures_stream() {
    let server = responding(whole_stream()).await;
    let mut stream = server.client().stream("f").send().await.unwrap();
    let piece = std::future::poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await;
    assert_eq!(piece.unwrap().unwrap(), "hello");
    let end = std::future::poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await;
    assert!(end.is_none());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(matches!(
        Pin::new(&mut stream).poll_next(&mut cx),
        Poll::Ready(None)
    ));
}

#[tokio::test]
async fn is_an_async_read_that_ends_only_where_the_stream_did() {
    let body = [
        event_bytes([chunk("one\ntw"), chunk("o\nthree")]),
        event_bytes([complete()]),
    ];
    let whole = [
        stream_head(&[]),
        http_chunk(&body.concat()),
        LAST_CHUNK.to_vec(),
    ]
    .concat();
    let server = responding(whole).await;
    let stream = server.client().stream("f").send().await.unwrap();
    let mut lines = stream.into_reader().lines();
    let mut read = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        read.push(line);
    }
    assert_eq!(read, ["one", "two", "three"]);

    let cut = [stream_head(&[]), http_chunk(&body[0]), LAST_CHUNK.to_vec()].concat();
    let server = responding(cut).await;
    let stream = server.client().stream("f").send().await.unwrap();
    let mut reader = stream.into_reader();
    let mut text = String::new();
    let error = reader.read_to_string(&mut text).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    let inner = error
        .get_ref()
        .unwrap()
        .downcast_ref::<lambda_invoke::Error>()
        .unwrap();
    assert_eq!(
        (inner.kind(), inner.received()),
        (ErrorKind::Truncated, Some(13))
    );
    // Another read returns an error again, not the end.
    assert!(reader.read(&mut [0; 8]).await.is_err());
    assert!(reader.fill_buf().await.is_err());
}

#[tokio::test]
async fn is_an_http_response_without_its_prelude() {
    let remapped = "application/vnd.awslambda.http-integration-response";
    // A server that relays the response must not send the function's idea of its length.
    let prelude = r#"{"statusCode":418,"headers":{"x-a":"1","content-length":"5","connection":"x-b","x-b":"2"},"cookies":["a=1","b=2"]}"#;
    let bytes = [prelude.as_bytes(), &[0; 8], b"short and stout"].concat();
    // Split within the JSON, within the NUL bytes, and within the body.
    for cut in [10, prelude.len() + 3, prelude.len() + 8, prelude.len() + 11] {
        let parts = [&bytes[..cut], &bytes[cut..]]
            .map(|part| StreamEvent::PayloadChunk(Bytes::copy_from_slice(part).into()));
        let body = events(parts.into_iter().chain([complete()]));
        let head = stream_head(&[("x-amzn-remapped-content-type", remapped)]);
        let server = responding([head, body, LAST_CHUNK.to_vec()].concat()).await;
        let stream = server.client().stream("f").send().await.unwrap();
        assert_eq!(stream.remapped_content_type(), Some(remapped));
        let mut http = stream.into_http().await.unwrap();
        assert_eq!(http.status(), 418);
        assert_eq!(http.headers().unwrap()["x-a"], "1");
        assert_eq!(http.headers().unwrap()["content-length"], "5");
        assert_eq!(http.cookies(), ["a=1", "b=2"]);
        let mut all = Vec::new();
        while let Some(piece) = http.next_chunk().await {
            all.extend_from_slice(&piece.unwrap());
        }
        assert_eq!(all, b"short and stout");
        assert!(
            http.stream().completion().unwrap().outcome() == lambda_invoke::Outcome::NotReported
        );
        let response = http.into_response();
        let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
        assert_eq!((response.status().as_u16(), cookies.len()), (418, 2));
        let mut names: Vec<_> = response.headers().keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["set-cookie", "x-a"]);
    }
}

#[tokio::test]
async fn a_stream_without_a_prelude_is_a_body_unless_it_promised_one() {
    let body = || {
        [
            events([chunk("{\"a\":"), chunk("1}"), complete()]),
            LAST_CHUNK.to_vec(),
        ]
        .concat()
    };
    let head = stream_head(&[("x-amzn-remapped-content-type", "application/json")]);
    let server = responding([head, body()].concat()).await;
    let http = server
        .client()
        .stream("f")
        .send()
        .await
        .unwrap()
        .into_http()
        .await
        .unwrap();
    assert!(http.prelude().is_none());
    let mut reader = http.into_reader();
    let mut text = String::new();
    reader.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "{\"a\":1}");
    assert_eq!(reader.get_ref().status(), 200);

    let promised = "application/vnd.awslambda.http-integration-response";
    let head = stream_head(&[("x-amzn-remapped-content-type", promised)]);
    let server = responding([head, body()].concat()).await;
    let stream = server.client().stream("f").send().await.unwrap();
    let error = stream.into_http().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[tokio::test]
async fn a_server_that_keeps_the_body_open_after_the_end_does_not_delay_it() {
    let body = [stream_head(&[]), events([chunk("hello"), complete()])].concat();
    let server = Server::start(move |_, _| vec![Step::Write(body.clone()), Step::Hang]).await;
    let mut stream = server.client().stream("f").send().await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(10), drain(&mut stream)).await;
    let (all, end) = ended.unwrap();
    assert_eq!(all, b"hello");
    assert!(end.is_none(), "{end:?}");
}

/// Skipping any of them could skip a part of the payload, and the rest would count as the whole.
#[tokio::test]
async fn only_events_of_unknown_types_are_skipped() {
    let message = |headers: &[(&str, &str)]| {
        let headers = headers
            .iter()
            .map(|(name, value)| (*name, HeaderValue::String(value)));
        let mut wire = Vec::new();
        Message::new(HeaderBlock::from_headers(headers).unwrap(), "lost")
            .encode(&mut wire)
            .unwrap();
        wire
    };
    let (event, kind) = ((":message-type", "event"), (":event-type", "PayloadChunk"));
    let cases = [
        (vec![event, (":event-type", "Later")], None),
        (
            vec![(":message-type", "Event"), kind],
            Some(":message-type"),
        ),
        (
            vec![(":message-type", "request"), kind],
            Some(":message-type"),
        ),
        (
            vec![event, (":event-type", "payloadChunk")],
            Some(":event-type"),
        ),
        (
            vec![event, (":event-type", "Later"), kind],
            Some(":event-type"),
        ),
        (
            vec![(":Message-Type", "event"), kind],
            Some(":message-type"),
        ),
    ];
    for (headers, said) in cases {
        let mut wire = event_bytes([chunk("hello")]);
        wire.extend(message(&headers));
        wire.extend(event_bytes([complete()]));
        let body = [stream_head(&[]), http_chunk(&wire), LAST_CHUNK.to_vec()].concat();
        let server = responding(body).await;
        let mut stream = server.client().stream("f").send().await.unwrap();
        let (all, end) = drain(&mut stream).await;
        assert_eq!(all, b"hello");
        assert_eq!(end.is_some(), said.is_some(), "{headers:?}: {end:?}");
        if let (Some(error), Some(said)) = (end, said) {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{headers:?}");
            assert!(error.to_string().contains(said), "{headers:?}: {error}");
        }
    }
}

#[tokio::test]
async fn trailing_data_is_an_error() {
    let body = events([chunk("a"), complete(), chunk("b"), complete()]);
    let server = responding([stream_head(&[]), body, LAST_CHUNK.to_vec()].concat()).await;
    let mut stream = server.client().stream("f").send().await.unwrap();
    let (all, end) = drain(&mut stream).await;
    assert_eq!(all, b"a");
    assert_eq!(end.unwrap().kind(), ErrorKind::Corrupt);
}

#[tokio::test]
async fn a_connection_is_reused_after_a_complete_stream() {
    let server = Server::start(|_, _| vec![Step::Write(whole_stream())]).await;
    let client = server.client();
    for _ in 0..3 {
        let mut stream = client.stream("f").send().await.unwrap();
        let (all, end) = drain(&mut stream).await;
        assert_eq!((all.as_slice(), end.is_none()), (&b"hello"[..], true));
    }
    assert_eq!((server.requests(), server.connections()), (3, 1));
}

#[tokio::test]
async fn a_dropped_stream_is_noticed_by_the_function() {
    let (gone, noticed) = oneshot::channel();
    let gone = Arc::new(std::sync::Mutex::new(Some(gone)));
    let function = Function::streaming("endless", move |_, mut writer| {
        let gone = Arc::clone(&gone);
        async move {
            let _ = async { while writer.write("more").await.is_ok() {} }.await;
            let _ = gone.lock().unwrap().take().unwrap().send(());
            Ok::<_, FunctionError>(())
        }
    });
    let (_server, client) = local(function).await;
    let mut stream = client.stream("endless").send().await.unwrap();
    stream.next_chunk().await.unwrap().unwrap();
    drop(stream);
    tokio::time::timeout(Duration::from_secs(10), noticed)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn collects_the_whole_with_the_names_of_the_model() {
    let failed = InvokeComplete::failed("Unhandled", "no");
    let body = events([chunk("hel"), chunk("lo"), complete()]);
    let server = responding([stream_head(&[]), body, LAST_CHUNK.to_vec()].concat()).await;
    let collected = server
        .client()
        .stream("f")
        .send()
        .await
        .unwrap()
        .collect_all()
        .await
        .unwrap();
    assert_eq!(collected.to_bytes(), "hello");
    assert_eq!(collected.chunks().count(), 2);
    let json = serde_json::to_value(&collected).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "StatusCode": 200,
            "ExecutedVersion": "7",
            "EventStream": [
                {"PayloadChunk": {"Payload": "aGVs"}},
                {"PayloadChunk": {"Payload": "bG8="}},
                {"InvokeComplete": {}},
            ],
            "ResponseStreamContentType": "application/vnd.amazon.eventstream",
        })
    );

    let body = events([chunk("hel"), StreamEvent::InvokeComplete(failed)]);
    let server = responding([stream_head(&[]), body, LAST_CHUNK.to_vec()].concat()).await;
    let error = server
        .client()
        .stream("f")
        .send()
        .await
        .unwrap()
        .collect_all()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FunctionFailed);
    let json = serde_json::to_value(error.collected().unwrap()).unwrap();
    assert_eq!(
        json["EventStream"][1],
        serde_json::json!({"InvokeComplete": {"ErrorCode": "Unhandled", "ErrorDetails": "no"}})
    );
}

#[tokio::test]
async fn collecting_can_be_bounded() {
    let server = responding(whole_stream()).await;
    let stream = server.client().stream("f").send().await.unwrap();
    let error = stream.collect_at_most(4).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let stream = server.client().stream("f").send().await.unwrap();
    assert_eq!(stream.collect_at_most(5).await.unwrap().to_bytes(), "hello");
}

#[tokio::test]
async fn a_dry_run_returns_the_head_alone() {
    let function = Function::streaming("f", |_, _| async move {
        panic!("a dry run runs nothing");
        #[allow(unreachable_code, reason = "it gives the closure its type")]
        Ok::<_, FunctionError>(())
    });
    let (_server, client) = local(function).await;
    let head = client.stream("f").dry_run().send().await.unwrap();
    assert_eq!(head.status, 204);
    assert!(!head.has_stream());
    let reply = client.invoke("f").dry_run().send().await.unwrap();
    assert_eq!((reply.status().as_u16(), reply.payload().len()), (204, 0));
}

#[tokio::test]
async fn a_malformed_prelude_or_event_is_corrupt_for_every_reader() {
    let promised = "application/vnd.awslambda.http-integration-response";
    let head = stream_head(&[("x-amzn-remapped-content-type", promised)]);
    let body = events([chunk("{\"statusCode\":1}\0\0\0\0\0\0\0\0x"), complete()]);
    let server = responding([head, body, LAST_CHUNK.to_vec()].concat()).await;
    let stream = server.client().stream("f").send().await.unwrap();
    let error = stream.into_http().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert_eq!(error.execution(), Execution::Started);

    // A message without the headers that every event has.
    let mut wire = event_bytes([chunk("hello")]);
    Message::default().encode(&mut wire).unwrap();
    let body = [stream_head(&[]), http_chunk(&wire), LAST_CHUNK.to_vec()].concat();
    let server = responding(body).await;
    let mut stream = server.client().stream("f").send().await.unwrap();
    let (read, error) = drain(&mut stream).await;
    let error = error.unwrap();
    assert_eq!(
        (&read[..], error.kind()),
        (&b"hello"[..], ErrorKind::Corrupt)
    );
    assert_eq!(error.received(), Some(5));
    let stream = server.client().stream("f").send().await.unwrap();
    let mut reader = stream.into_reader();
    let mut text = String::new();
    let error = reader.read_to_string(&mut text).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
}
