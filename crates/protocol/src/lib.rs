#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod function_error;
pub mod function_url;
pub mod header;
mod hop_by_hop;
mod invocation_type;
pub mod json;
mod log;
pub mod path;
pub mod prelude;
mod request;
mod response;
pub mod retry;
mod stream;
pub mod text;

// The public interface.
pub use function_error::FunctionError;
pub use invocation_type::StreamInvocationType;
pub use log::{
    LogLineError, LogTail, LogTailError, LoggedFailure, Outcome, Report, ReportStatus, StartLine,
    TailBuffer,
};
pub use request::{
    IncomingRequest, InvokeRequest, Rejection, Request, RequestError, StreamRequest, operation,
};
pub use response::{
    EVENT_STREAM_CONTENT_TYPE, EncodeResponseError, Expected, Framing, IncompleteBody, Mismatch,
    Reply, ReportedVersion, ResponseError, StreamHead, UnexpectedResponse, error_to_http,
    service_error,
};
pub use stream::{
    EventError, InvokeComplete, StreamError, StreamEvent, StreamException, StreamReader,
};
