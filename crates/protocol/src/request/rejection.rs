//! What an endpoint answers to a request that the service would not take.

use std::fmt;

use lambda_invoke_error::{Operation, ServiceError, lookup};
use lambda_invoke_input::{Constraint, InputError, InvocationType, Member, QualifierMismatch};

use crate::json::NotJson;
use crate::path::NoRoute;

/// Why a request is refused before anything runs.
///
/// [`to_service_error`](Self::to_service_error) is the service's own answer to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The method and path are no operation's.
    NoRoute(NoRoute),
    /// Values that do not satisfy the model's constraints.
    #[non_exhaustive]
    Validation {
        /// Which, in the order of the message.
        failed: Vec<(Member, Constraint)>,
        /// The service's message, which counts and joins them.
        message: String,
    },
    /// A value that satisfies the model and that the rules refuse for another reason.
    Value(InputError),
    /// The qualifier in the function's name is another than the parameter.
    QualifierMismatch(QualifierMismatch),
    /// The client context is not a JSON object in at most 3,583 bytes of base64.
    ClientContext,
    /// The payload is too large.
    PayloadTooLarge {
        /// Its length, in bytes.
        length: usize,
        /// The most that is allowed.
        limit: usize,
        /// For which the limit is.
        invocation_type: InvocationType,
        /// The operation.
        operation: Operation,
    },
    /// The payload is not JSON.
    NotJson(NotJson),
    /// The content type is neither absent nor JSON nor `application/octet-stream`.
    MediaType {
        /// The content type.
        found: String,
    },
}

impl Refusal {
    pub(super) fn validation(failed: Vec<(Member, Constraint, String)>) -> Self {
        let plural = if failed.len() == 1 { "" } else { "s" };
        let mut message = format!("{} validation error{plural} detected: ", failed.len());
        for (index, (_, _, sentence)) in failed.iter().enumerate() {
            message.push_str(if index == 0 { "" } else { "; " });
            message.push_str(sentence);
        }
        let failed = failed
            .into_iter()
            .map(|(member, constraint, _)| (member, constraint));
        Self::Validation {
            failed: failed.collect(),
            message,
        }
    }

    /// The service's answer, as it was recorded.
    ///
    /// Not on record, and worded after the reference, are those to an unknown path and to a media
    /// type.
    #[must_use]
    pub fn to_service_error(&self) -> ServiceError {
        match self {
            Self::NoRoute(reason) => known("UnknownOperationException", 404, &reason.to_string()),
            Self::Validation { message, .. } => known("ValidationException", 400, message),
            Self::Value(error) => known("ValidationException", 400, &error.to_string()),
            Self::QualifierMismatch(_) => known(
                "InvalidParameterValueException",
                400,
                QualifierMismatch::MESSAGE,
            ),
            Self::ClientContext => known(
                "InvalidRequestContentException",
                400,
                "Client context must be a valid Base64-encoded JSON object.",
            ),
            Self::PayloadTooLarge {
                length,
                limit,
                invocation_type,
                ..
            } => known(
                "RequestEntityTooLargeException",
                413,
                &format!(
                    "{length} byte payload is too large for the {invocation_type} invocation type \
                     (limit {limit} bytes)"
                ),
            ),
            Self::NotJson(fault) => known(
                "InvalidRequestContentException",
                400,
                &fault.service_message(),
            ),
            Self::MediaType { found } => {
                let message = format!(
                    "Unsupported content type: {found}. Send application/json, \
                     application/octet-stream or no Content-Type."
                );
                known("UnsupportedMediaTypeException", 415, &message)
            }
        }
    }

    /// The answer that the published reference has, where the service's own is another one: the
    /// code for too large a payload.
    #[must_use]
    pub fn to_documented_error(&self) -> ServiceError {
        match self {
            Self::PayloadTooLarge {
                limit, operation, ..
            } => {
                let message = format!(
                    "Request must be smaller than {limit} bytes for the {operation} operation"
                );
                known("RequestTooLargeException", 413, &message)
            }
            other => other.to_service_error(),
        }
    }
}

/// A row of the table with a message. Every code here is in the table, which a test holds.
fn known(code: &str, status: u16, message: &str) -> ServiceError {
    match lookup(code) {
        Some(row) => row.error(message),
        None => ServiceError::parse(status, |_| None, b"").with_message(message),
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoute(reason) => reason.fmt(f),
            Self::Validation { message, .. } => write!(f, "the request is invalid: {message}"),
            Self::Value(error) => error.fmt(f),
            Self::QualifierMismatch(mismatch) => mismatch.fmt(f),
            Self::ClientContext => f.write_str(
                "the client context is not a JSON object in at most 3583 bytes of base64",
            ),
            Self::PayloadTooLarge {
                length,
                limit,
                invocation_type,
                ..
            } => write!(
                f,
                "the payload has {length} bytes, {invocation_type} takes at most {limit}"
            ),
            Self::NotJson(fault) => fault.fmt(f),
            Self::MediaType { found } => write!(
                f,
                "the content type is {found:?}, expected none, application/json or \
                 application/octet-stream"
            ),
        }
    }
}

impl std::error::Error for Refusal {}
