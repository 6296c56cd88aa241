//! Runs with a journal: resumed after its file was truncated or changed anywhere, or rejected.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use lambda_invoke_map::journal::{
    Decoded, Header, Kind, MAX_DATA, SLOT, ScanError, Scanner, Settled, SourceId,
};
use lambda_invoke_map::{Item, Journal, JournalError, Rerun, RunError, StateError, iter};
use support::{Executions, Service, all, items, open, path, settled};

/// The executions of each item since `before`.
fn more(executions: &Executions, before: &BTreeMap<String, u64>, count: u64) -> Vec<u64> {
    let now = executions.get();
    let of = |map: &BTreeMap<String, u64>, n: u64| -> u64 {
        let is_it = |(text, _): &(&String, &u64)| text.starts_with(&format!(r#"{{"n":{n}"#));
        map.iter().filter(is_it).map(|(_, count)| *count).sum()
    };
    (0..count).map(|n| of(&now, n) - of(before, n)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_sends_nothing_again_and_reports_everything() {
    let service = Service::start(|builder| builder).await;
    let file = path("twice");
    let (first, error) = all(service.map().journal(open(&file)).run(iter(items(300)))).await;
    assert!(error.is_none());
    let (second, error) = all(service.map().journal(open(&file)).run(iter(items(300)))).await;
    assert!(error.is_none());
    assert_eq!(second.len(), 300);
    for (index, event) in &second {
        assert_eq!(event.line(), first[index].line());
    }
    service.executions.assert_once(300);
}

/// The journal of a complete run of four items.
async fn recorded(service: &Service) -> Vec<u8> {
    let file = path("recorded");
    let run = service.map().concurrency(2).journal(open(&file));
    let (events, error) = all(run.run(iter(four()))).await;
    assert!(error.is_none() && events.len() == 4);
    fs::read(&file).unwrap()
}

fn header_length(journal: &[u8]) -> usize {
    match Header::decode(journal).unwrap() {
        Decoded::Complete(_, length) => length,
        Decoded::Incomplete => panic!("no header"),
    }
}

/// Four items, the last of which fails.
fn four() -> impl Iterator<Item = Item> + Send + Unpin {
    items(3).chain([Item::new(r#"{"n":3,"x":"fail"}"#)])
}

/// The items that a journal records as done.
fn done(file: &Path) -> Result<Vec<u64>, JournalError> {
    let journal = unlocked(file)?;
    let status = |n| journal.state().status(n);
    let is_done = |n: &u64| status(*n) == lambda_invoke_map::Status::Settled(Settled::Done);
    Ok((0..4).filter(is_done).collect())
}

fn reopened(file: &Path) -> Journal {
    unlocked(file).unwrap()
}

/// Opens a journal once the lock of the previous one is released, which its thread holds a moment
/// longer.
fn unlocked(file: &Path) -> Result<Journal, JournalError> {
    for _ in 0..10_000 {
        match Journal::open(file, &Header::new("count"), Journal::WINDOW) {
            Err(JournalError::InUse) => std::thread::sleep(std::time::Duration::from_millis(1)),
            journal => return journal,
        }
    }
    Err(JournalError::InUse)
}

#[tokio::test(flavor = "multi_thread")]
async fn resumed_after_every_truncation_nothing_done_runs_again_and_nothing_is_lost() {
    let service = Service::start(|builder| builder).await;
    let bytes = recorded(&service).await;
    let file = path("truncated");
    // After the header, the file is filled with zeros.
    let bare = (0..=bytes.len()).map(|end| (end, end));
    let filled = (header_length(&bytes)..=bytes.len()).map(|end| (end, bytes.len() + 1_000));
    for (end, length) in bare.chain(filled) {
        let mut torn = bytes[..end].to_vec();
        torn.resize(length, 0);
        fs::write(&file, &torn).unwrap();
        let known = done(&file).unwrap();
        let before = service.executions.get();
        let run = service.map().journal(reopened(&file)).run(iter(four()));
        let (events, error) = all(run).await;
        assert!(error.is_none(), "{end}: {error:?}");
        assert_eq!(events.len(), 4, "{end}");
        let more = more(&service.executions, &before, 4);
        for n in known {
            assert_eq!(more[n as usize], 0, "{end}: {n} was done");
            assert_eq!(events[&n].settled(), Settled::Done);
        }
        for (n, event) in &events {
            let is_certain = event.settled() != Settled::Unknown;
            let line: serde_json::Value = serde_json::from_slice(event.line()).unwrap();
            assert_eq!(line["index"], *n, "{end}");
            assert!(more[*n as usize] <= 1 && (is_certain || more[*n as usize] == 0));
        }
        // Items with an unknown outcome are sent again on request.
        let rerun = Rerun::default().unknown(true);
        let run = service.map().journal(reopened(&file)).rerun(rerun);
        let (events, error) = all(run.run(iter(four()))).await;
        assert!(error.is_none(), "{end}");
        assert_eq!(settled(&events, Settled::Done), 3, "{end}");
        assert_eq!(settled(&events, Settled::Started), 1, "{end}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_filled_with_zeros_ends_with_the_last_record_once_it_is_closed_or_opened() {
    let service = Service::start(|builder| builder).await;
    let file = path("filled");
    let mut run = service.map().journal(open(&file)).run(iter(items(2)));
    run.next().await.unwrap().unwrap();
    let filled = fs::read(&file).unwrap();
    assert_eq!(filled.len(), 64 << 10);
    assert!(filled.ends_with(&[0; SLOT]));
    drop(run);

    drop(reopened(&file));
    let repaired = fs::read(&file).unwrap();
    assert!(filled.starts_with(&repaired) && !repaired.ends_with(&[0; SLOT]));

    let run = service.map().journal(reopened(&file)).run(iter(items(2)));
    let (events, error) = all(run).await;
    assert!(error.is_none() && events.len() == 2);
    let closed = fs::read(&file).unwrap();
    assert!(closed.starts_with(&repaired) && !closed.ends_with(&[0; SLOT]));
    assert!(closed.len() < 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_every_changed_byte_it_is_rejected_or_nothing_that_ran_runs_again() {
    let service = Service::start(|builder| builder).await;
    let bytes = recorded(&service).await;
    let file = path("changed");
    let mut rejected = 0;
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        fs::write(&file, &changed).unwrap();
        if done(&file).is_err() {
            rejected += 1;
            // The file stays unchanged, so that it can be examined.
            assert_eq!(fs::read(&file).unwrap(), changed);
            continue;
        }
        let before = service.executions.get();
        let run = service.map().journal(reopened(&file)).run(iter(four()));
        let (events, error) = all(run).await;
        assert!(error.is_none(), "{at}");
        assert_eq!(events.len(), 4);
        assert_eq!(more(&service.executions, &before, 4), [0; 4], "{at}");
        assert_eq!(settled(&events, Settled::Unknown), 1, "{at}");
    }
    // At least the header, the records of the four items and the record of their number are
    // protected.
    assert!(rejected >= 96 + 9 * SLOT, "{rejected} of {}", bytes.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn other_payloads_are_rejected_before_they_are_sent() {
    let service = Service::start(|builder| builder).await;
    let file = path("other");
    let run = service.map().journal(open(&file));
    assert!(all(run.run(iter(items(10)))).await.1.is_none());
    let before = service.executions.get();
    let changed = items(10).map(|item| match item.key.as_deref() {
        Some("3") => Item::new("{\"n\":33}"),
        _ => item,
    });
    for (expected, items) in [
        (
            StateError::OtherPayload { index: 3 },
            changed.collect::<Vec<_>>(),
        ),
        (
            StateError::OtherCount { was: 10, is: 11 },
            items(20).collect(),
        ),
        (
            StateError::OtherCount { was: 10, is: 9 },
            items(9).collect(),
        ),
    ] {
        let run = service.map().journal(reopened(&file)).run(iter(items));
        let (_, error) = all(run).await;
        let Some(RunError::Journal(JournalError::State(found))) = error else {
            panic!("{error:?}");
        };
        assert_eq!(found, expected);
    }
    assert_eq!(service.executions.get(), before);
}

#[test]
fn a_journal_of_something_else_is_rejected() {
    let file = path("else");
    let source = |check| {
        Some(SourceId {
            items: 1,
            bytes: 2,
            check,
        })
    };
    let header = Header::new("count").with_option("batch", "1");
    let open = |header: &Header| Journal::open(&file, header, Journal::WINDOW);
    let held = open(&header.clone().with_source(source(1))).unwrap();
    assert!(matches!(open(&header), Err(JournalError::InUse)));
    drop(held);
    for other in [
        Header::new("other").with_option("batch", "1"),
        header.clone().with_option("batch", "2"),
        header.clone().with_source(source(2)),
    ] {
        let mut result = open(&other);
        while matches!(result, Err(JournalError::InUse)) {
            std::thread::yield_now();
            result = open(&other);
        }
        assert!(
            matches!(result, Err(JournalError::Differs(_))),
            "{result:?}"
        );
    }
    fs::write(&file, "results that somebody wants to keep\n").unwrap();
    assert!(matches!(open(&header), Err(JournalError::Header(_))));
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        "results that somebody wants to keep\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_window_of_zero_records_are_synced_before_anything_is_sent() {
    let service = Service::start(|builder| builder).await;
    let file = path("synced");
    let journal = Journal::open(&file, &Header::new("count"), std::time::Duration::ZERO).unwrap();
    let run = service.map().concurrency(1).journal(journal);
    let (events, error) = all(run.run(iter(items(50)))).await;
    assert!(error.is_none());
    assert_eq!(settled(&events, Settled::Done), 50);
    // Each group of records says that everything before it has been synced.
    let bytes = fs::read(&file).unwrap();
    let Ok(Decoded::Complete(header, length)) = Header::decode(&bytes) else {
        panic!("no header")
    };
    let mut covered = (length / SLOT) as u64;
    let mut groups = 0;
    let mut scanner = Scanner::new(header.seed, covered);
    let scanned = scanner.feed(&bytes[length..], |event| {
        if event.found.kind == Kind::Synced {
            assert_eq!(
                event.found.number, covered,
                "what came before was not synced"
            );
            covered = event.slot + 1;
            groups += 1;
        }
        Ok::<_, ScanError>(())
    });
    scanned.unwrap();
    assert!(groups >= 50, "{groups} groups");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_power_failure_destroyed_is_filled_once_and_costs_only_what_it_hit() {
    let service = Service::start(|builder| builder).await;
    let bytes = recorded(&service).await;
    let file = path("holes");
    let first = header_length(&bytes);
    fs::write(&file, &bytes).unwrap();
    let all = done(&file).unwrap();
    for at in (first..bytes.len()).step_by(SLOT) {
        let mut holed = bytes.clone();
        holed[at..at + SLOT].fill(0);
        fs::write(&file, &holed).unwrap();
        let once = done(&file).unwrap();
        assert!(once.len() + 1 >= all.len(), "{at}");
        // The second time, there is nothing left to repair.
        let repaired = fs::read(&file).unwrap();
        assert_eq!(done(&file).unwrap(), once);
        assert_eq!(fs::read(&file).unwrap(), repaired, "{at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_item_with_a_durable_execution_name_is_sent_again() {
    let service = Service::start(|builder| builder).await;
    let bytes = recorded(&service).await;
    let Ok(Decoded::Complete(_, header)) = Header::decode(&bytes) else {
        panic!("no header");
    };
    let file = path("durable");
    // The first item was sent, but its outcome is not recorded.
    fs::write(&file, &bytes[..header + SLOT]).unwrap();
    let (events, _) = all(service.map().journal(open(&file)).run(iter(items(1)))).await;
    assert_eq!(settled(&events, Settled::Unknown), 1);
    let named = items(1).map(|item| item.with_execution_name("order-0"));
    let run = service.map().journal(reopened(&file)).run(iter(named));
    let (events, error) = all(run).await;
    assert!(error.is_none());
    assert_eq!(settled(&events, Settled::Done), 1, "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_payload_does_not_cost_the_results_of_what_runs() {
    let service = Service::start(|builder| builder).await;
    let file = path("runs");
    let slow = || Item::new(r#"{"n":0,"ms":300,"x":"fail"}"#);
    let run = service.map().journal(open(&file));
    let (events, error) = all(run.run(iter([slow(), Item::new("1")]))).await;
    assert!(error.is_none() && events.len() == 2);
    let run = service.map().journal(reopened(&file));
    let run = run.rerun(Rerun::default().failed(true));
    let (events, error) = all(run.run(iter([slow(), Item::new("2")]))).await;
    let other = JournalError::State(StateError::OtherPayload { index: 1 });
    assert_eq!(error.unwrap().to_string(), other.to_string());
    assert_eq!(settled(&events, Settled::Started), 1);
    let status = lambda_invoke_map::Status::Settled(Settled::Started);
    assert_eq!(reopened(&file).state().status(0), status);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_the_journal_cannot_hold_is_reported_and_costs_no_other() {
    let service = Service::start(|builder| builder).await;
    let file = path("long");
    let keep: Arc<lambda_invoke_map::Keep> = Arc::new(|finished| match finished.index {
        1 => Ok(vec![b'x'; MAX_DATA + 1].into()),
        _ => Ok(finished.line()),
    });
    let run = service.map().concurrency(1).journal(open(&file));
    let (events, error) = all(run.keep(keep).run(iter(items(3)))).await;
    assert_eq!(events[&1].line().len(), MAX_DATA + 1);
    let Some(RunError::Journal(JournalError::TooLong(found))) = error else {
        panic!("{error:?}");
    };
    assert_eq!((found.index, found.bytes), (1, MAX_DATA + 1));
    let before = service.executions.get();
    let run = service.map().journal(reopened(&file)).run(iter(items(3)));
    let (events, error) = all(run).await;
    assert!(error.is_none());
    assert_eq!(events[&0].settled(), Settled::Done);
    assert_eq!(events[&1].settled(), Settled::Unknown);
    assert_eq!(events[&2].settled(), Settled::Done);
    let ran = more(&service.executions, &before, 3);
    assert_eq!(ran[..2], [0, 0], "{ran:?}");
}
