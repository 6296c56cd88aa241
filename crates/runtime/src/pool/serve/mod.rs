//! The requests of a runtime client and of extensions, answered from an instance's state.

mod body;

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use serde_json::json;

use crate::api::extensions::ExtensionRejection;
use crate::api::machine::{Mode, Rejection};
use crate::api::route::Route;
use crate::event::{Head, Part};
use crate::outcome::{Failure, FailureReason, Outcome};
use crate::pool::instance::{Instance, epoch_ms};
use crate::pool::state::Cause;
use crate::process::GRACE;

type Reply = Response<Full<Bytes>>;

/// The most bytes of a reported error.
const ERROR_LIMIT: usize = 1024 * 1024;

/// Responds to one request.
pub(crate) async fn respond(instance: Arc<Instance>, request: Request<Incoming>) -> Reply {
    match Route::of(request.method(), request.uri().path()) {
        Route::Next => next(&instance).await,
        Route::Response(id) => response(&instance, &id, request).await,
        Route::Error(id) => error(&instance, &id, request).await,
        Route::InitError => init_error(&instance, request).await,
        Route::Register => register(&instance, request).await,
        Route::ExtensionNext => extension_next(&instance, &request).await,
        Route::ExtensionInitError | Route::ExtensionExitError => {
            extension_error(&instance, &request)
        }
        Route::WrongMethod => fault(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            "this path takes another method",
        ),
        Route::Unknown => fault(StatusCode::NOT_FOUND, "NotFound", "no such path"),
    }
}

/// Waits for an event and gives it to the runtime client.
async fn next(instance: &Arc<Instance>) -> Reply {
    {
        let mut state = instance.lock();
        let first = !state.machine.is_ready();
        if let Err(rejection) = state.machine.ask() {
            return rejected(rejection);
        }
        if first {
            state.init_duration = Some(state.born.elapsed());
        }
    }
    // The end of an instance that is to end, and another deadline.
    instance.changed.notify_one();
    loop {
        let work = instance.work.notified();
        tokio::pin!(work);
        work.as_mut().enable();
        if let Some(reply) = take(instance) {
            return reply;
        }
        work.await;
    }
}

/// Takes the next event whose caller still waits.
fn take(instance: &Instance) -> Option<Reply> {
    let mut state = instance.lock();
    loop {
        if !state.machine.has_room() || state.ended || state.cause.is_some() {
            return None;
        }
        let job = state.jobs.pop_front()?;
        let nonce = format!("{:016x}{:016x}", instance.number, epoch_us());
        if job.end.is_closed() || !state.machine.give(&job.event.request_id, &nonce) {
            // A request ID that is in use cannot be told apart from the first: dropping the job
            // fails it.
            continue;
        }
        let program = &instance.program;
        let event = &job.event;
        let deadline = epoch_ms(SystemTime::now() + program.timeout).to_string();
        let arn = event.arn.clone().unwrap_or_else(|| program.function_arn());
        let mut reply = Response::new(Full::new(event.payload.clone()));
        let headers = reply.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let mut set = |name: &'static str, value: Option<&str>| {
            // Bytes that no header can hold come from the caller's own values.
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        set("lambda-runtime-aws-request-id", Some(&event.request_id));
        set("lambda-runtime-invocation-id", Some(&nonce));
        set("lambda-runtime-deadline-ms", Some(&deadline));
        set("lambda-runtime-invoked-function-arn", Some(&arn));
        set("lambda-runtime-trace-id", event.trace_id.as_deref());
        set(
            "lambda-runtime-client-context",
            event.client_context.as_deref(),
        );
        set(
            "lambda-runtime-cognito-identity",
            event.cognito_identity.as_deref(),
        );
        set("lambda-runtime-aws-tenant-id", event.tenant_id.as_deref());
        if state.extensions.any() {
            let trace = event.trace_id.as_deref().unwrap_or_default();
            let text = json!({
                "eventType": "INVOKE",
                "deadlineMs": deadline.parse::<u64>().unwrap_or_default(),
                "requestId": event.request_id,
                "invokedFunctionArn": arn,
                "tracing": { "type": "X-Amzn-Trace-Id", "value": trace },
            });
            state.extensions.invoke(&text.to_string());
            instance.extension_events.notify_waiters();
        }
        state.started(*job, program.timeout);
        drop(state);
        instance.changed.notify_one();
        return Some(reply);
    }
}

