#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

#[cfg(feature = "blocking")]
pub mod blocking;
mod builder;
mod call;
mod client;
mod credentials_cache;
mod endpoint;
mod error;
mod exchange;
mod function_failure;
mod headers;
mod http_service;
mod limits;
pub mod manual;
pub mod provider;
mod random;
mod reply;
mod response_stream;
mod trace;

// The public interface.
pub use builder::ClientBuilder;
pub use call::{Call, CallFuture, InvokeCall, StreamCall, StreamDryRun};
pub use client::Client;
pub use endpoint::EndpointUrl;
pub use error::{Error, ErrorKind};
pub use function_failure::FunctionFailure;
pub use provider::IntoProvider;
pub use reply::Reply;
pub use response_stream::{Collected, Completion, HttpStream, Reader, ResponseStream, TextStream};

// The types of the crates below that this interface mentions.
pub use lambda_invoke_error::{Execution, RetryClass, ServiceError, ThrottleReason};
pub use lambda_invoke_input::{
    ClientContext, DurableExecutionName, FunctionName, InvocationType, LogType, Qualifier, TenantId,
};
pub use lambda_invoke_protocol::operation::{self, InvokeOperation};
pub use lambda_invoke_protocol::prelude::HttpPrelude;
pub use lambda_invoke_protocol::retry::{GiveUpReason, RetryPolicy};
pub use lambda_invoke_protocol::{
    FunctionError, LogTail, LoggedFailure, Outcome, Report, ReportStatus, ReportedVersion,
    StreamException, StreamHead,
};
pub use lambda_invoke_sigv4::region::Variant as EndpointVariant;
pub use lambda_invoke_sigv4::{
    BoxError, Credentials, CredentialsError, CredentialsFuture, ProvideCredentials, Timestamp,
};
pub use lambda_invoke_transport::{InvalidPort, Proxy, TimeoutKind, Timeouts, Transport, port_of};

// The crates below as a whole, in the versions of this one.
pub use lambda_invoke_error as error_model;
pub use lambda_invoke_event_stream as event_stream;
pub use lambda_invoke_input as input;
pub use lambda_invoke_protocol as protocol;
pub use lambda_invoke_sigv4 as sigv4;
pub use lambda_invoke_transport as transport;

// The crates of others whose types and traits this interface mentions.
pub use {bytes, futures_core, http, http_body, http_body_util, tower_service};
