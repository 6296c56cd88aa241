//! What runtimes, extensions and callers do wrong: each request is rejected with its own status and type,
//! and each error says what is wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // It is a test.

mod support;

use std::time::Duration;

use lambda_invoke_runtime::api::{Machine, Rejection, ResponseMode, Subscriptions};
use lambda_invoke_runtime::limits::MAX_EXTENSIONS;
use lambda_invoke_runtime::{Event, InvokeError, Outcome, Pool, Program, ProgramError};
use support::{Folder, bootstrap, event, invoke};

/// Prints the status and the type of each response to a request that is wrong.
const WRONG: &str = r#"def show(what, *request):
    response, text = ask(*request)
    print(what, response.status, json.loads(text)["errorType"], flush=True)
base, named = "/2020-01-01/extension/", {"Lambda-Extension-Name": "x"}
register, none = base + "register", '{"events":[]}'
show("no name:", "POST", register, none)
show("no JSON:", "POST", register, "{", named)
show("another event:", "POST", register, '{"events":["OTHER"]}', named)
show("too long:", "POST", register, b" " * 65537, named)
for number in range(10): ask("POST", register, none, named)
show("an eleventh:", "POST", register, none, named)
unknown = {"Lambda-Extension-Identifier": "00000000-0000-4000-8000-000000000010"}
show("no identifier:", "GET", base + "event/next")
show("another identifier:", "GET", base + "event/next", None, unknown)
show("its error:", "POST", base + "exit/error", "{}", unknown)
base = "/2018-06-01/runtime/"
show("a method:", "POST", base + "invocation/next")
show("a path:", "GET", base + "nothing")
base += "invocation/"
id = ask("GET", base + "next")[0].headers["Lambda-Runtime-Aws-Request-Id"]
show("too late to register:", "POST", register, none, named)
show("a mode:", "POST", base + id + "/response", "1", {"Lambda-Runtime-Function-Response-Mode": "other"})
show("another id:", "POST", base + "other/response", "1")
large = ask("POST", base + id + "/error", b"x" * 6291557)
# What is printed between two invocations belongs to neither.
id = ask("GET", base + "next")[0].headers["Lambda-Runtime-Aws-Request-Id"]
print("a large error:", large[0].status, json.loads(large[1])["errorType"], flush=True)
show("too late:", "POST", "/2018-06-01/runtime/init/error", "{}")
ask("POST", base + id + "/response", "1")
ask("GET", base + "next")
"#;

#[tokio::test]
async fn each_wrong_request_has_its_own_status_and_type() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let pool = Pool::new(bootstrap(&folder, WRONG));
    let failed = invoke(&pool, "{}").await;
    assert_eq!(
        failed.log(),
        "no name: 403 Extension.InvalidExtensionName\n\
         no JSON: 403 InvalidRequestFormat\n\
         another event: 403 Extension.InvalidEventType\n\
         too long: 413 RequestEntityTooLarge\n\
         an eleventh: 403 Extension.TooManyExtensions\n\
         no identifier: 403 Extension.MissingExtensionIdentifier\n\
         another identifier: 403 Extension.UnknownExtensionIdentifier\n\
         its error: 403 Extension.UnknownExtensionIdentifier\n\
         a method: 405 MethodNotAllowed\n\
         a path: 404 NotFound\n\
         too late to register: 403 Extension.RegistrationClosed\n\
         a mode: 400 InvalidFunctionResponseMode\n\
         another id: 400 InvalidRequestID\n"
    );
    // The response that is too large failed the call, and not the instance.
    assert_eq!(failed.error_type(), "Function.ResponseSizeTooLarge");
    let called = invoke(&pool, "{}").await;
    assert_eq!(
        (called.text(), &called.report.outcome),
        ("1".to_owned(), &Outcome::Succeeded)
    );
    assert_eq!(
        called.log(),
        "a large error: 413 RequestEntityTooLarge\ntoo late: 403 InvalidStateTransition\n"
    );
    assert_eq!(pool.instances(), 1);
}

