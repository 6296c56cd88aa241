//! The payload's part of a signature.

use core::fmt;
use core::str::FromStr;

use ring::digest::{SHA256, digest};

use crate::error::HexError;

/// How a signature covers the body: the last line of the canonical request.
///
/// There is no default: only [`PayloadHash::Unsigned`] leaves the body uncovered, which few services
/// accept.
///
/// # Example
///
/// ```
/// use lambda_invoke_sigv4::PayloadHash;
///
/// let hash = PayloadHash::of(b"{}");
/// assert_eq!(
///     hash.to_string(),
///     "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
/// );
/// assert_eq!(hash.to_string().parse(), Ok(hash));
/// assert_eq!(PayloadHash::Unsigned.to_string(), "UNSIGNED-PAYLOAD");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PayloadHash {
    /// The SHA-256 of the whole body.
    Sha256([u8; 32]),
    /// `UNSIGNED-PAYLOAD`: the body is not covered. S3 accepts it over TLS, and always for
    /// presigned requests; Lambda does not.
    Unsigned,
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`: an S3 `aws-chunked` body with a checksum as trailer.
    StreamingUnsignedTrailer,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`: an S3 `aws-chunked` body whose chunks are signed, by a
    /// [`ChunkSigner`](crate::ChunkSigner).
    StreamingSigned,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER`: the same with a signed trailer.
    StreamingSignedTrailer,
    /// `STREAMING-AWS4-HMAC-SHA256-EVENTS`: an event stream whose messages are signed, by a
    /// [`MessageSigner`](crate::MessageSigner).
    StreamingEvents,
}

/// The SHA-256 of no bytes.
pub(crate) const EMPTY_SHA256: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

impl PayloadHash {
    /// The hash of an empty body.
    pub const EMPTY: Self = Self::Sha256(EMPTY_SHA256);

    /// Hashes the whole body.
    pub fn of(body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        if body.is_empty() {
            return Self::EMPTY;
        }
        Self::Sha256(sha256(body))
    }

    /// Returns the text that is signed, written to `buffer` if it is not constant.
    pub(crate) fn text<'a>(&self, buffer: &'a mut [u8; 64]) -> &'a [u8] {
        match self {
            Self::Sha256(hash) => {
                *buffer = hex64(hash);
                buffer
            }
            Self::Unsigned => b"UNSIGNED-PAYLOAD",
            Self::StreamingUnsignedTrailer => b"STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            Self::StreamingSigned => b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            Self::StreamingSignedTrailer => b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            Self::StreamingEvents => b"STREAMING-AWS4-HMAC-SHA256-EVENTS",
        }
    }
}

/// Parses a hash computed elsewhere: 64 hexadecimal digits of either case. The words for uncovered
/// or streamed bodies are rejected, so that no text from outside can select one of them.
impl FromStr for PayloadHash {
    type Err = HexError;

    fn from_str(digits: &str) -> Result<Self, HexError> {
        let mut hash = [0; 32];
        hex::decode_to_slice(digits, &mut hash).map_err(|_| HexError { lower_case: false })?;
        Ok(Self::Sha256(hash))
    }
}

impl fmt::Display for PayloadHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(self.text(&mut [0; 64])).unwrap_or_default())
    }
}

/// The SHA-256 of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

/// Lower-case hexadecimal digits.
///
/// Signing does this three times. Without a table it becomes vector code, several times faster than
/// `hex::encode_to_slice`.
pub(crate) fn hex64(bytes: &[u8; 32]) -> [u8; 64] {
    let digit = |number: u8| number + if number < 10 { b'0' } else { b'a' - 10 };
    let mut digits = [0; 64];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair[0] = digit(byte >> 4);
        pair[1] = digit(byte & 15);
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_hash_is_the_hash_of_nothing() {
        assert_eq!(PayloadHash::EMPTY, PayloadHash::Sha256(sha256(b"")));
        assert_eq!(PayloadHash::of(b""), PayloadHash::EMPTY);
    }

    #[test]
    fn writes_every_byte_as_the_hex_crate_does() {
        for first in (0..=255_u8).step_by(32) {
            let bytes = core::array::from_fn(|index| first + index as u8);
            assert_eq!(hex64(&bytes).as_slice(), hex::encode(bytes).as_bytes());
        }
    }

    #[test]
    fn rejects_what_is_not_a_hash() {
        for digits in ["", "e3", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64)] {
            let error = digits.parse::<PayloadHash>().unwrap_err();
            assert_eq!(error.to_string(), "not 64 hexadecimal digits");
        }
        for word in [PayloadHash::Unsigned, PayloadHash::StreamingSigned] {
            assert!(word.to_string().parse::<PayloadHash>().is_err(), "{word}");
        }
        assert_eq!("AB".repeat(32).parse(), Ok(PayloadHash::Sha256([0xab; 32])));
    }
}
