//! The requests of a runtime and its extensions.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Frame, Incoming};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::call::Call;
use super::{Delivery, GRACE, Instance, State, epoch_ms};
use crate::api::header::{self, Sent, text};
use crate::api::lines::{self, Held};
use crate::api::route::{Route, route};
use crate::api::{ExtensionId, PollId, Rejection, ResponseMode, Subscriptions};
use crate::limits::MAX_RESPONSE;
use crate::{Failure, FailureKind, Head, Mode, Outcome, Program};

/// The maximum length of an extension's registration, in bytes.
const MAX_REGISTRATION: usize = 64 * 1024;

/// How long to wait, after a truncated response, for an end of the process that explains it.
const EXPLAINED: Duration = Duration::from_millis(300);

/// Responds to one request. `streams` tells the connection that it carries a streaming response.
pub(super) fn serve(
    instance: Arc<Instance>,
    streams: Arc<AtomicBool>,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Delivery, Infallible>> {
    // Taken apart here, since an async function that is given a request by value keeps it twice.
    let (head, body) = request.into_parts();
    async move {
        Ok(match handle(&instance, &streams, &head, body).await {
            Ok(response) => response,
            Err(rejection) => reply(rejection.status(), rejection.body()),
        })
    }
}

fn reply(status: u16, body: impl Into<Bytes>) -> Delivery {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn accepted() -> Delivery {
    reply(202, r#"{"status":"OK"}"#)
}

/// What few requests need is boxed, so that the futures of the others stay small.
async fn handle(
    instance: &Arc<Instance>,
    streams: &AtomicBool,
    head: &Parts,
    mut body: Incoming,
) -> Result<Delivery, Rejection> {
    let sent = Sent::of(&head.headers);
    // No page may take events.
    if sent.is_from_page {
        return Err(Rejection::NotFound);
    }
    let echo = || text(sent.invocation_id);
    let error_type = || text(sent.error_type);
    let result = match route(&head.method, head.uri.path()) {
        Err(rejection) => Err(rejection),
        Ok(Route::Next) => return next(instance).await,
        Ok(Route::Response(id)) => {
            let (echo, mode) = (echo(), text(sent.response_mode));
            let mode = instance.lock().machine.respond(id, echo, mode);
            let is_streaming = matches!(mode, Ok(ResponseMode::Streaming));
            streams.store(is_streaming, Ordering::Relaxed);
            match mode {
                Ok(ResponseMode::Streaming) => {
                    let receiving = Receiving::of(instance, id);
                    return Box::pin(receiving.stream(&sent, body)).await;
                }
                Ok(_) => {
                    return Receiving::of(instance, id).buffered(&sent, body).await;
                }
                Err(rejection) => Err(rejection),
            }
        }
        Ok(Route::Error(id)) => {
            let taken = instance.lock().machine.respond(id, echo(), None);
            match taken {
                Ok(_) => {
                    let receiving = Receiving::of(instance, id);
                    return Box::pin(receiving.error(error_type(), body)).await;
                }
                Err(rejection) => Err(rejection),
            }
        }
        Ok(Route::InitError) => {
            let bytes = collect(&mut body, MAX_RESPONSE).await?.unwrap_or_default();
            let mut state = instance.lock();
            state.machine.init_error()?;
            state.init_failure = Some(Failure::reported(FailureKind::Init, error_type(), bytes));
            drop(state);
            instance.wake.notify_one();
            return Ok(accepted());
        }
        Ok(Route::Register) => return Box::pin(register(instance, &sent, body)).await,
        Ok(Route::ExtensionNext) => return Box::pin(extension_next(instance, &sent)).await,
        Ok(Route::ExtensionInitError | Route::ExtensionExitError) => {
            let bytes = collect(&mut body, MAX_RESPONSE).await?.unwrap_or_default();
            let id = extension_id(&sent)?;
            let error_type = text(sent.extension_error_type);
            let failure = Failure::reported(
                FailureKind::Init,
                error_type.or(Some("Extension.Failure")),
                bytes,
            );
            let mut state = instance.lock();
            state.machine.extension_error(id)?;
            state.init_failure = Some(failure);
            drop(state);
            instance.wake.notify_one();
            return Ok(accepted());
        }
    };
    // The body is read to its end, so that the runtime, which writes it first, sees the rejection.
    while let Some(Ok(_)) = body.frame().await {}
    result
}

/// Collects a body. `None` if it was truncated.
async fn collect(body: &mut Incoming, limit: usize) -> Result<Option<Bytes>, Rejection> {
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

/// A request that waits for an event. It is canceled if its connection closes.
struct Waiting<'a> {
    instance: &'a Instance,
    poll: PollId,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.instance.lock();
        state.machine.cancel(self.poll);
        state.polls.remove(self.poll);
    }
}

async fn next(instance: &Arc<Instance>) -> Result<Delivery, Rejection> {
    let waiting = wait(instance, |state, poll| {
        if state.machine.poll(poll)? {
            state.init_duration = Some(state.started.elapsed());
            state.ready = true;
        }
        // An extension that does not ask for an event must not hold up the instance forever.
        let held_up = !state.machine.can_take() && instance.program.multi_concurrency == 1;
        state.settle = held_up.then(|| Instant::now() + instance.program.init_limit());
        Ok(())
    });
    let (poll, receiver) = match waiting {
        Ok(waiting) => waiting,
        // The runtime does nothing wrong: it asks for its next event while its process is being ended,
        // and waits for that.
        Err(_) if instance.lock().ending.is_some() => std::future::pending().await,
        Err(rejection) => return Err(rejection),
    };
    let _waiting = Waiting { instance, poll };
    let (retired, held_up) = {
        let state = instance.lock();
        (state.retired, state.settle.is_some())
    };
    if retired || held_up {
        instance.wake.notify_one();
    } else if let Some(owner) = instance.owner.upgrade() {
        owner.ready(instance);
    }
    receiver
        .await
        .map_err(|_| Rejection::InvalidStateTransition)
}

/// Registers a request that waits for an event, if the machine allows it.
fn wait(
    instance: &Instance,
    allow: impl FnOnce(&mut State, PollId) -> Result<(), Rejection>,
) -> Result<(PollId, oneshot::Receiver<Delivery>), Rejection> {
    let (sender, receiver) = oneshot::channel();
    let mut state = instance.lock();
    let poll = state.next_poll;
    state.next_poll += 1;
    allow(&mut state, poll)?;
    state.polls.add(poll, sender);
    Ok((poll, receiver))
}

/// A response or an error that is being received.
struct Receiving<'a> {
    instance: &'a Arc<Instance>,
    id: &'a str,
    complete: bool,
}

impl Drop for Receiving<'_> {
    fn drop(&mut self) {
        if self.complete {
            return;
        }
        // The connection has closed. If the process has ended too, that is the reason.
        let (instance, id) = (Arc::clone(self.instance), self.id.to_owned());
        tokio::spawn(async move {
            tokio::time::sleep(EXPLAINED).await;
            let failure = Failure::truncated(&id);
            instance.finish(&id, Outcome::Failed(failure), None);
        });
    }
}

