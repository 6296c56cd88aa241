//! The body of a streamed response: sends one message after the other, each only after the previous
//! one is on the wire.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use crate::wire::bandwidth::{Bandwidth, Paced};
use crate::wire::connection::Connection;
use crate::wire::stage::{Frames, Messages, Polled, Stage};

/// How many bytes hyper gets before they must be on the wire. hyper stops polling a body at about
/// 400 KB; while the caller does not read, a body that is not polled could neither run its function
/// nor end it at its timeout.
const UNFLUSHED: usize = 128 * 1024;

/// A body that sends messages.
///
/// The function is polled within the body, in the connection's task. The next message is requested
/// only after the connection has flushed this one, so hyper never buffers more than one.
#[derive(Debug)]
pub(crate) struct StreamBody {
    messages: Box<dyn Messages>,
    connection: Arc<Connection>,
    /// Bytes that are ready to be sent.
    pieces: VecDeque<Bytes>,
    /// The connection's position after the last piece, until that is known to be on the wire.
    mark: Option<u64>,
    /// The number of bytes given to hyper that are not known to be on the wire.
    unflushed: usize,
    /// `None` means no limit.
    paced: Option<Box<Paced>>,
    ended: bool,
}

impl StreamBody {
    pub(crate) fn new(
        messages: Box<dyn Messages>,
        connection: Arc<Connection>,
        bandwidth: Option<Bandwidth>,
    ) -> Self {
        Self {
            messages,
            connection,
            pieces: VecDeque::new(),
            mark: None,
            unflushed: 0,
            paced: bandwidth.map(|bandwidth| Box::new(Paced::new(bandwidth))),
            ended: false,
        }
    }
}

impl Stage for StreamBody {
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

impl Frames for StreamBody {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Polled {
        loop {
            let room = UNFLUSHED.saturating_sub(self.unflushed);
            if let Some(front) = self.pieces.front_mut().filter(|_| room > 0) {
                let length = front.len().min(room);
                let length = match &mut self.paced {
                    None => length,
                    Some(paced) => match paced.poll_take(length, cx) {
                        Poll::Ready(length) => length,
                        Poll::Pending => {
                            self.run_on(cx);
                            return Poll::Pending;
                        }
                    },
                };
                let piece = front.split_to(length);
                if front.is_empty() {
                    self.pieces.pop_front();
                }
                self.unflushed += piece.len();
                self.mark = Some(self.connection.mark());
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            if self.is_end_stream() {
                return Poll::Ready(None);
            }
            if let Some(mark) = self.mark {
                if !self.connection.flushed_since(mark) {
                    self.run_on(cx);
                    return Poll::Pending;
                }
                self.mark = None;
                self.unflushed = 0;
                if !self.pieces.is_empty() {
                    continue;
                }
            }
            match ready!(self.messages.poll_message(cx, &mut self.pieces)) {
                Some(Ok(())) => self.ended = self.messages.is_end(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => self.ended = true,
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended && self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
