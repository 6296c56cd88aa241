//! A function's failure, reported by the service or by the log, in every way of reading a response.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helper may")]

mod support;

use lambda_invoke::{ErrorKind, Execution, Outcome, ReportStatus};
use lambda_invoke_protocol::{InvokeComplete, LogTail, StreamEvent, StreamException};
use support::{
    LAST_CHUNK, Server, Step, chunk, drain, events, responding, stream_head, whole_stream,
};
use tokio::io::AsyncReadExt as _;

#[tokio::test]
async fn a_failure_of_any_size_is_one_short_line() {
    let long = "x\u{1b}".repeat(4 << 20);
    let json = format!(
        r#"{{"errorType":"{0}","errorMessage":"{0}","trace":["{0}"]}}"#,
        "y".repeat(2 << 20)
    );
    let exception = StreamException::new("z".repeat(30_000), long.clone());
    for event in [
        StreamEvent::InvokeComplete(InvokeComplete::failed("Unhandled", long.clone())),
        StreamEvent::InvokeComplete(InvokeComplete::failed("Unhandled", json)),
        StreamEvent::InvokeComplete(InvokeComplete::failed(long.clone(), "")),
        StreamEvent::Exception(exception),
    ] {
        let body = [stream_head(&[]), events([event]), LAST_CHUNK.to_vec()].concat();
        let server = responding(body).await;
        let mut stream = server.client().stream("f").send().await.unwrap();
        let (_, end) = drain(&mut stream).await;
        let error = end.unwrap();
        let mut text = error.to_string();
        assert!(format!("{error:?}").len() < 32 * 1024);
        if let Some(source) = std::error::Error::source(&error) {
            text.push_str(&source.to_string());
        }
        assert!(text.len() < 16 * 1024, "{} bytes", text.len());
        assert!(!text.contains('\u{1b}'));
        if let Some(failure) = error.function_failure() {
            let message = failure.error.error_message.as_deref().unwrap_or_default();
            assert!(message.len() <= 8 * 1024, "{} bytes", message.len());
        }
    }
}

#[tokio::test]
async fn a_stream_asks_for_the_log_by_default() {
    let server = Server::start(|number, request| {
        let asked = request.header("x-amz-log-type");
        assert_eq!(
            asked,
            (number == 0 || number == 2).then_some("Tail"),
            "{number}"
        );
        vec![Step::Write(whole_stream())]
    })
    .await;
    let client = server.client();
    for call in [
        client.stream("f"),
        client.stream("f").without_log(),
        client.stream("f").without_log().log_tail(),
    ] {
        let collected = call.send().await.unwrap().collect_all().await.unwrap();
        // Neither the last event nor the log reports an outcome.
        let completion = collected.completion().unwrap();
        assert_eq!(completion.outcome(), Outcome::NotReported);
    }
}

#[tokio::test]
async fn every_way_to_read_a_stream_ends_in_the_failure_that_the_log_reports() {
    let log = LogTail::last_of(
        b"START RequestId: the-id Version: 7\n[ERROR] KeyError: no\n\
          Traceback (most recent call last):\nEND RequestId: the-id\n",
    );
    let end = StreamEvent::InvokeComplete(InvokeComplete::with_log(Some(log)));
    let body = events([chunk("partial"), end]);
    let server = responding([stream_head(&[]), body, LAST_CHUNK.to_vec()].concat()).await;
    let client = server.client();
    let send = || client.stream("f").send();
    let is_failure = |error: &lambda_invoke::Error| {
        assert_eq!(error.kind(), ErrorKind::FunctionFailed, "{error}");
        let failure = error.function_failure().unwrap();
        assert_eq!(failure.error.error_type.as_deref(), Some("KeyError"));
    };

    let error = send().await.unwrap().collect_all().await.unwrap_err();
    is_failure(&error);
    assert_eq!(error.collected().unwrap().to_bytes(), "partial");

    let mut http = send().await.unwrap().into_http().await.unwrap();
    assert_eq!(http.next_chunk().await.unwrap().unwrap(), "partial");
    is_failure(&http.next_chunk().await.unwrap().unwrap_err());

    let mut text = send().await.unwrap().into_text();
    assert_eq!(text.next_chunk().await.unwrap().unwrap(), "partial");
    is_failure(&text.next_chunk().await.unwrap().unwrap_err());
    assert!(text.next_chunk().await.is_none());

    let mut reader = send().await.unwrap().into_reader();
    let error = reader.read_to_end(&mut Vec::new()).await.unwrap_err();
    let error = error.into_inner().unwrap();
    is_failure(error.downcast_ref().unwrap());
}

