//! The members of a request, and how each is encoded in the headers and decoded from them.
//! A member of the service's model is added here, in both directions.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use lambda_invoke_error::Operation;
use lambda_invoke_input::{
    ClientContext, Constraint, DurableExecutionName, InputError, InvocationType, LogType, Member,
    NameRules, RequestValidator, Target, TenantId,
};
use serde_core::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::operation::{Invoke, InvokeOperation, Stream, invocation_types};
use super::{Rejection, RequestError};
use crate::header;

/// The headers of the members, public as part of [`header`].
pub(crate) mod header_names {
    use http::HeaderName;

    /// How to invoke: `RequestResponse`, `Event` or `DryRun`. If it is absent, `RequestResponse`.
    pub const X_AMZ_INVOCATION_TYPE: HeaderName = HeaderName::from_static("x-amz-invocation-type");
    /// Whether to return the end of the log: `None` or `Tail`.
    pub const X_AMZ_LOG_TYPE: HeaderName = HeaderName::from_static("x-amz-log-type");
    /// The client context, in base64.
    pub const X_AMZ_CLIENT_CONTEXT: HeaderName = HeaderName::from_static("x-amz-client-context");
    /// The tenant, for functions with tenant isolation.
    pub const X_AMZ_TENANT_ID: HeaderName = HeaderName::from_static("x-amz-tenant-id");
    /// The name of a durable execution; Invoke only.
    pub const X_AMZ_DURABLE_EXECUTION_NAME: HeaderName =
        HeaderName::from_static("x-amz-durable-execution-name");
}

/// The most headers that the members take.
const HEADERS: usize = 6;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A request of either operation.
///
/// # Example
///
/// ```
/// use lambda_invoke_input::{FunctionName, LogType};
/// use lambda_invoke_protocol::InvokeRequest;
///
/// let mut request = InvokeRequest::new(FunctionName::try_from("thumbnail:live")?);
/// request.log_type = LogType::Tail;
/// request.payload = r#"{"key":"cat.jpg"}"#.into();
///
/// let http = request.to_http(&"https://lambda.eu-west-1.amazonaws.com".parse()?)?;
/// assert_eq!(http.uri().path(), "/2015-03-31/functions/thumbnail%3Alive/invocations");
/// assert_eq!(http.headers()["x-amz-log-type"], "Tail");
/// assert_eq!(http.headers()["content-type"], "application/json");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request<'a, Op: InvokeOperation> {
    /// The function, and the version or alias.
    pub target: Target<'a>,
    /// Whether to wait for the response, to queue an event, or only to check the request.
    pub invocation_type: Op::InvocationType,
    /// Whether to request the end of the log. Not allowed with `Event`.
    pub log_type: LogType,
    /// Information about the calling application, for the function. Not with `Event`.
    pub client_context: Option<ClientContext<'a>>,
    /// The tenant, for functions with tenant isolation.
    pub tenant_id: Option<TenantId<'a>>,
    /// The name of a durable execution: the service runs the function once for it, however often
    /// the request is sent. `Invoke` only.
    pub durable_execution_name: Option<Op::DurableExecutionName>,
    /// The payload's content type: `application/json` by default; `None` sends no header.
    pub content_type: Option<HeaderValue>,
    /// The payload, sent unchanged. The service accepts only JSON; see
    /// [`json::check`](crate::json).
    pub payload: Bytes,
}

/// A request of `Invoke`.
pub type InvokeRequest<'a> = Request<'a, Invoke>;

/// A request of `InvokeWithResponseStream`.
///
/// # Example
///
/// ```
/// use lambda_invoke_input::{FunctionName, Qualifier, Target};
/// use lambda_invoke_protocol::StreamRequest;
///
/// let target = Target::new(FunctionName::try_from("hello")?, Some(Qualifier::try_from("$LATEST")?))?;
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
pub type StreamRequest<'a> = Request<'a, Stream>;

/// Without the payload, which the service's model marks as sensitive: only its length.
impl<Op: InvokeOperation> fmt::Debug for Request<'_, Op> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("target", &self.target)
            .field("invocation_type", &self.invocation_type)
            .field("log_type", &self.log_type)
            .field("client_context", &self.client_context)
            .field("tenant_id", &self.tenant_id)
            .field("durable_execution_name", &self.durable_execution_name)
            .field("content_type", &self.content_type)
            .field("payload_bytes", &self.payload.len())
            .finish()
    }
}

