//! What is known about each item, without I/O.
//!
//! Eight bytes an item, in pages of 4,096 items: three bits for the status, 29 for the checksum of the
//! payload, and 32 for the position of the result in the journal.

use std::fmt;

use crate::counted::counted;
use crate::journal::{Event, Kind, Settled, SourceId};

/// How many items a page has.
const PAGE: usize = 4_096;

/// What is known about an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "these are the states of an item")]
pub enum Status {
    /// It was never sent.
    Pending,
    /// It was sent, and no result was recorded: it is running, or the process ended before the
    /// result arrived.
    Sent,
    /// It ended.
    Settled(Settled),
}

/// Which items are sent again, in addition to those that certainly did not run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rerun {
    /// Those whose function ran and failed.
    pub failed: bool,
    /// Those that may have run.
    pub unknown: bool,
}

impl Rerun {
    /// Also sends items whose function ran and failed.
    #[must_use]
    pub fn failed(mut self, yes: bool) -> Self {
        self.failed = yes;
        self
    }

    /// Also sends items that may have run.
    #[must_use]
    pub fn unknown(mut self, yes: bool) -> Self {
        self.unknown = yes;
        self
    }

    /// Returns whether an item with this status is sent. An item that is done never is.
    #[must_use]
    pub const fn sends(self, status: Status) -> bool {
        match status {
            Status::Pending | Status::Settled(Settled::NotStarted) => true,
            Status::Settled(Settled::Done) => false,
            Status::Settled(Settled::Started) => self.failed,
            Status::Sent | Status::Settled(Settled::Unknown) => self.unknown,
        }
    }
}

/// How many items have each status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Sent, without a result.
    pub sent: u64,
    /// See [`Settled::Done`].
    pub done: u64,
    /// See [`Settled::NotStarted`].
    pub not_started: u64,
    /// See [`Settled::Started`].
    pub started: u64,
    /// See [`Settled::Unknown`].
    pub unknown: u64,
}

impl Counts {
    fn of(&mut self, status: Status) -> Option<&mut u64> {
        match status {
            Status::Pending => None,
            Status::Sent => Some(&mut self.sent),
            Status::Settled(Settled::Done) => Some(&mut self.done),
            Status::Settled(Settled::NotStarted) => Some(&mut self.not_started),
            Status::Settled(Settled::Started) => Some(&mut self.started),
            Status::Settled(Settled::Unknown) => Some(&mut self.unknown),
        }
    }
}

/// Why a record or an item contradicts what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateError {
    /// An item was recorded although earlier items were not.
    OutOfOrder {
        /// The item.
        index: u64,
        /// The first that was never recorded.
        expected: u64,
    },
    /// An item was recorded again after it was done.
    AfterDone {
        /// The item.
        index: u64,
    },
    /// A result was recorded for an item that had not been sent.
    NotSent {
        /// The item.
        index: u64,
    },
    /// An item has a different payload than when it was recorded.
    OtherPayload {
        /// The item.
        index: u64,
    },
    /// The source has a different number of items than when it was recorded.
    OtherCount {
        /// The journal's number.
        was: u64,
        /// The present number, or a lower bound of it.
        is: u64,
    },
    /// The journal is longer than 64 GiB.
    Full,
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfOrder { index, expected } => write!(
                f,
                "the journal has a record of item {index}, but none of item {expected} before it"
            ),
            Self::AfterDone { index } => {
                write!(
                    f,
                    "the journal has a record of item {index} after it was done"
                )
            }
            Self::NotSent { index } => write!(
                f,
                "the journal has a result of item {index}, which had not been sent"
            ),
            Self::OtherPayload { index } => write!(
                f,
                "item {index} has another payload than the one that is in the journal"
            ),
            Self::OtherCount { was, is } => {
                let verb = if *is == 1 { "is" } else { "are" };
                let was = counted(*was, "item");
                write!(f, "the journal belongs to {was}, and there {verb} {is}")
            }
            Self::Full => f.write_str("the journal has reached 64 GiB"),
        }
    }
}

