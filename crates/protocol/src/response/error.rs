//! Service errors in both directions, and why a response is not the operation's.

use std::fmt;

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use lambda_invoke_error::ServiceError;
use lambda_invoke_error::bounds::MAX_BODY;

use super::UnexpectedResponse;
use super::headers::has_content_coding;

/// Why a response is not the operation's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseError {
    /// The response is a service error.
    Service(ServiceError),
    /// The response is not the one that was requested, and may not come from Lambda.
    Unexpected(UnexpectedResponse),
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(error) => error.fmt(f),
            Self::Unexpected(unexpected) => write!(f, "unexpected response: {unexpected}"),
        }
    }
}

/// Has no source, since `Display` already includes everything that the variants' values show.
impl std::error::Error for ResponseError {}

impl From<UnexpectedResponse> for ResponseError {
    fn from(unexpected: UnexpectedResponse) -> Self {
        Self::Unexpected(unexpected)
    }
}

/// Reads the service error in a response whose status is 400 to 599. A body with a content coding
/// is ignored, and counts as partial, as does one of more than [`MAX_BODY`] bytes: see
/// [`ServiceError::with_partial_body`]. The body may be truncated, since nearly everything is in the
/// head.
#[must_use]
pub fn service_error(parts: &Parts, body: &[u8]) -> ServiceError {
    let header = |name: &str| parts.headers.get(name)?.to_str().ok();
    let status = parts.status.as_u16();
    if has_content_coding(&parts.headers) {
        return ServiceError::parse(status, header, &[]).with_partial_body();
    }
    let error = ServiceError::parse(status, header, body);
    if body.len() > MAX_BODY {
        return error.with_partial_body();
    }
    error
}

/// Encodes an error as an endpoint sends it. The server adds `Content-Length` and `Date`.
#[must_use]
pub fn error_to_http(error: &ServiceError) -> http::Response<Bytes> {
    let rendered = error.render();
    let mut response = http::Response::new(Bytes::from(rendered.body));
    // An error's status is 400 to 599, and its headers are visible ASCII.
    *response.status_mut() =
        StatusCode::from_u16(rendered.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in rendered.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// Returns whether a response is a service error: whether its status is 400 to 599.
pub(super) fn is_service_error(parts: &Parts) -> bool {
    parts.status.is_client_error() || parts.status.is_server_error()
}
