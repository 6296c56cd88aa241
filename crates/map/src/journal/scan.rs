//! Reads a journal's records, however its bytes arrive.

use std::fmt;
use std::ops::Range;

use crc32fast::Hasher;

use super::record::{Found, Kind, SLOT, area_of, decode_head, hasher};

/// The maximum number of places that a power failure may have destroyed. In practice these are
/// adjacent.
const MAX_HOLES: usize = 4_096;

/// A record, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The position, in slots from the beginning of the file.
    pub slot: u64,
    /// The record. Its data has been checked.
    pub found: Found,
    /// How many slots before it were destroyed.
    pub lost: u64,
}

/// The state of the file after the last record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tail {
    /// The position of the next record, in slots. Everything in the file from there on is a torn
    /// tail, or zeros.
    pub end: u64,
    /// The places before the end that a power failure destroyed. They must be filled with
    /// [`Record::Void`](super::Record::Void) before anything is appended.
    pub holes: Vec<Range<u64>>,
}

/// Why a journal cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScanError {
    /// The bytes at a position are not a record, and a crash cannot have left them.
    Damaged {
        /// Where, in bytes from the beginning of the file.
        offset: u64,
    },
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Damaged { offset } = self;
        write!(f, "the journal is damaged at byte {offset}")
    }
}

impl std::error::Error for ScanError {}

/// Reads records.
///
/// It keeps at most 16 bytes of its input, however long the data of a record is.
#[derive(Clone, Debug)]
pub struct Scanner {
    seed: u32,
    /// The position of the slot that is being read.
    slot: u64,
    partial: [u8; SLOT],
    filled: usize,
    at: At,
    /// The end of the last record.
    end: u64,
    /// The first slot of the present hole.
    hole: Option<u64>,
    holes: Vec<Range<u64>>,
    /// The first slot of all holes.
    first_hole: Option<u64>,
    /// Slots that were destroyed so far.
    lost: u64,
    /// A slot that ends with zeros and is no record: only its beginning was written, if nothing but zeros
    /// follow.
    torn: Option<u64>,
}

#[derive(Clone, Debug)]
enum At {
    /// At the first slot of a record.
    Head,
    /// Within the data of a record that began at this slot.
    Data {
        start: u64,
        found: Found,
        left: usize,
        hasher: Box<Hasher>,
    },
}

impl Scanner {
    /// Starts at a position, in slots: after the header.
    #[must_use]
    pub fn new(seed: u32, slot: u64) -> Self {
        Self {
            seed,
            slot,
            partial: [0; SLOT],
            filled: 0,
            at: At::Head,
            end: slot,
            hole: None,
            holes: Vec::new(),
            first_hole: None,
            lost: 0,
            torn: None,
        }
    }

