//! The events of a stream with faults: delayed chunks, another end, or none.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use lambda_invoke_protocol::{StreamEvent, StreamException};
use tokio::time::Sleep;

use crate::function::error::FunctionError;
use crate::wire::stage::{Events, Stage};

/// Faults at the events of a stream.
#[derive(Clone, Debug, Default)]
pub(super) struct EventFaults {
    pub(super) chunk_delay: Duration,
    pub(super) no_complete: bool,
    pub(super) exception: Option<ExceptionFault>,
    pub(super) complete_error: Option<(String, Option<String>)>,
    pub(super) after_complete: bool,
}

/// An exception that ends a stream.
#[derive(Clone, Debug)]
pub(super) struct ExceptionFault {
    pub(super) code: String,
    pub(super) message: String,
    /// The number of chunks before it; `None` means all of them.
    pub(super) after: Option<u64>,
}

impl EventFaults {
    pub(super) fn is_empty(&self) -> bool {
        self.chunk_delay.is_zero()
            && !self.no_complete
            && self.exception.is_none()
            && self.complete_error.is_none()
            && !self.after_complete
    }
}

/// Events with the faults of a plan.
#[derive(Debug)]
pub(super) struct FaultyEvents {
    /// `None` once a fault has ended the stream.
    events: Option<Box<dyn Events>>,
    faults: EventFaults,
    /// A chunk that is delayed.
    delayed: Option<(Pin<Box<Sleep>>, StreamEvent)>,
    chunks: u64,
    /// A chunk after the end.
    late: Option<StreamEvent>,
    /// The failure of a function that has ended.
    failure: Option<String>,
    is_struck: bool,
}

impl FaultyEvents {
    pub(super) fn new(events: Box<dyn Events>, faults: EventFaults) -> Self {
        Self {
            events: Some(events),
            faults,
            delayed: None,
            chunks: 0,
            late: None,
            failure: None,
            is_struck: false,
        }
    }

    /// Ends the stream early, and drops the function that may still run.
    fn strike(&mut self, last: Option<StreamEvent>) -> Option<StreamEvent> {
        self.failure = self.failure();
        self.events = None;
        self.is_struck = true;
        last
    }

    /// Returns the exception that is due after this many chunks.
    fn exception(&self, chunks: u64) -> Option<StreamEvent> {
        let fault = self.faults.exception.as_ref()?;
        let is_due = fault.after.unwrap_or(u64::MAX) <= chunks;
        is_due.then(|| StreamEvent::Exception(StreamException::new(&fault.code, &fault.message)))
    }

    fn poll_delayed(&mut self, cx: &mut Context<'_>) -> Poll<Option<StreamEvent>> {
        if let Some((delay, _)) = &mut self.delayed {
            if delay.as_mut().poll(cx).is_pending() {
                self.run_on(cx);
                return Poll::Pending;
            }
        }
        Poll::Ready(self.delayed.take().map(|(_, event)| event))
    }

    /// Returns the end of the stream in place of the function's.
    fn end(&mut self, event: StreamEvent) -> Option<StreamEvent> {
        if let Some(exception) = self.exception(u64::MAX) {
            return self.strike(Some(exception));
        }
        if self.faults.no_complete {
            return self.strike(None);
        }
        let StreamEvent::InvokeComplete(mut complete) = event else {
            return Some(event);
        };
        if let Some((code, details)) = self.faults.complete_error.take() {
            let reported = FunctionError::new(&code, details.as_deref().unwrap_or_default());
            self.failure = Some(reported.summary());
            complete.error_code = Some(code);
            complete.error_details = details;
        }
        if self.faults.after_complete {
            self.failure = self.failure();
            self.events = None;
            let late = Bytes::from_static(b"after the end");
            self.late = Some(StreamEvent::PayloadChunk(late.into()));
        }
        Some(StreamEvent::InvokeComplete(complete))
    }
}

impl Stage for FaultyEvents {
    fn run_on(&mut self, cx: &mut Context<'_>) {
        if let Some(events) = &mut self.events {
            events.run_on(cx);
        }
    }

    fn failure(&self) -> Option<String> {
        let events = self.events.as_ref();
        let own = self.failure.clone();
        own.or_else(|| events.and_then(|events| events.failure()))
    }

    fn is_struck(&self) -> bool {
        self.is_struck
    }
}

impl Events for FaultyEvents {
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<StreamEvent>> {
        if self.delayed.is_none() {
            if let Some(exception) = self.exception(self.chunks).filter(|_| !self.is_struck) {
                return Poll::Ready(self.strike(Some(exception)));
            }
            let Some(events) = &mut self.events else {
                return Poll::Ready(self.late.take());
            };
            let Some(event) = ready!(events.poll_event(cx)) else {
                return Poll::Ready(None);
            };
            if event.is_end() {
                return Poll::Ready(self.end(event));
            }
            self.chunks += 1;
            if self.faults.chunk_delay.is_zero() {
                return Poll::Ready(Some(event));
            }
            let delay = tokio::time::sleep(self.faults.chunk_delay);
            self.delayed = Some((Box::pin(delay), event));
        }
        self.poll_delayed(cx)
    }

    fn is_end(&self) -> bool {
        let at_end = self.events.as_ref().is_none_or(|events| events.is_end());
        self.delayed.is_none() && self.late.is_none() && at_end
    }
}
