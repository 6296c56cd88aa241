//! A function while it runs: polled in place, ended by its time limit, kept going without a caller.

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

/// How a run ended.
#[derive(Debug)]
pub(crate) enum Outcome<T> {
    Answer(T),
    Failed(FunctionError),
    TimedOut(FunctionError),
}

/// A function that runs within the task that polls it.
///
/// No task is spawned for it unless it is dropped before its end, which is what happens when the
/// caller goes away: then it is told so and runs on in a task of its own, as the service lets it.
pub(crate) struct Run<T: Send + 'static> {
    inner: Option<Inner<T>>,
}

struct Inner<T> {
    /// `None` once it has ended.
    code: Option<function::Running<T>>,
    /// Set up when the function first waits: one that never does costs no timer.
    limit: Option<Pin<Box<Sleep>>>,
    deadline: Instant,
    invocation: Invocation,
    // Held until the function has really ended.
    _permit: Permit,
    counted: Arc<Counted>,
}

impl<T: Send + 'static> Run<T> {
    /// Calls the function's closure; the future that it gives runs as this one is polled.
    pub(crate) fn start(
        invocation: &Invocation,
        permit: Permit,
        counted: Arc<Counted>,
        call: impl FnOnce() -> function::Running<T>,
    ) -> Self {
        let code = catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
            let error = panicked(panic.as_ref());
            Box::pin(async move { Err(error) })
        });
        let inner = Inner {
            code: Some(code),
            limit: None,
            deadline: invocation.deadline(),
            invocation: invocation.clone(),
            _permit: permit,
            counted,
        };
        Self { inner: Some(inner) }
    }

    /// Lets the function run on; ready when it has ended. Must not be polled after that.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        let Some(inner) = &mut self.inner else {
            return Poll::Pending;
        };
        let outcome = ready!(Pin::new(inner).poll(cx));
        self.inner = None;
        Poll::Ready(outcome)
    }
}

impl<T: Send + 'static> Future for Run<T> {
    type Output = Outcome<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        self.get_mut().poll(cx)
    }
}

impl<T> Future for Inner<T> {
    type Output = Outcome<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        let inner = &mut *self;
        let Some(code) = &mut inner.code else {
            return Poll::Pending;
        };
        let polled = catch_unwind(AssertUnwindSafe(|| code.as_mut().poll(cx)))
            .unwrap_or_else(|panic| Poll::Ready(Err(panicked(panic.as_ref()))));
        if let Poll::Ready(result) = polled {
            inner.end();
            return Poll::Ready(match result {
                Ok(answer) => Outcome::Answer(answer),
                Err(error) => Outcome::Failed(error),
            });
        }
        let deadline = inner.deadline;
        let limit = inner
            .limit
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline.into())));
        ready!(limit.as_mut().poll(cx));
        inner.end();
        let limit = inner.invocation.call().function.timeout;
        Poll::Ready(Outcome::TimedOut(FunctionError::timed_out(limit)))
    }
}

impl<T> Inner<T> {
    /// Drops the function's future. One that panics even then must not take the endpoint along.
    fn end(&mut self) {
        let code = self.code.take();
        let _ = catch_unwind(AssertUnwindSafe(move || drop(code)));
    }
}

impl<T: Send + 'static> Drop for Run<T> {
    fn drop(&mut self) {
        let Some(inner) = self.inner.take() else {
            return;
        };
        inner.invocation.tell_caller_gone();
        // Outside of a runtime, as at its end, there is nothing left to run on.
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

impl<T: Send + 'static> fmt::Debug for Run<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("running", &self.inner.is_some())
            .finish_non_exhaustive()
    }
}

/// What a panic says, as a function error: its text is what a person looks for.
fn panicked(panic: &(dyn std::any::Any + Send)) -> FunctionError {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("the function panicked");
    FunctionError::new("Panic", text)
}
