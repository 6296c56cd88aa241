//! Passing chunks from a streaming function to the response body.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

/// The writer of a streaming function's response.
///
/// [`write`](Self::write) completes only when the chunk is on the wire (handed to the operating
/// system as its own frame). The function therefore produces the next chunk only after the caller
/// could have read this one, and a caller that reads slowly slows the function down. Once the
/// caller of a stream has disconnected, the next write fails. Chunks for a disconnected caller of
/// `Invoke` and chunks for an event are discarded.
///
/// To report a failure, return an error from the function.
///
/// # Example
///
/// ```
/// use lambda_invoke_endpoint::{Function, FunctionError};
///
/// let words = Function::streaming("words", |_invocation, mut writer| async move {
///     writer.content_type("text/plain");
///     writer.write("one ").await?;
///     writer.write("two").await?;
///     Ok::<_, FunctionError>(())
/// });
/// # assert_eq!(words.name(), "words");
/// ```
#[derive(Debug)]
pub struct ResponseWriter {
    channel: Channel,
}

/// The reason why a chunk was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// The caller has disconnected.
    CallerGone,
    /// The response would exceed the endpoint's limit.
    TooLarge {
        /// The maximum size of a response, in bytes.
        limit: u64,
    },
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CallerGone => f.write_str("the caller has disconnected"),
            Self::TooLarge { limit } => {
                write!(
                    f,
                    "the response is larger than the endpoint's limit of {limit} bytes"
                )
            }
        }
    }
}

impl std::error::Error for WriteError {}

impl ResponseWriter {
    /// Sets the content type of the response, which the caller finds in
    /// `x-amzn-remapped-content-type`. The default is `application/octet-stream`.
    ///
    /// Has no effect once the response head is sent, that is, after [`start`](Self::start) or the
    /// first [`write`](Self::write). Text that is not a valid header value is ignored.
    pub fn content_type(&mut self, content_type: &str) {
        let mut state = self.channel.lock();
        if !state.started && http::HeaderValue::from_str(content_type).is_ok() {
            state.content_type = Some(content_type.to_owned());
        }
    }

    /// Sends the response head before the first chunk.
    pub fn start(&mut self) {
        let mut state = self.channel.lock();
        state.started = true;
        wake(&mut state.reader);
    }

    /// Writes one chunk and waits until it is on the wire. An empty chunk writes nothing.
    ///
    /// If the future is dropped before it completes, the chunk may still be sent.
    ///
    /// # Errors
    ///
    /// [`WriteError::CallerGone`] if the caller has disconnected, [`WriteError::TooLarge`] if the
    /// response would exceed the endpoint's limit.
    pub async fn write(&mut self, chunk: impl Into<Bytes> + Send) -> Result<(), WriteError> {
        let mut chunk = Some(chunk.into()).filter(|chunk| !chunk.is_empty());
        let mut placed = None;
        poll_fn(|cx| self.channel.poll_write(cx, &mut chunk, &mut placed)).await
    }

    /// Whether the caller has disconnected.
    pub fn is_caller_gone(&self) -> bool {
        self.channel.lock().gone
    }
}

impl Drop for ResponseWriter {
    fn drop(&mut self) {
        // The body may be waiting for a chunk from the task that has just dropped the writer.
        wake(&mut self.channel.lock().reader);
    }
}

/// A channel of one chunk at a time between a writer and the response body.
///
/// A reader that stops reading must call [`close`](Self::close) or [`discard`](Self::discard), or a
/// write would wait forever.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    content_type: Option<String>,
    started: bool,
    chunk: Option<Bytes>,
    /// The number of chunks written, and the number of those known to have reached the wire.
    placed: u64,
    sent: u64,
    bytes: u64,
    limit: Option<u64>,
    exceeded: bool,
    /// The caller has disconnected.
    gone: bool,
    /// Chunks are discarded.
    discards: bool,
    writer: Option<Waker>,
    reader: Option<Waker>,
}

