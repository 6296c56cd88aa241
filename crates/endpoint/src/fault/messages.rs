//! The messages of a stream, where some have a wrong checksum.

use std::collections::VecDeque;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};

use crate::wire::stage::{Messages, Stage, TruncatedOnPurpose};

/// Messages, some of them with a wrong checksum.
#[derive(Debug)]
pub(super) struct WrongChecksums {
    messages: Box<dyn Messages>,
    /// The numbers of those messages, counted from 0.
    wrong: Vec<u64>,
    count: u64,
}

impl WrongChecksums {
    pub(super) fn new(messages: Box<dyn Messages>, wrong: Vec<u64>) -> Self {
        Self {
            messages,
            wrong,
            count: 0,
        }
    }
}

impl Stage for WrongChecksums {
    fn run_on(&mut self, cx: &mut Context<'_>) {
        self.messages.run_on(cx);
    }

    fn failure(&self) -> Option<String> {
        self.messages.failure()
    }

    fn is_struck(&self) -> bool {
        self.messages.is_struck()
    }
}

impl Messages for WrongChecksums {
    fn poll_message(
        &mut self,
        cx: &mut Context<'_>,
        pieces: &mut VecDeque<Bytes>,
    ) -> Poll<Option<Result<(), TruncatedOnPurpose>>> {
        let polled = ready!(self.messages.poll_message(cx, pieces));
        if let Some(Ok(())) = polled {
            // The checksum is the end of a message.
            if let Some(last) = pieces
                .back_mut()
                .filter(|_| self.wrong.contains(&self.count))
            {
                let mut changed = BytesMut::from(std::mem::take(last));
                if let Some(byte) = changed.last_mut() {
                    *byte ^= 1;
                }
                *last = changed.freeze();
            }
            self.count += 1;
        }
        Poll::Ready(polled)
    }

    fn is_end(&self) -> bool {
        self.messages.is_end()
    }
}
