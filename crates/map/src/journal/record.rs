//! Records: encoded, and decoded one by one.

use std::fmt;

use crc32fast::Hasher;

/// The length of a record without data, and the unit of positions, in bytes.
pub const SLOT: usize = 16;

/// The largest index of an item.
pub const MAX_INDEX: u64 = (1 << 48) - 1;

/// The maximum length of a result's data, in bytes.
pub const MAX_DATA: usize = 64 << 20;

/// How an item ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "an item ends in one of these ways")]
pub enum Settled {
    /// The function ran and succeeded.
    Done,
    /// The item failed, and the function certainly did not run.
    NotStarted,
    /// The item failed, and the function ran.
    Started,
    /// The item failed, and the function may have run.
    Unknown,
}

impl Settled {
    /// Returns the outcome as it is written in results: `done`, `failed` or `unknown`.
    #[must_use]
    pub const fn outcome(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotStarted | Self::Started => "failed",
            Self::Unknown => "unknown",
        }
    }

    const fn kind(self) -> Kind {
        match self {
            Self::Done => Kind::Done,
            Self::NotStarted => Kind::NotStarted,
            Self::Started => Kind::Started,
            Self::Unknown => Kind::Unknown,
        }
    }
}

/// The kinds of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The item is about to be sent.
    Sent,
    /// The item ended: see [`Settled`]. The data is the result's line.
    Done,
    /// See [`Settled::NotStarted`].
    NotStarted,
    /// See [`Settled::Started`].
    Started,
    /// See [`Settled::Unknown`].
    Unknown,
    /// All records before a position are on the disk.
    Synced,
    /// The source ended after this many items.
    End,
    /// Nothing: the place of a record that a power failure destroyed.
    Void,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Sent,
        Self::Done,
        Self::NotStarted,
        Self::Started,
        Self::Unknown,
        Self::Synced,
        Self::End,
        Self::Void,
    ];

    /// Codes begin at 1, because a power failure leaves zeros.
    const fn code(self) -> u8 {
        self as u8 + 1
    }

    fn of(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Returns how the item ended, if this is the record of a result.
    #[must_use]
    pub const fn settled(self) -> Option<Settled> {
        match self {
            Self::Done => Some(Settled::Done),
            Self::NotStarted => Some(Settled::NotStarted),
            Self::Started => Some(Settled::Started),
            Self::Unknown => Some(Settled::Unknown),
            _ => None,
        }
    }
}

/// A record to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Record<'d> {
    /// An item is about to be sent.
    Sent {
        /// Which item, from 0.
        index: u64,
        /// The checksum of its payload: see [`check_of`](super::check_of).
        check: u32,
    },
    /// An item ended.
    Result {
        /// Which item, from 0.
        index: u64,
        /// How.
        settled: Settled,
        /// The data to report again when the journal is used again; at most [`MAX_DATA`] bytes.
        data: &'d [u8],
    },
    /// All records before a position are on the disk.
    Synced {
        /// The position, in slots.
        slot: u64,
    },
    /// The source ended.
    End {
        /// How many items it has.
        count: u64,
    },
    /// Nothing.
    Void,
}

/// The data of a result is longer than [`MAX_DATA`], so it could not be read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TooLong {
    /// The item.
    pub index: u64,
    /// The length of the data.
    pub bytes: usize,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, bytes } = self;
        write!(
            f,
            "the result of item {index} takes {bytes} bytes; a journal can hold results of up to {} MiB",
            MAX_DATA >> 20
        )
    }
}

impl std::error::Error for TooLong {}

impl Record<'_> {
    /// Checks that the record can be read once it is written.
    ///
    /// # Errors
    ///
    /// If its data is longer than [`MAX_DATA`].
    pub fn check(&self) -> Result<(), TooLong> {
        match *self {
            Self::Result { index, data, .. } if data.len() > MAX_DATA => Err(TooLong {
                index,
                bytes: data.len(),
            }),
            _ => Ok(()),
        }
    }

    /// Appends the record to a buffer, for this position of the journal with this seed, and returns
    /// the position of the next record.
    ///
    /// # Errors
    ///
    /// Those of [`check`](Self::check). Nothing is appended then.
    pub fn encode(&self, seed: u32, slot: u64, out: &mut Vec<u8>) -> Result<u64, TooLong> {
        self.check()?;
        let (kind, number, word, data): (_, _, _, &[u8]) = match *self {
            Self::Sent { index, check } => (Kind::Sent, index, check, &[]),
            Self::Result {
                index,
                settled,
                data,
            } => (settled.kind(), index, data.len() as u32, data),
            Self::Synced { slot } => (Kind::Synced, slot, 0, &[]),
            Self::End { count } => (Kind::End, count, 0, &[]),
            Self::Void => (Kind::Void, 0, 0, &[]),
        };
        let mut head = [0; SLOT - 4];
        head[0] = kind.code();
        head[2..8].copy_from_slice(&number.min(MAX_INDEX).to_le_bytes()[..6]);
        head[8..].copy_from_slice(&word.to_le_bytes());
        out.extend_from_slice(&head);
        out.extend_from_slice(&head_sum(seed, slot, &head).to_le_bytes());
        if !data.is_empty() {
            let start = out.len();
            out.extend_from_slice(data);
            out.resize(start + area_of(data.len()) - 4, 0);
            let sum = data_sum(seed, slot, &out[start..]);
            out.extend_from_slice(&sum.to_le_bytes());
        }
        Ok(slot + slots_of(data.len()))
    }
}

