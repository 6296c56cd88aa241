//! Encodes the events of a streamed response as messages.

use std::collections::VecDeque;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use lambda_invoke_protocol::StreamEvent;

use crate::wire::stage::{Events, Messages, Stage, TruncatedOnPurpose};

/// Up to this size, a message is copied into one piece: copying costs less than two more writes.
const COPIED: usize = 16 * 1024;

/// A larger chunk is sent in several messages, because readers limit a message to 16 MiB or 24 MiB.
const LARGEST_CHUNK: usize = 8 << 20;

/// Encodes events.
#[derive(Debug)]
pub(super) struct Encoder {
    events: Box<dyn Events>,
    /// The rest of a chunk that is sent in several messages.
    rest: Bytes,
}

impl Encoder {
    pub(super) fn new(events: Box<dyn Events>) -> Self {
        Self {
            events,
            rest: Bytes::new(),
        }
    }

    /// Returns the next event, with at most [`LARGEST_CHUNK`] bytes of a chunk.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<StreamEvent>> {
        if self.rest.is_empty() {
            match ready!(self.events.poll_event(cx)) {
                Some(StreamEvent::PayloadChunk(chunk)) if chunk.len() > LARGEST_CHUNK => {
                    self.rest = chunk.into_bytes();
                }
                event => return Poll::Ready(event),
            }
        }
        let length = self.rest.len().min(LARGEST_CHUNK);
        let piece = self.rest.split_to(length);
        Poll::Ready(Some(StreamEvent::PayloadChunk(piece.into())))
    }
}

impl Stage for Encoder {
    fn run_on(&mut self, cx: &mut Context<'_>) {
        self.events.run_on(cx);
    }

    fn failure(&self) -> Option<String> {
        self.events.failure()
    }

    fn is_struck(&self) -> bool {
        self.events.is_struck()
    }
}

impl Messages for Encoder {
    fn poll_message(
        &mut self,
        cx: &mut Context<'_>,
        pieces: &mut VecDeque<Bytes>,
    ) -> Poll<Option<Result<(), TruncatedOnPurpose>>> {
        let Some(event) = ready!(self.poll_event(cx)) else {
            return Poll::Ready(None);
        };
        // Chunks are never too large to encode. If one were, the stream must not look complete.
        let Ok(mut encoded) = event.encode_vectored() else {
            return Poll::Ready(Some(Err(TruncatedOnPurpose)));
        };
        if encoded.remaining() <= COPIED {
            pieces.push_back(encoded.copy_to_bytes(encoded.remaining()));
        } else {
            pieces.extend(encoded);
        }
        Poll::Ready(Some(Ok(())))
    }

    fn is_end(&self) -> bool {
        self.rest.is_empty() && self.events.is_end()
    }
}
