use alloc::collections::VecDeque;
use alloc::collections::vec_deque;
use alloc::vec::Vec;
use core::fmt;
use core::iter;

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// A message's payload: the slices of the pushed [`Bytes`] that it lies in, in order.
///
/// It is one slice if the message came in one piece, and several if it spans several. It is a
/// [`Buf`] and an iterator of [`Bytes`], neither of which copies; only
/// [`to_bytes`](Self::to_bytes) and [`into_bytes`](Self::into_bytes) do, and only if there are
/// several slices. Two payloads are equal if their bytes are, however they are cut.
///
/// # Example
///
/// ```
/// use bytes::Bytes;
/// use lambda_invoke_event_stream::Payload;
///
/// let payload: Payload = ["hel", "lo"].into_iter().map(Bytes::from).collect();
/// assert_eq!(payload, b"hello");
/// assert_eq!(payload.len(), 5);
/// assert_eq!(payload.slices().count(), 2);
/// assert_eq!(payload.into_bytes(), "hello");
/// ```
#[derive(Clone, Default)]
pub struct Payload {
    // Empty only if the whole payload is.
    first: Bytes,
    rest: VecDeque<Bytes>,
    len: usize,
}

impl Payload {
    /// A payload without bytes.
    pub const fn new() -> Self {
        Self {
            first: Bytes::new(),
            rest: VecDeque::new(),
            len: 0,
        }
    }

    /// How many bytes it has.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no byte.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The slices it lies in; none of them is empty.
    pub fn slices(&self) -> impl Iterator<Item = &Bytes> {
        iter::once(&self.first)
            .filter(|first| !first.is_empty())
            .chain(&self.rest)
    }

    /// All bytes in one piece: not copied if they are in one, copied together if not.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        if self.rest.is_empty() {
            return self.first.clone();
        }
        let mut whole = BytesMut::with_capacity(self.len);
        self.slices().for_each(|slice| whole.put_slice(slice));
        whole.freeze()
    }

    /// All bytes in one piece: not copied if they are in one, copied together if not.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        if self.rest.is_empty() {
            self.first
        } else {
            self.to_bytes()
        }
    }

    /// Takes slices, none of them empty except perhaps the first, that together have `len` bytes.
    #[inline]
    pub(crate) fn from_first(first: Bytes, mut rest: VecDeque<Bytes>, len: usize) -> Self {
        let first = if first.is_empty() {
            rest.pop_front().unwrap_or_default()
        } else {
            first
        };
        Self { first, rest, len }
    }

    /// The slices, none of them empty.
    pub(crate) fn into_slices(self) -> VecDeque<Bytes> {
        let mut slices = self.rest;
        if !self.first.is_empty() {
            slices.push_front(self.first);
        }
        slices
    }
}

impl Buf for Payload {
    fn remaining(&self) -> usize {
        self.len
    }

    fn chunk(&self) -> &[u8] {
        &self.first
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, out: &mut [std::io::IoSlice<'a>]) -> usize {
        out.iter_mut()
            .zip(self.slices())
            .fold(0, |filled, (to, slice)| {
                *to = std::io::IoSlice::new(slice);
                filled.saturating_add(1)
            })
    }

    /// # Panics
    ///
    /// If `count` is more than [`remaining`](Self::remaining), as every [`Buf`] does.
    fn advance(&mut self, mut count: usize) {
        assert!(
            count <= self.len,
            "cannot advance by {count} bytes, {} remain",
            self.len
        );
        self.len = self.len.saturating_sub(count);
        while count >= self.first.len() {
            count = count.saturating_sub(self.first.len());
            self.first = match self.rest.pop_front() {
                Some(next) => next,
                None => {
                    self.first = Bytes::new();
                    return;
                }
            };
        }
        self.first.advance(count);
    }

    fn copy_to_bytes(&mut self, count: usize) -> Bytes {
        if count == self.first.len() {
            let first = core::mem::take(&mut self.first);
            self.len = self.len.saturating_sub(count);
            self.first = self.rest.pop_front().unwrap_or_default();
            return first;
        }
        if count < self.first.len() {
            self.len = self.len.saturating_sub(count);
            return self.first.split_to(count);
        }
        assert!(
            count <= self.len,
            "cannot copy {count} bytes, {} remain",
            self.len
        );
        let mut copied = BytesMut::with_capacity(count);
        copied.put(self.take(count));
        copied.freeze()
    }
}

impl IntoIterator for Payload {
    type Item = Bytes;
    type IntoIter = PayloadIter;

    fn into_iter(self) -> PayloadIter {
        let first = (!self.first.is_empty()).then_some(self.first);
        PayloadIter {
            first,
            rest: self.rest.into_iter(),
        }
    }
}

/// An iterator over the slices of a [`Payload`]; none of them is empty.
#[derive(Clone, Debug)]
pub struct PayloadIter {
    first: Option<Bytes>,
    rest: vec_deque::IntoIter<Bytes>,
}

impl Iterator for PayloadIter {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        self.first.take().or_else(|| self.rest.next())
    }
}

impl From<Bytes> for Payload {
    fn from(first: Bytes) -> Self {
        let len = first.len();
        Self {
            first,
            rest: VecDeque::new(),
            len,
        }
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<&'static [u8]> for Payload {
    fn from(bytes: &'static [u8]) -> Self {
        Bytes::from_static(bytes).into()
    }
}

impl From<&'static str> for Payload {
    fn from(text: &'static str) -> Self {
        text.as_bytes().into()
    }
}

impl FromIterator<Bytes> for Payload {
    fn from_iter<I: IntoIterator<Item = Bytes>>(slices: I) -> Self {
        let pieces: VecDeque<Bytes> = slices
            .into_iter()
            .filter(|slice| !slice.is_empty())
            .collect();
        let len = pieces
            .iter()
            .fold(0_usize, |len, slice| len.saturating_add(slice.len()));
        Self::from_first(Bytes::new(), pieces, len)
    }
}

impl fmt::Debug for Payload {
    // Not the bytes: they are someone's data, and there may be millions of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload")
            .field("len", &self.len)
            .field("slices", &self.slices().count())
            .finish()
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        if other.rest.is_empty() {
            return *self == *other.first;
        }
        if self.rest.is_empty() {
            return *other == *self.first;
        }
        self.len == other.len && self.slices().flatten().eq(other.slices().flatten())
    }
}

impl Eq for Payload {}

impl PartialEq<[u8]> for Payload {
    fn eq(&self, other: &[u8]) -> bool {
        let mut rest = other;
        self.len == other.len()
            && self
                .slices()
                .all(|slice| match rest.split_at_checked(slice.len()) {
                    Some((head, tail)) => {
                        rest = tail;
                        head == slice
                    }
                    None => false,
                })
    }
}

impl PartialEq<&[u8]> for Payload {
    fn eq(&self, other: &&[u8]) -> bool {
        *self == **other
    }
}

impl<const N: usize> PartialEq<[u8; N]> for Payload {
    fn eq(&self, other: &[u8; N]) -> bool {
        *self == other[..]
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for Payload {
    fn eq(&self, other: &&[u8; N]) -> bool {
        *self == other[..]
    }
}
