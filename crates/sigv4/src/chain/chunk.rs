//! Signatures of `aws-chunked` bodies, chunk by chunk, with an optional trailer.

use http::HeaderMap;

use super::{ChainedString, Link, payload_string};
use crate::canonical::trailer_lines;
use crate::payload::sha256;
use crate::{ChainMismatch, Signature, SigningKey, Timestamp};

/// The state of a chain of chunk signatures.
#[derive(Clone, Debug)]
struct Chain {
    key: SigningKey,
    stamp: [u8; 16],
    prior: Signature,
}

impl Chain {
    fn new(key: SigningKey, time: Timestamp, seed: Signature) -> Self {
        let stamp = time.to_basic();
        Self {
            key,
            stamp,
            prior: seed,
        }
    }

    fn chunk(&self, data: &[u8]) -> ChainedString {
        payload_string(&self.key, &self.stamp, self.prior, b"", data)
    }

    fn trailer(&self, trailer: &HeaderMap) -> ChainedString {
        let hash = sha256(&trailer_lines(trailer));
        ChainedString::new(Link::Trailer, &self.key, &self.stamp, self.prior, [&hash])
    }
}

/// Signs the chunks of an `aws-chunked` body, as S3 accepts it, in their order.
///
/// The head of the request is signed first, with [`PayloadHash::StreamingSigned`] or
/// [`PayloadHash::StreamingSignedTrailer`]; its signature seeds the chain. Sign every chunk in its
/// order, including the empty one at the end, then the trailer, if there is one. The caller frames
/// the body: see the example.
///
/// [`PayloadHash::StreamingSigned`]: crate::PayloadHash::StreamingSigned
/// [`PayloadHash::StreamingSignedTrailer`]: crate::PayloadHash::StreamingSignedTrailer
///
/// # Example
///
/// ```
/// use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer, SigningSettings};
///
/// # let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
/// let signer = Signer::new(credentials, "us-east-1", "s3")?.with_settings(SigningSettings::s3());
/// let mut request = http::Request::put("https://bucket.s3.amazonaws.com/key")
///     .header("content-encoding", "aws-chunked")
///     .header("x-amz-decoded-content-length", "5")
///     .body(Vec::new())?;
/// let now = "20130524T000000Z".parse()?;
/// let seed = signer.sign_request(&mut request, &PayloadHash::StreamingSigned, now)?;
///
/// let mut chunks = signer.chunk_signer(now, seed);
/// for data in ["Hel", "lo", ""] {
///     let signature = chunks.sign_chunk(data);
///     let head = format!("{:x};chunk-signature={signature}\r\n", data.len());
///     request.body_mut().extend([head.as_str(), data, "\r\n"].concat().bytes());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ChunkSigner {
    chain: Chain,
}

impl ChunkSigner {
    /// Starts the chain of a request that was signed at `time` with the signature `seed`. The key
    /// must belong to the day of `time`.
    #[must_use]
    pub fn new(key: SigningKey, time: Timestamp, seed: Signature) -> Self {
        Self {
            chain: Chain::new(key, time, seed),
        }
    }

    /// Signs the next chunk: its data, without the framing.
    pub fn sign_chunk(&mut self, data: impl AsRef<[u8]>) -> Signature {
        let text = self.chain.chunk(data.as_ref());
        self.chain.prior = self.chain.key.sign(text.as_bytes());
        self.chain.prior
    }

    /// Signs the trailer, which comes after the empty chunk. The signature is sent as
    /// `x-amz-trailer-signature`, which itself is not covered.
    #[must_use]
    pub fn sign_trailer(self, trailer: &HeaderMap) -> Signature {
        let text = self.chain.trailer(trailer);
        self.chain.key.sign(text.as_bytes())
    }
}

/// Verifies the chunks of an `aws-chunked` body in their order.
///
/// Verified chunks prove only the beginning of the body that was signed. The body is complete only
/// if its last chunk, the empty one, is verified too, and also the trailer, if the head of the
/// request announces one.
///
/// # Example
///
/// ```
/// # use lambda_invoke_sigv4::{ChunkSigner, ChunkVerifier, Signature, SigningKey};
/// # let now = "20130524T000000Z".parse()?;
/// # let key = SigningKey::derive("secret", now, "us-east-1", "s3");
/// # let seed = Signature::from_bytes([7; 32]);
/// # let mut signer = ChunkSigner::new(key.clone(), now, seed);
/// # let (first, last) = (signer.sign_chunk("Hello"), signer.sign_chunk(""));
/// // With time and signature of the request's head, from `Verified`.
/// let mut chunks = ChunkVerifier::new(key, now, seed);
/// chunks.verify_chunk("Hello", first)?;
/// assert!(chunks.verify_chunk("Hello", first).is_err(), "the same chunk again");
/// chunks.verify_chunk("", last)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ChunkVerifier {
    chain: Chain,
    verified: u64,
}

impl ChunkVerifier {
    /// Starts the chain of a request that was signed at `time` with the signature `seed`. The key
    /// must belong to the day of `time`.
    #[must_use]
    pub fn new(key: SigningKey, time: Timestamp, seed: Signature) -> Self {
        Self {
            chain: Chain::new(key, time, seed),
            verified: 0,
        }
    }

    /// Verifies the next chunk: its data, without the framing.
    ///
    /// # Errors
    ///
    /// [`ChainMismatch`] if the signature is not the one of this data at this place. The state of
    /// the chain is then unchanged.
    pub fn verify_chunk(
        &mut self,
        data: impl AsRef<[u8]>,
        signature: Signature,
    ) -> Result<(), ChainMismatch> {
        let text = self.chain.chunk(data.as_ref());
        self.check(&text, signature)?;
        self.chain.prior = signature;
        self.verified += 1;
        Ok(())
    }

    /// Verifies the trailer. `x-amz-trailer-signature`, which carries the signature, is not covered.
    ///
    /// # Errors
    ///
    /// [`ChainMismatch`] if the signature is not the one of this trailer at this place.
    pub fn verify_trailer(
        self,
        trailer: &HeaderMap,
        signature: Signature,
    ) -> Result<(), ChainMismatch> {
        self.check(&self.chain.trailer(trailer), signature)
    }

    fn check(&self, text: &ChainedString, signature: Signature) -> Result<(), ChainMismatch> {
        if self.chain.key.verify(text.as_bytes(), &signature) {
            Ok(())
        } else {
            Err(ChainMismatch {
                verified: self.verified,
            })
        }
    }
}
