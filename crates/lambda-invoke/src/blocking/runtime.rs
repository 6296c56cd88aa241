//! A runtime on a separate thread, and a way to wait for a future on the caller's thread.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
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
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            match future.as_mut().poll(&mut context) {
                Poll::Ready(output) => return output,
                // If the future was woken before this line, it returns at once.
                Poll::Pending => thread::park(),
            }
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").finish_non_exhaustive()
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
