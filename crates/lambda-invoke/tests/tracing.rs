//! What a call reports to `tracing`: its span, its events, and what must never be in them.
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

#[path = "support/log.rs"]
mod log;
mod support;

use lambda_invoke::{Client, Credentials, RetryPolicy};
use log::{Log, contains};
use support::{
    LAST_CHUNK, Server, Step, chunk, complete, drain, events, rejection, response, stream_head,
    whole_stream,
};
use tracing::Level;

#[tokio::test]
async fn a_call_is_a_span_with_an_event_for_each_step() {
    let server = Server::start(|_, _| {
        let id = [("x-amzn-requestid", "the-id")];
        vec![Step::Write(response("200 OK", &id, "12345"))]
    })
    .await;
    let client = server.client();
    let log = Log::default();
    log.record(async {
        let call = client.invoke("orders").qualifier("live").payload("1234567");
        let _ = call.send().await.unwrap();
    })
    .await;
    let lines = log.lines();
    let address = server.address.to_string();
    contains(
        &lines[..1],
        &[
            "OPEN lambda_invoke lambda_invoke operation=Invoke function=orders qualifier=live",
            &address,
            "region=\"us-east-1\" request_bytes=7",
        ],
    );
    contains(&lines, &["RECORD", "status=200"]);
    contains(&lines, &["RECORD", "attempts=1"]);
    contains(&lines, &["RECORD", "request_id=\"the-id\""]);
    contains(
        &log.events("credentials fetched"),
        &["DEBUG lambda_invoke [lambda_invoke]"],
    );
    contains(
        &log.events("request signed"),
        &[
            "attempt=1",
            "bytes=7",
            "/us-east-1/lambda/aws4_request",
            "access_key_id=\"local\"",
        ],
    );
    contains(&log.events("connected"), &[&address, "scheme=\"http\""]);
    contains(
        &log.events("response received"),
        &["status=200", "request_id=\"the-id\"", "elapsed="],
    );
    contains(
        &log.events("response complete"),
        &["received=5", "[lambda_invoke]"],
    );
    assert_eq!(lines.last().unwrap(), "CLOSE");
}

#[tokio::test]
async fn the_second_call_reports_that_it_reuses_the_connection() {
    let server = Server::start(|_, _| vec![Step::Write(whole_stream())]).await;
    let client = server.client();
    let log = Log::default();
    log.record(async {
        for _ in 0..3 {
            let mut stream = client.stream("f").send().await.unwrap();
            assert!(drain(&mut stream).await.1.is_none());
        }
    })
    .await;
    assert_eq!(log.events("connected").len(), 1);
    assert_eq!(log.events("new connection used").len(), 1);
    let reused = log.events("connection reused");
    contains(&reused[..1], &["earlier_requests=1"]);
    contains(&reused[1..], &["earlier_requests=2"]);
    assert_eq!(log.events("response complete").len(), 3);
}

#[tokio::test]
async fn a_retry_says_why_and_after_how_long() {
    let server = Server::start(|number, _| {
        let step = match number {
            0 => rejection("429 Too Many Requests", "TooManyRequestsException", "slow"),
            _ => whole_stream(),
        };
        vec![Step::Write(step)]
    })
    .await;
    let client = server.client();
    let log = Log::default();
    log.record(async {
        let mut stream = client.stream("f").send().await.unwrap();
        assert!(drain(&mut stream).await.1.is_none());
    })
    .await;
    let retries = log.events("retrying");
    assert_eq!(retries.len(), 1, "{retries:#?}");
    contains(
        &retries,
        &[
            "INFO lambda_invoke [lambda_invoke]",
            "attempt=1",
            "max_attempts=3",
            "delay_ms=",
            "reason=\"throttled\"",
            "code=\"TooManyRequestsException\"",
            "execution=\"not started\"",
        ],
    );
    contains(&log.lines(), &["RECORD", "attempts=2"]);
}

