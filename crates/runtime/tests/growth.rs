//! When a pool starts another instance, when it waits for one that exists, and when instances end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // It is a test.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lambda_invoke_runtime::{Event, Outcome, Pool};
use support::{Called, Folder, bootstrap, call, event, function, invoke};

/// Responds with its process id, as many times at once as it is told to: when as many instances as the event
/// says have a call, after the time that the event says, and before it waits for as long as the event says.
const THREADS: &str = r#"
def meet(instances):
    os.makedirs("here", exist_ok=True)
    open(f"here/{os.getpid()}", "w").close()
    while len(os.listdir("here")) < instances: threading.Event().wait(0.01)
def serve():
    while True:
        head, event = ask("GET", "/2018-06-01/runtime/invocation/next")
        request = head.getheader("Lambda-Runtime-Aws-Request-Id")
        event = json.loads(event)
        meet(event.get("instances", 0))
        threading.Event().wait(event.get("work", 0))
        ask("POST", f"/2018-06-01/runtime/invocation/{request}/response", str(os.getpid()))
        threading.Event().wait(event.get("settle", 0))
threads = int(os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY", "1"))
for _ in range(threads - 1): threading.Thread(target=serve, daemon=True).start()
serve()
"#;

#[tokio::test]
async fn no_two_instances_have_an_invocation_id_in_common() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    // Responds with the ID of the invocation.
    const ID: &str = r#"respond_with(lambda head: head.getheader("Lambda-Runtime-Invocation-Id"))"#;
    let folder = Folder::new();
    let mut ids = BTreeSet::new();
    for tenant in ["a", "b", "c"] {
        let pool = Pool::new(bootstrap(&folder, ID).concurrency(2));
        for _ in 0..2 {
            ids.insert(of(&pool, tenant, "{}").await.text());
            ids.insert(of(&pool, "other", "{}").await.text());
        }
        assert_eq!(pool.instances(), 2);
    }
    assert_eq!(ids.len(), 12, "{ids:?}");
}

/// Makes a call of a tenant.
async fn of(pool: &Pool, tenant: &str, payload: &str) -> Called {
    call(pool, event(payload).with_tenant_id(tenant)).await
}