impl std::error::Error for StateError {}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// The status in the highest three bits, the checksum below.
    word: u32,
    /// The position of the result; 0 if there is none.
    slot: u32,
}

const CHECK_BITS: u32 = 29;

impl Entry {
    fn status(self) -> Status {
        match self.word >> CHECK_BITS {
            0 => Status::Pending,
            1 => Status::Sent,
            2 => Status::Settled(Settled::Done),
            3 => Status::Settled(Settled::NotStarted),
            4 => Status::Settled(Settled::Started),
            _ => Status::Settled(Settled::Unknown),
        }
    }

    fn check(self) -> u32 {
        self.word & ((1 << CHECK_BITS) - 1)
    }

    fn set(&mut self, status: Status, check: u32, slot: u32) {
        let code = match status {
            Status::Pending => 0,
            Status::Sent => 1,
            Status::Settled(Settled::Done) => 2,
            Status::Settled(Settled::NotStarted) => 3,
            Status::Settled(Settled::Started) => 4,
            Status::Settled(Settled::Unknown) => 5,
        };
        self.word = code << CHECK_BITS | check & ((1 << CHECK_BITS) - 1);
        self.slot = slot;
    }
}

/// What is known about all items.
///
/// # Example
///
/// ```
/// use lambda_invoke_map::journal::Settled;
/// use lambda_invoke_map::{Rerun, State, Status};
///
/// let mut state = State::default();
/// state.sent(0, 0x5eed)?;
/// assert_eq!(state.status(0), Status::Sent);
/// assert!(!state.is_to_be_sent(0, 0x5eed, Rerun::default())?);
/// state.settled(0, Settled::NotStarted, 12)?;
/// assert!(state.is_to_be_sent(0, 0x5eed, Rerun::default())?);
/// # Ok::<(), lambda_invoke_map::StateError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct State {
    pages: Vec<Box<[Entry]>>,
    /// One more than the largest index with a record.
    next: u64,
    counts: Counts,
    /// The number of items, if a source was read to its end.
    total: Option<u64>,
    /// How many records may be missing: those that this scan or earlier ones found destroyed.
    lost: u64,
    voids: u64,
}

impl State {
    /// Applies a record that was read.
    ///
    /// # Errors
    ///
    /// If it contradicts those before it.
    pub fn read(&mut self, event: &Event) -> Result<(), StateError> {
        let found = event.found;
        if found.kind == Kind::Void {
            self.voids += 1;
        }
        self.lost = event.lost + self.voids;
        match found.kind {
            Kind::Sent => self.sent(found.number, found.check),
            Kind::End => self.ended(found.number),
            kind => match kind.settled() {
                Some(settled) => self.settled(found.number, settled, event.slot),
                None => Ok(()),
            },
        }
    }

    /// Records that an item is about to be sent.
    ///
    /// # Errors
    ///
    /// If it is done, has another payload than before, or is not the next one.
    pub fn sent(&mut self, index: u64, check: u32) -> Result<(), StateError> {
        let entry = self.entry(index)?;
        match entry.status() {
            Status::Settled(Settled::Done) => return Err(StateError::AfterDone { index }),
            Status::Pending => {}
            _ if entry.check() != check & ((1 << CHECK_BITS) - 1) => {
                return Err(StateError::OtherPayload { index });
            }
            _ => {}
        }
        self.set(index, Status::Sent, check, 0);
        Ok(())
    }

