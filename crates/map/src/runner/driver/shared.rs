//! The driver of a run, shared by the reader of the results and the tasks that make calls.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use lambda_invoke::Error;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};

use super::super::attempt::Response;
use super::super::{Ended, Map, Phase, RunError};
use super::{Driver, ItemSource, Progress};
use crate::item::Event;

/// How long results are collected before the reader is woken, while calls are running. To wake it for
/// each result would often wake another thread as well, which takes longer than the result itself.
const TOGETHER: Duration = Duration::from_millis(1);

/// A run. Whoever has something to add drives it: the reader of the results, and each task whose call
/// has ended.
///
/// A task never waits for another that drives the run: it leaves its result in the queue, which whoever
/// has driven the run looks through again afterwards.
pub(in super::super) struct Shared {
    inner: Mutex<Inner>,
    called: Mutex<Vec<Called>>,
}

/// A call that ended: its caller and its result.
type Called = (usize, Result<Response, Error>);

struct Inner {
    driver: Driver,
    /// The task that reads the results. It is woken for everything that the run waits for, except for
    /// calls.
    reader: Waker,
    /// Whether it is waiting for results.
    is_waiting: bool,
    /// Wakes it for results that are too few to wake it at once.
    timer: Option<Pin<Box<Sleep>>>,
    /// Whether the timer was set since the reader last took results.
    is_timed: bool,
    /// Calls that were taken from the queue.
    taken: Vec<Called>,
}

impl Inner {
    /// Returns the reader if it has to be woken now.
    fn wanted_reader(&mut self) -> Option<Waker> {
        let is_wanted = self.is_waiting
            && self.driver.has_news()
            && (self.driver.is_urgent() || self.is_overdue());
        self.is_waiting &= !is_wanted;
        is_wanted.then(|| self.reader.clone())
    }

    /// Whether the first of the results has waited long enough; if not, the reader will be woken then.
    fn is_overdue(&mut self) -> bool {
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(TOGETHER)));
        if !std::mem::replace(&mut self.is_timed, true) {
            timer.as_mut().reset(Instant::now() + TOGETHER);
        }
        let mut cx = Context::from_waker(&self.reader);
        timer.as_mut().poll(&mut cx).is_ready()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    pub(in super::super) fn new(
        map: Map,
        source: ItemSource,
        phases: watch::Receiver<Phase>,
        progress: Arc<Mutex<Progress>>,
    ) -> Arc<Self> {
        Arc::new_cyclic(|run| Self {
            inner: Mutex::new(Inner {
                driver: Driver::new(map, source, phases, progress, run.clone()),
                reader: Waker::noop().clone(),
                is_waiting: false,
                timer: None,
                is_timed: false,
                taken: Vec::new(),
            }),
            called: Mutex::default(),
        })
    }

    pub(in super::super) fn ended(&self) -> Ended {
        self.with(|inner| inner.driver.ended())
    }

    /// Takes all results that are ready, into an empty queue. If there are none, drives the run until
    /// there are some, an error, or nothing more can happen now. `None` means that the run has ended.
    pub(in super::super) fn poll_ready(
        &self,
        cx: &mut Context<'_>,
        taken: &mut VecDeque<Event>,
    ) -> Poll<Option<Result<(), RunError>>> {
        self.with(|inner| {
            inner.reader.clone_from(cx.waker());
            inner.is_timed = false;
            let ended = inner.driver.poll_ready(cx);
            inner.is_waiting = ended.is_pending();
            std::mem::swap(taken, &mut inner.driver.ready);
            ended
        })
    }

    /// Ends the run at once, because nobody will read its results.
    pub(in super::super) fn abandon(&self) {
        self.with(|inner| inner.driver.forget());
    }

    /// Adds the result of a call.
    pub(super) fn called(&self, caller: usize, result: Result<Response, Error>) {
        self.queue().push((caller, result));
    }

    /// Records the results that were added, and starts what may start now, unless another task is about
    /// to do so.
    pub(super) fn advance(&self) {
        while !self.queue().is_empty() {
            let mut inner = match self.inner.try_lock() {
                Ok(inner) => inner,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                // Whoever has the lock calls this method afterwards.
                Err(TryLockError::WouldBlock) => return,
            };
            let Inner {
                driver,
                reader,
                taken,
                ..
            } = &mut *inner;
            std::mem::swap(taken, &mut *self.queue());
            for (caller, result) in taken.drain(..) {
                driver.called(caller, result);
            }
            driver.advance(&mut Context::from_waker(reader));
            let reader = inner.wanted_reader();
            drop(inner);
            if let Some(reader) = reader {
                reader.wake();
            }
        }
    }

    /// Runs a function with the lock.
    fn with<T>(&self, run: impl FnOnce(&mut Inner) -> T) -> T {
        // If a task panicked with the lock, so does the reader, which waits for the end of all tasks.
        let result = run(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner));
        self.advance();
        result
    }

    fn queue(&self) -> MutexGuard<'_, Vec<Called>> {
        self.called.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
