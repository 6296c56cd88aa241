use core::fmt;
use std::io;

use bytes::BytesMut;
use tokio_util::codec;

use crate::decode::Decoder;
use crate::error::{DecodeError, EncodeError};
use crate::limits::Limits;
use crate::message::Message;

/// Decodes messages for [`FramedRead`](codec::FramedRead) and encodes them for
/// [`FramedWrite`](codec::FramedWrite). Needs the feature `tokio-util`.
///
/// Decoding takes all bytes out of the read buffer as they arrive: payloads are not copied, and
/// each byte is hashed once. If the stream ends in the middle of a message, the last item is an
/// error.
///
/// # Example
///
/// ```
/// use bytes::BytesMut;
/// use lambda_invoke_event_stream::{EventStreamCodec, HeaderBlock, Message};
/// use tokio_util::codec::{Decoder, Encoder};
///
/// let mut codec = EventStreamCodec::new();
/// let mut wire = BytesMut::new();
/// codec.encode(Message::new(HeaderBlock::new(), "hello"), &mut wire)?;
/// let message = codec.decode(&mut wire)?.expect("the message is complete");
/// assert_eq!(message.payload(), b"hello");
/// assert!(codec.decode_eof(&mut wire)?.is_none());
/// # Ok::<(), lambda_invoke_event_stream::CodecError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct EventStreamCodec {
    decoder: Decoder,
}

impl EventStreamCodec {
    /// A codec with the default [`Limits`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A codec that decodes with these limits.
    #[must_use]
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            decoder: Decoder::with_limits(limits),
        }
    }
}

impl codec::Decoder for EventStreamCodec {
    type Item = Message;
    type Error = CodecError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Message>, CodecError> {
        if !buffer.is_empty() {
            self.decoder.push(buffer.split().freeze());
        }
        Ok(self.decoder.next_message()?)
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Message>, CodecError> {
        let message = self.decode(buffer)?;
        if message.is_none() {
            self.decoder.finish()?;
        }
        Ok(message)
    }
}

impl codec::Encoder<Message> for EventStreamCodec {
    type Error = CodecError;

    fn encode(&mut self, message: Message, buffer: &mut BytesMut) -> Result<(), CodecError> {
        buffer.reserve(message.encoded_len()?);
        Ok(message.encode(buffer)?)
    }
}

/// Why a framed stream of messages failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum CodecError {
    /// Reading or writing failed.
    Io(io::Error),
    /// The bytes that were read are not a valid event stream.
    Decode(DecodeError),
    /// The message cannot be encoded.
    Encode(EncodeError),
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Io(_) => "reading or writing the event stream failed",
            Self::Decode(_) => "the peer sent an invalid event stream",
            Self::Encode(_) => "the message cannot be encoded",
        })
    }
}

impl core::error::Error for CodecError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(match self {
            Self::Io(error) => error,
            Self::Decode(error) => error,
            Self::Encode(error) => error,
        })
    }
}

impl From<io::Error> for CodecError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<DecodeError> for CodecError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<EncodeError> for CodecError {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}