/// A record that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// The kind of the record.
    pub kind: Kind,
    /// The index of the item, a position, or a count.
    pub number: u64,
    /// The checksum of the payload, for [`Kind::Sent`].
    pub check: u32,
    /// The length of the data that follows, in bytes.
    pub data: usize,
}

impl Found {
    /// Returns how many slots the record takes.
    #[must_use]
    pub fn slots(&self) -> u64 {
        slots_of(self.data)
    }
}

/// Decodes the first 16 bytes of a record at a position; `None` if they are not a record.
#[must_use]
pub fn decode_head(seed: u32, slot: u64, bytes: &[u8; SLOT]) -> Option<Found> {
    let (head, sum) = bytes.split_first_chunk()?;
    let [code, zero, n0, n1, n2, n3, n4, n5, w0, w1, w2, w3] = *head;
    if *sum != head_sum(seed, slot, head).to_le_bytes() || zero != 0 {
        return None;
    }
    let kind = Kind::of(code)?;
    let number = u64::from_le_bytes([n0, n1, n2, n3, n4, n5, 0, 0]);
    let word = u32::from_le_bytes([w0, w1, w2, w3]);
    let data = match kind.settled() {
        Some(_) => word as usize,
        None => 0,
    };
    (data <= MAX_DATA).then_some(Found {
        kind,
        number,
        check: if kind == Kind::Sent { word } else { 0 },
        data,
    })
}

/// Returns the data of a result from the bytes that follow its first 16; `None` if the checksum is
/// wrong or bytes are missing.
#[must_use]
pub fn data_of<'b>(seed: u32, slot: u64, found: &Found, area: &'b [u8]) -> Option<&'b [u8]> {
    if found.data == 0 {
        return Some(&[]);
    }
    let area = area.get(..area_of(found.data))?;
    let (content, sum) = area.split_last_chunk::<4>()?;
    (u32::from_le_bytes(*sum) == data_sum(seed, slot, content)).then(|| &content[..found.data])
}

/// The number of bytes that data takes, with padding and checksum.
pub(super) const fn area_of(data: usize) -> usize {
    match data {
        0 => 0,
        data => (data + 4).next_multiple_of(SLOT),
    }
}

const fn slots_of(data: usize) -> u64 {
    1 + (area_of(data) / SLOT) as u64
}

/// What every checksum begins with, so that a record is valid only in its journal and its place.
fn place(seed: u32, slot: u64) -> [u8; 12] {
    let mut place = [0; 12];
    place[..4].copy_from_slice(&seed.to_le_bytes());
    place[4..].copy_from_slice(&slot.to_le_bytes());
    place
}

/// The checksum of a record without its data, in one pass: three short ones take twice as long.
fn head_sum(seed: u32, slot: u64, head: &[u8; SLOT - 4]) -> u32 {
    let mut bytes = [0; 24];
    bytes[..12].copy_from_slice(&place(seed, slot));
    bytes[12..].copy_from_slice(head);
    crc32fast::hash(&bytes)
}

/// The beginning of the checksum of a record's data.
pub(super) fn hasher(seed: u32, slot: u64) -> Hasher {
    let mut hasher = Hasher::new();
    hasher.update(&place(seed, slot));
    hasher
}

fn data_sum(seed: u32, slot: u64, data: &[u8]) -> u32 {
    let mut hasher = hasher(seed, slot);
    hasher.update(data);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_unchanged_and_only_at_their_own_position() {
        for settled in [
            Settled::Done,
            Settled::NotStarted,
            Settled::Started,
            Settled::Unknown,
        ] {
            for length in [0, 1, 11, 12, 13, 28, 29, 1_000] {
                let data = vec![7; length];
                let record = Record::Result {
                    index: 5,
                    settled,
                    data: &data,
                };
                let mut bytes = Vec::new();
                let next = record.encode(9, 3, &mut bytes).unwrap();
                assert_eq!(bytes.len(), (next - 3) as usize * SLOT);
                let (head, area) = bytes.split_first_chunk().unwrap();
                let found = decode_head(9, 3, head).unwrap();
                assert_eq!(found.kind.settled(), Some(settled));
                assert_eq!((found.number, found.data), (5, length));
                assert_eq!(found.slots(), next - 3);
                assert_eq!(data_of(9, 3, &found, area), Some(&data[..]));
                assert_eq!(decode_head(9, 4, head), None);
                assert_eq!(decode_head(8, 3, head), None);
            }
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let data = vec![7; MAX_DATA + 1];
        let record = |data| Record::Result {
            index: 5,
            settled: Settled::Done,
            data,
        };
        let mut bytes = Vec::new();
        record(&data[1..]).encode(9, 3, &mut bytes).unwrap();
        let found = decode_head(9, 3, bytes.first_chunk().unwrap()).unwrap();
        assert_eq!(found.data, MAX_DATA);
        bytes.clear();
        let error = record(&data).encode(9, 3, &mut bytes).unwrap_err();
        let (index, length) = (error.index, error.bytes);
        assert_eq!((index, length, bytes.len()), (5, MAX_DATA + 1, 0));
    }

    #[test]
    fn zeros_are_no_record() {
        assert_eq!(decode_head(0, 0, &[0; SLOT]), None);
    }
}
