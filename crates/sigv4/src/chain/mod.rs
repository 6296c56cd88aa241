//! Chained signatures: each covers the one before it, so that pieces of a body can be neither
//! changed nor reordered, left out or repeated.

mod chunk;
mod message;

use core::fmt;

use crate::list::List;
use crate::payload::{EMPTY_SHA256, hex64, sha256};
use crate::string_to_sign::ALGORITHM;
use crate::{Signature, SigningKey};

pub use chunk::{ChunkSigner, ChunkVerifier};
pub(crate) use message::Chain;
pub use message::{MessageSigner, MessageVerifier};

/// What a signature of a chain covers; the end of its algorithm's name says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// A chunk of an `aws-chunked` body, or a message of an event stream.
    Payload,
    /// The trailer of an `aws-chunked` body.
    Trailer,
}

impl Link {
    fn suffix(self) -> &'static str {
        match self {
            Self::Payload => "-PAYLOAD",
            Self::Trailer => "-TRAILER",
        }
    }
}

/// A string to sign that follows `prior`: algorithm, time, scope, the signature before, and hashes.
///
/// Sources: "Signature calculations for the Authorization header: Transferring payload in multiple
/// chunks" in the S3 reference; "Event stream signing" in the Amazon Transcribe guide.
pub(crate) struct ChainedString {
    text: List<u8, 448>,
}

impl ChainedString {
    pub(crate) fn new<const N: usize>(
        link: Link,
        key: &SigningKey,
        stamp: &[u8; 16],
        prior: Signature,
        hashes: [&[u8; 32]; N],
    ) -> Self {
        let mut text = List::new();
        text.extend_from_slice(ALGORITHM.as_bytes());
        text.extend_from_slice(link.suffix().as_bytes());
        text.push(b'\n');
        text.extend_from_slice(stamp);
        text.push(b'\n');
        text.extend_from_slice(key.scope().as_bytes());
        text.push(b'\n');
        text.extend_from_slice(&prior.to_hex());
        for hash in hashes {
            text.push(b'\n');
            text.extend_from_slice(&hex64(hash));
        }
        Self { text }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.text
    }
}

/// The string to sign of a piece with two parts, headers and payload.
pub(crate) fn payload_string(
    key: &SigningKey,
    stamp: &[u8; 16],
    prior: Signature,
    headers: &[u8],
    payload: &[u8],
) -> ChainedString {
    let headers = if headers.is_empty() {
        EMPTY_SHA256
    } else {
        sha256(headers)
    };
    ChainedString::new(
        Link::Payload,
        key,
        stamp,
        prior,
        [&headers, &sha256(payload)],
    )
}

/// A signature does not match its piece, the key, or its place in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChainMismatch {
    /// How many pieces were verified before, which is the index of the one that failed.
    pub verified: u64,
}

impl fmt::Display for ChainMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the signature of piece {} of the body does not match",
            self.verified
        )
    }
}

impl core::error::Error for ChainMismatch {}
