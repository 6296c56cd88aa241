//! Short texts that share memory.

use bytes::{Bytes, BytesMut};

/// The maximum length of a text that shares its memory with others, in bytes.
const SHORT: usize = 1 << 10;

/// The size of the memory that texts share, in bytes.
const SIZE: usize = 16 << 10;

/// The maximum capacity, in bytes, of a buffer that is kept for the next text.
pub(crate) const KEPT: usize = 64 << 10;

/// Copies texts, the short ones next to each other, so that few of them need an allocation.
///
/// Thousands of small allocations that one thread makes and another one frees cost more than copying:
/// an allocator is fast only within a thread. A text keeps the memory of its neighbours.
#[derive(Debug)]
pub(crate) struct Block(BytesMut);

impl Block {
    pub(crate) fn new() -> Self {
        Self(BytesMut::with_capacity(SIZE))
    }

    /// Copies a text.
    pub(crate) fn keep(&mut self, text: &[u8]) -> Bytes {
        if text.len() > SHORT {
            return Bytes::copy_from_slice(text);
        }
        self.0.extend_from_slice(text);
        self.0.split().freeze()
    }

    /// Copies a text if it is short; others may have memory of their own already.
    pub(crate) fn keep_short(&mut self, text: Bytes) -> Bytes {
        match text.len() > SHORT {
            true => text,
            false => self.keep(&text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_as_they_are_while_others_follow() {
        let mut block = Block::new();
        let texts: Vec<Vec<u8>> = (0..200).map(|n| vec![n as u8; n * 13]).collect();
        let kept: Vec<Bytes> = texts.iter().map(|text| block.keep(text)).collect();
        assert_eq!(kept, texts);
    }

    #[test]
    fn short_texts_do_not_keep_the_memory_that_they_came_in() {
        let large = Bytes::from(vec![7; 100_000]);
        let short = Block::new().keep_short(large.slice(5..9));
        assert_eq!(short, &[7; 4][..]);
        assert!(large.is_unique());
        let long = large.slice(..SHORT + 1);
        assert_eq!(
            Block::new().keep_short(long.clone()).as_ptr(),
            long.as_ptr()
        );
    }
}
