//! The shared state of a connection: what has reached the wire, and when it must end.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};

use crate::wire::shutdown::Running;

/// State shared by the tasks and bodies of a connection.
pub(crate) struct Connection {
    /// How many times all buffered bytes have reached the operating system.
    pub(super) flushes: AtomicU64,
    /// Whether a response body waits for the next flush.
    pub(super) awaited: AtomicBool,
    reset: AtomicBool,
    /// Whether the end of the connection would be the end of a response body that is incomplete.
    ends_body: AtomicBool,
    requests: AtomicU64,
    pub(super) in_flight: AtomicUsize,
    /// Whether a request was received whose response is not yet known to be on the wire.
    pub(super) owes: AtomicBool,
    reading: AtomicBool,
    responding: AtomicBool,
    pub(super) written: AtomicU64,
    /// An [`Order`] as a number, which only grows.
    order: AtomicU8,
    /// The waker of the connection's task.
    task: Mutex<Option<Waker>>,
    running: Arc<Running>,
    addresses: Addresses,
}

/// The addresses of a connection, where it has any.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Addresses {
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) local: Option<SocketAddr>,
}

/// Whether a connection may continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Serve,
    /// End after the current request.
    Drain,
    /// End now.
    Stop,
}

/// Counters of a connection, by which an idle or stuck connection is detected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Activity {
    pub(crate) requests: u64,
    pub(crate) in_flight: usize,
    /// Whether a request's body is being read.
    pub(crate) reading: bool,
    /// Whether the head of the latest request's response is ready.
    pub(crate) responding: bool,
    pub(crate) written: u64,
}

impl Connection {
    pub(crate) fn new(running: Running, addresses: Addresses) -> Arc<Self> {
        Arc::new(Self {
            flushes: AtomicU64::new(0),
            awaited: AtomicBool::new(false),
            reset: AtomicBool::new(false),
            ends_body: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
            owes: AtomicBool::new(false),
            reading: AtomicBool::new(false),
            responding: AtomicBool::new(false),
            written: AtomicU64::new(0),
            order: AtomicU8::new(Order::Serve as u8),
            task: Mutex::default(),
            running: Arc::new(running),
            addresses,
        })
    }

    /// Returns the guard that the endpoint's shutdown waits for.
    pub(crate) fn running(&self) -> &Arc<Running> {
        &self.running
    }

    pub(crate) fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Returns the current position, for [`flushed_since`](Self::flushed_since).
    pub(crate) fn mark(&self) -> u64 {
        self.flushes.load(Ordering::Acquire)
    }

    /// Whether all bytes buffered at the mark have reached the operating system. If not, the
    /// connection's task is woken when they have.
    pub(crate) fn flushed_since(&self, mark: u64) -> bool {
        self.awaited.store(true, Ordering::Release);
        let flushed = self.flushes.load(Ordering::Acquire) > mark;
        if flushed {
            self.awaited.store(false, Ordering::Release);
        }
        flushed
    }

    /// Makes the connection end with a reset instead of an orderly close.
    pub(crate) fn reset(&self) {
        self.reset.store(true, Ordering::Release);
    }

    /// Notes that a response body of unknown length is being sent in HTTP/1.0, or no longer.
    pub(crate) fn set_ends_body(&self, ends_body: bool) {
        self.ends_body.store(ends_body, Ordering::Release);
    }

    /// Makes the connection end with a reset if an orderly close would make a truncated body look
    /// complete.
    pub(crate) fn truncate(&self) {
        if self.ends_body.load(Ordering::Acquire) {
            self.reset();
        }
    }

    /// Whether the connection ends with a reset.
    pub(crate) fn is_reset(&self) -> bool {
        self.reset.load(Ordering::Acquire)
    }

    /// Whether a request is in flight: from its complete head to the last byte of its response.
    pub(crate) fn owes_response(&self) -> bool {
        self.owes.load(Ordering::Acquire)
    }

    /// Sets whether a request's body is being read.
    pub(crate) fn set_reading(&self, reading: bool) {
        self.reading.store(reading, Ordering::Relaxed);
    }

    /// Notes that the head of the latest request's response is ready.
    pub(crate) fn set_responding(&self) {
        self.responding.store(true, Ordering::Relaxed);
    }

    /// Sets an order and wakes the connection's task.
    pub(crate) fn set_order(&self, order: Order) {
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

    /// Returns the current order; the task is woken when it changes.
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

    /// Whether the connection must end now.
    pub(crate) fn is_stopped(&self) -> bool {
        self.order.load(Ordering::Acquire) >= Order::Stop as u8
    }

    pub(crate) fn activity(&self) -> Activity {
        Activity {
            requests: self.requests.load(Ordering::Relaxed),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            reading: self.reading.load(Ordering::Relaxed),
            responding: self.responding.load(Ordering::Relaxed),
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

/// Counts a request as in flight until its response body is dropped.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Connection>);

impl InFlight {
    pub(crate) fn new(connection: &Arc<Connection>) -> Self {
        connection.requests.fetch_add(1, Ordering::Relaxed);
        connection.responding.store(false, Ordering::Relaxed);
        connection.in_flight.fetch_add(1, Ordering::Relaxed);
        connection.owes.store(true, Ordering::Release);
        Self(Arc::clone(connection))
    }

    /// Returns the request's connection.
    pub(crate) fn connection(&self) -> &Connection {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
