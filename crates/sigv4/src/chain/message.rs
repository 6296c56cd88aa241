//! Signatures of event-stream messages, each covering the one before.

use super::payload_string;
use crate::{ChainMismatch, Credentials, Signature, SigningKey, Timestamp};

impl SigningKey {
    /// Signs an event-stream message that follows the one with the signature `prior`.
    ///
    /// `headers` are the encoded headers that the signature covers: for a message on the wire
    /// exactly one, `:date`, with the milliseconds of `time`. `payload` is the payload of the
    /// signed message: a whole encoded message, or nothing at the end of the stream. `time` must be
    /// on this key's day ([`is_for`](Self::is_for)).
    ///
    /// # Example
    ///
    /// The example of aws-sdk-go, with arbitrary bytes as headers:
    ///
    /// ```
    /// use lambda_invoke_sigv4::{Signature, SigningKey};
    ///
    /// let time = "20190127T223754Z".parse()?;
    /// let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    /// let key = SigningKey::derive(secret, time, "us-east-1", "transcribe");
    /// let prior = "9d9ab996c81f32c9d4e6fc166c92584f3741d1cb5ce325cd11a77d1f962c8de2";
    /// let prior: Signature = prior.parse().unwrap();
    /// assert_eq!(
    ///     key.sign_message(prior, time, b"headers", b"payload").to_string(),
    ///     "681a7eaa82891536f24af7ec7e9219ee251ccd9bac2f1b981eab7c5ec8579115",
    /// );
    /// # Ok::<(), lambda_invoke_sigv4::TimestampError>(())
    /// ```
    #[must_use]
    pub fn sign_message(
        &self,
        prior: Signature,
        time: Timestamp,
        headers: &[u8],
        payload: &[u8],
    ) -> Signature {
        let text = payload_string(self, &self.stamp(time), prior, headers, payload);
        self.sign(text.as_bytes())
    }

    /// Whether `signature` is the one of this event-stream message, compared in constant time; the
    /// other arguments are those of [`sign_message`](Self::sign_message).
    #[must_use]
    pub fn verify_message(
        &self,
        prior: Signature,
        time: Timestamp,
        headers: &[u8],
        payload: &[u8],
        signature: Signature,
    ) -> bool {
        let text = payload_string(self, &self.stamp(time), prior, headers, payload);
        self.verify(text.as_bytes(), &signature)
    }
}

/// The state of a chain of message signatures. A stream may last longer than a day, and so needs more
/// than one key.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    credentials: Credentials,
    region: Box<str>,
    service: Box<str>,
    key: SigningKey,
    prior: Signature,
}

impl Chain {
    /// Starts a chain with the signature of the request's head.
    pub(crate) fn new(
        credentials: Credentials,
        region: &str,
        service: &str,
        key: SigningKey,
        seed: Signature,
    ) -> Self {
        Self {
            credentials,
            region: region.into(),
            service: service.into(),
            key,
            prior: seed,
        }
    }

    /// The key for the day of `time`, cached or derived.
    fn key(&mut self, time: Timestamp) -> &SigningKey {
        if !self.key.is_for(time) {
            let secret = self.credentials.secret_access_key();
            self.key = SigningKey::derive(secret, time, &self.region, &self.service);
        }
        &self.key
    }
}

/// Signs the messages of an event stream in their order.
///
/// The head of the request is signed first, with
/// [`PayloadHash::StreamingEvents`](crate::PayloadHash::StreamingEvents); its signature seeds the
/// chain. After the last message one more is signed, with an empty payload. The caller encodes
/// the messages: each goes, encoded, into the payload of a message with the headers `:date` (a timestamp
/// in whole seconds) and `:chunk-signature` (the 32 bytes of the signature).
///
/// # Example
///
/// ```
/// use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer};
///
/// # let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
/// let signer = Signer::new(credentials, "us-east-1", "transcribe")?;
/// let mut request = http::Request::post("https://example.com/stream-transcription").body(())?;
/// let now = "20150830T123600Z".parse()?;
/// let seed = signer.sign_request(&mut request, &PayloadHash::StreamingEvents, now)?;
///
/// let mut messages = signer.message_signer(now, seed);
/// # let (date_header, message) = (b"", b"");
/// let signature = messages.sign(now, date_header, message);
/// let end = messages.sign(now, date_header, b"");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct MessageSigner {
    chain: Chain,
}

impl MessageSigner {
    pub(crate) const fn new(chain: Chain) -> Self {
        Self { chain }
    }

    /// Signs the next message, at `time`; see [`SigningKey::sign_message`].
    pub fn sign(&mut self, time: Timestamp, headers: &[u8], payload: &[u8]) -> Signature {
        let prior = self.chain.prior;
        let signature = self
            .chain
            .key(time)
            .sign_message(prior, time, headers, payload);
        self.chain.prior = signature;
        signature
    }
}

/// Verifies the messages of an event stream in their order.
///
/// Verified messages prove only the beginning of the stream that was signed; the stream is complete
/// once a message with an empty payload is verified. The caller decides whether the time of a
/// message is acceptable.
///
/// # Example
///
/// ```
/// # use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer, Verifier};
/// # let now = "20150830T123600Z".parse()?;
/// # let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
/// # let signer = Signer::new(credentials.clone(), "us-east-1", "transcribe")?;
/// # let mut request = http::Request::post("http://localhost:9001/").body(())?;
/// # let payload = PayloadHash::StreamingEvents;
/// # let seed = signer.sign_request(&mut request, &payload, now)?;
/// # let signature = signer.message_signer(now, seed).sign(now, b"date", b"message");
/// let verifier = Verifier::new("us-east-1", "transcribe")?;
/// let verified = verifier.verify(&request, &payload, &credentials, now)?;
/// let mut messages = verifier.message_verifier(&credentials, &verified);
/// messages.verify(now, b"date", b"message", signature)?;
/// assert!(messages.verify(now, b"date", b"message", signature).is_err(), "the same again");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct MessageVerifier {
    chain: Chain,
    verified: u64,
}

impl MessageVerifier {
    pub(crate) const fn new(chain: Chain) -> Self {
        Self { chain, verified: 0 }
    }

    /// Verifies the next message, signed at `time`; see [`SigningKey::sign_message`].
    ///
    /// # Errors
    ///
    /// [`ChainMismatch`] if the signature is not the one of this message at this place. The state
    /// of the chain is then unchanged.
    pub fn verify(
        &mut self,
        time: Timestamp,
        headers: &[u8],
        payload: &[u8],
        signature: Signature,
    ) -> Result<(), ChainMismatch> {
        let prior = self.chain.prior;
        let key = self.chain.key(time);
        if !key.verify_message(prior, time, headers, payload, signature) {
            return Err(ChainMismatch {
                verified: self.verified,
            });
        }
        self.chain.prior = signature;
        self.verified += 1;
        Ok(())
    }
}
