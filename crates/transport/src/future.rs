//! An exchange, up to the head of its response.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use pin_project_lite::pin_project;
use tokio::time::Instant;

use crate::connections::Turn;
use crate::late::Sleep;
use crate::pool::{Connecting, Connection, Host, Lease};
use crate::{Body, Error, Sends, Sent, TimeoutKind, Timeouts, trace};

pin_project! {
    /// Resolves to the response, once its head has arrived.
    ///
    /// Nothing happens before the future is polled. Dropping it closes the connection, if the
    /// request was already sent; the server may continue to process the request. After the future
    /// has returned its result, it stays pending.
    #[must_use = "a request is not sent unless its future is polled"]
    pub struct ResponseFuture {
        state: State,
        timeouts: Timeouts,
        started: Option<Instant>,
        armed: Option<Deadline>,
        #[pin]
        sleep: Option<Sleep>,
    }
}

type Exchange = Pin<
    Box<dyn Future<Output = Result<Response<Incoming>, TrySendError<Request<Full<Bytes>>>>> + Send>,
>;

/// In all but `Sending`, no byte of the request has been sent.
enum State {
    Rejected(Error),
    Unsent {
        request: Request<Full<Bytes>>,
        host: Arc<Host>,
    },
    Waiting(Box<Waiting>),
    Sending {
        exchange: Exchange,
        lease: Lease,
        /// When the connection was assigned to the request.
        assigned: Instant,
        /// Whether the connection comes from the pool, and so may have been closed by now.
        is_pooled: bool,
    },
    Done,
}

/// A request that has no connection yet.
struct Waiting {
    request: Request<Full<Bytes>>,
    host: Arc<Host>,
    /// `None` if the pool has nothing more to give.
    unused: Option<Turn<Connection>>,
    connecting: Connecting,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Deadline {
    at: Instant,
    which: TimeoutKind,
    limit: Duration,
}

impl ResponseFuture {
    pub(crate) fn new(request: Request<Full<Bytes>>, host: Arc<Host>, timeouts: Timeouts) -> Self {
        Self::with(State::Unsent { request, host }, timeouts)
    }

    pub(crate) fn rejected(error: Error) -> Self {
        Self::with(State::Rejected(error), Timeouts::none())
    }

    fn with(state: State, timeouts: Timeouts) -> Self {
        Self {
            state,
            timeouts,
            started: None,
            armed: None,
            sleep: None,
        }
    }
}

impl State {
    /// Begins to send a request.
    fn sending(
        request: Request<Full<Bytes>>,
        host: Arc<Host>,
        mut connection: Connection,
        is_pooled: bool,
        assigned: Instant,
    ) -> Self {
        trace::assigned(&connection.uses);
        Sends::begin(request.extensions());
        Self::Sending {
            exchange: Box::pin(connection.requests.try_send_request(request)),
            lease: Lease::new(connection, host),
            assigned,
            is_pooled,
        }
    }

    /// Ready with the response and its connection, or with the failure.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        now: impl Fn() -> Instant,
    ) -> Poll<Result<(Response<Incoming>, Lease), Error>> {
        loop {
            match self {
                Self::Unsent { .. } => {
                    let Self::Unsent { request, host } = mem::replace(self, Self::Done) else {
                        return Poll::Pending;
                    };
                    *self = match host.take(now()) {
                        Ok(connection) => Self::sending(request, host, connection, true, now()),
                        Err(unused) => Self::Waiting(Box::new(Waiting {
                            request,
                            unused: Some(unused),
                            connecting: Arc::clone(&host).connect(),
                            host,
                        })),
                    };
                }
                Self::Waiting(waiting) => {
                    let found = ready!(waiting.poll(cx));
                    let Self::Waiting(waiting) = mem::replace(self, Self::Done) else {
                        return Poll::Pending;
                    };
                    let (connection, is_pooled) = found?;
                    let Waiting {
                        request,
                        host,
                        connecting,
                        ..
                    } = *waiting;
                    if is_pooled {
                        // The connection that is being opened will serve another request.
                        let host = Arc::clone(&host);
                        tokio::spawn(async move {
                            if let Ok(connection) = connecting.await {
                                host.put(connection);
                            }
                        });
                    }
                    *self = Self::sending(request, host, connection, is_pooled, now());
                }
                Self::Sending {
                    exchange,
                    is_pooled,
                    ..
                } => {
                    let result = ready!(exchange.as_mut().poll(cx));
                    let is_pooled = *is_pooled;
                    let Self::Sending { lease, .. } = mem::replace(self, Self::Done) else {
                        return Poll::Pending;
                    };
                    match result {
                        Ok(response) => return Poll::Ready(Ok((response, lease))),
                        Err(mut error) => {
                            let Some(request) = error.take_message() else {
                                return Poll::Ready(Err(Error::no_response(error.into_error())));
                            };
                            // Returned unsent, because the server had closed the connection.
                            Sends::undo(request.extensions());
                            if !is_pooled {
                                return Poll::Ready(Err(Error::canceled(error.into_error())));
                            }
                            let host = lease.host;
                            *self = Self::Unsent { request, host };
                        }
                    }
                }
                Self::Rejected(_) => {
                    return match mem::replace(self, Self::Done) {
                        Self::Rejected(error) => Poll::Ready(Err(error)),
                        _ => Poll::Pending,
                    };
                }
                Self::Done => return Poll::Pending,
            }
        }
    }

