//! The table of known errors, in one file for each group of categories.
//!
//! Sources: the service's model of November 2026 (its 45 exceptions, with status, fault, operations
//! and members), the Lambda API reference's page "Common Errors" as of 2025 (16 codes) and as of
//! 2015 to 2024 (18 codes), and responses of the real service recorded in public test suites.

mod access;
mod capacity;
mod function;
mod request;
mod service;
mod setup;

use crate::{Category, Execution, Fault, KnownError, Operation, Origin, RetryClass};

const LEN: usize = request::ERRORS.len()
    + access::ERRORS.len()
    + capacity::ERRORS.len()
    + function::ERRORS.len()
    + setup::ERRORS.len()
    + service::ERRORS.len();

/// The groups, one after the other.
pub(crate) static KNOWN_ERRORS: [KnownError; LEN] = {
    let mut table = [MODELLED; LEN];
    let mut next = 0;
    let groups: [&[KnownError]; 6] = [
        &request::ERRORS,
        &access::ERRORS,
        &capacity::ERRORS,
        &function::ERRORS,
        &setup::ERRORS,
        &service::ERRORS,
    ];
    let mut group = 0;
    while group < groups.len() {
        let mut error = 0;
        while error < groups[group].len() {
            table[next] = groups[group][error];
            next += 1;
            error += 1;
        }
        group += 1;
    }
    table
};

/// All operations.
const ALL: &[Operation] = &[
    Operation::Invoke,
    Operation::InvokeWithResponseStream,
    Operation::InvokeAsync,
];
/// The two that are not deprecated.
const BOTH: &[Operation] = &[Operation::Invoke, Operation::InvokeWithResponseStream];
/// The buffered one.
const INVOKE: &[Operation] = &[Operation::Invoke];

/// What most modelled exceptions have in common.
const MODELLED: KnownError = KnownError {
    code: "",
    aliases: &[],
    status: 400,
    fault: Fault::Sender,
    origin: Origin::Modelled,
    category: Category::Request,
    operations: ALL,
    class: RetryClass::Permanent,
    execution: Execution::NotStarted,
    message_member: "Message",
    has_type: true,
    meaning: "",
    advice: "",
    reason: "",
};

/// What most errors outside the model have in common: the layers in front of Lambda send
/// `{"message": ..}` without a type.
const UNMODELLED: KnownError = KnownError {
    origin: Origin::Common,
    message_member: "message",
    has_type: false,
    ..MODELLED
};
