//! `lambda-invoke sign`: the endpoint accepts the requests that it shows.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod program;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer};
use program::{Serve, fed, local, program, text};
use serde_json::Value;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TIME: &str = "20150830T123600Z";

/// The program with other credentials.
fn example() -> Command {
    let mut command = program();
    command
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_REGION", "eu-west-1");
    command
}

fn shown(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(!text(&output.stdout).contains(SECRET) && !text(&output.stderr).contains(SECRET));
    text(&output.stdout).to_owned()
}

#[test]
fn shows_the_headers_that_the_signer_makes_for_the_same_time() {
    let arguments = [
        "sign", "hello", "--stream", "-p", "{}", "--time", TIME, "-q", "live", "-l",
    ];
    let first = shown(example().args(arguments));
    assert_eq!(first, shown(example().args(arguments)));

    let path = "/2021-11-15/functions/hello/response-streaming-invocations?Qualifier=live";
    let (mut parts, ()) =
        http::Request::post(format!("https://lambda.eu-west-1.amazonaws.com{path}"))
            .header("content-type", "application/json")
            .header("x-amz-log-type", "Tail")
            .body(())
            .unwrap()
            .into_parts();
    let keys = Credentials::new("AKIDEXAMPLE", SECRET).unwrap();
    Signer::new(keys, "eu-west-1", "lambda")
        .unwrap()
        .sign(&mut parts, &PayloadHash::of(b"{}"), TIME.parse().unwrap())
        .unwrap();
    let authorization = parts.headers["authorization"].to_str().unwrap();
    assert_eq!(
        first,
        format!(
            "POST {path} HTTP/1.1\nauthorization: {authorization}\ncontent-type: application/json\n\
             host: lambda.eu-west-1.amazonaws.com\nx-amz-date: {TIME}\nx-amz-log-type: Tail\n"
        )
    );

    let json = shown(example().args(arguments).arg("--json"));
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["headers"]["authorization"], authorization);
    assert_eq!(
        json["url"],
        format!("https://lambda.eu-west-1.amazonaws.com{path}")
    );
}

