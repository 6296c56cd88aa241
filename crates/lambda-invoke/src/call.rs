//! The parameters of a call, and how it is sent.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use lambda_invoke_input::{
    ClientContext, DurableExecutionName, FunctionName, InvocationType, LogType, Qualifier, Target,
    TenantId,
};
use lambda_invoke_protocol::operation::{Invoke, InvokeOperation, Stream};
use lambda_invoke_protocol::retry::RetryPolicy;
use lambda_invoke_protocol::{Expected, Request, StreamHead, json};
use lambda_invoke_transport::Timeouts;
use serde_core::Serialize;

use crate::exchange::{HttpResponse, Options, request_id};
use crate::headers::Coverage;
use crate::{BoxError, Client, Error, Reply, ResponseStream};

/// A call that is being built: see [`Client::invoke`] and [`Client::stream`].
///
/// An invalid value does not interrupt the chain: [`send`](Self::send) reports the first one, and
/// sends nothing. Names may be `&str`, `&String`, `String`, `Cow<str>` or values of their types.
/// The `maybe_` setters take an option; `None` changes nothing.
///
/// `.await` on the call itself is a short form of `send()`.
///
/// # Example
///
/// ```no_run
/// # async fn example(client: lambda_invoke::Client, tenant: Option<&str>) -> Result<(), lambda_invoke::Error> {
/// use std::time::Duration;
/// use lambda_invoke::{InvokeCall, RetryPolicy, StreamCall};
///
/// let call: InvokeCall<'_> = client
///     .invoke("orders")
///     .qualifier("live")
///     .payload(r#"{"item":"tea"}"#)
///     .content_type("application/json")
///     .client_context(r#"{"custom":{"shop":"7"}}"#)
///     .maybe_tenant_id(tenant)
///     .header("x-team", "shop")                  // covered by the signature
///     .unsigned_header("x-request-start", "now") // a proxy may change it
///     .timeout(Duration::from_secs(30))
///     .retry(RetryPolicy::none());
/// let reply = call.send().await?.into_result()?;
///
/// let call: StreamCall<'_> = client.stream("orders").tenant_id("blue").without_log();
/// let stream = call.send().await?;
///
/// // It runs once, however often it is called by this name.
/// let call = client.invoke("charge").durable_execution_name("order-7").payload("{}");
/// let reply = call.send().await?.into_result()?;
///
/// // The permission and the parameters are checked, and nothing runs.
/// let _allowed = client.invoke("orders").dry_run().send().await?;
/// let allowed = client.stream("orders").dry_run().send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a call does nothing until `send` or `.await`"]
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
    pub(crate) fn new(
        client: C,
        name: impl TryInto<FunctionName<'a>, Error: Into<BoxError>>,
    ) -> Self {
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

    /// Sets the version or alias to run. The default is the one in the function's name, or else
    /// `$LATEST`.
    pub fn qualifier(self, qualifier: impl TryInto<Qualifier<'a>, Error: Into<BoxError>>) -> Self {
        self.with(|request| {
            let qualifier = qualifier.try_into().map_err(Error::input)?;
            let name = request.target.name().clone();
            request.target = Target::new(name, Some(qualifier)).map_err(Error::input)?;
            Ok(())
        })
    }

    /// The same as [`qualifier`](Self::qualifier), if there is a value.
    pub fn maybe_qualifier(
        self,
        qualifier: Option<impl TryInto<Qualifier<'a>, Error: Into<BoxError>>>,
    ) -> Self {
        match qualifier {
            Some(qualifier) => self.qualifier(qualifier),
            None => self,
        }
    }

    /// Sets the client context, as JSON. The function finds it in its context.
    pub fn client_context(self, json: impl AsRef<[u8]>) -> Self {
        self.with(|request| {
            let context = ClientContext::from_json(json.as_ref()).map_err(Error::input)?;
            request.client_context = Some(context);
            Ok(())
        })
    }

    /// The same as [`client_context`](Self::client_context), if there is a value.
    pub fn maybe_client_context(self, json: Option<impl AsRef<[u8]>>) -> Self {
        match json {
            Some(json) => self.client_context(json),
            None => self,
        }
    }

    /// Sets the client context as it goes on the wire: in base64.
    ///
    /// ```no_run
    /// # async fn example(client: lambda_invoke::Client) -> Result<(), lambda_invoke::Error> {
    /// let call = client.invoke("orders").client_context_base64("eyJjdXN0b20iOnt9fQ==");
    /// # Ok(())
    /// # }
    /// ```
    pub fn client_context_base64(
        self,
        context: impl TryInto<ClientContext<'a>, Error: Into<BoxError>>,
    ) -> Self {
        self.with(|request| {
            request.client_context = Some(context.try_into().map_err(Error::input)?);
            Ok(())
        })
    }

    /// The same as [`client_context_base64`](Self::client_context_base64), if there is a value.
    pub fn maybe_client_context_base64(
        self,
        context: Option<impl TryInto<ClientContext<'a>, Error: Into<BoxError>>>,
    ) -> Self {
        match context {
            Some(context) => self.client_context_base64(context),
            None => self,
        }
    }

    /// Sets the tenant, for a function with tenant isolation.
    pub fn tenant_id(self, tenant: impl TryInto<TenantId<'a>, Error: Into<BoxError>>) -> Self {
        self.with(|request| {
            request.tenant_id = Some(tenant.try_into().map_err(Error::input)?);
            Ok(())
        })
    }

    /// The same as [`tenant_id`](Self::tenant_id), if there is a value.
    pub fn maybe_tenant_id(
        self,
        tenant: Option<impl TryInto<TenantId<'a>, Error: Into<BoxError>>>,
    ) -> Self {
        match tenant {
            Some(tenant) => self.tenant_id(tenant),
            None => self,
        }
    }

    /// Requests the end of the log, at most 4 KiB, with the response. This is the default for a
    /// stream.
    pub fn log_tail(self) -> Self {
        self.with(|request| {
            request.log_type = LogType::Tail;
            Ok(())
        })
    }

    /// Does not request the log. Failures that only the log reports then go unnoticed: when a
    /// function fails or times out after it began to stream.
    pub fn without_log(self) -> Self {
        self.with(|request| {
            request.log_type = LogType::None;
            Ok(())
        })
    }

    /// Sets the payload, which is sent unchanged. The service accepts only JSON; see
    /// [`payload_validated`](Self::payload_validated).
    pub fn payload(self, payload: impl Into<Bytes>) -> Self {
        self.with(|request| {
            request.payload = payload.into();
            Ok(())
        })
    }

    /// Sets the payload to a value, serialized as JSON.
    pub fn payload_json<T: Serialize + ?Sized>(self, value: &T) -> Self {
        self.with(|request| {
            request.payload = serde_json::to_vec(value).map_err(Error::input)?.into();
            Ok(())
        })
    }

    /// Sets the payload, after checking that it is JSON: a mistake is reported with its position,
    /// and nothing is sent.
    pub fn payload_validated(self, payload: impl Into<Bytes>) -> Self {
        self.with(|request| {
            let payload = payload.into();
            json::check(&payload).map_err(Error::input)?;
            request.payload = payload;
            Ok(())
        })
    }

    /// Sets the payload's content type, by default `application/json`.
    pub fn content_type(
        self,
        content_type: impl TryInto<HeaderValue, Error: Into<BoxError>>,
    ) -> Self {
        self.with(|request| {
            request.content_type = Some(content_type.try_into().map_err(Error::input)?);
            Ok(())
        })
    }

    /// The same as [`content_type`](Self::content_type), if there is a value.
    pub fn maybe_content_type(
        self,
        content_type: Option<impl TryInto<HeaderValue, Error: Into<BoxError>>>,
    ) -> Self {
        match content_type {
            Some(content_type) => self.content_type(content_type),
            None => self,
        }
    }

    /// Sets how long each part of this call may take, instead of the client's timeouts.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.options.timeouts = Some(timeouts);
        self
    }

    /// Sets how long this call may take in total, including retries and the delays between them, in
    /// place of the client's `total` timeout. The other timeouts stay. The time in which credentials
    /// are fetched does not count, as [`ClientBuilder::timeouts`](crate::ClientBuilder::timeouts)
    /// says.
    pub fn timeout(mut self, total: Duration) -> Self {
        self.options.total = Some(total);
        self
    }

    /// The same as [`timeout`](Self::timeout), if there is a value.
    pub fn maybe_timeout(self, total: Option<Duration>) -> Self {
        match total {
            Some(total) => self.timeout(total),
            None => self,
        }
    }

    /// Sets a header, and replaces a header of the same name, even the client's. The signature
    /// covers it, unless it is one that signatures never cover.
    /// [`ClientBuilder::header`](crate::ClientBuilder::header) lists those, and the headers that
    /// are rejected.
    pub fn header(
        self,
        name: impl TryInto<HeaderName, Error: Into<BoxError>>,
        value: impl TryInto<HeaderValue, Error: Into<BoxError>>,
    ) -> Self {
        self.set_header(name, value, Coverage::Signed)
    }

    /// Like [`header`](Self::header), for a header that the signature does not cover, because
    /// proxies or gateways rewrite or remove it on the way.
    pub fn unsigned_header(
        self,
        name: impl TryInto<HeaderName, Error: Into<BoxError>>,
        value: impl TryInto<HeaderValue, Error: Into<BoxError>>,
    ) -> Self {
        self.set_header(name, value, Coverage::Unsigned)
    }

    fn set_header(
        mut self,
        name: impl TryInto<HeaderName, Error: Into<BoxError>>,
        value: impl TryInto<HeaderValue, Error: Into<BoxError>>,
        coverage: Coverage,
    ) -> Self {
        let mut headers = self.options.headers.take().unwrap_or_default();
        let set = headers.set(name, value, coverage);
        self.options.headers = Some(headers);
        self.with(|_| set.map_err(Error::input))
    }

    /// Sets the retry policy of this call, instead of the client's policy.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.options.retry = Some(policy);
        self
    }
}

