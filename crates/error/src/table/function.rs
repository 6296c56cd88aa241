//! The function's state, code and snapshot.

use super::{BOTH, INVOKE, MODELLED};
use crate::{Fault, RetryClass, Row, Topic};

const STATE: Row = Row {
    status: 409,
    topic: Topic::State,
    ..MODELLED
};

const SNAP_START: Row = Row {
    topic: Topic::SnapStart,
    ..MODELLED
};

const CODE: Row = Row {
    status: 502,
    fault: Fault::Server,
    topic: Topic::Code,
    reason: "a 502, but the function's own code or runtime is at fault: it fails the same way \
             until it is deployed anew, and never gets to run",
    ..MODELLED
};

const RUNTIME_DELETED: Row = Row {
    status: 409,
    topic: Topic::Code,
    operations: BOTH,
    message_member: "message",
    reason: "the function cannot start without its runtime, which does not come back; it fails the \
             same way until the function is updated",
    ..MODELLED
};

const PENDING: &str = "the function is not run before it is ready; it becomes so by itself";

pub(super) const ROWS: [Row; 14] = [
    Row {
        code: "ResourceConflictException",
        class: RetryClass::Pending,
        message_member: "message",
        meaning: "The function is being created or updated.",
        advice: "Wait until its State is Active and its LastUpdateStatus Successful.",
        reason: PENDING,
        ..STATE
    },
    Row {
        code: "ResourceNotReadyException",
        status: 502,
        fault: Fault::Server,
        operations: BOTH,
        class: RetryClass::Pending,
        message_member: "message",
        meaning: "The function was idle for long and its connection to the VPC is being made anew.",
        advice: "Wait until its State is Active.",
        reason: PENDING,
        ..STATE
    },
    Row {
        code: "CodeArtifactUserPendingException",
        operations: BOTH,
        class: RetryClass::Pending,
        message_member: "message",
        meaning: "The user for the function's code artifact is being set up.",
        advice: "Wait until the function's State is Active.",
        reason: PENDING,
        ..STATE
    },
    Row {
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
    Row {
        code: "CodeArtifactUserFailedException",
        operations: BOTH,
        message_member: "message",
        meaning: "The user for the function's code artifact could not be set up.",
        advice: "See the function's State and StateReasonCode, and deploy the code again.",
        reason: "the function is not run in this state, and leaves it only when it is deployed",
        ..STATE
    },
    Row {
        code: "DurableExecutionAlreadyStartedException",
        operations: INVOKE,
        meaning: "A durable execution of this name has been started before.",
        advice: "Look at that execution; if it is not yours, choose another name.",
        reason: "this request ran nothing, because an earlier one with the same name did; \
                 after an attempt whose execution is unknown it tells that that one arrived",
        ..STATE
    },
    Row {
        code: "InvalidRuntimeException",
        meaning: "The function's runtime, or its version, is not supported any more.",
        advice: "Deploy the function with a supported runtime.",
        ..CODE
    },
    Row {
        code: "InvalidZipFileException",
        operations: BOTH,
        meaning: "The function's deployment package cannot be unpacked.",
        advice: "Build and deploy the package again.",
        ..CODE
    },
    Row {
        code: "RuntimeAliasDeletedException",
        meaning: "The runtime alias that the function uses no longer exists.",
        advice: "Update the function to an available runtime alias.",
        ..RUNTIME_DELETED
    },
    Row {
        code: "RuntimeVersionDeletedException",
        meaning: "The runtime version that the function uses no longer exists.",
        advice: "Update the function to an available runtime version or runtime alias.",
        ..RUNTIME_DELETED
    },
    Row {
        code: "SnapStartException",
        meaning: "The function's afterRestore hook failed.",
        advice: "See the function's log and mend the hook.",
        reason: "the hook ran, but the handler did not; the hook fails the same way until it is \
                 mended",
        ..SNAP_START
    },
    Row {
        code: "SnapStartNotReadyException",
        status: 409,
        class: RetryClass::Pending,
        meaning: "The function's snapshot is being made.",
        advice: "Wait until the function's State is Active.",
        reason: PENDING,
        ..SNAP_START
    },
    Row {
        code: "SnapStartRegenerationFailureException",
        status: 409,
        class: RetryClass::Pending,
        meaning: "The function's snapshot could not be made anew after a change of its runtime.",
        advice: "Wait until the service has tried again, or update the function's configuration.",
        reason: "the function is not run without its snapshot; the service tries again by itself",
        ..SNAP_START
    },
    Row {
        code: "SnapStartTimeoutException",
        status: 408,
        class: RetryClass::Transient,
        meaning: "The function's snapshot was not restored in time.",
        advice: "Send again; if it goes on, make afterRestore hooks and the package smaller.",
        reason: "the handler runs only after the snapshot is restored; the next restore may be \
                 faster",
        ..SNAP_START
    },
];