/// Passes a response on to the caller.
async fn response(instance: &Arc<Instance>, id: &str, request: Request<Incoming>) -> Reply {
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    let mode = header("lambda-runtime-function-response-mode");
    let echo = header("lambda-runtime-invocation-id");
    let (mode, parts) = {
        let mut state = instance.lock();
        match state.machine.respond(id, mode, echo) {
            Ok(mode) => (mode, state.parts(id)),
            Err(rejection) => return rejected(rejection),
        }
    };
    let content_type = header("content-type").map(ToOwned::to_owned);
    let head = Head::new(mode == Mode::Streaming, content_type);
    let body = request.into_body();
    // The caller may be gone: then the response is read and discarded.
    let (outcome, reply) = match mode {
        Mode::Buffered => match body::whole(body, instance.program.response_limit).await {
            Ok(whole) => {
                if let Some(parts) = parts {
                    let _ = parts.send(Part::Head(head)).await;
                    let _ = parts.send(Part::Chunk(whole)).await;
                }
                (Outcome::Succeeded, accepted())
            }
            Err(body::Broken::TooLarge) => (
                Outcome::Failed(Failure::too_large(instance.program.response_limit)),
                rejected(Rejection::TooLarge),
            ),
            Err(body::Broken::Truncated) => {
                // Usually the process has ended, which is then what the caller learns.
                truncated(instance, id).await;
                return accepted();
            }
        },
        Mode::Streaming => {
            if let Some(parts) = &parts {
                let _ = parts.send(Part::Head(head)).await;
            }
            match body::stream(body, parts).await {
                Ok(None) => (Outcome::Succeeded, accepted()),
                Ok(Some(failure)) => (Outcome::Failed(failure), accepted()),
                Err(_) => {
                    truncated(instance, id).await;
                    return accepted();
                }
            }
        }
    };
    over(instance, id, outcome).await;
    reply
}

/// Reports an event as failed whose response ended early, unless the process has ended, too.
async fn truncated(instance: &Arc<Instance>, id: &str) {
    let still_lives = tokio::time::timeout(GRACE, async {
        while instance.lock().process.is_some() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    });
    if still_lives.await.is_err() {
        over(instance, id, Outcome::Failed(Failure::truncated(id))).await;
    }
}

/// Takes the report of an error.
async fn error(instance: &Arc<Instance>, id: &str, request: Request<Incoming>) -> Reply {
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    let echo = header("lambda-runtime-invocation-id");
    let taken = instance.lock().machine.respond(id, None, echo);
    if let Err(rejection) = taken {
        return rejected(rejection);
    }
    let error_type = header("lambda-runtime-function-error-type").map(ToOwned::to_owned);
    let (failure, reply) = match body::whole(request.into_body(), ERROR_LIMIT).await {
        Ok(body) => (
            Failure::reported(FailureReason::Function, error_type.as_deref(), body),
            accepted(),
        ),
        Err(body::Broken::TooLarge) => (
            Failure::too_large(ERROR_LIMIT),
            rejected(Rejection::TooLarge),
        ),
        Err(body::Broken::Truncated) => {
            truncated(instance, id).await;
            return accepted();
        }
    };
    over(instance, id, Outcome::Failed(failure)).await;
    reply
}

/// Reports how an event ended, once its lines have been read.
async fn over(instance: &Arc<Instance>, id: &str, outcome: Outcome) {
    instance.flush().await;
    let mut state = instance.lock();
    state.finish(id, outcome);
    state.machine.responded(id);
    let end = state.retired && state.load() == 0;
    drop(state);
    // A runtime client may wait for the place that is free now.
    instance.work.notify_one();
    if end {
        instance.changed.notify_one();
    }
}

/// Takes the report that the program cannot start.
async fn init_error(instance: &Arc<Instance>, request: Request<Incoming>) -> Reply {
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    let error_type = header("lambda-runtime-function-error-type").map(ToOwned::to_owned);
    if let Err(rejection) = instance.lock().machine.init_error() {
        return rejected(rejection);
    }
    let Ok(body) = body::whole(request.into_body(), ERROR_LIMIT).await else {
        return rejected(Rejection::TooLarge);
    };
    instance.flush().await;
    let failure = Failure::reported(FailureReason::Init, error_type.as_deref(), body);
    let mut state = instance.lock();
    if state.cause.is_none() {
        state.release(Some(&|_| failure.clone()));
        state.cause = Some(Cause::Init(failure));
    }
    // The runtime client exits by itself; one that does not is killed.
    state
        .kill_at
        .get_or_insert(tokio::time::Instant::now() + GRACE);
    drop(state);
    instance.changed.notify_one();
    accepted()
}

