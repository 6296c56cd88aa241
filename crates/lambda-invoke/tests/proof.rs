//! A response counts only if it is one that the operation can have and its end is proved: over
//! sockets, through custom HTTP services, and in the blocking client.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helper may")]

mod support;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body::{Body, Frame};
use http_body_util::{Full, StreamBody};
use lambda_invoke::{Client, Error, ErrorKind, Execution, Reply};
use lambda_invoke_protocol::{StreamEvent, StreamException};
use support::{Server, Step, events, http_chunk, rejection, responding, response};
use tower_service::Service;

const ID: (&str, &str) = ("x-amzn-requestid", "the-id");

#[derive(Clone, Copy, Debug, PartialEq)]
enum Asked {
    Payload,
    Event,
    DryRun,
    Stream,
    StreamDryRun,
}

async fn call(client: &Client, asked: Asked) -> Result<(), Error> {
    let invoke = client.invoke("f").payload("{}");
    let stream = client.stream("f").payload("{}");
    match asked {
        Asked::Payload => invoke.send().await?.into_result().map(drop),
        Asked::Event => invoke.event().send().await.map(drop),
        Asked::DryRun => invoke.dry_run().send().await.map(drop),
        Asked::Stream => stream.send().await?.collect_all().await.map(drop),
        Asked::StreamDryRun => stream.dry_run().send().await.map(drop),
    }
}

#[tokio::test]
async fn a_body_without_a_proved_end_is_truncated() {
    let head = "HTTP/1.1 200 OK\r\nx-amzn-requestid: the-id\r\n";
    let body = "{\"half\":";
    for framing in [
        "connection: close\r\n",
        "transfer-encoding: identity\r\n",
        "transfer-encoding: gzip\r\n",
        "transfer-encoding: identity\r\ncontent-length: 8\r\n",
        "content-length: 9\r\n",
        "transfer-encoding: chunked\r\n",
        // hyper does not take these for chunked.
        "transfer-encoding: chunked,\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding:\r\n",
    ] {
        let other = head.replace("x-amzn-requestid: the-id\r\n", "");
        for (head, execution) in [(head, Execution::Started), (&*other, Execution::Unknown)] {
            let body = match framing == "transfer-encoding: chunked\r\n" {
                true => format!("8\r\n{body}\r\n"),
                false => body.to_owned(),
            };
            let server = responding(format!("{head}{framing}\r\n{body}")).await;
            let error = call(&server.client(), Asked::Payload).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.execution(), error.received()),
                (ErrorKind::Truncated, execution, Some(8)),
                "{framing}: {error}"
            );
            assert_eq!(server.requests(), 1, "{framing}");
        }
    }
    // Without proof of its end, even a whole or empty body, or a response of HTTP/1.0, is
    // truncated.
    for (version, body) in [("1.1", "{\"whole\":1}"), ("1.1", ""), ("1.0", "{}")] {
        let bytes = format!("HTTP/{version} 200 OK\r\nx-amzn-requestid: the-id\r\n\r\n{body}");
        let error = call(&responding(bytes).await.client(), Asked::Payload)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Truncated, "{version} {body}");
        assert_eq!(error.request_id(), Some("the-id"));
    }
    let event = "HTTP/1.1 202 Accepted\r\nx-amzn-requestid: the-id\r\n\r\n";
    let error = call(&responding(event).await.client(), Asked::Event).await;
    let error = error.unwrap_err();
    // An event that is queued may wait for a long time.
    assert_eq!(
        (error.kind(), error.execution()),
        (ErrorKind::Truncated, Execution::Unknown)
    );
    let sized = "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}";
    call(&responding(sized).await.client(), Asked::Payload)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_stream_has_started_if_its_head_or_its_output_shows_it() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\n\
                transfer-encoding: chunked\r\n";
    let signed = format!("{head}x-amz-executed-version: 7\r\n");
    let chunk = events([StreamEvent::PayloadChunk(Bytes::from("ab").into())]);
    let garbage = http_chunk(&[0; 64]);
    let exception = events([StreamEvent::Exception(StreamException::new("E", "m"))]);
    for (head, body, kind, execution) in [
        (head, &[][..], ErrorKind::Truncated, Execution::Unknown),
        (head, &garbage, ErrorKind::Corrupt, Execution::Unknown),
        (
            head,
            &exception,
            ErrorKind::StreamException,
            Execution::Unknown,
        ),
        (head, &chunk, ErrorKind::Truncated, Execution::Started),
        (&signed, &[], ErrorKind::Truncated, Execution::Started),
        (&signed, &garbage, ErrorKind::Corrupt, Execution::Started),
    ] {
        let response = [head.as_bytes(), b"\r\n", body].concat();
        let error = call(&responding(response).await.client(), Asked::Stream).await;
        let error = error.unwrap_err();
        assert_eq!(
            (error.kind(), error.execution()),
            (kind, execution),
            "{error}"
        );
        assert!(error.may_have_run());
    }
    // What was collected says no more than the stream.
    let response = [head.as_bytes(), b"\r\n"].concat();
    let server = responding(response).await;
    let stream = server.client().stream("f").send().await.unwrap();
    assert_eq!(stream.execution(), Execution::Unknown);
    let error = stream.collect_all().await.unwrap_err();
    let error = error.collected().unwrap().text().unwrap_err();
    assert_eq!(error.execution(), Execution::Unknown);
}

