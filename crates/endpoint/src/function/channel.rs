//! Passes chunks from a function to the reader of its response.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use crate::function::write_error::WriteError;

/// How a function responds, which decides how the response is limited and labeled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The whole response at once.
    Buffered,
    /// In chunks.
    Streaming,
}

/// The largest responses in bytes; `None` means no limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResponseLimits {
    pub(crate) buffered: Option<u64>,
    pub(crate) streamed: Option<u64>,
}

impl ResponseLimits {
    /// Creates the limits of a response that nobody reads.
    pub(crate) const NONE: Self = Self {
        buffered: None,
        streamed: None,
    };

    /// Creates the same limit for both modes.
    pub(crate) fn both(bytes: u64) -> Self {
        Self {
            buffered: Some(bytes),
            streamed: Some(bytes),
        }
    }
}

/// The parts of a response's head that the function has set.
#[derive(Clone, Debug)]
pub(crate) struct ResponseHead {
    pub(crate) mode: Mode,
    /// Whether the function has written something or started the response.
    pub(crate) started: bool,
    pub(crate) content_type: Option<String>,
}

/// A channel of one chunk at a time between a function and the reader of its response.
///
/// A reader that stops reading must call [`close`](Self::close) or [`discard`](Self::discard);
/// otherwise a write would wait forever.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    head: ResponseHead,
    chunk: Option<Bytes>,
    /// The number of chunks written, and the number of those known to have reached the wire.
    placed: u64,
    sent: u64,
    bytes: u64,
    limits: ResponseLimits,
    /// The limit that a write would have exceeded.
    exceeded: Option<u64>,
    /// The caller has disconnected.
    gone: bool,
    /// Chunks are discarded.
    discards: bool,
    writer: Option<Waker>,
    reader: Option<Waker>,
}

/// What the reader of a channel asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    /// The next chunk, because the previous one is on the wire.
    Next,
    /// No chunk yet, because the previous one is not on the wire.
    Nothing,
}

impl State {
    /// Counts a chunk, unless the response would become too large.
    fn count(&mut self, chunk: &Bytes) -> Result<(), WriteError> {
        let bytes = self.bytes.saturating_add(chunk.len() as u64);
        let limit = match self.head.mode {
            Mode::Buffered => self.limits.buffered,
            Mode::Streaming => self.limits.streamed,
        };
        if let Some(limit) = limit.filter(|limit| bytes > *limit) {
            self.exceeded = Some(limit);
            return Err(WriteError::TooLarge { limit });
        }
        self.bytes = bytes;
        self.placed += 1;
        self.head.started = true;
        Ok(())
    }
}

