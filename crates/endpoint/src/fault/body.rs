//! A response body with flipped bits, or one that ends early.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use hyper::body::{Frame, SizeHint};

use crate::wire::connection::Connection;
use crate::wire::stage::{Frames, Polled, Stage, TruncatedOnPurpose};

/// Faults at bytes of the body.
#[derive(Clone, Debug, Default)]
pub(super) struct ByteFaults {
    pub(super) flips: Vec<(u64, u8)>,
    /// Where and how the body stops; the first position counts.
    pub(super) stop: Option<(u64, Stop)>,
}

/// How a body stops early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The connection is reset.
    Reset,
    /// The connection is closed.
    Close,
    /// The body ends as if it were complete.
    End,
}

impl ByteFaults {
    /// Stops the body here, unless it stops earlier.
    pub(super) fn stop_at(&mut self, byte: u64, stop: Stop) {
        if self.stop.is_none_or(|(first, _)| byte < first) {
            self.stop = Some((byte, stop));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.flips.is_empty() && self.stop.is_none()
    }
}

/// A body with the byte faults of a plan.
#[derive(Debug)]
pub(super) struct FaultyBody<B> {
    inner: B,
    faults: ByteFaults,
    connection: Arc<Connection>,
    /// The number of bytes given to hyper.
    position: u64,
    /// The connection's position after those bytes, or after the head.
    mark: u64,
}

impl<B: Frames> FaultyBody<B> {
    pub(super) fn new(inner: B, faults: ByteFaults, connection: Arc<Connection>) -> Self {
        let mark = connection.mark();
        Self {
            inner,
            faults,
            connection,
            position: 0,
            mark,
        }
    }

    fn stop(&mut self, stop: Stop, cx: &mut Context<'_>) -> Polled {
        // Earlier bytes must be on the wire first, because hyper discards the bytes that it still
        // holds.
        if stop != Stop::End && !self.connection.flushed_since(self.mark) {
            self.run_on(cx);
            return Poll::Pending;
        }
        match stop {
            Stop::End => return Poll::Ready(None),
            Stop::Reset => self.connection.reset(),
            Stop::Close => {}
        }
        Poll::Ready(Some(Err(TruncatedOnPurpose)))
    }

    fn flip(&self, bytes: Bytes) -> Bytes {
        let here = |(at, bit): &(u64, u8)| {
            let place = usize::try_from(at.checked_sub(self.position)?).ok()?;
            (place < bytes.len()).then_some((place, *bit))
        };
        let flips: Vec<_> = self.faults.flips.iter().filter_map(here).collect();
        if flips.is_empty() {
            return bytes;
        }
        let mut changed = BytesMut::from(bytes);
        for (place, bit) in flips {
            if let Some(byte) = changed.get_mut(place) {
                *byte ^= 1 << bit;
            }
        }
        changed.freeze()
    }
}

impl<B: Frames> Stage for FaultyBody<B> {
    fn run_on(&mut self, cx: &mut Context<'_>) {
        self.inner.run_on(cx);
    }

    fn failure(&self) -> Option<String> {
        self.inner.failure()
    }

    fn is_struck(&self) -> bool {
        let reached = |(at, _)| self.position >= at;
        self.faults.stop.is_some_and(reached) || self.inner.is_struck()
    }
}

impl<B: Frames> Frames for FaultyBody<B> {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Polled {
        if let Some((at, stop)) = self.faults.stop {
            if self.position >= at {
                return self.stop(stop, cx);
            }
        }
        let frame = match ready!(self.inner.poll_frame(cx)) {
            Some(Ok(frame)) => frame,
            // A failed stream must not look complete.
            end => return Poll::Ready(end),
        };
        let Ok(mut bytes) = frame.into_data() else {
            return Poll::Ready(None);
        };
        if let Some((at, _)) = self.faults.stop {
            let left = usize::try_from(at - self.position).unwrap_or(usize::MAX);
            bytes.truncate(left);
        }
        let bytes = self.flip(bytes);
        self.position += bytes.len() as u64;
        self.mark = self.connection.mark();
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.faults.stop.is_none() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match self.faults.stop {
            // A length in the head would reveal the early end.
            Some((_, Stop::End)) => SizeHint::default(),
            _ => self.inner.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::wire::connection::Addresses;
    use crate::wire::shutdown::Switch;

    /// A body of one frame.
    #[derive(Debug)]
    struct Whole(&'static str);

    impl Stage for Whole {
        fn run_on(&mut self, _: &mut Context<'_>) {}

        fn failure(&self) -> Option<String> {
            None
        }
    }

    impl Frames for Whole {
        fn poll_frame(&mut self, _: &mut Context<'_>) -> Polled {
            let bytes = Bytes::from_static(std::mem::take(&mut self.0).as_bytes());
            let frame = Some(bytes).filter(|bytes| !bytes.is_empty());
            Poll::Ready(frame.map(|bytes| Ok(Frame::data(bytes))))
        }

        fn is_end_stream(&self) -> bool {
            self.0.is_empty()
        }

        fn size_hint(&self) -> SizeHint {
            SizeHint::with_exact(self.0.len() as u64)
        }
    }

    fn faulty(
        body: &'static str,
        flips: &[(u64, u8)],
        stop: Option<(u64, Stop)>,
    ) -> FaultyBody<Whole> {
        let connection = Connection::new(Switch::new().running().unwrap(), Addresses::default());
        let faults = ByteFaults {
            flips: flips.to_vec(),
            stop,
        };
        FaultyBody::new(Whole(body), faults, connection)
    }

    fn next(body: &mut FaultyBody<Whole>) -> Polled {
        body.poll_frame(&mut Context::from_waker(Waker::noop()))
    }

    fn data(polled: Polled) -> Bytes {
        let Poll::Ready(Some(Ok(frame))) = polled else {
            panic!("no data: {polled:?}");
        };
        frame.into_data().unwrap()
    }

    #[test]
    fn flips_exactly_the_bits_of_the_rule() {
        let mut body = faulty("abc", &[(0, 1), (2, 0), (9, 0)], None);
        assert_eq!(data(next(&mut body)), "cbb");
    }

    #[test]
    fn a_clean_end_comes_after_exactly_that_many_bytes_and_announces_no_length() {
        let mut body = faulty("abc", &[], Some((2, Stop::End)));
        assert_eq!(body.size_hint().exact(), None);
        assert_eq!(data(next(&mut body)), "ab");
        assert!(!body.is_end_stream());
        assert!(matches!(next(&mut body), Poll::Ready(None)));
    }

    #[test]
    fn a_close_waits_until_earlier_bytes_are_on_the_wire() {
        let mut body = faulty("abc", &[], Some((1, Stop::Close)));
        assert_eq!(body.size_hint().exact(), Some(3));
        assert_eq!(data(next(&mut body)), "a");
        assert!(next(&mut body).is_pending());
    }

    #[test]
    fn a_close_at_the_first_byte_waits_for_the_head() {
        let mut body = faulty("abc", &[], Some((0, Stop::Close)));
        assert!(next(&mut body).is_pending());
    }
}
