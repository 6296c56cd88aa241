//! When calls ran, to distinguish files that a function writes from those that its developer
//! writes.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// How many calls are remembered.
const MOST: usize = 128;

/// How many files are remembered with their changes.
const MOST_FILES: usize = 1_000;

/// How much earlier than the write a file's modification time may be: Linux uses the time of its last
/// tick, 1 to 10 ms before.
const TICK: Duration = Duration::from_millis(10);

/// The times of the most recent calls, and of the last changes.
#[derive(Debug, Default)]
pub(in crate::commands::serve) struct Calls(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The start and the end of each call.
    calls: VecDeque<(SystemTime, SystemTime)>,
    /// The times of the last changes of each file, the oldest first.
    changes: HashMap<PathBuf, VecDeque<SystemTime>>,
}

impl Calls {
    /// A file that changed this often in a row, each time during a different call, counts as
    /// written by calls.
    pub(super) const OFTEN: usize = 5;

    /// Records a call that has ended.
    pub(in crate::commands::serve) fn ended(&self, begin: SystemTime, end: SystemTime) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.calls.len() >= MOST {
            state.calls.pop_front();
        }
        state.calls.push_back((begin, end));
    }

    /// Whether a call that has since ended was running at this time.
    pub(super) fn was_running(&self, time: SystemTime) -> bool {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.during(time).is_some()
    }

    /// Records a change, and returns whether calls write the file.
    pub(super) fn writes(&self, path: &Path, time: SystemTime) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.changes.len() >= MOST_FILES {
            state.changes.clear();
        }
        let times = state.changes.entry(path.to_owned()).or_default();
        // Functions that share a folder report the same change.
        if times.back() != Some(&time) {
            if times.len() >= Self::OFTEN {
                times.pop_front();
            }
            times.push_back(time);
        }
        let times: Vec<_> = times.iter().copied().collect();
        let during: Vec<_> = times.iter().map(|time| state.during(*time)).collect();
        let is_distinct = during.windows(2).all(|pair| pair.first() != pair.last());
        times.len() == Self::OFTEN && during.iter().all(Option::is_some) && is_distinct
    }
}

impl State {
    /// The start of the call that was running at this time.
    fn during(&self, time: SystemTime) -> Option<SystemTime> {
        let ran = |latest: SystemTime| {
            let mut calls = self.calls.iter();
            let found = calls.find(|(begin, end)| *begin <= latest && time <= *end);
            found.map(|(begin, _)| *begin)
        };
        ran(time).or_else(|| ran(time + TICK))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_be_stamped_with_a_tick_before_the_call() {
        let calls = Calls::default();
        let begin = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let milliseconds = Duration::from_millis;
        calls.ended(begin, begin + milliseconds(1));
        for time in [begin - milliseconds(4), begin, begin + milliseconds(1)] {
            assert!(calls.was_running(time), "{time:?}");
        }
        for time in [begin - milliseconds(40), begin + milliseconds(2)] {
            assert!(!calls.was_running(time), "{time:?}");
        }
        // At the boundary between two calls, it is the later one.
        let next = begin + milliseconds(6);
        calls.ended(next, next + milliseconds(1));
        let state = calls.0.lock().unwrap();
        assert_eq!(state.during(next - milliseconds(4)), Some(next));
    }
}