    /// When a connection was assigned to the request.
    fn assigned(&self) -> Option<Instant> {
        match self {
            Self::Sending { assigned, .. } => Some(*assigned),
            _ => None,
        }
    }
}

impl Waiting {
    /// Ready with a connection, and whether it comes from the pool.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(Connection, bool), Error>> {
        if let Some(unused) = &mut self.unused {
            match unused.poll(cx) {
                Poll::Ready(Some(connection)) => return Poll::Ready(Ok((connection, true))),
                Poll::Ready(None) => self.unused = None,
                Poll::Pending => {}
            }
        }
        self.connecting
            .as_mut()
            .poll(cx)
            .map_ok(|connection| (connection, false))
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<Body>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if matches!(this.state, State::Done) {
            return Poll::Pending;
        }
        let first = this.started.is_none();
        let started = *this.started.get_or_insert_with(Instant::now);
        // A pooled connection is available at once, so the clock need not be read again.
        let now = || if first { started } else { Instant::now() };
        let result = match this.state.poll(cx, now) {
            Poll::Ready(Ok((response, lease))) => {
                Ok(response.map(|incoming| Body::new(incoming, lease, this.timeouts, started)))
            }
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => {
                let assigned = this.state.assigned();
                let Some(next) = next_deadline(this.timeouts, started, assigned) else {
                    return Poll::Pending;
                };
                if *this.armed != Some(next) {
                    *this.armed = Some(next);
                    let end = match next.which {
                        TimeoutKind::FirstByte => this
                            .timeouts
                            .total
                            .and_then(|total| started.checked_add(total)),
                        _ => Some(next.at),
                    };
                    match this.sleep.as_mut().as_pin_mut() {
                        Some(sleep) => sleep.reset(next.at, end),
                        None => this.sleep.set(Some(Sleep::until(next.at, end))),
                    }
                }
                if let Some(sleep) = this.sleep.as_mut().as_pin_mut() {
                    ready!(sleep.poll(cx));
                }
                let sent = if assigned.is_some() {
                    Sent::Maybe
                } else {
                    Sent::No
                };
                Err(Error::timeout(next.which, next.limit, sent, false))
            }
        };
        // Closes the connection, if the exchange failed.
        *this.state = State::Done;
        this.sleep.set(None);
        Poll::Ready(result)
    }
}

/// The next timeout of the exchange: for the connection, for the first byte, or in total.
fn next_deadline(
    timeouts: &Timeouts,
    started: Instant,
    assigned: Option<Instant>,
) -> Option<Deadline> {
    let (from, which, limit) = match assigned {
        None => (started, TimeoutKind::Connect, timeouts.connect),
        Some(at) => (at, TimeoutKind::FirstByte, timeouts.first_byte),
    };
    let deadline = |from: Instant, which, limit: Option<Duration>| {
        let limit = limit?;
        Some(Deadline {
            at: from.checked_add(limit)?,
            which,
            limit,
        })
    };
    [
        deadline(from, which, limit),
        deadline(started, TimeoutKind::Total, timeouts.total),
    ]
    .into_iter()
    .flatten()
    .min_by_key(|deadline| deadline.at)
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}
