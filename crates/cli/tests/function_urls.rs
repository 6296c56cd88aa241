//! The settings of function URLs, from a SAM template or a `lambda.toml` to the response that curl
//! receives.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod program;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use program::{Serve, text};

const TEMPLATE: &str = "\
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.12, Timeout: 20, CodeUri: .}
Resources:
  Live:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      FunctionUrlConfig:
        AuthType: AWS_IAM
        InvokeMode: RESPONSE_STREAM
  Whole:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      FunctionUrlConfig:
        AuthType: NONE
        Cors:
          AllowOrigins: ['https://app.example']
          AllowMethods: [PUT]
          AllowHeaders: [x-mine]
          ExposeHeaders: [x-shown]
          AllowCredentials: true
          MaxAge: 60
";

const TOML: &str = "\
[defaults]
timeout = 20

[functions.Live]
source = 'app.py'
url = { auth = 'AWS_IAM', mode = 'RESPONSE_STREAM' }

[functions.Whole]
source = 'app.py'

[functions.Whole.url]
auth = 'NONE'
mode = 'BUFFERED'

[functions.Whole.url.cors]
allow-origins = ['https://app.example']
allow-methods = ['PUT']
allow-headers = ['x-mine']
expose-headers = ['x-shown']
allow-credentials = true
max-age = 60
";

/// A generator, which streams if the URL's mode allows it.
const APP: &str = "\
import time
def handler(event, context):
    print('called by', event['requestContext']['accountId'])
    yield {'statusCode': 201, 'headers': {'content-type': 'text/plain', 'access-control-allow-origin': '*'}}
    yield 'one '
    time.sleep(0.6)
    yield 'two'
";

fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("urls-{test}"));
    std::fs::create_dir_all(&folder).unwrap();
    for (file, text) in [
        ("template.yaml", TEMPLATE),
        ("lambda.toml", TOML),
        ("app.py", APP),
    ] {
        std::fs::write(folder.join(file), text).unwrap();
    }
    folder
}

/// A response: its head in lower case, its body, and the time between the first and the last byte
/// of the body.
struct Response {
    head: String,
    body: String,
    apart: Duration,
}

fn curl(arguments: &[&str]) -> Response {
    let mut curl = Command::new("curl")
        .args(["-sS", "-i", "-N", "--max-time", "30"])
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = curl.stdout.take().unwrap();
    let (mut bytes, mut buffer, mut first) = (Vec::new(), [0; 4096], None);
    loop {
        let length = stdout.read(&mut buffer).unwrap();
        if length == 0 {
            break;
        }
        bytes.extend_from_slice(&buffer[..length]);
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if head.is_some_and(|at| bytes.len() > at + 4) {
            first.get_or_insert_with(Instant::now);
        }
    }
    assert!(curl.wait().unwrap().success());
    let whole = text(&bytes);
    let (head, body) = whole.split_once("\r\n\r\n").unwrap();
    Response {
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
        apart: first.map_or(Duration::ZERO, |first| first.elapsed()),
    }
}

fn check(serve: &Serve) {
    let live = format!("{}/url/Live/", serve.url);
    let unsigned = curl(&[&live]);
    assert!(
        unsigned.head.starts_with("http/1.1 403 "),
        "{}",
        unsigned.head
    );
    // The options that the banner of `serve` shows.
    let signed = [
        "--aws-sigv4",
        "aws:amz:us-east-1:lambda",
        "--user",
        "local:local",
        &live,
    ];
    let streamed = curl(&signed);
    assert!(
        streamed.head.starts_with("http/1.1 201 "),
        "{}",
        streamed.head
    );
    assert!(
        streamed.head.contains("transfer-encoding: chunked"),
        "{}",
        streamed.head
    );
    assert_eq!(
        streamed.body.matches("one ").count(),
        1,
        "{}",
        streamed.body
    );
    assert!(
        streamed.apart > Duration::from_millis(300),
        "{:?}",
        streamed.apart
    );

    let whole = format!("{}/url/Whole/", serve.url);
    let preflight = curl(&[
        "-X",
        "OPTIONS",
        "-H",
        "Origin: https://app.example",
        "-H",
        "Access-Control-Request-Method: PUT",
        &whole,
    ]);
    for line in [
        "access-control-allow-origin: https://app.example",
        "access-control-allow-methods: put",
        "access-control-allow-headers: x-mine",
        "access-control-allow-credentials: true",
        "access-control-max-age: 60",
    ] {
        assert!(preflight.head.contains(line), "{line}: {}", preflight.head);
    }
    let page = ["-X", "PUT", "-H", "Origin: https://app.example", &whole];
    let buffered = curl(&page);
    assert!(
        buffered.head.starts_with("http/1.1 201 "),
        "{}",
        buffered.head
    );
    assert!(
        buffered.head.contains("content-length: 7"),
        "{}",
        buffered.head
    );
    assert!(
        buffered
            .head
            .contains("access-control-expose-headers: x-shown")
    );
    // The URL's own header replaces the function's.
    let allowed = "access-control-allow-origin: https://app.example";
    assert!(buffered.head.contains(allowed), "{}", buffered.head);
    assert_eq!(buffered.body, "one two");
    let foreign = curl(&["-H", "Origin: https://other.example", &whole]);
    assert!(
        foreign.head.starts_with("http/1.1 403 "),
        "{}",
        foreign.head
    );
}

/// Returns how often a function of each account was called.
fn calls(stderr: &str, account: &str) -> usize {
    stderr.matches(&format!("called by {account}")).count()
}

#[test]
fn a_sam_template_sets_auth_mode_and_cors_of_a_url() {
    if program::tools::lacks(&["python3", "curl"]) {
        return;
    }
    let template = folder("sam").join("template.yaml");
    let serve = Serve::start(&["--sam", template.to_str().unwrap()]);
    check(&serve);
    let stderr = serve.stop().stderr;
    assert_eq!(calls(&stderr, "123456789012"), 1, "{stderr}");
    assert_eq!(calls(&stderr, "anonymous"), 1, "{stderr}");
}

#[test]
fn a_lambda_toml_sets_auth_mode_and_cors_of_a_url() {
    if program::tools::lacks(&["python3", "curl"]) {
        return;
    }
    let config = folder("toml").join("lambda.toml");
    let serve = Serve::start(&["--config", config.to_str().unwrap()]);
    check(&serve);
    let stderr = serve.stop().stderr;
    assert_eq!(calls(&stderr, "123456789012"), 1, "{stderr}");
    assert_eq!(calls(&stderr, "anonymous"), 1, "{stderr}");
}
