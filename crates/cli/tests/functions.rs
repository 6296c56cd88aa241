//! `lambda-invoke serve` with users' own functions, in Python, Node.js and any other language.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod program;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use program::{Serve, calling, program as lambda_invoke, text};

/// Creates a folder with these files.
fn folder(test: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("functions")
        .join(test);
    let _ = std::fs::remove_dir_all(&folder);
    for (file, text) in files {
        write(&folder, file, text);
    }
    folder.canonicalize().unwrap()
}

fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn path(folder: &Path, file: &str) -> String {
    folder.join(file).to_str().unwrap().to_owned()
}

async fn invoke(serve: &Serve, name: &str, payload: &str) -> String {
    let client = serve.client();
    let call = client.invoke(name.to_owned()).payload(payload.to_owned());
    let reply = call.send().await.unwrap();
    String::from_utf8(reply.payload().to_vec()).unwrap()
}

const STREAMING: &str = "\
import os, time
def lambda_handler(event, context):
    print('called in', os.getcwd())
    for word in ['one ', 'two ', 'three']:
        yield word
        time.sleep(0.3)
";

/// Each chunk reaches the client before the function writes the next one.
#[tokio::test]
async fn a_python_generator_streams_chunk_by_chunk() {
    if program::tools::lacks(&["python3", "node"]) {
        return;
    }
    let folder = folder("streams", &[("app.py", STREAMING)]);
    let mut serve = Serve::start(&[&path(&folder, "app.py")]);
    let client = serve.client();
    let mut stream = client.stream("app").payload("{}").send().await.unwrap();
    let mut times = Vec::new();
    let mut whole = String::new();
    while let Some(chunk) = stream.next_chunk().await {
        times.push(Instant::now());
        whole.push_str(text(&chunk.unwrap()));
    }
    assert_eq!(whole, "one two three");
    assert_eq!(times.len(), 3);
    for pair in times.windows(2) {
        assert!(pair[1] - pair[0] > Duration::from_millis(100), "{times:?}");
    }
    // The function's line, with time, name and request ID.
    let line = serve.line_with("called in");
    let words: Vec<&str> = line.split(' ').collect();
    assert!(words[0].ends_with('Z') && words[0].contains(':'), "{line}");
    assert_eq!((words[1], words[2].len()), ("app", 8), "{line}");
    assert!(line.ends_with(folder.to_str().unwrap()), "{line}");
    let stderr = serve.stop().stderr;
    assert!(!stderr.contains("START RequestId"), "{stderr}");
    assert!(
        stderr.contains("\n  export AWS_ENDPOINT_URL_LAMBDA=http://127.0.0.1:"),
        "{stderr}"
    );
    // botocore reads no other variable for the region.
    assert!(
        stderr.contains(" AWS_DEFAULT_REGION=us-east-1 "),
        "{stderr}"
    );
    assert!(stderr.contains("\n  aws lambda invoke "), "{stderr}");
    assert!(stderr.contains("\n  curl -N http://127.0.0.1:"), "{stderr}");
}

