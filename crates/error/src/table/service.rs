//! The service's own failures.

use super::{MODELLED, UNMODELLED};
use crate::{Execution, Fault, RetryClass, Row, Topic};

const SERVICE: Row = Row {
    status: 500,
    fault: Fault::Server,
    topic: Topic::Service,
    class: RetryClass::Transient,
    execution: Execution::Unknown,
    advice: "Find out whether the function ran before sending again, or make it safe to run twice.",
    reason: "the service does not say at which point it failed: the function may have run",
    ..MODELLED
};

pub(super) const ROWS: [Row; 3] = [
    Row {
        code: "ServiceException",
        meaning: "The service failed inside.",
        ..SERVICE
    },
    Row {
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
        typed: UNMODELLED.typed,
        meaning: "A layer of the service failed inside.",
        ..SERVICE
    },
    Row {
        code: "ServiceUnavailableException",
        aliases: &["ServiceUnavailable"],
        status: 503,
        origin: UNMODELLED.origin,
        message_member: UNMODELLED.message_member,
        typed: UNMODELLED.typed,
        meaning: "The service is unavailable for a while.",
        ..SERVICE
    },
];
