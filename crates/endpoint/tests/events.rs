//! Events: the queue, retries and dead letters.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{Call, Client, serve, soon};
use lambda_invoke_endpoint::{
    DeadLetter, Endpoint, EventCounters, EventFailure, EventSettings, Function, FunctionError,
    Notice, Server,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// Creates a function that fails its first attempts, and reports each one.
fn fails(times: usize) -> (Function, mpsc::Receiver<(String, Instant)>) {
    let (sender, receiver) = mpsc::channel(100);
    let attempts = Arc::new(Mutex::new(0));
    let function = Function::buffered("f", move |invocation| {
        let sender = sender.clone();
        let attempt = {
            let mut attempts = attempts.lock().unwrap();
            *attempts += 1;
            *attempts
        };
        async move {
            assert!(invocation.is_event() && invocation.client_context().is_none());
            sender
                .send((invocation.request_id().to_owned(), Instant::now()))
                .await
                .unwrap();
            if attempt <= times {
                Err(FunctionError::new("Nope", "not yet"))
            } else {
                Ok("")
            }
        }
    });
    (function, receiver)
}

fn quick() -> EventSettings {
    EventSettings::default().retry_delays([20, 40].map(Duration::from_millis))
}

async fn settled(server: &Server, done: impl Fn(&EventCounters) -> bool) -> EventCounters {
    soon(async {
        loop {
            let counters = server.event_counters();
            if done(&counters) && counters.queued == 0 {
                return counters;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
}

#[tokio::test]
async fn an_event_is_accepted_before_it_runs_and_retried_twice_with_the_same_id() {
    let (function, mut attempts) = fails(2);
    let (server, mut client) = serve(Endpoint::builder().function(function).events(quick())).await;
    let call = Call::invoke("f", "[1]")
        .event()
        .header("x-amz-client-context", "e30=");
    let response = client.call(&call).await;
    assert_eq!((response.status().as_u16(), response.text()), (202, ""));
    assert_eq!(response.header("x-amz-executed-version"), None);
    let id = response.header("x-amzn-requestid").unwrap();
    let (first_id, first) = soon(attempts.recv()).await.unwrap();
    let (second_id, second) = soon(attempts.recv()).await.unwrap();
    let (third_id, third) = soon(attempts.recv()).await.unwrap();
    assert_eq!([&*first_id, &*second_id, &*third_id], [id; 3]);
    assert!(second - first >= Duration::from_millis(20));
    assert!(third - second >= Duration::from_millis(40));
    let counters = settled(&server, |counters| counters.succeeded == 1).await;
    assert_eq!(
        (counters.accepted, counters.failed, counters.dropped),
        (1, 2, 0)
    );
}

#[tokio::test]
async fn the_old_invoke_async_is_an_event_too() {
    let (function, mut attempts) = fails(0);
    let (_server, mut client) = serve(Endpoint::builder().function(function)).await;
    let response = client
        .call(&Call::new("/2014-11-13/functions/f/invoke-async/", "{}"))
        .await;
    assert_eq!(response.status(), 202);
    assert!(soon(attempts.recv()).await.is_some());
    assert!(attempts.try_recv().is_err());
}

#[tokio::test]
async fn an_event_that_always_fails_is_dropped_counted_and_reported() {
    let (function, _attempts) = fails(usize::MAX);
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let server = Endpoint::builder()
        .function(function)
        .events(quick())
        .on_notice(move |notice| sender.send(notice).unwrap())
        .bind_local()
        .await
        .unwrap();
    let response = Client::to(&server)
        .await
        .call(&Call::invoke("f", "{}").event())
        .await;
    let notice = soon(receiver.recv()).await.unwrap();
    let id = response.header("x-amzn-requestid").unwrap().to_owned();
    assert_eq!(
        notice.to_string(),
        format!("event {id} for f was dropped: every attempt failed")
    );
    let why = EventFailure::RetriesExhausted;
    assert_eq!(
        notice,
        Notice::EventDropped {
            function: "f".to_owned(),
            request_id: id,
            why
        }
    );
    let counters = settled(&server, |counters| counters.dropped == 1).await;
    assert_eq!(counters.failed, 3);
}

fn check_record(record: &Value, payload: &Value, id: &str) {
    assert_eq!(record["version"], "1.0");
    assert_eq!(
        record["requestContext"],
        json!({
            "requestId": id,
            "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        })
    );
    assert_eq!(record["requestPayload"], *payload);
    assert_eq!(
        record["responseContext"],
        json!({"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"})
    );
    assert_eq!(record["responsePayload"]["errorMessage"], "not yet");
}

#[tokio::test]
async fn a_dead_letter_is_a_line_in_a_file() {
    const PAYLOAD: &str = "{\"order\": 7,\r\n\"id\": 12345678901234567890123}";
    let folder = std::env::temp_dir().join(format!("dead-letters-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("events.jsonl");
    let (function, _attempts) = fails(usize::MAX);
    let events = quick().dead_letter(DeadLetter::File(file.clone()));
    let server = Endpoint::builder()
        .function(function)
        .events(events)
        .bind_local()
        .await
        .unwrap();
    let response = Client::to(&server)
        .await
        .call(&Call::invoke("f", PAYLOAD).event())
        .await;
    settled(&server, |counters| counters.dead_lettered == 1).await;
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(text.lines().count(), 1);
    let payload = r#""requestPayload":{"order": 7,  "id": 12345678901234567890123},"#;
    assert!(text.contains(payload), "{text}");
    check_record(
        &serde_json::from_str(&text).unwrap(),
        &serde_json::from_str(PAYLOAD).unwrap(),
        response.header("x-amzn-requestid").unwrap(),
    );
}

#[tokio::test]
async fn a_dead_letter_can_go_to_a_function_and_is_dropped_if_that_fails() {
    let (function, _attempts) = fails(usize::MAX);
    let (sender, mut receiver) = mpsc::channel(10);
    let last = Function::buffered("last", move |invocation| {
        let sender = sender.clone();
        async move {
            sender.send(invocation.json::<Value>()?).await?;
            Err::<String, _>(FunctionError::new("Nope", "neither"))
        }
    });
    let events = quick().dead_letter(DeadLetter::Function("last".to_owned()));
    let server = Endpoint::builder()
        .functions([function, last])
        .events(events)
        .bind_local()
        .await
        .unwrap();
    let response = Client::to(&server)
        .await
        .call(&Call::invoke("f", r#"{"order":7}"#).event())
        .await;
    let record = soon(receiver.recv()).await.unwrap();
    let payload = json!({"order": 7});
    check_record(
        &record,
        &payload,
        response.header("x-amzn-requestid").unwrap(),
    );
    let counters = settled(&server, |counters| counters.dropped == 1).await;
    assert_eq!((counters.dead_lettered, counters.failed), (1, 6));
}

#[tokio::test]
async fn an_event_too_old_for_its_next_attempt_is_dropped() {
    let (function, mut attempts) = fails(usize::MAX);
    let events = EventSettings::default()
        .retry_delays([Duration::from_secs(3)])
        .max_age(Duration::from_secs(2));
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let server = Endpoint::builder()
        .function(function)
        .events(events)
        .on_notice(move |notice| sender.send(notice).unwrap())
        .bind_local()
        .await
        .unwrap();
    Client::to(&server)
        .await
        .call(&Call::invoke("f", "{}").event())
        .await;
    let notice = soon(receiver.recv()).await.unwrap();
    let too_old = matches!(
        &notice,
        Notice::EventDropped {
            why: EventFailure::EventAgeExceeded,
            ..
        }
    );
    assert!(too_old, "{notice}");
    assert!(soon(attempts.recv()).await.is_some());
    assert!(attempts.try_recv().is_err(), "no second attempt");
}

#[tokio::test]
async fn a_full_queue_rejects_events_and_throttled_events_wait() {
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let held = Arc::clone(&gate);
    let function = Function::buffered("f", move |_| {
        let gate = Arc::clone(&held);
        async move {
            gate.acquire().await?.forget();
            Ok::<_, FunctionError>("")
        }
    });
    let (server, mut client) = serve(
        Endpoint::builder()
            .function(function.concurrency(1))
            .events(quick().length(2)),
    )
    .await;
    for _ in 0..2 {
        assert_eq!(
            client.call(&Call::invoke("f", "{}").event()).await.status(),
            202
        );
    }
    let response = client.call(&Call::invoke("f", "{}").event()).await;
    assert_eq!(
        response.rejection(),
        (429, "TooManyRequestsException".to_owned())
    );
    soon(async {
        while server.event_counters().throttled == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    gate.add_permits(2);
    let counters = settled(&server, |counters| counters.succeeded == 2).await;
    assert_eq!(
        (counters.accepted, counters.rejected, counters.failed),
        (2, 1, 0)
    );
}

#[tokio::test]
async fn a_fault_rule_delivers_an_event_twice() {
    let (function, mut attempts) = fails(0);
    let (server, mut client) = serve(
        Endpoint::builder()
            .function(function)
            .fault("f: twice every=2".parse().unwrap()),
    )
    .await;
    for runs in [1, 3] {
        assert_eq!(
            client.call(&Call::invoke("f", "{}").event()).await.status(),
            202
        );
        settled(&server, |counters| counters.succeeded == runs).await;
    }
    let ids: Vec<String> =
        std::iter::from_fn(|| attempts.try_recv().ok().map(|(id, _)| id)).collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(ids[1], ids[2], "the same event");
}

#[tokio::test]
async fn queued_events_are_dropped_at_shutdown_and_running_ones_may_end() {
    let (function, mut attempts) = fails(1);
    let events = EventSettings::default();
    let server = Endpoint::builder()
        .function(function)
        .events(events)
        .bind_local()
        .await
        .unwrap();
    let endpoint = server.endpoint().clone();
    Client::to(&server)
        .await
        .call(&Call::invoke("f", "{}").event())
        .await;
    soon(attempts.recv()).await.unwrap();
    soon(async {
        while server.event_counters().failed == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    assert!(soon(server.shutdown(Duration::from_secs(5))).await);
    let counters = endpoint.event_counters();
    assert_eq!((counters.dropped, counters.queued), (1, 0));
}

/// The server that is woken for an event need not be the one that shuts down: whichever stays has to know
/// when the event is due.
#[tokio::test]
async fn an_event_that_waits_when_one_of_two_servers_shuts_down_is_run_by_the_other() {
    for leaves in [0, 1] {
        let (function, mut attempts) = fails(1);
        let delay = Duration::from_millis(500);
        let endpoint = Endpoint::builder()
            .function(function)
            .events(EventSettings::default().retry_delays([delay]))
            .build()
            .unwrap();
        let mut servers = Vec::new();
        for _ in 0..2 {
            let local = ("127.0.0.1", 0);
            servers.push(endpoint.clone().bind(local).await.unwrap());
        }
        let leaving = servers.remove(leaves);
        let call = Call::invoke("f", "{}").event();
        Client::to(&servers[0]).await.call(&call).await;
        soon(attempts.recv()).await.unwrap();
        soon(async {
            while endpoint.event_counters().failed == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
        // Long enough for the worker that was woken to begin to wait for the event.
        tokio::time::sleep(delay / 10).await;
        assert!(soon(leaving.shutdown(Duration::from_secs(5))).await);
        settled(&servers[0], |counters| counters.succeeded == 1).await;
    }
}
