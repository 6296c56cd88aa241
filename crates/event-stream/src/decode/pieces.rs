//! A queue of pushed bytes.

use alloc::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// How many small pieces are kept as they are, in addition to one for every [`LARGE`] bytes.
const KEPT: usize = 16;
/// The length in bytes from which a piece is always kept as it is.
const LARGE: usize = 4096;
/// The size, in bytes, of the buffers in which smaller pieces are collected.
const BUFFER: usize = 4096;

/// Pieces in order, none of them empty.
///
/// A piece costs a handle of 32 bytes, and keeps the whole buffer in memory that it is a part of:
/// perhaps a read buffer of 64 KiB for one byte. Therefore `n` bytes may include only `KEPT + n /
/// LARGE` small pieces that are kept as they are. Further small pieces are copied, once, into
/// buffers that belong to the queue.
#[derive(Clone, Debug, Default)]
pub(super) struct Pieces {
    kept: VecDeque<Bytes>,
    gathered: BytesMut,
    len: usize,
}

impl Pieces {
    pub(super) fn push(&mut self, piece: Bytes) {
        if piece.is_empty() {
            return;
        }
        self.len = self.len.saturating_add(piece.len());
        let kept = KEPT.saturating_add(self.len / LARGE);
        if piece.len() >= LARGE || self.kept.len() < kept {
            if self.kept.capacity() == 0 {
                self.kept.reserve(KEPT);
            }
            self.seal();
            self.kept.push_back(piece);
            return;
        }
        let mut rest = &*piece;
        while !rest.is_empty() {
            if self.room() == 0 {
                self.seal();
                self.gathered.reserve(BUFFER);
            }
            let (part, after) = rest.split_at_checked(self.room()).unwrap_or((rest, &[]));
            self.gathered.extend_from_slice(part);
            rest = after;
        }
    }

    /// How many bytes can be collected without a new buffer.
    fn room(&self) -> usize {
        self.gathered.capacity().saturating_sub(self.gathered.len())
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<Bytes> {
        if self.kept.is_empty() {
            self.seal();
        }
        let piece = self.kept.pop_front()?;
        self.len = self.len.saturating_sub(piece.len());
        Some(piece)
    }

    /// All pieces, in order.
    pub(super) fn into_inner(mut self) -> VecDeque<Bytes> {
        self.seal();
        self.kept
    }

    /// How many bytes there are.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Ends the piece that is being collected, so that the next piece can follow it.
    #[inline]
    fn seal(&mut self) {
        if !self.gathered.is_empty() {
            self.kept.push_back(self.gathered.split().freeze());
        }
    }
}