    /// Reads further bytes, and passes each complete record on.
    ///
    /// # Errors
    ///
    /// If the journal is damaged, or `on` returns an error.
    pub fn feed<E: From<ScanError>>(
        &mut self,
        mut bytes: &[u8],
        mut on: impl FnMut(Event) -> Result<(), E>,
    ) -> Result<(), E> {
        while !bytes.is_empty() {
            let taken = (SLOT - self.filled).min(bytes.len());
            let (now, rest) = bytes.split_at(taken);
            self.partial[self.filled..self.filled + taken].copy_from_slice(now);
            self.filled += taken;
            bytes = rest;
            if self.filled == SLOT {
                self.filled = 0;
                let event = self.slot_read()?;
                self.slot += 1;
                if let Some(event) = event {
                    on(event)?;
                }
            }
        }
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    ///
    /// If its last slot is damaged.
    pub fn finish(self) -> Result<Tail, ScanError> {
        match self.torn {
            Some(torn) if torn + 1 == self.slot => Err(self.damaged(torn)),
            _ => Ok(Tail {
                end: self.end,
                holes: self.holes,
            }),
        }
    }

    fn slot_read(&mut self) -> Result<Option<Event>, ScanError> {
        let slot = self.partial;
        if let Some(torn) = self.torn {
            return match slot == [0; SLOT] {
                true => Ok(None),
                false => Err(self.damaged(torn)),
            };
        }
        match &mut self.at {
            At::Head => match decode_head(self.seed, self.slot, &slot) {
                Some(found) if found.data == 0 => self.complete(self.slot, found).map(Some),
                Some(found) => {
                    self.at = At::Data {
                        start: self.slot,
                        found,
                        left: area_of(found.data),
                        hasher: Box::new(hasher(self.seed, self.slot)),
                    };
                    Ok(None)
                }
                // In a hole, garbage is data whose head is lost.
                None if self.hole.is_some() => Ok(None),
                None if slot == [0; SLOT] => {
                    self.lose(self.slot);
                    Ok(None)
                }
                None if slot.ends_with(&[0]) => {
                    self.torn = Some(self.slot);
                    Ok(None)
                }
                None => Err(self.damaged(self.slot)),
            },
            At::Data {
                start,
                found,
                left,
                hasher,
            } => {
                if *left > SLOT {
                    *left -= SLOT;
                    hasher.update(&slot);
                    return Ok(None);
                }
                let [content @ .., s0, s1, s2, s3] = &slot;
                hasher.update(content);
                let (start, found) = (*start, *found);
                let is_right =
                    hasher.clone().finalize() == u32::from_le_bytes([*s0, *s1, *s2, *s3]);
                self.at = At::Head;
                if is_right {
                    return self.complete(start, found).map(Some);
                }
                if self.hole.is_none() {
                    self.lose(start);
                }
                Ok(None)
            }
        }
    }

    fn lose(&mut self, slot: u64) {
        self.hole = Some(slot);
        self.first_hole.get_or_insert(slot);
    }

    fn complete(&mut self, start: u64, found: Found) -> Result<Event, ScanError> {
        if let Some(hole) = self.hole.take() {
            if self.holes.len() == MAX_HOLES {
                return Err(self.damaged(hole));
            }
            self.lost += start - hole;
            self.holes.push(hole..start);
        }
        if let (Kind::Synced, Some(first)) = (found.kind, self.first_hole) {
            if found.number > first {
                return Err(self.damaged(first));
            }
        }
        self.end = start + found.slots();
        Ok(Event {
            slot: start,
            found,
            lost: self.lost,
        })
    }

    fn damaged(&self, slot: u64) -> ScanError {
        ScanError::Damaged {
            offset: slot.saturating_mul(SLOT as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Record, Settled};
    use super::*;

    const SEED: u32 = 77;

    fn journal(records: &[Record<'_>]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut slot = 0;
        for record in records {
            slot = record.encode(SEED, slot, &mut out).unwrap();
        }
        out
    }

    fn sent(index: u64) -> Record<'static> {
        Record::Sent { index, check: 1 }
    }

    fn done(index: u64) -> Record<'static> {
        Record::Result {
            index,
            settled: Settled::Done,
            data: b"{\"a line\":\"that takes some slots\"}\n",
        }
    }

    /// The records by kind and number, in pieces of this size, and the tail.
    fn scan(bytes: &[u8], piece: usize) -> Result<(Vec<(Kind, u64)>, Tail), ScanError> {
        let mut scanner = Scanner::new(SEED, 0);
        let mut found = Vec::new();
        for piece in bytes.chunks(piece) {
            scanner.feed(piece, |event| {
                found.push((event.found.kind, event.found.number));
                Ok::<_, ScanError>(())
            })?;
        }
        Ok((found, scanner.finish()?))
    }

    #[test]
    fn every_truncation_leaves_the_records_before_it() {
        let records = [sent(0), sent(1), done(1), done(0), Record::End { count: 2 }];
        let bytes = journal(&records);
        let (all, _) = scan(&bytes, bytes.len()).unwrap();
        for end in 0..=bytes.len() {
            for piece in [1, 7, 16, 1_000] {
                let (found, tail) = scan(&bytes[..end], piece).unwrap();
                assert_eq!(found, all[..found.len()]);
                assert!(tail.end as usize * SLOT <= end && tail.holes.is_empty());
                let (more, _) = scan(&bytes[..tail.end as usize * SLOT], piece).unwrap();
                assert_eq!(found, more);
                // The zeros that the file was filled with follow.
                let mut filled = bytes[..end].to_vec();
                filled.resize(bytes.len() + 10 * SLOT, 0);
                assert_eq!(scan(&filled, piece).unwrap(), (found, tail), "{end}");
            }
        }
    }

    #[test]
    fn a_torn_record_is_damage_unless_only_zeros_follow() {
        let records = [sent(0), sent(1), sent(2)];
        for torn in 1..SLOT {
            let mut bytes = journal(&records);
            bytes[SLOT + torn..2 * SLOT].fill(0);
            let damaged = Err(ScanError::Damaged {
                offset: SLOT as u64,
            });
            assert_eq!(scan(&bytes, 16), damaged, "{torn}: a record follows");
            assert_eq!(
                scan(&bytes[..2 * SLOT], 16),
                damaged,
                "{torn}: nothing follows"
            );
            bytes[2 * SLOT..].fill(0);
            assert_eq!(scan(&bytes, 16).unwrap().1.end, 1, "{torn}");
            *bytes.last_mut().unwrap() = 1;
            assert_eq!(scan(&bytes, 16), damaged, "{torn}: something follows");
        }
    }

    #[test]
    fn every_flipped_bit_is_damage_or_costs_only_a_result() {
        let records = [sent(0), sent(1), done(1), done(0), sent(2)];
        let bytes = journal(&records);
        let (all, _) = scan(&bytes, 16).unwrap();
        let mut rejected = 0;
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                match scan(&changed, 16) {
                    Err(ScanError::Damaged { offset }) => {
                        assert!(offset as usize <= at && at < offset as usize + SLOT);
                        rejected += 1;
                    }
                    Ok((found, tail)) => {
                        assert_eq!(tail.holes.len(), 1);
                        let missing: Vec<_> =
                            all.iter().filter(|each| !found.contains(each)).collect();
                        assert!(matches!(missing[..], [(Kind::Done, _)]), "{missing:?}");
                    }
                }
            }
        }
        assert_eq!(rejected, 5 * SLOT * 8);
    }

