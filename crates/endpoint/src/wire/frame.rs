//! The frames of a response body.

use std::fmt;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

/// An intended failure of a response body: hyper closes the connection before the body is complete.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TruncatedOnPurpose;

impl fmt::Display for TruncatedOnPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the response was truncated on purpose")
    }
}

impl std::error::Error for TruncatedOnPurpose {}

/// The result of polling a body for its next frame.
pub(crate) type Polled = Poll<Option<Result<Frame<Bytes>, TruncatedOnPurpose>>>;

/// A source of frames, which a fault can wrap.
pub(crate) trait Frames {
    /// Polls for the next frame, as `hyper::body::Body` does.
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Polled;

    /// Lets the function behind the body run while nothing can be sent.
    fn run_on(&mut self, cx: &mut Context<'_>);

    /// Whether every frame has been taken.
    fn is_end_stream(&self) -> bool;

    /// The number of bytes that remain, as far as it is known.
    fn size_hint(&self) -> SizeHint;
}
