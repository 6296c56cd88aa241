mod decoder;
mod partial;
mod pieces;

use core::fmt;

use bytes::Bytes;

pub use self::decoder::Decoder;
use crate::error::DecodeError;
use crate::headers::{self, Headers};
use crate::limits::Limits;
use crate::message::Message;
use crate::prelude::{self, PRELUDE, Prelude};

/// The result of [`decode`]: what is at the start of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_enums,
    reason = "a message is complete or not: callers match both"
)]
pub enum Status<T> {
    /// A complete message.
    Complete(T),
    /// The beginning of a message, valid so far.
    Incomplete {
        /// How many more bytes the message needs, at least; never 0. Before its 12th byte the
        /// length of a message is unknown.
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
    #[must_use]
    pub const fn headers(&self) -> Headers<'a> {
        self.headers
    }

    /// The payload.
    #[must_use]
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// The length of the encoded message in bytes; the next message of the slice begins there.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        self.len
    }

    /// Copies headers and payload into an owned message.
    #[must_use]
    pub fn to_message(&self) -> Message {
        Message::new(
            self.headers.to_block(),
            Bytes::copy_from_slice(self.payload),
        )
    }
}

impl fmt::Debug for MessageRef<'_> {
    // Without the payload: it is user data, and may have millions of bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageRef")
            .field("headers", &self.headers)
            .field("payload_len", &self.payload.len())
            .finish()
    }
}

/// Decodes the message at the start of a slice, without allocating or copying.
///
/// Use a [`Decoder`] for bytes that arrive in pieces: it hashes each byte once, whereas this
/// function starts over with each call.
///
/// # Errors
///
/// The first fault in the message; the offset counts from the start of the slice. A wrong checksum
/// or length in the first 12 bytes is reported as soon as these are present. If a part of the
/// message is missing, the result is [`Status::Incomplete`], not an error.
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
    // The headers end within the body, as was checked with the prelude.
    let (headers, payload) = body.split_at_checked(prelude.headers).unwrap_or_default();
    headers::validate(headers, PRELUDE as u64)?;
    Ok(Status::Complete(MessageRef {
        headers: Headers::from_validated(headers),
        payload,
        len: prelude.total,
    }))
}