impl<'a, C> Call<'a, Invoke, C> {
    /// Queues an event for the function instead of waiting for it: the reply is a 202 without
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

    /// Sets the name under which a durable function runs once, however often it is called.
    /// Therefore a request that may have run the function is sent again, as with
    /// [`RetryPolicy::at_least_once`], as long as the policy has attempts left.
    pub fn durable_execution_name(
        self,
        name: impl TryInto<DurableExecutionName<'a>, Error: Into<BoxError>>,
    ) -> Self {
        self.with(|request| {
            let name = name.try_into().map_err(Error::input)?;
            request.durable_execution_name = Some(name.into_owned());
            Ok(())
        })
    }

    /// The same as [`durable_execution_name`](Self::durable_execution_name), if there is a value.
    pub fn maybe_durable_execution_name(
        self,
        name: Option<impl TryInto<DurableExecutionName<'a>, Error: Into<BoxError>>>,
    ) -> Self {
        match name {
            Some(name) => self.durable_execution_name(name),
            None => self,
        }
    }
}

impl Call<'_, Invoke> {
    /// Makes the call.
    ///
    /// A function that fails is not an error here, since there is a response: see
    /// [`Reply::into_result`].
    ///
    /// Dropping the future abandons the call and closes its connection; a function that is already
    /// running continues, and is billed.
    ///
    /// # Errors
    ///
    /// If the call is invalid, the service rejects it, or no complete response arrives.
    /// [`Error::execution`] says whether the function may have run.
    #[allow(
        clippy::manual_async_fn,
        reason = "an async fn has room for its argument twice"
    )]
    pub fn send(self) -> impl Future<Output = Result<Reply, Error>> + Send {
        async move {
            let request = match self.request {
                Ok(ref request) => request,
                Err(error) => return Err(error),
            };
            let core = self.client.core();
            let mut response = core.exchange(request, &self.options).await?;
            let payload = response.payload(core.max_reply).await;
            let received = payload.as_ref().map_or(0, Bytes::len) as u64;
            let HttpResponse {
                parts,
                span,
                attempts,
                ..
            } = response;
            let asked = request.invocation_type;
            let reply = payload
                .map_err(|error| error.with_proof(Expected::from(asked).execution(&parts)))
                .and_then(|payload| Reply::read(&core.endpoint, asked, &parts, payload, attempts));
            match reply {
                Ok(reply) => {
                    span.complete(received);
                    Ok(reply)
                }
                Err(error) => {
                    span.failed(&error);
                    let id = request_id(&parts.headers);
                    Err(error.with_request_id(id).with_attempts(attempts))
                }
            }
        }
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
    /// Makes the call and waits for the head of the response. The function is then running, and its
    /// output can be read from the stream.
    ///
    /// # Errors
    ///
    /// If the call is invalid, the service rejects it, or no response arrives. [`Error::execution`]
    /// says whether the function may have run. Later failures are errors of the stream.
    #[allow(
        clippy::manual_async_fn,
        reason = "an async fn has room for its argument twice"
    )]
    pub fn send(self) -> impl Future<Output = Result<ResponseStream, Error>> + Send {
        async move {
            let request = match self.request {
                Ok(ref request) => request,
                Err(error) => return Err(error),
            };
            let core = self.client.core();
            let response = core.exchange(request, &self.options).await?;
            let head = response.stream_head(&core.endpoint, request.invocation_type)?;
            Ok(ResponseStream::new(head, response))
        }
    }
}

