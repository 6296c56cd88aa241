use alloc::collections::VecDeque;
use alloc::collections::vec_deque;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::iter;

use bytes::{Buf, BufMut, Bytes};

use crate::error::plural;

/// The payload of a message, as the slices of the pushed [`Bytes`] that it lies in.
///
/// There is one slice if the message was received in one piece, and several if it spans pieces. A
/// payload is a [`Buf`] and an iterator of [`Bytes`]; neither copies.
/// [`to_bytes`](Self::to_bytes) and [`into_bytes`](Self::into_bytes) copy only if there are several
/// slices. Payloads are compared byte by byte: how they are divided into slices makes no
/// difference.
///
/// A slice keeps the whole buffer in memory that it is a part of. Call
/// [`compact`](Self::compact) before storing small payloads.
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
#[derive(Default)]
pub struct Payload {
    /// The first slice. It is empty only if the payload is, or while `prefix` is not 0.
    first: Bytes,
    /// How many bytes of `first` come before the payload: the header block of the [`Message`] that
    /// the payload is borrowed from, and otherwise 0. Both share one handle, because reference
    /// counting is a large part of the cost of decoding a small message.
    ///
    /// [`Message`]: crate::Message
    prefix: usize,
    /// The other slices, none of them empty. Most payloads have no other slices and therefore no
    /// deque: dropping an empty deque takes a tenth of the time of decoding a small message.
    rest: Option<VecDeque<Bytes>>,
    /// The length of the payload, without the prefix.
    len: usize,
}

impl Payload {
    /// An empty payload.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            first: Bytes::new(),
            prefix: 0,
            rest: None,
            len: 0,
        }
    }

    /// The length in bytes.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bytes.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The slices, in order. None of them is empty.
    pub fn slices(&self) -> impl Iterator<Item = &[u8]> {
        iter::once(self.front())
            .filter(|front| !front.is_empty())
            .chain(self.others().map(|slice| &**slice))
    }

    /// The payload in one piece: shared if it has one slice, copied otherwise.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        match self.only() {
            Some((slice, prefix)) => slice.slice(prefix..),
            None => concat(self.slices(), self.len),
        }
    }

    /// The payload in one piece: not copied if it has one slice.
    #[must_use]
    pub fn into_bytes(mut self) -> Bytes {
        self.drop_prefix();
        if self.others().len() == 0 {
            self.first
        } else {
            concat(self.slices(), self.len)
        }
    }

    /// Copies every slice of fewer than `min_slice` bytes, so that it no longer keeps the buffer in
    /// memory that it was received in.
    ///
    /// Adjacent slices that are copied become one, in an allocation of exactly their length. Slices
    /// of `min_slice` bytes and more stay as they are. So if the pushed buffers have at most `b`
    /// bytes, the payload afterwards holds at most its own length times `b / min_slice`, and with
    /// `usize::MAX` exactly its own length.
    ///
    /// # Example
    ///
    /// ```
    /// use bytes::Bytes;
    /// use lambda_invoke_event_stream::Payload;
    ///
    /// let buffer = Bytes::from(vec![b'x'; 64 * 1024]);
    /// let mut payload = Payload::from(buffer.slice(..10));
    /// assert!(!buffer.is_unique());
    ///
    /// payload.compact(4096);
    /// assert!(buffer.is_unique(), "nothing but `buffer` itself holds the 64 KiB");
    /// assert_eq!(payload, b"xxxxxxxxxx");
    /// ```
    pub fn compact(&mut self, min_slice: usize) {
        let Some(rest) = self.rest.as_mut().filter(|rest| !rest.is_empty()) else {
            if self.first.len() < min_slice {
                self.first = Bytes::copy_from_slice(&self.first);
            }
            return;
        };
        let mut slices = VecDeque::with_capacity(rest.len());
        let mut run: Vec<Bytes> = Vec::new();
        let end_run = |run: &mut Vec<Bytes>, slices: &mut VecDeque<Bytes>| {
            let len = run
                .iter()
                .fold(0_usize, |len, b| len.saturating_add(b.len()));
            if len > 0 {
                slices.push_back(concat(run.iter().map(|slice| &**slice), len));
            }
            run.clear();
        };
        let first = core::mem::take(&mut self.first);
        for slice in iter::once(first).chain(rest.drain(..)) {
            if slice.len() < min_slice {
                run.push(slice);
            } else {
                end_run(&mut run, &mut slices);
                slices.push_back(slice);
            }
        }
        end_run(&mut run, &mut slices);
        self.first = slices.pop_front().unwrap_or_default();
        self.rest = Some(slices);
    }

    /// A payload in one slice: `first` without its first `prefix` bytes.
    #[inline]
    pub(crate) fn contiguous(first: Bytes, prefix: usize) -> Self {
        Self {
            len: first.len().saturating_sub(prefix),
            first,
            prefix,
            rest: None,
        }
    }

    /// A payload of `len` bytes in slices, none of them empty, after a prefix.
    pub(crate) fn in_slices(prefix: Bytes, mut slices: VecDeque<Bytes>, len: usize) -> Self {
        let prefix_len = prefix.len();
        let first = if prefix.is_empty() {
            slices.pop_front().unwrap_or_default()
        } else {
            prefix
        };
        Self {
            first,
            prefix: prefix_len,
            rest: Some(slices),
            len,
        }
    }

    /// The bytes before the payload.
    #[inline]
    pub(crate) fn prefix(&self) -> &[u8] {
        self.first.get(..self.prefix).unwrap_or_default()
    }

    /// The bytes before the payload, not copied.
    pub(crate) fn share_prefix(&self) -> Bytes {
        self.first.slice(..self.prefix)
    }

    /// Copies the handles, including the one of the prefix.
    pub(crate) fn clone_with_prefix(&self) -> Self {
        Self {
            first: self.first.clone(),
            prefix: self.prefix,
            rest: self.rest.clone(),
            len: self.len,
        }
    }

    /// Drops the prefix.
    #[inline]
    pub(crate) fn drop_prefix(&mut self) {
        self.first.advance(self.prefix);
        self.prefix = 0;
        if self.first.is_empty() {
            // Even an empty handle keeps its buffer in memory.
            self.first = self.next_slice();
        }
    }

    /// Takes the first slice of the rest.
    #[inline]
    fn next_slice(&mut self) -> Bytes {
        let next = self.rest.as_mut().and_then(VecDeque::pop_front);
        next.unwrap_or_default()
    }

    /// The slices after the first.
    #[inline]
    fn others(&self) -> impl ExactSizeIterator<Item = &Bytes> {
        self.rest.as_ref().map(VecDeque::iter).unwrap_or_default()
    }

    /// The slice that holds the whole payload, and how many of its bytes come before the payload;
    /// `None` if there are several slices.
    #[inline]
    fn only(&self) -> Option<(&Bytes, usize)> {
        let mut others = self.others();
        match (others.next(), others.len()) {
            (None, _) => Some((&self.first, self.prefix)),
            (Some(only), 0) if self.front().is_empty() => Some((only, 0)),
            _ => None,
        }
    }

    /// The slices, none of them empty.
    pub(crate) fn into_slices(mut self) -> VecDeque<Bytes> {
        self.drop_prefix();
        let mut slices = self.rest.unwrap_or_default();
        if !self.first.is_empty() {
            slices.push_front(self.first);
        }
        slices
    }

    /// The first slice, which may be empty.
    #[inline]
    fn front(&self) -> &[u8] {
        self.first.get(self.prefix..).unwrap_or_default()
    }
}

