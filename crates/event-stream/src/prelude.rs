//! The prelude, which is the first 12 bytes of a message, and the two checksums.

use crc32fast::Hasher;

use crate::error::{DecodeError, DecodeErrorKind};
use crate::limits::Limits;

/// The length of a prelude: two lengths and their checksum.
pub(crate) const PRELUDE: usize = 12;
/// How many bytes of the prelude its own checksum covers.
pub(crate) const HASHED: usize = 8;
/// The length of the message's checksum, which ends it.
pub(crate) const TRAILER: usize = 4;
/// The length of an empty message: a prelude and a trailer.
pub(crate) const OVERHEAD: usize = OVERHEAD_U32 as usize;
const OVERHEAD_U32: u32 = 16;

/// The lengths that a prelude states, after its checksum and the limits were checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prelude {
    /// The length of the whole message.
    pub(crate) total: usize,
    /// The length of the header block; at most `total - OVERHEAD`.
    pub(crate) headers: usize,
}

impl Prelude {
    /// Decodes and checks the prelude at byte `offset` of the stream. The hasher that is returned
    /// has hashed the first [`HASHED`] bytes of the message.
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
            let kind = DecodeErrorKind::PreludeChecksumMismatch { expected, actual };
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

    /// Checks the checksum of a whole message, and returns its headers and payload.
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

    /// The length of headers and payload together.
    #[inline]
    pub(crate) fn body(&self) -> usize {
        self.total.saturating_sub(OVERHEAD)
    }

    /// The length of the payload.
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
    if total > limits.max_message_len() {
        let kind = DecodeErrorKind::MessageTooLong {
            limit: limits.max_message_len(),
            actual: total,
        };
        return Err(DecodeError::new(offset, kind));
    }
    let kind = if headers > limits.max_headers_len() {
        DecodeErrorKind::HeadersTooLong {
            limit: limits.max_headers_len(),
            actual: headers,
        }
    } else if headers > available {
        DecodeErrorKind::HeadersExceedMessage {
            available,
            actual: headers,
        }
    } else {
        return Ok(());
    };
    Err(DecodeError::new(offset.saturating_add(4), kind))
}

/// The error for a stream that ends after the first `received` bytes of the message at byte
/// `offset`. `total` is the length of the message, if that is known.
#[cold]
pub(crate) fn unexpected_eof(offset: u64, received: usize, total: Option<usize>) -> DecodeError {
    let missing = missing(received, total) as u64;
    let received = received as u64;
    let kind = DecodeErrorKind::UnexpectedEof { received, missing };
    DecodeError::new(offset.saturating_add(received), kind)
}

/// How many bytes a message needs, at least, after its first `received`.
pub(crate) fn missing(received: usize, total: Option<usize>) -> usize {
    total.unwrap_or(OVERHEAD).saturating_sub(received)
}

/// Compares the last 4 bytes of the message at byte `offset` with the checksum of the bytes before.
#[inline]
pub(crate) fn check_trailer(
    trailer: [u8; TRAILER],
    hasher: Hasher,
    offset: u64,
    total: usize,
) -> Result<(), DecodeError> {
    let expected = u32::from_be_bytes(trailer);
    let actual = hasher.finalize();
    if expected == actual {
        return Ok(());
    }
    let at = offset.saturating_add(total.saturating_sub(TRAILER) as u64);
    Err(DecodeError::new(
        at,
        DecodeErrorKind::MessageChecksumMismatch { expected, actual },
    ))
}
