//! The most recent calls, as they happen, for the console.
//!
//! Its memory is bounded by a number of calls, and a number of bytes per call.

mod entry;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::watch;

pub(crate) use self::entry::Entry;

/// How many calls are kept.
const CALLS: usize = 50;

/// The most recent calls of an endpoint.
#[derive(Debug)]
pub(crate) struct Journal {
    entries: Mutex<VecDeque<Arc<Entry>>>,
    /// The number of calls so far.
    calls: AtomicU64,
    /// The number of changes so far, of all entries.
    changes: watch::Sender<u64>,
}

/// What is known about a call when it starts.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Start {
    pub(crate) id: String,
    pub(crate) function: String,
    /// How it was called: an operation, `Event` or `URL`.
    pub(crate) via: &'static str,
    /// In milliseconds since 1970.
    pub(crate) time: u64,
}

impl Journal {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            entries: Mutex::default(),
            calls: AtomicU64::new(0),
            changes: watch::Sender::new(0),
        })
    }

    /// Adds a call that starts now, in place of the oldest if there are too many.
    pub(crate) fn begin(&self, start: Start, payload: &Bytes) -> Arc<Entry> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let entry = Arc::new(Entry::new(number, start, payload, self.changes.clone()));
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= CALLS {
            entries.pop_front();
        }
        entries.push_back(Arc::clone(&entry));
        entry.touch();
        entry
    }

    /// Records a line of a call's log, if the call is among the last ones.
    pub(crate) fn log(&self, id: &str, line: &str) {
        let entry = {
            let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            // The latest calls are checked first, since those are the running ones.
            entries.iter().rev().find(|entry| entry.is_of(id)).cloned()
        };
        if let Some(entry) = entry {
            entry.log(line);
        }
    }

    /// Returns the calls that have changed after this number of changes, as lines of JSON, and the
    /// number of changes that they include.
    pub(crate) fn since(&self, changes: u64) -> (Vec<u8>, u64) {
        // Read first, so that a change during the loop is sent again rather than lost.
        let now = *self.changes.borrow();
        let entries: Vec<_> = {
            let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            entries.iter().cloned().collect()
        };
        let mut lines = Vec::new();
        for entry in entries {
            entry.write_if_changed(changes, &mut lines);
        }
        (lines, now)
    }

    /// Waits until there are more changes than this.
    pub(crate) async fn changed(&self, changes: u64) {
        let mut receiver = self.changes.subscribe();
        // The sender lives as long as this journal.
        let _ = receiver.wait_for(|now| *now > changes).await;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn start(id: usize) -> Start {
        Start {
            id: id.to_string(),
            function: "f".to_owned(),
            via: "URL",
            time: 0,
        }
    }

    fn lines(bytes: &[u8]) -> Vec<Value> {
        bytes
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }

    #[tokio::test]
    async fn reports_only_what_has_changed() {
        let journal = Journal::new();
        let one = journal.begin(start(1), &Bytes::from("{}"));
        let two = journal.begin(start(2), &Bytes::from("{}"));
        let (all, changes) = journal.since(0);
        assert_eq!(lines(&all).len(), 2);
        assert_eq!(journal.since(changes).0, b"");
        one.chunk(&Bytes::from("hello"));
        one.log("a line");
        journal.changed(changes).await;
        let (changed, changes) = journal.since(changes);
        let changed = lines(&changed);
        assert_eq!(changed.len(), 1);
        assert_eq!(changed[0]["id"], "1");
        assert_eq!(changed[0]["chunks"][0]["bytes"], 5);
        assert_eq!(changed[0]["output"], "hello");
        assert_eq!(changed[0]["log"], "a line\n");
        assert_eq!(changed[0]["end"], Value::Null);
        two.end(Some("E: failed".to_owned()));
        let changed = lines(&journal.since(changes).0);
        assert_eq!(changed[0]["end"]["error"], "E: failed");
    }

    #[test]
    fn two_attempts_of_an_event_are_two_calls() {
        let journal = Journal::new();
        for _ in 0..2 {
            journal.begin(start(1), &Bytes::new());
        }
        let all = lines(&journal.since(0).0);
        assert_eq!((&all[0]["id"], &all[1]["id"]), (&"1".into(), &"1".into()));
        assert_eq!(
            (&all[0]["number"], &all[1]["number"]),
            (&0.into(), &1.into())
        );
    }

    #[test]
    fn a_text_is_partial_once_a_byte_of_it_is_not_kept() {
        let journal = Journal::new();
        for more in [false, true] {
            let text = |bytes: usize| "é".repeat(bytes / 2) + if more { "." } else { "" };
            let entry = journal.begin(start(more.into()), &Bytes::from(text(8 * 1024)));
            entry.chunk(&Bytes::from(text(32 * 1024)));
            // With its line end.
            entry.log(&"x".repeat(16 * 1024 - 1 + usize::from(more)));
            let all = lines(&journal.since(0).0);
            let partial = &all[usize::from(more)]["partial"];
            let expected = serde_json::json!({"payload": more, "output": more, "log": more});
            assert_eq!(partial, &expected);
        }
    }

    #[test]
    fn keeps_a_bounded_number_of_calls_and_of_bytes() {
        let journal = Journal::new();
        for id in 0..CALLS + 10 {
            let entry = journal.begin(start(id), &Bytes::from(vec![b' '; 1 << 20]));
            for _ in 0..2_000 {
                entry.chunk(&Bytes::from(vec![b'\xff'; 100]));
                entry.log("x".repeat(100).as_str());
            }
        }
        let (all, _) = journal.since(0);
        let all = lines(&all);
        assert_eq!(all.len(), CALLS);
        assert_eq!(all[0]["id"], "10");
        assert_eq!(all[0]["bytes"], 200_000);
        assert_eq!(all[0]["count"], 2_000);
        let partial = serde_json::json!({"payload": true, "output": true, "log": true});
        for call in &all {
            assert_eq!(call["partial"], partial);
            assert!(serde_json::to_vec(call).unwrap().len() < 300_000);
        }
    }
}