#[tokio::test]
async fn several_functions_with_their_own_settings() {
    if program::tools::lacks(&["python3", "node"]) {
        return;
    }
    const SHOW: &str = "\
import os
def handler(event, context):
    ms = context.get_remaining_time_in_millis()
    keys = [k for k in os.environ if k.startswith('HOST_') or k == 'A']
    return [sorted(keys), os.environ.get('A'), context.memory_limit_in_mb, ms > 5000, ms <= 7000]
";
    let config = "
        [functions.one]
        source = 'show.py'
        env = { A = 'one' }
        memory = 512
        timeout = 7
        [functions.two]
        root = 'web'
        handler = './src/index.api.get'
    ";
    let nested = "exports.api = { get: async (event) => event.x + process.env.B };";
    let files = [
        ("show.py", SHOW),
        ("lambda.toml", config),
        ("web/src/index.js", nested),
        (".env", "B='!'\n"),
    ];
    let folder = folder("several", &files);
    let mut command = lambda_invoke();
    command
        .env("HOST_SECRET", "hush")
        .current_dir(&folder)
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--config",
            "lambda.toml",
        ])
        .args(["--env-file", ".env", "--function", "three=show.py"]);
    let serve = Serve::of(command);
    let one = invoke(&serve, "one", "{}").await;
    assert_eq!(one, r#"[["A"], "one", "512", true, true]"#);
    assert_eq!(invoke(&serve, "two", r#"{"x":"yes"}"#).await, r#""yes!""#);
    // The default timeout is 15 minutes, and nothing from the host's environment is visible.
    assert_eq!(
        invoke(&serve, "three", "{}").await,
        r#"[[], null, "128", true, false]"#
    );
    assert!(
        serve
            .stop()
            .stderr
            .starts_with("serving one, three, two in ")
    );
}

#[tokio::test]
async fn a_change_starts_new_instances_and_names_the_file() {
    if program::tools::lacks(&["python3", "node"]) {
        return;
    }
    let handler = |text: &str| format!("import util\ndef handler(e, c): return util.A + '{text}'");
    let folder = folder(
        "watch",
        &[("app.py", &handler("1")), ("util.py", "A = 'a'")],
    );
    let mut serve = Serve::start(&[&path(&folder, "app.py")]);
    assert_eq!(invoke(&serve, "app", "{}").await, r#""a1""#);
    write(&folder, "node_modules/x.py", "changed = True");
    write(&folder, "util.py", "A = 'new'");
    let line = serve.line_with(" changed; ");
    assert_eq!(
        line,
        "app: util.py changed; the next call starts a new instance"
    );
    assert_eq!(invoke(&serve, "app", "{}").await, r#""new1""#);
    // A syntax error is an init error that says where it is; once it is fixed, the function works
    // again.
    write(&folder, "app.py", "def handler(e, c):\n    return (\n");
    serve.line_with("app: app.py changed");
    let error = invoke(&serve, "app", "{}").await;
    assert!(error.contains("Runtime.UserCodeSyntaxError"), "{error}");
    assert!(error.contains("app.py, line 2"), "{error}");
    serve.line_with("app.py, line 2");
    write(&folder, "app.py", &handler("2"));
    let deadline = Instant::now() + program::PATIENCE;
    while invoke(&serve, "app", "{}").await != r#""new2""# {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    serve.stop();
}

#[tokio::test]
async fn a_sam_project_is_served_and_what_is_left_out_is_listed() {
    if program::tools::lacks(&["python3", "node"]) {
        return;
    }
    let template = "
Parameters: {Stage: {Type: String, Default: dev}}
Globals: {Function: {Runtime: python3.12, Environment: {Variables: {STAGE: !Ref Stage}}}}
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: orders
      Handler: src/app.lambda_handler
      Environment: {Variables: {TABLE: !Ref Table, QUEUE: !GetAtt Queue.Arn}}
";
    let app = "\
import os
def lambda_handler(event, context):
    return [os.environ.get(name) for name in ('STAGE', 'TABLE', 'QUEUE', 'EXTRA')]
";
    let folder = folder(
        "sam",
        &[("template.yaml", template), ("orders/src/app.py", app)],
    );
    let arguments = [
        "--sam",
        &path(&folder, "template.yaml"),
        "--parameter",
        "Stage=test",
        "--env",
        "TABLE=local",
        "--env",
        "EXTRA=1",
    ];
    let serve = Serve::start(&arguments);
    let found = invoke(&serve, "Orders", "{}").await;
    assert_eq!(found, r#"["test", "local", null, "1"]"#);
    let stderr = serve.stop().stderr;
    assert_eq!(
        stderr
            .matches("variable QUEUE is not set: Queue.Arn exists")
            .count(),
        1,
        "{stderr}"
    );
    assert!(stderr.contains("template.yaml:10: Orders: "), "{stderr}");
    // TABLE is set by the option.
    assert!(!stderr.contains("TABLE"), "{stderr}");
}

#[test]
fn a_local_call_runs_a_function_and_stdout_is_its_response_only() {
    if program::tools::lacks(&["python3", "node"]) {
        return;
    }
    let folder = folder("local", &[("app.py", STREAMING)]);
    let mut command = lambda_invoke();
    let app = path(&folder, "app.py");
    let output = command
        .args(["stream", "app", "--local", "--function", &app, "-p", "{}"])
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), "one two three");
    assert!(text(&output.stderr).starts_with("called in "));
    assert_eq!(output.status.code(), Some(0));
}

/// A stream has no error but what its log reports.
#[test]
fn a_stream_of_a_failed_function_is_no_success_however_it_failed() {
    if program::tools::lacks(&["python3", "node"]) {
        return;
    }
    let files = [
        (
            "yields.py",
            "def handler(e, c):\n    yield 'x'\n    yield {1}\n",
            "Runtime.MarshalError",
        ),
        (
            "returns.py",
            "def handler(e, c): return {1}\n",
            "Runtime.MarshalError",
        ),
        ("arity.py", "def handler(e): return 1\n", "TypeError"),
        (
            "missing.py",
            "import nowhere\ndef handler(e, c): return 1\n",
            "Runtime.ImportModuleError",
        ),
        (
            "syntax.py",
            "def handler(e, c):\n    return 1 +\n",
            "Runtime.UserCodeSyntaxError",
        ),
        (
            "imports.mjs",
            "import 'nowhere'; export const handler = async () => 1;\n",
            "Error",
        ),
        (
            "throws.mjs",
            "export const handler = async () => 1; throw new RangeError('x');\n",
            "RangeError",
        ),
        (
            "unclear.mjs",
            "export const handler = async ( => 1;\n",
            "Runtime.UserCodeSyntaxError",
        ),
        (
            "number.mjs",
            "export const handler = 1;\n",
            "Runtime.HandlerNotFound",
        ),
    ];
    let folder = folder("failed-streams", &files.map(|(file, text, _)| (file, text)));
    let mut arguments = Vec::new();
    for (file, _, _) in files {
        let name = file.split('.').next().unwrap();
        let handler = format!("{name}={}:handler", path(&folder, file));
        arguments.extend(["--function".to_owned(), handler]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let serve = Serve::start(&arguments);
    for (file, _, kind) in files {
        let name = file.split('.').next().unwrap();
        let output = calling(&serve.url, &["stream", name, "-p", "{}"])
            .output()
            .unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{file}: {said}");
        assert!(said.contains(kind), "{file}: {said}");
    }
}

#[tokio::test]
async fn the_log_can_be_json_lines() {
    if program::tools::lacks(&["python3", "node"]) {
        return;
    }
    let app = "import sys\ndef handler(e, c):\n    for n in range(100):\n        print('out \\x1b[1m', n)\n        print('err', n, file=sys.stderr)\n";
    let folder = folder("json", &[("app.py", app)]);
    let mut serve = Serve::start(&[&path(&folder, "app.py"), "--log-format", "json"]);
    assert_eq!(invoke(&serve, "app", "{}").await, "null");
    serve.line_with("\"err 99\"");
    let stderr = serve.stop().stderr;
    let lines: Vec<serde_json::Value> = stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    assert!(
        lines
            .iter()
            .all(|line| line["time"].is_string() && line["message"].is_string())
    );
    let own: Vec<_> = lines
        .iter()
        .filter(|line| line["function"] == "app")
        .collect();
    // The lines have the order in which they were written, to stdout and stderr in turn.
    let messages: Vec<_> = own.iter().map(|line| line["message"].as_str()).collect();
    let written: Vec<_> = (0..100)
        .flat_map(|n| [format!("out \x1b[1m {n}"), format!("err {n}")])
        .collect();
    let written: Vec<_> = written.iter().map(|line| Some(line.as_str())).collect();
    assert_eq!(messages, written);
    assert_eq!(own[0]["requestId"].as_str().unwrap().len(), 36);
    let serve = Serve::start(&[&path(&folder, "app.py"), "--quiet"]);
    assert_eq!(invoke(&serve, "app", "{}").await, "null");
    let stderr = serve.stop().stderr;
    assert!(
        !stderr.contains("err") && !stderr.contains("export"),
        "{stderr}"
    );
}

#[test]
fn what_is_printed_can_be_pasted_into_any_shell() {
    let folder = folder("pasted", &[("my fn", "#!/bin/sh\n")]);
    let program = path(&folder, "my fn");
    let mut permissions = std::fs::metadata(&program).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    std::fs::set_permissions(&program, permissions).unwrap();
    let mut command = lambda_invoke();
    let is_ipv6 = std::net::TcpListener::bind("[::1]:0").is_ok();
    let address = if is_ipv6 { "[::1]:0" } else { "127.0.0.1:0" };
    let function = format!("f='{program}'");
    command.args(["serve", "--function", &function, "--listen", address]);
    let serve = Serve::of(command);
    let url = format!("{}/url/f/", serve.url);
    let stderr = serve.stop().stderr;
    assert!(
        stderr.contains(&format!("\n  f: '{program}' in ")),
        "{stderr}"
    );
    // zsh takes brackets without quotes for a pattern.
    let line = match is_ipv6 {
        true => format!("\n  curl -N '{url}'\n"),
        false => format!("\n  curl -N {url}\n"),
    };
    assert!(stderr.contains(&line), "{stderr}");
}

#[test]
fn a_failure_to_start_is_a_json_line_as_well() {
    let folder = folder("json-failure", &[("app.py", "def handle(e, c): pass")]);
    let mut command = lambda_invoke();
    let app = path(&folder, "app.py");
    let output = command
        .args(["serve", &app, "--log-format", "json"])
        .output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let line: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert!(line["time"].is_string(), "{line}");
    let message = line["message"].as_str().unwrap();
    assert!(message.contains("defines no function"), "{message}");
}

#[test]
fn the_configuration_can_be_printed_and_read() {
    if program::tools::lacks(&["python3", "node"]) {
        return;
    }
    let folder = folder("print", &[("app.py", "def handler(e, c): pass")]);
    let print = |arguments: &[&str]| {
        let mut command = lambda_invoke();
        command
            .current_dir(&folder)
            .args(["serve", "--print-config"]);
        let output = command.args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout).to_owned()
    };
    assert!(print(&[]).contains("# Functions for `lambda-invoke serve --config lambda.toml`."));
    let printed = print(&["app.py", "--env", "A=it's"]);
    write(&folder, "lambda.toml", &printed);
    assert_eq!(print(&["--config", "lambda.toml"]), printed);
}

#[test]
fn mistakes_are_usage_errors_that_say_what_would_be_right() {
    if program::tools::lacks(&["python3", "node"]) {
        return;
    }
    let folder = folder(
        "wrong",
        &[
            ("app.py", "def main(e, c): pass"),
            ("lambda.toml", "[functions.x]\nmemory = 1"),
        ],
    );
    for (arguments, part) in [
        (
            &["app.py"][..],
            "app.py: defines no function lambda_handler or handler; to serve the function main, write FILE:main",
        ),
        (&["nothing.py"], "'nothing.py' does not exist"),
        (
            &["app.py:main", "--function", "app=app.py:main"],
            "there is already a function 'app'",
        ),
        (
            &["--config", "lambda.toml"],
            "lambda.toml:1: what function 'x' runs is missing",
        ),
        (&["--config", "no.toml"], "no.toml: cannot be read"),
        (&["--sam", "lambda.toml"], "lambda.toml"),
        (&["app.py:main", "--env", "1=2"], "expected NAME=VALUE"),
        (
            &["app.py:main", "--env-file", "no.env"],
            "no.env: cannot be read",
        ),
    ] {
        let mut command = lambda_invoke();
        let output = command
            .current_dir(&folder)
            .arg("serve")
            .args(arguments)
            .output()
            .unwrap();
        let stderr = text(&output.stderr);
        assert!(stderr.contains(part), "{arguments:?}: {stderr}");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

/// The official runtime clients write such records: see `awslambdaric`'s `FramedTelemetryLogSink`.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_record_of_several_lines_stays_whole_and_in_its_place() {
    if program::tools::lacks(&["python3"]) {
        return;
    }
    let app = "\
import os, struct, sys
def handler(event, context):
    text = 'record\\n  of ' + 'many ' * 20_000 + '\\nlines'
    print('before', end=' ')
    sys.stdout.flush()
    record = struct.pack('>IIQ', 0xA55A0003 | 0b10100, len(text), 0) + text.encode()
    with open(int(os.environ['_LAMBDA_TELEMETRY_LOG_FD']), 'wb', 0, closefd=False) as records:
        while record:
            record = record[records.write(record):]
    print('and after')
    print('error', file=sys.stderr)
";
    let folder = folder("records", &[("app.py", app)]);
    let mut serve = Serve::start(&[&path(&folder, "app.py"), "--log-format", "json"]);
    assert_eq!(invoke(&serve, "app", "{}").await, "null");
    serve.line_with("\"error\"");
    let stderr = serve.stop().stderr;
    let messages: Vec<String> = stderr
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|line| line["function"] == "app")
        .map(|line| line["message"].as_str().unwrap().to_owned())
        .collect();
    let [record, line, error] = &messages[..] else {
        panic!("{messages:?}");
    };
    assert!(record.starts_with("record\n  of many many "), "{record}");
    assert!(record.ends_with(" \nlines"), "{record}");
    assert_eq!(
        (line.as_str(), error.as_str()),
        ("before and after", "error")
    );
    // The client for concurrent invocations would not pass the descriptor on.
    let app = "import os\ndef handler(e, c): return os.environ.get('_LAMBDA_TELEMETRY_LOG_FD')";
    write(&folder, "app.py", app);
    let variable = "AWS_LAMBDA_MAX_CONCURRENCY=1";
    let serve = Serve::start(&[&path(&folder, "app.py"), "--env", variable]);
    assert_eq!(invoke(&serve, "app", "{}").await, "null");
}

/// All function processes end with `serve`, even if it is killed. Tried ten times in a row.
#[tokio::test]
async fn no_process_is_left_when_serve_is_killed() {
    if program::tools::lacks(&["python3", "node"]) {
        return;
    }
    let app = "\
import os, subprocess
def handler(event, context):
    child = subprocess.Popen(['sleep', '1000'], start_new_session=True)
    return [os.getpid(), child.pid]
";
    let folder = folder("killed", &[("app.py", app)]);
    for _ in 0..10 {
        killed(&path(&folder, "app.py")).await;
    }
}

async fn killed(app: &str) {
    let serve = Serve::start(&[app]);
    let ids: Vec<u32> = serde_json::from_str(&invoke(&serve, "app", "{}").await).unwrap();
    serve.signal("KILL");
    serve.ended();
    let deadline = Instant::now() + program::PATIENCE;
    for id in ids {
        let alive = || {
            let found = Command::new("ps")
                .args(["-o", "stat=", "-p", &id.to_string()])
                .output();
            let found = found.unwrap();
            let state = text(&found.stdout).trim().to_owned();
            !state.is_empty() && !state.starts_with('Z')
        };
        while alive() {
            assert!(Instant::now() < deadline, "process {id} is left");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
