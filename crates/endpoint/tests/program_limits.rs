//! More calls than a program has instances: they are throttled, or they wait.

#![cfg(feature = "runtime")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::sources::Sources;
use common::{Call, Client, serve, soon};
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError, FunctionUrl, UrlAuth};

#[tokio::test]
async fn a_call_beyond_the_instances_is_throttled_and_not_recorded() {
    if common::tools::lacks(&["python3", "node"]) {
        return;
    }
    let sources = Sources::new("throttle");
    let function = Function::program("slow", sources.slow("slow.py").concurrency(1))
        .url(FunctionUrl::new().auth(UrlAuth::None));
    let (server, mut client) = serve(Endpoint::builder().function(function)).await;
    let mut other = Client::to(&server).await;
    client.send(&Call::invoke("slow", "1.5")).await;
    while server.calls("slow").is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let function_url = Call {
        method: "GET".to_owned(),
        ..Call::new("/url/slow/", "")
    };
    let response = other.call(&function_url).await;
    assert_eq!(response.status(), 429);
    for call in [Call::invoke("slow", "0"), Call::stream("slow", "0")] {
        let response = other.call(&call).await;
        assert_eq!(response.status(), 429);
        let error = response.error();
        assert_eq!(error.code(), Some("TooManyRequestsException"));
        assert_eq!(
            error.reason().unwrap().as_str(),
            "ReservedFunctionConcurrentInvocationLimitExceeded"
        );
    }
    // An event waits until an instance is free.
    let event = other.call(&Call::invoke("slow", "0").event()).await;
    assert_eq!(event.status(), 202);
    assert_eq!(soon(client.response()).await.unwrap().text(), "1.5");
    while server.event_counters().succeeded == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(server.calls("slow").len(), 2);
    let counters = server.event_counters();
    assert!(counters.throttled > 0 && counters.failed == 0, "{counters}");
}

#[tokio::test]
async fn a_version_has_the_instances_of_its_own_program() {
    if common::tools::lacks(&["python3"]) {
        return;
    }
    let sources = Sources::new("version");
    let program = sources.slow("slow.py").concurrency(1);
    let latest = Function::buffered("slow", |_| async { Ok::<_, FunctionError>("latest") });
    let function = latest.version_of(1, Function::program("slow", program));
    let (server, mut first) = serve(Endpoint::builder().function(function)).await;
    let mut second = Client::to(&server).await;
    first
        .send(&Call::invoke("slow", "1.5").qualifier("1"))
        .await;
    while server.calls("slow").is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for call in [Call::invoke("slow", "0"), Call::stream("slow", "0")] {
        let response = second.call(&call.qualifier("1")).await;
        assert_eq!(response.status(), 429, "{}", response.text());
        let error = response.error();
        assert_eq!(
            error.reason().unwrap().as_str(),
            "ReservedFunctionConcurrentInvocationLimitExceeded"
        );
    }
    // Throttled calls are not recorded.
    assert_eq!(server.calls("slow").len(), 1);
    let response = second.call(&Call::invoke("slow", "0")).await;
    assert_eq!(response.text(), "latest");
    // An event waits, and the attempts that were throttled do not count.
    let event = Call::invoke("slow", "0").qualifier("1").event();
    assert_eq!(second.call(&event).await.status(), 202);
    assert_eq!(soon(first.response()).await.unwrap().text(), "1.5");
    while server.event_counters().succeeded == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let counters = server.event_counters();
    assert!(counters.throttled > 0 && counters.failed == 0, "{counters}");
}

#[tokio::test]
async fn calls_beyond_the_instances_wait_as_many_as_the_queue_says() {
    if common::tools::lacks(&["python3", "node"]) {
        return;
    }
    let sources = Sources::new("queued");
    let program = sources.slow("slow.py").concurrency(5).queue(1);
    let function = Function::program("slow", program).concurrency(1);
    let (server, mut first) = serve(Endpoint::builder().function(function)).await;
    let mut second = Client::to(&server).await;
    first.send(&Call::invoke("slow", "1.5")).await;
    second.send(&Call::invoke("slow", "0")).await;
    while server.calls("slow").len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut third = Client::to(&server).await;
    let rejected = third.call(&Call::invoke("slow", "0")).await;
    assert_eq!(rejected.status(), 429);
    // Waiting calls do not count as concurrent.
    let about = Call {
        method: "GET".to_owned(),
        ..Call::new("/2015-03-31/functions/slow", "")
    };
    let about = third.call(&about).await.json();
    assert_eq!(about["Concurrency"]["ReservedConcurrentExecutions"], 1);
    for (client, text) in [(&mut first, "1.5"), (&mut second, "0")] {
        assert_eq!(soon(client.response()).await.unwrap().text(), text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_as_many_as_instances_are_never_throttled() {
    if common::tools::lacks(&["python3", "node"]) {
        return;
    }
    let sources = Sources::new("full");
    let function = Function::program("slow", sources.slow("slow.py").concurrency(2));
    let (server, _) = serve(Endpoint::builder().function(function)).await;
    let address = server.local_addr();
    let callers: Vec<_> = (0..2)
        .map(|_| {
            tokio::spawn(async move {
                let mut client = Client::connect(address).await;
                for number in 0..150 {
                    let call = match number % 2 {
                        0 => Call::invoke("slow", "0"),
                        _ => Call::stream("slow", "0"),
                    };
                    assert_eq!(client.call(&call).await.status(), 200, "call {number}");
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(server.calls("slow").len(), 300);
}
