//! The chunks of a function URL's response, each delayed.

use std::collections::VecDeque;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Sleep;

use crate::wire::stage::{Messages, Stage, TruncatedOnPurpose};

/// Unframed chunks, with a delay before each. The end is not delayed.
#[derive(Debug)]
pub(super) struct DelayedChunks {
    chunks: Box<dyn Messages>,
    delay: Duration,
    /// The pieces of the chunk that is delayed.
    delayed: Option<(Pin<Box<Sleep>>, VecDeque<Bytes>)>,
}

impl DelayedChunks {
    pub(super) fn new(chunks: Box<dyn Messages>, delay: Duration) -> Self {
        Self {
            chunks,
            delay,
            delayed: None,
        }
    }
}

impl Stage for DelayedChunks {
    fn run_on(&mut self, cx: &mut Context<'_>) {
        self.chunks.run_on(cx);
    }

    fn failure(&self) -> Option<String> {
        self.chunks.failure()
    }

    fn is_struck(&self) -> bool {
        self.chunks.is_struck()
    }
}

impl Messages for DelayedChunks {
    fn poll_message(
        &mut self,
        cx: &mut Context<'_>,
        pieces: &mut VecDeque<Bytes>,
    ) -> Poll<Option<Result<(), TruncatedOnPurpose>>> {
        if self.delayed.is_none() {
            let mut own = VecDeque::new();
            match ready!(self.chunks.poll_message(cx, &mut own)) {
                Some(Ok(())) => {}
                end => return Poll::Ready(end),
            }
            self.delayed = Some((Box::pin(tokio::time::sleep(self.delay)), own));
        }
        if let Some((delay, _)) = &mut self.delayed {
            if delay.as_mut().poll(cx).is_pending() {
                self.run_on(cx);
                return Poll::Pending;
            }
        }
        pieces.extend(self.delayed.take().into_iter().flat_map(|(_, own)| own));
        Poll::Ready(Some(Ok(())))
    }

    fn is_end(&self) -> bool {
        self.delayed.is_none() && self.chunks.is_end()
    }
}
