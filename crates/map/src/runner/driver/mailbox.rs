//! Values for one task.

use std::mem::swap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Values that were sent to a task, which receives all of them at once.
///
/// A channel would also do, but its memory is a ring of many values. With one for each caller, a processor
/// no longer finds it in its nearest cache.
#[derive(Debug)]
pub(super) struct Mailbox<T>(Mutex<Inner<T>>);

#[derive(Debug)]
struct Inner<T> {
    sent: Vec<T>,
    /// The task, if it waits.
    waker: Option<Waker>,
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        Self(Mutex::new(Inner {
            sent: Vec::new(),
            waker: None,
        }))
    }
}

impl<T> Mailbox<T> {
    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn send(&self, value: T) {
        let mut inner = self.lock();
        inner.sent.push(value);
        let waker = inner.waker.take();
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Receives all values in a list that is empty; its memory is used for the next ones. If there are none,
    /// registers the context to be woken.
    pub(super) fn poll_receive(&self, cx: &mut Context<'_>, empty: &mut Vec<T>) -> Poll<()> {
        let mut inner = self.lock();
        if inner.sent.is_empty() {
            inner.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        swap(&mut inner.sent, empty);
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn all_values_arrive_in_order_whether_or_not_the_task_waits() {
        const VALUES: usize = 10_000;
        let mailbox = Arc::<Mailbox<usize>>::default();
        let sender = Arc::clone(&mailbox);
        let sending = tokio::spawn(async move {
            for value in 0..VALUES {
                sender.send(value);
                // So that the receiver waits now and then.
                if value % 7 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        });
        let (mut all, mut received) = (Vec::new(), Vec::new());
        while all.len() < VALUES {
            poll_fn(|cx| mailbox.poll_receive(cx, &mut received)).await;
            assert!(!received.is_empty());
            all.append(&mut received);
        }
        sending.await.unwrap();
        assert!(all.into_iter().eq(0..VALUES));
    }
}