#[tokio::test]
async fn a_reply_of_no_use_says_what_its_invocation_type_says() {
    for (asked, head, execution) in [
        (Asked::Payload, "200 OK", Execution::Started),
        (Asked::Event, "202 Accepted", Execution::Unknown),
        (Asked::DryRun, "204 No Content", Execution::NotStarted),
    ] {
        let server = responding(response(head, &[ID], "")).await;
        let call = server.client().invoke("f");
        let reply = match asked {
            Asked::Event => call.event().send().await,
            Asked::DryRun => call.dry_run().send().await,
            _ => call.send().await,
        };
        let reply = reply.unwrap();
        assert_eq!(reply.execution(), execution, "{asked:?}");
        let error = reply.json::<u8>().unwrap_err();
        assert_eq!(
            (error.kind(), error.execution()),
            (ErrorKind::Json, execution)
        );
    }
}

#[tokio::test]
async fn any_other_response_is_unexpected_and_says_what_came_from_where() {
    use Asked::{DryRun, Event, Payload, Stream, StreamDryRun};
    let html = ("content-type", "text/html");
    let text = ("content-type", "text/plain");
    let gzip = ("content-encoding", "gzip");
    let stream = ("content-type", "application/vnd.amazon.eventstream");
    let cases: Vec<(Asked, Vec<u8>, &str)> = vec![
        (Payload, response("206 Partial Content", &[ID], "{}"), "206"),
        (Payload, response("202 Accepted", &[ID], ""), "202"),
        (Payload, response("204 No Content", &[ID], ""), "204"),
        (
            Payload,
            response("302 Found", &[("location", "/x")], ""),
            "302",
        ),
        (
            Payload,
            response("200 OK", &[html], "<h1>Hi\x1b[2J"),
            "beginning with \"<h1>Hi\\u{1b}[2J\"",
        ),
        (Payload, response("200 OK", &[html], "{}"), "text/html"),
        (
            Payload,
            response("200 OK", &[text], "It works!"),
            "It works!",
        ),
        (Payload, response("200 OK", &[], ""), "200 OK"),
        (Payload, response("200 OK", &[ID, gzip], "{}"), "200 OK"),
        (Event, response("200 OK", &[ID], "{}"), "200 OK"),
        (
            Event,
            response("202 Accepted", &[text], "queued?"),
            "queued?",
        ),
        (DryRun, response("200 OK", &[ID], "{\"ran\":true}"), "ran"),
        (DryRun, response("204 No Content", &[], ""), "204"),
        (Stream, response("200 OK", &[ID], "{}"), "200 OK"),
        (
            Stream,
            response("200 OK", &[ID, stream, gzip], "x"),
            "200 OK",
        ),
        (Stream, response("204 No Content", &[ID], ""), "204"),
        (
            StreamDryRun,
            response("200 OK", &[ID, stream], ""),
            "200 OK",
        ),
        (StreamDryRun, response("204 No Content", &[], ""), "204"),
    ];
    for (asked, bytes, part) in cases {
        let server = responding(bytes).await;
        let error = call(&server.client(), asked).await.unwrap_err();
        let what = format!("{asked:?}: {error}");
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{what}");
        assert_eq!(error.execution(), Execution::Unknown, "{what}");
        assert!(what.contains(part), "{what}");
        assert!(
            what.contains(&format!("from http://{}", server.address)),
            "{what}"
        );
        assert!(!what.contains('\x1b'), "{what}");
        assert!(std::error::Error::source(&error).is_some(), "{what}");
        assert_eq!(server.requests(), 1, "{what}");
    }
}