impl<'a> Receiving<'a> {
    const fn of(instance: &'a Arc<Instance>, id: &'a str) -> Self {
        Self {
            instance,
            id,
            complete: false,
        }
    }

    fn finish(mut self, outcome: Outcome, buffered: Option<(Head, Bytes)>) {
        self.complete = true;
        self.instance.finish(self.id, outcome, buffered);
    }

    async fn buffered(self, sent: &Sent<'_>, mut body: Incoming) -> Result<Delivery, Rejection> {
        match collect(&mut body, MAX_RESPONSE).await {
            Ok(Some(bytes)) => {
                let head = Head {
                    mode: Mode::Buffered,
                    content_type: text(sent.content_type).map(str::to_owned),
                };
                self.finish(Outcome::Succeeded, Some((head, bytes)));
                Ok(accepted())
            }
            Ok(None) => Err(Rejection::InvalidStateTransition),
            Err(rejection) => {
                self.finish(Outcome::Failed(Failure::too_large()), None);
                Err(rejection)
            }
        }
    }

    async fn error(
        self,
        error_type: Option<&str>,
        mut body: Incoming,
    ) -> Result<Delivery, Rejection> {
        match collect(&mut body, MAX_RESPONSE).await {
            Ok(Some(bytes)) => {
                let failure = Failure::reported(FailureKind::Function, error_type, bytes);
                self.finish(Outcome::Failed(failure), None);
                Ok(accepted())
            }
            Ok(None) => Err(Rejection::InvalidStateTransition),
            Err(rejection) => {
                self.finish(Outcome::Failed(Failure::too_large()), None);
                Err(rejection)
            }
        }
    }

