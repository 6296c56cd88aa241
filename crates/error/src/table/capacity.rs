//! Rates, concurrency and quotas.

use super::{BOTH, MODELLED, UNMODELLED};
use crate::{Fault, RetryClass, Row, Topic};

const THROTTLED: &str = "a throttled request is refused before anything runs; the load may be less \
                         a little later";

pub(super) const ROWS: [Row; 4] = [
    Row {
        code: "TooManyRequestsException",
        status: 429,
        topic: Topic::Capacity,
        operations: BOTH,
        class: RetryClass::Throttled,
        message_member: "message",
        meaning: "A limit of rate or concurrency is reached; Reason says which.",
        advice: "Wait as long as Retry-After says; spread the calls, or raise the function's \
                 reserved or the account's concurrency.",
        reason: THROTTLED,
        ..MODELLED
    },
    Row {
        code: "ThrottlingException",
        // What the AWS SDKs also take for throttling, whichever service says so.
        aliases: &[
            "Throttling",
            "ThrottledException",
            "RequestThrottled",
            "RequestThrottledException",
            "RequestLimitExceeded",
            "BandwidthLimitExceeded",
            "LimitExceededException",
            "PriorRequestNotComplete",
            "ProvisionedThroughputExceededException",
            "SlowDown",
            "TransactionInProgressException",
        ],
        topic: Topic::Capacity,
        class: RetryClass::Throttled,
        meaning: "Too many requests by this caller.",
        advice: "Wait and spread the calls.",
        reason: THROTTLED,
        ..UNMODELLED
    },
    Row {
        code: "EC2ThrottledException",
        status: 502,
        fault: Fault::Server,
        topic: Topic::Capacity,
        class: RetryClass::Throttled,
        meaning: "Amazon EC2 throttled the service while it set up the function's network.",
        advice: "Wait; if it goes on, spread the calls, or ask for a higher rate of EC2's API.",
        reason: "a 502, but throttling by its meaning: it happens while the function is set up, \
                 before it runs",
        ..MODELLED
    },
    Row {
        code: "ServiceQuotaExceededException",
        status: 402,
        topic: Topic::Capacity,
        meaning: "The request would exceed a quota of the account.",
        advice: "See the account's quotas of Lambda and ask for a higher one.",
        reason: "the request is refused before anything runs; a quota is raised by request only",
        ..MODELLED
    },
];
