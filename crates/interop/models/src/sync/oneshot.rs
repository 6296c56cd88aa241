//! A channel for one value.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use loom::sync::{Mutex, MutexGuard};

struct Channel<T>(Mutex<State<T>>);

struct State<T> {
    value: Option<T>,
    is_sender_gone: bool,
    is_closed: bool,
    waker: Option<Waker>,
}

/// Empty once the value was sent.
pub struct Sender<T>(Option<Arc<Channel<T>>>);

/// Empty once the value was received.
pub struct Receiver<T>(Option<Arc<Channel<T>>>);

/// The sender was dropped.
#[derive(Debug, PartialEq, Eq)]
pub struct RecvError;

/// There is no value, or there is none yet.
#[derive(Debug, PartialEq, Eq)]
pub struct TryRecvError;

#[must_use]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let channel = Arc::new(Channel(Mutex::new(State {
        value: None,
        is_sender_gone: false,
        is_closed: false,
        waker: None,
    })));
    (Sender(Some(Arc::clone(&channel))), Receiver(Some(channel)))
}

impl<T> Channel<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().expect("no thread panicked")
    }
}

impl<T> Sender<T> {
    /// # Errors
    ///
    /// The value, if the receiver was closed or dropped.
    pub fn send(mut self, value: T) -> Result<(), T> {
        let Some(channel) = self.0.take() else {
            return Err(value);
        };
        let mut state = channel.lock();
        if state.is_closed {
            return Err(value);
        }
        state.value = Some(value);
        state.wake();
        Ok(())
    }

    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0
            .as_ref()
            .is_none_or(|channel| channel.lock().is_closed)
    }
}

impl<T> State<T> {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if let Some(channel) = self.0.take() {
            let mut state = channel.lock();
            state.is_sender_gone = true;
            state.wake();
        }
    }
}

impl<T> Receiver<T> {
    pub fn close(&mut self) {
        if let Some(channel) = &self.0 {
            channel.lock().is_closed = true;
        }
    }

    /// # Errors
    ///
    /// If there is no value.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let channel = self.0.as_ref().ok_or(TryRecvError)?;
        channel.lock().value.take().ok_or(TryRecvError)
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let channel = self.0.as_ref().expect("it was polled after its end");
        let mut state = channel.lock();
        let received = match state.value.take() {
            Some(value) => Ok(value),
            None if state.is_sender_gone => Err(RecvError),
            None => {
                state.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
        };
        drop(state);
        self.0 = None;
        Poll::Ready(received)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let Some(channel) = self.0.take() {
            let mut state = channel.lock();
            state.is_closed = true;
            let value = state.value.take();
            drop(state);
            drop(value);
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver")
    }
}
