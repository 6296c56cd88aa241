use alloc::collections::VecDeque;
use core::fmt;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::encode::{self, EncodedMessage};
use crate::error::EncodeError;
use crate::headers::{HeaderBlock, Headers};
use crate::payload::Payload;

/// One message: headers and a payload.
///
/// A decoded one shares the bytes that were pushed into the [`Decoder`](crate::Decoder), so it
/// keeps them in memory for as long as it lives. Encoding a decoded message gives the bytes that
/// it was decoded from.
///
/// # Example
///
/// ```
/// use lambda_invoke_event_stream::{Decoder, HeaderBlock, HeaderValue, Message};
///
/// let headers = HeaderBlock::from_headers([(":event-type", HeaderValue::String("PayloadChunk"))])?;
/// let message = Message::new(headers, "hello");
///
/// let mut decoder = Decoder::new();
/// decoder.push(message.to_bytes()?);
/// let decoded = decoder.next_message()?.expect("the message is whole");
/// assert_eq!(decoded, message);
/// assert_eq!(decoded.payload(), b"hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Message {
    // The header block and, behind it, the payload's first slice: one handle instead of two, since
    // most messages lie in one piece and counting handles is much of what a small one costs.
    head: Bytes,
    headers: usize,
    rest: VecDeque<Bytes>,
    payload: usize,
}

impl Message {
    /// A message of these headers and this payload.
    pub fn new(headers: HeaderBlock, payload: impl Into<Payload>) -> Self {
        let payload = payload.into();
        let len = payload.len();
        Self::in_slices(headers.into_bytes(), payload.into_slices(), len)
    }

    /// Headers that were checked, then the payload, in one piece.
    #[inline]
    pub(crate) fn contiguous(head: Bytes, headers: usize) -> Self {
        let payload = head.len().saturating_sub(headers);
        Self {
            head,
            headers,
            rest: VecDeque::new(),
            payload,
        }
    }

    /// Headers that were checked, and the slices, none of them empty, of a payload of `payload`
    /// bytes.
    pub(crate) fn in_slices(headers: Bytes, slices: VecDeque<Bytes>, payload: usize) -> Self {
        Self {
            headers: headers.len(),
            head: headers,
            rest: slices,
            payload,
        }
    }

    /// The headers, for reading.
    #[inline]
    pub fn headers(&self) -> Headers<'_> {
        Headers::assume_checked(self.split().0)
    }

    /// The header block, which can be kept or used again; it is not copied.
    pub fn header_block(&self) -> HeaderBlock {
        HeaderBlock::assume_checked(self.head.slice_ref(self.split().0))
    }

    /// The payload; it is not copied.
    pub fn payload(&self) -> Payload {
        self.clone().into_payload()
    }

    /// How many bytes the payload has.
    pub const fn payload_len(&self) -> usize {
        self.payload
    }

    /// The payload, letting go of the headers.
    #[inline]
    pub fn into_payload(mut self) -> Payload {
        self.head.advance(self.headers);
        Payload::from_first(self.head, self.rest, self.payload)
    }

    /// The header block and the payload.
    pub fn into_parts(self) -> (HeaderBlock, Payload) {
        (self.header_block(), self.into_payload())
    }

    /// The header block and the payload's first slice.
    fn split(&self) -> (&[u8], &[u8]) {
        self.head.split_at_checked(self.headers).unwrap_or_default()
    }

    /// How many bytes the message has on the wire.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Message`] if that is more than 4,294,967,295.
    pub fn encoded_len(&self) -> Result<usize, EncodeError> {
        encode::encoded_len(self.headers(), self.payload)
    }

    /// Writes the message, its payload too, to a buffer.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Message`] if it has more than 4,294,967,295 bytes, [`EncodeError::Buffer`]
    /// if the buffer cannot take it; nothing is written then.
    pub fn encode(&self, out: &mut impl BufMut) -> Result<(), EncodeError> {
        encode::encode(self.headers(), self.payload(), out)
    }

    /// The message in one piece.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Message`] if it has more than 4,294,967,295 bytes.
    pub fn to_bytes(&self) -> Result<Bytes, EncodeError> {
        let mut out = BytesMut::with_capacity(self.encoded_len()?);
        self.encode(&mut out)?;
        Ok(out.freeze())
    }

    /// The message as head, payload and trailer, without copying the payload.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Message`] if it has more than 4,294,967,295 bytes.
    pub fn into_vectored(self) -> Result<EncodedMessage, EncodeError> {
        encode::encode_vectored(self.header_block().headers(), self.into_payload())
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("headers", &self.headers())
            .field("payload", &self.payload())
            .finish()
    }
}

impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        self.headers() == other.headers() && self.payload() == other.payload()
    }
}

impl Eq for Message {}
