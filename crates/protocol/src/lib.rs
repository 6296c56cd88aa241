#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod expected;
mod function_error;
pub mod header;
pub mod json;
mod log;
pub mod path;
pub mod prelude;
pub mod region;
mod reply;
mod request;
pub mod retry;
mod stream;
pub mod text;

// The public interface.
pub use expected::{Expected, Framing, IncompleteBody, Mismatch, UnexpectedResponse};
pub use function_error::FunctionError;
pub use log::{
    LogTail, LogTailError, LoggedFailure, Outcome, Report, ReportStatus, StartLine, TailBuffer,
};
pub use reply::{
    EncodeResponseError, Reply, ReportedVersion, ResponseError, error_to_http, service_error,
};
pub use request::{
    IncomingRequest, InvokeRequest, Rejection, Request, RequestError, StreamInvocationType,
    StreamRequest, operation,
};
pub use stream::{
    EVENT_STREAM_CONTENT_TYPE, EventError, InvokeComplete, StreamError, StreamEvent,
    StreamException, StreamHead, StreamReader,
};