/// Prints the trace id that an extension receives.
const TRACED: &str = r#"base = "/2020-01-01/extension/"
own = ask("POST", base + "register", '{"events":["INVOKE"]}', {"Lambda-Extension-Name": "own"})[0]
own = {"Lambda-Extension-Identifier": own.headers["Lambda-Extension-Identifier"]}
events = []
def extension():
    events.append(json.loads(ask("GET", base + "event/next", None, own)[1]))
waiting = threading.Thread(target=extension)
waiting.start()
base = "/2018-06-01/runtime/invocation/"
head = ask("GET", base + "next")[0].headers
waiting.join()
trace = [head["Lambda-Runtime-Trace-Id"], events[0]["tracing"], events[0]["invokedFunctionArn"]]
ask("POST", base + head["Lambda-Runtime-Aws-Request-Id"] + "/response", json.dumps(trace))
ask("GET", base + "next")
"#;

#[tokio::test]
async fn an_extension_receives_the_trace_and_the_arn_of_a_call() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let program = bootstrap(&folder, TRACED)
        .region("eu-north-1")
        .name("traced");
    let pool = Pool::new(program);
    let mut event = event("{}");
    event.trace_id = Some("Root=1-5-7".to_owned());
    let called = support::call(&pool, event).await;
    assert_eq!(
        called.text(),
        "[\"Root=1-5-7\", {\"type\": \"X-Amzn-Trace-Id\", \"value\": \"Root=1-5-7\"}, \
         \"arn:aws:lambda:eu-north-1:000000000000:function:traced\"]"
    );
}

/// Does what the event says, after its extension has begun to wait for the end, whose reason it writes to a
/// file.
const ENDED: &str = r#"import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
base = "/2020-01-01/extension/"
own = ask("POST", base + "register", '{"events":["SHUTDOWN"]}', {"Lambda-Extension-Name": "own"})[0]
own = {"Lambda-Extension-Identifier": own.headers["Lambda-Extension-Identifier"]}
def extension():
    event = json.loads(ask("GET", base + "event/next", None, own)[1])
    with open("reason", "w") as file: file.write(event["shutdownReason"])
    os._exit(0)
threading.Thread(target=extension).start()
base = "/2018-06-01/runtime/"
if os.environ["END"] == "failure": ask("POST", base + "init/error", "{}")
elif os.environ["END"] != "slow start":
    head = ask("GET", base + "invocation/next")[0].headers
    if os.environ["END"] == "spindown":
        ask("POST", base + "invocation/" + head["Lambda-Runtime-Aws-Request-Id"] + "/response", "1")
        ask("GET", base + "invocation/next")
threading.Event().wait(60)
"#;

#[tokio::test]
async fn an_extension_is_told_why_it_ends() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    for (end, reason) in [
        ("failure", "failure"),
        ("slow start", "timeout"),
        ("slow call", "timeout"),
        ("spindown", "spindown"),
    ] {
        let mut written = String::new();
        // On a busy machine, an extension may not have registered when the time for the start is over, or may
        // need more than its time to end.
        for _ in 0..10 {
            let folder = Folder::new();
            let program = bootstrap(&folder, ENDED).env("END", end);
            let program = match end {
                "slow start" => program.init_timeout(Duration::from_secs(3)),
                "slow call" => program.timeout(Duration::from_secs(1)),
                _ => program,
            };
            let pool = Pool::new(program);
            invoke(&pool, "{}").await;
            pool.shutdown().await;
            let path = folder.path().join("reason");
            written = std::fs::read_to_string(path).unwrap_or_default();
            if !written.is_empty() {
                break;
            }
        }
        assert_eq!(written, reason, "{end}");
    }
}

/// Asks for its first event later than the runtime.
const SLOW: &str = r#"base = "/2020-01-01/extension/"
own = ask("POST", base + "register", '{"events":["INVOKE"]}', {"Lambda-Extension-Name": "own"})[0]
own = {"Lambda-Extension-Identifier": own.headers["Lambda-Extension-Identifier"]}
threading.Thread(target=respond_with, args=[lambda head: str(os.getpid())]).start()
while True:
    threading.Event().wait(0.3)
    ask("GET", base + "event/next", None, own)