    async fn stream(self, sent: &Sent<'_>, mut body: Incoming) -> Result<Delivery, Rejection> {
        // The part of the body that arrived with the head.
        let mut first = poll_fn(|cx| Poll::Ready(Pin::new(&mut body).poll_frame(cx))).await;
        let mut head = Some(Head {
            mode: Mode::Streaming,
            content_type: text(sent.content_type).map(str::to_owned),
        });
        let chunks = {
            let mut state = self.instance.lock();
            let call = state
                .calls
                .iter_mut()
                .find(|call| &*call.request_id == self.id);
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

fn extension_id(sent: &Sent<'_>) -> Result<ExtensionId, Rejection> {
    text(sent.extension_id)
        .and_then(|id| id.rsplit('-').next()?.parse().ok())
        .ok_or(Rejection::UnknownExtension)
}

async fn register(
    instance: &Arc<Instance>,
    sent: &Sent<'_>,
    mut body: Incoming,
) -> Result<Delivery, Rejection> {
    let bytes = collect(&mut body, MAX_REGISTRATION).await?;
    let name = text(sent.extension_name).filter(|name| !name.is_empty());
    let registration: Option<Value> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let (Some(_), Some(registration)) = (name, registration) else {
        return Err(Rejection::InvalidExtension);
    };
    let mut events = Subscriptions::default();
    for event in registration["events"].as_array().into_iter().flatten() {
        match event.as_str() {
            Some("INVOKE") => events.invoke = true,
            Some("SHUTDOWN") => events.shutdown = true,
            _ => return Err(Rejection::InvalidExtension),
        }
    }
    let id = instance.lock().machine.register(events)?;
    let program = &instance.program;
    let about = json!({
        "functionName": program.name,
        "functionVersion": program.version,
        "handler": program.handler,
    });
    let mut response = reply(200, about.to_string());
    if let Ok(value) = HeaderValue::from_str(&format!("00000000-0000-4000-8000-{id:012}")) {
        response
            .headers_mut()
            .insert(header::EXTENSION_ID.clone(), value);
    }
    Ok(response)
}

async fn extension_next(instance: &Arc<Instance>, sent: &Sent<'_>) -> Result<Delivery, Rejection> {
    let id = extension_id(sent)?;
    {
        let state = instance.lock();
        if state.machine.must_hear_of_shutdown(id) {
            let reason = state.ending.unwrap_or("failure");
            return Ok(shutdown_event(reason, epoch_ms(GRACE)));
        }
    }
    let (poll, receiver) = wait(instance, |state, poll| {
        state.machine.extension_poll(id, poll)?;
        if state.machine.can_take() {
            state.settle = None;
        }
        Ok(())
    })?;
    let _waiting = Waiting { instance, poll };
    if let Some(owner) = instance.owner.upgrade() {
        owner.ready(instance);
    }
    receiver
        .await
        .map_err(|_| Rejection::InvalidStateTransition)
}

/// The event that tells an extension of an invocation.
pub(super) fn invoke_event(call: &Call, program: &Program, deadline_ms: u64) -> Delivery {
    let arn = call.arn.clone().unwrap_or_else(|| program.default_arn());
    let mut event = json!({
        "eventType": "INVOKE",
        "deadlineMs": deadline_ms,
        "requestId": &*call.request_id,
        "invokedFunctionArn": arn,
    });
    if let Some(trace) = &call.trace_id {
        event["tracing"] = json!({ "type": "X-Amzn-Trace-Id", "value": trace });
    }
    extension_event(&event)
}

/// The event that tells an extension of the end of the instance.
pub(super) fn shutdown_event(reason: &str, deadline_ms: u64) -> Delivery {
    extension_event(&json!({
        "eventType": "SHUTDOWN",
        "shutdownReason": reason,
        "deadlineMs": deadline_ms,
    }))
}

fn extension_event(event: &Value) -> Delivery {
    reply(200, event.to_string())
}
