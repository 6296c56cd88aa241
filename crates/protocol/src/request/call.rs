//! What an endpoint receives.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use lambda_invoke_error::Operation;
use lambda_invoke_input::{
    ClientContext, Constraint, DurableExecutionName, FunctionName, InputError, InvocationType,
    LogType, Member, Members, Qualifier, Rules, Target, TenantId, limits,
};
use serde_core::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::{InvokeRequest, Refusal, StreamInvocationType, StreamRequest};
use crate::path::{Route, query_value};
use crate::{header, json};

/// A request as it arrived, validated as the service validates it.
///
/// The head comes first, so that an endpoint can refuse before it reads a body; then
/// [`with_payload`](Self::with_payload).
///
/// # Example
///
/// ```
/// use lambda_invoke_input::Rules;
/// use lambda_invoke_protocol::Call;
///
/// let (parts, ()) = http::Request::post("/2015-03-31/functions/hello/invocations?Qualifier=live")
///     .header("x-amz-invocation-type", "Event")
///     .body(())?
///     .into_parts();
/// let call = Call::from_parts(&parts, &Rules::recorded())?;
/// assert_eq!(call.target().effective_qualifier().unwrap(), "live");
/// assert_eq!(call.max_payload(), 1_048_576);
/// let call = call.with_payload("{}".into())?;
/// assert!(matches!(call, Call::Invoke(_)));
///
/// let (parts, ()) = http::Request::post("/2015-03-31/functions/he!!o/invocations?Qualifier=")
///     .body(())?
///     .into_parts();
/// let answer = Call::from_parts(&parts, &Rules::recorded()).unwrap_err().to_service_error();
/// assert_eq!(answer.status(), 400);
/// assert!(answer.message().unwrap().starts_with("3 validation errors detected: Value ''"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Call<'a> {
    /// Invoke.
    Invoke(InvokeRequest<'a>),
    /// InvokeWithResponseStream.
    Stream(StreamRequest<'a>),
    /// The old InvokeAsync: its request is an Invoke of the type `Event` with a smaller limit.
    InvokeAsync(InvokeRequest<'a>),
}

impl<'a> Call<'a> {
    /// Reads a request's head. The path is taken as it is on the wire, and decoded once.
    ///
    /// A client context and the log type are read for synchronous calls only, since the service
    /// passes over them otherwise. Headers that the operation does not have are passed over.
    ///
    /// # Errors
    ///
    /// What the service would refuse, all of it that it would name at once.
    pub fn from_parts(parts: &'a Parts, rules: &Rules) -> Result<Self, Refusal> {
        let route = Route::find(&parts.method, parts.uri.path()).map_err(Refusal::NoRoute)?;
        let operation = route.operation;
        let mut values = Values::read(route, parts);
        match operation {
            Operation::InvokeWithResponseStream => values.stream(rules).map(Self::Stream),
            Operation::InvokeAsync => {
                values.check(rules, INVOKE_TYPES)?;
                let mut request = InvokeRequest::new(values.target(rules)?);
                request.invocation_type = InvocationType::Event;
                request.content_type = values.content_type;
                Ok(Self::InvokeAsync(request))
            }
            _ => values.invoke(rules).map(Self::Invoke),
        }
    }

    /// The operation.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Invoke(_) => Operation::Invoke,
            Self::Stream(_) => Operation::InvokeWithResponseStream,
            Self::InvokeAsync(_) => Operation::InvokeAsync,
        }
    }

    /// The function, and the version or alias.
    #[must_use]
    pub const fn target(&self) -> &Target<'a> {
        match self {
            Self::Invoke(request) | Self::InvokeAsync(request) => &request.target,
            Self::Stream(request) => &request.target,
        }
    }

    /// How to invoke.
    #[must_use]
    pub fn invocation_type(&self) -> InvocationType {
        match self {
            Self::Invoke(request) | Self::InvokeAsync(request) => request.invocation_type,
            Self::Stream(request) => request.invocation_type.into(),
        }
    }

    /// The greatest payload of this call, in bytes.
    #[must_use]
    pub fn max_payload(&self) -> usize {
        match self {
            Self::InvokeAsync(_) => limits::INVOKE_ASYNC_PAYLOAD,
            _ => self.invocation_type().max_payload(),
        }
    }

    /// The payload.
    #[must_use]
    pub const fn payload(&self) -> &Bytes {
        match self {
            Self::Invoke(request) | Self::InvokeAsync(request) => &request.payload,
            Self::Stream(request) => &request.payload,
        }
    }

    /// The call with its payload.
    ///
    /// # Errors
    ///
    /// If it is too large.
    pub fn with_payload(mut self, payload: Bytes) -> Result<Self, Refusal> {
        self.check_length(payload.len())?;
        match &mut self {
            Self::Invoke(request) | Self::InvokeAsync(request) => request.payload = payload,
            Self::Stream(request) => request.payload = payload,
        }
        Ok(self)
    }

    /// Checks a payload's length, before it was read.
    ///
    /// # Errors
    ///
    /// If it is more than [`max_payload`](Self::max_payload).
    pub fn check_length(&self, length: usize) -> Result<(), Refusal> {
        let limit = self.max_payload();
        if length > limit {
            return Err(Refusal::PayloadTooLarge {
                length,
                limit,
                invocation_type: self.invocation_type(),
                operation: self.operation(),
            });
        }
        Ok(())
    }

    /// Checks that the payload is JSON. An empty one is taken: the service takes it for `{}`.
    ///
    /// # Errors
    ///
    /// If it is not.
    pub fn check_json(&self) -> Result<(), Refusal> {
        match self.payload() {
            payload if payload.is_empty() => Ok(()),
            payload => json::check(payload).map_err(Refusal::NotJson),
        }
    }

    /// Checks the content type against those that released AWS SDKs send with a payload: none,
    /// `application/json`, `application/octet-stream`, `binary/octet-stream` (the SDK for
    /// JavaScript 2, Android) and `application/x-amz-json-*` (iOS, C++), in any letter case and
    /// with or without parameters.
    ///
    /// # Errors
    ///
    /// If it is another one.
    pub fn check_content_type(&self) -> Result<(), Refusal> {
        let content_type = match self {
            Self::Invoke(request) | Self::InvokeAsync(request) => &request.content_type,
            Self::Stream(request) => &request.content_type,
        };
        let Some(content_type) = content_type else {
            return Ok(());
        };
        let text = header::text(content_type);
        let essence = text.split(';').next().unwrap_or_default().trim();
        let essence = essence.to_ascii_lowercase();
        let known = matches!(
            essence.as_str(),
            "" | "application/json" | "application/octet-stream" | "binary/octet-stream"
        );
        if known || essence.starts_with("application/x-amz-json-") {
            return Ok(());
        }
        Err(Refusal::MediaType {
            found: text.into_owned(),
        })
    }

    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> Call<'static> {
        match self {
            Self::Invoke(request) => Call::Invoke(request.into_owned()),
            Self::Stream(request) => Call::Stream(request.into_owned()),
            Self::InvokeAsync(request) => Call::InvokeAsync(request.into_owned()),
        }
    }
}

