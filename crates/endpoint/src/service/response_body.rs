//! Response bodies: buffered, or any other frames.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, StatusCode, Version};
use hyper::body::{Frame, SizeHint};

use crate::service::request_log::Watch;
use crate::wire::connection::InFlight;
use crate::wire::stage::{Frames, Polled, Stage, TruncatedOnPurpose};

/// A response body. The request counts as in flight until it is dropped.
#[derive(Debug)]
pub(crate) struct Body {
    content: Content,
    in_flight: InFlight,
    watch: Option<Box<Watch>>,
}

/// The content of a body.
#[derive(Debug)]
pub(crate) enum Content {
    Whole {
        /// `None` if there is nothing left to send.
        bytes: Option<Bytes>,
        /// How the function failed.
        failure: Option<String>,
    },
    Frames(Box<dyn Frames>),
    /// A body of unknown length that hyper drops, since the response ends with its head.
    Omitted,
}

/// Whether a response ends with its head (RFC 9112, section 6.3).
pub(crate) fn ends_with_head(method: &Method, status: StatusCode) -> bool {
    *method == Method::HEAD || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

impl Body {
    pub(crate) fn new(content: Content, version: Version, in_flight: InFlight) -> Self {
        let has_length = content.size_hint().exact().is_some();
        if version < Version::HTTP_11 && !has_length {
            in_flight.connection().set_ends_body(true);
        }
        Self {
            content,
            in_flight,
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
        self.in_flight.connection().set_ends_body(false);
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
        Self::Whole {
            bytes: Some(bytes.into()).filter(|bytes| !bytes.is_empty()),
            failure: None,
        }
    }

    /// Adds how the function failed, for the request log.
    pub(crate) fn of_failed(mut self, why: Option<String>) -> Self {
        if let Self::Whole { failure, .. } = &mut self {
            *failure = why;
        }
        self
    }
}

impl From<Box<dyn Frames>> for Content {
    fn from(frames: Box<dyn Frames>) -> Self {
        Self::Frames(frames)
    }
}

impl Stage for Content {
    fn run_on(&mut self, cx: &mut Context<'_>) {
        match self {
            Self::Whole { .. } | Self::Omitted => {}
            Self::Frames(frames) => frames.run_on(cx),
        }
    }

    fn failure(&self) -> Option<String> {
        match self {
            Self::Whole { failure, .. } => failure.clone(),
            Self::Frames(frames) => frames.failure(),
            Self::Omitted => None,
        }
    }

    fn is_struck(&self) -> bool {
        match self {
            Self::Whole { .. } | Self::Omitted => false,
            Self::Frames(frames) => frames.is_struck(),
        }
    }
}

impl Frames for Content {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Polled {
        match self {
            Self::Whole { bytes, .. } => {
                Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes))))
            }
            Self::Frames(frames) => frames.poll_frame(cx),
            Self::Omitted => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole { bytes, .. } => bytes.is_none(),
            Self::Frames(frames) => frames.is_end_stream(),
            Self::Omitted => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole { bytes, .. } => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64)
            }
            Self::Frames(frames) => frames.size_hint(),
            Self::Omitted => SizeHint::default(),
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = TruncatedOnPurpose;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let Self { content, watch, .. } = &mut *self;
        let polled = match watch {
            None => content.poll_frame(cx),
            // The function runs while its body is polled.
            Some(watch) => watch.span.in_scope(|| content.poll_frame(cx)),
        };
        if matches!(polled, Poll::Ready(Some(Err(_)))) {
            self.in_flight.connection().truncate();
        }
        self.record(&polled);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.content.size_hint()
    }
}
