//! From a request to its response: the checks in the service's order, then the function.

pub(crate) mod auth;
pub(crate) mod calls;
pub(crate) mod cors;
mod encoder;
pub(crate) mod errors;
mod lookup;
mod management;
mod reply;
pub(crate) mod request_body;
pub(crate) mod request_log;
pub(crate) mod response_body;
pub(crate) mod settings;
pub(crate) mod stream_body;

use std::future::poll_fn;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use lambda_invoke_error::{Operation, ServiceError, ThrottleReason};
use lambda_invoke_input::{InvocationType, LogType};
use lambda_invoke_protocol::{IncomingRequest, Rejection, StreamHead, error_to_http};
use lambda_invoke_sigv4::Timestamp;

use self::auth::{Access, Caller};
use self::calls::{Calls, Via};
use self::cors::Caller as Page;
use self::encoder::Encoder;
use self::lookup::{Found, Lookup, RULES};
use self::management::Managed;
use self::reply::{empty, remapped_content_type, reply, reported_version};
use self::request_body::{RequestBody, Unread};
use self::request_log::OnResponse;
use self::response_body::Content;
use self::settings::{Settings, TooLargeStyle};
use self::stream_body::StreamBody;
use crate::event::{Event, Queue};
use crate::fault::{Plan, Rules as FaultRules, Target};
use crate::function::Handler;
use crate::function::channel::ResponseLimits;
use crate::function::error::FunctionError;
use crate::function::invocation::{Call, Invocation};
use crate::journal::Journal;
use crate::request_id::{RequestId, RequestIds};
use crate::run::Outcome;
use crate::run::collect::{Collected, collect};
use crate::run::concurrency::Permit;
use crate::run::execution::Execution;
use crate::run::platform_log;
use crate::run::registry::{Registered, Registry};
use crate::run::stream::FunctionEvents;
use crate::trace;
use crate::wire::connection::Connection;

/// The header by which a trace reaches the function.
static X_AMZN_TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");

/// Responds to requests.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) settings: Settings,
    pub(crate) registry: Arc<Registry>,
    /// `None` if signatures are not verified.
    pub(crate) access: Option<Access>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) faults: FaultRules,
    pub(crate) ids: Arc<RequestIds>,
    pub(crate) on_response: Option<OnResponse>,
    pub(crate) calls: Calls,
    /// `None` without a console.
    pub(crate) journal: Option<Arc<Journal>>,
}

/// A call that has passed every check.
struct Ready<'a> {
    function: &'a Arc<Registered>,
    handler: &'a Handler,
    operation: Operation,
    invocation_type: InvocationType,
    // Boxed, because it is moved several times.
    call: Box<Call>,
    payload: Bytes,
    plan: Plan,
}

/// A request that has passed every check.
enum Checked<'a> {
    /// It does not call a function.
    Managed(Response<Content>),
    Call(Ready<'a>),
}

impl Service {
    /// Responds to a request of the API.
    pub(crate) async fn respond(
        &self,
        parts: &Parts,
        body: &mut RequestBody,
        id: RequestId,
        connection: &Arc<Connection>,
    ) -> Response<Content> {
        let origins = &self.settings.origins;
        let page = origins.caller(&parts.headers);
        let checked = match (origins.preflight(parts, &page), &page) {
            (Some(preflight), _) => Ok(preflight.map(|()| Content::whole(Bytes::new()))),
            // Otherwise any web page could call.
            (None, Page::Foreign(origin)) if self.is_open() => Err(cors::foreign(origin)),
            _ => self.checked(parts, body, id, connection).await,
        };
        let mut response = checked.unwrap_or_else(|error| {
            error_to_http(&error.with_request_id(id.as_str())).map(Content::whole)
        });
        origins.expose(page, response.headers_mut());
        response
    }

    /// Whether anybody, and so any web page, can send a request that passes: signatures are not
    /// verified, or a published secret signs them.
    pub(crate) fn is_open(&self) -> bool {
        self.access.as_ref().is_none_or(Access::is_published)
    }

    /// Sets the date of a response, if the endpoint's clock is not the real one.
    pub(crate) fn set_date(&self, headers: &mut HeaderMap) {
        if self.settings.clock_offset != 0 {
            if let Ok(date) = HeaderValue::try_from(http_date(self.now())) {
                headers.insert(header::DATE, date);
            }
        }
    }