    #[test]
    fn zeros_are_a_torn_tail_a_hole_or_damage_if_they_had_been_synced() {
        let mut bytes = journal(&[sent(0), sent(1), sent(2)]);
        bytes.extend([0; 3 * SLOT]);
        let (found, tail) = scan(&bytes, 16).unwrap();
        assert_eq!((found.len(), tail.end), (3, 3));

        bytes[SLOT..2 * SLOT].fill(0);
        let (found, tail) = scan(&bytes, 16).unwrap();
        assert_eq!((found.len(), tail.end), (2, 3));
        assert_eq!(tail.holes.len(), 1);
        assert_eq!(tail.holes[0], 1..2);

        for (slot, is_damage) in [(1, false), (2, true)] {
            let mut bytes = journal(&[sent(0), sent(1), sent(2), Record::Synced { slot }]);
            bytes[SLOT..2 * SLOT].fill(0);
            assert_eq!(scan(&bytes, 16).is_err(), is_damage);
        }
    }

    #[test]
    fn a_result_whose_head_is_lost_is_passed_over_with_its_data() {
        let mut bytes = journal(&[sent(0), done(0), sent(1)]);
        bytes[SLOT..2 * SLOT].fill(0);
        let (found, tail) = scan(&bytes, 16).unwrap();
        assert_eq!(found, [(Kind::Sent, 0), (Kind::Sent, 1)]);
        assert_eq!(tail.holes.len(), 1);
    }
}
