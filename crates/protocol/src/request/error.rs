//! Why a client's request is not sent.

use std::fmt;

use lambda_invoke_input::InvocationType;

/// Why a request is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// The stream operation does not have the invocation type.
    NotForStream {
        /// The type.
        invocation_type: InvocationType,
    },
    /// The stream operation has no durable executions.
    DurableStream,
    /// A client context is given with `Event`, although it reaches a function only in synchronous
    /// calls.
    ClientContextWithEvent,
    /// The log is requested with `Event`, although no response carries a queued execution's log.
    TailWithEvent,
    /// The payload is larger than the service accepts.
    PayloadTooLarge {
        /// Its length, in bytes.
        length: usize,
        /// The limit, in bytes.
        limit: usize,
        /// The invocation type that has this limit.
        invocation_type: InvocationType,
    },
    /// A tenant id begins or ends with a space, which HTTP removes.
    TenantIdSpace,
    /// The function's name is `.` or `..`, which would change the URI's path.
    DotSegment,
    /// A value cannot be sent in a header.
    HeaderValue {
        /// The header.
        name: http::HeaderName,
    },
    /// The base URI lacks the scheme or the authority.
    BaseNotAbsolute,
    /// The base URI has a query, where the operation's own belongs.
    BaseQuery,
    /// The base URI and the function's name together are longer than a URI can be.
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
            } => write_payload_too_large(f, *length, *limit, *invocation_type),
            Self::TenantIdSpace => f.write_str(
                "the tenant id begins or ends with a space, which HTTP removes from a header",
            ),
            Self::DotSegment => f.write_str(
                "a function with the name '.' or '..' cannot be invoked, since a URI with it means \
                 another path",
            ),
            Self::HeaderValue { name } => {
                write!(f, "the value for {name} is not a valid HTTP header value")
            }
            Self::BaseNotAbsolute => f.write_str(
                "the endpoint's URI is not absolute, expected the form https://host:port",
            ),
            Self::BaseQuery => {
                f.write_str("the endpoint's URI has a query, expected a URI without one")
            }
            Self::UriTooLong => f.write_str("the request's URI is too long"),
        }
    }
}

impl std::error::Error for RequestError {}

/// Writes the sentence that a client's error and an endpoint's rejection share.
pub(super) fn write_payload_too_large(
    f: &mut fmt::Formatter<'_>,
    length: usize,
    limit: usize,
    invocation_type: InvocationType,
) -> fmt::Result {
    write!(
        f,
        "the payload has {length} bytes, but {invocation_type} accepts at most {limit}"
    )
}