/// The values of a request, decoded and not yet validated.
struct Values<'a> {
    function_name: Cow<'a, str>,
    qualifier: Option<Cow<'a, str>>,
    invocation_type: Option<Cow<'a, str>>,
    log_type: Option<Cow<'a, str>>,
    tenant_id: Option<Cow<'a, str>>,
    durable_execution_name: Option<Cow<'a, str>>,
    client_context: Option<Cow<'a, str>>,
    content_type: Option<HeaderValue>,
}

impl<'a> Values<'a> {
    fn read(route: Route<'a>, parts: &'a Parts) -> Self {
        let text = |name: HeaderName| parts.headers.get(name).map(header::text);
        // What an operation does not have it does not look at.
        let not_async = route.operation != Operation::InvokeAsync;
        let text = |name| if not_async { text(name) } else { None };
        let query = parts.uri.query().filter(|_| not_async).unwrap_or_default();
        Self {
            function_name: route.function_name,
            qualifier: query_value(query, header::QUALIFIER),
            invocation_type: text(header::X_AMZ_INVOCATION_TYPE),
            log_type: text(header::X_AMZ_LOG_TYPE),
            tenant_id: text(header::X_AMZ_TENANT_ID),
            durable_execution_name: text(header::X_AMZ_DURABLE_EXECUTION_NAME)
                .filter(|_| route.operation == Operation::Invoke),
            client_context: text(header::X_AMZ_CLIENT_CONTEXT),
            content_type: parts.headers.get(http::header::CONTENT_TYPE).cloned(),
        }
    }

