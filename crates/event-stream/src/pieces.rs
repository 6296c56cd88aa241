//! A queue of bytes that were pushed in pieces and are kept as they came.

use alloc::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// So many pieces are kept as they are, however small, and one more for each [`LARGE`] bytes.
const KEPT: usize = 16;
/// A piece with so many bytes is always kept as it is.
const LARGE: usize = 512;
/// What other pieces are gathered in.
const BUFFER: usize = 4096;

/// Pieces in order, none of them empty.
///
/// A handle to a piece costs 32 bytes, so a message that comes byte by byte would cost 32 times
/// what it has. Pieces beyond one for each [`LARGE`] bytes, and [`KEPT`] more, are therefore copied
/// together, each once, unless they are large themselves. So the list of handles costs at most a
/// quarter of what the bytes do, and nothing is done twice.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pieces {
    kept: VecDeque<Bytes>,
    gathered: BytesMut,
    len: usize,
}

impl Pieces {
    pub(crate) fn push(&mut self, piece: Bytes) {
        if piece.is_empty() {
            return;
        }
        self.len = self.len.saturating_add(piece.len());
        let kept = KEPT.saturating_add(self.len / LARGE);
        if piece.len() >= LARGE || self.kept.len() < kept {
            self.seal();
            self.kept.push_back(piece);
            return;
        }
        let room = self.gathered.capacity().saturating_sub(self.gathered.len());
        if room < piece.len() {
            self.seal();
            self.gathered.reserve(BUFFER);
        }
        self.gathered.extend_from_slice(&piece);
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Bytes> {
        if self.is_empty() {
            return None;
        }
        if self.kept.is_empty() {
            self.seal();
        }
        let piece = self.kept.pop_front()?;
        self.len = self.len.saturating_sub(piece.len());
        Some(piece)
    }

    /// Makes room for the handles of that many more pieces.
    pub(crate) fn reserve(&mut self, pieces: usize) {
        self.kept.reserve(pieces.min(KEPT));
    }

    /// All pieces, in order.
    pub(crate) fn into_inner(mut self) -> VecDeque<Bytes> {
        self.seal();
        self.kept
    }

    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Ends what is being gathered, so that the next piece can follow it.
    #[inline]
    fn seal(&mut self) {
        if !self.gathered.is_empty() {
            self.kept.push_back(self.gathered.split().freeze());
        }
    }
}