/// A dry run of InvokeWithResponseStream: see [`StreamCall::dry_run`].
///
/// ```no_run
/// # async fn example(client: lambda_invoke::Client) -> Result<(), lambda_invoke::Error> {
/// use lambda_invoke::StreamDryRun;
///
/// let check: StreamDryRun<'_> = client.stream("orders").dry_run();
/// assert_eq!(check.send().await?.status, 204);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a call does nothing until `send` or `.await`"]
pub struct StreamDryRun<'a, C = Client>(pub(crate) StreamCall<'a, C>);

impl StreamDryRun<'_> {
    /// Makes the call and returns the head of the response, which has no body.
    ///
    /// # Errors
    ///
    /// As [`StreamCall::send`].
    pub async fn send(self) -> Result<StreamHead, Error> {
        let request = self.0.request?;
        let core = self.0.client.core();
        let response = core.exchange(&request, &self.0.options).await?;
        response.stream_head(&core.endpoint, request.invocation_type)
    }
}

/// The future of `.await` on a call.
pub type CallFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// Makes the call: see [`send`](InvokeCall::send).
impl<'a> IntoFuture for InvokeCall<'a> {
    type Output = Result<Reply, Error>;
    type IntoFuture = CallFuture<'a, Reply>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// Makes the call: see [`send`](StreamCall::send).
impl<'a> IntoFuture for StreamCall<'a> {
    type Output = Result<ResponseStream, Error>;
    type IntoFuture = CallFuture<'a, ResponseStream>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// Makes the call: see [`send`](StreamDryRun::send).
impl<'a> IntoFuture for StreamDryRun<'a> {
    type Output = Result<StreamHead, Error>;
    type IntoFuture = CallFuture<'a, StreamHead>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
