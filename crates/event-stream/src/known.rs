//! The header block that was last found to be well formed.

use crate::error::DecodeError;
use crate::headers;

/// As long a block is remembered. The service's are 84 to 97 bytes.
const LONGEST: usize = 128;

/// Remembers a block, since nearly all messages of a stream have the same one: to compare costs a
/// fraction of a check. It is a copy, so that it keeps no piece of the stream in memory.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Known {
    /// Checks a block that begins at that byte of the stream.
    #[inline]
    pub(crate) fn check(&mut self, block: &[u8], offset: u64) -> Result<(), DecodeError> {
        if self
            .bytes
            .get(..self.len)
            .is_some_and(|known| known == block)
        {
            return Ok(());
        }
        headers::check(block, offset)?;
        if let Some(bytes) = self.bytes.get_mut(..block.len()) {
            bytes.copy_from_slice(block);
            self.len = block.len();
        }
        Ok(())
    }
}

impl Default for Known {
    // The empty block, which is well formed.
    fn default() -> Self {
        Self {
            bytes: [0; LONGEST],
            len: 0,
        }
    }
}