impl<'a, Op: InvokeOperation> Request<'a, Op> {
    /// Creates a synchronous request with an empty payload; set the other members as needed.
    #[must_use]
    pub fn new(target: impl Into<Target<'a>>) -> Self {
        Self {
            target: target.into(),
            invocation_type: Op::InvocationType::default(),
            log_type: LogType::None,
            client_context: None,
            tenant_id: None,
            durable_execution_name: None,
            content_type: Some(JSON),
            payload: Bytes::new(),
        }
    }

    /// Checks the rules that span several members.
    ///
    /// # Errors
    ///
    /// If a client context is given or the log requested with `Event`, if the payload is too large
    /// for the invocation type, if a tenant id begins or ends with a space, or if the function's name
    /// is `.` or `..`.
    pub fn check(&self) -> Result<(), RequestError> {
        let invocation_type: InvocationType = self.invocation_type.into();
        if invocation_type == InvocationType::Event {
            if self.client_context.is_some() {
                return Err(RequestError::ClientContextWithEvent);
            }
            if self.log_type == LogType::Tail {
                return Err(RequestError::TailWithEvent);
            }
        }
        // A tenant id may contain spaces, but HTTP removes those at a header value's ends, which
        // would name another tenant.
        let tenant_id = self.tenant_id.as_ref().map(TenantId::as_str);
        if tenant_id.is_some_and(|id| id.trim_matches(' ') != id) {
            return Err(RequestError::TenantIdSpace);
        }
        // The service's pattern allows these names, but in a path they stand for other segments.
        if matches!(self.target.name().as_str(), "." | "..") {
            return Err(RequestError::DotSegment);
        }
        let (length, limit) = (self.payload.len(), invocation_type.max_payload());
        if length > limit {
            return Err(RequestError::PayloadTooLarge {
                length,
                limit,
                invocation_type,
            });
        }
        Ok(())
    }

    /// Encodes the members that are sent in headers, in a map with room for `additional` more. A
    /// header is omitted if its absence means the same.
    pub(super) fn headers(&self, additional: usize) -> Result<HeaderMap, RequestError> {
        let mut map = HeaderMap::with_capacity(HEADERS.saturating_add(additional));
        if let Some(content_type) = &self.content_type {
            map.insert(http::header::CONTENT_TYPE, content_type.clone());
        }
        let invocation_type: InvocationType = self.invocation_type.into();
        if invocation_type != InvocationType::default() {
            let value = HeaderValue::from_static(invocation_type.as_str());
            map.insert(header::X_AMZ_INVOCATION_TYPE, value);
        }
        if self.log_type != LogType::default() {
            let value = HeaderValue::from_static(self.log_type.as_str());
            map.insert(header::X_AMZ_LOG_TYPE, value);
        }
        let context = self.client_context.as_ref();
        insert(&mut map, header::X_AMZ_CLIENT_CONTEXT, context)?;
        insert(&mut map, header::X_AMZ_TENANT_ID, self.tenant_id.as_ref())?;
        let durable = self.durable_execution_name.as_ref();
        insert(&mut map, header::X_AMZ_DURABLE_EXECUTION_NAME, durable)?;
        Ok(map)
    }

    /// Converts the request into one of another operation, with these values of the members whose
    /// types differ between the operations.
    fn convert<Other: InvokeOperation>(
        self,
        invocation_type: Other::InvocationType,
        durable_execution_name: Option<Other::DurableExecutionName>,
    ) -> Request<'a, Other> {
        Request {
            target: self.target,
            invocation_type,
            log_type: self.log_type,
            client_context: self.client_context,
            tenant_id: self.tenant_id,
            durable_execution_name,
            content_type: self.content_type,
            payload: self.payload,
        }
    }

    /// Converts the request into one that does not borrow.
    #[must_use]
    pub fn into_owned(self) -> Request<'static, Op> {
        Request {
            target: self.target.into_owned(),
            invocation_type: self.invocation_type,
            log_type: self.log_type,
            client_context: self.client_context.map(ClientContext::into_owned),
            tenant_id: self.tenant_id.map(TenantId::into_owned),
            durable_execution_name: self.durable_execution_name,
            content_type: self.content_type,
            payload: self.payload,
        }
    }
}

