//! `lambda-invoke serve`, called by other processes and by the facade.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod program;

use lambda_invoke::{Client, Error, ErrorKind, ResponseStream};
use program::{Serve, local, run, text};

async fn invoke(client: &Client, name: &str, payload: &str) -> Result<String, Error> {
    let reply = client
        .invoke(name.to_owned())
        .payload(payload.to_owned())
        .send()
        .await?;
    Ok(String::from_utf8(reply.into_result()?.into_payload().to_vec()).unwrap())
}

fn rejection(result: Result<String, Error>) -> (u16, String) {
    let error = result.unwrap_err();
    let service = error.service_error().unwrap();
    (service.status(), service.code().unwrap().to_owned())
}

/// Starts a stream of `count`, and reads its first line.
async fn counting(serve: &Serve, payload: &'static str) -> ResponseStream {
    let client = serve.client();
    let call = client.stream("count").payload(payload);
    let mut stream = call.send().await.unwrap();
    assert_eq!(stream.next_chunk().await.unwrap().unwrap(), "1\n");
    stream
}

#[test]
fn writes_its_url_and_serves_another_process() {
    let serve = Serve::start(&[]);
    let output = local()
        .args([
            "invoke",
            "echo",
            "-p",
            "[1,2]",
            "--endpoint-url",
            &serve.url,
        ])
        .output()
        .unwrap();
    assert_eq!(text(&output.stderr), "");
    assert_eq!(text(&output.stdout), "[1,2]");
    assert_eq!(output.status.code(), Some(0));
    let ended = serve.stop();
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(ended.stdout, "", "the address is all that is on stdout");
    let stderr = ended.stderr;
    assert!(
        stderr
            .starts_with("serving count, echo, fail, hello in us-east-1 as account 123456789012; ")
    );
    assert!(
        stderr.contains("\nPOST /2015-03-31/functions/echo/invocations 200, 5 bytes in "),
        "{stderr}"
    );
}

#[tokio::test]
async fn verifies_signatures_unless_disabled() {
    let serve = Serve::start(&[]);
    let wrong = serve.client_of("local", "wrong");
    let signature = (403, "InvalidSignatureException".to_owned());
    assert_eq!(rejection(invoke(&wrong, "echo", "1").await), signature);
    let unknown = serve.client_of("nobody", "local");
    let key = (403, "UnrecognizedClientException".to_owned());
    assert_eq!(rejection(invoke(&unknown, "echo", "1").await), key);
    assert!(
        serve
            .stop()
            .stderr
            .contains(" 403 InvalidSignatureException, ")
    );

    let serve = Serve::start(&["--no-verify"]);
    let wrong = serve.client_of("local", "wrong");
    assert_eq!(invoke(&wrong, "echo", "1").await.unwrap(), "1");
    assert!(serve.stop().stderr.contains("signatures are not verified"));
}

