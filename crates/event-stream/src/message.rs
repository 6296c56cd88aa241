use bytes::{BufMut, Bytes, BytesMut};

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
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Message {
    headers: HeaderBlock,
    payload: Payload,
}

impl Message {
    /// A message of these headers and this payload.
    pub fn new(headers: HeaderBlock, payload: impl Into<Payload>) -> Self {
        Self {
            headers,
            payload: payload.into(),
        }
    }

    /// The headers, for reading.
    pub fn headers(&self) -> Headers<'_> {
        self.headers.headers()
    }

    /// The header block, which can be kept or used again without a copy.
    pub fn header_block(&self) -> &HeaderBlock {
        &self.headers
    }

    /// The payload.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The payload, letting go of the headers.
    pub fn into_payload(self) -> Payload {
        self.payload
    }

    /// The header block and the payload.
    pub fn into_parts(self) -> (HeaderBlock, Payload) {
        (self.headers, self.payload)
    }

    /// How many bytes the message has on the wire.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Message`] if that is more than 4,294,967,295.
    pub fn encoded_len(&self) -> Result<usize, EncodeError> {
        encode::encoded_len(self.headers(), self.payload.len())
    }

    /// Writes the message, its payload too, to a buffer.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Message`] if it has more than 4,294,967,295 bytes, [`EncodeError::Buffer`]
    /// if the buffer cannot take it; nothing is written then.
    pub fn encode(&self, out: &mut impl BufMut) -> Result<(), EncodeError> {
        encode::encode(self.headers(), self.payload.clone(), out)
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
        encode::encode_vectored(self.headers.headers(), self.payload)
    }
}
