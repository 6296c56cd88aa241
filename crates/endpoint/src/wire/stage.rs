//! The stages of a response on its way to the wire: events, messages, frames.
//!
//! Each stage reads from the previous one. A fault is a separate stage that wraps another one.

use std::collections::VecDeque;
use std::fmt;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use lambda_invoke_protocol::StreamEvent;

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

/// The methods that all stages have.
pub(crate) trait Stage: fmt::Debug + Send {
    /// Lets the function behind the response run while nothing can be sent.
    fn run_on(&mut self, cx: &mut Context<'_>);

    /// Returns how the function failed, as soon as that is known, for the request log.
    fn failure(&self) -> Option<String>;

    /// Whether a fault rule ended the response early.
    fn is_struck(&self) -> bool {
        false
    }
}

/// The events of a streamed response.
pub(crate) trait Events: Stage {
    /// Polls for the next event; `None` ends the stream. Asking for an event means that the
    /// previous one is on the wire.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<StreamEvent>>;

    /// Whether no event follows.
    fn is_end(&self) -> bool;
}

/// The encoded messages of a streamed response.
pub(crate) trait Messages: Stage {
    /// Polls for the next message, whose pieces are added to `pieces`; `None` ends the stream.
    /// Asking for a message means that the previous one is on the wire.
    fn poll_message(
        &mut self,
        cx: &mut Context<'_>,
        pieces: &mut VecDeque<Bytes>,
    ) -> Poll<Option<Result<(), TruncatedOnPurpose>>>;

    /// Whether no message follows.
    fn is_end(&self) -> bool;
}

/// The frames of a response body.
pub(crate) trait Frames: Stage {
    /// Polls for the next frame, as `hyper::body::Body` does.
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Polled;

    /// Whether every frame has been taken.
    fn is_end_stream(&self) -> bool;

    /// The number of bytes that remain, if known.
    fn size_hint(&self) -> SizeHint;
}