    /// Checks all constraints at once, as the service does before anything else.
    fn check(&self, rules: &Rules, types: &'static [&'static str]) -> Result<(), Refusal> {
        let mut names = Members::new().function_name(&self.function_name);
        if let Some(qualifier) = &self.qualifier {
            names = names.qualifier(qualifier);
        }
        let mut others = Members::new();
        if let Some(log_type) = &self.log_type {
            others = others.log_type(log_type);
        }
        if let Some(tenant_id) = &self.tenant_id {
            others = others.tenant_id(tenant_id);
        }
        if let Some(name) = &self.durable_execution_name {
            others = others.durable_execution_name(name);
        }
        let mut failed = Vec::new();
        let collect = |members: Members<'_>, failed: &mut Vec<_>| {
            if let Err(violations) = members.check(rules) {
                let each = violations.iter();
                failed.extend(each.map(|each| (each.member, each.constraint, each.to_string())));
            }
        };
        collect(names, &mut failed);
        // The stream has fewer types than the general list of `Members`.
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
        collect(others, &mut failed);
        if failed.is_empty() {
            Ok(())
        } else {
            Err(Refusal::validation(failed))
        }
    }

    fn target(&mut self, rules: &Rules) -> Result<Target<'a>, Refusal> {
        let name = std::mem::take(&mut self.function_name);
        let name = FunctionName::parse_with(name, rules).map_err(Refusal::Value)?;
        let qualifier = self
            .qualifier
            .take()
            .map(|text| Qualifier::parse_with(text, rules));
        let qualifier = qualifier.transpose().map_err(Refusal::Value)?;
        Target::new(name, qualifier).map_err(Refusal::QualifierMismatch)
    }

    fn log_type(&self) -> LogType {
        self.log_type
            .as_deref()
            .and_then(|text| text.parse().ok())
            .unwrap_or_default()
    }

    fn client_context(&mut self) -> Result<Option<ClientContext<'a>>, Refusal> {
        let Some(text) = self.client_context.take() else {
            return Ok(None);
        };
        let context = ClientContext::try_from(text).map_err(|_| Refusal::ClientContext)?;
        serde_json::from_slice::<JsonObject>(&context.to_json())
            .map_err(|_| Refusal::ClientContext)?;
        Ok(Some(context))
    }

    fn invoke(mut self, rules: &Rules) -> Result<InvokeRequest<'a>, Refusal> {
        self.check(rules, INVOKE_TYPES)?;
        let invocation_type = self
            .invocation_type
            .as_deref()
            .and_then(|text| text.parse().ok());
        let mut request = InvokeRequest::new(self.target(rules)?);
        request.invocation_type = invocation_type.unwrap_or_default();
        if request.invocation_type != InvocationType::Event {
            request.log_type = self.log_type();
            request.client_context = self.client_context()?;
        }
        request.tenant_id = parse(self.tenant_id, TenantId::try_from)?;
        request.durable_execution_name =
            parse(self.durable_execution_name, DurableExecutionName::try_from)?;
        request.content_type = self.content_type;
        Ok(request)
    }

    fn stream(mut self, rules: &Rules) -> Result<StreamRequest<'a>, Refusal> {
        self.check(rules, STREAM_TYPES)?;
        let mut request = StreamRequest::new(self.target(rules)?);
        if self.invocation_type.as_deref() == Some(StreamInvocationType::DryRun.as_str()) {
            request.invocation_type = StreamInvocationType::DryRun;
        }
        request.log_type = self.log_type();
        request.client_context = self.client_context()?;
        request.tenant_id = parse(self.tenant_id, TenantId::try_from)?;
        request.content_type = self.content_type;
        Ok(request)
    }
}

const INVOKE_TYPES: &[&str] = &[
    InvocationType::RequestResponse.as_str(),
    InvocationType::Event.as_str(),
    InvocationType::DryRun.as_str(),
];

const STREAM_TYPES: &[&str] = &[
    StreamInvocationType::RequestResponse.as_str(),
    StreamInvocationType::DryRun.as_str(),
];

fn parse<'a, T>(
    text: Option<Cow<'a, str>>,
    parse: impl FnOnce(Cow<'a, str>) -> Result<T, InputError>,
) -> Result<Option<T>, Refusal> {
    text.map(parse).transpose().map_err(Refusal::Value)
}

/// Any JSON object, of which nothing is kept.
struct JsonObject;

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = JsonObject;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonObject, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(JsonObject)
            }
        }
        deserializer.deserialize_map(Members)
    }
}
