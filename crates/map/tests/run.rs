//! Runs against an endpoint: results, retries, order, batches, and limits on failures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lambda_invoke_endpoint::{Endpoint, Function, Invocation};
use lambda_invoke_map::journal::Settled;
use lambda_invoke_map::{Ended, Item, Map, MaxFailures, Mode, Retry, iter};
use serde_json::Value;
use support::{Service, all, items, payload, settled, until};

#[tokio::test(flavor = "multi_thread")]
async fn each_item_has_one_result_and_runs_once() {
    let service = Service::start(|builder| builder).await;
    let (events, error) = all(service.map().run(iter(items(500)))).await;
    assert!(error.is_none());
    assert_eq!(events.len(), 500);
    for (index, event) in &events {
        let line: Value = serde_json::from_slice(event.line()).unwrap();
        assert_eq!(line["index"], *index);
        assert_eq!(line["key"], index.to_string());
        assert_eq!(line["outcome"], "done");
        assert_eq!(line["payload"]["n"], *index);
        assert_eq!(line["attempts"], 1);
    }
    service.executions.assert_once(500);
}

#[tokio::test(flavor = "multi_thread")]
async fn throttles_lost_connections_and_errors_of_the_service_end_in_at_most_one_execution() {
    let faults = |builder: lambda_invoke_endpoint::EndpointBuilder| {
        builder.seed(5).faults(
            [
                "count: throttle=ConcurrentInvocationLimitExceeded probability=0.05",
                "count: reset-at=0 probability=0.02",
                "count: error=ServiceException probability=0.02",
            ]
            .map(|rule| rule.parse().unwrap()),
        )
    };
    let service = Service::start(faults).await;
    let run = service.map().concurrency(20).run(iter(items(1_000)));
    let (events, error) = all(run).await;
    assert!(error.is_none());
    assert_eq!(events.len(), 1_000);
    let executions = service.executions.get();
    let unknown = settled(&events, Settled::Unknown);
    let lost = settled(&events, Settled::Started);
    assert!(unknown > 0 && lost > 0);
    assert_eq!(settled(&events, Settled::Done) + unknown + lost, 1_000);
    for (index, event) in &events {
        let count = executions
            .get(&payload(*index))
            .copied()
            .unwrap_or_default();
        match event.settled() {
            Settled::Done | Settled::Started => assert_eq!(count, 1),
            _ => assert!(count <= 1),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_least_once_sends_again_what_may_have_run() {
    let service = Service::start(|builder| {
        builder.seed(5).fault(
            "count: error=ServiceException probability=0.1"
                .parse()
                .unwrap(),
        )
    })
    .await;
    let run = service.map().retry(Retry::AtLeastOnce).max_attempts(20);
    let (events, _) = all(run.run(iter(items(200)))).await;
    assert_eq!(settled(&events, Settled::Done), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_function_is_not_sent_again() {
    let service = Service::start(|builder| builder).await;
    let items = (0..20).map(|n| match n % 4 {
        0 => Item::new(format!(r#"{{"n":{n},"x":"fail"}}"#)),
        _ => Item::new(payload(n)),
    });
    let (events, _) = all(service.map().run(iter(items))).await;
    assert_eq!(settled(&events, Settled::Started), 5);
    assert_eq!(settled(&events, Settled::Done), 15);
    let line: Value = serde_json::from_slice(events[&0].line()).unwrap();
    assert_eq!(line["outcome"], "failed");
    assert_eq!(line["execution"], "started");
    assert_eq!(line["error"]["kind"], "function_failed");
    assert_eq!(line["payload"]["errorType"], "Failure");
    service.executions.assert_once(20);
}

#[tokio::test(flavor = "multi_thread")]
async fn results_come_in_order_if_asked_for() {
    let service = Service::start(|builder| builder).await;
    let items = (0..100u64).map(|n| {
        let ms = if n % 10 == 0 { 60 } else { 1 };
        Item::new(format!(r#"{{"n":{n},"ms":{ms}}}"#))
    });
    let mut run = service.map().ordered(Some(15)).run(iter(items));
    let mut next = 0;
    while let Some(event) = run.next().await {
        assert_eq!(event.unwrap().index(), next);
        // Faster items are read ahead of this one, but only a bounded number of them.
        assert!(run.progress().read <= next + 2 * 15);
        next += 1;
    }
    assert_eq!(next, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_failures_start_no_more() {
    let service = Service::start(|builder| builder).await;
    let items = |count: u64| (0..count).map(|n| Item::new(format!(r#"{{"n":{n},"x":"fail"}}"#)));
    let map = || service.map().concurrency(4);
    let mut run = map()
        .max_failures(Some(MaxFailures::Count(10)))
        .run(iter(items(1_000)));
    let mut count = 0;
    while let Some(event) = run.next().await {
        event.unwrap();
        count += 1;
    }
    assert!((11..=15).contains(&count), "{count}");
    assert!(matches!(run.ended(), Ended::TooManyFailures));
    let mut run = map()
        .max_failures(Some(MaxFailures::Share(0.5)))
        .run(iter(items(1_000)));
    let mut count = 0;
    while let Some(event) = run.next().await {
        event.unwrap();
        count += 1;
    }
    assert!((100..=104).contains(&count), "{count}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_does_not_exist_is_asked_for_a_few_times_only() {
    let service = Service::start(|builder| builder).await;
    let map = Map::new(service.client(), "missing".try_into().unwrap());
    let mut run = map.run(iter(items(10_000)));
    let mut count = 0;
    while let Some(event) = run.next().await {
        assert_eq!(event.unwrap().settled(), Settled::NotStarted);
        count += 1;
    }
    assert!(count < 200, "{count}");
    let Ended::Rejected(error) = run.ended() else {
        panic!("{:?}", run.ended());
    };
    assert_eq!(error.service_error().unwrap().status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_throttled_ends_when_patience_does() {
    let service = Service::start(|builder| {
        builder.fault(
            "count: throttle=ConcurrentInvocationLimitExceeded"
                .parse()
                .unwrap(),
        )
    })
    .await;
    let map = service.map().patience(Duration::from_millis(300));
    let began = Instant::now();
    let mut run = map.run(iter(items(50)));
    while let Some(event) = run.next().await {
        assert_eq!(event.unwrap().settled(), Settled::NotStarted);
    }
    assert!(matches!(run.ended(), Ended::Rejected(_)));
    assert!(began.elapsed() < Duration::from_secs(20));
    assert!(service.executions.get().is_empty());
    assert!(run.progress().throttles["ConcurrentInvocationLimitExceeded"] > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_fail_item_by_item() {
    let function = Function::json("batch", |items: Vec<Value>, _: Invocation| async move {
        let failures: Vec<Value> = items
            .iter()
            .filter(|item| item["n"].as_u64().unwrap() % 5 == 0)
            .map(|item| serde_json::json!({"itemIdentifier": item["n"].to_string()}))
            .collect();
        Ok::<_, lambda_invoke_endpoint::FunctionError>(
            serde_json::json!({ "batchItemFailures": failures }),
        )
    });
    let server = Endpoint::builder()
        .function(function)
        .bind_local()
        .await
        .unwrap();
    let client = lambda_invoke::Client::local(server.url()).unwrap();
    let map = Map::new(client, "batch".try_into().unwrap()).batch(7);
    let mut run = map.run(iter(items(100)));
    let mut failed = Vec::new();
    while let Some(event) = run.next().await {
        let event = event.unwrap();
        if event.settled() != Settled::Done {
            assert_eq!(event.settled(), Settled::Started);
            failed.push(event.index());
        }
    }
    failed.sort_unstable();
    assert_eq!(failed, (0..100).step_by(5).collect::<Vec<u64>>());
    assert_eq!(run.progress().attempts, 15);
}

/// A function cannot be called with one name for several items, nor with one for a stream.
#[tokio::test(flavor = "multi_thread")]
async fn an_execution_name_that_is_not_sent_makes_nothing_safe_to_send_again() {
    let service =
        Service::start(|builder| builder.fault("count: error=ServiceException".parse().unwrap()))
            .await;
    let named = || items(20).map(|item| item.with_execution_name("order"));
    for map in [service.map().batch(4), service.map().mode(Mode::Stream)] {
        let (events, error) = all(map.run(iter(named()))).await;
        assert!(error.is_none());
        assert_eq!(settled(&events, Settled::Unknown), 20);
        for event in events.values() {
            let line: Value = serde_json::from_slice(event.line()).unwrap();
            assert_eq!(line["attempts"], 1, "{line}");
        }
    }
}

/// A hostile report must not end the run.
#[tokio::test(flavor = "multi_thread")]
async fn durations_that_no_function_takes_do_not_overflow() {
    let function = Function::buffered("long", |invocation: Invocation| async move {
        let id = invocation.request_id().to_owned();
        let report = format!("REPORT RequestId: {id}\tBilled Duration: {} ms", u64::MAX);
        invocation.log(report);
        Ok::<_, lambda_invoke_endpoint::FunctionError>(bytes::Bytes::from("1"))
    });
    let server = Endpoint::builder().function(function).bind_local().await;
    let server = server.unwrap();
    let client = lambda_invoke::Client::local(server.url()).unwrap();
    let map = Map::new(client, "long".try_into().unwrap()).log_tail(true);
    let (events, error) = all(map.run(iter(items(1_100)))).await;
    assert!(error.is_none());
    assert_eq!(settled(&events, Settled::Done), 1_100);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_confirmed_and_streams_are_collected() {
    let service = Service::start(|builder| builder).await;
    let (events, _) = all(service.map().mode(Mode::Event).run(iter(items(20)))).await;
    assert_eq!(settled(&events, Settled::Done), 20);
    let (events, _) = all(service.map().mode(Mode::Stream).run(iter(items(20)))).await;
    let line: Value = serde_json::from_slice(events[&7].line()).unwrap();
    assert_eq!(line["payload"]["n"], 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_is_kept() {
    let service = Service::start(|builder| builder).await;
    let began = Instant::now();
    let (events, _) = all(service.map().rate(Some(100.0)).run(iter(items(60)))).await;
    assert_eq!(events.len(), 60);
    assert!(began.elapsed() >= Duration::from_millis(550));
    // After the last item, the run does not wait for the next start time.
    let began = Instant::now();
    let (events, _) = all(service.map().rate(Some(0.01)).run(iter(items(1)))).await;
    assert_eq!(events.len(), 1);
    assert!(began.elapsed() < Duration::from_secs(50));
}

#[tokio::test(flavor = "multi_thread")]
async fn draining_lets_what_runs_end_and_stopping_does_not() {
    let service = Service::start(|builder| builder).await;
    let slow = |ms: u64| (0..1_000).map(move |n| Item::new(format!(r#"{{"n":{n},"ms":{ms}}}"#)));
    let executions = service.executions.clone();
    let run = service.map().concurrency(4).run(iter(slow(50)));
    let control = run.control();
    tokio::spawn(async move {
        until(|| executions.get().len() >= 8).await;
        control.drain();
    });
    let (events, error) = all(run).await;
    assert!(error.is_none());
    assert!((8..500).contains(&events.len()), "{}", events.len());
    assert_eq!(settled(&events, Settled::Done), events.len());
    service.executions.assert_once(events.len());

    let executions = service.executions.clone();
    let started = events.len() + 4;
    let run = service.map().concurrency(4).run(iter(slow(60_000)));
    let control = run.control();
    tokio::spawn(async move {
        until(|| executions.get().len() == started).await;
        control.stop();
    });
    let began = Instant::now();
    let (events, error) = all(run).await;
    assert!(error.is_none() && began.elapsed() < Duration::from_secs(30));
    assert_eq!(settled(&events, Settled::Unknown), 4);
    assert_eq!(events.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_has_ended_before_a_stop_keeps_its_result() {
    let responses = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&responses);
    let service = Service::start(|builder| {
        builder.on_response(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        })
    })
    .await;
    let slow = (0..8).map(|n| Item::new(format!(r#"{{"n":{n},"ms":3000}}"#)));
    let mut run = service.map().concurrency(8).run(iter(slow));
    let control = run.control();
    while service.executions.get().len() < 8 {
        let none = tokio::time::timeout(Duration::from_millis(1), run.next()).await;
        assert!(none.is_err(), "a call has ended already");
    }
    // Nobody asks for results while the calls end.
    until(|| responses.load(Ordering::Relaxed) == 8).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    control.stop();
    let (events, error) = all(run).await;
    assert!(error.is_none());
    assert_eq!(settled(&events, Settled::Done), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_waits_to_be_sent_again_and_may_have_run_is_unknown_at_the_end() {
    let lost = "count: error=ServiceException".parse().unwrap();
    let responses = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&responses);
    let service = Service::start(|builder| {
        builder.fault(lost).on_response(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        })
    })
    .await;
    let map = service.map().concurrency(4).retry(Retry::AtLeastOnce);
    let run = map.max_attempts(1_000).run(iter(items(4)));
    let control = run.control();
    tokio::spawn(async move {
        // More than one attempt of each item.
        until(|| responses.load(Ordering::Relaxed) > 8).await;
        control.drain();
    });
    let (events, error) = all(run).await;
    assert!(error.is_none());
    assert_eq!(events.len(), 4, "each may have run, so each has a result");
    assert_eq!(settled(&events, Settled::Unknown), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_of_events_stay_within_the_limit_of_events() {
    let service = Service::start(|builder| builder).await;
    let large = format!("\"{}\"", "x".repeat(300 << 10));
    let items = (0..10).map(move |_| Item::new(large.clone()));
    let run = service.map().mode(Mode::Event).batch(10).run(iter(items));
    let (events, error) = all(run).await;
    assert!(error.is_none());
    assert_eq!(settled(&events, Settled::Done), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_the_share_of_failures_is_not_more_than_it() {
    let fails = Function::buffered("some", |invocation: Invocation| async move {
        match invocation.payload().as_ref() {
            b"true" => Ok("1"),
            _ => Err(lambda_invoke_endpoint::FunctionError::new("E", "failed")),
        }
    });
    let service = Service::start(|builder| builder.function(fails)).await;
    let items = (0..100).map(|n| Item::new(if n < 71 { "true" } else { "false" }));
    let map = Map::new(service.client(), "some".try_into().unwrap());
    let map = map
        .concurrency(1)
        .max_failures(Some(MaxFailures::Share(0.29)));
    let mut run = map.run(iter(items));
    while let Some(event) = run.next().await {
        event.unwrap();
    }
    assert!(matches!(run.ended(), Ended::Complete), "{:?}", run.ended());
    assert_eq!(run.progress().finished.failed(), 29);
}