impl Channel {
    pub(crate) fn new(mode: Mode, limits: ResponseLimits) -> Self {
        let state = State {
            head: ResponseHead {
                mode,
                started: false,
                content_type: None,
            },
            chunk: None,
            placed: 0,
            sent: 0,
            bytes: 0,
            limits,
            exceeded: None,
            gone: false,
            discards: false,
            writer: None,
            reader: None,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Sets the content type, unless the head may have been sent.
    pub(super) fn set_content_type(&self, content_type: &str) {
        let head = &mut self.lock().head;
        if !head.started {
            head.content_type = Some(content_type.to_owned());
        }
    }

    /// Makes the response a streaming one, before it has started.
    #[cfg(feature = "runtime")]
    pub(super) fn set_streaming(&self) {
        self.lock().head.mode = Mode::Streaming;
    }

    /// Lets the head be sent.
    pub(super) fn start(&self) {
        let mut state = self.lock();
        state.head.started = true;
        wake(&mut state.reader);
    }

    /// Wakes the reader, as when the last writer is dropped.
    pub(super) fn wake_reader(&self) {
        wake(&mut self.lock().reader);
    }

    /// Whether the caller has disconnected.
    pub(super) fn is_gone(&self) -> bool {
        self.lock().gone
    }

    /// Places a whole response, without waiting for the wire.
    pub(super) fn place_whole(&self, response: Bytes) -> Result<(), WriteError> {
        let mut state = self.lock();
        state.count(&response)?;
        if state.discards || response.is_empty() {
            state.sent = state.placed;
        } else if !state.gone {
            state.chunk = Some(response);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn poll_write(
        &self,
        cx: &mut Context<'_>,
        chunk: &mut Option<Bytes>,
        placed: &mut Option<u64>,
    ) -> Poll<Result<(), WriteError>> {
        let mut state = self.lock();
        if state.gone && !state.discards {
            return Poll::Ready(Err(WriteError::CallerGone));
        }
        // The previous chunk has reached the wire: the next one may be placed.
        if state.sent == state.placed {
            if let Some(next) = chunk.as_ref() {
                if let Err(error) = state.count(next) {
                    return Poll::Ready(Err(error));
                }
                *placed = Some(state.placed);
                if state.discards {
                    *chunk = None;
                    state.sent = state.placed;
                    // Every write yields once, as it would with a reader, so that a function that
                    // only writes lets other tasks and its own timeout run.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                state.chunk = chunk.take();
                wake(&mut state.reader);
            }
        }
        let done = match *placed {
            Some(number) => state.sent >= number,
            None => chunk.is_none(),
        };
        if done {
            return Poll::Ready(Ok(()));
        }
        remember(&mut state.writer, cx);
        Poll::Pending
    }

    /// Polls the function within the reader's task, then takes the next chunk if it is wanted.
    ///
    /// The task is woken by a later chunk, and when the head may be sent. Writes of the function
    /// while it is polled here need not wake the task.
    pub(crate) fn poll(
        &self,
        cx: &mut Context<'_>,
        wants: Wants,
        run: impl FnOnce(&mut Context<'_>),
    ) -> Option<Bytes> {
        {
            let mut state = self.lock();
            state.reader = None;
            // A waiting chunk has not been taken, so it is not on the wire.
            if wants == Wants::Next && state.chunk.is_none() {
                state.sent = state.placed;
                if let Some(waker) = state.writer.take() {
                    // This task polls the function anyway.
                    if !waker.will_wake(cx.waker()) {
                        waker.wake();
                    }
                }
            }
        }
        run(cx);
        let mut state = self.lock();
        remember(&mut state.reader, cx);
        match wants {
            Wants::Next => state.chunk.take(),
            Wants::Nothing => None,
        }
    }

    /// Stops reading: from now on, writes fail.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.gone = true;
        state.discards = false;
        state.chunk = None;
        wake(&mut state.writer);
    }

    /// Stops reading: the waiting chunk and all later ones are discarded, so that the function can
    /// run to its end.
    pub(crate) fn discard(&self) {
        let mut state = self.lock();
        state.discards = true;
        state.chunk = None;
        state.sent = state.placed;
        wake(&mut state.writer);
    }

    /// Discards like [`discard`](Self::discard), because the caller has disconnected.
    pub(crate) fn abandon(&self) {
        self.lock().gone = true;
        self.discard();
    }

    /// Returns the response head as it is now.
    pub(crate) fn head(&self) -> ResponseHead {
        self.lock().head.clone()
    }

    pub(crate) fn is_started(&self) -> bool {
        self.lock().head.started
    }

    /// Returns the limit that a rejected write would have exceeded.
    pub(crate) fn exceeded(&self) -> Option<u64> {
        self.lock().exceeded
    }
}

fn wake(slot: &mut Option<Waker>) {
    if let Some(waker) = slot.take() {
        waker.wake();
    }
}

fn remember(slot: &mut Option<Waker>, cx: &Context<'_>) {
    match slot {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *slot = Some(cx.waker().clone()),
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;
    use crate::function::writer::ResponseWriter;

    fn poll<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Poll<T> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn streaming(limit: Option<u64>) -> Channel {
        let limits = ResponseLimits {
            streamed: limit,
            ..ResponseLimits::NONE
        };
        Channel::new(Mode::Streaming, limits)
    }

    /// Acknowledges the chunk taken before, and takes the next one.
    fn next(channel: &Channel) -> Option<Bytes> {
        channel.poll(&mut Context::from_waker(Waker::noop()), Wants::Next, |_| {})
    }

    #[test]
    fn a_write_completes_only_when_its_chunk_is_acknowledged() {
        let channel = streaming(None);
        let mut writer = ResponseWriter::new(&channel);
        let mut write = pin!(writer.write("a"));
        assert!(poll(write.as_mut()).is_pending());
        assert_eq!(next(&channel).unwrap(), "a");
        assert!(poll(write.as_mut()).is_pending(), "taken is not yet sent");
        assert!(next(&channel).is_none());
        assert_eq!(poll(write.as_mut()), Poll::Ready(Ok(())));
    }

    #[test]
    fn a_dropped_write_still_holds_the_next_one_back() {
        let channel = streaming(None);
        let mut writer = ResponseWriter::new(&channel);
        {
            let mut first = pin!(writer.write("a"));
            assert!(poll(first.as_mut()).is_pending());
        }
        let mut second = pin!(writer.write("b"));
        assert!(poll(second.as_mut()).is_pending());
        assert_eq!(next(&channel).unwrap(), "a");
        assert!(poll(second.as_mut()).is_pending(), "b must wait for a");
        assert!(next(&channel).is_none());
        assert!(poll(second.as_mut()).is_pending());
        assert_eq!(next(&channel).unwrap(), "b");
    }

    #[test]
    fn rejects_a_chunk_beyond_the_limit_and_accepts_one_up_to_it() {
        let channel = streaming(Some(3));
        let mut writer = ResponseWriter::new(&channel);
        {
            let mut write = pin!(writer.write("abc"));
            assert!(poll(write.as_mut()).is_pending());
            next(&channel);
            assert!(next(&channel).is_none());
            assert_eq!(poll(write.as_mut()), Poll::Ready(Ok(())));
        }
        assert_eq!(channel.exceeded(), None);
        let mut write = pin!(writer.write("d"));
        let rejected = Poll::Ready(Err(WriteError::TooLarge { limit: 3 }));
        assert_eq!(poll(write.as_mut()), rejected);
        assert_eq!(channel.exceeded(), Some(3));
    }

    #[test]
    fn a_waiting_write_fails_when_the_caller_disconnects() {
        let channel = streaming(None);
        let mut writer = ResponseWriter::new(&channel);
        {
            let mut write = pin!(writer.write("a"));
            assert!(poll(write.as_mut()).is_pending());
            channel.close();
            let gone = Poll::Ready(Err(WriteError::CallerGone));
            assert_eq!(poll(write.as_mut()), gone);
        }
        assert!(writer.is_caller_gone());
    }

    #[test]
    fn a_discarding_channel_accepts_every_chunk_but_yields_after_each_write() {
        let channel = streaming(Some(5));
        let mut writer = ResponseWriter::new(&channel);
        {
            let mut write = pin!(writer.write("a"));
            assert!(poll(write.as_mut()).is_pending());
            channel.abandon();
            assert_eq!(poll(write.as_mut()), Poll::Ready(Ok(())));
        }
        assert!(writer.is_caller_gone());
        for _ in 0..2 {
            let mut write = pin!(writer.write("bc"));
            assert!(poll(write.as_mut()).is_pending());
            assert!(channel.lock().chunk.is_none());
            assert_eq!(poll(write.as_mut()), Poll::Ready(Ok(())));
        }
        let rejected = Poll::Ready(Err(WriteError::TooLarge { limit: 5 }));
        assert_eq!(poll(pin!(writer.write("d"))), rejected);
        channel.close();
        let gone = Poll::Ready(Err(WriteError::CallerGone));
        assert_eq!(poll(pin!(writer.write("e"))), gone);
    }

    #[test]
    fn an_empty_chunk_writes_nothing() {
        let channel = streaming(None);
        let mut writer = ResponseWriter::new(&channel);
        let mut write = pin!(writer.write(""));
        assert_eq!(poll(write.as_mut()), Poll::Ready(Ok(())));
        assert!(next(&channel).is_none());
        assert!(!channel.is_started());
    }

    #[test]
    fn asking_for_the_next_chunk_does_not_acknowledge_one_that_waits() {
        let channel = streaming(None);
        assert!(next(&channel).is_none());
        let mut writer = ResponseWriter::new(&channel);
        let mut write = pin!(writer.write("a"));
        assert!(poll(write.as_mut()).is_pending());
        let mut cx = Context::from_waker(Waker::noop());
        assert!(channel.poll(&mut cx, Wants::Nothing, |_| {}).is_none());
        assert_eq!(next(&channel).unwrap(), "a");
        assert!(poll(write.as_mut()).is_pending(), "taken is not yet sent");
    }

    #[test]
    fn a_finished_response_waits_for_nobody_and_has_its_own_limit() {
        let limits = ResponseLimits {
            buffered: Some(3),
            streamed: Some(1),
        };
        let channel = Channel::new(Mode::Buffered, limits);
        ResponseWriter::new(&channel).finish("abc".into()).unwrap();
        assert_eq!(next(&channel).unwrap(), "abc");
        let channel = Channel::new(Mode::Buffered, limits);
        let rejected = ResponseWriter::new(&channel).finish("abcd".into());
        assert_eq!(rejected, Err(WriteError::TooLarge { limit: 3 }));
        assert_eq!(channel.exceeded(), Some(3));
        assert!(next(&channel).is_none());
    }
}
