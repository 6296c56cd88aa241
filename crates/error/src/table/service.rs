//! The service's own failures.

use super::{MODELLED, UNMODELLED};
use crate::{Category, Execution, Fault, KnownError, RetryClass};

const SERVICE: KnownError = KnownError {
    status: 500,
    fault: Fault::Server,
    category: Category::Service,
    class: RetryClass::Transient,
    execution: Execution::Unknown,
    advice: "Find out whether the function ran before you send the request again, or make it safe \
             to run twice.",
    reason: "the service does not say at which point it failed, so the function may have run",
    ..MODELLED
};

pub(super) const ERRORS: [KnownError; 3] = [
    KnownError {
        code: "ServiceException",
        meaning: "The service failed internally.",
        ..SERVICE
    },
    KnownError {
        code: "InternalFailure",
        aliases: &[
            "InternalFailureException",
            "InternalError",
            "InternalServerError",
            "InternalServerException",
            "InternalServiceError",
        ],
        origin: UNMODELLED.origin,
        message_member: UNMODELLED.message_member,
        has_type: UNMODELLED.has_type,
        meaning: "A layer of the service failed internally.",
        ..SERVICE
    },
    KnownError {
        code: "ServiceUnavailableException",
        aliases: &["ServiceUnavailable"],
        status: 503,
        origin: UNMODELLED.origin,
        message_member: UNMODELLED.message_member,
        has_type: UNMODELLED.has_type,
        meaning: "The service is temporarily unavailable.",
        ..SERVICE
    },
];
