//! Starting, reusing, replacing and limiting instances.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // It is a test.

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lambda_invoke_runtime::{Event, FailureKind, InvokeError, Outcome, Pool, Program};
use support::{Folder, event, function, invoke};

const HANDLER: &str = "import os, time\n\
    def handler(event, context):\n\
    \x20   if isinstance(event, dict) and 'sleep' in event: time.sleep(event['sleep'])\n\
    \x20   while isinstance(event, dict) and 'until' in event and not os.path.exists(event['until']):\n\
    \x20       time.sleep(0.01)\n\
    \x20   if isinstance(event, dict) and 'stream' in event: return chunks(event['stream'])\n\
    \x20   return [os.getpid(), event]\n\
    def chunks(n):\n\
    \x20   for i in range(n): yield b'x' * 65536\n";

fn pid(text: &str) -> u32 {
    let number = text.trim_start_matches('[').split(',').next().unwrap();
    number.parse().unwrap()
}

#[tokio::test]
async fn nothing_starts_before_the_first_call_and_an_instance_is_reused() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let pool = Pool::new(function(&folder, "app.py", HANDLER).concurrency(4));
    assert_eq!(pool.instances(), 0);
    let mut pids = BTreeSet::new();
    for _ in 0..50 {
        pids.insert(pid(&invoke(&pool, "{}").await.text()));
    }
    assert_eq!(pids.len(), 1, "calls one after another need one instance");
}

#[tokio::test]
async fn one_caller_never_meets_a_limit_of_one() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let pool = Pool::new(function(&folder, "app.py", HANDLER).concurrency(1));
    for _ in 0..200 {
        assert_eq!(invoke(&pool, "{}").await.report.outcome, Outcome::Succeeded);
    }
}

#[tokio::test]
async fn excess_calls_are_rejected_or_wait_as_configured() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let program = function(&folder, "app.py", HANDLER).concurrency(2);
    let slow = r#"{"sleep":0.4}"#;
    let calls = |pool: &Pool, count| {
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..count {
            let pool = pool.clone();
            calls.spawn(async move { Ok(pool.invoke(event(slow)).await?.finish().await) });
        }
        calls.join_all()
    };
    let pool = Pool::new(program.clone());
    let results: Vec<Result<_, InvokeError>> = calls(&pool, 5).await;
    let rejected = results.iter().filter_map(|result| result.as_ref().err());
    let reason = "ReservedFunctionConcurrentInvocationLimitExceeded";
    let expected = InvokeError::TooManyRequests { reason, limit: 2 };
    assert_eq!(
        rejected.collect::<Vec<_>>(),
        [&expected, &expected, &expected]
    );
    let pool = Pool::new(program.queue(2));
    let results: Vec<Result<_, InvokeError>> = calls(&pool, 5).await;
    assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1);
    assert!(pool.instances() <= 2);
}

#[tokio::test]
async fn recycling_ends_idle_instances_and_lets_running_calls_finish() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let text = "import os, time\n\
        def handler(event, context):\n\
        \x20   open('runs', 'w').close()\n\
        \x20   while not os.path.exists('go'): time.sleep(0.01)\n\
        \x20   return 'old'\n";
    let pool = Pool::new(function(&folder, "app.py", text).concurrency(2));
    let running = {
        let pool = pool.clone();
        tokio::spawn(async move { invoke(&pool, "{}").await.text() })
    };
    while !folder.path().join("runs").exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    folder.file("app.py", "def handler(event, context): return 'new'\n");
    pool.recycle();
    assert_eq!(invoke(&pool, "{}").await.text(), "\"new\"");
    folder.file("go", "");
    assert_eq!(running.await.unwrap(), "\"old\"", "it was not interrupted");
    // Its instance ends at once, long before the timeout.
    let began = Instant::now();
    while pool.instances() > 1 {
        assert!(began.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(invoke(&pool, "{}").await.text(), "\"new\"");
    // A syntax error is an init error of the next call; once it is fixed, the function works again.
    folder.file("app.py", "def handler(\n");
    pool.recycle();
    assert_eq!(
        invoke(&pool, "{}").await.error_type(),
        "Runtime.UserCodeSyntaxError"
    );
    folder.file("app.py", "def handler(event, context): return 'mended'\n");
    assert_eq!(invoke(&pool, "{}").await.text(), "\"mended\"");
}

#[tokio::test]
async fn tenants_share_the_limit_but_not_instances() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let pool = Pool::new(function(&folder, "app.py", HANDLER).concurrency(2));
    let mut pids = BTreeSet::new();
    for tenant in ["a", "b", "c", "a"] {
        let called = support::call(&pool, event("{}").with_tenant_id(tenant)).await;
        pids.insert(pid(&called.text()));
        assert!(pool.instances() <= 2);
    }
    assert!(pids.len() >= 3, "{pids:?}");
}

