//! The requests of a runtime and its extensions.

use std::convert::Infallible;
use std::future::{pending, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::call::Call;
use super::receiving::{Receiving, collect};
use super::waiting::{Waiting, poll};
use super::{Delivery, GRACE, Instance, epoch_ms};
use crate::api::header::{self, Sent, lossy, text};
use crate::api::route::{Route, route};
use crate::api::{ExtensionId, Rejection, ResponseMode, Subscriptions};
use crate::limits::MAX_RESPONSE;
use crate::{Failure, FailureKind, Outcome, Program};

/// The maximum length of an extension's registration, in bytes.
const MAX_REGISTRATION: usize = 64 * 1024;

/// How long a request for the next event waits for the response of the running invocation, of which the
/// host has seen nothing, before it is rejected: they may be on different connections.
const SEEN: Duration = Duration::from_millis(300);

/// A request after its head has been read.
enum Asked {
    /// A request for the next event.
    Next(Waiting),
    /// A buffered response, with the content type that the runtime declared.
    Buffered(Receiving, Option<String>, Incoming),
    /// A rejected request. Its body is read to its end, so that the runtime, which writes it first, sees
    /// the rejection.
    Rejected(Rejection, Incoming),
    /// What few runtimes send, boxed so that the futures of the others stay small.
    Other(Pin<Box<dyn Future<Output = Result<Delivery, Rejection>> + Send>>),
}

/// Responds to one request. `streams` tells the connection that it carries a streaming response.
pub(super) fn serve(
    instance: &Arc<Instance>,
    streams: &AtomicBool,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Delivery, Infallible>> + use<> {
    let (head, body) = request.into_parts();
    // The head is dropped before the response is awaited: it holds a part of the connection's buffer, and
    // hyper, which reads ahead meanwhile, would need another one.
    let asked = ask(instance, streams, head, body);
    async move {
        let result = match asked {
            Asked::Next(waiting) => waiting.event().await,
            Asked::Buffered(receiving, content_type, body) => {
                receiving.buffered(content_type, body).await
            }
            Asked::Rejected(rejection, mut body) => {
                while let Some(Ok(_)) = body.frame().await {}
                Err(rejection)
            }
            Asked::Other(responding) => responding.await,
        };
        Ok(result.unwrap_or_else(|rejection| reply(rejection.status(), rejection.body())))
    }
}

/// Handles what can be decided from the head of a request, without its body.
fn ask(instance: &Arc<Instance>, streams: &AtomicBool, head: Parts, body: Incoming) -> Asked {
    let sent = Sent::of(&head.headers);
    // No page may take events.
    if sent.is_from_page {
        return Asked::Other(Box::pin(ready(Err(Rejection::NotFound))));
    }
    match route(&head.method, head.uri.path()) {
        Err(rejection) => Asked::Rejected(rejection, body),
        Ok(Route::Next) => match next(instance) {
            Ok(waiting) => Asked::Next(waiting),
            Err(rejection) => Asked::Other(Box::pin(reconsider(Arc::clone(instance), rejection))),
        },
        Ok(Route::Response(id)) => {
            let (echo, mode) = (text(sent.invocation_id), text(sent.response_mode));
            let begun = Receiving::begin(instance, id, echo, mode);
            let is_streaming = matches!(begun, Ok((_, ResponseMode::Streaming)));
            streams.store(is_streaming, Ordering::Relaxed);
            let content_type = text(sent.content_type).map(str::to_owned);
            match begun {
                Err(rejection) => Asked::Rejected(rejection, body),
                Ok((receiving, ResponseMode::Streaming)) => {
                    Asked::Other(Box::pin(receiving.stream(content_type, body)))
                }
                Ok((receiving, _)) => Asked::Buffered(receiving, content_type, body),
            }
        }
        Ok(Route::Error(id)) => {
            match Receiving::begin(instance, id, text(sent.invocation_id), None) {
                Err(rejection) => Asked::Rejected(rejection, body),
                Ok((receiving, _)) => {
                    let error_type = lossy(sent.error_type);
                    Asked::Other(Box::pin(receiving.error(error_type, body)))
                }
            }
        }
        Ok(_) => Asked::Other(Box::pin(other(Arc::clone(instance), head, body))),
    }
}

/// Responds to a request that does not belong to an invocation.
async fn other(
    instance: Arc<Instance>,
    head: Parts,
    mut body: Incoming,
) -> Result<Delivery, Rejection> {
    let sent = Sent::of(&head.headers);
    match route(&head.method, head.uri.path())? {
        Route::InitError => {
            let bytes = collect(&mut body, MAX_RESPONSE).await?.unwrap_or_default();
            let error_type = lossy(sent.error_type);
            let mut state = instance.lock();
            state.machine.init_error()?;
            let failure = Failure::reported(FailureKind::Init, error_type.as_deref(), bytes);
            state.init_failure = Some(failure);
            drop(state);
            instance.wake.notify_one();
            Ok(accepted())
        }
        Route::ExtensionInitError | Route::ExtensionExitError => {
            let bytes = collect(&mut body, MAX_RESPONSE).await?.unwrap_or_default();
            let id = extension_id(&sent)?;
            let error_type = lossy(sent.extension_error_type);
            let error_type = error_type.as_deref().unwrap_or("Extension.Failure");
            let failure = Failure::reported(FailureKind::Init, Some(error_type), bytes);
            let mut state = instance.lock();
            state.machine.extension_error(id)?;
            state.init_failure = Some(failure);
            drop(state);
            instance.wake.notify_one();
            Ok(accepted())
        }
        Route::Register => register(&instance, &sent, body).await,
        Route::ExtensionNext => extension_next(&instance, &sent).await,
        Route::Next | Route::Response(_) | Route::Error(_) => Err(Rejection::NotFound),
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

pub(super) fn accepted() -> Delivery {
    reply(202, r#"{"status":"OK"}"#)
}

/// Responds to a request for the next event that is not possible now.
async fn reconsider(instance: Arc<Instance>, rejection: Rejection) -> Result<Delivery, Rejection> {
    let over = instance.over.notified();
    tokio::pin!(over);
    over.as_mut().enable();
    // The runtime may have responded on another connection, or closed that within its response, and the
    // host has not seen that yet.
    if instance.lock().machine.running() > 0 {
        let in_time = tokio::time::timeout(SEEN, &mut over).await;
        // A response that has begun is over at the latest when its invocation times out.
        if in_time.is_err() && instance.lock().machine.is_responding() {
            over.await;
        }
    }
    if let Ok(waiting) = next(&instance) {
        return waiting.event().await;
    }
    // The runtime does nothing wrong: it asks for its next event while its process is being ended, and
    // waits for that.
    if instance.lock().ending.is_some() {
        pending::<()>().await;
    }
    Err(rejection)
}

fn next(instance: &Arc<Instance>) -> Result<Waiting, Rejection> {
    poll(instance).or_else(|rejection| {
        let state = instance.lock();
        let truncated = state.calls.iter().find(|call| call.truncated);
        let id = Arc::clone(&truncated.ok_or(rejection)?.request_id);
        drop(state);
        let failure = Failure::truncated(&id);
        instance.finish(&id, Outcome::Failed(failure), None);
        poll(instance)
    })
}

fn extension_id(sent: &Sent<'_>) -> Result<ExtensionId, Rejection> {
    let id = text(sent.extension_id).ok_or(Rejection::MissingExtensionIdentifier)?;
    let number = id.rsplit('-').next().and_then(|number| number.parse().ok());
    number.ok_or(Rejection::UnknownExtension)
}

async fn register(
    instance: &Arc<Instance>,
    sent: &Sent<'_>,
    mut body: Incoming,
) -> Result<Delivery, Rejection> {
    let bytes = collect(&mut body, MAX_REGISTRATION).await?;
    if text(sent.extension_name).is_none_or(str::is_empty) {
        return Err(Rejection::InvalidExtensionName);
    }
    let registration: Option<Value> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let registration = registration.ok_or(Rejection::InvalidRegistration)?;
    let mut events = Subscriptions::default();
    for event in registration["events"].as_array().into_iter().flatten() {
        match event.as_str() {
            Some("INVOKE") => events.invoke = true,
            Some("SHUTDOWN") => events.shutdown = true,
            _ => return Err(Rejection::InvalidEventType),
        }
    }
    let id = instance.lock().machine.register(events)?;
    let program = &instance.program;
    let about = json!({
        "functionName": program.name,
        "functionVersion": instance.version(),
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
    let waiting = Waiting::new(instance, |state, poll| {
        state.machine.extension_poll(id, poll)?;
        let can_take = state.machine.can_take();
        if can_take {
            state.settle = None;
        }
        Ok(can_take && state.retired)
    })?;
    waiting.event().await
}

/// The event that tells an extension of an invocation.
pub(super) fn invoke_event(call: &Call, program: &Program, deadline_ms: u64) -> Delivery {
    let arn = call.arn.clone().unwrap_or_else(|| program.function_arn());
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
