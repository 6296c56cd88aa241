//! The response to a call that ran, or that did not need to.

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
use crate::run::collect::Answer;
use crate::run::execution::Outcome;
use crate::run::platform_log;

/// The answer of a function that ran to its end, as the service was recorded to give it; and how the
/// function failed, which the answer need not say.
pub(super) fn reply(invocation: &Invocation, answer: Answer) -> (Reply, Option<Failed>) {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");
    let failed = |error: &FunctionError| {
        let payload = error.payload(invocation.request_id());
        (Bytes::from(payload), JSON, Some("Unhandled".to_owned()))
    };
    let (error, timed_out) = match &answer {
        Answer::Buffered(Outcome::Failed(error)) | Answer::Streamed(_, Outcome::Failed(error)) => {
            (Some(error.clone()), false)
        }
        Answer::Buffered(Outcome::TimedOut(error))
        | Answer::Streamed(_, Outcome::TimedOut(error)) => (Some(error.clone()), true),
        Answer::Buffered(Outcome::Answer(_)) | Answer::Streamed(_, Outcome::Answer(())) => {
            (None, false)
        }
    };
    let (payload, content_type, function_error) = match (answer, &error) {
        (Answer::Buffered(Outcome::Answer(bytes)), _) => (bytes, JSON, None),
        (Answer::Buffered(_), Some(error)) => failed(error),
        // A streaming function that timed out before its first byte: recorded so.
        (Answer::Streamed(bytes, Outcome::TimedOut(_)), _) if bytes.is_empty() => {
            (bytes, JSON, None)
        }
        // One that failed before its first byte, or whose answer is too large to be sent at all.
        (Answer::Streamed(bytes, _), Some(error)) if bytes.is_empty() || error.is_too_large() => {
            failed(error)
        }
        // One that failed later: what it had written, and no word of the failure. Recorded so.
        (Answer::Streamed(bytes, _), _) => (bytes, BYTES, None),
        (Answer::Buffered(_), None) => (Bytes::new(), JSON, None),
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

/// An answer with a status and nothing else.
pub(super) fn empty(status: StatusCode, id: RequestId) -> Result<Response<Content>, ServiceError> {
    let mut reply = Reply::new(status, Bytes::new());
    reply.request_id = Some(id.to_string());
    let response = reply
        .to_http()
        .map_err(|error| errors::internal(&error.to_string()))?;
    Ok(response.map(Content::whole))
}
