//! Requests as a client sends them.

use bytes::Bytes;
use http::uri::{PathAndQuery, Uri};
use http::{Method, uri};
use lambda_invoke_input::Target;

use super::RequestError;
use super::members::Request;
use super::operation::{InvokeOperation, template};
use crate::header;
use crate::path::{Encoded, Template};

/// The number of headers that are usually added: `Host`, `User-Agent`, `Content-Length`, and three
/// for the signature.
const USUAL_HEADERS: usize = 6;

/// Enough for the longest template, and for the encoded colons of an ARN.
const TEMPLATE_BYTES: usize = 96;

impl<Op: InvokeOperation> Request<'_, Op> {
    /// Encodes the request for a service or an endpoint at `base`, which has a scheme, an authority
    /// and optionally a path that is put before the operation's. The transport adds `Host` and
    /// `Content-Length`.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check), and if `base` is not an absolute URI or has a query, or the
    /// resulting URI is too long.
    pub fn to_http(&self, base: &Uri) -> Result<http::Request<Bytes>, RequestError> {
        self.to_http_with_capacity(base, USUAL_HEADERS)
    }

    /// Encodes the request as [`to_http`](Self::to_http) does, with room for `additional` more
    /// headers.
    ///
    /// # Errors
    ///
    /// As [`to_http`](Self::to_http).
    pub fn to_http_with_capacity(
        &self,
        base: &Uri,
        additional: usize,
    ) -> Result<http::Request<Bytes>, RequestError> {
        self.check()?;
        let headers = self.headers(additional)?;
        let uri = uri(base, template(Op::OPERATION), &self.target)?;
        let mut request = http::Request::new(self.payload.clone());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

fn uri(base: &Uri, template: Template, target: &Target<'_>) -> Result<Uri, RequestError> {
    let (Some(scheme), Some(authority)) = (base.scheme(), base.authority()) else {
        return Err(RequestError::BaseNotAbsolute);
    };
    if base.query().is_some() {
        return Err(RequestError::BaseQuery);
    }
    let name = target.name().as_str();
    let prefix = base.path().trim_end_matches('/');
    let length = prefix.len() + name.len() + TEMPLATE_BYTES;
    let mut path = String::with_capacity(length);
    path.push_str(prefix);
    template.write(&mut path, name);
    if let Some(qualifier) = target.qualifier() {
        path.push('?');
        path.push_str(header::QUALIFIER);
        path.push('=');
        // Writing to a `String` does not fail.
        let _ = Encoded(qualifier.as_str()).write(&mut path);
    }
    let path =
        PathAndQuery::from_maybe_shared(Bytes::from(path)).map_err(|_| RequestError::UriTooLong)?;
    let mut parts = uri::Parts::default();
    parts.scheme = Some(scheme.clone());
    parts.authority = Some(authority.clone());
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).map_err(|_| RequestError::UriTooLong)
}
