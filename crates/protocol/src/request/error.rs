//! What a client's request cannot be.

use std::fmt;

use lambda_invoke_input::InvocationType;

/// Why a request is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// The stream operation has no such invocation type.
    NotForStream {
        /// The type.
        invocation_type: InvocationType,
    },
    /// The stream operation has no durable executions.
    DurableStream,
    /// A client context reaches the function in synchronous calls only.
    ClientContextWithEvent,
    /// A queued execution's log has nobody to go to.
    TailWithEvent,
    /// The payload is larger than the service takes.
    PayloadTooLarge {
        /// Its length, in bytes.
        length: usize,
        /// The most that is allowed.
        limit: usize,
        /// For which the limit is.
        invocation_type: InvocationType,
    },
    /// A tenant id begins or ends in a space, which HTTP drops on the way.
    TenantIdSpace,
    /// A value that a header cannot hold.
    HeaderValue {
        /// The header.
        name: http::HeaderName,
    },
    /// The base URI lacks the scheme or the authority.
    BaseNotAbsolute,
    /// The base URI has a query, where the operation's own belongs.
    BaseQuery,
    /// Base and function name together are longer than a URI can be.
    UriTooLong,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotForStream { invocation_type } => write!(
                f,
                "a response stream cannot be invoked as {invocation_type}, only as \
                 RequestResponse or DryRun"
            ),
            Self::DurableStream => {
                f.write_str("a response stream has no durable execution name, only Invoke has")
            }
            Self::ClientContextWithEvent => f.write_str(
                "a client context reaches the function in synchronous calls only, not with Event",
            ),
            Self::TailWithEvent => {
                f.write_str("the tail of the log comes with synchronous calls only, not with Event")
            }
            Self::PayloadTooLarge {
                length,
                limit,
                invocation_type,
            } => write!(
                f,
                "the payload has {length} bytes, {invocation_type} takes at most {limit}"
            ),
            Self::TenantIdSpace => f.write_str(
                "the tenant id begins or ends in a space, which is lost in an http header",
            ),
            Self::HeaderValue { name } => write!(f, "the value for {name} is no http header value"),
            Self::BaseNotAbsolute => f.write_str(
                "the endpoint's uri is not absolute, expected something like https://host:port",
            ),
            Self::BaseQuery => f.write_str("the endpoint's uri has a query, expected none"),
            Self::UriTooLong => f.write_str("the request's uri is too long"),
        }
    }
}

impl std::error::Error for RequestError {}