#[tokio::test]
async fn versions_share_the_limit_but_not_instances_and_see_their_own_number() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let text = "import os\ndef handler(event, context):\n\
        \x20   return [context.function_version, context.log_stream_name.split('[')[1].split(']')[0], os.getpid()]\n";
    let program = function(&folder, "app.py", text).version("7");
    let pool = Pool::new(program.concurrency(2));
    let mut pids = BTreeSet::new();
    for (version, expected) in [(None, "7"), (Some("7"), "7"), (Some("8"), "8"), (None, "7")] {
        let mut event = event("{}");
        event.version = version.map(str::to_owned);
        let called = support::call(&pool, event).await.text();
        let (of_function, of_log, pid): (String, String, u32) =
            serde_json::from_str(&called).unwrap();
        assert_eq!((&*of_function, &*of_log), (expected, expected));
        pids.insert(pid);
        assert!(pool.instances() <= 2);
    }
    assert_eq!(pids.len(), 2, "{pids:?}");
    let ninth = support::call(&pool, event("{}").with_version("9")).await;
    assert!(
        ninth.text().starts_with("[\"9\", \"9\", "),
        "{}",
        ninth.text()
    );
    assert!(pool.instances() <= 2);
}

/// Calls until the only instance is free, and checks that the call succeeds.
async fn succeeds_soon(pool: &Pool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match pool.invoke(event("{}")).await {
            Ok(response) => {
                assert_eq!(response.finish().await.outcome, Outcome::Succeeded);
                return;
            }
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_dropped_response_holds_nothing_up() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let pool = Pool::new(function(&folder, "app.py", HANDLER).concurrency(1));
    let response = pool.invoke(event(r#"{"stream":200}"#)).await.unwrap();
    drop(response);
    // The instance is free once the rest of the stream has been discarded.
    succeeds_soon(&pool).await;
    // A call that is dropped while it waits for the response still runs to its end.
    let abandoned = pool.invoke(event(r#"{"until":"go"}"#));
    assert!(
        tokio::time::timeout(Duration::from_millis(100), abandoned)
            .await
            .is_err()
    );
    assert!(matches!(
        pool.invoke(event("{}")).await,
        Err(InvokeError::TooManyRequests { .. })
    ));
    folder.file("go", "");
    succeeds_soon(&pool).await;
}

#[tokio::test]
async fn a_slow_reader_slows_the_function_down() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let text = "def handler(event, context):\n\
        \x20   for i in range(1600):\n\
        \x20       print(i)\n\
        \x20       yield b'x' * 65536\n";
    let written = Arc::new(AtomicUsize::new(0));
    let pool = Pool::new(function(&folder, "app.py", text)).on_log({
        let written = Arc::clone(&written);
        move |_| {
            written.fetch_add(1, Ordering::Relaxed);
        }
    });
    let mut response = pool.invoke(event("{}")).await.unwrap();
    let first = response.chunk().await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    // Of 100 MB, the function has written only what two socket buffers and the channel can hold.
    let unread = written.load(Ordering::Relaxed);
    assert!(
        unread < 300,
        "{unread} chunks of 64 KiB were written and not read"
    );
    let mut total = first.len();
    while let Some(chunk) = response.chunk().await {
        total += chunk.len();
    }
    assert_eq!(total, 1600 * 65_536);
    assert_eq!(response.finish().await.outcome, Outcome::Succeeded);
}

#[tokio::test]
async fn a_shut_down_pool_ends_its_calls_and_takes_no_other() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let pool = Pool::new(function(&folder, "app.py", HANDLER).concurrency(1).queue(1));
    invoke(&pool, "{}").await;
    let calls: Vec<_> = (0..2)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { invoke(&pool, r#"{"sleep":30}"#).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    pool.shutdown().await;
    for call in calls {
        let called = call.await.unwrap();
        assert_eq!(
            called.report.outcome.failure().unwrap().kind,
            FailureKind::Shutdown
        );
    }
    assert!(matches!(
        pool.invoke(event("{}")).await,
        Err(InvokeError::Closed)
    ));
}

#[tokio::test]
async fn events_that_no_header_can_hold_are_rejected() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let pool = Pool::new(Program::command(["/bin/false"]).unwrap());
    for (event, member) in [
        (Event::new("", "{}"), "request_id"),
        (Event::new("a/b", "{}"), "request_id"),
        (Event::new("a", "{}").with_tenant_id("a\nb"), "tenant_id"),
        (Event::new("a", "{}").with_trace_id("\u{1}"), "trace_id"),
        (Event::new("a", "{}").with_arn("\r\n"), "arn"),
    ] {
        let expected = InvokeError::InvalidEvent { member };
        assert_eq!(pool.invoke(event).await.unwrap_err(), expected);
    }
    assert_eq!(pool.instances(), 0);
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_an_init_error() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    for (program, error) in [
        (
            Program::command(["/no/such/program"]).unwrap(),
            "No such file or directory",
        ),
        (
            Program::command(["/bin/false"])
                .unwrap()
                .root("/no/such/folder"),
            "chdir",
        ),
    ] {
        let began = Instant::now();
        let called = invoke(&Pool::new(program), "{}").await;
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "it was tried again"
        );
        assert_eq!(called.error_type(), "Runtime.InvalidEntrypoint");
        assert!(called.message().contains(error), "{}", called.message());
    }
    assert!(Program::source("/no/such.py").is_err());
    assert!(Program::source("/etc/passwd").is_err());
}

#[tokio::test]
async fn a_call_that_waits_for_a_slow_start_times_out() {
    let program = Program::command(["/bin/sleep", "60"]).unwrap();
    let pool = Pool::new(program.init_timeout(Duration::from_millis(100)));
    let called = invoke(&pool, "{}").await;
    let kind = called.report.outcome.failure().map(|failure| failure.kind);
    assert_eq!(kind, Some(FailureKind::TimedOut), "{}", called.message());
}

#[test]
fn a_program_shows_neither_secrets_nor_values_of_its_environment() {
    let program = Program::command(["/bin/true"]).unwrap();
    let program =
        program
            .env("PASSWORD", "hidden")
            .credentials("AKID", "hidden", Some("hidden".to_owned()));
    for shown in [format!("{program:?}"), format!("{:?}", Pool::new(program))] {
        assert!(
            shown.contains("/bin/true") && shown.contains("PASSWORD") && shown.contains("AKID")
        );
        assert!(!shown.contains("hidden"), "{shown}");
    }
}

#[tokio::test]
async fn a_memory_limit_kills_the_instance_children_included() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let text = "import subprocess, sys, time\n\
        def handler(event, context):\n\
        \x20   hog = 'x = b\"x\" * (%d << 20)\\nimport time; time.sleep(5)'\n\
        \x20   if event == 'own': own = b'x' * (300 << 20); time.sleep(5)\n\
        \x20   if event == 'child': subprocess.run([sys.executable, '-c', hog % 300])\n\
        \x20   return 'fits'\n";
    let program = function(&folder, "app.py", text)
        .memory_mb(200)
        .limit_memory(true);
    let pool = Pool::new(program.clone());
    for hog in ["\"own\"", "\"child\""] {
        let killed = invoke(&pool, hog).await;
        assert_eq!(killed.error_type(), "Runtime.ExitError");
        assert!(
            killed
                .message()
                .ends_with("Runtime exited with error: signal: killed")
        );
        assert!(
            killed.report.duration < Duration::from_secs(4),
            "{:?}",
            killed.report.duration
        );
    }
    assert_eq!(invoke(&pool, "1").await.text(), "\"fits\"");
    // Without the setting, memory is measured but not limited.
    let pool = Pool::new(program.limit_memory(false));
    let called = invoke(&pool, "\"own\"").await;
    assert_eq!(called.text(), "\"fits\"");
    assert!(
        called.report.max_memory.unwrap() > 300 << 20,
        "{:?}",
        called.report.max_memory
    );
    let left_out = support::event("1").without_memory();
    let called = support::call(&pool, left_out).await;
    assert_eq!(called.report.max_memory, None);
}

/// The peak is that of the whole tree, even if a child has ended before its parent responds.
#[tokio::test]
async fn the_memory_of_a_child_that_has_ended_counts() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let text = "import subprocess, sys\n\
        HOG = 'x = b\"x\" * (200 << 20); import time; time.sleep(1)'\n\
        def handler(event, context):\n\
        \x20   if event == 'child': subprocess.run([sys.executable, '-c', HOG])\n";
    let pool = Pool::new(function(&folder, "app.py", text).concurrency(1));
    let memory = |payload: &'static str| {
        let pool = pool.clone();
        async move { invoke(&pool, payload).await.report.max_memory.unwrap() }
    };
    assert!(memory("1").await < 100 << 20);
    let peak = memory("\"child\"").await;
    assert!(peak > 200 << 20, "{peak}");
}

