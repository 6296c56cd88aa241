//! The function's state, code and snapshot.

use super::{BOTH, INVOKE, MODELLED};
use crate::{Category, Fault, KnownError, RetryClass};

const STATE: KnownError = KnownError {
    status: 409,
    category: Category::State,
    ..MODELLED
};

const SNAP_START: KnownError = KnownError {
    category: Category::SnapStart,
    ..MODELLED
};

const CODE: KnownError = KnownError {
    status: 502,
    fault: Fault::Server,
    category: Category::Code,
    reason: "a 502 that is caused by the function's own code or runtime: the function cannot start \
             until it is deployed again",
    ..MODELLED
};

const RUNTIME_DELETED: KnownError = KnownError {
    status: 409,
    category: Category::Code,
    operations: BOTH,
    message_member: "message",
    reason: "the function cannot start without its runtime, until it is updated to use another",
    ..MODELLED
};

const PENDING: &str = "the function does not run before it is ready, and becomes ready on its own";

pub(super) const ERRORS: [KnownError; 14] = [
    KnownError {
        code: "ResourceConflictException",
        class: RetryClass::Pending,
        message_member: "message",
        meaning: "The function is being created or updated.",
        advice: "Wait until its State is Active and its LastUpdateStatus Successful.",
        reason: PENDING,
        ..STATE
    },
    KnownError {
        code: "ResourceNotReadyException",
        status: 502,
        fault: Fault::Server,
        operations: BOTH,
        class: RetryClass::Pending,
        message_member: "message",
        meaning: "The function was idle for a long time, and its connection to the VPC is being \
                  restored.",
        advice: "Wait until its State is Active.",
        reason: PENDING,
        ..STATE
    },
    KnownError {
        code: "CodeArtifactUserPendingException",
        operations: BOTH,
        class: RetryClass::Pending,
        message_member: "message",
        meaning: "The user for the function's code artifact is being set up.",
        advice: "Wait until the function's State is Active.",
        reason: PENDING,
        ..STATE
    },
    KnownError {
        code: "CodeArtifactUserDeletedException",
        operations: BOTH,
        class: RetryClass::Pending,
        message_member: "message",
        meaning: "The user for the function's code artifact was deleted; the service makes a new \
                  one.",
        advice: "Wait until the function's State is Active, or deploy the code again.",
        reason: PENDING,
        ..STATE
    },
    KnownError {
        code: "CodeArtifactUserFailedException",
        operations: BOTH,
        message_member: "message",
        meaning: "The user for the function's code artifact could not be set up.",
        advice: "Check the function's State and StateReasonCode, and deploy the code again.",
        reason: "the function cannot run in this state, and leaves it only when it is deployed \
                 again",
        ..STATE
    },
    KnownError {
        code: "DurableExecutionAlreadyStartedException",
        operations: INVOKE,
        meaning: "A durable execution with this name was started before.",
        advice: "Inspect that execution; if it is not yours, choose another name.",
        reason: "this request ran nothing because an earlier one with the same name did; after an \
                 attempt whose execution is unknown, it proves that the attempt arrived",
        ..STATE
    },
    KnownError {
        code: "InvalidRuntimeException",
        meaning: "The function's runtime, or this version of it, is no longer supported.",
        advice: "Deploy the function with a supported runtime.",
        ..CODE
    },
    KnownError {
        code: "InvalidZipFileException",
        operations: BOTH,
        meaning: "The function's deployment package cannot be unpacked.",
        advice: "Build and deploy the package again.",
        ..CODE
    },
    KnownError {
        code: "RuntimeAliasDeletedException",
        meaning: "The runtime alias that the function uses no longer exists.",
        advice: "Update the function to an available runtime alias.",
        ..RUNTIME_DELETED
    },
    KnownError {
        code: "RuntimeVersionDeletedException",
        meaning: "The runtime version that the function uses no longer exists.",
        advice: "Update the function to an available runtime version or runtime alias.",
        ..RUNTIME_DELETED
    },
    KnownError {
        code: "SnapStartException",
        meaning: "The function's afterRestore hook failed.",
        advice: "Check the function's log and fix the hook.",
        reason: "the hook ran, but the handler did not; the hook fails again until it is fixed",
        ..SNAP_START
    },
    KnownError {
        code: "SnapStartNotReadyException",
        status: 409,
        class: RetryClass::Pending,
        meaning: "The function's snapshot is being created.",
        advice: "Wait until the function's State is Active.",
        reason: PENDING,
        ..SNAP_START
    },
    KnownError {
        code: "SnapStartRegenerationFailureException",
        status: 409,
        class: RetryClass::Pending,
        meaning: "The function's snapshot could not be regenerated after its runtime was updated.",
        advice: "Wait until the service has tried again, or update the function's configuration.",
        reason: "the function does not run without its snapshot; the service tries again on its \
                 own",
        ..SNAP_START
    },
    KnownError {
        code: "SnapStartTimeoutException",
        status: 408,
        class: RetryClass::Transient,
        meaning: "The function's snapshot was not restored in time.",
        advice: "Send the request again; if it persists, reduce the work of afterRestore hooks or \
                 the size of the package.",
        reason: "the handler runs only after the snapshot is restored; the next restore may be \
                 faster",
        ..SNAP_START
    },
];
