//! Builds the request to sign.

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Uri};
use lambda_invoke::{Credentials, port_of};
use lambda_invoke_input::{FunctionName, InvocationType, LogType, Qualifier, Target, TenantId};
use lambda_invoke_protocol::{InvokeRequest, StreamRequest};

use super::Arguments;
use crate::call::config::Config;
use crate::call::header::Header;
use crate::call::payload;
use crate::exit::Failure;

/// An unsigned request, and the values to sign it with.
#[derive(Debug)]
pub(super) struct Unsigned {
    pub(super) parts: Parts,
    pub(super) body: Bytes,
    pub(super) region: String,
    pub(super) credentials: Credentials,
}

/// Builds the request that the options describe.
///
/// # Errors
///
/// If the service would reject it, or the region or the credentials are missing.
pub(super) async fn build(arguments: &Arguments) -> Result<Unsigned, Failure> {
    match (&arguments.url, &arguments.function) {
        (Some(url), _) => to_any_service(arguments, url).await,
        (None, Some(function)) => to_lambda(arguments, function).await,
        (None, None) => Err(Failure::usage("expected a function or --url")),
    }
}

async fn to_lambda(arguments: &Arguments, function: &str) -> Result<Unsigned, Failure> {
    let name = FunctionName::try_from(function)
        .map_err(|error| Failure::usage(format!("'{function}': {error}")))?;
    let config = Config::new(&arguments.connection, Some(&name))?;
    let (region, identity) = config.signing().await?;
    let (endpoint, _) = config.endpoint(&region.value)?;
    let base = endpoint.uri();
    let qualifier = arguments
        .qualifier
        .as_deref()
        .map(Qualifier::try_from)
        .transpose();
    let target = Target::new(name, qualifier.map_err(Failure::usage)?).map_err(Failure::usage)?;
    let context = arguments
        .client_context
        .as_ref()
        .map(payload::client_context);
    let client_context = context.transpose()?;
    let tenant_id = arguments
        .tenant_id
        .as_deref()
        .map(TenantId::try_from)
        .transpose();
    let tenant_id = tenant_id.map_err(Failure::usage)?;
    let log_type = match arguments.log_tail {
        true => LogType::Tail,
        false => LogType::None,
    };
    let payload = arguments.payload.read()?;
    let mut request = InvokeRequest::new(target);
    request.invocation_type = match (arguments.event, arguments.dry_run) {
        (true, _) => InvocationType::Event,
        (false, true) => InvocationType::DryRun,
        (false, false) => InvocationType::RequestResponse,
    };
    request.log_type = log_type;
    request.client_context = client_context;
    request.tenant_id = tenant_id;
    request.payload = payload;
    let request = match arguments.stream {
        true => StreamRequest::try_from(request).and_then(|request| request.to_http(base)),
        false => request.to_http(base),
    };
    let (parts, body) = request.map_err(Failure::usage)?.into_parts();
    Ok(Unsigned {
        parts,
        body,
        region: region.value,
        credentials: identity.credentials().clone(),
    })
}

/// A request to any service, used unchanged.
async fn to_any_service(arguments: &Arguments, url: &str) -> Result<Unsigned, Failure> {
    let url = service_url(url).map_err(|why| Failure::usage(format!("--url: {why}")))?;
    let config = Config::new(&arguments.connection, None)?;
    let (region, identity) = config.signing().await?;
    let mut request = Request::new(arguments.payload.read()?);
    *request.method_mut() = arguments.method.clone().unwrap_or(Method::POST);
    *request.uri_mut() = url;
    for Header { name, value } in &arguments.header {
        request.headers_mut().append(name, value.clone());
    }
    let (parts, body) = request.into_parts();
    Ok(Unsigned {
        parts,
        body,
        region: region.value,
        credentials: identity.credentials().clone(),
    })
}

/// Parses the URL of a request. A URL that could not be signed and sent exactly as written is
/// rejected.
fn service_url(text: &str) -> Result<Uri, String> {
    let uri: Uri = text
        .parse()
        .map_err(|error| format!("not a URL: {error}"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err("not a URL that begins with http:// or https://".to_owned());
    }
    let authority = uri.authority().map_or("", http::uri::Authority::as_str);
    if uri.host().is_none_or(str::is_empty) {
        return Err("it has no host".to_owned());
    }
    if authority.contains('@') {
        return Err("it contains a user's name, which a signed request cannot have".to_owned());
    }
    port_of(&uri).map_err(|error| error.to_string())?;
    // `Uri` drops the fragment.
    if text.contains('#') {
        return Err(
            "it has a fragment, which is never sent; write a # in a path as %23".to_owned(),
        );
    }
    Ok(uri)
}