#[tokio::test]
async fn the_emulators_responses_are_accepted() {
    // AWS's Runtime Interface Emulator.
    let text = ("content-type", "text/plain; charset=utf-8");
    for json in ["null", "\"a\"", "7", "{\"a\":[1]}", "true"] {
        let server = responding(response("200 OK", &[text], json)).await;
        let reply = server.client().invoke("f").send().await.unwrap();
        assert_eq!(reply.payload(), json);
    }
    // AWS SAM.
    let json = ("content-type", "application/json");
    let server = responding(response("202 Accepted", &[json], "")).await;
    call(&server.client(), Asked::Event).await.unwrap();
}

#[tokio::test]
async fn an_error_with_a_truncated_body_is_the_error_of_its_head() {
    let whole = rejection(
        "404 Not Found",
        "ResourceNotFoundException",
        "no such function",
    );
    let head_end = whole
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap()
        + 4;
    for at in head_end..whole.len() {
        let server = responding(&whole[..at]).await;
        let error = call(&server.client(), Asked::Payload).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.execution()),
            (ErrorKind::Service, Execution::NotStarted)
        );
        let service = error.service_error().unwrap();
        assert_eq!(
            service.code(),
            Some("ResourceNotFoundException"),
            "cut at {at}"
        );
    }
    // Without a code in the head, and with a truncated body, it may be any error with this status.
    let code_in_body = response(
        "400 Bad Request",
        &[],
        r#"{"code":"RequestAbortedException"}"#,
    );
    let server = responding(&code_in_body[..code_in_body.len() - 30]).await;
    let error = call(&server.client(), Asked::Payload).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.execution()),
        (ErrorKind::Service, Execution::Unknown)
    );
    // A compressed body is not parsed as text.
    let coded = [
        ("content-encoding", "gzip"),
        ("x-amzn-errortype", "ServiceException"),
    ];
    let server = responding(response("500 Error", &coded, "\x1f\u{8b}\0garbage")).await;
    let error = call(&server.client(), Asked::Payload).await.unwrap_err();
    assert_eq!(error.service_error().unwrap().message(), None);
}

/// A custom service that returns the same response to every request.
#[derive(Clone)]
struct Canned<F>(F);

impl<F, B> Service<Request<Full<Bytes>>> for Canned<F>
where
    F: Fn() -> Response<B>,
{
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Ready<Result<Response<B>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        ready(Ok((self.0)()))
    }
}

async fn through<F, B>(response: F) -> Result<Reply, Error>
where
    F: Fn() -> Response<B> + Clone + Send + 'static,
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let client = support::builder()
        .endpoint_url("http://127.0.0.1:1")
        .transport(Canned(response))
        .build()
        .unwrap();
    client.invoke("f").send().await
}

/// A body whose size hint has no upper bound.
fn unsized_body(text: &'static str) -> impl Body<Data = Bytes, Error = Infallible> + Send {
    struct Once(Option<Bytes>);

    impl futures_core::Stream for Once {
        type Item = Result<Frame<Bytes>, Infallible>;

        fn poll_next(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Self::Item>> {
            Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
        }
    }

    StreamBody::new(Once(Some(Bytes::from(text))))
}

#[tokio::test]
async fn the_body_of_a_custom_service_needs_a_proved_end_too() {
    let whole = through(|| Response::new(Full::from("{}"))).await;
    assert_eq!(whole.unwrap().payload(), "{}", "it knows its length");

    let kind = |result: Result<Reply, Error>| result.map_err(|error| error.kind()).map(drop);
    let unproved = through(|| Response::new(unsized_body("{}"))).await;
    assert_eq!(kind(unproved), Err(ErrorKind::Truncated));
    let with = |name: &'static str, value: &'static str| {
        move || {
            let response = Response::builder().header(name, value);
            response.body(unsized_body("{}")).unwrap()
        }
    };
    let chunked = through(with("transfer-encoding", "chunked")).await;
    assert_eq!(kind(chunked), Ok(()));
    let sized = through(with("content-length", "2")).await;
    assert_eq!(kind(sized), Ok(()));
    for length in ["1", "3", "18446744073709551616", "2, 3"] {
        let response = through(with("content-length", length)).await;
        assert_eq!(kind(response), Err(ErrorKind::Truncated), "{length}");
    }
    let framed = through(|| {
        let mut response = Response::new(unsized_body("{}"));
        *response.version_mut() = Version::HTTP_2;
        response
    });
    assert_eq!(kind(framed.await), Ok(()));
    let page = through(|| {
        let response = Response::builder().header("content-type", "text/html");
        response.body(Full::from("<html>")).unwrap()
    });
    assert_eq!(kind(page.await), Err(ErrorKind::UnexpectedResponse));
}

#[cfg(feature = "blocking")]
#[test]
fn the_blocking_client_is_no_less_strict() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let unproved = b"HTTP/1.1 200 OK\r\n\r\n{\"half\":".to_vec();
    for (bytes, kind) in [
        (unproved, ErrorKind::Truncated),
        (
            response("200 OK", &[], "It works!"),
            ErrorKind::UnexpectedResponse,
        ),
    ] {
        let server = runtime.block_on(responding(bytes));
        let client = lambda_invoke::blocking::Client::new(server.client()).unwrap();
        let error = client.invoke("f").send().unwrap_err();
        assert_eq!(error.kind(), kind);
    }
}