#[tokio::test]
async fn a_reply_whose_log_reports_a_failure_is_an_error() {
    use lambda_invoke_protocol::Report;

    // As recorded for a streaming function that was called without streaming: no header reports the
    // failure.
    let mut report = Report::new("the-id");
    report.status = Some(ReportStatus::Timeout);
    let log = LogTail::last_of(report.to_string().as_bytes()).to_base64();
    let headers = [
        ("x-amzn-requestid", "the-id"),
        ("content-type", "application/octet-stream"),
        ("x-amz-log-result", log.as_str()),
    ];
    let server = responding(support::response("200 OK", &headers, "prefix")).await;
    let reply = server.client().invoke("f").log_tail().send().await.unwrap();
    assert_eq!(reply.function_error(), None);
    let failed = reply.json::<String>().unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::FunctionFailed);
    let error = reply.into_result().unwrap_err();
    let failure = error.function_failure().unwrap();
    assert_eq!(
        (failure.code.as_deref(), &failure.payload[..]),
        (None, &b"prefix"[..])
    );
    assert!(
        error
            .to_string()
            .contains("as its log reports: status timeout"),
        "{error}"
    );
}

#[tokio::test]
async fn a_failure_that_only_the_log_reports_ends_the_stream() {
    let log = LogTail::last_of(
        b"START RequestId: the-id Version: 7\nREPORT RequestId: the-id\tDuration: 2000.00 ms\t\
          Billed Duration: 2000 ms\tMemory Size: 128 MB\tMax Memory Used: 23 MB\tStatus: timeout",
    );
    let end = StreamEvent::InvokeComplete(InvokeComplete::with_log(Some(log)));
    let body = events([chunk("p"), end]);
    let server = responding([stream_head(&[]), body, LAST_CHUNK.to_vec()].concat()).await;
    let mut stream = server.client().stream("f").send().await.unwrap();
    let (all, end) = drain(&mut stream).await;
    assert_eq!(all, b"p");
    let error = end.unwrap();
    assert_eq!(
        (error.kind(), error.execution(), error.received()),
        (ErrorKind::FunctionFailed, Execution::Started, Some(1))
    );
    assert_eq!(
        error.to_string(),
        "the function failed, as its log reports: status timeout, after 1 byte (request id the-id)"
    );
    let failure = error.function_failure().unwrap();
    assert_eq!((&failure.code, &failure.details), (&None, &None));
    let status = failure.logged.as_ref().unwrap().status.as_ref();
    assert_eq!(status, Some(&ReportStatus::Timeout));
    let completion = stream.completion().unwrap();
    assert_eq!(completion.outcome(), Outcome::Failed);
    assert_eq!(
        completion.report().unwrap().status,
        Some(ReportStatus::Timeout)
    );
    assert_eq!(completion.error_code(), None);
    assert!(completion.log().unwrap().text().starts_with("START"));
}

#[tokio::test]
async fn details_without_a_code_are_a_failure() {
    let mut complete = InvokeComplete::default();
    complete.error_details = Some(r#"{"errorType":"E","errorMessage":"no"}"#.to_owned());
    let body = events([chunk("p"), StreamEvent::InvokeComplete(complete)]);
    let server = responding([stream_head(&[]), body, LAST_CHUNK.to_vec()].concat()).await;
    let mut stream = server.client().stream("f").send().await.unwrap();
    let (all, end) = drain(&mut stream).await;
    assert_eq!(all, b"p");
    let error = end.unwrap();
    assert_eq!(error.kind(), ErrorKind::FunctionFailed);
    assert_eq!(
        error.to_string(),
        "the function failed: E: no, after 1 byte (request id the-id)"
    );
    assert_eq!(error.function_failure().unwrap().code, None);
    assert_eq!(stream.completion().unwrap().outcome(), Outcome::Failed);
}
