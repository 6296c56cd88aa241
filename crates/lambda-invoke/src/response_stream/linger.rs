//! Waits for the end of the body after the stream itself has ended.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Sleep;

/// How long to wait for the end of the body after `InvokeComplete`, so that the connection can be
/// reused. The response is complete by then; a server that keeps the body open must not delay it.
const LINGER: Duration = Duration::from_secs(1);

/// The state of waiting for the end of the body after the end of the stream, for at most
/// [`LINGER`].
#[derive(Default)]
pub(super) enum Linger {
    #[default]
    Unasked,
    /// The connection's task was given a turn: nearly always, the end has arrived by then. A timer
    /// for each stream would cost a system call to shorten the runtime's sleep.
    Yielded,
    Timed(Pin<Box<Sleep>>),
}

impl Linger {
    /// Ready when the end has been awaited for long enough.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self {
                Self::Unasked => {
                    *self = Self::Yielded;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Self::Yielded => *self = Self::Timed(Box::pin(tokio::time::sleep(LINGER))),
                Self::Timed(sleep) => return sleep.as_mut().poll(cx),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_connection_gets_a_turn_before_a_timer_is_set() {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        // Without a runtime, a timer would panic.
        let polled = Linger::default().poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_that_does_not_come_is_awaited_for_a_second() {
        let start = tokio::time::Instant::now();
        let mut linger = Linger::default();
        poll_fn(|cx| linger.poll(cx)).await;
        assert_eq!(start.elapsed(), LINGER);
    }
}