    /// Acquires a permit, records the call, and starts an invocation with its log.
    pub(crate) fn start(
        &self,
        function: &Registered,
        payload: Bytes,
        call: impl Into<Box<Call>>,
        via: Via,
    ) -> Result<(Invocation, Permit), ServiceError> {
        let permit = Permit::acquire(function.limits()).map_err(errors::throttled)?;
        let call = call.into();
        let (id, size) = (call.request_id, payload.len());
        let entry = self
            .journal
            .as_ref()
            .map(|journal| journal.begin(call.start(via.as_str()), &payload));
        self.calls.record(via, &call, &payload);
        let invocation = Invocation::new(payload, call, entry);
        platform_log::start(&invocation);
        trace::called(function.name(), via.as_str(), id, size);
        Ok((invocation, permit))
    }

    /// Returns the endpoint's time, with the configured offset.
    pub(crate) fn now(&self) -> Timestamp {
        self.at(SystemTime::now())
    }

    /// Returns the endpoint's time with its fraction of a second.
    pub(crate) fn precise_now(&self) -> SystemTime {
        let now = SystemTime::now();
        let since = now.duration_since(SystemTime::UNIX_EPOCH);
        let fraction = since.map_or(0, |since| since.subsec_nanos());
        SystemTime::from(self.at(now)) + std::time::Duration::from_nanos(fraction.into())
    }

    fn at(&self, now: SystemTime) -> Timestamp {
        let now = Timestamp::try_from(now).unwrap_or(Timestamp::EPOCH);
        let offset = std::time::Duration::from_secs(self.settings.clock_offset.unsigned_abs());
        if self.settings.clock_offset < 0 {
            now.saturating_sub(offset)
        } else {
            now.saturating_add(offset)
        }
    }

    /// After the checks: dry run, queue, or concurrency and the function itself.
    async fn checked(
        &self,
        parts: &Parts,
        body: &mut RequestBody,
        id: RequestId,
        connection: &Arc<Connection>,
    ) -> Result<Response<Content>, ServiceError> {
        let ready = match self.check(parts, body, id, connection).await? {
            Checked::Managed(response) => return Ok(response),
            Checked::Call(ready) => ready,
        };
        match (ready.invocation_type, ready.operation) {
            (InvocationType::DryRun, _) => empty(StatusCode::NO_CONTENT, id),
            (InvocationType::Event, _) => self.queue(ready, id),
            // Boxed, so that the futures of other requests stay small.
            (_, Operation::InvokeWithResponseStream) => {
                Box::pin(self.stream(ready, connection)).await
            }
            _ => {
                let (mut execution, invocation, plan) = self.begin(ready, connection)?;
                let collected = collect(&mut execution).await;
                self.whole(&invocation, collected, plan, connection)
            }
        }
    }

    /// The checks, in this order: path and method, size of the body, signature, names and headers,
    /// content type, region and account, permission, function and qualifier, JSON, fault rules.
    async fn check(
        &self,
        parts: &Parts,
        body: &mut RequestBody,
        id: RequestId,
        connection: &Connection,
    ) -> Result<Checked<'_>, ServiceError> {
        let typed = IncomingRequest::from_parts(parts, &RULES);
        if let Err(rejection @ Rejection::Route(_)) = &typed {
            let response = match Managed::find(parts) {
                Some(Managed::Page(text)) => management::page(text, id),
                Some(Managed::Unsupported(name)) => Err(errors::not_implemented(name)),
                Some(Managed::Describe(operation)) => {
                    // Browsers send no `Origin` with a GET of the same origin, nor other headers
                    // about its page to a name without TLS.
                    if self.is_open() {
                        cors::check_host(&parts.headers, &self.settings.origins)?;
                    }
                    let payload = self.payload(&typed, body, connection).await?;
                    let lookup = self.lookup(operation.action(), self.caller(parts, &payload)?);
                    operation.respond(parts, &lookup, id)
                }
                None if is_url_without_name(parts.uri.path()) => Err(errors::no_name()),
                None => Err(self.rejected(rejection)),
            };
            return response.map(Checked::Managed);
        }
        let payload = self.payload(&typed, body, connection).await?;
        let caller = self.caller(parts, &payload)?;
        let typed = typed
            .and_then(|typed| typed.with_payload(payload))
            .map_err(|rejection| self.rejected(&rejection))?;
        // Callers that need no signature, such as `curl -d '{}'`, send other content types.
        if self.access.is_some() && !self.settings.any_content_type {
            typed
                .check_content_type()
                .map_err(|rejection| self.rejected(&rejection))?;
        }