/// Calls with distinct events, all at the same time: each gets its own event back, once.
async fn at_once(calls: usize, instances: usize) {
    let folder = Folder::new();
    let program = function(&folder, "app.py", HANDLER).concurrency(instances);
    let pool = Pool::new(
        program
            .queue(calls - instances)
            .timeout(Duration::from_secs(120)),
    );
    let mut running = tokio::task::JoinSet::new();
    for n in 0..calls {
        let pool = pool.clone();
        running.spawn(async move { invoke(&pool, &n.to_string()).await.text() });
    }
    let mut seen = BTreeSet::new();
    while let Some(text) = running.join_next().await {
        let text = text.unwrap();
        let n = text.trim_end_matches(']').rsplit(' ').next().unwrap();
        assert!(seen.insert(n.parse::<usize>().unwrap()), "{text} twice");
    }
    assert_eq!(seen.len(), calls);
    assert!(pool.instances() <= instances);
    pool.shutdown().await;
}

/// Calls with distinct events, all at the same time, on instances that return only when every call
/// beyond them and the queue has been rejected.
async fn at_once_with_excess(calls: usize, instances: usize, queue: usize) {
    let folder = Folder::new();
    let text = "import os, time\n\
        def handler(event, context):\n\
        \x20   while not os.path.exists('go'): time.sleep(0.02)\n\
        \x20   return event\n";
    let program = function(&folder, "app.py", text)
        .concurrency(instances)
        .queue(queue)
        .init_timeout(Duration::from_secs(300))
        .timeout(Duration::from_secs(300));
    let pool = Pool::new(program);
    let mut running = tokio::task::JoinSet::new();
    for n in 0..calls {
        let pool = pool.clone();
        running.spawn(async move {
            let response = pool.invoke(event(&n.to_string())).await?;
            let (whole, report) = response.into_buffered().unwrap();
            assert_eq!(report.outcome, Outcome::Succeeded);
            Ok::<_, InvokeError>(String::from_utf8(whole.to_vec()).unwrap())
        });
    }
    let accepted = instances + queue;
    for _ in accepted..calls {
        let rejected = running.join_next().await.unwrap().unwrap();
        assert!(
            matches!(rejected, Err(InvokeError::TooManyRequests { limit, .. }) if limit == accepted),
            "{rejected:?}"
        );
    }
    assert!(pool.instances() <= instances);
    folder.file("go", "");
    let mut seen = BTreeSet::new();
    while let Some(result) = running.join_next().await {
        assert!(seen.insert(result.unwrap().unwrap()), "{seen:?}");
    }
    assert_eq!(seen.len(), accepted);
    pool.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_forty_calls_on_four_instances_the_excess_is_rejected_or_waits() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    at_once_with_excess(40, 4, 0).await;
    at_once_with_excess(40, 4, 6).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "starts fifty interpreters"]
async fn of_a_thousand_calls_on_fifty_instances_the_excess_is_rejected_or_waits() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    at_once_with_excess(1_000, 50, 0).await;
    at_once_with_excess(1_000, 50, 100).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_calls_on_eight_instances_are_neither_lost_nor_doubled() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    at_once(200, 8).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "starts fifty interpreters"]
async fn a_thousand_calls_on_fifty_instances_are_neither_lost_nor_doubled() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    at_once(1_000, 50).await;
}
