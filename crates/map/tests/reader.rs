//! What a run does before, between and after the reads of its results.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::{Duration, Instant};

use lambda_invoke_map::journal::Header;
use lambda_invoke_map::{Item, Journal, JournalError, iter};
use support::{Service, open, path};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_starts_before_the_first_read() {
    let service = Service::start(|builder| builder).await;
    let run = service.map().run(iter(support::items(10)));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(service.executions.get().is_empty());
    drop(run);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_does_not_wait_for_a_longer_call() {
    let service = Service::start(|builder| builder).await;
    let items = [r#"{"ms":60000}"#, r#"{"n":1}"#].map(Item::new);
    let mut run = service.map().run(iter(items));
    let began = Instant::now();
    let first = run.next().await.unwrap().unwrap();
    assert_eq!(first.index(), 1);
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_dropped_starts_no_more_and_closes_its_journal() {
    let service = Service::start(|builder| builder).await;
    let path = path("dropped");
    for round in 0..20 {
        // The thread of the last run may take a moment to close the file.
        let journal = loop {
            match Journal::open(&path, &Header::new("count"), Duration::from_millis(1)) {
                Ok(journal) => break journal,
                Err(JournalError::InUse) => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Err(error) => panic!("{error}"),
            }
        };
        let map = service.map().concurrency(8).journal(journal);
        let mut run = map.run(iter(support::items(2_000)));
        for _ in 0..50 + round {
            run.next().await.unwrap().unwrap();
        }
        drop(run);
        let ran = service.executions.get().len();
        tokio::time::sleep(Duration::from_millis(120)).await;
        // Requests that were on their way may still arrive: one for each of the eight.
        let more = service.executions.get().len() - ran;
        assert!(more <= 8, "{more} started after the run was dropped");
    }
    let journal = open(&path);
    let counts = journal.state().counts();
    assert_eq!(counts.not_started + counts.started, 0);
    let executed = service.executions.get().len();
    service.executions.assert_once(executed);
    // What the first round read, at least, and no item whose start is not in the journal.
    let possible = 50..=counts.done + counts.sent;
    assert!(
        possible.contains(&(executed as u64)),
        "{executed} of {possible:?}"
    );
    std::fs::remove_file(&path).unwrap();
}
