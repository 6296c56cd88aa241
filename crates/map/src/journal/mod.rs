//! The format of a journal, without I/O: a header, then records of 16 bytes.
//!
//! | bytes of a record | content |
//! |---|---|
//! | 0 | the kind |
//! | 1 | zero |
//! | 2 to 7 | the index of the item, or a position, little endian |
//! | 8 to 11 | the checksum of the payload, or the length of the data |
//! | 12 to 15 | a CRC-32 of the journal's seed, the position of the record, and the bytes before |
//!
//! A result is followed by its data, padded with zeros, with a CRC-32 in its last four bytes. Records
//! begin at multiples of 16 bytes, so none crosses a sector: after a power failure each is there or is
//! zero. The seed is random and the position is part of every checksum, so neither a record that was
//! moved nor data that looks like a record is taken for one.
//!
//! A [`Scanner`] distinguishes the traces of a crash from damage:
//!
//! - A record that is incomplete at the end of the file is a torn tail, and is dropped.
//! - Zeros, and data with a wrong checksum, remain after a power failure in the place of records
//!   that had not been synced. They are dropped too, unless a later [`Synced`](Record::Synced)
//!   record says that the records had been synced: then they are damage.
//! - Anything else is damage, and the journal is rejected.

mod header;
mod record;
mod scan;

pub use self::header::{Decoded, Difference, Header, HeaderError, SourceId};
pub use self::record::{
    Found, Kind, MAX_DATA, MAX_INDEX, Record, SLOT, Settled, TooLong, data_of, decode_head,
};
pub use self::scan::{Event, ScanError, Scanner, Tail};

/// Returns the checksum of a payload that the journal keeps: 29 bits of a CRC-32.
#[must_use]
pub fn check_of(payload: &[u8]) -> u32 {
    crc32fast::hash(payload) >> 3
}