"#;

#[tokio::test]
async fn an_instance_waits_for_an_extension_that_asks_later() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let pool = Pool::new(bootstrap(&folder, SLOW));
    let first = invoke(&pool, "{}").await;
    assert_eq!(first.report.outcome, Outcome::Succeeded);
    assert_eq!(invoke(&pool, "{}").await.text(), first.text());
}

/// Closes the connection of each response within it, and asks for the next event on another one.
const TRUNCATING: &str = r#"import socket, sys
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
base = "/2018-06-01/runtime/invocation/"
while True:
    head, _ = ask("GET", base + "next")
    if head.status != 200: sys.exit(head.status)
    api = socket.create_connection((host, int(port)))
    path = base + head.headers["Lambda-Runtime-Aws-Request-Id"] + "/response"
    api.sendall(b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf" % path.encode())
    api.close()
"#;

/// The host may see the request before it sees the response, or that the other connection has closed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runtime_that_asks_right_after_a_truncated_response_is_not_rejected() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let pool = Pool::new(bootstrap(&folder, TRUNCATING));
    let mut instances = Vec::new();
    for _ in 0..40 {
        let called = invoke(&pool, "{}").await;
        assert_eq!(called.error_type(), "Runtime.TruncatedResponse");
        instances.push(called.report.init_duration);
    }
    let started = instances.iter().flatten().count();
    assert_eq!(started, 1, "no request was rejected");
}

/// An instance that is recycled while it waits for its extension ends when that asks.
#[tokio::test]
async fn a_recycled_instance_does_not_wait_for_another_event() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let pool = Pool::new(bootstrap(&folder, SLOW));
    invoke(&pool, "{}").await;
    // By now, the runtime has asked for its next event, and the extension has not.
    tokio::time::sleep(Duration::from_millis(100)).await;
    pool.recycle();
    let ends = async {
        while pool.instances() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let ends = tokio::time::timeout(Duration::from_secs(10), ends).await;
    assert!(ends.is_ok(), "it waits for its initialization to time out");
}

#[test]
fn the_machine_rejects_what_it_does_not_know() {
    let mut machine = Machine::new(1);
    for id in 0..MAX_EXTENSIONS {
        assert_eq!(machine.register(Subscriptions::default()), Ok(id));
    }
    let one_more = machine.register(Subscriptions::default());
    assert_eq!(one_more, Err(Rejection::TooManyExtensions));
    let unknown = machine.extension_error(MAX_EXTENSIONS);
    assert_eq!(unknown, Err(Rejection::UnknownExtension));
    assert!(machine.is_initializing(), "nothing has changed");
    assert_eq!(machine.extension_error(0), Ok(()));
    assert_eq!(machine.poll(1), Err(Rejection::InvalidStateTransition));
}

#[test]
fn an_extension_is_told_of_what_it_subscribed_to_while_it_waits() {
    let mut machine = Machine::new(1);
    let (invoke, shutdown) = (true, true);
    let both = machine
        .register(Subscriptions { invoke, shutdown })
        .unwrap();
    let neither = machine.register(Subscriptions::default()).unwrap();
    assert!(machine.is_initializing());
    machine.poll(1).unwrap();
    assert!(!machine.is_initializing());
    assert!(!machine.can_take(), "the extension is not ready");
    machine.extension_poll(both, 2).unwrap();
    assert!(machine.can_take());
    machine.cancel(2);
    assert!(!machine.can_take(), "nobody waits anymore");
    machine.extension_poll(both, 3).unwrap();
    machine.extension_poll(neither, 4).unwrap();
    assert_eq!(machine.hand("id", "nonce").unwrap().extensions, [3]);
    machine.extension_poll(both, 5).unwrap();
    assert!(!machine.must_hear_of_shutdown(both), "it has not begun");
    assert_eq!(machine.close(), [5]);
    assert!(machine.must_hear_of_shutdown(both));
    assert!(!machine.must_hear_of_shutdown(neither));
    assert!(
        !machine.must_hear_of_shutdown(2),
        "there is no such extension"
    );
}

