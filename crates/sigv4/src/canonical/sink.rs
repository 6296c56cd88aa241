//! Destinations of the canonical request: SHA-256, or a vector to display.

use ring::digest::{Context, SHA256};

/// A destination for bytes; writing to it cannot fail.
pub(crate) trait Sink {
    fn put(&mut self, bytes: &[u8]);

    /// Lets `fill` write into the free space and return how many bytes it wrote. If `fill` returns
    /// `None`, nothing is kept, and this returns false.
    fn fill(&mut self, fill: impl FnOnce(&mut [u8]) -> Option<usize>) -> bool;
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn fill(&mut self, fill: impl FnOnce(&mut [u8]) -> Option<usize>) -> bool {
        let before = self.len();
        self.resize(before + BUFFER, 0);
        let filled = fill(&mut self[before..]);
        self.truncate(before + filled.unwrap_or_default());
        filled.is_some()
    }
}

const BUFFER: usize = 2048;

/// Begins on a cache line, so that no load of a block's words crosses one.
#[repr(align(64))]
struct Aligned([u8; BUFFER]);

/// SHA-256 behind a buffer on the stack: the canonical request comes in pieces of a few bytes, and
/// the hash is fast only if it gets many blocks at a time. Nearly every canonical request fits into
/// the buffer.
pub(super) struct Hasher<'b> {
    buffer: &'b mut [u8; BUFFER],
    filled: usize,
    context: &'b mut Context,
}

/// The SHA-256 of the bytes that `write` writes.
pub(super) fn hash(write: impl FnOnce(&mut Hasher<'_>)) -> [u8; 32] {
    // Borrowed, because moving the buffer and the context costs more than filling them.
    let (mut buffer, mut context) = (Aligned([0; BUFFER]), Context::new(&SHA256));
    let mut hasher = Hasher {
        buffer: &mut buffer.0,
        filled: 0,
        context: &mut context,
    };
    write(&mut hasher);
    let filled = hasher.filled;
    context.update(&buffer.0[..filled]);
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

impl Hasher<'_> {
    /// Writes a piece that is too long for the rest of the buffer. Only whole buffers are hashed, so
    /// that `ring` never has to keep part of a block.
    fn put_long(&mut self, bytes: &[u8]) {
        let (now, later) = bytes.split_at(BUFFER - self.filled);
        self.buffer[self.filled..].copy_from_slice(now);
        self.context.update(self.buffer);
        let mut buffers = later.chunks_exact(BUFFER);
        for whole in &mut buffers {
            self.context.update(whole);
        }
        let rest = buffers.remainder();
        self.buffer[..rest.len()].copy_from_slice(rest);
        self.filled = rest.len();
    }
}

impl Sink for Hasher<'_> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        match self.buffer.get_mut(self.filled..self.filled + bytes.len()) {
            Some(free) => {
                free.copy_from_slice(bytes);
                self.filled += bytes.len();
            }
            None => self.put_long(bytes),
        }
    }

    #[inline]
    fn fill(&mut self, fill: impl FnOnce(&mut [u8]) -> Option<usize>) -> bool {
        let filled = fill(&mut self.buffer[self.filled..]);
        self.filled += filled.unwrap_or_default();
        filled.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::sha256;

    #[test]
    fn pieces_of_any_size_hash_as_the_whole() {
        let bytes: Vec<u8> = (0..10_000_u32)
            .map(|number| ((number * 31) >> 3) as u8)
            .collect();
        for size in [1, 7, 63, 64, 65, 511, 2047, 2048, 2049, 4096, 5000, 10_000] {
            let hash = hash(|hasher| {
                for piece in bytes.chunks(size) {
                    hasher.put(piece);
                }
                hasher.put(b"");
            });
            assert_eq!(hash, sha256(&bytes), "pieces of {size}");
        }
    }

    #[test]
    fn what_is_filled_is_hashed_only_if_it_is_kept() {
        for before in [0, 1, 64, 2000, 2047, 2048, 3000] {
            for length in [0, 1, 48, 2047, 2048, 2049] {
                let mut expected = vec![b'b'; before];
                let mut filled = false;
                let hash = hash(|hasher| {
                    hasher.put(&expected);
                    assert!(!hasher.fill(|space| {
                        space.fill(b'x');
                        None
                    }));
                    filled = hasher.fill(|space| {
                        space.get_mut(..length)?.fill(b'f');
                        Some(length)
                    });
                });
                let taken = if before > BUFFER {
                    before % BUFFER
                } else {
                    before
                };
                assert_eq!(filled, taken + length <= BUFFER, "{length} after {before}");
                if filled {
                    expected.extend(vec![b'f'; length]);
                }
                assert_eq!(hash, sha256(&expected), "{length} after {before}");
            }
        }
    }
}
