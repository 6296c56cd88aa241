use core::fmt;

use bytes::Bytes;

use crate::error::DecodeError;
use crate::headers::{HeaderBlock, Headers};
use crate::limits::Limits;
use crate::message::Message;
use crate::prelude::{self, PRELUDE, Prelude};

/// What [`decode`] found at the start of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status<T> {
    /// A whole message.
    Complete(T),
    /// The beginning of a message, in which nothing is wrong so far.
    Incomplete {
        /// How many more bytes are needed at the least; never 0.
        missing: usize,
    },
}

/// A message that borrows from the slice it was decoded from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MessageRef<'a> {
    headers: Headers<'a>,
    payload: &'a [u8],
    len: usize,
}

impl<'a> MessageRef<'a> {
    /// The headers.
    pub const fn headers(&self) -> Headers<'a> {
        self.headers
    }

    /// The payload.
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// How many bytes of the slice the message has; the next message begins after them.
    pub const fn encoded_len(&self) -> usize {
        self.len
    }

    /// An owned message: copies headers and payload.
    pub fn to_message(&self) -> Message {
        let headers = HeaderBlock::from_checked(self.headers);
        Message::new(headers, Bytes::copy_from_slice(self.payload))
    }
}

impl fmt::Debug for MessageRef<'_> {
    // Not the payload: it is someone's data, and may be millions of bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageRef")
            .field("headers", &self.headers)
            .field("payload_len", &self.payload.len())
            .finish()
    }
}

/// Decodes the message at the start of a slice, without allocating or copying.
///
/// For bytes that arrive in pieces there is [`Decoder`](crate::Decoder), which looks at each byte
/// once; calling this again for each new piece would begin anew.
///
/// # Errors
///
/// What is wrong with the message; the offset is counted from the slice's start. A checksum or
/// length in its first 12 bytes that is wrong is an error as soon as these are there. A message
/// that is not all there is [`Status::Incomplete`] and no error.
///
/// # Example
///
/// ```
/// use lambda_invoke_event_stream::{Limits, Status, decode};
///
/// let bytes = b"\x00\x00\x00\x1d\x00\x00\x00\x00\xfd\x52\x8c\x5a{'foo':'bar'}\xc3\x65\x39\x36";
/// let Status::Complete(message) = decode(bytes, &Limits::new())? else { unreachable!() };
/// assert_eq!(message.payload(), b"{'foo':'bar'}");
/// assert_eq!(message.encoded_len(), 29);
///
/// assert_eq!(decode(&bytes[..20], &Limits::new())?, Status::Incomplete { missing: 9 });
/// # Ok::<(), lambda_invoke_event_stream::DecodeError>(())
/// ```
pub fn decode<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Status<MessageRef<'a>>, DecodeError> {
    let incomplete = |total| Status::Incomplete {
        missing: prelude::missing(bytes.len(), total),
    };
    let Some(first) = bytes.first_chunk() else {
        return Ok(incomplete(None));
    };
    let (prelude, hasher) = Prelude::read(first, *limits, 0)?;
    let Some(message) = bytes.get(..prelude.total) else {
        return Ok(incomplete(Some(prelude.total)));
    };
    let body = prelude.check_whole(message, hasher, 0)?;
    // The prelude's check made sure that the headers end within the body.
    let (headers, payload) = body.split_at_checked(prelude.headers).unwrap_or_default();
    let headers = Headers::checked(headers, PRELUDE as u64)?;
    Ok(Status::Complete(MessageRef {
        headers,
        payload,
        len: prelude.total,
    }))
}
