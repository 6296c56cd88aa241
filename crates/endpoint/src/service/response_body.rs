//! Response bodies: buffered, streamed, or either with faults.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use crate::fault::FaultyBody;
use crate::function::error::Failed;
use crate::service::request_log::Watch;
use crate::service::stream_body::StreamBody;
use crate::wire::connection::InFlight;
use crate::wire::frame::{Frames, Polled, TruncatedOnPurpose};

/// A response body. The request counts as in flight until it is dropped.
#[derive(Debug)]
pub(crate) struct Body {
    content: Content,
    _in_flight: Option<InFlight>,
    watch: Option<Box<Watch>>,
}

/// The content of a body.
#[derive(Debug)]
pub(crate) enum Content {
    Whole(Option<Bytes>),
    Stream(Box<StreamBody>),
    Faulty(Box<FaultyBody<Self>>),
}

impl Body {
    pub(crate) fn new(content: Content, in_flight: InFlight) -> Self {
        Self {
            content,
            _in_flight: Some(in_flight),
            watch: None,
        }
    }

    /// Records the body in a request log.
    pub(crate) fn watched(mut self, watch: Option<Box<Watch>>) -> Self {
        self.watch = watch;
        self
    }

    fn record(&mut self, polled: &Polled) {
        let Poll::Ready(frame) = polled else { return };
        match (frame, &mut self.watch) {
            (Some(Ok(frame)), Some(watch)) => {
                watch.count(frame.data_ref().map_or(0, Bytes::len));
            }
            (None, watch) => {
                if let Some(watch) = watch.take() {
                    watch.end(self.content.failure(), self.content.is_struck(), true);
                }
            }
            // hyper drops the body next.
            (Some(Err(TruncatedOnPurpose)), _) | (_, None) => {}
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(watch) = self.watch.take() {
            let content = &self.content;
            watch.end(
                content.failure(),
                content.is_struck(),
                content.is_end_stream(),
            );
        }
    }
}

impl Content {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(Some(bytes.into()).filter(|bytes| !bytes.is_empty()))
    }

    /// How the streaming function failed, once that is known.
    pub(crate) fn failure(&self) -> Option<Failed> {
        match self {
            Self::Whole(_) => None,
            Self::Stream(stream) => stream.failed(),
            Self::Faulty(faulty) => faulty.inner().failure(),
        }
    }

    /// Whether a fault rule ended the body early.
    pub(crate) fn is_struck(&self) -> bool {
        match self {
            Self::Whole(_) => false,
            Self::Stream(stream) => stream.is_struck(),
            Self::Faulty(faulty) => faulty.is_struck() || faulty.inner().is_struck(),
        }
    }
}

impl Frames for Content {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Polled {
        match self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream(stream) => stream.poll_frame(cx),
            Self::Faulty(faulty) => faulty.poll_frame(cx),
        }
    }

    fn run_on(&mut self, cx: &mut Context<'_>) {
        match self {
            Self::Whole(_) => {}
            Self::Stream(stream) => stream.run_on(cx),
            Self::Faulty(faulty) => faulty.run_on(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Stream(stream) => stream.is_end_stream(),
            Self::Faulty(faulty) => faulty.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Stream(_) => SizeHint::default(),
            Self::Faulty(faulty) => faulty.size_hint(),
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = TruncatedOnPurpose;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let polled = self.content.poll_frame(cx);
        if self.watch.is_some() {
            self.record(&polled);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.content.size_hint()
    }
}