        let lookup = self.lookup("lambda:InvokeFunction", caller);
        let Found {
            function,
            resolved,
            qualifier,
        } = lookup.find(&typed.members().target)?;
        typed
            .check_json()
            .map_err(|rejection| self.rejected(&rejection))?;

        let target = Target::of(typed.operation(), typed.invocation_type());
        let plan = self.faults.strike(function.name(), target).await?;
        let payload = match &typed.members().payload {
            // The service uses this payload if the caller sent none.
            payload if payload.is_empty() => Bytes::from_static(b"{}"),
            payload => payload.clone(),
        };
        let event = typed.invocation_type() == InvocationType::Event;
        let mut call = Call::with_members(function, &typed, id);
        call.qualifier = qualifier;
        call.version = resolved.version;
        call.event = event;
        call.trace_id = trace_id(&parts.headers);
        Ok(Checked::Call(Ready {
            function,
            handler: resolved.handler,
            operation: typed.operation(),
            invocation_type: typed.invocation_type(),
            call,
            payload,
            plan,
        }))
    }

    /// Verifies the signature; `None` if signatures are not verified.
    fn caller(&self, parts: &Parts, payload: &[u8]) -> Result<Option<Caller<'_>>, ServiceError> {
        let access = self.access.as_ref();
        access
            .map(|access| access.verify(parts, payload, self.now()))
            .transpose()
    }

    fn lookup<'a>(&'a self, action: &'static str, caller: Option<Caller<'a>>) -> Lookup<'a> {
        Lookup {
            registry: &self.registry,
            settings: &self.settings,
            caller,
            action,
        }
    }

    /// Reads the body, up to the limit of this call.
    async fn payload(
        &self,
        typed: &Result<IncomingRequest<'_>, Rejection>,
        body: &mut RequestBody,
        connection: &Connection,
    ) -> Result<Bytes, ServiceError> {
        connection.set_reading(true);
        let read = self.read(typed, body).await;
        connection.set_reading(false);
        read
    }

    async fn read(
        &self,
        typed: &Result<IncomingRequest<'_>, Rejection>,
        body: &mut RequestBody,
    ) -> Result<Bytes, ServiceError> {
        let own = self.settings.max_request_bytes;
        let limit = typed
            .as_ref()
            .map_or(own, |typed| typed.max_payload().min(own));
        body.read(limit)
            .await
            .map_err(|unread| match (unread, typed) {
                (Unread::TooLarge(length), typed) => {
                    let of =
                        |typed: &IncomingRequest<'_>| (typed.invocation_type(), typed.operation());
                    let (invocation_type, operation) = typed
                        .as_ref()
                        .map_or_else(|_| (InvocationType::RequestResponse, Operation::Invoke), of);
                    self.rejected(&Rejection::PayloadTooLarge {
                        length,
                        limit,
                        invocation_type,
                        operation,
                    })
                }
                (Unread::Truncated, _) => errors::truncated(),
            })
    }

    pub(crate) fn rejected(&self, rejection: &Rejection) -> ServiceError {
        match self.settings.too_large {
            TooLargeStyle::Service => rejection.to_service_error(),
            TooLargeStyle::Documented => rejection.to_documented_error(),
        }
    }

    fn queue(&self, ready: Ready<'_>, id: RequestId) -> Result<Response<Content>, ServiceError> {
        let event = Event::new(
            ready.payload.clone(),
            (*ready.call).clone(),
            ready.handler.clone(),
            ready.function.limits().clone(),
        );
        if !self.queue.accept(event.times(ready.plan.deliveries())) {
            let reason = ThrottleReason::FunctionInvocationRateLimitExceeded;
            return Err(errors::throttled(reason));
        }
        let via = Via::Api(Operation::Invoke);
        self.calls.record(via, &ready.call, &ready.payload);
        empty(StatusCode::ACCEPTED, id)
    }

    /// Rejects a call that a program could not take: nothing has run.
    pub(crate) fn check_started(
        &self,
        invocation: &Invocation,
        outcome: &Outcome,
    ) -> Result<(), ServiceError> {
        let Err(error) = outcome else {
            return Ok(());
        };
        let Some(reason) = error.throttle_reason() else {
            return Ok(());
        };
        self.calls.forget(invocation.request_id());
        if let Some(entry) = invocation.entry() {
            entry.end(Some(error.summary()));
        }
        Err(errors::throttled(reason))
    }

    /// Calls the function of a synchronous request.
    fn begin(
        &self,
        ready: Ready<'_>,
        connection: &Connection,
    ) -> Result<(Execution, Invocation, Plan), ServiceError> {
        let via = Via::Api(ready.operation);
        let (invocation, permit) = self.start(ready.function, ready.payload, ready.call, via)?;
        let buffered = self.settings.max_buffered_bytes;
        let limits = match ready.operation {
            Operation::InvokeWithResponseStream => ResponseLimits {
                buffered: Some(buffered),
                streamed: self.settings.max_stream_bytes,
            },
            _ => ResponseLimits::both(buffered),
        };
        let running = connection.running();
        let execution = Execution::start(ready.handler, &invocation, permit, running, limits);
        Ok((execution, invocation, ready.plan))
    }

    /// The response to Invoke.
    fn whole(
        &self,
        invocation: &Invocation,
        collected: Collected,
        plan: Plan,
        connection: &Arc<Connection>,
    ) -> Result<Response<Content>, ServiceError> {
        self.check_started(invocation, &collected.outcome)?;
        let failure = collected.outcome.as_ref().err().map(FunctionError::summary);
        let response = reply(invocation, collected)
            .to_http()
            .map_err(|error| errors::internal(&error.to_string()))?;
        Ok(response.map(|payload| {
            let content = Content::whole(payload).of_failed(failure);
            plan.body(content, connection)
        }))
    }

    async fn stream(
        &self,
        ready: Ready<'_>,
        connection: &Arc<Connection>,
    ) -> Result<Response<Content>, ServiceError> {
        let (mut execution, invocation, mut plan) = self.begin(ready, connection)?;
        let function_head = poll_fn(|cx| execution.poll_head(cx)).await;
        self.check_started(&invocation, execution.outcome())?;
        let mut head = StreamHead::new();
        head.executed_version = Some(reported_version(&invocation));
        head.remapped_content_type = remapped_content_type(function_head);
        head.request_id = Some(invocation.request_id().to_owned());
        let response = head
            .to_http()
            .map_err(|error| errors::internal(&error.to_string()))?;

        let error_code = self.settings.error_code_in_stream;
        let events = FunctionEvents::new(execution, invocation, error_code);
        let events = plan.events(Box::new(events));
        let messages = plan.messages(Box::new(Encoder::new(events)));
        let bandwidth = self.settings.stream_bandwidth;
        let body = StreamBody::new(messages, Arc::clone(connection), bandwidth);
        let content = Content::Frames(Box::new(body));
        Ok(response.map(|()| plan.body(content, connection)))
    }
}

