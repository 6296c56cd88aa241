//! Function URLs: from an HTTP request to the function, and back.
//!
//! `lambda_invoke_protocol::function_url` has the formats; this module has the order of the checks,
//! and runs the function.

mod guard;
mod response;

use std::future::poll_fn;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_REQUEST_METHOD, HOST, HeaderName, HeaderValue,
};
use http::request::Parts;
use lambda_invoke_error::{Operation, ServiceError};
use lambda_invoke_input::InvocationType;
use lambda_invoke_protocol::function_url::{IamCaller, UrlEvent, UrlRoute, forbidden};
use lambda_invoke_protocol::{Rejection, error_to_http, header};

use self::response::Running;
use crate::fault::Target;
use crate::function::channel::ResponseLimits;
use crate::function::invocation::Call;
use crate::function::url::{FunctionUrl, UrlAuth, UrlMode};
use crate::request_id::RequestId;
use crate::run::execution::Execution;
use crate::run::registry::{Registered, Resolved};
use crate::service::auth::Caller;
use crate::service::calls::Via;
use crate::service::request_body::{RequestBody, Unread};
use crate::service::response_body::Content;
use crate::service::{Service, errors, trace_id};
use crate::wire::connection::Connection;

/// The response to a request that does not run the function.
enum Rejected {
    Error(ServiceError),
    Forbidden,
}

impl From<ServiceError> for Rejected {
    fn from(error: ServiceError) -> Self {
        Self::Error(error)
    }
}

/// A request to the URL of a function.
struct UrlRequest<'a> {
    service: &'a Service,
    route: &'a UrlRoute<'a>,
    parts: &'a Parts,
    id: RequestId,
    connection: &'a Arc<Connection>,
}

/// Responds to a request that addresses a function by its URL.
pub(crate) async fn respond(
    service: &Service,
    route: &UrlRoute<'_>,
    parts: &Parts,
    body: &mut RequestBody,
    id: RequestId,
    connection: &Arc<Connection>,
) -> Response<Content> {
    let request = UrlRequest {
        service,
        route,
        parts,
        id,
        connection,
    };
    let mut response = match request.function() {
        Ok((function, resolved, url)) => request.respond(function, resolved, url, body).await,
        Err(error) => request.with_origin(rejected(Rejected::Error(error), id)),
    };
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        headers.insert(header::X_AMZN_REQUEST_ID, id);
    }
    if !route.by_host {
        // All paths share one origin, and no page may install a service worker for it.
        headers.remove(HeaderName::from_static("service-worker-allowed"));
    }
    response
}

impl<'a> UrlRequest<'a> {
    /// Finds the function, the version and the URL's settings.
    fn function(
        &self,
    ) -> Result<(&'a Arc<Registered>, Resolved<'a>, &'a FunctionUrl), ServiceError> {
        let name = self
            .route
            .function_name
            .split(':')
            .next()
            .unwrap_or_default();
        let qualifier = qualifier(self.route);
        let registry = &self.service.registry;
        let found = match self.route.by_host {
            true => registry.get_ignoring_case(name),
            false => registry.get(name),
        };
        let unknown = || {
            let prefix = self.service.settings.arn_prefix();
            let arn = match qualifier {
                Some(qualifier) => format!("{prefix}{name}:{qualifier}"),
                None => format!("{prefix}{name}"),
            };
            errors::not_found(&arn)
        };
        let function = found.ok_or_else(unknown)?;
        let resolved = function.resolve(qualifier).ok_or_else(unknown)?;
        let url = function
            .url()
            .ok_or_else(|| errors::no_url(function.arn()))?;
        Ok((function, resolved, url))
    }

    async fn respond(
        &self,
        function: &Arc<Registered>,
        resolved: Resolved<'_>,
        url: &FunctionUrl,
        body: &mut RequestBody,
    ) -> Response<Content> {
        let cors = url.cors.as_ref();
        let preflight = match cors {
            Some(cors) => cors.preflight(self.parts),
            None => self.preflight(),
        };
        if let Some(preflight) = preflight {
            return preflight.map(|()| Content::whole(Bytes::new()));
        }
        // Boxed, so that the futures of other requests stay small.
        let run = Box::pin(self.run(function, resolved, url, body)).await;
        let mut response = run.unwrap_or_else(|why| rejected(why, self.id));
        let Some(cors) = cors else {
            return self.with_origin(response);
        };
        cors.apply(&self.parts.headers, response.headers_mut());
        response
    }

    /// Returns the response to a preflight request of a page that the endpoint allows, for a URL
    /// without CORS settings of its own.
    fn preflight(&self) -> Option<Response<()>> {
        let (origins, headers) = (&self.service.settings.origins, &self.parts.headers);
        let page = origins.caller(headers);
        let mut response = origins.preflight(self.parts, &page)?;
        // A function takes every method.
        let method = headers.get(ACCESS_CONTROL_REQUEST_METHOD)?.clone();
        response
            .headers_mut()
            .insert(ACCESS_CONTROL_ALLOW_METHODS, method);
        Some(self.with_origin(response))
    }

    /// Lets a page that the endpoint allows read a response.
    fn with_origin<B>(&self, mut response: Response<B>) -> Response<B> {
        let origins = &self.service.settings.origins;
        let page = origins.caller(&self.parts.headers);
        origins.allow(page, response.headers_mut());
        response
    }

