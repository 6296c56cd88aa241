//! The table itself, a file for each part of it.
//!
//! Sources: the service's model of November 2026 (its 45 exceptions, with status, fault, operations
//! and members), the Lambda API reference's page "Common Errors" as of 2025 (16 codes) and as of
//! 2015 to 2024 (18 codes), and answers of the real service recorded in public test suites.

mod access;
mod capacity;
mod function;
mod request;
mod service;
mod setup;

use crate::{Execution, Fault, Operation, Origin, RetryClass, Row, Topic};

const LEN: usize = request::ROWS.len()
    + access::ROWS.len()
    + capacity::ROWS.len()
    + function::ROWS.len()
    + setup::ROWS.len()
    + service::ROWS.len();

/// All parts, one after the other.
pub(crate) static TABLE: [Row; LEN] = {
    let mut table = [MODELLED; LEN];
    let mut next = 0;
    let parts: [&[Row]; 6] = [
        &request::ROWS,
        &access::ROWS,
        &capacity::ROWS,
        &function::ROWS,
        &setup::ROWS,
        &service::ROWS,
    ];
    let mut part = 0;
    while part < parts.len() {
        let mut row = 0;
        while row < parts[part].len() {
            table[next] = parts[part][row];
            next += 1;
            row += 1;
        }
        part += 1;
    }
    table
};

/// All three operations.
const ALL: &[Operation] = &[
    Operation::Invoke,
    Operation::InvokeWithResponseStream,
    Operation::InvokeAsync,
];
/// The two of the newer API.
const BOTH: &[Operation] = &[Operation::Invoke, Operation::InvokeWithResponseStream];
/// Only the buffered one.
const INVOKE: &[Operation] = &[Operation::Invoke];

/// What most modelled exceptions have in common; every row says the rest.
const MODELLED: Row = Row {
    code: "",
    aliases: &[],
    status: 400,
    fault: Fault::Sender,
    origin: Origin::Modelled,
    topic: Topic::Request,
    operations: ALL,
    class: RetryClass::Permanent,
    execution: Execution::NotStarted,
    message_member: "Message",
    typed: true,
    meaning: "",
    advice: "",
    reason: "",
};

/// What most errors outside the model have in common: the layers before the function's own answer
/// send `{"message": ..}` without a type.
const UNMODELLED: Row = Row {
    origin: Origin::Common,
    message_member: "message",
    typed: false,
    ..MODELLED
};