impl Call {
    /// Creates a call with the parameters of the request.
    fn with_members(
        function: &Arc<Registered>,
        request: &IncomingRequest<'_>,
        request_id: RequestId,
    ) -> Box<Self> {
        let members = request.members();
        let context = members.client_context.as_ref();
        let tenant_id = members.tenant_id.as_ref();
        let durable = members.durable_execution_name.as_ref();
        Box::new(Self {
            client_context: context.map(|context| context.to_json()),
            tenant_id: tenant_id.map(|id| id.as_str().to_owned()),
            durable_execution_name: durable.map(|name| name.as_str().to_owned()),
            tail: members.log_type == LogType::Tail,
            ..Self::new(function.info(), request_id)
        })
    }
}

/// Returns the X-Ray trace header that the caller sent.
pub(crate) fn trace_id(headers: &HeaderMap) -> Option<String> {
    let sent = headers.get(&X_AMZN_TRACE_ID)?.to_str().ok()?;
    (!sent.is_empty()).then(|| sent.to_owned())
}

/// Whether a path has the prefix of function URLs, but no name.
fn is_url_without_name(path: &str) -> bool {
    path == "/url" || path.starts_with("/url/")
}

fn http_date(time: Timestamp) -> String {
    httpdate::fmt_http_date(time.into())
}
