//! Failures of the operating system: no more file descriptors, and a dead-letter file that cannot
//! be written. Each is reported, nothing that runs is disturbed, and the endpoint recovers.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Call, Client, soon};
use lambda_invoke_endpoint::{
    DeadLetter, Endpoint, EventSettings, Function, FunctionError, Notice, Server,
};
use tokio::sync::mpsc;

/// The number of file descriptors that the server's process may have.
const DESCRIPTORS: usize = 48;

/// This test binary is also the server: a process with few file descriptors.
const SERVES: &str = "LAMBDA_INVOKE_TEST_SERVES";

#[test]
fn a_server_without_file_descriptors_reports_it_and_recovers() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if std::env::var_os(SERVES).is_some() {
        return runtime.block_on(serve_until_stdin_ends());
    }
    let name = "a_server_without_file_descriptors_reports_it_and_recovers";
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(format!(
            "ulimit -n {DESCRIPTORS} && exec \"$0\" --exact {name} --nocapture"
        ))
        .arg(std::env::current_exe().unwrap())
        .env(SERVES, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut line_of = |start: &str| {
        lines
            .by_ref()
            .find_map(|line| {
                line.unwrap()
                    .split_once(start)
                    .map(|(_, rest)| rest.to_owned())
            })
            .unwrap()
    };
    let address = line_of("ADDRESS ").parse().unwrap();
    runtime.block_on(async {
        let mut first = Client::connect(address).await;
        assert_eq!(
            soon(first.call(&Call::invoke("echo", "1"))).await.text(),
            "1"
        );
        // The kernel completes these connections, whether the server can accept them or not.
        let mut idle = Vec::new();
        for _ in 0..2 * DESCRIPTORS {
            idle.push(Client::connect(address).await);
        }
        let said = line_of("NOTICE ");
        assert!(
            said.starts_with("cannot accept") && said.contains("Too many open files"),
            "{said}"
        );
        // The notice is repeated after a second, with the number of failures in between.
        let again = line_of("NOTICE cannot accept connections, ");
        let (times, _) = again.split_once(" times: ").unwrap();
        assert!((2..=40).contains(&times.parse().unwrap()), "{again}");
        // A connection that was accepted earlier is still served.
        assert_eq!(
            soon(first.call(&Call::invoke("echo", "2"))).await.text(),
            "2"
        );
        drop(idle);
        let mut later = Client::connect(address).await;
        assert_eq!(
            soon(later.call(&Call::invoke("echo", "3"))).await.text(),
            "3"
        );
    });
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

async fn serve_until_stdin_ends() {
    let server = Endpoint::builder()
        .builtins()
        .on_notice(|notice| println!("NOTICE {notice}"))
        .bind_local()
        .await
        .unwrap();
    println!("ADDRESS {}", server.local_addr());
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    ended.await.unwrap().unwrap();
    assert!(soon(server.shutdown(Duration::from_secs(600))).await);
}

/// Serves an endpoint whose function `f` always fails, without retries.
async fn failing(letters: PathBuf) -> (Server, mpsc::UnboundedReceiver<Notice>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let function = Function::buffered("f", |_| async {
        Err::<String, _>(FunctionError::new("Nope", "no"))
    });
    let events = EventSettings::default()
        .retry_delays([])
        .dead_letter(DeadLetter::File(letters));
    let server = Endpoint::builder()
        .builtins()
        .function(function)
        .events(events)
        .on_notice(move |notice| drop(sender.send(notice)))
        .bind_local()
        .await
        .unwrap();
    (server, receiver)
}

/// Sends one event and returns its request id.
async fn send_event(client: &mut Client) -> String {
    let response = client.call(&Call::invoke("f", "1").event()).await;
    assert_eq!(response.status(), 202);
    let id = &response.parts.headers["x-amzn-requestid"];
    id.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_dead_letter_on_a_full_disk_is_lost_counted_and_reported() {
    let full = PathBuf::from("/dev/full");
    let (server, mut notices) = failing(full.clone()).await;
    let mut client = Client::to(&server).await;
    for lost in 1..=3 {
        let id = send_event(&mut client).await;
        let notice = soon(notices.recv()).await.unwrap();
        let Notice::DeadLetterUnwritten {
            file,
            request_id,
            error,
        } = &notice
        else {
            panic!("{notice}");
        };
        assert_eq!((file, request_id), (&full, &id));
        assert!(error.contains("No space left on device"), "{error}");
        assert_eq!(
            notice.to_string(),
            format!("event {id} was lost: cannot write /dev/full: {error}")
        );
        let counters = server.event_counters();
        assert_eq!((counters.dropped, counters.dead_lettered), (lost, 0));
    }
    assert_eq!(client.call(&Call::invoke("echo", "1")).await.text(), "1");
    assert!(soon(server.shutdown(Duration::from_secs(600))).await);
}

#[tokio::test]
async fn a_dead_letter_file_that_can_be_written_again_has_each_event_on_a_line_of_its_own() {
    let pipe = std::env::temp_dir().join(format!("broken-{}", std::process::id()));
    let _ = std::fs::remove_file(&pipe);
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let open = || {
        let pipe = pipe.clone();
        std::thread::spawn(move || File::open(pipe).unwrap())
    };
    let first = open();
    let (server, mut notices) = failing(pipe.clone()).await;
    drop(first.join().unwrap());

    let mut client = Client::to(&server).await;
    let lost = send_event(&mut client).await;
    let notice = soon(notices.recv()).await.unwrap();
    assert!(
        matches!(&notice, Notice::DeadLetterUnwritten { request_id, .. } if *request_id == lost),
        "{notice}"
    );
    let reader = open().join().unwrap();
    let kept = send_event(&mut client).await;
    let text = tokio::task::spawn_blocking(move || {
        let mut lines = BufReader::new(reader).lines();
        [
            lines.next().unwrap().unwrap(),
            lines.next().unwrap().unwrap(),
        ]
    });
    // The incomplete line of the lost record, here an empty one, is ended first.
    let [empty, line] = soon(text).await.unwrap();
    assert_eq!(empty, "");
    let record: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(record["requestContext"]["requestId"], kept.as_str());
    assert!(soon(server.shutdown(Duration::from_secs(600))).await);
    std::fs::remove_file(pipe).unwrap();
}
