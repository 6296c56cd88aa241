//! What is known of the call under way, for whoever has to report the program's end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lambda_invoke::Execution;

/// What is known of the call.
#[derive(Debug)]
pub(crate) struct Known {
    /// Whether ends are told to a machine.
    pub(crate) as_json: bool,
    pub(crate) execution: Execution,
    pub(crate) request_id: Option<String>,
}

static KNOWN: Mutex<Known> = Mutex::new(Known {
    as_json: false,
    execution: Execution::NotStarted,
    request_id: None,
});

/// Whether the program's end has been reported.
static REPORTED: AtomicBool = AtomicBool::new(false);

/// What is known, to be read or changed.
pub(crate) fn known() -> MutexGuard<'static, Known> {
    // Each change is one assignment, so nothing is ever half changed.
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Claims the report of the program's end: `true` once. An interrupt and the command that it ends
/// may both want to make it.
pub(crate) fn claim_report() -> bool {
    !REPORTED.swap(true, Ordering::SeqCst)
}
