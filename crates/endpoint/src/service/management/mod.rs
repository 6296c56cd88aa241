//! Requests other than invocations: the endpoint's own pages, and the operations that describe
//! functions. Every other operation of the service is rejected with its name.

mod configuration;
mod operations;

use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use lambda_invoke_error::ServiceError;
use lambda_invoke_input::Target;
use lambda_invoke_protocol::path::{RouteError, query_value};
use lambda_invoke_protocol::{IncomingRequest, Rejection, Reply};
use serde_json::{Value, json};

use self::configuration::configuration;
use super::errors;
use super::lookup::{Lookup, RULES};
use super::response_body::Content;
use crate::request_id::RequestId;

/// The maximum number of functions in a page of `ListFunctions`, as in the service.
const PAGE: usize = 50;

/// A request other than an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Managed {
    /// `GET /` and `GET /health`, which need no signature.
    Page(&'static str),
    Describe(Describe),
    /// An operation of the service that the endpoint does not have.
    Unsupported(&'static str),
}

/// An operation that describes functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Describe {
    ListFunctions,
    GetFunction,
    GetFunctionConfiguration,
}

const FRONT: &str = "\
This is a local endpoint of AWS Lambda. Call a function with an AWS SDK whose endpoint URL for Lambda
is this address, or with lambda-invoke:

    lambda-invoke stream NAME --endpoint-url THIS_URL -p '{}'
";

impl Managed {
    /// Finds the request's kind by its method and path; `None` if the service has no such
    /// operation.
    pub(super) fn find(parts: &Parts) -> Option<Self> {
        let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
        let is_read = matches!(parts.method, Method::GET | Method::HEAD);
        match path {
            "/" if is_read => return Some(Self::Page(FRONT)),
            "/health" if is_read => return Some(Self::Page("ok\n")),
            _ => {}
        }
        Some(match operations::find(&parts.method, path, query)? {
            "ListFunctions" => Self::Describe(Describe::ListFunctions),
            "GetFunction" => Self::Describe(Describe::GetFunction),
            "GetFunctionConfiguration" => Self::Describe(Describe::GetFunctionConfiguration),
            name => Self::Unsupported(name),
        })
    }
}

/// Returns a page of plain text.
pub(super) fn page(text: &'static str, id: RequestId) -> Result<Response<Content>, ServiceError> {
    const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
    respond(text.to_owned(), TEXT, id)
}

impl Describe {
    /// Returns the action that a caller needs a permission for.
    pub(super) fn action(self) -> &'static str {
        match self {
            Self::ListFunctions => "lambda:ListFunctions",
            Self::GetFunction => "lambda:GetFunction",
            Self::GetFunctionConfiguration => "lambda:GetFunctionConfiguration",
        }
    }

    /// Responds to a caller whose signature has been verified.
    pub(super) fn respond(
        self,
        parts: &Parts,
        lookup: &Lookup<'_>,
        id: RequestId,
    ) -> Result<Response<Content>, ServiceError> {
        const JSON: HeaderValue = HeaderValue::from_static("application/json");
        let value = match self {
            Self::ListFunctions => list(parts.uri.query().unwrap_or_default(), lookup)?,
            Self::GetFunction | Self::GetFunctionConfiguration => {
                let target = target(parts).map_err(|rejection| rejection.to_service_error())?;
                let found = lookup.find(&target)?;
                let (version, qualifier) = (found.resolved.version, found.qualifier.as_deref());
                let described = configuration(found.function, version, qualifier);
                match self {
                    Self::GetFunction => configuration::function(found.function, &described),
                    _ => described,
                }
            }
        };
        respond(value.to_string(), JSON, id)
    }
}

fn respond(
    body: String,
    content_type: HeaderValue,
    id: RequestId,
) -> Result<Response<Content>, ServiceError> {
    let mut reply = Reply::new(StatusCode::OK, body);
    reply.content_type = Some(content_type);
    reply.request_id = Some(id.to_string());
    let response = reply
        .to_http()
        .map_err(|error| errors::internal(&error.to_string()))?;
    Ok(response.map(Content::whole))
}

/// Reads the function's name and qualifier, with the checks and messages of an invocation.
fn target(parts: &Parts) -> Result<Target<'static>, Rejection> {
    let label = parts.uri.path().split('/').nth(3).unwrap_or_default();
    let query = parts.uri.query().unwrap_or_default();
    let uri = format!("/2015-03-31/functions/{label}/invocations?{query}");
    let invocation = http::Request::post(uri).body(());
    let Ok((invocation, ())) = invocation.map(http::Request::into_parts) else {
        return Err(Rejection::Route(RouteError::Path));
    };
    let request = IncomingRequest::from_parts(&invocation, &RULES)?;
    Ok(request.members().target.clone().into_owned())
}

/// Returns a page of the functions, or of all their versions, in the order of their names.
fn list(query: &str, lookup: &Lookup<'_>) -> Result<Value, ServiceError> {
    let invalid = |name: &str, value: &str| {
        errors::invalid_parameter(&format!("'{value}' is not a valid value of {name}"))
    };
    let size = match query_value(query, "MaxItems") {
        None => PAGE,
        Some(text) => match text.parse() {
            Ok(size @ 1..=10_000) => PAGE.min(size),
            _ => return Err(invalid("MaxItems", &text)),
        },
    };
    let with_versions = match query_value(query, "FunctionVersion").as_deref() {
        None => false,
        Some("ALL") => true,
        Some(other) => return Err(invalid("FunctionVersion", other)),
    };
    let mut all = Vec::new();
    for function in lookup.all() {
        all.push((function, None));
        if with_versions {
            all.extend(function.versions().map(|version| (function, Some(version))));
        }
    }
    let start = match query_value(query, "Marker") {
        None => 0,
        Some(marker) => match marker.parse::<usize>() {
            Ok(start) if start <= all.len() => start,
            _ => return Err(invalid("Marker", &marker)),
        },
    };
    let end = all.len().min(start + size);
    let page = all.get(start..end).unwrap_or_default().iter();
    let configurations: Vec<_> = page
        .map(|(function, version)| {
            // A list of all versions has qualified ARNs, as in the service.
            let qualifier = with_versions.then(|| match version {
                Some(number) => number.to_string(),
                None => "$LATEST".to_owned(),
            });
            configuration(function, *version, qualifier.as_deref())
        })
        .collect();
    let mut response = json!({ "Functions": configurations });
    if end < all.len() {
        response["NextMarker"] = Value::from(end.to_string());
    }
    Ok(response)
}
