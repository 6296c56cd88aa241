//! `-v`, the announcement of a wait, and colors.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod program;

use std::process::{Command, Stdio};

use program::{Serve, calling, local, run, text, tools};
use serde_json::Value;

/// Returns the lines on stderr that begin with this text.
fn lines<'t>(stderr: &'t str, start: &str) -> Vec<&'t str> {
    stderr
        .lines()
        .filter(|line| line.starts_with(start))
        .collect()
}

#[test]
fn v_shows_the_steps_of_a_call_and_no_payload() {
    let serve = Serve::start(&[]);
    let payload = r#"{"n":2,"mark":"ThePayload"}"#;
    for command in ["stream", "invoke"] {
        let output = calling(&serve.url, &[command, "count", "-v", "-p", payload])
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .output()
            .unwrap();
        assert_eq!(text(&output.stdout), "1\n2\n");
        let stderr = text(&output.stderr);
        let sent = lines(stderr, "> ");
        assert!(sent[0].contains("/functions/count/"), "{stderr}");
        assert!(sent[0].contains(", 27 bytes, attempt 1"), "{stderr}");
        assert!(sent[1].starts_with("> signed by local for 2"), "{stderr}");
        assert!(
            sent[1].ends_with("/us-east-1/lambda/aws4_request"),
            "{stderr}"
        );
        let host = serve.url.trim_end_matches('/');
        assert_eq!(
            lines(stderr, &format!("* connected to {host} in ")).len(),
            1
        );
        let received = lines(stderr, "< ");
        assert!(
            received[0].starts_with("< status 200, request ID "),
            "{stderr}"
        );
        assert!(received[0].contains(", after "), "{stderr}");
        assert!(received[1].starts_with("< complete: 4 bytes, "), "{stderr}");
        assert!(!stderr.contains("ThePayload"), "{stderr}");
        assert!(!stderr.contains('\u{1b}'), "{stderr:?}");
    }
    let output = run(&["invoke", "echo", "--local", "-vv", "-p", "[1]"]);
    assert!(text(&output.stderr).contains("hyper_util"));
    let output = run(&["invoke", "echo", "--local", "-p", "[1]"]);
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn no_detail_shows_a_secret_or_a_payload() {
    let serve = Serve::start(&[
        "--credential",
        "AKIDONE:TheSecretKey",
        "--session-token",
        "AKIDONE:TheSessionToken",
    ]);
    for command in ["stream", "invoke"] {
        for detail in ["-v", "-vv", "-vvv"] {
            let output = calling(
                &serve.url,
                &[command, "echo", detail, "-p", r#""ThePayload""#],
            )
            .env("AWS_ACCESS_KEY_ID", "AKIDONE")
            .env("AWS_SECRET_ACCESS_KEY", "TheSecretKey")
            .env("AWS_SESSION_TOKEN", "TheSessionToken")
            .output()
            .unwrap();
            // The payload is the response, too.
            assert_eq!(text(&output.stdout), r#""ThePayload""#);
            let stderr = text(&output.stderr);
            assert!(stderr.contains("signed by AKIDONE"), "{stderr}");
            for secret in ["TheSecretKey", "TheSessionToken", "ThePayload"] {
                assert!(!stderr.contains(secret), "{detail}: {stderr}");
            }
        }
    }
}

#[test]
fn a_wait_before_a_retry_is_announced() {
    let serve = Serve::start(&[
        "--fault",
        "echo: throttle=CallerRateLimitExceeded retry-after=1 times=1",
    ]);
    let output = calling(&serve.url, &["invoke", "echo", "-p", "[1]"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    let said = text(&output.stderr);
    assert!(
        said.starts_with("lambda-invoke: throttled (TooManyRequestsException); trying again in "),
        "{said}"
    );
    assert!(said.ends_with(" s (attempt 2 of 3)\n"), "{said}");
}

#[test]
fn max_attempts_bounds_the_attempts() {
    for (most, attempts) in [("1", 1), ("2", 2), ("5", 5)] {
        let output = local()
            .args([
                "invoke",
                "f",
                "--endpoint-url",
                "http://127.0.0.1:1",
                "--json",
            ])
            .args(["--max-attempts", most])
            .output()
            .unwrap();
        let error: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(error["error"]["attempts"], attempts);
    }
    let output = run(&[
        "invoke",
        "echo",
        "--local",
        "--retry",
        "none",
        "--max-attempts",
        "2",
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--max-attempts has no effect with --retry none"));
}

/// Runs the program with a terminal as its stderr, using `script`.
fn on_a_terminal(environment: &[(&str, &str)]) -> String {
    let line = format!("{} invoke 'a b'", env!("CARGO_BIN_EXE_lambda-invoke"));
    let mut script = Command::new("script");
    script
        .args(["-qec", &line, "/dev/null"])
        .stdin(Stdio::null())
        .env("TERM", "xterm")
        .env_remove("NO_COLOR");
    for (name, value) in environment {
        script.env(name, value);
    }
    String::from_utf8(script.output().unwrap().stdout).unwrap()
}

#[test]
fn failures_are_colored_on_a_terminal_unless_no_color_is_set() {
    if tools::lacks(&["script"]) {
        return;
    }
    let colored = on_a_terminal(&[]);
    assert!(
        colored.contains("\u{1b}[1;31mlambda-invoke:\u{1b}[0m 'a b'"),
        "{colored:?}"
    );
    for plain in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let shown = on_a_terminal(&[plain]);
        assert!(shown.contains("lambda-invoke: 'a b'"), "{shown:?}");
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
    }
    assert!(on_a_terminal(&[("NO_COLOR", "")]).contains("\u{1b}[1;31m"));
}

#[test]
fn headers_are_sent_and_signed_and_bad_ones_are_explained() {
    let serve = Serve::start(&[]);
    let output = calling(
        &serve.url,
        &["invoke", "echo", "-p", "[1]", "-H", "X-Team: shop floor"],
    )
    .args(["--header", "x-b:"])
    .output()
    .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for (header, why) in [
        ("hush", "no colon between name and value"),
        ("X Team: hush", "the name is not one that a header can have"),
        ("Authorization: a", "authorization"),
        ("a: b\u{1}", "control character"),
    ] {
        let output = calling(&serve.url, &["invoke", "echo", "-H", header])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{header}");
        let said = text(&output.stderr);
        assert!(said.contains(why) && !said.contains("hush"), "{said}");
    }
}
