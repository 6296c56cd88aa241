//! A message that spans several pieces, after its first 12 bytes.

use bytes::{Buf, Bytes, BytesMut};
use crc32fast::Hasher;

use crate::error::DecodeError;
use crate::known::Known;
use crate::message::Message;
use crate::pieces::Pieces;
use crate::prelude::{self, HASHED, PRELUDE, Prelude, TRAILER};

/// What came of the message so far. Each byte goes into the checksum as it comes.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    prelude: Prelude,
    hasher: Hasher,
    headers: Block,
    payload: Pieces,
    trailer: [u8; TRAILER],
    trailer_len: usize,
}

/// A header block: a slice if it lies in one piece, copied together if it spans several.
#[derive(Clone, Debug)]
enum Block {
    Whole(Bytes),
    // Grows with what comes, not by what the prelude states.
    Copied(BytesMut),
}

impl Block {
    fn len(&self) -> usize {
        match self {
            Self::Whole(bytes) => bytes.len(),
            Self::Copied(bytes) => bytes.len(),
        }
    }
}

impl Body {
    pub(crate) fn new(prelude: Prelude, mut hasher: Hasher, first: &[u8; PRELUDE]) -> Self {
        hasher.update(first.get(HASHED..).unwrap_or_default());
        Self {
            prelude,
            hasher,
            headers: Block::Copied(BytesMut::new()),
            payload: Pieces::default(),
            trailer: [0; TRAILER],
            trailer_len: 0,
        }
    }

    /// How many bytes of the message came.
    pub(crate) fn received(&self) -> usize {
        let body = self.headers.len().saturating_add(self.payload.len());
        PRELUDE
            .saturating_add(body)
            .saturating_add(self.trailer_len)
    }

    /// How many bytes the whole message has.
    pub(crate) fn total(&self) -> usize {
        self.prelude.total
    }

    /// Takes what belongs to the message off the piece. Says whether that was the end of it.
    pub(crate) fn take(&mut self, piece: &mut Bytes) -> bool {
        let headers_left = self.prelude.headers.saturating_sub(self.headers.len());
        let payload_left = self.prelude.payload().saturating_sub(self.payload.len());
        // One pass over all that is here, rather than one for each part.
        let here = headers_left.saturating_add(payload_left).min(piece.len());
        self.hasher.update(piece.get(..here).unwrap_or_default());

        if headers_left == 0 && here == piece.len() {
            // In the midst of a long payload: nothing to cut, and nothing behind it.
            self.keep(core::mem::take(piece), payload_left);
            return false;
        }
        self.take_headers(headers_left.min(here), piece);
        let here = payload_left.min(piece.len());
        if here > 0 {
            self.keep(piece.split_to(here), payload_left);
        }
        take_into(&mut self.trailer, &mut self.trailer_len, piece);
        self.trailer_len == TRAILER
    }

    fn take_headers(&mut self, count: usize, piece: &mut Bytes) {
        if count == 0 {
            return;
        }
        let here = piece.split_to(count);
        match &mut self.headers {
            Block::Copied(block) if !block.is_empty() || count < self.prelude.headers => {
                block.extend_from_slice(&here);
            }
            headers => *headers = Block::Whole(here),
        }
    }

    /// Keeps the next slice of the payload, of which `left` bytes were to come.
    fn keep(&mut self, slice: Bytes, left: usize) {
        // As a rule the pieces of a stream are of about one size.
        if self.payload.is_empty() && slice.len() < left {
            self.payload.reserve(left.div_ceil(slice.len().max(1)));
        }
        self.payload.push(slice);
    }

    /// The message, if its checksum and headers are right; `offset` is where it began.
    pub(crate) fn finish(self, offset: u64, known: &mut Known) -> Result<Message, DecodeError> {
        prelude::check_trailer(self.trailer, self.hasher, offset, self.prelude.total)?;
        let block = match self.headers {
            Block::Whole(block) => block,
            Block::Copied(block) => block.freeze(),
        };
        known.check(&block, offset.saturating_add(PRELUDE as u64))?;
        let slices = self.payload.into_inner();
        Ok(Message::in_slices(block, slices, self.prelude.payload()))
    }
}

/// Fills `to` further, of which `len` bytes are filled, from the front of the piece.
pub(crate) fn take_into(to: &mut [u8], len: &mut usize, piece: &mut Bytes) {
    let empty = to.get_mut(*len..).unwrap_or_default();
    let count = empty.len().min(piece.len());
    for (to, from) in empty.iter_mut().zip(piece.iter()) {
        *to = *from;
    }
    piece.advance(count);
    *len = len.saturating_add(count);
}
