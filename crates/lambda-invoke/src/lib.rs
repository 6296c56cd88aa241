#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

#[cfg(feature = "blocking")]
pub mod blocking;
mod builder;
mod call;
mod carrier;
mod client;
mod collected;
mod endpoint;
mod error;
mod exchange;
mod function_failure;
mod http_stream;
mod random;
mod reader;
mod reply;
mod response_stream;
mod session;
mod text_stream;

// The public interface.
pub use builder::ClientBuilder;
pub use call::{Call, InvokeCall, StreamCall, StreamDryRun};
pub use client::Client;
pub use collected::Collected;
pub use endpoint::EndpointUrl;
pub use error::{Error, ErrorKind};
pub use function_failure::FunctionFailure;
pub use http_stream::HttpStream;
pub use reader::Reader;
pub use reply::Reply;
pub use response_stream::{Completion, ResponseStream};
pub use text_stream::TextStream;

// What of the crates below stands in this interface.
pub use lambda_invoke_error::{Execution, RetryClass, ServiceError, ThrottleReason};
pub use lambda_invoke_input::{
    ClientContext, DurableExecutionName, FunctionName, InvocationType, LogType, Qualifier, TenantId,
};
pub use lambda_invoke_protocol::operation::{self, InvokeOperation};
pub use lambda_invoke_protocol::prelude::HttpPrelude;
pub use lambda_invoke_protocol::region::Variant as EndpointVariant;
pub use lambda_invoke_protocol::retry::{GiveUpReason, RetryPolicy};
pub use lambda_invoke_protocol::{
    FunctionError, LogTail, LoggedFailure, Outcome, Report, ReportStatus, ReportedVersion,
    StreamHead,
};
pub use lambda_invoke_sigv4::{
    BoxError, Credentials, CredentialsError, CredentialsFuture, ProvideCredentials, Timestamp,
};
pub use lambda_invoke_transport::{InvalidPort, Proxy, TimeoutKind, Timeouts, Transport, port_of};
