use alloc::vec::Vec;

use bytes::{Buf, BufMut, Bytes};
use crc32fast::Hasher;

use crate::error::{EncodeError, plural};
use crate::headers::Headers;
use crate::payload::Payload;
use crate::prelude::{OVERHEAD, PRELUDE, TRAILER};

/// The length in bytes of an encoded message with these headers and a payload of `payload` bytes.
///
/// # Errors
///
/// [`EncodeError::MessageTooLong`] if that is more than 4,294,967,295. Receivers accept less: by
/// default, this crate's decoder accepts messages of 24 MiB with 128 KiB of headers.
///
/// # Example
///
/// ```
/// use lambda_invoke_event_stream::{Headers, encoded_len};
///
/// assert_eq!(encoded_len(Headers::default(), 5)?, 21);
/// # Ok::<(), lambda_invoke_event_stream::EncodeError>(())
/// ```
pub fn encoded_len(headers: Headers<'_>, payload: usize) -> Result<usize, EncodeError> {
    lengths(headers, payload).map(|lengths| lengths.total as usize)
}

/// Encodes a message into a buffer, copying its payload.
///
/// # Errors
///
/// [`EncodeError::MessageTooLong`] if it has more than 4,294,967,295 bytes, and
/// [`EncodeError::BufferTooSmall`] if the message does not fit into the buffer. Nothing is
/// written then.
///
/// # Example
///
/// ```
/// use lambda_invoke_event_stream::{Headers, Limits, Status, decode, encode};
///
/// let mut out = Vec::new();
/// encode(Headers::default(), &b"hello"[..], &mut out)?;
/// let Status::Complete(message) = decode(&out, &Limits::new())? else { unreachable!() };
/// assert_eq!(message.payload(), b"hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn encode(
    headers: Headers<'_>,
    mut payload: impl Buf,
    out: &mut impl BufMut,
) -> Result<(), EncodeError> {
    let lengths = lengths(headers, payload.remaining())?;
    let (needed, available) = (lengths.total as usize, out.remaining_mut());
    if needed > available {
        return Err(EncodeError::BufferTooSmall { needed, available });
    }
    let (prelude, mut hasher) = prelude(lengths);
    hasher.update(headers.as_bytes());
    out.put_slice(&prelude);
    out.put_slice(headers.as_bytes());
    while payload.has_remaining() {
        let chunk = payload.chunk();
        let length = chunk.len();
        hasher.update(chunk);
        out.put_slice(chunk);
        payload.advance(length);
    }
    out.put_u32(hasher.finalize());
    Ok(())
}

/// Encodes a message as head, payload and trailer, without copying the payload.
///
/// # Errors
///
/// [`EncodeError::MessageTooLong`] if it has more than 4,294,967,295 bytes.
///
/// # Example
///
/// ```
/// use bytes::{Buf, Bytes};
/// use lambda_invoke_event_stream::{Headers, encode_vectored};
///
/// let payload = Bytes::from(vec![7; 65_536]);
/// let message = encode_vectored(Headers::default(), payload.clone())?;
/// assert_eq!(message.remaining(), 65_552);
/// // Three pieces to write one after the other, or at once with `writev`.
/// let pieces: Vec<Bytes> = message.into_iter().collect();
/// assert_eq!(pieces[1].as_ptr(), payload.as_ptr());
/// # Ok::<(), lambda_invoke_event_stream::EncodeError>(())
/// ```
pub fn encode_vectored(
    headers: Headers<'_>,
    payload: impl Into<Payload>,
) -> Result<EncodedMessage, EncodeError> {
    let payload = payload.into();
    let (prelude, mut hasher) = prelude(lengths(headers, payload.len())?);
    hasher.update(headers.as_bytes());
    let mut head = Vec::with_capacity(PRELUDE.saturating_add(headers.as_bytes().len()));
    head.extend_from_slice(&prelude);
    head.extend_from_slice(headers.as_bytes());
    payload.slices().for_each(|slice| hasher.update(slice));
    let trailer = hasher.finalize().to_be_bytes();
    Ok(EncodedMessage {
        head: head.into(),
        payload,
        trailer,
        consumed: 0,
    })
}

