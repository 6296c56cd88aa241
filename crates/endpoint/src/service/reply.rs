//! Responses to calls that have completed or do not need to run.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use lambda_invoke_error::ServiceError;
use lambda_invoke_input::ExecutedVersion;
use lambda_invoke_protocol::{Reply, ReportedVersion};

use super::errors;
use super::response_body::Content;
use crate::function::channel::{Mode, ResponseHead};
use crate::function::error::FunctionError;
use crate::function::invocation::Invocation;
use crate::request_id::RequestId;
use crate::run::collect::Collected;
use crate::run::platform_log;

/// Returns the response to a function that has ended, as recorded from the service.
pub(super) fn reply(invocation: &Invocation, collected: Collected) -> Reply {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");
    let Collected {
        head: ResponseHead { mode, started, .. },
        response,
        outcome,
    } = collected;
    // Recorded: if a streaming function failed after its response had begun, the response is what
    // it had written, without the failure; if it timed out before that, the response is empty.
    let is_shown = |error: &&FunctionError| match mode {
        _ if error.is_too_large() => true,
        Mode::Streaming => !started && !error.is_timeout(),
        Mode::Buffered => true,
    };
    let shown = outcome.as_ref().err().filter(is_shown);
    let is_bytes = mode == Mode::Streaming && (started || outcome.is_ok());
    let payload = match shown {
        Some(error) => error.payload(invocation.request_id()),
        None => response,
    };
    let mut reply = Reply::new(StatusCode::OK, payload);
    reply.content_type = Some(if shown.is_none() && is_bytes {
        BYTES
    } else {
        JSON
    });
    reply.function_error = shown.map(|_| "Unhandled".to_owned());
    reply.executed_version = Some(reported_version(invocation));
    reply.request_id = Some(invocation.request_id().to_owned());
    reply.log = platform_log::finish(invocation, &outcome);
    reply
}

pub(super) fn reported_version(invocation: &Invocation) -> ReportedVersion {
    match invocation.call().version {
        None => ExecutedVersion::LATEST.into(),
        Some(_) => invocation.version().into(),
    }
}

/// Returns the content type of a streamed response. Recorded: if a streaming function wrote
/// nothing, there is a content type only if the function set it.
pub(super) fn remapped_content_type(head: ResponseHead) -> Option<HeaderValue> {
    const DEFAULT: HeaderValue = HeaderValue::from_static("application/octet-stream");
    let has_default = head.started || head.mode == Mode::Buffered;
    let own = head
        .content_type
        .and_then(|text| HeaderValue::try_from(text).ok());
    own.or_else(|| has_default.then_some(DEFAULT))
}

/// Returns a response with a status and no body.
pub(super) fn empty(status: StatusCode, id: RequestId) -> Result<Response<Content>, ServiceError> {
    let mut reply = Reply::new(status, Bytes::new());
    reply.request_id = Some(id.to_string());
    let response = reply
        .to_http()
        .map_err(|error| errors::internal(&error.to_string()))?;
    Ok(response.map(Content::whole))
}
