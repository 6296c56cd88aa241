//! A running function: polled in place, ended by its timeout, and continued without a caller.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::time::Sleep;

use crate::function;
use crate::function::error::FunctionError;
use crate::function::invocation::Invocation;
use crate::run::concurrency::Permit;
use crate::wire::shutdown::Running as Counted;

/// How a function ended.
pub(crate) type Outcome = Result<(), FunctionError>;

/// A function that runs within the task that polls it.
///
/// It needs no separate task unless it is dropped before its end, because the caller
/// disconnected. Then the invocation is notified, and the function continues in a new task, as it
/// does in the service.
pub(super) struct Run {
    inner: Option<Inner>,
}

struct Inner {
    /// `None` once it has ended.
    code: Option<function::Running>,
    /// Created when the function first waits, so that a function that never waits needs no timer.
    limit: Option<Pin<Box<Sleep>>>,
    /// `None` if the function enforces its timeout itself.
    deadline: Option<Instant>,
    invocation: Invocation,
    // Held until the function has ended, even without a caller.
    _permit: Permit,
    counted: Arc<Counted>,
}

impl Run {
    /// Calls the function's closure; the returned future runs when this one is polled.
    pub(super) fn start(
        invocation: &Invocation,
        deadline: Option<Instant>,
        permit: Permit,
        counted: Arc<Counted>,
        call: impl FnOnce() -> function::Running,
    ) -> Self {
        let code = catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
            let error = panicked(panic.as_ref());
            Box::pin(async move { Err(error) })
        });
        let inner = Inner {
            code: Some(code),
            limit: None,
            deadline,
            invocation: invocation.clone(),
            _permit: permit,
            counted,
        };
        Self { inner: Some(inner) }
    }

    /// Polls the function; ready when it has ended. Must not be polled after that.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        let Some(inner) = &mut self.inner else {
            return Poll::Pending;
        };
        let outcome = ready!(Pin::new(inner).poll(cx));
        self.inner = None;
        Poll::Ready(outcome)
    }
}

impl Future for Inner {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let inner = &mut *self;
        let Some(code) = &mut inner.code else {
            return Poll::Pending;
        };
        let polled = catch_unwind(AssertUnwindSafe(|| code.as_mut().poll(cx)))
            .unwrap_or_else(|panic| Poll::Ready(Err(panicked(panic.as_ref()))));
        if polled.is_ready() {
            inner.end();
            return polled;
        }
        let Some(deadline) = inner.deadline else {
            return Poll::Pending;
        };
        let limit = inner
            .limit
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline.into())));
        ready!(limit.as_mut().poll(cx));
        inner.end();
        let limit = inner.invocation.call().function.timeout;
        Poll::Ready(Err(FunctionError::timed_out(limit)))
    }
}

impl Inner {
    /// Drops the function's future, and catches a panic in its destructor.
    fn end(&mut self) {
        let code = self.code.take();
        let _ = catch_unwind(AssertUnwindSafe(move || drop(code)));
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let Some(inner) = self.inner.take() else {
            return;
        };
        inner.invocation.set_caller_gone();
        // Outside of a runtime, for example during its shutdown, the function cannot continue.
        if let Ok(handle) = Handle::try_current() {
            let stop = inner.counted.stop();
            handle.spawn(async move {
                tokio::select! {
                    _ = inner => {}
                    () = stop => {}
                }
            });
        }
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("running", &self.inner.is_some())
            .finish_non_exhaustive()
    }
}

/// Converts a panic into a function error with the panic's message.
fn panicked(panic: &(dyn std::any::Any + Send)) -> FunctionError {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("the function panicked");
    FunctionError::new("Panic", text)
}
