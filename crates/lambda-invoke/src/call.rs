//! What a call can have, and how it is sent.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use lambda_invoke_input::{
    ClientContext, DurableExecutionName, FunctionName, InvocationType, LogType, Qualifier, Target,
    TenantId,
};
use lambda_invoke_protocol::operation::{Invoke, InvokeOperation, Stream};
use lambda_invoke_protocol::retry::RetryPolicy;
use lambda_invoke_protocol::{Request, StreamHead, StreamInvocationType, json};
use lambda_invoke_transport::Timeouts;
use serde_core::Serialize;

use crate::endpoint::EndpointUrl;
use crate::exchange::{HttpResponse, Options, request_id};
use crate::{BoxError, Client, Error, Reply, ResponseStream};

/// A call that is being built: see [`Client::invoke`] and [`Client::stream`].
///
/// A value that is invalid does not stop the chain: [`send`](Self::send) reports the first one, and
/// sends nothing.
#[derive(Debug)]
#[must_use = "a call does nothing until `send`"]
pub struct Call<'a, Op: InvokeOperation, C = Client> {
    pub(crate) client: C,
    pub(crate) request: Result<Request<'a, Op>, Error>,
    pub(crate) options: Options,
}

/// A call of `Invoke`: see [`Client::invoke`].
pub type InvokeCall<'a, C = Client> = Call<'a, Invoke, C>;

/// A call of `InvokeWithResponseStream`: see [`Client::stream`].
pub type StreamCall<'a, C = Client> = Call<'a, Stream, C>;

impl<'a, Op: InvokeOperation, C> Call<'a, Op, C> {
    pub(crate) fn new<N>(client: C, name: N) -> Self
    where
        N: TryInto<FunctionName<'a>>,
        N::Error: Into<BoxError>,
    {
        let request = name.try_into().map(Request::new).map_err(Error::input);
        Self {
            client,
            request,
            options: Options::default(),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Request<'a, Op>) -> Result<(), Error>) -> Self {
        if let Ok(request) = &mut self.request {
            if let Err(error) = change(request) {
                self.request = Err(error);
            }
        }
        self
    }

    /// The version or alias to run. Without one, what the name says, or else `$LATEST`.
    pub fn qualifier<Q>(self, qualifier: Q) -> Self
    where
        Q: TryInto<Qualifier<'a>>,
        Q::Error: Into<BoxError>,
    {
        self.with(|request| {
            let qualifier = qualifier.try_into().map_err(Error::input)?;
            let name = request.target.name().clone();
            request.target = Target::new(name, Some(qualifier)).map_err(Error::input)?;
            Ok(())
        })
    }

    /// What the function is told about the caller, as JSON.
    pub fn client_context(self, json: impl AsRef<[u8]>) -> Self {
        self.with(|request| {
            let context = ClientContext::from_json(json.as_ref()).map_err(Error::input)?;
            request.client_context = Some(context);
            Ok(())
        })
    }

    /// What the function is told about the caller, as it goes on the wire: in base64.
    pub fn client_context_base64<X>(self, context: X) -> Self
    where
        X: TryInto<ClientContext<'a>>,
        X::Error: Into<BoxError>,
    {
        self.with(|request| {
            request.client_context = Some(context.try_into().map_err(Error::input)?);
            Ok(())
        })
    }

    /// The tenant, for a function with tenant isolation.
    pub fn tenant_id<T>(self, tenant: T) -> Self
    where
        T: TryInto<TenantId<'a>>,
        T::Error: Into<BoxError>,
    {
        self.with(|request| {
            request.tenant_id = Some(tenant.try_into().map_err(Error::input)?);
            Ok(())
        })
    }

    /// Asks for the end of the log, 4 KiB at most, with the response. A stream asks for it by
    /// default.
    pub fn log_tail(self) -> Self {
        self.with(|request| {
            request.log_type = LogType::Tail;
            Ok(())
        })
    }

    /// Asks for no log. What the log alone tells is not known then: of a stream, that the function
    /// failed or timed out after it began to write.
    pub fn without_log(self) -> Self {
        self.with(|request| {
            request.log_type = LogType::None;
            Ok(())
        })
    }

    /// The payload, sent as it is. The service takes JSON only, and answers anything else
    /// with an error; see [`payload_validated`](Self::payload_validated).
    pub fn payload(self, payload: impl Into<Bytes>) -> Self {
        self.with(|request| {
            request.payload = payload.into();
            Ok(())
        })
    }

    /// A value as JSON.
    pub fn payload_json<T: Serialize + ?Sized>(self, value: &T) -> Self {
        self.with(|request| {
            request.payload = serde_json::to_vec(value).map_err(Error::input)?.into();
            Ok(())
        })
    }

    /// A payload that must be JSON: checked before it is sent, so that a mistake is
    /// reported with its place.
    pub fn payload_validated(self, payload: impl Into<Bytes>) -> Self {
        self.with(|request| {
            let payload = payload.into();
            json::check(&payload).map_err(Error::input)?;
            request.payload = payload;
            Ok(())
        })
    }

    /// The payload's content type, `application/json` if nothing is said.
    pub fn content_type<T>(self, content_type: T) -> Self
    where
        T: TryInto<HeaderValue>,
        T::Error: Into<BoxError>,
    {
        self.with(|request| {
            request.content_type = Some(content_type.try_into().map_err(Error::input)?);
            Ok(())
        })
    }

    /// How long each part of this call may take, in place of the client's limits.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.options.timeouts = Some(timeouts);
        self
    }