#[tokio::test]
async fn a_wrong_clock_and_a_call_that_is_given_up_are_reported() {
    let server = Server::start(|number, _| {
        let code = match number {
            0 => "InvalidSignatureException",
            _ => "ResourceNotFoundException",
        };
        let ahead = std::time::SystemTime::now() + std::time::Duration::from_secs(3600);
        let date = httpdate::fmt_http_date(ahead);
        let headers = [
            ("x-amzn-errortype", code),
            ("date", date.as_str()),
            ("x-amzn-requestid", "i"),
        ];
        let message = r#"{"message":"Signature expired: 20260101T000000Z is now earlier than .."}"#;
        vec![Step::Write(response("403 Forbidden", &headers, message))]
    })
    .await;
    let client = server.client();
    let log = Log::default();
    let result = log.record(client.invoke("f").send()).await;
    assert!(result.is_err());
    contains(&log.events("clock corrected"), &["offset_secs="]);
    contains(&log.events("retrying"), &["reason=\"the clock was wrong\""]);
    contains(
        &log.events("call failed"),
        &[
            "attempt=2",
            "kind=Service",
            "code=\"ResourceNotFoundException\"",
        ],
    );
}

#[tokio::test]
async fn a_refused_connection_is_reported() {
    let client = support::builder()
        .endpoint_url("http://127.0.0.1:1")
        .retry(RetryPolicy::none())
        .build()
        .unwrap();
    let log = Log::default();
    assert!(log.record(client.invoke("f").send()).await.is_err());
    contains(
        &log.events("could not connect"),
        &["host=\"127.0.0.1:1\"", "kind=Connect"],
    );
    contains(&log.events("call failed"), &["execution=\"not started\""]);
}

/// Calls with every kind of outcome, with marked text in every place that can hold a secret or a
/// payload.
#[tokio::test]
async fn nothing_secret_and_no_payload_is_in_any_span_or_event() {
    const SECRETS: [&str; 7] = [
        "TheSecretKey",
        "TheSessionToken",
        "ThePayload",
        "TheResponse",
        "TheHeader",
        "Signature=",
        "TheContext",
    ];
    let failure = r#"{"errorMessage":"TheResponse","errorType":"TheResponse"}"#;
    let server = Server::start(move |number, request| {
        assert!(request.head.contains("TheSessionToken"));
        let id = ("x-amzn-requestid", "the-id");
        let step = match number % 7 {
            0 => response("200 OK", &[id], "\"TheResponse\""),
            1 => response(
                "200 OK",
                &[id, ("x-amz-function-error", "Unhandled")],
                failure,
            ),
            2 => response("502 Bad Gateway", &[], "<html>TheResponse</html>"),
            3 => rejection(
                "400 Bad Request",
                "InvalidRequestContentException",
                "TheResponse",
            ),
            4 => [
                stream_head(&[]),
                events([chunk("TheResponse"), complete()]),
                LAST_CHUNK.to_vec(),
            ]
            .concat(),
            5 => [stream_head(&[]), events([chunk("TheResponse")])].concat(),
            _ => response("200 OK", &[id], "TheResponse is not JSON"),
        };
        vec![Step::Write(step), Step::Close]
    })
    .await;
    let credentials = Credentials::new("AKIDEXAMPLE", "TheSecretKey").unwrap();
    let client = Client::builder()
        .region("us-east-1")
        .credentials(credentials.with_session_token("TheSessionToken").unwrap())
        .endpoint_url(format!("http://{}", server.address))
        .header("x-api-key", "TheHeader")
        .retry(RetryPolicy::none())
        .build()
        .unwrap();
    let log = Log::default();
    log.record(async {
        let context = br#"{"custom":{"a":"TheContext"}}"#;
        for number in 0..7 {
            match number {
                4 | 5 => {
                    let call = client.stream("f").payload("\"ThePayload\"");
                    let mut stream = call.send().await.unwrap();
                    drain(&mut stream).await;
                }
                _ => {
                    let call = client.invoke("f").payload("\"ThePayload\"");
                    let call = call.client_context(context).header("x-own", "TheHeader");
                    let _ = call.send().await;
                }
            }
        }
    })
    .await;
    let lines = log.lines();
    assert_eq!(log.events("request signed").len(), 7);
    assert!(lines.iter().any(|line| line.contains("AKIDEXAMPLE")));
    for line in &lines {
        for secret in SECRETS {
            assert!(!line.contains(secret), "{secret} in {line}");
        }
    }
    assert!(
        lines
            .iter()
            .all(|line| !line.contains(&Level::ERROR.to_string()))
    );
}
