//! What is known so far about the call in progress, for the part of the program that reports its
//! end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lambda_invoke::Execution;

/// The state of the call in progress.
#[derive(Debug)]
pub(crate) struct CallState {
    /// Whether errors are reported as JSON.
    pub(crate) as_json: bool,
    pub(crate) execution: Execution,
    pub(crate) request_id: Option<String>,
}

static STATE: Mutex<CallState> = Mutex::new(CallState {
    as_json: false,
    execution: Execution::NotStarted,
    request_id: None,
});

/// Whether the program's end has been reported.
static REPORTED: AtomicBool = AtomicBool::new(false);

/// Locks the state, to read or change it.
pub(crate) fn call_state() -> MutexGuard<'static, CallState> {
    // Each change is a single assignment, so a poisoned state is still consistent.
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Claims the right to report the program's end: `true` for the first caller only. An interrupt and
/// the command that it ends may both try to report.
pub(crate) fn claim_report() -> bool {
    !REPORTED.swap(true, Ordering::SeqCst)
}

/// The name of an execution state in JSON output.
pub(crate) fn execution_name(execution: Execution) -> &'static str {
    match execution {
        Execution::NotStarted => "not_started",
        Execution::Started => "started",
        // `Execution` is non_exhaustive. A state that this program does not know counts as unknown.
        Execution::Unknown | _ => "unknown",
    }
}
