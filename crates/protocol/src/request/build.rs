//! What a client sends.

use bytes::Bytes;
use http::uri::{PathAndQuery, Uri};
use http::{HeaderMap, HeaderValue, Method};
use lambda_invoke_input::{
    ClientContext, DurableExecutionName, InvocationType, LogType, Target, TenantId,
};

use super::RequestError;
use crate::path::{self, Frame};
use crate::{header, path::Encoded};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// `Host`, `User-Agent` and `Content-Length`, and three of a signature.
const USUAL_ROOM: usize = 6;

/// A request of Invoke.
///
/// # Example
///
/// ```
/// use lambda_invoke_input::{FunctionName, LogType};
/// use lambda_invoke_protocol::InvokeRequest;
///
/// let mut request = InvokeRequest::new(FunctionName::parse("thumbnail:live")?);
/// request.log_type = LogType::Tail;
/// request.payload = r#"{"key":"cat.jpg"}"#.into();
///
/// let http = request.to_http(&"https://lambda.eu-west-1.amazonaws.com".parse()?)?;
/// assert_eq!(http.uri().path(), "/2015-03-31/functions/thumbnail%3Alive/invocations");
/// assert_eq!(http.headers()["x-amz-log-type"], "Tail");
/// assert_eq!(http.headers()["content-type"], "application/json");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvokeRequest<'a> {
    /// The function, and the version or alias.
    pub target: Target<'a>,
    /// Whether to wait for the answer, to queue, or to run nothing.
    pub invocation_type: InvocationType,
    /// Whether the end of the log is to come with the answer. Not with `Event`.
    pub log_type: LogType,
    /// What the function is told about the caller. Not with `Event`.
    pub client_context: Option<ClientContext<'a>>,
    /// The tenant, for functions with tenant isolation.
    pub tenant_id: Option<TenantId<'a>>,
    /// The name under which the service runs the function once, however often it is asked to.
    pub durable_execution_name: Option<DurableExecutionName<'a>>,
    /// The payload's type: `application/json` unless set; none is sent for `None`.
    pub content_type: Option<HeaderValue>,
    /// The payload, sent as it is. The service takes JSON only; see [`json::check`](crate::json).
    pub payload: Bytes,
}

/// How InvokeWithResponseStream can invoke. There is no `Event` here: a queued execution has
/// nobody to stream to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StreamInvocationType {
    /// Run it and stream the answer. What an absent header means.
    #[default]
    RequestResponse,
    /// Check the parameters and the permission; run nothing.
    DryRun,
}

impl StreamInvocationType {
    /// The value on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RequestResponse => "RequestResponse",
            Self::DryRun => "DryRun",
        }
    }
}

impl TryFrom<InvocationType> for StreamInvocationType {
    type Error = RequestError;

    fn try_from(general: InvocationType) -> Result<Self, RequestError> {
        match general {
            InvocationType::RequestResponse => Ok(Self::RequestResponse),
            InvocationType::DryRun => Ok(Self::DryRun),
            other => Err(RequestError::NotForStream {
                invocation_type: other,
            }),
        }
    }
}

impl From<StreamInvocationType> for InvocationType {
    fn from(streaming: StreamInvocationType) -> Self {
        match streaming {
            StreamInvocationType::RequestResponse => Self::RequestResponse,
            StreamInvocationType::DryRun => Self::DryRun,
        }
    }
}

/// A request of InvokeWithResponseStream.
///
/// # Example
///
/// ```
/// use lambda_invoke_input::{FunctionName, Qualifier, Target};
/// use lambda_invoke_protocol::StreamRequest;
///
/// let target = Target::new(FunctionName::parse("hello")?, Some(Qualifier::parse("$LATEST")?))?;
/// let mut request = StreamRequest::new(target);
/// request.payload = "{}".into();
///
/// let http = request.to_http(&"http://127.0.0.1:9001".parse()?)?;
/// assert_eq!(
///     http.uri(),
///     "http://127.0.0.1:9001/2021-11-15/functions/hello/response-streaming-invocations\
///      ?Qualifier=%24LATEST",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamRequest<'a> {
    /// The function, and the version or alias.
    pub target: Target<'a>,
    /// Whether to run the function or only to check.
    pub invocation_type: StreamInvocationType,
    /// Whether the end of the log is to come with the last event.
    pub log_type: LogType,
    /// What the function is told about the caller.
    pub client_context: Option<ClientContext<'a>>,
    /// The tenant, for functions with tenant isolation.
    pub tenant_id: Option<TenantId<'a>>,
    /// The payload's type: `application/json` unless set; none is sent for `None`.
    pub content_type: Option<HeaderValue>,
    /// The payload, sent as it is. The service takes JSON only; see [`json::check`](crate::json).
    pub payload: Bytes,
}

