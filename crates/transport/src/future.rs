//! An exchange, up to the head of its response.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::Response;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::CaptureConnection;
use pin_project_lite::pin_project;
use tokio::time::Instant;

use crate::late::Sleep;
use crate::{Body, Error, Sent, TimeoutKind, Timeouts, trace};

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

enum State {
    Refused(Error),
    Sending {
        response: legacy::ResponseFuture,
        connection: CaptureConnection,
        /// When a connection was assigned to the request.
        assigned: Option<Instant>,
    },
    Done,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Deadline {
    at: Instant,
    which: TimeoutKind,
    limit: Duration,
}

impl ResponseFuture {
    pub(crate) fn new(
        response: legacy::ResponseFuture,
        connection: CaptureConnection,
        timeouts: Timeouts,
    ) -> Self {
        Self::with(
            State::Sending {
                response,
                connection,
                assigned: None,
            },
            timeouts,
        )
    }

    pub(crate) fn rejected(error: Error) -> Self {
        Self::with(State::Refused(error), Timeouts::none())
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

impl Future for ResponseFuture {
    type Output = Result<Response<Body>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let State::Sending {
            response,
            connection,
            assigned,
        } = this.state
        else {
            return match std::mem::replace(this.state, State::Done) {
                State::Refused(error) => Poll::Ready(Err(error)),
                State::Sending { .. } | State::Done => Poll::Pending,
            };
        };
        let first = this.started.is_none();
        let started = *this.started.get_or_insert_with(Instant::now);

        let polled = Pin::new(response).poll(cx);
        if assigned.is_none() && connection.connection_metadata().is_some() {
            // A pooled connection is available at once, so the clock need not be read again.
            *assigned = Some(if first { started } else { Instant::now() });
            trace::assigned(connection);
        }
        let assigned = *assigned;
        let result = match polled {
            Poll::Ready(Ok(response)) => {
                Ok(response.map(|incoming| Body::new(incoming, this.timeouts, started)))
            }
            Poll::Ready(Err(error)) => Err(Error::without_response(error, assigned.is_some())),
            Poll::Pending => {
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
        // Releases the connection, if the exchange failed.
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
