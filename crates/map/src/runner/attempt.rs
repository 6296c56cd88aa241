//! Makes one call.

use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use lambda_invoke::http::{HeaderName, HeaderValue};
use lambda_invoke::{
    Call, Client, ClientContext, Error, FunctionName, InvokeOperation, Qualifier, Report,
    RetryPolicy, TenantId,
};

use crate::item::{RequestId, request_id};

/// The maximum number of bytes of a streamed response that are kept in memory.
const MAX_STREAM: u64 = 200 << 20;

/// How a function is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// Invoke: waits for the response.
    #[default]
    Invoke,
    /// Invoke with the type `Event`: waits until the event is queued.
    Event,
    /// InvokeWithResponseStream: the response is the function's whole output.
    Stream,
}

/// The parameters that all calls share.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Target {
    /// The function.
    pub function: FunctionName<'static>,
    /// The version or alias.
    pub qualifier: Option<Qualifier<'static>>,
    /// The client context.
    pub client_context: Option<ClientContext<'static>>,
    /// The tenant.
    pub tenant_id: Option<TenantId<'static>>,
    /// Further headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Target {
    /// Creates a target without options.
    #[must_use]
    pub fn new(function: FunctionName<'static>) -> Self {
        Self {
            function,
            qualifier: None,
            client_context: None,
            tenant_id: None,
            headers: Vec::new(),
        }
    }

    fn call<Op: InvokeOperation>(
        &self,
        mut call: Call<'static, Op>,
        attempt: &mut Attempt,
    ) -> Call<'static, Op> {
        call = call
            .payload(mem::take(&mut attempt.payload))
            .retry(match attempt.recover {
                true => RetryPolicy::default(),
                // This crate handles throttling itself.
                false => RetryPolicy::none(),
            })
            .maybe_qualifier(self.qualifier.clone())
            .maybe_client_context_base64(self.client_context.clone())
            .maybe_tenant_id(self.tenant_id.clone());
        for (name, value) in &self.headers {
            call = call.header(name, value);
        }
        match attempt.log_tail {
            true => call.log_tail(),
            false => call,
        }
    }
}

/// One attempt of one invocation.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) mode: Mode,
    pub(super) payload: Bytes,
    pub(super) log_tail: bool,
    /// Whether the client may retry by itself: to correct its clock, or to fetch credentials.
    pub(super) recover: bool,
    pub(super) execution_name: Option<Arc<str>>,
}

/// The response of a successful call.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) payload: Bytes,
    pub(super) request_id: Option<RequestId>,
    /// Boxed, since most have none.
    pub(super) report: Option<Box<Report>>,
}

impl Attempt {
    /// Makes the call.
    pub(super) async fn make(
        mut self,
        client: &Client,
        target: &Target,
    ) -> Result<Response, Error> {
        if self.mode == Mode::Stream {
            let call = target.call(client.stream(target.function.clone()), &mut self);
            let stream = call.send().await?;
            let request_id = stream.request_id().map(request_id);
            let collected = stream.collect_at_most(MAX_STREAM).await?;
            let completion = collected.completion();
            return Ok(Response {
                request_id,
                report: completion
                    .and_then(|completion| completion.report().cloned().map(Box::new)),
                payload: collected.to_bytes(),
            });
        }
        let mut call = target.call(client.invoke(target.function.clone()), &mut self);
        if let Some(name) = &self.execution_name {
            call = call.durable_execution_name(name.to_string());
        }
        if self.mode == Mode::Event {
            call = call.event();
        }
        let reply = call.send().await?.into_result()?;
        Ok(Response {
            request_id: reply.request_id().map(request_id),
            report: reply.report().map(Box::new),
            payload: reply.into_payload(),
        })
    }
}