impl<'a> InvokeRequest<'a> {
    /// A synchronous request with an empty payload, to fill in.
    #[must_use]
    pub fn new(target: impl Into<Target<'a>>) -> Self {
        Self {
            target: target.into(),
            invocation_type: InvocationType::RequestResponse,
            log_type: LogType::None,
            client_context: None,
            tenant_id: None,
            durable_execution_name: None,
            content_type: Some(JSON),
            payload: Bytes::new(),
        }
    }

    /// Checks what no single value shows.
    ///
    /// # Errors
    ///
    /// If a client context or the log is asked for with `Event`, the payload is too large for the
    /// invocation type, or a tenant id would not arrive as it is.
    pub fn check(&self) -> Result<(), RequestError> {
        if self.invocation_type == InvocationType::Event {
            if self.client_context.is_some() {
                return Err(RequestError::ClientContextWithEvent);
            }
            if self.log_type == LogType::Tail {
                return Err(RequestError::TailWithEvent);
            }
        }
        check_tenant(self.tenant_id.as_ref())?;
        check_payload(&self.payload, self.invocation_type)
    }

    /// The request for a service or an endpoint at `base`: scheme, authority and perhaps a path to
    /// put before the operation's. `Host` and `Content-Length` are the transport's to add.
    ///
    /// # Errors
    ///
    /// Those of [`check`](Self::check), and if `base` is no absolute URI or has a query.
    pub fn to_http(&self, base: &Uri) -> Result<http::Request<Bytes>, RequestError> {
        self.to_http_with_room(base, USUAL_ROOM)
    }

    /// The same in a map of headers that has room for so many `more` besides the request's own, so
    /// that it need not grow when they are added.
    ///
    /// # Errors
    ///
    /// As [`to_http`](Self::to_http).
    pub fn to_http_with_room(
        &self,
        base: &Uri,
        more: usize,
    ) -> Result<http::Request<Bytes>, RequestError> {
        self.check()?;
        let options = [
            self.invocation_type != InvocationType::default(),
            self.log_type != LogType::default(),
            self.client_context.is_some(),
            self.tenant_id.is_some(),
            self.durable_execution_name.is_some(),
        ];
        let mut headers = Headers::new(self.content_type.as_ref(), &options, more);
        headers.invocation_type(self.invocation_type);
        headers.log_type(self.log_type);
        headers.text(header::X_AMZ_CLIENT_CONTEXT, self.client_context.as_ref())?;
        headers.text(header::X_AMZ_TENANT_ID, self.tenant_id.as_ref())?;
        let durable = self.durable_execution_name.as_ref();
        headers.text(header::X_AMZ_DURABLE_EXECUTION_NAME, durable)?;
        headers.into_request(base, path::INVOKE, &self.target, self.payload.clone())
    }

    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> InvokeRequest<'static> {
        InvokeRequest {
            target: self.target.into_owned(),
            invocation_type: self.invocation_type,
            log_type: self.log_type,
            client_context: self.client_context.map(ClientContext::into_owned),
            tenant_id: self.tenant_id.map(TenantId::into_owned),
            durable_execution_name: self
                .durable_execution_name
                .map(DurableExecutionName::into_owned),
            content_type: self.content_type,
            payload: self.payload,
        }
    }
}

impl<'a> StreamRequest<'a> {
    /// A request with an empty payload, to fill in.
    #[must_use]
    pub fn new(target: impl Into<Target<'a>>) -> Self {
        Self {
            target: target.into(),
            invocation_type: StreamInvocationType::RequestResponse,
            log_type: LogType::None,
            client_context: None,
            tenant_id: None,
            content_type: Some(JSON),
            payload: Bytes::new(),
        }
    }

    /// Checks what no single value shows.
    ///
    /// # Errors
    ///
    /// If the payload is too large, or a tenant id would not arrive as it is.
    pub fn check(&self) -> Result<(), RequestError> {
        check_tenant(self.tenant_id.as_ref())?;
        check_payload(&self.payload, self.invocation_type.into())
    }

    /// The request for a service or an endpoint at `base`: scheme, authority and perhaps a path to
    /// put before the operation's. `Host` and `Content-Length` are the transport's to add.
    ///
    /// # Errors
    ///
    /// Those of [`check`](Self::check), and if `base` is no absolute URI or has a query.
    pub fn to_http(&self, base: &Uri) -> Result<http::Request<Bytes>, RequestError> {
        self.to_http_with_room(base, USUAL_ROOM)
    }