/// `Invoke` has every member and every invocation type of the stream operation.
impl<'a> From<StreamRequest<'a>> for InvokeRequest<'a> {
    fn from(mut request: StreamRequest<'a>) -> Self {
        let name = request.durable_execution_name.take();
        let invocation_type = request.invocation_type.into();
        request.convert(invocation_type, name.map(|name| match name {}))
    }
}

/// Fails for `Event`, and for a request with the name of a durable execution.
impl<'a> TryFrom<InvokeRequest<'a>> for StreamRequest<'a> {
    type Error = RequestError;

    fn try_from(request: InvokeRequest<'a>) -> Result<Self, RequestError> {
        if request.durable_execution_name.is_some() {
            return Err(RequestError::DurableStream);
        }
        let invocation_type = request.invocation_type.try_into()?;
        Ok(request.convert(invocation_type, None))
    }
}

fn insert(
    map: &mut HeaderMap,
    name: HeaderName,
    text: Option<&impl AsRef<str>>,
) -> Result<(), RequestError> {
    let Some(text) = text else { return Ok(()) };
    // The members' types allow only visible ASCII and spaces, so this cannot fail. It still returns
    // an error, so that a new type cannot cause a panic here.
    match HeaderValue::from_str(text.as_ref()) {
        Ok(value) => {
            map.insert(name, value);
            Ok(())
        }
        Err(_) => Err(RequestError::HeaderValue { name }),
    }
}

/// The members' headers, found in one pass over all headers of a request: a look-up of each name would
/// hash it. If a header is repeated, the first one counts.
#[derive(Default)]
struct Sent<'a> {
    invocation_type: Option<&'a HeaderValue>,
    log_type: Option<&'a HeaderValue>,
    client_context: Option<&'a HeaderValue>,
    tenant_id: Option<&'a HeaderValue>,
    durable_execution_name: Option<&'a HeaderValue>,
    content_type: Option<&'a HeaderValue>,
}

impl<'a> Sent<'a> {
    fn of(headers: &'a HeaderMap) -> Self {
        let mut sent = Self::default();
        for (name, value) in headers {
            // As in `header_names`, which a test compares.
            let field = match name.as_str() {
                "x-amz-invocation-type" => &mut sent.invocation_type,
                "x-amz-log-type" => &mut sent.log_type,
                "x-amz-client-context" => &mut sent.client_context,
                "x-amz-tenant-id" => &mut sent.tenant_id,
                "x-amz-durable-execution-name" => &mut sent.durable_execution_name,
                "content-type" => &mut sent.content_type,
                _ => continue,
            };
            field.get_or_insert(value);
        }
        sent
    }
}

/// The headers of a received request, decoded but not validated yet.
pub(super) struct HeaderMembers<'a> {
    operation: Operation,
    invocation_type: Option<Cow<'a, str>>,
    log_type: Option<Cow<'a, str>>,
    client_context: Option<Cow<'a, str>>,
    tenant_id: Option<Cow<'a, str>>,
    durable_execution_name: Option<Cow<'a, str>>,
    content_type: Option<HeaderValue>,
}

