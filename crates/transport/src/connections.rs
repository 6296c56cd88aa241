//! The unused connections of a host, and the requests that wait for one.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::sync::{Mutex, MutexGuard};

/// The limits of unused connections.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// How long a connection may be unused.
    pub(crate) idle: Duration,
    /// How many unused connections are kept for each host.
    pub(crate) size: usize,
}

/// A connection that more than one request may use.
pub(crate) trait Reusable {
    /// What identifies the runtime that drives it.
    type Runtime: Copy + PartialEq;

    /// Whether it can take a request now.
    fn is_ready(&self) -> bool;

    /// The runtime that drives it. Only requests within that runtime use it: in another one, they
    /// would wait for as long as this one is not running.
    fn runtime(&self) -> Self::Runtime;
}

/// The connections of a host that no request uses.
pub(crate) struct Connections<C: Reusable> {
    limits: Limits,
    state: Mutex<State<C>>,
}

struct State<C: Reusable> {
    idle: Vec<Idle<C>>,
    waiting: VecDeque<Waiting<C>>,
}

/// A request that waits for a connection.
struct Waiting<C: Reusable> {
    runtime: C::Runtime,
    sender: oneshot::Sender<C>,
}

struct Idle<C> {
    connection: C,
    since: Instant,
}

impl<C: Reusable> Idle<C> {
    fn is_usable(&self, now: Instant, limit: Duration) -> bool {
        self.connection.is_ready() && now.saturating_duration_since(self.since) <= limit
    }
}

impl<C: Reusable> Connections<C> {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            state: Mutex::new(State {
                idle: Vec::new(),
                waiting: VecDeque::new(),
            }),
        })
    }

    /// Takes the connection that was used last within the same runtime, or enters a queue for the next
    /// one that becomes unused.
    pub(crate) fn take(self: &Arc<Self>, now: Instant, runtime: C::Runtime) -> Result<C, Turn<C>> {
        let mut state = self.lock();
        let is_own = |idle: &Idle<C>| idle.connection.runtime() == runtime;
        while let Some(last) = state.idle.iter().rposition(is_own) {
            let idle = state.idle.remove(last);
            if idle.is_usable(now, self.limits.idle) {
                return Ok(idle.connection);
            }
        }
        let (sender, given) = oneshot::channel();
        if self.limits.size > 0 {
            let waiting = &mut state.waiting;
            while waiting
                .front()
                .is_some_and(|first| first.sender.is_closed())
            {
                waiting.pop_front();
            }
            waiting.push_back(Waiting { runtime, sender });
        }
        Err(Turn {
            connections: Arc::clone(self),
            given,
        })
    }

    /// Gives a connection to the first request within its runtime that waits for one, or keeps it.
    pub(crate) fn put(&self, mut connection: C) {
        if self.limits.size == 0 || !connection.is_ready() {
            return;
        }
        let runtime = connection.runtime();
        let mut state = self.lock();
        let is_own = |waiting: &Waiting<C>| waiting.runtime == runtime;
        while let Some(first) = state.waiting.iter().position(is_own) {
            let Some(waiting) = state.waiting.remove(first) else {
                break;
            };
            match waiting.sender.send(connection) {
                Ok(()) => return,
                Err(returned) => connection = returned,
            }
        }
        if state.idle.len() < self.limits.size {
            let since = Instant::now();
            state.idle.push(Idle { connection, since });
        }
    }

    /// Closes connections that have been unused for too long.
    pub(crate) fn close_unused(&self, now: Instant) {
        let limit = self.limits.idle;
        self.lock().idle.retain(|idle| idle.is_usable(now, limit));
    }

    pub(crate) fn has_idle(&self) -> bool {
        !self.lock().idle.is_empty()
    }

    /// No code panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of a request in the queue of those that wait for a connection. A connection that the
/// request was given, but did not take before it was dropped or opened its own, is returned.
pub(crate) struct Turn<C: Reusable> {
    connections: Arc<Connections<C>>,
    given: oneshot::Receiver<C>,
}

impl<C: Reusable> Turn<C> {
    /// Ready with a connection, or with `None` if there will not be one that can be used. Must not be
    /// called again after that.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<C>> {
        let given = Pin::new(&mut self.given).poll(cx);
        given.map(|given| given.ok().filter(C::is_ready))
    }
}

impl<C: Reusable> Drop for Turn<C> {
    fn drop(&mut self) {
        // Closed first, so that none is given to it afterwards.
        self.given.close();
        if let Ok(connection) = self.given.try_recv() {
            self.connections.put(connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that is closed has no number.
    struct Number(u32);

    const CLOSED: Number = Number(0);

    impl Reusable for Number {
        /// The hundreds of the number.
        type Runtime = u32;

        fn is_ready(&self) -> bool {
            self.0 > 0
        }

        fn runtime(&self) -> u32 {
            self.0 / 100
        }
    }

    const LIMITS: Limits = Limits {
        idle: Duration::from_secs(20),
        size: 4,
    };

    #[test]
    fn a_connection_is_only_given_to_requests_within_its_runtime() {
        let (connections, now) = (Connections::new(LIMITS), Instant::now());
        for number in [101, 202, 103] {
            connections.put(Number(number));
        }
        let take = |runtime| connections.take(now, runtime);
        assert!(take(2).is_ok_and(|taken| taken.0 == 202));
        let mut waiting: Vec<_> = [2, 1]
            .into_iter()
            .filter_map(|own| take(own).err())
            .collect();
        // The request within runtime 1 has taken the last of its connections.
        assert_eq!(waiting.len(), 1);
        assert!(take(1).is_ok_and(|taken| taken.0 == 101));
        waiting.extend(take(1).err());
        connections.put(Number(104));
        let mut cx = Context::from_waker(std::task::Waker::noop());
        assert!(waiting[0].poll(&mut cx).is_pending());
        let given = waiting[1].poll(&mut cx);
        assert!(matches!(given, Poll::Ready(Some(Number(104)))));
    }

    #[test]
    fn a_closed_connection_is_neither_kept_nor_given_to_a_request() {
        let (connections, now) = (Connections::new(LIMITS), Instant::now());
        connections.put(CLOSED);
        assert!(!connections.has_idle());
        let mut waiting = connections.take(now, 0).err().unwrap();
        connections.put(CLOSED);
        let mut cx = Context::from_waker(std::task::Waker::noop());
        assert!(waiting.poll(&mut cx).is_pending());
    }

    #[test]
    fn without_room_nothing_is_kept_and_no_request_queues() {
        let connections = Connections::new(Limits { size: 0, ..LIMITS });
        let turn = connections.take(Instant::now(), 0).err().unwrap();
        assert!(connections.lock().waiting.is_empty());
        connections.put(Number(1));
        assert!(!connections.has_idle());
        drop(turn);
    }

    #[test]
    fn a_connection_that_a_request_did_not_take_goes_to_the_next_one_or_is_kept() {
        let (connections, now) = (Connections::new(LIMITS), Instant::now());
        let wait = || connections.take(now, 0).err().unwrap();
        let (first, mut second) = (wait(), wait());
        connections.put(Number(1));
        assert!(!connections.has_idle());
        drop(first);
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let Poll::Ready(Some(given)) = second.poll(&mut cx) else {
            panic!("the second request gets the connection");
        };
        assert_eq!(given.0, 1);
        drop(second);
        assert!(!connections.has_idle());
        let third = wait();
        connections.put(given);
        drop(third);
        assert!(connections.take(now, 0).is_ok_and(|kept| kept.0 == 1));
    }
}