    /// The same in a map of headers that has room for so many `more` besides the request's own, so
    /// that it need not grow when they are added.
    ///
    /// # Errors
    ///
    /// As [`to_http`](Self::to_http).
    pub fn to_http_with_room(
        &self,
        base: &Uri,
        more: usize,
    ) -> Result<http::Request<Bytes>, RequestError> {
        self.check()?;
        let options = [
            self.invocation_type != StreamInvocationType::default(),
            self.log_type != LogType::default(),
            self.client_context.is_some(),
            self.tenant_id.is_some(),
        ];
        let mut headers = Headers::new(self.content_type.as_ref(), &options, more);
        headers.invocation_type(self.invocation_type.into());
        headers.log_type(self.log_type);
        headers.text(header::X_AMZ_CLIENT_CONTEXT, self.client_context.as_ref())?;
        headers.text(header::X_AMZ_TENANT_ID, self.tenant_id.as_ref())?;
        headers.into_request(base, path::STREAM, &self.target, self.payload.clone())
    }

    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> StreamRequest<'static> {
        StreamRequest {
            target: self.target.into_owned(),
            invocation_type: self.invocation_type,
            log_type: self.log_type,
            client_context: self.client_context.map(ClientContext::into_owned),
            tenant_id: self.tenant_id.map(TenantId::into_owned),
            content_type: self.content_type,
            payload: self.payload,
        }
    }
}

fn check_payload(payload: &Bytes, invocation_type: InvocationType) -> Result<(), RequestError> {
    let (length, limit) = (payload.len(), invocation_type.max_payload());
    if length > limit {
        return Err(RequestError::PayloadTooLarge {
            length,
            limit,
            invocation_type,
        });
    }
    Ok(())
}

/// A tenant id may hold spaces, but HTTP drops those at a header value's ends: another tenant.
fn check_tenant(tenant_id: Option<&TenantId<'_>>) -> Result<(), RequestError> {
    match tenant_id.map(TenantId::as_str) {
        Some(id) if id.trim_matches(' ') != id => Err(RequestError::TenantIdSpace),
        _ => Ok(()),
    }
}

/// The headers of a request in the making.
struct Headers(HeaderMap);

impl Headers {
    /// With room for the content type, for the options that are there, and for so many more.
    fn new(content_type: Option<&HeaderValue>, options: &[bool], more: usize) -> Self {
        let options = options.iter().filter(|there| **there).count();
        let mut headers = HeaderMap::with_capacity(options.saturating_add(more).saturating_add(1));
        if let Some(content_type) = content_type {
            headers.insert(http::header::CONTENT_TYPE, content_type.clone());
        }
        Self(headers)
    }

    /// Left out if it is what an absent header means.
    fn invocation_type(&mut self, invocation_type: InvocationType) {
        if invocation_type != InvocationType::default() {
            let value = HeaderValue::from_static(invocation_type.as_str());
            self.0.insert(header::X_AMZ_INVOCATION_TYPE, value);
        }
    }

    fn log_type(&mut self, log_type: LogType) {
        if log_type != LogType::default() {
            let value = HeaderValue::from_static(log_type.as_str());
            self.0.insert(header::X_AMZ_LOG_TYPE, value);
        }
    }

    fn text(
        &mut self,
        name: http::HeaderName,
        text: Option<impl AsRef<str>>,
    ) -> Result<(), RequestError> {
        if let Some(text) = text {
            // The types allow visible ASCII and spaces only; the error is for their own tests.
            let value = HeaderValue::from_str(text.as_ref())
                .map_err(|_| RequestError::HeaderValue { name: name.clone() })?;
            self.0.insert(name, value);
        }
        Ok(())
    }

    fn into_request(
        self,
        base: &Uri,
        frame: Frame,
        target: &Target<'_>,
        payload: Bytes,
    ) -> Result<http::Request<Bytes>, RequestError> {
        let (Some(scheme), Some(authority)) = (base.scheme(), base.authority()) else {
            return Err(RequestError::BaseNotAbsolute);
        };
        if base.query().is_some() {
            return Err(RequestError::BaseQuery);
        }
        let name = target.name().as_str();
        let prefix = base.path().trim_end_matches('/');
        // Room for the longest frame, and for an ARN's colons.
        let mut path = String::with_capacity(prefix.len() + name.len() + 96);
        path.push_str(prefix);
        frame.write(&mut path, name);
        if let Some(qualifier) = target.qualifier() {
            path.push('?');
            path.push_str(header::QUALIFIER);
            path.push('=');
            // Writing to a `String` does not fail.
            let _ = Encoded(qualifier.as_str()).write(&mut path);
        }
        let path = PathAndQuery::from_maybe_shared(Bytes::from(path))
            .map_err(|_| RequestError::UriTooLong)?;
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(scheme.clone());
        parts.authority = Some(authority.clone());
        parts.path_and_query = Some(path);
        let mut request = http::Request::new(payload);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_parts(parts).map_err(|_| RequestError::UriTooLong)?;
        *request.headers_mut() = self.0;
        Ok(request)
    }
}