    /// How long this call may take in all, attempts and waiting included, in place of the
    /// client's `total` limit. The other limits stay.
    pub fn timeout(mut self, total: Duration) -> Self {
        self.options.total = Some(total);
        self
    }

    /// What of this call is sent again when it fails, in place of the client's policy.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.options.retry = Some(policy);
        self
    }
}

impl<'a, C> Call<'a, Invoke, C> {
    /// Queues an event for the function and does not wait for it: the reply is a 202 without
    /// payload. The service runs the function later, and again if it fails.
    pub fn event(self) -> Self {
        self.with(|request| {
            request.invocation_type = InvocationType::Event;
            Ok(())
        })
    }

    /// Only checks the call and the permission: the reply is a 204 without payload, and the
    /// function does not run.
    pub fn dry_run(self) -> Self {
        self.with(|request| {
            request.invocation_type = InvocationType::DryRun;
            Ok(())
        })
    }

    /// The name under which a durable function runs once, however often it is called by it. So
    /// what may or may not have run is sent again too, whatever the policy.
    pub fn durable_execution_name<D>(self, name: D) -> Self
    where
        D: TryInto<DurableExecutionName<'a>>,
        D::Error: Into<BoxError>,
    {
        self.with(|request| {
            request.durable_execution_name = Some(name.try_into().map_err(Error::input)?);
            Ok(())
        })
    }
}

impl Call<'_, Invoke> {
    /// Makes the call.
    ///
    /// A function that fails is not an error here, since its answer came: see
    /// [`Reply::into_result`].
    ///
    /// Dropping the future gives the call up and closes its connection; a function that runs
    /// already runs on, and is billed.
    ///
    /// # Errors
    ///
    /// If the call cannot be made as it is, the service refuses it, or no whole answer comes.
    /// [`Error::execution`] tells what became of the function.
    pub async fn send(self) -> Result<Reply, Error> {
        let request = self.request?;
        let core = self.client.core();
        let response = core.exchange(&request, self.options).await?;
        let attempts = response.attempts;
        let id = request_id(&response.parts.headers).map(str::to_owned);
        let after = |error: Error| error.with_request_id(id.as_deref()).with_attempts(attempts);
        let (parts, payload) = response.into_payload(core.max_reply).await.map_err(after)?;
        let asked = request.invocation_type;
        Reply::read(&core.endpoint, asked, &parts, payload, attempts).map_err(after)
    }
}

impl<'a, C> Call<'a, Stream, C> {
    /// Only checks the call and the permission; the function does not run.
    pub fn dry_run(self) -> StreamDryRun<'a, C> {
        StreamDryRun(self.with(|request| {
            request.invocation_type = Stream::DRY_RUN;
            Ok(())
        }))
    }
}

impl Call<'_, Stream> {
    /// Makes the call and waits for the head of the answer: the function runs then, and what it
    /// writes can be read from the stream.
    ///
    /// # Errors
    ///
    /// If the call cannot be made as it is, the service refuses it, or no answer comes.
    /// [`Error::execution`] tells what became of the function. What goes wrong later is an error
    /// of the stream.
    pub async fn send(self) -> Result<ResponseStream, Error> {
        let request = self.request?;
        let core = self.client.core();
        let response = core.exchange(&request, self.options).await?;
        let head = stream_head(&core.endpoint, request.invocation_type, &response)?;
        Ok(ResponseStream::new(head, response))
    }
}

/// A dry run of InvokeWithResponseStream: see [`StreamCall::dry_run`].
#[derive(Debug)]
#[must_use = "a call is made by `send`"]
pub struct StreamDryRun<'a, C = Client>(pub(crate) StreamCall<'a, C>);

impl StreamDryRun<'_> {
    /// Makes the call. What it gives is the head of the answer, which is all that there is.
    ///
    /// # Errors
    ///
    /// As [`StreamCall::send`].
    pub async fn send(self) -> Result<StreamHead, Error> {
        let request = self.0.request?;
        let core = self.0.client.core();
        let response = core.exchange(&request, self.0.options).await?;
        stream_head(&core.endpoint, request.invocation_type, &response)
    }
}

fn stream_head(
    endpoint: &EndpointUrl,
    asked: StreamInvocationType,
    response: &HttpResponse,
) -> Result<StreamHead, Error> {
    StreamHead::from_parts(asked, &response.parts).map_err(|error| {
        Error::unexpected(endpoint, &response.parts, b"", error).with_attempts(response.attempts)
    })
}