    /// Records a result, whose record is at this position of the journal.
    ///
    /// # Errors
    ///
    /// If the item is done, or was not sent.
    pub fn settled(&mut self, index: u64, settled: Settled, slot: u64) -> Result<(), StateError> {
        let slot = u32::try_from(slot).map_err(|_| StateError::Full)?;
        let lost = self.lost;
        let entry = self.entry(index)?;
        match entry.status() {
            Status::Sent => {}
            Status::Settled(Settled::Done) => return Err(StateError::AfterDone { index }),
            _ if lost > 0 => {}
            _ => return Err(StateError::NotSent { index }),
        }
        let check = entry.check();
        self.set(index, Status::Settled(settled), check, slot);
        Ok(())
    }

    /// Records that the source ended after this many items.
    ///
    /// # Errors
    ///
    /// If it had another number of items before, or fewer than there are records of.
    pub fn ended(&mut self, count: u64) -> Result<(), StateError> {
        let was = self.total.unwrap_or(self.next);
        if count < self.next || self.total.is_some_and(|total| total != count) {
            return Err(StateError::OtherCount { was, is: count });
        }
        self.total = Some(count);
        Ok(())
    }

    /// Sets the number of items from the journal's header.
    pub(crate) fn expect(&mut self, source: Option<SourceId>) -> Result<(), StateError> {
        source.map_or(Ok(()), |source| self.ended(source.items))
    }

    /// Returns the number of items, if a source was read to its end.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// Returns whether an item has to be sent.
    ///
    /// # Errors
    ///
    /// If it has a different payload than the recorded one, or does not belong to the recorded
    /// source.
    pub fn is_to_be_sent(&self, index: u64, check: u32, rerun: Rerun) -> Result<bool, StateError> {
        if let Some(was) = self.total.filter(|total| index >= *total) {
            return Err(StateError::OtherCount { was, is: index + 1 });
        }
        let Some(entry) = self.get(index) else {
            return Ok(true);
        };
        let status = entry.status();
        // Without a record that it was sent, nothing is known about the payload.
        let is_known = status != Status::Pending && !(self.lost > 0 && entry.check() == 0);
        if is_known && entry.check() != check & ((1 << CHECK_BITS) - 1) {
            return Err(StateError::OtherPayload { index });
        }
        Ok(rerun.sends(status))
    }

    /// Returns what is known about an item.
    #[must_use]
    pub fn status(&self, index: u64) -> Status {
        self.get(index).map_or(Status::Pending, Entry::status)
    }

    /// Returns the position of an item's result in the journal.
    #[must_use]
    pub fn slot(&self, index: u64) -> Option<u64> {
        let slot = self.get(index)?.slot;
        (slot > 0).then_some(u64::from(slot))
    }

    /// Returns how many items have each status.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Returns one more than the largest index with a record.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.next
    }

    /// Returns whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.next == 0
    }

    fn get(&self, index: u64) -> Option<Entry> {
        let index = usize::try_from(index).ok()?;
        let page = self.pages.get(index / PAGE)?;
        page.get(index % PAGE).copied()
    }

    /// The entry of an item, which must be one of the recorded ones or the next. Memory therefore
    /// grows only with the number of records.
    fn entry(&self, index: u64) -> Result<Entry, StateError> {
        if index > self.next.saturating_add(self.lost) {
            return Err(StateError::OutOfOrder {
                index,
                expected: self.next,
            });
        }
        Ok(self.get(index).unwrap_or_default())
    }

    fn set(&mut self, index: u64, status: Status, check: u32, slot: u32) {
        let Ok(at) = usize::try_from(index) else {
            return;
        };
        while self.pages.len() <= at / PAGE {
            self.pages.push(vec![Entry::default(); PAGE].into());
        }
        let entry = self
            .pages
            .get_mut(at / PAGE)
            .and_then(|page| page.get_mut(at % PAGE));
        let Some(entry) = entry else { return };
        let before = entry.status();
        entry.set(status, check, slot);
        self.next = self.next.max(index + 1);
        if let Some(count) = self.counts.of(before) {
            *count = count.saturating_sub(1);
        }
        if let Some(count) = self.counts.of(status) {
            *count += 1;
        }
    }
}
