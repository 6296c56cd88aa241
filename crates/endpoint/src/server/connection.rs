//! Serves one connection, until it ends or has nothing more to do.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::site::Site;
use crate::fault::Resettable;
use crate::function::Function;
use crate::wire::connection::{Addresses, Connection, Order};
use crate::wire::io::Wire;
use crate::wire::shutdown::Running;

/// The timeout for a request's head, for its body, and for an idle connection.
const IDLE: Duration = Duration::from_secs(60);

/// How long a caller may stop reading while a response is being sent: as long as the longest
/// function may run.
const STUCK: Duration = Function::LONGEST;

/// Makes closing a socket a reset.
pub(super) fn abort(stream: &TcpStream) {
    // If it fails, the caller sees an orderly close instead of the reset.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

/// Serves the requests of one connection until it ends.
pub(super) async fn connection<T>(
    site: Arc<Site>,
    io: T,
    abort: fn(&T),
    addresses: Addresses,
    running: Running,
) where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let shared = Connection::new(running, addresses);
    let io = Resettable::new(io, abort, Arc::clone(&shared));
    let wire = Wire::new(io, Arc::clone(&shared));
    // In a separate task, so that serving a request need not poll the timers.
    let watching = tokio::spawn(watch(Arc::downgrade(&shared)));
    let responding = service_fn(|request: Request<Incoming>| {
        let (site, shared) = (Arc::clone(&site), Arc::clone(&shared));
        // Taken apart here, since an async function that is given a request by value keeps it twice.
        let (parts, body) = request.into_parts();
        async move { Ok::<_, Infallible>(site.respond(&parts, body, &shared).await) }
    });
    let mut serving = pin!(http1::Builder::new().serve_connection(wire, responding));
    let mut is_drained = false;
    poll_fn(|cx| {
        match shared.order(cx) {
            Order::Serve => {}
            Order::Drain if is_drained => {}
            Order::Drain => {
                is_drained = true;
                serving.as_mut().graceful_shutdown();
            }
            Order::Stop => {
                shared.truncate();
                return Poll::Ready(());
            }
        }
        // Errors are the caller's: it disconnected, or sent something other than HTTP.
        let ended = serving.as_mut().poll(cx).map(drop);
        // hyper would wait for the rest of an incomplete head.
        if is_drained && !shared.owes_response() {
            return Poll::Ready(());
        }
        ended
    })
    .await;
    watching.abort();
}

/// Orders a connection to end when the endpoint shuts down or the connection times out.
async fn watch(connection: Weak<Connection>) {
    let Some((drained, stopped)) = connection
        .upgrade()
        .map(|shared| (shared.running().drain(), shared.running().stop()))
    else {
        return;
    };
    let set_order = |order| {
        if let Some(connection) = connection.upgrade() {
            connection.set_order(order);
        }
    };
    let mut drained = pin!(drained);
    let mut is_drained = false;
    let mut stopped = pin!(stopped);
    let mut timed_out = pin!(timed_out(&connection));
    loop {
        tokio::select! {
            () = &mut drained, if !is_drained => {
                is_drained = true;
                set_order(Order::Drain);
            }
            () = &mut stopped => return set_order(Order::Stop),
            () = &mut timed_out => return set_order(Order::Stop),
        }
    }
}

/// Ready when a connection has been idle or stuck for too long.
async fn timed_out(connection: &Weak<Connection>) {
    let activity = || connection.upgrade().map(|connection| connection.activity());
    let mut before = activity();
    let (mut idle, mut reading) = (Duration::ZERO, Duration::ZERO);
    // Sampled four times per timeout, so that no request has to reset a timer.
    let step = IDLE / 4;
    while let Some(last) = before {
        tokio::time::sleep(step).await;
        before = activity();
        let Some(now) = before else { return };
        idle = if now == last {
            idle + step
        } else {
            Duration::ZERO
        };
        let same_body = now.reading && last.reading && now.requests == last.requests;
        reading = if same_body {
            reading + step
        } else {
            Duration::ZERO
        };
        let limit = match now.in_flight {
            0 => IDLE,
            _ if now.responding => STUCK + step,
            // A call may wait for an instance before its function runs, and both end by themselves.
            _ => Duration::MAX,
        };
        if idle >= limit || reading >= IDLE {
            return;
        }
    }
}
