#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

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

// The public interface.
pub use function_error::FunctionError;
pub use log::{LogTail, LogTailError, Report, ReportStatus, StartLine, TailBuffer};
pub use reply::{AnswerError, RenderError, Reply, ReportedVersion, error_to_http, service_error};
pub use request::{
    IncomingRequest, InvokeRequest, Refusal, Request, RequestError, StreamInvocationType,
    StreamRequest, operation,
};
pub use stream::{
    EVENT_STREAM_CONTENT_TYPE, EventError, InvokeComplete, StreamError, StreamEvent,
    StreamException, StreamHead, StreamReader,
};