    /// The checks, in this order: the page, the body's size, the signature, permission, fault rules,
    /// concurrency; then the function.
    async fn run(
        &self,
        function: &Arc<Registered>,
        resolved: Resolved<'_>,
        url: &FunctionUrl,
        body: &mut RequestBody,
    ) -> Result<Response<Content>, Rejected> {
        let (service, connection) = (self.service, self.connection);
        let settings = &service.settings;
        // Where the caller needs no secret, a page could send the request.
        if url.auth == UrlAuth::None || service.is_open() {
            let headers = &self.parts.headers;
            guard::check(headers, url.cors.as_ref(), &settings.origins)?;
        }
        connection.set_reading(true);
        let body = body.read(settings.max_request_bytes).await;
        connection.set_reading(false);
        let body = body.map_err(|unread| match unread {
            Unread::TooLarge(length) => self.too_large(length),
            Unread::Truncated => errors::truncated(),
        })?;
        let caller = self.authenticate(function, url, &body)?;
        let trace = self.trace();
        let payload = self.event(function, caller.as_ref(), &body, &trace);
        // The event contains it, and the function may run for long.
        drop(body);
        if payload.len() > settings.max_request_bytes {
            return Err(self.too_large(payload.len()).into());
        }
        let plan = service.faults.strike(function.name(), Target::Url).await?;
        let call = Call {
            qualifier: qualifier(self.route).map(str::to_owned),
            version: resolved.version,
            trace_id: Some(trace),
            ..Call::new(function.info(), self.id)
        };
        let (invocation, permit) = service.start(function, payload.into(), call, Via::Url)?;
        let limits = ResponseLimits {
            buffered: Some(settings.max_buffered_bytes),
            streamed: match url.mode {
                Some(UrlMode::Buffered) => Some(settings.max_buffered_bytes),
                _ => settings.max_stream_bytes,
            },
        };
        let running = connection.running();
        let handler = resolved.handler;
        let mut execution = Execution::start(handler, &invocation, permit, running, limits);
        if url.mode == Some(UrlMode::Buffered) {
            execution.drain_when_dropped();
        }
        poll_fn(|cx| execution.poll_head(cx)).await;
        service.check_started(&invocation, execution.outcome())?;
        let running = Running {
            execution,
            invocation,
            connection,
            method: &self.parts.method,
            bandwidth: settings.stream_bandwidth,
            plan: &plan,
        };
        let response = running.respond(url.mode).await;
        Ok(response.map(|content| plan.body(content, connection)))
    }

    /// Returns the caller, if the URL needs a signature.
    fn authenticate(
        &self,
        function: &Registered,
        url: &FunctionUrl,
        body: &[u8],
    ) -> Result<Option<Caller<'a>>, Rejected> {
        let access = match (url.auth, &self.service.access) {
            (UrlAuth::AwsIam, Some(access)) => access,
            (UrlAuth::AwsIam, None) | (UrlAuth::None, _) => return Ok(None),
        };
        let caller = access
            .verify(self.parts, body, self.service.now())
            .map_err(|error| match error.code() {
                Some("MissingAuthenticationTokenException") => Rejected::Forbidden,
                _ => Rejected::Error(error),
            })?;
        if !caller.may_invoke(function.name()) {
            return Err(Rejected::Forbidden);
        }
        Ok(Some(caller))
    }

    /// Returns the X-Ray trace header: the caller's, or one for this request.
    fn trace(&self) -> String {
        let own = || self.id.trace(SystemTime::from(self.service.now()));
        trace_id(&self.parts.headers).unwrap_or_else(own)
    }

    fn event(
        &self,
        function: &Registered,
        caller: Option<&Caller<'_>>,
        body: &[u8],
        trace: &str,
    ) -> Vec<u8> {
        let settings = &self.service.settings;
        let arn = caller.map(|caller| caller.arn(settings));
        let host = self
            .parts
            .headers
            .get(HOST)
            .and_then(|host| host.to_str().ok());
        let addresses = self.connection.addresses();
        let mut event = UrlEvent::new(self.parts, body);
        event.path = self.route.path;
        event.url_id = function.name();
        event.domain_name = without_port(host.unwrap_or_default());
        if let Some(peer) = addresses.peer {
            event.source_ip = peer.ip().to_canonical();
        }
        event.port = addresses.local.map(|local| local.port());
        event.request_id = self.id.as_str();
        event.trace_id = trace.split(';').next();
        event.time = self.service.precise_now();
        event.caller = caller.zip(arn.as_deref()).map(|(caller, arn)| {
            let key = caller.id();
            IamCaller::new(key, &settings.account, arn, key)
        });
        event.to_json()
    }

    fn too_large(&self, length: usize) -> ServiceError {
        self.service.rejected(&Rejection::PayloadTooLarge {
            length,
            limit: self.service.settings.max_request_bytes,
            invocation_type: InvocationType::RequestResponse,
            operation: Operation::Invoke,
        })
    }
}

/// Returns the alias or version of `NAME:QUALIFIER`.
fn qualifier<'a>(route: &'a UrlRoute<'_>) -> Option<&'a str> {
    let (_, qualifier) = route.function_name.split_once(':')?;
    Some(qualifier)
}

fn rejected(why: Rejected, id: RequestId) -> Response<Content> {
    match why {
        Rejected::Error(error) => error_to_http(&error.with_request_id(id.as_str())),
        Rejected::Forbidden => forbidden(),
    }
    .map(Content::whole)
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}
