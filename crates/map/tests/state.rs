//! The state of items compared with a naive implementation, and journals that are truncated or
//! changed at random.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;

use lambda_invoke_map::journal::{Record, SLOT, ScanError, Scanner, Settled};
use lambda_invoke_map::{Rerun, State, StateError, Status};
use proptest::collection::vec;
use proptest::prelude::*;

const SEED: u32 = 0xdead_beef;

#[derive(Clone, Copy, Debug)]
enum Step {
    Sent(u64, u32),
    Settled(u64, Settled),
}

fn settled() -> impl Strategy<Value = Settled> {
    prop_oneof![
        Just(Settled::Done),
        Just(Settled::NotStarted),
        Just(Settled::Started),
        Just(Settled::Unknown),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..12u64, 0..3u32).prop_map(|(index, check)| Step::Sent(index, check)),
        (0..12u64, settled()).prop_map(|(index, settled)| Step::Settled(index, settled)),
    ]
}

/// The state after the records, kept in the simplest way.
#[derive(Clone, Debug, Default, PartialEq)]
struct Naive(BTreeMap<u64, (u32, Status)>);

impl Naive {
    /// Applies a step if it is possible in the current state.
    fn apply(&mut self, step: Step) -> bool {
        match step {
            Step::Sent(index, check) => {
                let next = self.0.len() as u64;
                match self.0.get(&index) {
                    Some((_, Status::Settled(Settled::Done))) => return false,
                    Some((was, _)) if *was != check => return false,
                    None if index > next => return false,
                    _ => {}
                }
                self.0.insert(index, (check, Status::Sent));
            }
            Step::Settled(index, settled) => match self.0.get_mut(&index) {
                Some((_, status)) if *status == Status::Sent => *status = Status::Settled(settled),
                _ => return false,
            },
        }
        true
    }

    fn status(&self, index: u64) -> Status {
        self.0
            .get(&index)
            .map_or(Status::Pending, |(_, status)| *status)
    }
}

fn apply(state: &mut State, step: Step, slot: u64) -> Result<(), StateError> {
    match step {
        Step::Sent(index, check) => state.sent(index, check),
        Step::Settled(index, settled) => state.settled(index, settled, slot),
    }
}

fn encode(step: Step, slot: u64, out: &mut Vec<u8>) -> u64 {
    let data = format!("a line of {slot}");
    let record = match step {
        Step::Sent(index, check) => Record::Sent { index, check },
        Step::Settled(index, settled) => Record::Result {
            index,
            settled,
            data: data.as_bytes(),
        },
    };
    record.encode(SEED, slot, out).unwrap()
}

/// The state that the records of a journal lead to.
fn read(bytes: &[u8]) -> Result<State, ScanError> {
    let mut state = State::default();
    let mut scanner = Scanner::new(SEED, 1);
    scanner.feed(bytes, |event| {
        // Where records were lost, a result without a record of its sending is valid.
        state
            .read(&event)
            .map_err(|_| ScanError::Damaged { offset: 0 })
    })?;
    Ok(state)
}

proptest! {
    #[test]
    fn agrees_with_the_naive_state(steps in vec(step(), 0..200), rerun in any::<[bool; 2]>()) {
        let mut naive = Naive::default();
        let mut state = State::default();
        for (slot, step) in steps.into_iter().enumerate() {
            let is_possible = naive.apply(step);
            prop_assert_eq!(apply(&mut state, step, slot as u64 + 1).is_ok(), is_possible);
            for index in 0..13 {
                prop_assert_eq!(state.status(index), naive.status(index));
            }
        }
        let count = |status| naive.0.values().filter(|(_, each)| *each == status).count() as u64;
        let counts = state.counts();
        prop_assert_eq!(state.len(), naive.0.len() as u64);
        prop_assert_eq!(counts.sent, count(Status::Sent));
        prop_assert_eq!(counts.done, count(Status::Settled(Settled::Done)));
        prop_assert_eq!(counts.unknown, count(Status::Settled(Settled::Unknown)));
        let rerun = Rerun::default().failed(rerun[0]).unknown(rerun[1]);
        for (index, (check, status)) in &naive.0 {
            let sends = match status {
                Status::Pending | Status::Settled(Settled::NotStarted) => true,
                Status::Settled(Settled::Done) => false,
                Status::Settled(Settled::Started) => rerun.failed,
                Status::Sent | Status::Settled(Settled::Unknown) => rerun.unknown,
            };
            prop_assert_eq!(state.is_to_be_sent(*index, *check, rerun), Ok(sends));
            let other = StateError::OtherPayload { index: *index };
            prop_assert_eq!(state.is_to_be_sent(*index, check + 1, rerun), Err(other));
        }
    }

    #[test]
    fn a_truncated_journal_is_that_of_an_earlier_moment(
        steps in vec(step(), 1..60),
        cut in any::<prop::sample::Index>(),
    ) {
        let (mut naive, mut slot, mut bytes) = (Naive::default(), 1, Vec::new());
        let mut moments = vec![(0, naive.clone())];
        for step in steps {
            if naive.apply(step) {
                slot = encode(step, slot, &mut bytes);
                moments.push((bytes.len(), naive.clone()));
            }
        }
        let end = cut.index(bytes.len() + 1);
        let (_, naive) = moments.iter().rfind(|(at, _)| *at <= end).unwrap();
        let state = read(&bytes[..end]).unwrap();
        for index in 0..13 {
            prop_assert_eq!(state.status(index), naive.status(index));
        }
    }

    #[test]
    fn a_changed_journal_never_reports_an_item_as_done_that_is_not(
        steps in vec(step(), 1..60),
        at in any::<prop::sample::Index>(),
        length in 1..40usize,
        value in prop::option::of(any::<u8>()),
    ) {
        let (mut naive, mut slot, mut bytes) = (Naive::default(), 1, Vec::new());
        for step in steps {
            if naive.apply(step) {
                slot = encode(step, slot, &mut bytes);
            }
        }
        prop_assume!(!bytes.is_empty());
        let at = at.index(bytes.len());
        let end = (at + length * SLOT / 4).min(bytes.len());
        bytes[at..end].fill(value.unwrap_or_default());
        if let Ok(state) = read(&bytes) {
            for index in 0..13 {
                if state.status(index) == Status::Settled(Settled::Done) {
                    prop_assert_eq!(naive.status(index), Status::Settled(Settled::Done));
                }
            }
        }
    }
}