/// The date so many seconds from now.
fn http_date(seconds: i64) -> String {
    let now = SystemTime::now();
    let offset = Duration::from_secs(seconds.unsigned_abs());
    let time = if seconds < 0 {
        now - offset
    } else {
        now + offset
    };
    httpdate::fmt_http_date(time)
}

/// Adds this date to a response.
fn dated(bytes: Vec<u8>, seconds: i64) -> Vec<u8> {
    let date = format!("\r\ndate: {}\r\n", http_date(seconds));
    let head = String::from_utf8(bytes).unwrap();
    head.replacen("\r\n", &date, 1).into_bytes()
}

fn skewed(seconds: i64) -> Vec<u8> {
    let message = "Signature expired: x is now earlier than y";
    dated(
        rejection("403 Forbidden", "InvalidSignatureException", message),
        seconds,
    )
}

/// The number of seconds by which the clock of a request was corrected.
fn correction(date: &str) -> i64 {
    let digits: String = date.chars().filter(char::is_ascii_digit).collect();
    let part = |from: usize, to: usize| digits[from..to].parse::<u64>().unwrap();
    let of_day = part(8, 10) * 3600 + part(10, 12) * 60 + part(12, 14);
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    let difference = of_day as i64 - (now.as_secs() % 86_400) as i64;
    (difference + 43_200).rem_euclid(86_400) - 43_200
}

#[tokio::test]
async fn a_clock_offset_is_bounded_and_forgotten_when_it_is_contradicted() {
    // A skew of three days is too large to correct: it is reported, and the request is not sent
    // again.
    let server = responding(skewed(3 * 86_400)).await;
    let error = call(&server.client(), Asked::Payload).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Service, 1));

    let (tell, corrections) = std::sync::mpsc::channel();
    let server = Server::start(move |number, request| {
        tell.send(correction(request.header("x-amz-date").unwrap()))
            .unwrap();
        let good = response("200 OK", &[ID], "{}");
        vec![Step::Write(match number {
            0 => skewed(3600),
            // These responses confirm the offset, say nothing about it, and contradict it.
            1 => dated(good, 3600),
            2 => good,
            3 => dated(good, 0),
            _ => dated(good, 0),
        })]
    })
    .await;
    let client = server.client();
    for _ in 0..4 {
        call(&client, Asked::Payload).await.unwrap();
    }
    let corrections: Vec<i64> = corrections.try_iter().collect();
    let expected = [0, 3600, 3600, 3600, 0];
    assert_eq!(corrections.len(), expected.len());
    for (found, expected) in corrections.iter().zip(expected) {
        assert!((found - expected).abs() <= 5, "{corrections:?}");
    }
}

#[tokio::test]
async fn a_date_in_retry_after_is_compared_with_the_time_of_the_service() {
    for seconds in [3600, -3600] {
        // The offset is known from an earlier response, or from this one.
        for known in [true, false] {
            let server = Server::start(move |number, _| {
                let until = http_date(seconds + 3);
                let headers = [
                    ID,
                    ("x-amzn-errortype", "TooManyRequestsException"),
                    ("retry-after", &until[..]),
                ];
                let throttled = response("429 Too Many Requests", &headers, "{}");
                vec![Step::Write(match number {
                    0 if known => skewed(seconds),
                    0 => dated(throttled, seconds),
                    1 if known => throttled,
                    _ => response("200 OK", &[ID], "{}"),
                })]
            })
            .await;
            let started = std::time::Instant::now();
            call(&server.client(), Asked::Payload).await.unwrap();
            assert!(started.elapsed() >= Duration::from_secs(1), "{seconds}");
        }
    }
}