#[test]
fn an_invocation_that_could_not_be_delivered_is_delivered_to_the_next_request() {
    let mut machine = Machine::new(2);
    assert!(machine.poll(1).unwrap());
    assert!(!machine.poll(2).unwrap());
    assert_eq!(machine.hand("id", "nonce").unwrap().runtime, 1);
    assert_eq!(machine.hand("id", "nonce"), None, "it is running");
    machine.take_back("id");
    assert_eq!(machine.running(), 0);
    assert_eq!(machine.hand("id", "nonce").unwrap().runtime, 2);
    assert_eq!(
        machine.respond("id", Some("nonce"), None),
        Ok(ResponseMode::Buffered)
    );
}

#[test]
fn errors_say_what_is_wrong() {
    let folder = Folder::new();
    let missing = folder.path().join("missing.py");
    let plain = folder.file("notes.txt", "");
    let python = folder.file("app.py", "def handler(event, context): pass\n");
    let source = |path: &str| Program::source(path).unwrap_err();
    let (missing, plain, python) = (missing.display(), plain.display(), python.display());
    for (error, message) in [
        (
            source(&missing.to_string()),
            format!("there is no file {missing}"),
        ),
        (
            source(&format!("{missing}:handler")),
            format!("there is no file {missing}"),
        ),
        (
            source(&plain.to_string()),
            format!("{plain} is neither a .py, .js, .mjs or .cjs file nor executable"),
        ),
        (
            source(&format!("{python}:")),
            format!("the handler \"{python}:\" is not of the form module.function"),
        ),
        (
            Program::python(folder.path(), "app").unwrap_err(),
            "the handler \"app\" is not of the form module.function".to_owned(),
        ),
        (
            Program::command([""]).unwrap_err(),
            "the command is empty".to_owned(),
        ),
        (
            ProgramError::EmptyCommand,
            "the command is empty".to_owned(),
        ),
    ] {
        assert_eq!(error.to_string(), message);
    }
    // A colon in the name of a file that exists does not begin a handler.
    let odd = folder.file("odd:name.py", "def handler(event, context): pass\n");
    assert_eq!(Program::source(odd).unwrap().function_name(), "odd_name");
    for (error, message) in [
        (
            InvokeError::TooManyRequests {
                reason: "ConcurrentInvocationLimitExceeded",
                limit: 3,
            },
            "the limit of 3 calls in progress is reached",
        ),
        (
            InvokeError::TooManyRequests {
                reason: "ConcurrentInvocationLimitExceeded",
                limit: 1,
            },
            "the only call that may be in progress is taken",
        ),
        (
            InvokeError::InvalidEvent { member: "trace_id" },
            "the event's trace_id cannot be sent as a header",
        ),
        (InvokeError::Closed, "the pool has been shut down"),
    ] {
        assert_eq!(error.to_string(), message);
    }
}

#[tokio::test]
async fn a_handler_after_the_files_name_and_the_settings_of_a_program_are_used() {
    if support::tools::lacks(&["python3", "sh"]) {
        return;
    }
    let folder = Folder::new();
    let file = folder.file(
        "app.py",
        "def other(event, context): return [context.function_version, context.invoked_function_arn]\n\
         def handler(event, context): return 'the wrong one'\n",
    );
    let program = Program::source(format!("{}:other", file.display())).unwrap();
    let program = program
        .timeout(Duration::from_secs(20))
        .init_timeout(Duration::from_secs(60))
        .version("7")
        .arn("arn:aws:lambda:us-east-1:000000000000:function:own:7");
    assert_eq!(program.function_name(), "app");
    assert_eq!(program.task_root(), folder.path());
    let queued = program.clone().queue(3);
    assert_eq!((queued.queue_limit(), queued.limit()), (3, 13));
    assert_eq!(program.timeout_limit(), Duration::from_secs(20));
    assert_eq!(
        (
            program.memory_size_mb(),
            program.queue_limit(),
            program.limit()
        ),
        (128, 0, 10)
    );
    let called = invoke(&Pool::new(program), "{}").await;
    assert_eq!(
        called.text(),
        "[\"7\", \"arn:aws:lambda:us-east-1:000000000000:function:own:7\"]"
    );

    // An executable receives the handler in its environment, and nothing else interprets it.
    let script = folder.script(
        "run",
        "#!/bin/sh\necho \"$_HANDLER $AWS_SESSION_TOKEN ${AWS_LAMBDA_MAX_CONCURRENCY-1}\" >&2\nexit 4\n",
    );
    let program = Program::source(format!("{}:its.own", script.display())).unwrap();
    let program = program.credentials("key", "secret", Some("token".to_owned()));
    let called = invoke(&Pool::new(program), "{}").await;
    assert_eq!(called.log(), "its.own token 1\n");
    let message = called.message();
    assert!(
        message.ends_with("Error: Runtime exited with error: exit status 4"),
        "{message}"
    );
}

