//! The response to an invocation, or its error, while the runtime sends it.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Frame, Incoming};
use tokio::sync::mpsc;

use super::serve::accepted;
use super::{Delivery, Instance};
use crate::api::lines::{self, Held};
use crate::api::{Rejection, ResponseMode};
use crate::limits::MAX_RESPONSE;
use crate::{Failure, FailureKind, Head, Mode, Outcome};

/// How long to wait, after a truncated response, for an end of the process that explains it, or for a
/// request of the process for its next event, which shows that it has not ended. A supervisor may take two
/// seconds to end the function's children before it reports the end of the process.
const EXPLAINED: Duration = Duration::from_secs(3);

/// A response or an error that is being received.
pub(super) struct Receiving {
    instance: Arc<Instance>,
    id: Arc<str>,
    complete: bool,
}

impl Drop for Receiving {
    fn drop(&mut self) {
        if self.complete {
            return;
        }
        let mut state = self.instance.lock();
        let mut calls = state.calls.iter_mut();
        if let Some(call) = calls.find(|call| call.request_id == self.id) {
            call.truncated = true;
        }
        drop(state);
        self.instance.over.notify_waiters();
        // The connection has closed. If the process has ended too, that is the reason.
        let (instance, id) = (Arc::clone(&self.instance), Arc::clone(&self.id));
        tokio::spawn(async move {
            tokio::time::sleep(EXPLAINED).await;
            // A later invocation may have the same id.
            let is_left = {
                let state = instance.lock();
                let mut ids = state.calls.iter().map(|call| &call.request_id);
                ids.any(|own| Arc::ptr_eq(own, &id))
            };
            if !is_left {
                return;
            }
            let failure = Failure::truncated(&id);
            instance.finish(&id, Outcome::Failed(failure), None);
        });
    }
}

impl Receiving {
    /// Begins to receive the response of an invocation, if the machine allows it.
    pub(super) fn begin(
        instance: &Arc<Instance>,
        id: &str,
        echo: Option<&str>,
        mode: Option<&str>,
    ) -> Result<(Self, ResponseMode), Rejection> {
        let mut state = instance.lock();
        let mode = state.machine.respond(id, echo, mode)?;
        let mut calls = state.calls.iter().map(|call| &call.request_id);
        let id = match calls.find(|running| ***running == *id) {
            Some(id) => Arc::clone(id),
            None => id.into(),
        };
        drop(state);
        let receiving = Self {
            instance: Arc::clone(instance),
            id,
            complete: false,
        };
        Ok((receiving, mode))
    }

    fn finish(mut self, outcome: Outcome, buffered: Option<(Head, Bytes)>) {
        self.complete = true;
        self.instance.finish(&self.id, outcome, buffered);
    }

    pub(super) async fn buffered(
        self,
        content_type: Option<String>,
        body: Incoming,
    ) -> Result<Delivery, Rejection> {
        let head = Head {
            mode: Mode::Buffered,
            content_type,
        };
        self.whole(body, |bytes| (Outcome::Succeeded, Some((head, bytes))))
            .await
    }

    pub(super) async fn error(
        self,
        error_type: Option<String>,
        body: Incoming,
    ) -> Result<Delivery, Rejection> {
        self.whole(body, |bytes| {
            let error_type = error_type.as_deref();
            let failure = Failure::reported(FailureKind::Function, error_type, bytes);
            (Outcome::Failed(failure), None)
        })
        .await
    }

    /// Ends the invocation as `result` says of the whole body.
    async fn whole(
        self,
        mut body: Incoming,
        result: impl FnOnce(Bytes) -> (Outcome, Option<(Head, Bytes)>),
    ) -> Result<Delivery, Rejection> {
        match collect(&mut body, MAX_RESPONSE).await {
            Ok(Some(bytes)) => {
                let (outcome, buffered) = result(bytes);
                self.finish(outcome, buffered);
                Ok(accepted())
            }
            Ok(None) => Err(Rejection::InvalidStateTransition),
            Err(rejection) => {
                self.finish(Outcome::Failed(Failure::too_large()), None);
                Err(rejection)
            }
        }
    }

    pub(super) async fn stream(
        self,
        content_type: Option<String>,
        mut body: Incoming,
    ) -> Result<Delivery, Rejection> {
        // The part of the body that arrived with the head.
        let mut first = poll_fn(|cx| Poll::Ready(Pin::new(&mut body).poll_frame(cx))).await;
        let mut head = Some(Head {
            mode: Mode::Streaming,
            content_type,
        });
        let chunks = {
            let mut state = self.instance.lock();
            let call = state
                .calls
                .iter_mut()
                .find(|call| call.request_id == self.id);
            let Some(call) = call else {
                return Err(Rejection::InvokeTimeout);
            };
            // If the response is already over, it begins only when its outcome is known: a function
            // that failed before its first byte has not begun to respond.
            match is_over(&first) {
                true => None,
                false => head.take().map(|head| call.begin(head)),
            }
        };
        let mut held = Held::default();
        let mut failure = None;
        // If the reader has stopped reading, the function continues and the rest is discarded.
        let send = |chunk: Bytes| {
            let chunks = chunks.as_ref().and_then(mpsc::WeakSender::upgrade);
            async move {
                if let Some(chunks) = chunks.filter(|_| !chunk.is_empty()) {
                    let _ = chunks.send(chunk).await;
                }
            }
        };
        loop {
            let frame = match std::mem::replace(&mut first, Poll::Pending) {
                Poll::Ready(frame) => frame,
                Poll::Pending => body.frame().await,
            };
            let Some(frame) = frame else { break };
            let Ok(frame) = frame else {
                return Err(Rejection::InvalidStateTransition);
            };
            match frame.into_data() {
                Ok(data) => {
                    for chunk in held.push(data) {
                        send(chunk).await;
                    }
                }
                Err(frame) => {
                    if let Ok(trailers) = frame.into_trailers() {
                        failure = lines::from_trailers(&trailers);
                    }
                }
            }
        }
        match held.end() {
            Ok(found) => failure = failure.or(found),
            Err(data) => send(data).await,
        }
        let late = chunks.is_some_and(|chunks| chunks.upgrade().is_none());
        let outcome = failure.map_or(Outcome::Succeeded, Outcome::Failed);
        self.finish(outcome, head.map(|head| (head, Bytes::new())));
        match late {
            true => Err(Rejection::InvokeTimeout),
            false => Ok(accepted()),
        }
    }
}

/// Whether a body has ended without data.
fn is_over(first: &Poll<Option<hyper::Result<Frame<Bytes>>>>) -> bool {
    match first {
        Poll::Ready(None) => true,
        Poll::Ready(Some(Ok(frame))) => frame.is_trailers(),
        _ => false,
    }
}

/// Collects a body. `None` if it was truncated.
pub(super) async fn collect(body: &mut Incoming, limit: usize) -> Result<Option<Bytes>, Rejection> {
    let mut all = BytesMut::new();
    let mut total = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Ok(None);
        };
        if let Ok(data) = frame.into_data() {
            total = total.saturating_add(data.len());
            // Copied, since it is a slice of the connection's buffer and would hold all of it.
            if total == data.len() && total <= limit && body.is_end_stream() {
                return Ok(Some(Bytes::copy_from_slice(&data)));
            }
            if total <= limit {
                all.extend_from_slice(&data);
            } else {
                // The rest is read and discarded.
                all = BytesMut::new();
            }
        }
    }
    if total > limit {
        return Err(Rejection::TooLarge);
    }
    Ok(Some(all.freeze()))
}
