//! Rates, concurrency and quotas.

use super::{BOTH, MODELLED, UNMODELLED};
use crate::{Category, Fault, KnownError, RetryClass};

const THROTTLED: &str = "a throttled request is rejected before anything runs; the load may be \
                         lower a little later";

pub(super) const ERRORS: [KnownError; 4] = [
    KnownError {
        code: "TooManyRequestsException",
        status: 429,
        category: Category::Capacity,
        operations: BOTH,
        class: RetryClass::Throttled,
        message_member: "message",
        meaning: "A rate or concurrency limit was reached; Reason says which.",
        advice: "Wait as long as Retry-After says; spread the calls, or raise the function's \
                 reserved concurrency or the account's concurrency limit.",
        reason: THROTTLED,
        ..MODELLED
    },
    KnownError {
        code: "ThrottlingException",
        // The codes that the AWS SDKs treat as throttling, whichever service sends them.
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
        category: Category::Capacity,
        class: RetryClass::Throttled,
        meaning: "This caller sends too many requests.",
        advice: "Wait and spread the calls.",
        reason: THROTTLED,
        ..UNMODELLED
    },
    KnownError {
        code: "EC2ThrottledException",
        status: 502,
        fault: Fault::Server,
        category: Category::Capacity,
        class: RetryClass::Throttled,
        meaning: "Amazon EC2 throttled the service while it set up the function's network.",
        advice: "Wait; if it persists, spread the calls, or request a higher rate limit of the EC2 \
                 API.",
        reason: "a 502 that means throttling: it happens while the function is set up, before it \
                 runs",
        ..MODELLED
    },
    KnownError {
        code: "ServiceQuotaExceededException",
        status: 402,
        category: Category::Capacity,
        meaning: "The request would exceed one of the account's quotas.",
        advice: "Check the account's Lambda quotas and request an increase.",
        reason: "the request is rejected before anything runs; a quota is only raised on request",
        ..MODELLED
    },
];
