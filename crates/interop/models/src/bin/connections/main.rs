//! The pool of the client's connections: `transport/src/connections.rs`.

extern crate lambda_invoke_models as tokio;

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lambda_invoke_models::check;
use loom::future::block_on;
use loom::{sync, thread};
use tokio::time::{Instant, now};

#[path = "../../../../../transport/src/connections.rs"]
mod connections;

use connections::{Connections, Limits, Reusable, Turn};

fn main() {
    check!(None;
        a_connection_is_never_given_to_two_requests,
        a_connection_that_nobody_took_is_kept,
        a_connection_that_nobody_took_goes_to_the_next_request,
        no_more_connections_are_kept_than_the_limit_allows,
        a_connection_is_closed_or_given_and_not_both,
    );
}

/// A connection that tells whether it is open, and whether a request uses it.
struct Connection(Arc<State>);

#[derive(Default)]
struct State {
    is_used: AtomicBool,
    is_closed: AtomicBool,
}

impl Reusable for Connection {
    type Runtime = ();

    fn is_ready(&self) -> bool {
        true
    }

    fn runtime(&self) {}
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.is_closed.store(true, Ordering::SeqCst);
    }
}

impl Connection {
    fn open() -> (Self, Arc<State>) {
        let state = Arc::new(State::default());
        (Self(Arc::clone(&state)), state)
    }

    /// Makes a request.
    fn request(&self) {
        assert!(!self.0.is_used.swap(true, Ordering::SeqCst));
        thread::yield_now();
        assert!(!self.0.is_closed.load(Ordering::SeqCst));
        self.0.is_used.store(false, Ordering::SeqCst);
    }
}

type Pool = Arc<Connections<Connection>>;

const IDLE: Duration = Duration::from_secs(20);

fn pool(size: usize) -> Pool {
    tokio::time::begin(Instant::now());
    Connections::new(Limits { idle: IDLE, size })
}

fn wait(mut turn: Turn<Connection>) -> Option<Connection> {
    block_on(poll_fn(|cx| turn.poll(cx)))
}

/// Two requests share a connection, since neither opens one: each is made with it, one after the other.
fn a_connection_is_never_given_to_two_requests() {
    let pool = pool(1);
    let (connection, state) = Connection::open();
    pool.put(connection);
    let exchange = |pool: &Pool| {
        let connection = match pool.take(now(), ()) {
            Ok(connection) => connection,
            Err(turn) => wait(turn).expect("the other request returns it"),
        };
        connection.request();
        pool.put(connection);
    };
    let shared = Arc::clone(&pool);
    let other = thread::spawn(move || exchange(&shared));
    exchange(&pool);
    other.join().expect("no request failed");
    assert!(
        pool.take(now(), ())
            .is_ok_and(|kept| Arc::ptr_eq(&kept.0, &state))
    );
}

/// A request that waited for a connection ends: it was dropped, or it opened one of its own first.
fn a_connection_that_nobody_took_is_kept() {
    let pool = pool(1);
    let turn = pool.take(now(), ()).err().expect("there is none");
    let (connection, _) = Connection::open();
    let shared = Arc::clone(&pool);
    let other = thread::spawn(move || shared.put(connection));
    drop(turn);
    other.join().expect("nothing panics");
    assert!(pool.take(now(), ()).is_ok());
}

fn a_connection_that_nobody_took_goes_to_the_next_request() {
    let pool = pool(1);
    let first = pool.take(now(), ()).err().expect("there is none");
    let second = pool.take(now(), ()).err().expect("there is none");
    let (connection, _) = Connection::open();
    let shared = Arc::clone(&pool);
    let returns = thread::spawn(move || shared.put(connection));
    let ends = thread::spawn(move || drop(first));
    wait(second).expect("it gets the connection").request();
    returns.join().expect("nothing panics");
    ends.join().expect("nothing panics");
}

fn no_more_connections_are_kept_than_the_limit_allows() {
    let pool = pool(1);
    let (own, of_own) = Connection::open();
    let (other, of_other) = Connection::open();
    let shared = Arc::clone(&pool);
    let returns = thread::spawn(move || shared.put(other));
    pool.put(own);
    returns.join().expect("nothing panics");
    let closed = [of_own, of_other].map(|state| state.is_closed.load(Ordering::SeqCst));
    assert_ne!(closed[0], closed[1]);
    assert!(pool.has_idle());
}

/// Connections that were unused for too long are closed, while a request takes one.
fn a_connection_is_closed_or_given_and_not_both() {
    let pool = pool(1);
    let (connection, state) = Connection::open();
    pool.put(connection);
    let shared = Arc::clone(&pool);
    let closes = thread::spawn(move || shared.close_unused(now() + 2 * IDLE));
    let given = pool.take(now(), ());
    assert_eq!(given.is_err(), state.is_closed.load(Ordering::SeqCst));
    if let Ok(connection) = &given {
        connection.request();
    }
    closes.join().expect("nothing panics");
    assert_eq!(given.is_err(), state.is_closed.load(Ordering::SeqCst));
}