/// Makes calls at once and returns the process ids that responded.
async fn pids(pool: &Pool, payloads: &[&str]) -> BTreeSet<u32> {
    let mut calls = tokio::task::JoinSet::new();
    for payload in payloads {
        let (pool, event) = (pool.clone(), event(payload));
        calls.spawn(async move { call(&pool, event).await.text() });
    }
    let texts = calls.join_all().await;
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[tokio::test]
async fn an_instance_that_settles_for_long_is_not_waited_for() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let pool = Pool::new(bootstrap(&folder, THREADS).concurrency(3));
    let began = Instant::now();
    let mut all = BTreeSet::new();
    for number in 1..=3 {
        all.extend(pids(&pool, &[r#"{"settle":60}"#]).await);
        assert_eq!((all.len(), pool.instances()), (number, number));
    }
    assert!(began.elapsed() < Duration::from_secs(50));
}

#[tokio::test]
async fn an_instance_that_settles_soon_is_waited_for() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    // On a busy machine, 5 ms can become more than the pool waits.
    for _ in 0..20 {
        let pool = Pool::new(bootstrap(&folder, THREADS).concurrency(2));
        let first = pids(&pool, &[r#"{"settle":0.005}"#]).await;
        let second = pids(&pool, &["{}"]).await;
        if first == second && pool.instances() == 1 {
            return;
        }
    }
    panic!("another instance was started each time");
}

#[tokio::test]
async fn no_more_instances_are_started_than_the_waiting_calls_need() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    for (calls, slots, instances) in [(1, 4, 1), (4, 4, 1), (5, 4, 2), (3, 1, 3)] {
        let folder = Folder::new();
        let program = bootstrap(&folder, THREADS).multi_concurrency(slots);
        let pool = Pool::new(program.concurrency(8));
        let work = format!(r#"{{"instances":{instances},"work":0.3}}"#);
        let pids = pids(&pool, &vec![work.as_str(); calls]).await;
        assert_eq!(pids.len(), instances, "{calls} calls, {slots} at once");
        assert_eq!(pool.instances(), instances);
    }
}

#[tokio::test]
async fn a_call_with_the_id_of_a_running_one_does_not_hold_up_the_calls_behind_it() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let program = bootstrap(&folder, THREADS).multi_concurrency(3);
    let pool = Pool::new(program.concurrency(1));
    let same = |payload: &str| {
        let (pool, event) = (pool.clone(), Event::new("same", payload.to_owned()));
        tokio::spawn(async move { call(&pool, event).await.text() })
    };
    let here = folder.path().join("here");
    let running = same(r#"{"instances":2}"#);
    while fs::read_dir(&here).map_or(0, Iterator::count) == 0 {
        assert!(!running.is_finished());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let copy = same("{}");
    // Its task gets to the pool.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let other = invoke(&pool, "{}").await.text();
    assert!(!running.is_finished() && !copy.is_finished());
    fs::write(here.join("other"), "").unwrap();
    assert_eq!(running.await.unwrap(), other);
    assert_eq!(copy.await.unwrap(), other);
}

#[tokio::test]
async fn a_program_that_is_still_being_written_is_started_when_it_is_complete() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let pool = Pool::new(bootstrap(&folder, THREADS));
    let writer = fs::File::options()
        .append(true)
        .open(folder.path().join("bootstrap"))
        .unwrap();
    let written = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        drop(writer);
    };
    let (called, ()) = tokio::join!(invoke(&pool, "{}"), written);
    assert_eq!(called.report.outcome, Outcome::Succeeded);
}

#[tokio::test]
async fn calls_go_to_idle_instances_before_another_is_started() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    // On a busy machine, both may need longer until they ask for the next event.
    for _ in 0..20 {
        let folder = Folder::new();
        let pool = Pool::new(bootstrap(&folder, THREADS).concurrency(4));
        let first = pids(&pool, &[r#"{"instances":2}"#; 2]).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let second = pids(&pool, &[r#"{"work":0.3}"#; 2]).await;
        if first == second && (first.len(), pool.instances()) == (2, 2) {
            return;
        }
    }
    panic!("another instance was started each time");
}

#[tokio::test]
async fn calls_that_wait_for_an_instance_that_is_replaced_share_the_next_one() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let program = bootstrap(&folder, THREADS).multi_concurrency(4);
    let pool = Pool::new(program.concurrency(8));
    let replaced = async {
        while pool.instances() == 0 {
            tokio::task::yield_now().await;
        }
        pool.recycle();
    };
    let work = r#"{"work":0.3}"#;
    let payloads = [work; 3];
    let (pids, ()) = tokio::join!(pids(&pool, &payloads), replaced);
    assert_eq!((pids.len(), pool.instances()), (1, 1));
}

#[tokio::test]
async fn a_failed_start_fails_one_call_and_the_next_instance_tries_the_others() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let starts = folder.path().join("starts");
    let broken = format!("open({starts:?}, 'a').write('.')\nraise ValueError('broken')\n");
    let pool = Pool::new(function(&folder, "app.py", &broken).concurrency(1).queue(2));
    let (first, second, third) = tokio::join!(
        invoke(&pool, "{}"),
        invoke(&pool, "{}"),
        invoke(&pool, "{}")
    );
    for called in [first, second, third] {
        assert_eq!(called.error_type(), "ValueError", "{}", called.message());
    }
    assert_eq!(fs::read_to_string(&starts).unwrap(), "...");
}

#[tokio::test]
async fn a_failed_start_leaves_the_calls_of_other_tenants_alone() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let once = folder.path().join("once");
    // Only the first instance fails.
    let text = format!(
        "import os\nif not os.path.exists({once:?}):\n    open({once:?}, 'w')\n    raise ValueError('first')\n\
         def handler(event, context): return event\n"
    );
    let pool = Pool::new(function(&folder, "app.py", &text).concurrency(1).queue(1));
    let (failed, succeeded) = tokio::join!(of(&pool, "a", "7"), of(&pool, "b", "7"));
    assert_eq!(failed.error_type(), "ValueError");
    assert_eq!(succeeded.text(), "7");
}

#[tokio::test]
async fn a_failed_start_fails_a_call_of_its_own_tenant_even_if_another_waits_longer() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let once = folder.path().join("once");
    // The first instance is slow, and the second one fails.
    let text = format!(
        "import os, time\nif os.path.exists({once:?}):\n    raise ValueError('second')\n\
         open({once:?}, 'w')\ntime.sleep(1)\ndef handler(event, context): return event\n"
    );
    let pool = Pool::new(function(&folder, "app.py", &text).concurrency(2));
    let second = async {
        while !once.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        of(&pool, "b", "7").await
    };
    let (succeeded, failed) = tokio::join!(of(&pool, "a", "7"), second);
    assert_eq!(failed.error_type(), "ValueError");
    assert_eq!(succeeded.text(), "7");
}

/// One instance, for which one call may wait. It writes its events to the file that is returned, and
/// responds once there is a file `go`.
fn blocked(folder: &Folder) -> (Pool, PathBuf) {
    let ran = folder.path().join("ran");
    let text = format!(
        "import os, time\ndef handler(event, context):\n    open({ran:?}, 'a').write(event)\n\
         \x20   while not os.path.exists('go'): time.sleep(0.01)\n"
    );
    let program = function(folder, "app.py", &text).concurrency(1).queue(1);
    (Pool::new(program), ran)
}

/// Waits until the instance has a call.
async fn has_begun(ran: &Path) {
    while !ran.exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_call_whose_caller_stops_waiting_for_an_instance_does_not_run() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let (pool, ran) = blocked(&folder);
    let first = async {
        invoke(&pool, "\"a\"").await;
    };
    let abandoned = async {
        has_begun(&ran).await;
        let call = invoke(&pool, "\"b\"");
        let ended = tokio::time::timeout(Duration::from_millis(50), call).await;
        assert!(ended.is_err(), "it waits for the instance");
        folder.file("go", "");
    };
    tokio::join!(first, abandoned);
    invoke(&pool, "\"c\"").await;
    assert_eq!(fs::read_to_string(&ran).unwrap(), "ac");
}