/// Copies slices into one allocation of exactly `len` bytes, their total length.
fn concat<'a>(slices: impl Iterator<Item = &'a [u8]>, len: usize) -> Bytes {
    let mut whole = Vec::with_capacity(len);
    slices.for_each(|slice| whole.extend_from_slice(slice));
    whole.into()
}

impl Clone for Payload {
    // Without the header block of the message that it may be borrowed from.
    fn clone(&self) -> Self {
        if let Some((slice, prefix)) = self.only() {
            let mut slice = slice.clone();
            slice.advance(prefix);
            return slice.into();
        }
        let mut clone = self.clone_with_prefix();
        clone.drop_prefix();
        clone
    }
}

impl Buf for Payload {
    fn remaining(&self) -> usize {
        self.len
    }

    fn chunk(&self) -> &[u8] {
        self.slices().next().unwrap_or_default()
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
            "cannot advance by {count} byte{}, {} remain",
            plural(count == 1),
            self.len
        );
        self.drop_prefix();
        self.len = self.len.saturating_sub(count);
        while count > 0 && count >= self.first.len() {
            count = count.saturating_sub(self.first.len());
            self.first = self.next_slice();
        }
        self.first.advance(count);
    }

    /// # Panics
    ///
    /// If `count` is more than [`remaining`](Self::remaining), as every [`Buf`] does.
    fn copy_to_bytes(&mut self, count: usize) -> Bytes {
        assert!(
            count <= self.len,
            "cannot copy {count} byte{}, {} remain",
            plural(count == 1),
            self.len
        );
        self.drop_prefix();
        if count > self.first.len() {
            let mut copied = Vec::with_capacity(count);
            copied.put(self.take(count));
            return copied.into();
        }
        self.len = self.len.saturating_sub(count);
        let shared = self.first.split_to(count);
        // The next slice moves up if this one was used up.
        self.drop_prefix();
        shared
    }
}

impl IntoIterator for Payload {
    type Item = Bytes;
    type IntoIter = PayloadIter;

    fn into_iter(mut self) -> PayloadIter {
        self.drop_prefix();
        let first = (!self.first.is_empty()).then_some(self.first);
        PayloadIter {
            first,
            rest: self.rest.unwrap_or_default().into_iter(),
        }
    }
}

/// An iterator over the slices of a [`Payload`]. None of them is empty.
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
    fn from(bytes: Bytes) -> Self {
        Self::contiguous(bytes, 0)
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
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
        let slices: VecDeque<Bytes> = slices
            .into_iter()
            .filter(|slice| !slice.is_empty())
            .collect();
        let len = slices
            .iter()
            .fold(0_usize, |len, slice| len.saturating_add(slice.len()));
        Self::in_slices(Bytes::new(), slices, len)
    }
}

impl fmt::Debug for Payload {
    // Without the bytes: they are user data, and may be millions.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload")
            .field("len", &self.len)
            .field("slices", &self.slices().count())
            .finish()
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && same_bytes(self.slices(), other.slices())
    }
}

impl Eq for Payload {}

impl PartialEq<[u8]> for Payload {
    fn eq(&self, other: &[u8]) -> bool {
        self.len == other.len() && same_bytes(self.slices(), iter::once(other))
    }
}

/// Whether slices with the same total length have the same bytes.
fn same_bytes<'a>(
    left: impl Iterator<Item = &'a [u8]>,
    mut right: impl Iterator<Item = &'a [u8]>,
) -> bool {
    let mut theirs: &[u8] = &[];
    for mut ours in left {
        while !ours.is_empty() {
            if theirs.is_empty() {
                match right.next() {
                    Some(next) => theirs = next,
                    None => return false,
                }
            }
            let common = ours.len().min(theirs.len());
            let ((our_head, our_tail), (their_head, their_tail)) =
                (ours.split_at(common), theirs.split_at(common));
            if our_head != their_head {
                return false;
            }
            (ours, theirs) = (our_tail, their_tail);
        }
    }
    true
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
