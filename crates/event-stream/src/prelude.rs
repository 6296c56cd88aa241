//! A message's first 12 bytes, and the checksum that goes on from them.

use crc32fast::Hasher;

use crate::error::{DecodeError, DecodeErrorKind};
use crate::limits::Limits;

/// The two lengths and their checksum.
pub(crate) const PRELUDE: usize = 12;
/// How much of them their checksum is of.
pub(crate) const HASHED: usize = 8;
/// The message's checksum.
pub(crate) const TRAILER: usize = 4;
/// What a message has besides headers and payload, and so the least that it can have.
pub(crate) const OVERHEAD: usize = OVERHEAD_U32 as usize;
const OVERHEAD_U32: u32 = 16;

/// The lengths that a prelude states, after its checksum and the limits were found good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prelude {
    /// The whole message.
    pub(crate) total: usize,
    /// The headers; at most `total - OVERHEAD`.
    pub(crate) headers: usize,
}

impl Prelude {
    /// Reads and checks a message's first 12 bytes; `offset` is where in the stream they are. The
    /// checksum of the message goes on from the hasher, with the byte at [`HASHED`].
    #[inline]
    pub(crate) fn read(
        bytes: &[u8; PRELUDE],
        limits: Limits,
        offset: u64,
    ) -> Result<(Self, Hasher), DecodeError> {
        let &[t0, t1, t2, t3, h0, h1, h2, h3, c0, c1, c2, c3] = bytes;
        let mut hasher = Hasher::new();
        hasher.update(&[t0, t1, t2, t3, h0, h1, h2, h3]);
        let expected = u32::from_be_bytes([c0, c1, c2, c3]);
        let actual = hasher.clone().finalize();
        if expected != actual {
            let kind = DecodeErrorKind::PreludeChecksum { expected, actual };
            return Err(DecodeError::new(offset.saturating_add(HASHED as u64), kind));
        }
        let total = u32::from_be_bytes([t0, t1, t2, t3]);
        let headers = u32::from_be_bytes([h0, h1, h2, h3]);
        check_lengths(total, headers, limits, offset)?;
        Ok((
            Self {
                total: total as usize,
                headers: headers as usize,
            },
            hasher,
        ))
    }

    /// Checks a whole message's checksum, given its bytes, and gives its headers and payload.
    #[inline]
    pub(crate) fn check_whole<'a>(
        &self,
        message: &'a [u8],
        mut hasher: Hasher,
        offset: u64,
    ) -> Result<&'a [u8], DecodeError> {
        let (hashed, trailer) = message.split_last_chunk().unwrap_or((&[], &[0; TRAILER]));
        hasher.update(hashed.get(HASHED..).unwrap_or_default());
        check_trailer(*trailer, hasher, offset, self.total)?;
        Ok(hashed.get(PRELUDE..).unwrap_or_default())
    }

    /// Headers and payload together.
    #[inline]
    pub(crate) fn body(&self) -> usize {
        self.total.saturating_sub(OVERHEAD)
    }

    /// The payload.
    #[inline]
    pub(crate) fn payload(&self) -> usize {
        self.body().saturating_sub(self.headers)
    }
}

#[inline]
fn check_lengths(total: u32, headers: u32, limits: Limits, offset: u64) -> Result<(), DecodeError> {
    let Some(available) = total.checked_sub(OVERHEAD_U32) else {
        let kind = DecodeErrorKind::MessageTooShort { actual: total };
        return Err(DecodeError::new(offset, kind));
    };
    if total > limits.message() {
        let kind = DecodeErrorKind::MessageTooLong {
            limit: limits.message(),
            actual: total,
        };
        return Err(DecodeError::new(offset, kind));
    }
    let kind = if headers > limits.headers() {
        DecodeErrorKind::HeadersTooLong {
            limit: limits.headers(),
            actual: headers,
        }
    } else if headers > available {
        DecodeErrorKind::HeadersPastMessage {
            available,
            actual: headers,
        }
    } else {
        return Ok(());
    };
    Err(DecodeError::new(offset.saturating_add(4), kind))
}

/// The error for a message that is cut after its first `received` bytes. `total` is its length, as
/// far as that was known.
#[cold]
pub(crate) fn cut(offset: u64, received: usize, total: Option<usize>) -> DecodeError {
    let missing = missing(received, total) as u64;
    let received = received as u64;
    let kind = DecodeErrorKind::Cut { received, missing };
    DecodeError::new(offset.saturating_add(received), kind)
}

/// How many bytes at the least a message still needs after its first `received`.
pub(crate) fn missing(received: usize, total: Option<usize>) -> usize {
    total.unwrap_or(OVERHEAD).saturating_sub(received)
}

/// Compares a message's last 4 bytes with the checksum of all before them.
#[inline]
pub(crate) fn check_trailer(
    trailer: [u8; TRAILER],
    hasher: Hasher,
    message: u64,
    total: usize,
) -> Result<(), DecodeError> {
    let expected = u32::from_be_bytes(trailer);
    let actual = hasher.finalize();
    if expected == actual {
        return Ok(());
    }
    let at = message.saturating_add(total.saturating_sub(TRAILER) as u64);
    Err(DecodeError::new(
        at,
        DecodeErrorKind::MessageChecksum { expected, actual },
    ))
}