#[tokio::test]
async fn the_call_that_has_waited_longest_runs_first() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let ran = folder.path().join("ran");
    let text = format!("def handler(event, context): open({ran:?}, 'a').write(event)\n");
    let pool = Pool::new(function(&folder, "app.py", &text).concurrency(1).queue(3));
    tokio::join!(
        invoke(&pool, "\"a\""),
        invoke(&pool, "\"b\""),
        invoke(&pool, "\"c\""),
        invoke(&pool, "\"d\"")
    );
    assert_eq!(fs::read_to_string(&ran).unwrap(), "abcd");
}

#[tokio::test]
async fn a_call_waits_for_the_place_of_another_tenant_s_instance() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let program = bootstrap(&folder, THREADS).concurrency(1).queue(1);
    let pool = Pool::new(program);
    let (a, b) = tokio::join!(of(&pool, "a", r#"{"work":0.5}"#), of(&pool, "b", "{}"));
    assert_eq!(a.report.outcome, Outcome::Succeeded);
    assert_eq!(b.report.outcome, Outcome::Succeeded);
    assert_ne!(a.text(), b.text());
}

/// Responds to its first event, then closes its next request and never asks again.
const CLOSING: &str = r#"import socket
base = "/2018-06-01/runtime/invocation/"
def respond():
    head, _ = ask("GET", base + "next")
    request = head.headers["Lambda-Runtime-Aws-Request-Id"]
    ask("POST", base + request + "/response", str(os.getpid()))
respond()
if not os.path.exists("closed"):
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    api = socket.create_connection((host, int(port)))
    api.sendall(b"GET %bnext HTTP/1.1\r\nHost: x\r\n\r\n" % base.encode())
    # The host has received it, and then sees that it is closed.
    for _ in range(20): ask("GET", "/")
    api.close()
    for _ in range(20): ask("GET", "/")
    open("closed", "w").close()
    threading.Event().wait(100)
respond()
threading.Event().wait(100)
"#;

#[tokio::test]
async fn an_instance_that_closes_its_request_for_an_event_does_not_hold_up_a_call() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let program = bootstrap(&folder, CLOSING).init_timeout(Duration::from_secs(10));
    let pool = Pool::new(program);
    let first = invoke(&pool, "{}").await.text();
    while !folder.path().join("closed").exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let second = invoke(&pool, "{}").await;
    assert_eq!(second.report.outcome, Outcome::Succeeded);
    assert_ne!(second.text(), first, "another instance took the call");
}

#[cfg(target_os = "linux")]
fn is_running(pid: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status"));
    status.is_ok_and(|status| !status.contains("State:\tZ"))
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn dropping_the_last_clone_of_a_pool_ends_its_processes() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let pool = Pool::new(bootstrap(&folder, THREADS));
    let clone = pool.clone();
    let pid = invoke(&pool, "{}").await.text();
    drop(pool);
    assert_eq!(invoke(&clone, "{}").await.text(), pid);
    drop(clone);
    let deadline = Instant::now() + Duration::from_secs(20);
    while is_running(&pid) {
        assert!(Instant::now() < deadline, "the process {pid} still runs");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_end_of_the_tokio_runtime_ends_the_processes() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    // Responds with the process ID of a child in a session of its own.
    const CHILD: &str = r#"
import subprocess
child = subprocess.Popen(["/bin/sleep", "60"], start_new_session=True)
respond_with(lambda head: str(child.pid))
"#;
    let folder = Folder::new();
    let pool = Pool::new(bootstrap(&folder, CHILD));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pid = runtime.block_on(async { invoke(&pool, "{}").await.text() });
    assert!(is_running(&pid));
    drop(runtime);
    let deadline = Instant::now() + Duration::from_secs(20);
    while is_running(&pid) {
        assert!(Instant::now() < deadline, "the process {pid} still runs");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_pool_outlives_the_tokio_runtime_of_its_first_call() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let pool = Pool::new(bootstrap(&folder, THREADS).concurrency(1));
    for _ in 0..2 {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let called = runtime.block_on(invoke(&pool, "{}"));
        assert_eq!(called.report.outcome, Outcome::Succeeded);
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ended = async { tokio::time::timeout(Duration::from_secs(60), pool.shutdown()).await };
    runtime.block_on(ended).expect("the pool does not end");
}

#[tokio::test]
async fn a_call_whose_caller_has_stopped_waiting_leaves_its_place_in_the_queue() {
    if support::tools::lacks(&["python3"]) {
        return;
    }
    let folder = Folder::new();
    let (pool, ran) = blocked(&folder);
    let first = async {
        invoke(&pool, "\"a\"").await;
    };
    let others = async {
        has_begun(&ran).await;
        for waiting in ["\"b\"", "\"c\""] {
            let call = pool.invoke(event(waiting));
            let ended = tokio::time::timeout(Duration::from_millis(50), call).await;
            assert!(ended.is_err(), "{waiting} waits for the instance");
        }
        folder.file("go", "");
    };
    tokio::join!(first, others);
}