async fn register(instance: &Arc<Instance>, request: Request<Incoming>) -> Reply {
    let named = request.headers().contains_key("lambda-extension-name");
    let body = body::whole(request.into_body(), ERROR_LIMIT).await;
    let Some(body) = body.ok().filter(|_| named) else {
        return fault(
            StatusCode::BAD_REQUEST,
            "Extension.InvalidRegistration",
            "the header Lambda-Extension-Name is missing, or the body is too large",
        );
    };
    let asked: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let asks = |event: &str| {
        let events = asked.get("events").and_then(serde_json::Value::as_array);
        events.is_some_and(|events| events.iter().any(|name| name == event))
    };
    let id = format!("{:08x}-0000-4000-8000-{:012x}", instance.number, epoch_us());
    let registered = instance
        .lock()
        .extensions
        .register(&id, asks("INVOKE"), asks("SHUTDOWN"));
    if let Err(rejection) = registered {
        return extension_rejected(rejection);
    }
    let program = &instance.program;
    let body = json!({
        "functionName": program.name,
        "functionVersion": program.version,
        "handler": program.handler.as_deref().unwrap_or_default(),
    });
    let mut reply = of(StatusCode::OK, &body);
    if let Ok(id) = HeaderValue::from_str(&id) {
        reply
            .headers_mut()
            .insert(HeaderName::from_static("lambda-extension-identifier"), id);
    }
    reply
}

async fn extension_next(instance: &Arc<Instance>, request: &Request<Incoming>) -> Reply {
    let id = extension_id(request);
    loop {
        let events = instance.extension_events.notified();
        tokio::pin!(events);
        events.as_mut().enable();
        let next = instance.lock().extensions.take(id);
        match next {
            Ok(Some(event)) => {
                let mut reply = Response::new(Full::new(Bytes::from(event)));
                let json = HeaderValue::from_static("application/json");
                reply.headers_mut().insert(CONTENT_TYPE, json);
                return reply;
            }
            Ok(None) => events.await,
            Err(rejection) => return extension_rejected(rejection),
        }
    }
}

fn extension_error(instance: &Instance, request: &Request<Incoming>) -> Reply {
    if instance.lock().extensions.knows(extension_id(request)) {
        accepted()
    } else {
        extension_rejected(ExtensionRejection::UnknownId)
    }
}

fn extension_id(request: &Request<Incoming>) -> &str {
    request
        .headers()
        .get("lambda-extension-identifier")
        .and_then(|id| id.to_str().ok())
        .unwrap_or_default()
}

fn extension_rejected(rejection: ExtensionRejection) -> Reply {
    let (error_type, message) = match rejection {
        ExtensionRejection::UnknownId => (
            "Extension.UnknownExtensionIdentifier",
            "no extension has registered with this identifier",
        ),
        ExtensionRejection::TooMany => (
            "Extension.TooManyExtensions",
            "ten extensions have registered",
        ),
    };
    fault(StatusCode::FORBIDDEN, error_type, message)
}

/// The responses to rejected requests, as the official emulator words them.
fn rejected(rejection: Rejection) -> Reply {
    let (status, error_type, message) = match rejection {
        Rejection::InvalidRequestId => (
            StatusCode::BAD_REQUEST,
            "InvalidRequestID",
            "Invalid request ID",
        ),
        Rejection::InvalidStateTransition => (
            StatusCode::FORBIDDEN,
            "InvalidStateTransition",
            "Transition is not allowed",
        ),
        Rejection::InvalidResponseMode => (
            StatusCode::BAD_REQUEST,
            "InvalidFunctionResponseMode",
            "Invalid function response mode",
        ),
        Rejection::Late => (
            StatusCode::GONE,
            "ErrorRuntimeInvokeTimeout",
            "The invocation has ended",
        ),
        Rejection::TooLarge => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge",
            "Exceeded maximum allowed payload size",
        ),
    };
    fault(status, error_type, message)
}

fn accepted() -> Reply {
    of(StatusCode::ACCEPTED, &json!({ "status": "OK" }))
}

fn fault(status: StatusCode, error_type: &str, message: &str) -> Reply {
    of(
        status,
        &json!({ "errorMessage": message, "errorType": error_type }),
    )
}

fn of(status: StatusCode, body: &serde_json::Value) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(body.to_string())));
    *reply.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    reply.headers_mut().insert(CONTENT_TYPE, json);
    reply
}

/// Microseconds since 1970: with the number of the instance, unique within a pool.
fn epoch_us() -> u64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
