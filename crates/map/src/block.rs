//! Short texts that share memory.

use std::mem::swap;

use bytes::{Bytes, BytesMut};

/// The maximum length of a text that shares its memory with others, in bytes.
const SHORT: usize = 1 << 10;

/// The size of the memory that texts share, in bytes.
const SIZE: usize = 4 << 10;

/// The maximum capacity, in bytes, of a buffer that is kept for the next text.
pub(crate) const KEPT: usize = 64 << 10;

/// Copies texts, the short ones next to each other, so that few of them need an allocation.
///
/// Thousands of small allocations that one thread makes and another one frees cost more than copying:
/// an allocator is fast only within a thread. A text keeps the memory of its neighbors.
#[derive(Debug)]
pub(crate) struct Block {
    filling: BytesMut,
    /// The memory before that, to be filled again once all of its texts are dropped.
    full: BytesMut,
}

impl Block {
    pub(crate) fn new() -> Self {
        Self {
            filling: BytesMut::with_capacity(SIZE),
            full: BytesMut::new(),
        }
    }

    /// Copies a text.
    pub(crate) fn keep(&mut self, text: &[u8]) -> Bytes {
        if text.len() > SHORT {
            return Bytes::copy_from_slice(text);
        }
        if self.filling.capacity() < text.len() {
            swap(&mut self.filling, &mut self.full);
            if !self.filling.try_reclaim(SIZE) {
                self.filling = BytesMut::with_capacity(SIZE);
            }
        }
        self.filling.extend_from_slice(text);
        self.filling.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn texts_stay_as_they_are_while_others_follow() {
        let mut block = Block::new();
        let texts: Vec<Vec<u8>> = (0..200).map(|n| vec![n as u8; n * 13]).collect();
        let kept: Vec<Bytes> = texts.iter().map(|text| block.keep(text)).collect();
        assert_eq!(kept, texts);
    }

    #[test]
    fn memory_is_used_again_once_its_texts_are_dropped() {
        let mut block = Block::new();
        let places: HashSet<usize> = (0..10_000)
            .map(|_| block.keep(&[7; 64]).as_ptr().addr())
            .collect();
        assert_eq!(places.len(), 2 * SIZE / 64);
    }
}
