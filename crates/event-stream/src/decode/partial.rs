//! A message that spans several pieces, after its first 12 bytes.

use bytes::{Buf, Bytes, BytesMut};
use crc32fast::Hasher;

use super::pieces::Pieces;
use crate::error::DecodeError;
use crate::headers::HeaderCache;
use crate::message::Message;
use crate::prelude::{self, HASHED, PRELUDE, Prelude, TRAILER};

/// The part of a message that has been received. Each byte is hashed as it arrives.
#[derive(Clone, Debug)]
pub(super) struct PartialMessage {
    prelude: Prelude,
    hasher: Hasher,
    headers: Block,
    payload: Pieces,
    trailer: [u8; TRAILER],
    trailer_len: usize,
}

/// A header block: shared if it lies in one piece, copied if it spans several.
#[derive(Clone, Debug)]
enum Block {
    Shared(Bytes),
    /// Grows as bytes are received; it does not reserve the length that the prelude states.
    Copied(BytesMut),
}

impl Block {
    fn len(&self) -> usize {
        match self {
            Self::Shared(bytes) => bytes.len(),
            Self::Copied(bytes) => bytes.len(),
        }
    }
}

impl PartialMessage {
    pub(super) fn new(prelude: Prelude, mut hasher: Hasher, first: &[u8; PRELUDE]) -> Self {
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

    /// How many bytes of the message have been received.
    pub(super) fn received(&self) -> usize {
        let body = self.headers.len().saturating_add(self.payload.len());
        PRELUDE
            .saturating_add(body)
            .saturating_add(self.trailer_len)
    }

    /// The length of the whole message in bytes.
    pub(super) fn total(&self) -> usize {
        self.prelude.total
    }

    /// Takes the bytes that belong to the message off a piece. Returns whether the message is
    /// complete.
    pub(super) fn take(&mut self, piece: &mut Bytes) -> bool {
        let headers_left = self.prelude.headers.saturating_sub(self.headers.len());
        let payload_left = self.prelude.payload().saturating_sub(self.payload.len());
        // Hashed in one pass rather than in one for each part.
        let here = headers_left.saturating_add(payload_left).min(piece.len());
        self.hasher.update(piece.get(..here).unwrap_or_default());

        if headers_left == 0 && here == piece.len() {
            // The whole piece is payload, and there is no need to split it.
            self.payload.push(core::mem::take(piece));
            return false;
        }
        self.take_headers(headers_left.min(here), piece);
        let here = payload_left.min(piece.len());
        self.payload.push(piece.split_to(here));
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
            headers => *headers = Block::Shared(here),
        }
    }

    /// The message, which began at byte `offset`, if its checksum and its headers are valid.
    pub(super) fn finish(
        self,
        offset: u64,
        cache: &mut HeaderCache,
    ) -> Result<Message, DecodeError> {
        prelude::check_trailer(self.trailer, self.hasher, offset, self.prelude.total)?;
        let block = match self.headers {
            Block::Shared(block) => block,
            Block::Copied(block) => block.freeze(),
        };
        cache.validate(&block, offset.saturating_add(PRELUDE as u64))?;
        let slices = self.payload.into_inner();
        Ok(Message::in_slices(block, slices, self.prelude.payload()))
    }
}

/// Fills `to` from the front of a piece; the first `len` bytes of `to` are already filled.
pub(super) fn take_into(to: &mut [u8], len: &mut usize, piece: &mut Bytes) {
    let empty = to.get_mut(*len..).unwrap_or_default();
    let count = empty.len().min(piece.len());
    for (to, from) in empty.iter_mut().zip(piece.iter()) {
        *to = *from;
    }
    piece.advance(count);
    *len = len.saturating_add(count);
}