impl<'a> HeaderMembers<'a> {
    /// Reads the headers that the operation has. InvokeAsync has only the content type.
    pub(super) fn read(operation: Operation, parts: &'a Parts) -> Self {
        let sent = Sent::of(&parts.headers);
        let read = |value: Option<&'a HeaderValue>| match operation {
            Operation::InvokeAsync => None,
            _ => value.map(header::text),
        };
        Self {
            operation,
            invocation_type: read(sent.invocation_type),
            log_type: read(sent.log_type),
            client_context: read(sent.client_context),
            tenant_id: read(sent.tenant_id),
            durable_execution_name: read(sent.durable_execution_name)
                .filter(|_| operation == Operation::Invoke),
            content_type: sent.content_type.cloned(),
        }
    }

    /// Adds the violated constraints to `failed`, in the service's order.
    pub(super) fn validate(
        &self,
        rules: &NameRules,
        failed: &mut Vec<(Member, Constraint, String)>,
    ) {
        // An operation may have fewer types than the general list of the validator.
        let types = invocation_types(self.operation);
        if let Some(found) = self
            .invocation_type
            .as_deref()
            .filter(|found| !types.contains(found))
        {
            let (member, constraint) = (Member::InvocationType, Constraint::Enum(types));
            let at = member.as_str();
            let sentence =
                format!("Value '{found}' at '{at}' failed to satisfy constraint: {constraint}");
            failed.push((member, constraint, sentence));
        }
        let mut members = RequestValidator::new();
        if let Some(log_type) = &self.log_type {
            members = members.log_type(log_type);
        }
        if let Some(tenant_id) = &self.tenant_id {
            members = members.tenant_id(tenant_id);
        }
        if let Some(name) = &self.durable_execution_name {
            members = members.durable_execution_name(name);
        }
        if let Err(violations) = members.validate(rules) {
            let each = violations.iter();
            failed.extend(each.map(|each| (each.member, each.constraint, each.to_string())));
        }
    }

    /// Decodes validated headers into a request for a target. The log type and the client context
    /// are read only for synchronous calls: the service ignores them otherwise.
    pub(super) fn into_request(self, target: Target<'a>) -> Result<InvokeRequest<'a>, Rejection> {
        let mut request = InvokeRequest::new(target);
        request.invocation_type = match self.operation {
            Operation::InvokeAsync => InvocationType::Event,
            _ => keyword(self.invocation_type),
        };
        if request.invocation_type != InvocationType::Event {
            request.log_type = keyword(self.log_type);
            request.client_context = self.client_context.map(client_context).transpose()?;
        }
        request.tenant_id = parse(self.tenant_id, TenantId::try_from)?;
        request.durable_execution_name = parse(self.durable_execution_name, |name| {
            DurableExecutionName::try_from(name.into_owned())
        })?;
        request.content_type = self.content_type;
        Ok(request)
    }
}

/// Parses a validated keyword; an absent header has the default value.
fn keyword<T: std::str::FromStr + Default>(text: Option<Cow<'_, str>>) -> T {
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn parse<'a, T>(
    text: Option<Cow<'a, str>>,
    parse: impl FnOnce(Cow<'a, str>) -> Result<T, InputError>,
) -> Result<Option<T>, Rejection> {
    text.map(parse).transpose().map_err(Rejection::Value)
}

fn client_context(text: Cow<'_, str>) -> Result<ClientContext<'_>, Rejection> {
    let context = ClientContext::try_from(text).map_err(|_| Rejection::ClientContext)?;
    serde_json::from_slice::<JsonObject>(&context.to_json())
        .map_err(|_| Rejection::ClientContext)?;
    Ok(context)
}

/// Any JSON object; nothing of it is kept.
struct JsonObject;

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;
        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = JsonObject;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonObject, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(JsonObject)
            }
        }
        deserializer.deserialize_map(ObjectVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pass_finds_what_looking_up_each_name_finds() {
        let names = [
            header::X_AMZ_INVOCATION_TYPE,
            header::X_AMZ_LOG_TYPE,
            header::X_AMZ_CLIENT_CONTEXT,
            header::X_AMZ_TENANT_ID,
            header::X_AMZ_DURABLE_EXECUTION_NAME,
            http::header::CONTENT_TYPE,
            http::header::HOST,
        ];
        // Every subset of the names, each with one value or two.
        for chosen in 0..1_usize << names.len() {
            let mut headers = HeaderMap::new();
            for (index, name) in names.iter().enumerate() {
                if chosen >> index & 1 == 1 {
                    headers.append(name, HeaderValue::from(index));
                    if chosen % 3 == 0 {
                        headers.append(name, HeaderValue::from_static("second"));
                    }
                }
            }
            let sent = Sent::of(&headers);
            let found = [
                sent.invocation_type,
                sent.log_type,
                sent.client_context,
                sent.tenant_id,
                sent.durable_execution_name,
                sent.content_type,
            ];
            for (name, found) in names.iter().zip(found) {
                assert_eq!(found, headers.get(name), "{name}");
            }
        }
    }
}
