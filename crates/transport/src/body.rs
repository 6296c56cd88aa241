//! The body of a response, with its timeouts.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use crate::late::Sleep;
use crate::pool::Lease;
use crate::{Error, Sent, TimeoutKind, Timeouts};

/// The body of a response: an [`http_body::Body`] of [`Bytes`], as they are received.
///
/// - Nothing is read ahead: unread data stays in the socket, and the server waits when the buffers
///   are full.
/// - It ends with `None` only where the framing of HTTP says so: after `Content-Length` bytes, or
///   after the last chunk. If the server announced neither, it ends with the connection, which does
///   not prove that the body is complete. Any other end is an error, and so is every further read
///   after an error.
/// - Dropping it before its end closes the connection; reading it to its end returns the connection
///   to the pool.
pub struct Body {
    state: State,
    /// The connection, until it is returned to the pool.
    lease: Option<Lease>,
    received: u64,
    timer: Option<Box<Timer>>,
}

enum State {
    Reading(Incoming),
    Failed(Error),
}

/// The timeouts that apply while the body is read.
struct Timer {
    idle: Option<Duration>,
    total: Option<(Instant, Duration)>,
    /// The timeout that the timer is set to while the reader waits.
    armed: Option<(TimeoutKind, Duration)>,
    sleep: Pin<Box<Sleep>>,
}

impl Body {
    /// Creates a body; `started` is when the exchange began.
    pub(crate) fn new(
        incoming: Incoming,
        lease: Lease,
        timeouts: &Timeouts,
        started: Instant,
    ) -> Self {
        let total = timeouts
            .total
            .and_then(|total| Some((started.checked_add(total)?, total)));
        let timer = (timeouts.idle.is_some() || total.is_some()).then(|| {
            let sleep = Box::pin(Sleep::until(started, None));
            Box::new(Timer {
                idle: timeouts.idle,
                total,
                armed: None,
                sleep,
            })
        });
        let has_ended = http_body::Body::is_end_stream(&incoming);
        let mut body = Self {
            state: State::Reading(incoming),
            lease: Some(lease),
            received: 0,
            timer,
        };
        if has_ended {
            body.end();
        }
        body
    }

    /// Returns the connection to the pool.
    fn end(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.end();
        }
    }

    fn fail(&mut self, error: Error) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.timer = None;
        let again = error.again();
        // Closes the connection.
        self.lease = None;
        self.state = State::Failed(error);
        Poll::Ready(Some(Err(again)))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        let incoming = match &mut this.state {
            State::Reading(incoming) => incoming,
            State::Failed(error) => return Poll::Ready(Some(Err(error.again()))),
        };
        // Checked first, so that a server that never pauses cannot prevent it.
        if let Some((_, limit)) = this.timer.as_deref().and_then(Timer::overdue) {
            if !incoming.is_end_stream() {
                return this.fail(Error::timeout(TimeoutKind::Total, limit, Sent::Maybe, true));
            }
        }
        match Pin::new(&mut *incoming).poll_frame(cx) {
            Poll::Ready(frame) => {
                let has_ended = incoming.is_end_stream();
                if let Some(timer) = &mut this.timer {
                    timer.armed = None;
                }
                match frame {
                    Some(Ok(frame)) => {
                        let length = frame.data_ref().map_or(0, Bytes::len);
                        this.received = this.received.saturating_add(length as u64);
                        if has_ended {
                            this.end();
                        }
                        Poll::Ready(Some(Ok(frame)))
                    }
                    Some(Err(error)) => this.fail(Error::body(error, this.received)),
                    None => {
                        this.end();
                        Poll::Ready(None)
                    }
                }
            }
            Poll::Pending => {
                let Some(timer) = &mut this.timer else {
                    return Poll::Pending;
                };
                let (which, limit) = ready!(timer.poll(cx));
                this.fail(Error::timeout(which, limit, Sent::Maybe, true))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.state {
            State::Reading(incoming) => incoming.is_end_stream(),
            State::Failed(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            State::Reading(incoming) => incoming.size_hint(),
            State::Failed(_) => SizeHint::default(),
        }
    }
}

impl Timer {
    fn overdue(&self) -> Option<(Instant, Duration)> {
        self.total
            .filter(|(deadline, _)| Instant::now() >= *deadline)
    }

    /// Ready with the expired timeout as soon as the reader has waited too long.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(TimeoutKind, Duration)> {
        let armed = match self.armed {
            Some(armed) => armed,
            None => {
                let idle = self.idle.and_then(|idle| {
                    Some((Instant::now().checked_add(idle)?, TimeoutKind::Idle, idle))
                });
                let total = self
                    .total
                    .map(|(at, total)| (at, TimeoutKind::Total, total));
                let Some((at, which, limit)) = [idle, total]
                    .into_iter()
                    .flatten()
                    .min_by_key(|(at, ..)| *at)
                else {
                    return Poll::Pending;
                };
                let end = match which {
                    TimeoutKind::Idle => self.total.map(|(at, _)| at),
                    _ => Some(at),
                };
                self.sleep.as_mut().reset(at, end);
                *self.armed.insert((which, limit))
            }
        };
        ready!(self.sleep.as_mut().poll(cx));
        Poll::Ready(armed)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("Body");
        f.field("received", &self.received);
        if let State::Failed(error) = &self.state {
            f.field("failed", error);
        }
        f.finish_non_exhaustive()
    }
}
