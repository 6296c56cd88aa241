//! A thread that reads items ahead.

use std::collections::VecDeque;
use std::io;
use std::mem::swap;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use lambda_invoke_map::Item;
use lambda_invoke_map::source::SourceError;

/// How many items, or bytes of payloads, the thread reads before it waits for the reader. The reader takes
/// all of them at once, so that at most twice as many are read ahead.
const AHEAD: usize = 256;
const AHEAD_BYTES: usize = 4 << 20;

type Read = Result<Item, SourceError>;

pub(super) type Items = Box<dyn Iterator<Item = Read> + Send>;

/// Starts to read on a thread.
///
/// # Errors
///
/// If the thread cannot be started.
pub(super) fn read(items: Items) -> io::Result<Reading> {
    let shared = Arc::new(Shared::default());
    let end = End(Arc::clone(&shared));
    let thread = std::thread::Builder::new().name("input".to_owned());
    thread.spawn(move || {
        for item in items {
            if !end.0.push(item) {
                return;
            }
        }
    })?;
    Ok(Reading {
        shared,
        taken: VecDeque::new(),
    })
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    room: Condvar,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Read>,
    /// The total size of their payloads.
    bytes: usize,
    /// Whether the thread is waiting until the items are taken.
    is_full: bool,
    /// Whether the last item has been read.
    is_ended: bool,
    /// Whether the reader was dropped.
    is_abandoned: bool,
    /// The task that waits for an item.
    waker: Option<Waker>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item, and waits while enough items are read ahead; returns whether more are wanted.
    fn push(&self, item: Read) -> bool {
        let mut state = self.lock();
        state.bytes += item.as_ref().map_or(0, |item| item.payload.len());
        state.items.push_back(item);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
        if state.items.len() >= AHEAD || state.bytes >= AHEAD_BYTES {
            state.is_full = true;
            let is_enough = |state: &mut State| state.is_full && !state.is_abandoned;
            let waited = self.room.wait_while(state, is_enough);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
        !state.is_abandoned
    }
}

/// Marks the end when the thread ends, even by a panic.
#[derive(Debug)]
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_ended = true;
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }
}

/// Items that a thread reads.
#[derive(Debug)]
pub(super) struct Reading {
    shared: Arc<Shared>,
    /// Items that were taken from the thread.
    taken: VecDeque<Read>,
}

impl Stream for Reading {
    type Item = Read;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Read>> {
        let this = &mut *self;
        if let Some(item) = this.taken.pop_front() {
            return Poll::Ready(Some(item));
        }
        let mut state = this.shared.lock();
        swap(&mut state.items, &mut this.taken);
        state.bytes = 0;
        if state.is_full {
            state.is_full = false;
            this.shared.room.notify_one();
        }
        match this.taken.pop_front() {
            Some(item) => Poll::Ready(Some(item)),
            None if state.is_ended => Poll::Ready(None),
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.shared.lock().is_abandoned = true;
        self.shared.room.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(count: usize) -> Items {
        Box::new((0..count).map(|n| Ok(Item::new(n.to_string()))))
    }

    async fn next(reading: &mut Reading) -> Option<Read> {
        std::future::poll_fn(|cx| Pin::new(&mut *reading).poll_next(cx)).await
    }

    #[tokio::test]
    async fn all_items_come_in_order_and_then_the_end() {
        for count in [0, 1, AHEAD - 1, AHEAD, AHEAD + 1, 1_000] {
            let mut reading = read(items(count)).unwrap();
            for n in 0..count {
                let item = next(&mut reading).await.unwrap().unwrap();
                assert_eq!(item.payload, n.to_string());
            }
            assert!(next(&mut reading).await.is_none());
        }
    }

    #[tokio::test]
    async fn no_more_are_read_ahead_than_said_and_the_thread_ends_with_the_reader() {
        let (taken, left) = std::sync::mpsc::channel();
        let endless = (0..).map(move |n: u64| {
            // Fails after the test has ended.
            let _ = taken.send(n);
            Ok(Item::new(n.to_string()))
        });
        let mut reading = read(Box::new(endless)).unwrap();
        next(&mut reading).await.unwrap().unwrap();
        drop(reading);
        // The channel ends when the thread does.
        assert!(left.iter().count() <= 2 * AHEAD);
    }
}