#[tokio::test]
async fn a_buffered_response_is_taken_whole_and_a_streaming_one_is_not() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let text = "def handler(event, context): return 1\n";
    let pool = Pool::new(support::function(&folder, "app.py", text));
    let response = pool.invoke(event("{}")).await.unwrap();
    assert!(!response.head().is_http_integration());
    let (bytes, report) = response.into_buffered().unwrap();
    assert_eq!(
        (&bytes[..], report.outcome),
        (&b"1"[..], Outcome::Succeeded)
    );
    pool.shutdown().await;
    assert_eq!(
        pool.invoke(event("{}")).await.unwrap_err(),
        InvokeError::Closed
    );
}

#[tokio::test]
async fn a_report_has_the_last_64_kib_of_the_log() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let text = "def handler(event, context):\n\
                \x20   for number in range(2000): print(f'{number:063}')\n";
    let called = invoke(&Pool::new(support::function(&folder, "app.py", text)), "{}").await;
    let lines: Vec<_> = called.report.log.iter().map(|line| &line.text).collect();
    // Lines of 63 bytes and their line ends: 1,024 of them are exactly 64 KiB.
    assert_eq!(lines.len(), 1024);
    assert_eq!(*lines[0], format!("{:063}", 2000 - 1024));
    assert_eq!(*lines[1023], format!("{:063}", 1999));
}

#[tokio::test]
async fn the_id_of_a_request_is_a_word_of_at_most_128_bytes() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let text = "def handler(event, context): return context.aws_request_id\n";
    let pool = Pool::new(support::function(&folder, "app.py", text));
    for id in [String::new(), "a b".to_owned(), "x".repeat(129)] {
        let rejected = pool.invoke(Event::new(id.clone(), "{}")).await.unwrap_err();
        let member = "request_id";
        assert_eq!(rejected, InvokeError::InvalidEvent { member }, "{id}");
    }
    let longest = "x".repeat(128);
    let called = support::call(&pool, Event::new(longest.clone(), "{}")).await;
    assert_eq!(called.text(), format!("\"{longest}\""));
}

/// Sends a part of its first response, and responds late to its second event.
const AGAIN: &str = r#"import socket
base = "/2018-06-01/runtime/invocation/"
id = ask("GET", base + "next")[0].headers["Lambda-Runtime-Aws-Request-Id"]
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
part = socket.create_connection((host, int(port)))
part.sendall(f"POST {base}{id}/response HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1".encode())
part.close()
id = ask("GET", base + "next")[0].headers["Lambda-Runtime-Aws-Request-Id"]
threading.Event().wait(4)
ask("POST", base + id + "/response", "1")
ask("GET", base + "next")
"#;

#[tokio::test]
async fn a_truncated_response_does_not_fail_a_later_call_with_the_same_id() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let pool = Pool::new(
        bootstrap(&folder, AGAIN)
            .concurrency(1)
            .timeout(Duration::from_secs(60)),
    );
    let first = support::call(&pool, Event::new("same", "{}")).await;
    assert_eq!(first.error_type(), "Runtime.TruncatedResponse");
    let second = support::call(&pool, Event::new("same", "{}")).await;
    assert_eq!(second.text(), "1");
}
