//! Responses to calls that have completed or do not need to run.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use lambda_invoke_error::ServiceError;
use lambda_invoke_input::ExecutedVersion;
use lambda_invoke_protocol::{Reply, ReportedVersion};

use super::errors;
use super::response_body::Content;
use crate::function::error::{Failed, FunctionError};
use crate::function::invocation::Invocation;
use crate::request_id::RequestId;
use crate::run::collect::Collected;
use crate::run::execution::Outcome;
use crate::run::platform_log;

/// Returns the response to a function that has ended, as recorded from the service, and the
/// function's failure, which the response need not report.
pub(super) fn reply(invocation: &Invocation, collected: Collected) -> (Reply, Option<Failed>) {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");
    let failed = |error: &FunctionError| {
        let payload = error.payload(invocation.request_id());
        (Bytes::from(payload), JSON, Some("Unhandled".to_owned()))
    };
    let (error, timed_out) = match &collected {
        Collected::Buffered(Outcome::Failed(error))
        | Collected::Streamed(_, Outcome::Failed(error)) => (Some(error.clone()), false),
        Collected::Buffered(Outcome::TimedOut(error))
        | Collected::Streamed(_, Outcome::TimedOut(error)) => (Some(error.clone()), true),
        Collected::Buffered(Outcome::Completed(_))
        | Collected::Streamed(_, Outcome::Completed(())) => (None, false),
    };
    let (payload, content_type, function_error) = match (collected, &error) {
        (Collected::Buffered(Outcome::Completed(bytes)), _) => (bytes, JSON, None),
        (Collected::Buffered(_), Some(error)) => failed(error),
        // Recorded: a streaming function that timed out before its first byte.
        (Collected::Streamed(bytes, Outcome::TimedOut(_)), _) if bytes.is_empty() => {
            (bytes, JSON, None)
        }
        // One that failed before its first byte, or whose response is too large.
        (Collected::Streamed(bytes, _), Some(error))
            if bytes.is_empty() || error.is_too_large() =>
        {
            failed(error)
        }
        // Recorded: one that failed later has what it had written, without the failure.
        (Collected::Streamed(bytes, _), _) => (bytes, BYTES, None),
        (Collected::Buffered(_), None) => (Bytes::new(), JSON, None),
    };
    let mut reply = Reply::new(StatusCode::OK, payload);
    reply.content_type = Some(content_type);
    reply.function_error = function_error;
    reply.executed_version = Some(reported_version(invocation));
    reply.request_id = Some(invocation.request_id().to_owned());
    reply.log = platform_log::finish(invocation, error.as_ref(), timed_out);
    (reply, error.as_ref().map(Failed::new))
}

pub(super) fn reported_version(invocation: &Invocation) -> ReportedVersion {
    match invocation.call().version {
        None => ExecutedVersion::LATEST.into(),
        Some(_) => invocation.version().into(),
    }
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