#[tokio::test]
async fn a_key_can_be_restricted_and_repeated() {
    let serve = Serve::start(&[
        "--credential",
        "AKIDONE:first:ec*",
        "--credential",
        "AKIDONE:first:count",
        "--credential",
        "AKIDTWO:second",
    ]);
    let one = serve.client_of("AKIDONE", "first");
    assert_eq!(invoke(&one, "echo", "1").await.unwrap(), "1");
    assert_eq!(invoke(&one, "count", r#"{"n":1}"#).await.unwrap(), "1\n");
    let denied = (403, "AccessDeniedException".to_owned());
    assert_eq!(rejection(invoke(&one, "hello", "{}").await), denied);
    let dry = one.invoke("hello").dry_run().send().await.unwrap_err();
    assert_eq!(
        dry.service_error().unwrap().code(),
        Some("AccessDeniedException")
    );
    let two = serve.client_of("AKIDTWO", "second");
    assert_eq!(invoke(&two, "echo", "2").await.unwrap(), "2");
    // The access keys on the command line replace the default one.
    assert_eq!(rejection(invoke(&serve.client(), "echo", "1").await).0, 403);
}

#[tokio::test]
async fn a_key_can_have_a_session_token_which_its_callers_need() {
    let keys = [
        "--credential",
        "AKIDONE:first",
        "--credential",
        "AKIDTWO:second",
    ];
    let token = ["--session-token", "AKIDONE:a/token+of==one"];
    let serve = Serve::start(&[&keys[..], &token].concat());
    let client = |token: Option<&str>| {
        let credentials = lambda_invoke::Credentials::new("AKIDONE", "first").unwrap();
        let credentials = match token {
            Some(token) => credentials.with_session_token(token).unwrap(),
            None => credentials,
        };
        Client::builder()
            .region("us-east-1")
            .credentials(credentials)
            .endpoint_url(&serve.url)
            .retry(lambda_invoke::RetryPolicy::none())
            .build()
            .unwrap()
    };
    let right = client(Some("a/token+of==one"));
    assert_eq!(invoke(&right, "echo", "1").await.unwrap(), "1");
    let unknown = (403, "UnrecognizedClientException".to_owned());
    for wrong in [None, Some("another")] {
        assert_eq!(
            rejection(invoke(&client(wrong), "echo", "1").await),
            unknown
        );
    }
    let two = serve.client_of("AKIDTWO", "second");
    assert_eq!(invoke(&two, "echo", "2").await.unwrap(), "2");

    for (token, words) in [
        ("AKIDONE", "--session-token number 1: expected ID:TOKEN"),
        (
            "AKIDSIX:hush",
            "--session-token number 1: no --credential has this ID",
        ),
        (
            "AKIDONE:hush hush",
            "--session-token number 1: the access key has an invalid part",
        ),
        (
            "AKIDONE:",
            "--session-token number 1: the access key has an invalid part",
        ),
    ] {
        let output = run(&[&["serve"], &keys[..], &["--session-token", token]].concat());
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(
            stderr.contains(words) && !stderr.contains("hush"),
            "{stderr}"
        );
    }
}

#[tokio::test]
async fn serves_aliases_regions_accounts_and_limits() {
    let serve = Serve::start(&[
        "--alias",
        "echo:live=3",
        "--account",
        "111122223333",
        "--concurrency",
        "count=0",
        "--max-stream-bytes",
        "10",
        "--error-code-in-stream",
    ]);
    let client = serve.client();
    let reply = client
        .invoke("echo:live")
        .payload("1")
        .send()
        .await
        .unwrap();
    assert_eq!(reply.executed_version().unwrap().as_str(), "3");
    let absent = (404, "ResourceNotFoundException".to_owned());
    assert_eq!(rejection(invoke(&client, "echo:beta", "1").await), absent);
    let arn = "arn:aws:lambda:us-east-1:111122223333:function:echo";
    assert_eq!(invoke(&client, arn, "1").await.unwrap(), "1");
    let foreign = "arn:aws:lambda:us-east-1:123456789012:function:echo";
    assert_eq!(rejection(invoke(&client, foreign, "1").await).0, 403);
    let throttled = (429, "TooManyRequestsException".to_owned());
    assert_eq!(rejection(invoke(&client, "count", "{}").await), throttled);
    let stream = client
        .stream("hello")
        .payload(r#"{"delay_ms":0}"#)
        .send()
        .await
        .unwrap();
    let error = stream.collect_all().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FunctionFailed);
    assert_eq!(
        error.function_failure().unwrap().code.as_deref(),
        Some("Function.ResponseSizeTooLarge")
    );
}

#[tokio::test]
async fn without_builtins_no_function_is_served() {
    let serve = Serve::start(&["--no-builtins"]);
    assert_eq!(rejection(invoke(&serve.client(), "echo", "1").await).0, 404);
    assert!(
        serve
            .stop()
            .stderr
            .starts_with("serving no functions in us-east-1")
    );
}

#[tokio::test]
async fn faults_are_injected_and_counted() {
    let serve = Serve::start(&[
        "--fault",
        "echo: error=ServiceException message=\"down for tea\" times=2",
        "--fault",
        "hello: no-complete",
    ]);
    let client = serve.client();
    for _ in 0..2 {
        let error = invoke(&client, "echo", "1").await.unwrap_err();
        assert_eq!(
            error.service_error().unwrap().message(),
            Some("down for tea")
        );
    }
    assert_eq!(invoke(&client, "echo", "1").await.unwrap(), "1");
    let stream = client
        .stream("hello")
        .payload(r#"{"delay_ms":0}"#)
        .send()
        .await
        .unwrap();
    assert_eq!(
        stream.collect_all().await.unwrap_err().kind(),
        ErrorKind::Truncated
    );
    let stderr = serve.stop().stderr;
    assert!(stderr.contains("times=2': 2"), "{stderr}");
    assert!(
        stderr.contains("faults injected by 'hello: no-complete': 1"),
        "{stderr}"
    );
}

#[tokio::test]
async fn ctrl_c_lets_a_running_stream_end_and_accepts_no_new_one() {
    let mut serve = Serve::start(&[]);
    let mut stream = counting(&serve, r#"{"n":20,"delay_ms":30}"#).await;
    serve.signal("INT");
    serve.line_with("shutting down");
    // It stops listening soon, but not immediately.
    while let Ok(response) = invoke(&serve.client(), "echo", "1").await {
        assert_eq!(response, "1");
    }
    let error = invoke(&serve.client(), "echo", "1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    let mut lines = 1;
    while let Some(piece) = stream.next_chunk().await {
        lines += piece.unwrap().iter().filter(|byte| **byte == b'\n').count();
    }
    assert_eq!(lines, 20);
    drop(stream);
    let ended = serve.ended();
    assert_eq!(ended.status.code(), Some(0));
    assert!(
        ended
            .stderr
            .contains("response-streaming-invocations 200, "),
        "{}",
        ended.stderr
    );
}

#[tokio::test]
async fn a_second_ctrl_c_ends_it_immediately() {
    let mut serve = Serve::start(&[]);
    let mut stream = counting(&serve, r#"{"n":1000000,"delay_ms":60000}"#).await;
    serve.signal("INT");
    serve.line_with("shutting down");
    serve.signal("INT");
    assert_eq!(serve.ended().status.code(), Some(130));
    assert_eq!(
        stream.next_chunk().await.unwrap().unwrap_err().kind(),
        ErrorKind::Truncated
    );
}

#[tokio::test]
async fn invocations_that_outlast_the_grace_are_dropped() {
    let serve = Serve::start(&["--grace", "100ms"]);
    let _stream = counting(&serve, r#"{"n":1000000,"delay_ms":60000}"#).await;
    let ended = serve.stop();
    assert_eq!(ended.status.code(), Some(0));
    assert!(
        ended
            .stderr
            .contains("that were still running after 100ms were dropped"),
        "{}",
        ended.stderr
    );
}

#[tokio::test]
async fn lost_events_are_reported_even_when_quiet() {
    let mut serve = Serve::start(&["--quiet", "--event-retry-delays", "10ms"]);
    let reply = serve.client().invoke("fail").event().send().await.unwrap();
    assert_eq!(reply.status(), 202);
    let line = serve.line_with("was dropped: every attempt failed");
    assert!(line.contains(reply.request_id().unwrap()), "{line}");
    let stderr = serve.stop().stderr;
    let counts = "1 accepted, 0 rejected, 0 queued, 0 succeeded, 2 failed attempts";
    assert!(stderr.contains(counts), "{stderr}");
    assert!(stderr.contains("0 dead-lettered, 1 dropped"), "{stderr}");
    assert!(!stderr.contains("POST"), "{stderr}");
}

#[tokio::test]
async fn failed_events_go_to_the_dead_letter_file() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("dead-{}.jsonl", std::process::id()));
    let path = file.to_str().unwrap();
    let serve = Serve::start(&["--event-retry-delays", "none", "--dead-letter", path]);
    let client = serve.client();
    let _queued = client
        .invoke("fail")
        .payload(r#"{"type":"Lost"}"#)
        .event()
        .send()
        .await
        .unwrap();
    let written = || std::fs::read_to_string(&file).unwrap();
    while !written().ends_with('\n') {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let record: serde_json::Value = serde_json::from_str(&written()).unwrap();
    assert_eq!(record["requestPayload"]["type"], "Lost");
    std::fs::remove_file(&file).unwrap();
    assert!(serve.stop().stderr.contains("1 dead-lettered, 0 dropped"));
}

#[test]
fn a_stream_keeps_to_the_requested_bandwidth() {
    let serve = Serve::start(&["--stream-bandwidth", "32KiB,64KiB"]);
    let started = std::time::Instant::now();
    let output = local()
        .args([
            "stream",
            "echo",
            "-p",
            &format!("\"{}\"", "x".repeat(100 * 1024)),
        ])
        .args(["--endpoint-url", &serve.url])
        .output()
        .unwrap();
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.stdout.len(), 100 * 1024 + 2);
    assert!(started.elapsed().as_secs() >= 1, "{:?}", started.elapsed());
    assert_eq!(serve.stop().status.code(), Some(0));
}

#[test]
fn logs_nothing_when_quiet() {
    let ended = Serve::start(&["-q"]).stop();
    assert_eq!(ended.stdout, "");
    assert!(
        ended.stderr.starts_with("shutting down"),
        "{}",
        ended.stderr
    );
}

#[test]
fn contradictory_options_are_rejected_at_startup() {
    let long = format!("hello: exception={}", "E".repeat(70_000));
    for (arguments, words) in [
        (
            &[
                "--credential",
                "a:hush1:echo",
                "--credential",
                "a:hush2:count",
            ][..],
            "the access key 'a' has different secrets",
        ),
        (&["--credential", "a:hush", "--no-verify"], "cannot be used"),
        (
            &["--fault", "helo: twice"],
            "matches none of the functions, which are count",
        ),
        (
            &["--no-builtins", "--fault", "hello: twice"],
            "the endpoint has none",
        ),
        (&["--fault", &long], "cannot be sent in a message"),
        (
            &["--concurrency", "echo=1", "--concurrency", "echo=2"],
            "given twice for 'echo'",
        ),
        (
            &["--concurrency", "1", "--concurrency", "2"],
            "given twice for each function",
        ),
        (
            &["--alias", "echo:live=1", "--alias", "echo:live=2"],
            "'live' of the function 'echo'",
        ),
        (
            &["--concurrency", "echo=0", "--dead-letter", "echo"],
            "can never run",
        ),
        (
            &["--cors", "localhost:3000"],
            "'localhost:3000' is not an origin",
        ),
        (&["--listen", "127.0.0.1:99999"], "expected HOST:PORT"),
    ] {
        let output = run(&[&["serve"], arguments].concat());
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
        assert_eq!(text(&output.stdout), "");
        assert!(!stderr.contains("hush"), "{stderr}");
    }
}

#[tokio::test]
async fn the_log_line_of_a_failed_stream_says_how_it_failed() {
    let mut serve = Serve::start(&[]);
    let stream = serve
        .client()
        .stream("fail")
        .payload(r#"{"when":"middle","type":"Lost","message":"no\u001b[2J"}"#)
        .send()
        .await
        .unwrap();
    // The client's result does not matter here.
    let _ = stream.collect_all().await;
    let line = serve.line_with("response-streaming-invocations");
    assert!(line.contains(" 200 failed: Lost: no\\u{1b}[2J, "), "{line}");
}

#[test]
fn invalid_options_are_rejected_with_what_is_expected() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (arguments, words) in [
        (["--listen", &address], "cannot listen on 127.0.0.1:"),
        (["--listen", &address], "another program is listening there"),
        (["--listen", "9001"], "expected HOST:PORT"),
        (
            ["--credential", "hushhush"],
            "ID:SECRET or ID:SECRET:PATTERN",
        ),
        (["--credential", "hushhush"], "--credential number 1"),
        (
            ["--env", "hush"],
            "--env: a function of your own is missing",
        ),
        (["--env-file", "hush"], "--env-file: a function of your"),
        (
            ["--queue", "1"],
            "--queue: a function of your own is missing",
        ),
        (["--account", "12"], "12 digits"),
        (["--region", "us east"], "'us east' is not a region"),
        (["--alias", "hello"], "FUNCTION:ALIAS=VERSION"),
        (["--alias", "helo:live=1"], "no function 'helo'"),
        (
            ["--concurrency", "helo=1"],
            "the functions are count, echo, fail, hello",
        ),
        (["--dead-letter", "helo"], "to name a file, write ./helo"),
        (
            ["--dead-letter", "no/such/folder/x"],
            "the file cannot be written",
        ),
        (["--fault", "hello: explode"], "explode"),
        (["--max-stream-bytes", "1MB"], "KiB, MiB or GiB"),
        (["--event-retry-delays", "1s,soon"], "soon"),
        (["--event-max-age", "900years"], "ten years"),
        (["--stream-bandwidth", "fast"], "such as 6MiB,2MiB"),
    ] {
        let output = run(&["serve", arguments[0], arguments[1]]);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
        assert_eq!(text(&output.stdout), "");
        assert!(!stderr.contains("hush"), "{stderr}");
    }
}
