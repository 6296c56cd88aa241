use alloc::collections::VecDeque;
use core::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::encode::{self, EncodedMessage};
use crate::error::EncodeError;
use crate::headers::{HeaderBlock, Headers};
use crate::payload::Payload;

/// A message: headers and a payload.
///
/// A decoded message shares the bytes that were pushed into the [`Decoder`](crate::Decoder), and so
/// keeps the buffers of these bytes in memory. Call [`compact`](Self::compact) before storing small
/// messages. Encoding a decoded message yields the bytes that it was decoded from.
///
/// # Example
///
/// ```
/// use lambda_invoke_event_stream::{Decoder, HeaderBlock, Message};
///
/// let headers = HeaderBlock::from_headers([(":event-type", "PayloadChunk")])?;
/// let message = Message::new(headers, "hello");
///
/// let mut decoder = Decoder::new();
/// decoder.push(message.to_bytes()?);
/// let decoded = decoder.next_message()?.expect("the message is complete");
/// assert_eq!(decoded, message);
/// assert_eq!(decoded.payload(), b"hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct Message {
    /// Its prefix is the header block.
    payload: Payload,
}

impl Message {
    /// A message with these headers and this payload.
    pub fn new(headers: HeaderBlock, payload: impl Into<Payload>) -> Self {
        let payload = payload.into();
        let len = payload.len();
        Self::in_slices(headers.into_bytes(), payload.into_slices(), len)
    }

    /// Takes a validated header block and the payload, in one piece.
    #[inline]
    pub(crate) fn contiguous(body: Bytes, headers: usize) -> Self {
        Self {
            payload: Payload::contiguous(body, headers),
        }
    }

    /// Takes a validated header block and the slices, none of them empty, of a payload of `len`
    /// bytes.
    pub(crate) fn in_slices(headers: Bytes, slices: VecDeque<Bytes>, len: usize) -> Self {
        Self {
            payload: Payload::in_slices(headers, slices, len),
        }
    }

    /// The headers.
    #[inline]
    pub fn headers(&self) -> Headers<'_> {
        Headers::from_validated(self.payload.prefix())
    }

    /// The header block, which can be kept or used for other messages. It is shared, not copied;
    /// [`Headers::to_block`] copies.
    pub fn header_block(&self) -> HeaderBlock {
        HeaderBlock::from_validated(self.payload.share_prefix())
    }

    /// The payload.
    #[inline]
    pub const fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The payload, without the headers.
    #[inline]
    pub fn into_payload(mut self) -> Payload {
        self.payload.drop_prefix();
        self.payload
    }

    /// The header block and the payload.
    pub fn into_parts(self) -> (HeaderBlock, Payload) {
        (self.header_block(), self.into_payload())
    }

    /// Copies the header block and every slice of the payload if they have fewer than `min_slice`
    /// bytes, as [`Payload::compact`] does. A header block and a slice that were received in one
    /// piece count as one.
    pub fn compact(&mut self, min_slice: usize) {
        self.payload.compact(min_slice);
    }

    /// The length of the encoded message, in bytes.
    ///
    /// # Errors
    ///
    /// [`EncodeError::MessageTooLong`] if that is more than 4,294,967,295.
    pub fn encoded_len(&self) -> Result<usize, EncodeError> {
        encode::encoded_len(self.headers(), self.payload.len())
    }

    /// Encodes the message into a buffer, copying its payload.
    ///
    /// # Errors
    ///
    /// [`EncodeError::MessageTooLong`] if it has more than 4,294,967,295 bytes, and
    /// [`EncodeError::BufferTooSmall`] if the message does not fit into the buffer. Nothing is
    /// written then.
    pub fn encode(&self, out: &mut impl BufMut) -> Result<(), EncodeError> {
        encode::encode(self.headers(), self.payload.clone(), out)
    }

    /// Encodes the message into one piece, copying its payload.
    ///
    /// # Errors
    ///
    /// [`EncodeError::MessageTooLong`] if it has more than 4,294,967,295 bytes.
    pub fn to_bytes(&self) -> Result<Bytes, EncodeError> {
        let mut out = BytesMut::with_capacity(self.encoded_len()?);
        self.encode(&mut out)?;
        Ok(out.freeze())
    }

    /// Encodes the message without copying its payload.
    ///
    /// # Errors
    ///
    /// [`EncodeError::MessageTooLong`] if it has more than 4,294,967,295 bytes.
    pub fn into_vectored(self) -> Result<EncodedMessage, EncodeError> {
        let (headers, payload) = self.into_parts();
        encode::encode_vectored(headers.headers(), payload)
    }
}

impl Clone for Message {
    fn clone(&self) -> Self {
        Self {
            payload: self.payload.clone_with_prefix(),
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("headers", &self.headers())
            .field("payload", self.payload())
            .finish()
    }
}

impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        self.headers() == other.headers() && self.payload == other.payload
    }
}

impl Eq for Message {}
