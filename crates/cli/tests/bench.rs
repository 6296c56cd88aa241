//! `lambda-invoke bench`, against an endpoint that counts requests.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod program;

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use program::{Serve, local, run, text};
use serde_json::{Value, json};

fn bench(serve: &Serve, arguments: &[&str]) -> Command {
    let mut command = local();
    command
        .args(["bench", "--endpoint-url", &serve.url])
        .args(arguments);
    command
}

fn result(output: &Output) -> Value {
    assert_eq!(text(&output.stderr), "");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Returns the number of requests in the endpoint's log.
fn requests(serve: Serve) -> usize {
    serve
        .stop()
        .stderr
        .lines()
        .filter(|line| line.starts_with("POST "))
        .count()
}

#[test]
fn makes_the_requested_number_of_calls_and_measures_each() {
    let serve = Serve::start(&[]);
    let payload = r#"{"n":3}"#;
    let arguments = [
        "count",
        "-c",
        "4",
        "-n",
        "40",
        "--warm-up",
        "5",
        "-p",
        payload,
        "--json",
    ];
    let output = bench(&serve, &arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let result = result(&output);
    assert_eq!(result["operation"], "InvokeWithResponseStream");
    assert_eq!(
        (&result["calls"], &result["succeeded"]),
        (&json!(40), &json!(40))
    );
    assert_eq!(result["bytes"], 40 * "1\n2\n3\n".len());
    assert_eq!(result["failures"], json!({}));
    let (first, whole) = (&result["first_byte_ms"], &result["full_response_ms"]);
    let time = |of: &Value, name: &str| of[name].as_f64().unwrap();
    for name in ["min", "p50", "p99", "max"] {
        assert!(time(first, name) <= time(whole, name), "{name}: {result}");
    }
    assert!(0.0 < time(whole, "min") && time(whole, "min") <= time(whole, "p50"));
    assert!(time(whole, "p50") <= time(whole, "p99") && time(whole, "p99") <= time(whole, "max"));
    let counts = result["histogram_ms"].as_array().unwrap().iter();
    assert_eq!(
        counts
            .map(|bucket| bucket["count"].as_u64().unwrap())
            .sum::<u64>(),
        40
    );
    assert_eq!(requests(serve), 45);
}

#[test]
fn a_call_that_is_due_after_the_end_is_not_waited_for() {
    let serve = Serve::start(&[]);
    // The second call would be due after 100 seconds.
    let arguments = ["echo", "--duration", "200ms", "--rate", "0.01", "--json"];
    let began = Instant::now();
    let output = bench(&serve, &arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(90));
    assert_eq!(result(&output)["calls"], 1);
    assert_eq!(requests(serve), 1);
}

#[test]
fn makes_the_requested_number_of_concurrent_calls() {
    // The limit is three concurrent calls, so four exceed it.
    let serve = Serve::start(&["--concurrency", "count=3"]);
    let failed = |concurrency: &str, payload: &str| {
        let arguments = [
            "count",
            "-n",
            "8",
            "-p",
            payload,
            "--json",
            "-c",
            concurrency,
        ];
        result(&bench(&serve, &arguments).output().unwrap())["failed"]
            .as_u64()
            .unwrap()
    };
    assert_eq!(failed("1", r#"{"n":3,"delay_ms":100}"#), 0);
    assert!(failed("8", r#"{"n":2,"delay_ms":3000}"#) >= 5);
}

#[test]
fn counts_failures_by_kind_and_exits_with_the_code_of_the_most_frequent() {
    let serve = Serve::start(&["--fault", "echo: error=TooManyRequestsException every=2"]);
    let arguments = ["echo", "--buffered", "-n", "20", "-p", "[1]", "--json"];
    let output = bench(&serve, &arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let result = result(&output);
    assert_eq!(result["operation"], "Invoke");
    assert_eq!(
        (&result["succeeded"], &result["failed"]),
        (&json!(10), &json!(10))
    );
    assert_eq!(
        result["failures"],
        json!({"service: TooManyRequestsException": 10})
    );
    assert_eq!(result["retries"], 0);

    let output = bench(&serve, &["fail", "--buffered", "-n", "3"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("\n          3  function_failed"));

    // The status was sent before the failure: only the log has it.
    let middle = [
        "fail",
        "--buffered",
        "-n",
        "3",
        "-p",
        r#"{"when":"middle"}"#,
    ];
    let output = bench(&serve, &middle).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    assert_eq!(requests(serve), 26);
}

#[test]
fn a_truncated_stream_is_a_failure() {
    let serve = Serve::start(&["--fault", "count: cut-at=50"]);
    let output = bench(&serve, &["count", "-n", "4", "--json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(5));
    let result = result(&output);
    assert_eq!(result["failures"], json!({"truncated": 4}));
    assert_eq!(result["full_response_ms"], Value::Null);
}

#[test]
fn retries_only_on_request_and_counts_retries() {
    let fault = "echo: throttle=ConcurrentInvocationLimitExceeded retry-after=0 times=1";
    let serve = Serve::start(&["--fault", fault]);
    let arguments = ["echo", "-n", "5", "--retry", "safe", "--json"];
    let result = result(&bench(&serve, &arguments).output().unwrap());
    assert_eq!(
        (&result["succeeded"], &result["retries"]),
        (&json!(5), &json!(1))
    );
}

#[test]
fn a_rate_spreads_the_calls_and_a_duration_ends_them() {
    let serve = Serve::start(&[]);
    let arguments = ["echo", "-c", "2", "-n", "11", "--rate", "50", "--json"];
    let spread = result(&bench(&serve, &arguments).output().unwrap());
    assert_eq!(spread["succeeded"], 11);
    // At 50 calls a second, the eleventh call starts after 0.2 s.
    assert!(spread["seconds"].as_f64().unwrap() >= 0.2);

    let arguments = ["echo", "--duration", "100ms", "--rate", "100", "--json"];
    let ended = result(&bench(&serve, &arguments).output().unwrap());
    let calls = ended["calls"].as_u64().unwrap();
    assert!((1..=10).contains(&calls), "{calls}");
}

#[test]
fn shows_latencies_and_a_histogram() {
    let output = run(&[
        "bench", "echo", "--local", "-n", "30", "-c", "3", "-p", "[1]",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let text = text(&output.stdout);
    assert!(
        text.starts_with("30 calls of echo (InvokeWithResponseStream), 3 concurrent, in "),
        "{text}"
    );
    for part in [
        "succeeded   30\n",
        "failed      0\n",
        " calls/s, ",
        "p99.9",
        "\nfirst byte ",
        "\nfull response ",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let plot = text
        .split("full responses by latency, up to\n")
        .nth(1)
        .unwrap();
    let longest = plot.lines().map(|line| line.matches('█').count()).max();
    assert_eq!(longest, Some(48), "{plot}");
    let counted = plot
        .lines()
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap());
    assert_eq!(counted.sum::<u64>(), 30);
}

#[test]
fn ctrl_c_shows_the_results_so_far() {
    let mut serve = Serve::start(&[]);
    let mut child = bench(
        &serve,
        &["hello", "-n", "1000000", "-p", r#"{"delay_ms":1}"#],
    )
    .stdout(Stdio::piped())
    .spawn()
    .unwrap();
    serve.line_with("response-streaming-invocations 200, ");
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-s", "INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let mut shown = String::new();
    std::io::Read::read_to_string(&mut child.stdout.take().unwrap(), &mut shown).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(shown.contains(", ended by Ctrl-C\n"), "{shown}");
    assert!(shown.contains("\n  failed      0\n"), "{shown}");
}

#[test]
fn an_invalid_call_is_reported_once() {
    for (arguments, words) in [
        (&["a b"][..], "' ' at byte 1"),
        (&["f", "-c", "0"], "from 1 to"),
        (&["f", "-n", "0"], "from 1 to"),
        (&["f", "--rate", "0"], "calls per second"),
        (&["f", "--tenant-id", " spaced "], "tenant id"),
    ] {
        let output = local().arg("bench").args(arguments).output().unwrap();
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
        assert_eq!(text(&output.stdout), "");
    }
}
