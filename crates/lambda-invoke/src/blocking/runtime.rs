//! A runtime on a separate thread, and a way to wait for a future on the caller's thread.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Drives sockets and timers until it is dropped.
pub(super) struct Runtime {
    handle: Handle,
    /// The thread ends when this is dropped.
    _alive: oneshot::Sender<()>,
}

impl Runtime {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        let (alive, ended) = oneshot::channel();
        thread::Builder::new()
            .name("lambda-invoke".to_owned())
            .spawn(move || {
                // Nothing is ever sent: the channel ends when the sender is dropped. The runtime is
                // dropped here, on a thread that may block.
                let _ = runtime.block_on(ended);
            })?;
        Ok(Self {
            handle,
            _alive: alive,
        })
    }

    /// Waits for a future on this thread, while the runtime's thread drives its sockets.
    ///
    /// Unlike [`Handle::block_on`], this does not panic on a thread of another runtime.
    pub(super) fn wait<F: Future>(&self, future: F) -> F::Output {
        let _entered = self.handle.enter();
        let unpark = Arc::new(Unpark {
            thread: thread::current(),
            is_woken: AtomicBool::new(false),
        });
        let waker = Waker::from(Arc::clone(&unpark));
        let mut context = Context::from_waker(&waker);
        // The caller may be a task, whose budget is only renewed when it returns to its scheduler.
        let mut future = pin!(tokio::task::unconstrained(future));
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return output;
            }
            // If the future has been woken already, this returns at once.
            while !unpark.is_woken.swap(false, Ordering::Acquire) {
                thread::park();
            }
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").finish_non_exhaustive()
    }
}

/// Wakes a thread. That it was woken is also stored here: whatever the future calls, such as a channel
/// of a logger, may itself park the thread, and then takes the thread's own token.
struct Unpark {
    thread: Thread,
    is_woken: AtomicBool,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_future_that_parks_the_thread_after_it_was_woken_is_polled_again() {
        let runtime = Runtime::start().unwrap();
        let (done, ended) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let mut is_first = true;
            runtime.wait(std::future::poll_fn(|cx| {
                if !std::mem::take(&mut is_first) {
                    return Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                thread::park_timeout(Duration::from_secs(1));
                Poll::Pending
            }));
            done.send(()).unwrap();
        });
        ended.recv_timeout(Duration::from_secs(10)).unwrap();
    }
}