#[test]
fn a_session_token_is_sent_and_signed() {
    let text = shown(
        example()
            .env("AWS_SESSION_TOKEN", "AQoDYXdzEPT")
            .args(["sign", "hello"]),
    );
    assert!(
        text.contains("\nx-amz-security-token: AQoDYXdzEPT\n"),
        "{text}"
    );
    assert!(text.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,"));
}

#[test]
fn the_endpoint_accepts_the_headers() {
    let serve = Serve::start(&[]);
    let payload = r#"{"a":[1,2]}"#;
    let mut request =
        shown(local().args(["sign", "echo", "-p", payload, "--endpoint-url", &serve.url]));
    request.push_str(&format!(
        "content-length: {}\nconnection: close\n\n",
        payload.len()
    ));
    let mut connection = TcpStream::connect(serve.address()).unwrap();
    connection
        .write_all(request.replace('\n', "\r\n").as_bytes())
        .unwrap();
    connection.write_all(payload.as_bytes()).unwrap();
    let mut response = String::new();
    connection.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    assert!(
        response.ends_with(&format!("\r\n\r\n{payload}")),
        "{response}"
    );
}

/// Returns the output of a command that is pasted into a shell.
fn pasted(shell: &str, command: &str) -> Vec<u8> {
    let output = fed(&mut Command::new(shell), command.as_bytes());
    assert!(
        output.status.success(),
        "{command}: {}",
        text(&output.stderr)
    );
    output.stdout
}

#[test]
fn a_curl_command_works_when_it_is_pasted_into_a_shell() {
    if program::tools::lacks(&["curl"]) {
        return;
    }
    let serve = Serve::start(&["--alias", "echo:live=3"]);
    let url = ["--endpoint-url", &serve.url];
    let awkward = r#"["it's", "$HOME `id` $(id) \\ ! *", "Zoë", "@file", "%s%n"]"#;
    let spaced = "{\n\t\"tab\": \"and newline\"\n}\n";
    let long = format!("[\"{}\"]", "long ".repeat(40_000));
    for payload in [awkward, spaced, long.as_str(), "\"@Cargo.toml\"", "0"] {
        let mut sign = local();
        sign.args(["sign", "echo", "--curl", "-p", "-"]).args(url);
        let command = fed(&mut sign, payload.as_bytes());
        let response = pasted("sh", text(&command.stdout));
        assert_eq!(text(&response), payload);
    }
    for arguments in [
        &["arn:aws:lambda:us-east-1:123456789012:function:echo:live"][..],
        &[
            "echo",
            "-q",
            "live",
            "--client-context",
            r#"{"custom":{"it's":"$a"}}"#,
        ],
        &["echo", "--tenant-id", "blue/7 @home", "--log-tail"],
    ] {
        let mut sign = local();
        sign.args(["sign", "--curl", "-p", "[7]"])
            .args(arguments)
            .args(url);
        assert_eq!(
            text(&pasted("sh", &shown(&mut sign))),
            "[7]",
            "{arguments:?}"
        );
    }
    // Without a payload, curl would add its own content type, which the endpoint rejects.
    let mut sign = local();
    sign.args(["sign", "echo", "--curl"]).args(url);
    assert_eq!(text(&pasted("sh", &shown(&mut sign))), "{}");
    let stderr = serve.stop().stderr;
    assert!(
        !stderr.contains(" 403 ") && !stderr.contains(" 415 "),
        "{stderr}"
    );
}

#[test]
fn a_presigned_url_is_valid_for_its_payload_only() {
    let serve = Serve::start(&[]);
    let send = |payload: &str| {
        let mut sign = local();
        sign.args([
            "sign",
            "echo",
            "-p",
            "[1]",
            "--presign",
            "15m",
            "--endpoint-url",
            &serve.url,
        ]);
        let url = shown(&mut sign);
        let target = url.trim_end().strip_prefix(&serve.url).unwrap();
        let mut connection = TcpStream::connect(serve.address()).unwrap();
        let request = format!(
            "POST {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{payload}",
            serve.address(),
            payload.len()
        );
        connection.write_all(request.as_bytes()).unwrap();
        let mut response = String::new();
        connection.read_to_string(&mut response).unwrap();
        response
    };
    assert!(send("[1]").ends_with("\r\n\r\n[1]"));
    assert!(send("[2]").starts_with("HTTP/1.1 403 "));
}

#[test]
fn signs_the_requests_of_any_service() {
    // The example of the S3 reference for a header-signed GET, without its x-amz-content-sha256.
    let text = shown(example().env("AWS_REGION", "us-east-1").args([
        "sign",
        "--service",
        "s3",
        "--url",
        "https://examplebucket.s3.amazonaws.com/test.txt",
        "-X",
        "GET",
        "-H",
        "Range: bytes=0-9",
        "--time",
        "20130524T000000Z",
    ]));
    assert!(text.starts_with("GET /test.txt HTTP/1.1\nauthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "), "{text}");
    assert!(text.contains("\nrange: bytes=0-9\n"), "{text}");

    // "Authenticating requests: using query parameters" of the same reference.
    let url = shown(
        program()
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env(
                "AWS_SECRET_ACCESS_KEY",
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            )
            .args([
                "sign",
                "--service",
                "s3",
                "--url",
                "https://examplebucket.s3.amazonaws.com/test.txt",
                "-X",
                "GET",
                "--region",
                "us-east-1",
                "--time",
                "20130524T000000Z",
                "--presign",
                "86400s",
            ]),
    );
    assert!(
        url.trim_end().ends_with(
            "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        ),
        "{url}"
    );
}

#[test]
fn invalid_requests_are_rejected() {
    for (arguments, words) in [
        (&["sign"][..], "FUNCTION"),
        (&["sign", "a b"], "' ' at byte 1"),
        (&["sign", "f", "-p", "{"], "at byte 1"),
        (&["sign", "f", "--time", "yesterday"], "20150830T123600Z"),
        (&["sign", "f", "--presign", "8 days"], "604800"),
        (&["sign", "f", "--event", "--log-tail"], "log"),
        (&["sign", "--url", "https://h/"], "--service"),
        (&["sign", "--url", "/path", "--service", "s3"], "not a URL"),
        (&["sign", "f:live", "-q", "7"], "differs"),
    ] {
        let output = example().args(arguments).output().unwrap();
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
    }
    let output = program().args(["sign", "f"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("AWS_ACCESS_KEY_ID"),
        "{}",
        text(&output.stderr)
    );
}
