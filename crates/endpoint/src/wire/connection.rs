//! A connection as its answers see it: what has reached the wire, and how it shall end.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};

use crate::wire::shutdown::Running;

/// What the parts of a connection tell each other.
pub(crate) struct Connection {
    /// How often everything that was buffered has reached the operating system.
    pub(super) flushes: AtomicU64,
    /// Whether an answer's body waits for the next flush.
    pub(super) awaited: AtomicBool,
    pub(super) reset: AtomicBool,
    requests: AtomicU64,
    pub(super) in_flight: AtomicUsize,
    /// Whether a request has come whose response is not known to be on the wire.
    pub(super) owes: AtomicBool,
    reading: AtomicBool,
    pub(super) written: AtomicU64,
    /// An [`Order`] as a number, which only grows.
    order: AtomicU8,
    /// The connection's own task.
    task: Mutex<Option<Waker>>,
    running: Arc<Running>,
}

/// What a connection is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Serve,
    /// End once the request that is being served is.
    Drain,
    /// End now.
    Stop,
}

/// What a connection has done, for telling an idle or stuck one from a busy one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Activity {
    pub(crate) requests: u64,
    pub(crate) in_flight: usize,
    /// Whether a request's body is being read.
    pub(crate) reading: bool,
    pub(crate) written: u64,
}

impl Connection {
    pub(crate) fn new(running: Running) -> Arc<Self> {
        Arc::new(Self {
            flushes: AtomicU64::new(0),
            awaited: AtomicBool::new(false),
            reset: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
            owes: AtomicBool::new(false),
            reading: AtomicBool::new(false),
            written: AtomicU64::new(0),
            order: AtomicU8::new(Order::Serve as u8),
            task: Mutex::default(),
            running: Arc::new(running),
        })
    }

    /// What must have ended before the endpoint has.
    pub(crate) fn running(&self) -> &Arc<Running> {
        &self.running
    }

    /// Now, to be given to [`flushed_since`](Self::flushed_since) later.
    pub(crate) fn mark(&self) -> u64 {
        self.flushes.load(Ordering::Acquire)
    }

    /// Whether everything buffered at the mark has reached the operating system; if not, the
    /// connection's task is woken when it has.
    pub(crate) fn flushed_since(&self, mark: u64) -> bool {
        self.awaited.store(true, Ordering::Release);
        let flushed = self.flushes.load(Ordering::Acquire) > mark;
        if flushed {
            self.awaited.store(false, Ordering::Release);
        }
        flushed
    }

    /// Has the connection end with a reset in place of an orderly close.
    pub(crate) fn reset(&self) {
        self.reset.store(true, Ordering::Release);
    }

    /// Whether a request is in flight: from its whole head to the last byte of its response.
    pub(crate) fn owes_response(&self) -> bool {
        self.owes.load(Ordering::Acquire)
    }

    /// Says whether a request's body is being read.
    pub(crate) fn set_reading(&self, reading: bool) {
        self.reading.store(reading, Ordering::Relaxed);
    }

    /// Gives an order, and wakes the connection's task to obey it.
    pub(crate) fn give(&self, order: Order) {
        self.order.fetch_max(order as u8, Ordering::AcqRel);
        let task = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(task) = task {
            task.wake();
        }
    }

    /// The order that stands; the task is woken when another one is given.
    pub(crate) fn order(&self, cx: &Context<'_>) -> Order {
        {
            let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
            match &mut *task {
                Some(waker) => waker.clone_from(cx.waker()),
                None => *task = Some(cx.waker().clone()),
            }
        }
        match self.order.load(Ordering::Acquire) {
            0 => Order::Serve,
            1 => Order::Drain,
            _ => Order::Stop,
        }
    }

    /// Whether the connection was told to end now.
    pub(crate) fn is_stopped(&self) -> bool {
        self.order.load(Ordering::Acquire) >= Order::Stop as u8
    }

    pub(crate) fn activity(&self) -> Activity {
        Activity {
            requests: self.requests.load(Ordering::Relaxed),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            reading: self.reading.load(Ordering::Relaxed),
            written: self.written.load(Ordering::Relaxed),
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("activity", &self.activity())
            .finish_non_exhaustive()
    }
}

/// Counts a request as in flight until its answer's body is gone.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Connection>);

impl InFlight {
    pub(crate) fn new(connection: &Arc<Connection>) -> Self {
        connection.requests.fetch_add(1, Ordering::Relaxed);
        connection.in_flight.fetch_add(1, Ordering::Relaxed);
        connection.owes.store(true, Ordering::Release);
        Self(Arc::clone(connection))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
