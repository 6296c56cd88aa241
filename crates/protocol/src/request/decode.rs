//! Requests as an endpoint receives them.

use bytes::Bytes;
use http::request::Parts;
use lambda_invoke_error::Operation;
use lambda_invoke_input::{
    FunctionName, InvocationType, NameRules, Qualifier, RequestValidator, Target, limits,
};

use super::members::{HeaderMembers, InvokeRequest, StreamRequest};
use super::{Rejection, RequestError};
use crate::path::{Route, query_value};
use crate::{header, json};

/// A request as it arrived at an endpoint, validated as the service validates it.
///
/// The head is read first, so that an endpoint can reject a request before it reads the body;
/// [`with_payload`](Self::with_payload) adds the body.
///
/// # Example
///
/// ```
/// use lambda_invoke_error::Operation;
/// use lambda_invoke_input::NameRules;
/// use lambda_invoke_protocol::IncomingRequest;
///
/// let (parts, ()) = http::Request::post("/2015-03-31/functions/hello/invocations?Qualifier=live")
///     .header("x-amz-invocation-type", "Event")
///     .body(())?
///     .into_parts();
/// let request = IncomingRequest::from_parts(&parts, &NameRules::recorded())?;
/// assert_eq!(request.operation(), Operation::Invoke);
/// assert_eq!(request.members().target.effective_qualifier().unwrap(), "live");
/// assert_eq!(request.max_payload(), 1_048_576);
/// let request = request.with_payload("{}".into())?;
///
/// let (parts, ()) = http::Request::post("/2015-03-31/functions/he!!o/invocations?Qualifier=")
///     .body(())?
///     .into_parts();
/// let rejection = IncomingRequest::from_parts(&parts, &NameRules::recorded()).unwrap_err();
/// let error = rejection.to_service_error();
/// assert_eq!(error.status(), 400);
/// assert!(error.message().unwrap().starts_with("3 validation errors detected: Value ''"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingRequest<'a> {
    operation: Operation,
    /// `Invoke` has every member and every invocation type that the other operations have.
    members: InvokeRequest<'a>,
}

impl<'a> IncomingRequest<'a> {
    /// Reads a request's head. The path must be as it was on the wire; it is decoded once.
    ///
    /// The client context and the log type are read only for synchronous calls: the service ignores
    /// them otherwise. Headers that the operation does not have are ignored.
    ///
    /// # Errors
    ///
    /// If the service would reject the head. Like the service's, the error names every violated
    /// constraint at once.
    pub fn from_parts(parts: &'a Parts, rules: &NameRules) -> Result<Self, Rejection> {
        let route = Route::find(&parts.method, parts.uri.path()).map_err(Rejection::Route)?;
        let operation = route.operation;
        let name = route.function_name;
        // InvokeAsync has no parameters.
        let query = parts
            .uri
            .query()
            .filter(|_| operation != Operation::InvokeAsync);
        let qualifier = query_value(query.unwrap_or_default(), header::QUALIFIER);
        let headers = HeaderMembers::read(operation, parts);

        // All constraints at once, as the service does before anything else.
        let mut names = RequestValidator::new().function_name(&name);
        if let Some(qualifier) = &qualifier {
            names = names.qualifier(qualifier);
        }
        let mut failed = Vec::new();
        if let Err(violations) = names.validate(rules) {
            let each = violations.iter();
            failed.extend(each.map(|each| (each.member, each.constraint, each.to_string())));
        }
        headers.validate(rules, &mut failed);
        if !failed.is_empty() {
            return Err(Rejection::validation(failed));
        }

        let name = FunctionName::parse_with(name, rules).map_err(Rejection::Value)?;
        let qualifier = qualifier.map(|text| Qualifier::parse_with(text, rules));
        let qualifier = qualifier.transpose().map_err(Rejection::Value)?;
        let target = Target::new(name, qualifier).map_err(Rejection::QualifierMismatch)?;
        let members = headers.into_request(target)?;
        Ok(Self { operation, members })
    }

