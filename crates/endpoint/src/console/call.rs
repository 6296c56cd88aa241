//! Calls a function from the console, and returns its chunks as they come, unconverted.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use lambda_invoke_protocol::header::X_AMZN_REQUEST_ID;
use lambda_invoke_protocol::path::query_value;
use lambda_invoke_protocol::{error_to_http, json};

use super::page::{problem, with_type};
use crate::function::channel::ResponseLimits;
use crate::function::invocation::Call;
use crate::request_id::RequestId;
use crate::run::execution::{Execution, Next};
use crate::run::platform_log;
use crate::run::unframed::FunctionChunks;
use crate::service::Service;
use crate::service::calls::Via;
use crate::service::request_body::RequestBody;
use crate::service::response_body::Content;
use crate::service::stream_body::StreamBody;
use crate::wire::connection::Connection;

/// Calls the function that the query names, with the body as its payload.
pub(super) async fn respond(
    service: &Service,
    parts: &Parts,
    body: &mut RequestBody,
    id: RequestId,
    connection: &Arc<Connection>,
) -> Response<Content> {
    let name = query_value(parts.uri.query().unwrap_or_default(), "function");
    let name = name.as_deref().unwrap_or_default();
    let Some(function) = service.registry.get(name) else {
        return problem(
            StatusCode::NOT_FOUND,
            &format!("There is no function {name:?}."),
        );
    };
    let Some(resolved) = function.resolve(None) else {
        return problem(StatusCode::NOT_FOUND, "The function has no code.");
    };
    connection.set_reading(true);
    let payload = body.read(service.settings.max_request_bytes).await;
    connection.set_reading(false);
    let payload = match payload {
        Ok(payload) if payload.is_empty() => Bytes::from_static(b"{}"),
        Ok(payload) => payload,
        Err(_) => return problem(StatusCode::PAYLOAD_TOO_LARGE, "The payload is too large."),
    };
    if let Err(error) = json::check(&payload) {
        return problem(StatusCode::BAD_REQUEST, &error.to_string());
    }
    let call = Call::new(function.info(), id);
    let (invocation, permit) = match service.start(function, payload, call, Via::Console) {
        Ok(started) => started,
        Err(error) => return error_to_http(&error).map(Content::whole),
    };
    let limits = ResponseLimits {
        buffered: Some(service.settings.max_buffered_bytes),
        streamed: service.settings.max_stream_bytes,
    };
    let (handler, running) = (resolved.handler, connection.running());
    let mut execution = Execution::start(handler, &invocation, permit, running, limits);
    let mut first = VecDeque::new();
    let head = poll_fn(|cx| execution.poll_head(cx)).await;
    if let Err(error) = service.check_started(&invocation, execution.outcome()) {
        return error_to_http(&error).map(Content::whole);
    }
    if !head.started {
        // The execution has ended.
        match execution.next().await {
            Next::Chunk(chunk) => first.push_back(chunk),
            Next::End(outcome) => {
                platform_log::finish(&invocation, &outcome);
                let (status, body) = match outcome {
                    Ok(()) => (StatusCode::OK, Bytes::new()),
                    Err(error) => (StatusCode::BAD_GATEWAY, error.payload(id.as_str())),
                };
                let mut response = with_type("application/json", Content::whole(body));
                *response.status_mut() = status;
                return named(response, id);
            }
        }
    }
    let chunks = FunctionChunks::new(first, execution, invocation);
    let body = StreamBody::new(Box::new(chunks), Arc::clone(connection), None);
    // A type that the browser never renders.
    let response = with_type("application/octet-stream", Content::Frames(Box::new(body)));
    named(response, id)
}

/// Adds the request id, by which the page finds the call on its timeline.
fn named(mut response: Response<Content>, id: RequestId) -> Response<Content> {
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(X_AMZN_REQUEST_ID, id);
    }
    response
}
