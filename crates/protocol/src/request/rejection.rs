//! Why an endpoint rejects a request, and the service's own error for it.

use std::fmt;

use lambda_invoke_error::{KnownError, Operation, ServiceError, lookup};
use lambda_invoke_input::{Constraint, InputError, InvocationType, Member, QualifierMismatch};

use super::error::write_payload_too_large;
use crate::json::JsonError;
use crate::path::RouteError;

const ENTITY_TOO_LARGE: &KnownError = lookup("RequestEntityTooLargeException").unwrap();
const INVALID_CONTENT: &KnownError = lookup("InvalidRequestContentException").unwrap();
const INVALID_PARAMETER_VALUE: &KnownError = lookup("InvalidParameterValueException").unwrap();
const MEDIA_TYPE: &KnownError = lookup("UnsupportedMediaTypeException").unwrap();
const REQUEST_TOO_LARGE: &KnownError = lookup("RequestTooLargeException").unwrap();
const UNKNOWN_OPERATION: &KnownError = lookup("UnknownOperationException").unwrap();
const VALIDATION: &KnownError = lookup("ValidationException").unwrap();

/// Why a request is rejected before anything runs.
///
/// [`to_service_error`](Self::to_service_error) gives the error that the service sends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// No operation has the method and path.
    Route(RouteError),
    /// Values violate the model's constraints.
    #[non_exhaustive]
    Validation {
        /// The violated constraints, in the order of the message.
        failed: Vec<(Member, Constraint)>,
        /// The service's message, which counts and lists them.
        message: String,
    },
    /// A value satisfies the model's constraints but not the other rules.
    Value(InputError),
    /// The qualifier in the function's name differs from the query parameter.
    QualifierMismatch(QualifierMismatch),
    /// The client context is not a JSON object in at most 3,583 bytes of base64.
    ClientContext,
    /// The payload is too large.
    PayloadTooLarge {
        /// The payload's length, in bytes.
        length: usize,
        /// The limit, in bytes.
        limit: usize,
        /// The invocation type.
        invocation_type: InvocationType,
        /// The operation.
        operation: Operation,
    },
    /// The payload is not JSON.
    Json(JsonError),
    /// The content type is one that no AWS SDK sends.
    MediaType {
        /// The content type that was sent.
        found: String,
    },
}

impl Rejection {
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

    /// Returns the service's error, as it was recorded.
    ///
    /// The errors for an unknown path and for a media type were not recorded; they follow the API
    /// reference.
    #[must_use]
    pub fn to_service_error(&self) -> ServiceError {
        match self {
            Self::Route(reason) => UNKNOWN_OPERATION.error(&reason.to_string()),
            Self::Validation { message, .. } => VALIDATION.error(message),
            Self::Value(error) => VALIDATION.error(&error.to_string()),
            Self::QualifierMismatch(_) => INVALID_PARAMETER_VALUE.error(QualifierMismatch::MESSAGE),
            Self::ClientContext => {
                INVALID_CONTENT.error("Client context must be a valid Base64-encoded JSON object.")
            }
            Self::PayloadTooLarge {
                length,
                limit,
                invocation_type,
                ..
            } => ENTITY_TOO_LARGE.error(&format!(
                "{length} byte payload is too large for the {invocation_type} invocation type \
                 (limit {limit} bytes)"
            )),
            Self::Json(fault) => INVALID_CONTENT.error(&fault.service_message()),
            Self::MediaType { found } => {
                let message = format!(
                    "Unsupported content type: {found}. Send application/json, \
                     application/octet-stream or no Content-Type."
                );
                MEDIA_TYPE.error(&message)
            }
        }
    }

    /// Returns the error that the API reference documents. It differs from the service's for a
    /// payload that is too large.
    #[must_use]
    pub fn to_documented_error(&self) -> ServiceError {
        match self {
            Self::PayloadTooLarge {
                limit, operation, ..
            } => {
                let message = format!(
                    "Request must be smaller than {limit} bytes for the {operation} operation"
                );
                REQUEST_TOO_LARGE.error(&message)
            }
            other => other.to_service_error(),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route(reason) => reason.fmt(f),
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
            } => write_payload_too_large(f, *length, *limit, *invocation_type),
            Self::Json(fault) => fault.fmt(f),
            Self::MediaType { found } => write!(
                f,
                "the content type is {found:?}, expected none, application/json or \
                 application/octet-stream"
            ),
        }
    }
}

impl std::error::Error for Rejection {}
