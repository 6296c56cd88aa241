//! The end of an execution's log, which a synchronous response includes on request
//! ([`LogType::Tail`](lambda_invoke_input::LogType::Tail)).
//!
//! The service sends the last 4 KB of the execution's log in base64: in the header
//! `x-amz-log-result` for Invoke, in the member `LogResult` of `InvokeComplete` for a stream. In
//! every recorded stream whose function failed or timed out, `InvokeComplete` had no error code,
//! and only the log reported the failure.

mod failure;
mod platform;
mod report;
mod tail;

pub use failure::{LoggedFailure, Outcome};
pub use platform::{LogLineError, StartLine};
pub use report::{Report, ReportStatus};
pub use tail::{LogTail, LogTailError, TailBuffer};