    /// Returns the operation. A request of the old InvokeAsync is read as an `Invoke` of the type
    /// `Event` with a smaller payload limit.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        self.operation
    }

    /// Returns the request's members. Those of a stream or of InvokeAsync fit into an
    /// [`InvokeRequest`].
    #[must_use]
    pub const fn members(&self) -> &InvokeRequest<'a> {
        &self.members
    }

    /// Returns the invocation type.
    #[must_use]
    pub const fn invocation_type(&self) -> InvocationType {
        self.members.invocation_type
    }

    /// Returns the largest payload that this request may have, in bytes.
    #[must_use]
    pub const fn max_payload(&self) -> usize {
        match self.operation {
            Operation::InvokeAsync => limits::INVOKE_ASYNC_PAYLOAD,
            _ => self.members.invocation_type.max_payload(),
        }
    }

    /// Adds the payload.
    ///
    /// # Errors
    ///
    /// If the payload is larger than [`max_payload`](Self::max_payload).
    pub fn with_payload(mut self, payload: Bytes) -> Result<Self, Rejection> {
        self.check_length(payload.len())?;
        self.members.payload = payload;
        Ok(self)
    }

    /// Checks a payload's length before it is read.
    ///
    /// # Errors
    ///
    /// If the length is more than [`max_payload`](Self::max_payload).
    pub const fn check_length(&self, length: usize) -> Result<(), Rejection> {
        let limit = self.max_payload();
        if length > limit {
            return Err(Rejection::PayloadTooLarge {
                length,
                limit,
                invocation_type: self.invocation_type(),
                operation: self.operation,
            });
        }
        Ok(())
    }

    /// Checks that the payload is JSON. An empty payload passes, since the service treats it as
    /// `{}`.
    ///
    /// # Errors
    ///
    /// If the payload is not JSON. The error has the position.
    pub fn check_json(&self) -> Result<(), Rejection> {
        match &self.members.payload {
            payload if payload.is_empty() => Ok(()),
            payload => json::check(payload).map_err(Rejection::Json),
        }
    }

    /// Checks the content type against those that released AWS SDKs send with a payload: none,
    /// `application/json`, `application/octet-stream`, `binary/octet-stream` (the SDK for
    /// JavaScript 2, Android) and `application/x-amz-json-*` (iOS, C++), in any letter case and
    /// with or without parameters.
    ///
    /// # Errors
    ///
    /// If the content type is another one.
    pub fn check_content_type(&self) -> Result<(), Rejection> {
        let Some(content_type) = &self.members.content_type else {
            return Ok(());
        };
        let text = header::text(content_type);
        let essence = text.split(';').next().unwrap_or_default().trim();
        let essence = essence.to_ascii_lowercase();
        let accepted = matches!(
            essence.as_str(),
            "" | "application/json" | "application/octet-stream" | "binary/octet-stream"
        );
        if accepted || essence.starts_with("application/x-amz-json-") {
            return Ok(());
        }
        Err(Rejection::MediaType {
            found: text.into_owned(),
        })
    }

    /// Converts the request into one that does not borrow.
    #[must_use]
    pub fn into_owned(self) -> IncomingRequest<'static> {
        IncomingRequest {
            operation: self.operation,
            members: self.members.into_owned(),
        }
    }
}

/// Converts a client's request into the request that an endpoint reads.
impl<'a> From<InvokeRequest<'a>> for IncomingRequest<'a> {
    fn from(members: InvokeRequest<'a>) -> Self {
        Self {
            operation: Operation::Invoke,
            members,
        }
    }
}

/// Converts a client's request into the request that an endpoint reads.
impl<'a> From<StreamRequest<'a>> for IncomingRequest<'a> {
    fn from(request: StreamRequest<'a>) -> Self {
        Self {
            operation: Operation::InvokeWithResponseStream,
            members: request.into(),
        }
    }
}

/// Converts the request into a client's; fails if the stream operation has no such request.
impl<'a> TryFrom<IncomingRequest<'a>> for StreamRequest<'a> {
    type Error = RequestError;

    fn try_from(request: IncomingRequest<'a>) -> Result<Self, RequestError> {
        request.members.try_into()
    }
}