impl Channel {
    /// Creates a channel that accepts at most `limit` bytes in total.
    pub(crate) fn new(limit: Option<u64>) -> Self {
        let state = State {
            content_type: None,
            started: false,
            chunk: None,
            placed: 0,
            sent: 0,
            bytes: 0,
            limit,
            exceeded: false,
            gone: false,
            discards: false,
            writer: None,
            reader: None,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Creates a channel without a reader: every chunk is discarded.
    pub(crate) fn discarding() -> Self {
        let channel = Self::new(None);
        channel.lock().discards = true;
        channel
    }

    pub(crate) fn writer(&self) -> ResponseWriter {
        ResponseWriter {
            channel: self.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll_write(
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
        if chunk.is_some() && state.sent == state.placed {
            let size = chunk.as_ref().map_or(0, Bytes::len);
            let bytes = state.bytes.saturating_add(size as u64);
            if let Some(limit) = state.limit.filter(|limit| bytes > *limit) {
                state.exceeded = true;
                return Poll::Ready(Err(WriteError::TooLarge { limit }));
            }
            state.bytes = bytes;
            state.placed += 1;
            *placed = Some(state.placed);
            state.started = true;
            if state.discards {
                *chunk = None;
                state.sent = state.placed;
                // Every write yields once, as it would with a reader: a function that only writes
                // must let other tasks and its own timeout run.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            state.chunk = chunk.take();
            wake(&mut state.reader);
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

    /// Takes the waiting chunk, if there is one.
    pub(crate) fn take(&self) -> Option<Bytes> {
        self.lock().chunk.take()
    }

    /// Acknowledges that the chunk taken last is on the wire. The task of `cx` is about to poll the
    /// function, so a writer that waits in that task is not woken.
    pub(crate) fn acknowledge(&self, cx: &Context<'_>) {
        let mut state = self.lock();
        state.sent = state.placed;
        if let Some(waker) = state.writer.take() {
            if !waker.will_wake(cx.waker()) {
                waker.wake();
            }
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
        state.gone = true;
        state.discards = true;
        state.chunk = None;
        state.sent = state.placed;
        wake(&mut state.writer);
    }

    /// Stops waking the reader's task, which is about to check the channel anyway.
    pub(crate) fn unregister(&self) {
        self.lock().reader = None;
    }

    /// Wakes the task of `cx` when a chunk is written or the head may be sent.
    pub(crate) fn register(&self, cx: &mut Context<'_>) {
        remember(&mut self.lock().reader, cx);
    }

    /// Whether a chunk is waiting.
    pub(crate) fn has_chunk(&self) -> bool {
        self.lock().chunk.is_some()
    }

    pub(crate) fn is_started(&self) -> bool {
        self.lock().started
    }

    /// Whether a write was rejected because the response would have been too large.
    pub(crate) fn is_exceeded(&self) -> bool {
        self.lock().exceeded
    }

    /// Returns the content type that the function set.
    pub(crate) fn content_type(&self) -> Option<String> {
        self.lock().content_type.clone()
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

    fn poll<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Poll<T> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_write_completes_only_when_its_chunk_is_acknowledged() {
        let channel = Channel::new(None);
        let mut writer = channel.writer();
        let mut write = pin!(writer.write("a"));
        assert!(poll(write.as_mut()).is_pending());
        assert_eq!(channel.take().unwrap(), "a");
        assert!(poll(write.as_mut()).is_pending(), "taken is not yet sent");
        channel.acknowledge(&Context::from_waker(Waker::noop()));
        assert_eq!(poll(write.as_mut()), Poll::Ready(Ok(())));
    }

    #[test]
    fn a_dropped_write_still_holds_the_next_one_back() {
        let channel = Channel::new(None);
        let mut writer = channel.writer();
        {
            let mut first = pin!(writer.write("a"));
            assert!(poll(first.as_mut()).is_pending());
        }
        let mut second = pin!(writer.write("b"));
        assert!(poll(second.as_mut()).is_pending());
        assert_eq!(channel.take().unwrap(), "a");
        assert!(channel.take().is_none(), "b must wait for a");
        channel.acknowledge(&Context::from_waker(Waker::noop()));
        assert!(poll(second.as_mut()).is_pending());
        assert_eq!(channel.take().unwrap(), "b");
    }

    #[test]
    fn rejects_a_chunk_beyond_the_limit_and_accepts_one_up_to_it() {
        let channel = Channel::new(Some(3));
        let mut writer = channel.writer();
        {
            let mut write = pin!(writer.write("abc"));
            assert!(poll(write.as_mut()).is_pending());
            channel.take();
            channel.acknowledge(&Context::from_waker(Waker::noop()));
            assert_eq!(poll(write.as_mut()), Poll::Ready(Ok(())));
        }
        assert!(!channel.is_exceeded());
        let mut write = pin!(writer.write("d"));
        let rejected = Poll::Ready(Err(WriteError::TooLarge { limit: 3 }));
        assert_eq!(poll(write.as_mut()), rejected);
        assert!(channel.is_exceeded());
    }

    #[test]
    fn a_waiting_write_fails_when_the_caller_disconnects() {
        let channel = Channel::new(None);
        let mut writer = channel.writer();
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
        let channel = Channel::new(Some(5));
        let mut writer = channel.writer();
        {
            let mut write = pin!(writer.write("a"));
            assert!(poll(write.as_mut()).is_pending());
            channel.discard();
            assert_eq!(poll(write.as_mut()), Poll::Ready(Ok(())));
        }
        assert!(writer.is_caller_gone());
        for _ in 0..2 {
            let mut write = pin!(writer.write("bc"));
            assert!(poll(write.as_mut()).is_pending());
            assert!(!channel.has_chunk());
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
        let channel = Channel::new(None);
        let mut writer = channel.writer();
        let mut write = pin!(writer.write(""));
        assert_eq!(poll(write.as_mut()), Poll::Ready(Ok(())));
        assert!(channel.take().is_none());
        assert!(!channel.is_started());
    }
}