/// An encoded message: head (prelude and headers), payload, and trailer (checksum).
///
/// It is a [`Buf`], for vectored writes, and an iterator of [`Bytes`].
#[derive(Clone, Debug)]
pub struct EncodedMessage {
    head: Bytes,
    payload: Payload,
    trailer: [u8; TRAILER],
    /// How many bytes of the trailer have been consumed.
    consumed: usize,
}

impl EncodedMessage {
    fn trailer(&self) -> &[u8] {
        self.trailer.get(self.consumed..).unwrap_or_default()
    }
}

impl Buf for EncodedMessage {
    fn remaining(&self) -> usize {
        let trailer = self.trailer().len();
        self.head
            .len()
            .saturating_add(self.payload.len())
            .saturating_add(trailer)
    }

    fn chunk(&self) -> &[u8] {
        if !self.head.is_empty() {
            &self.head
        } else if !self.payload.is_empty() {
            self.payload.chunk()
        } else {
            self.trailer()
        }
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, out: &mut [std::io::IoSlice<'a>]) -> usize {
        let pieces = core::iter::once(&*self.head)
            .chain(self.payload.slices())
            .chain(core::iter::once(self.trailer()))
            .filter(|piece| !piece.is_empty());
        out.iter_mut().zip(pieces).fold(0, |filled, (to, piece)| {
            *to = std::io::IoSlice::new(piece);
            filled.saturating_add(1)
        })
    }

    /// # Panics
    ///
    /// If `count` is more than [`remaining`](Self::remaining), as every [`Buf`] does.
    fn advance(&mut self, count: usize) {
        let remaining = self.remaining();
        assert!(
            count <= remaining,
            "cannot advance by {count} byte{}, {remaining} remain",
            plural(count == 1)
        );
        let head = count.min(self.head.len());
        self.head.advance(head);
        let count = count.saturating_sub(head);
        let payload = count.min(self.payload.len());
        self.payload.advance(payload);
        self.consumed = self.consumed.saturating_add(count.saturating_sub(payload));
    }
}

impl IntoIterator for EncodedMessage {
    type Item = Bytes;
    type IntoIter = EncodedIter;

    fn into_iter(self) -> EncodedIter {
        let trailer = Bytes::copy_from_slice(self.trailer());
        let [head, trailer] = [self.head, trailer].map(|b| (!b.is_empty()).then_some(b));
        EncodedIter {
            head,
            payload: self.payload.into_iter(),
            trailer,
        }
    }
}

/// An iterator over the pieces of an [`EncodedMessage`]. None of them is empty.
#[derive(Clone, Debug)]
pub struct EncodedIter {
    head: Option<Bytes>,
    payload: crate::payload::PayloadIter,
    trailer: Option<Bytes>,
}

impl Iterator for EncodedIter {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let head = self.head.take();
        head.or_else(|| self.payload.next())
            .or_else(|| self.trailer.take())
    }
}

/// The lengths in a prelude.
#[derive(Clone, Copy)]
struct Lengths {
    total: u32,
    headers: u32,
}

fn lengths(headers: Headers<'_>, payload: usize) -> Result<Lengths, EncodeError> {
    let headers = headers.as_bytes().len();
    let total = (headers as u64)
        .saturating_add(payload as u64)
        .saturating_add(OVERHEAD as u64);
    match (u32::try_from(total), u32::try_from(headers)) {
        (Ok(total), Ok(headers)) => Ok(Lengths { total, headers }),
        _ => Err(EncodeError::MessageTooLong {
            limit: u32::MAX.into(),
            actual: total,
        }),
    }
}

/// The prelude, and a hasher that has hashed it.
fn prelude(lengths: Lengths) -> ([u8; PRELUDE], Hasher) {
    let [t0, t1, t2, t3] = lengths.total.to_be_bytes();
    let [h0, h1, h2, h3] = lengths.headers.to_be_bytes();
    let mut hasher = Hasher::new();
    hasher.update(&[t0, t1, t2, t3, h0, h1, h2, h3]);
    let [c0, c1, c2, c3] = hasher.clone().finalize().to_be_bytes();
    hasher.update(&[c0, c1, c2, c3]);
    ([t0, t1, t2, t3, h0, h1, h2, h3, c0, c1, c2, c3], hasher)
}
